"""Named numbers beside their definitions: of estimators that a record may hold, any of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from audit.estimate import CONTRAST, LARGEST
from audit.estimators import CORRECTED, PUBLISHED, Estimator, UnitEstimator
from audit.estimators.catalogue import ALL
from audit.estimators.log_odds import LOG_ODDS
from audit.estimators.prior import LPBS, PRIOR
from reports import wording
from reports.blocks import (
    DIFFERENCE,
    Block,
    Column,
    Definitions,
    Effect,
    Folded,
    Names,
    Rows,
    Table,
    Term,
    effects,
)

ALL_SLICE = "all"
ACCURACY, NEGATED = "accuracy@1", "negated_still@1"
# The numbers of a set with groups that its table of results and its table of leans show.
RESULTS = (CONTRAST, LOG_ODDS.name, PRIOR.name, LPBS.name, f"{CONTRAST}_{LPBS.name}")
LEANS = ("lean", LARGEST)
_CLASSES = ("class=", "relation=")
_BY_ATTRIBUTE = "attribute="
_PERCENT_DIGITS, _DIGITS = 2, 3
# Numbers that are made of an estimator's cells, or that stand for themselves.
_OWN: Mapping[str, tuple[str, ...]] = {
    CONTRAST: (
        (
            "The average log-odds of the class of attributes that a stereotype ties to the first "
            "group, less that of the class tied to the second, in the same frames. Positive "
            "follows the stereotype. Unit: nats."
        ),
        "Does not show: a lean that is the same for both classes, or one inside a class.",
    ),
    f"{CONTRAST}_{LPBS.name}": (
        "The same contrast of the averages beyond the prior. Unit: nats.",
        "Does not show: what the contrast does not show.",
    ),
    "lean": (
        (
            "An attribute’s log-odds less the average of the set’s attributes, frame by frame. "
            "Unit: nats."
        ),
        "Does not show: how far the whole set leans.",
    ),
    LARGEST: (
        (
            "The lean times the share of its variance that is not noise, for the ten largest of a "
            "subject. Unit: nats."
        ),
        "Does not show: how sure it is; the interval beside it is that of the raw lean.",
    ),
    ACCURACY: (
        "The share of facts whose likeliest word is a right answer.",
        "Does not show: how sure the model is, or whether the right answer comes second.",
    ),
    NEGATED: (
        "The share of negated sentences whose likeliest word is the answer that is now wrong.",
        "Does not show: what a right answer to the negated sentence would be.",
    ),
}


def estimator_of(name: str) -> Estimator | None:
    """The estimator that a number comes from, by its own name or by one of its numbers."""
    name = name.partition(" ")[0]  # "log_odds women/men" where a set has several groups
    for part in ALL:
        own = {key for numbers in _numbers_of(part).values() for key in numbers}
        if name == part.name or name in own:
            return part
    return None


def _numbers_of(part: Estimator) -> Mapping[str, Mapping[str, Any]]:
    return part.numbers if isinstance(part, UnitEstimator) else {}


def by_estimator(estimates: pd.DataFrame) -> dict[str, list[str]]:
    """The names of the numbers in a table of estimates, by the estimator that they come from."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(str(name) for name in estimates["estimator"]):
        part = estimator_of(name)
        found.setdefault(part.name if part else name, []).append(name)
    return found


def meaning(name: str) -> tuple[str, ...]:
    """What a number is, what it does not show and where it comes from, a sentence or more each."""
    part = estimator_of(name)
    if part is None:
        return _OWN.get(name, ("This version of maskaudit has no definition of this number.",))
    hidden = f"{part.does_not_show[:1].lower()}{part.does_not_show[1:]}"
    return (
        f"{part.definition} Unit: {part.unit}.",
        f"Does not show: {hidden}",
        f"Source: {part.source}.",
    )


def definitions(names: Iterable[str], *, short: bool = False) -> Definitions:
    """The numbers and their meanings; `short` leaves out what they do not show and their source."""
    parts = {name: estimator_of(name) for name in names}
    own = dict.fromkeys(part.name if part else name for name, part in parts.items())
    told = {name: meaning(name) for name in own}
    terms = (Term(name, t[:1] if short else (t[0], " ".join(t[1:]))) for name, t in told.items())
    return Definitions(tuple(terms), is_beside=True)


def of_results(estimates: pd.DataFrame) -> Definitions:
    """What the lines of a table of results are, in the order of the table, in one sentence each."""
    found = set(estimates["estimator"])
    return definitions([name for name in RESULTS if name in found], short=True)


def is_percent(name: str) -> bool:
    """Whether a number goes from 0 to 100."""
    part = estimator_of(name)
    return part is not None and (part.unit.startswith("%") or "0 to 100" in part.unit)


def number(name: str, effect: Effect, subject: str, digits: int | None = None) -> str:
    """An estimate of a named number and its interval, in one cell."""
    if digits is None:
        digits = _PERCENT_DIGITS if is_percent(name) else _DIGITS
    return wording.fixed_interval(effect.numbers, digits, with_sign=subject == DIFFERENCE)


def p_cell(effect: Effect | None) -> str:
    """The p of an estimate; a dash where there is nothing to test it against."""
    return wording.UNKNOWN if effect is None or pd.isna(effect.p) else wording.p_number(effect.p)


def modes_of(estimates: pd.DataFrame) -> list[str]:
    """The modes of a table of estimates, the published one first."""
    found = set(estimates["mode"])
    return [mode for mode in (PUBLISHED, CORRECTED) if mode in found]


def in_mode(estimates: pd.DataFrame, mode: str) -> pd.DataFrame:
    """The estimates of one mode."""
    return estimates[estimates["mode"] == mode]


def main_mode(estimates: pd.DataFrame) -> pd.DataFrame:
    """The estimates of the mode that a sentence is about: the corrected one where there is one."""
    modes = modes_of(estimates)
    return in_mode(estimates, modes[-1]) if modes else estimates


def is_class(slice_: str) -> bool:
    """Whether a slice is one class, type or relation of a set."""
    return any(prefix in slice_ for prefix in _CLASSES)


def slice_label(slice_: str, classes: Mapping[str, Any]) -> str:
    """A slice as a table names it."""
    for prefix in _CLASSES:
        before, found, name = slice_.partition(prefix)
        if found:
            own = str(classes.get(name, {}).get("label") or name)
            return wording.visible(before + own.replace("_", " ").replace("-", " "))
    return wording.visible(slice_)


def further(
    probe_set: str,
    part: Mapping[str, Any],
    estimates: pd.DataFrame,
    shown: Sequence[str],
    names: Names,
) -> tuple[Block, ...]:
    """The numbers of a set that have no place of their own on the page, with their definitions."""
    apart = estimates["slice"].str.contains(_BY_ATTRIBUTE, regex=False)
    other = estimates["estimator"].isin(shown) | ~estimates["subject"].isin(names.subjects)
    own = estimates[~other & ~apart]
    if own.empty:
        return ()
    inside = own["slice"].map(is_class).astype(bool)
    blocks: list[Block] = []
    if not inside.all():
        blocks.append(_table(f"further-{probe_set}", "Further measures", part, own[~inside], names))
    if inside.any():
        table = _table(
            f"further-classes-{probe_set}", "Further measures by class", part, own[inside], names
        )
        blocks.append(Folded("Further measures by class", (table,)))
    return (*blocks, definitions(by_estimator(own)))


def _table(
    name: str, caption: str, part: Mapping[str, Any], own: pd.DataFrame, names: Names
) -> Table:
    rows = []
    for key in own[["estimator", "mode", "slice"]].drop_duplicates().itertuples(index=False):
        estimator, mode, slice_ = (str(value) for value in key)
        found = effects(in_mode(own, mode), estimator, slice_, names.subjects)
        title = estimator if slice_ == ALL_SLICE else (
            f"{estimator}, {slice_label(slice_, part['classes'])}"
        )  # fmt: skip
        several = len(modes_of(own[own["estimator"] == estimator])) > 1
        rows.append(
            (
                wording.visible(f"{title} ({mode} mode)" if several else title),
                *(
                    number(estimator, found[subject], subject)
                    if subject in found
                    else wording.UNKNOWN
                    for subject in names.subjects
                ),
                *((p_cell(found.get(DIFFERENCE)),) if names.paired else ()),
            )
        )
    columns = [Column("Measure", is_number=False)]
    columns += [Column(names.label(subject)) for subject in names.subjects]
    columns += [Column("p of the difference, not adjusted")] if names.paired else []
    return Table(name, f"{caption}, with 95 % intervals", tuple(columns), (Rows(tuple(rows)),))
