"""Estimates by slice and subject, all subjects from the same cells.

The subjects are `reference`, `candidate`, `difference` (candidate minus reference) and `relation`
(numbers of the two models together). A cell counts only if every model has it; other cells are
listed as left out.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from itertools import combinations
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from maskaudit.audit.estimating import across_sets, sharpness
from maskaudit.audit.estimating.clustered import unit_rows
from maskaudit.audit.estimating.crossed.association import Wanted, association, is_crossed
from maskaudit.audit.estimating.crossed.bounded import bounded
from maskaudit.audit.estimating.crossed.cells import RELATION, ScoredOf, with_scores
from maskaudit.audit.estimating.crossed.teacher_student import fidelities
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimators import (
    CORRECTED,
    Estimator,
    GroupEstimator,
    Measured,
    UnitEstimator,
    Value,
    per_unit,
)
from maskaudit.audit.estimating.estimators.catalogue import GROUP, UNIT
from maskaudit.audit.estimating.estimators.contexts import in_every_model
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.texts import gaps
from maskaudit.audit.estimating.facts.choices import choices
from maskaudit.audit.estimating.facts.cloze import cloze
from maskaudit.audit.estimating.read_alike import distinct
from maskaudit.audit.estimating.registry.names import (
    ACCURACY,
    CHOICE,
    CHOICE_DROP,
    CONTRAST,
    CONVERGENCE_SETS,
    DROP,
    ENTROPY,
    FIDELITY,
    FIDELITY_ADJUSTED,
    NEGATED,
    OF_ROBUSTNESS,
    OF_SHARPNESS,
    between,
)
from maskaudit.audit.estimating.statistics import multiplicity
from maskaudit.audit.recording.manifest import ProbeSet, is_censored
from maskaudit.audit.recording.record import RestsOn
from maskaudit.audit.recording.rows import group_pairs, tables

_FIRST_FILLS = (ACCURACY, NEGATED, DROP, CHOICE, CHOICE_DROP)
# Numbers of sharpness are made of entropies too.
_FIDELITIES = (FIDELITY, FIDELITY_ADJUSTED, ENTROPY, *OF_SHARPNESS)

# Numbers that need the tables of fills or of distances.
OF_CONTEXTS = frozenset({*_FIDELITIES, *(name for part in UNIT for name in part.names)})

Lexicon = frozenset[str]
# Rows of `estimates` about one set, and the cells left out for all subjects.
_Result = tuple[list[dict[str, Any]], list[dict[str, str]]]


def kept(name: str) -> bool:
    """Want every number that records keep."""
    return name not in OF_ROBUSTNESS


@dataclass(frozen=True)
class Estimated:
    """The estimates, and the cells left out for all subjects: probe_set, attribute and frame.

    `resting` names the numbers among them that say what contrasts rest on.
    """

    estimates: pd.DataFrame
    left_out: list[dict[str, str]]
    resting: frozenset[str] = frozenset()

    @property
    def rests_on(self) -> RestsOn:
        """The estimates that no record keeps: what contrasts rest on."""
        return RestsOn(self.estimates[~self._are_kept].reset_index(drop=True), self.resting)

    @property
    def for_record(self) -> Self:
        """The same with those estimates alone that records keep."""
        kept_ones = self.estimates[self._are_kept].reset_index(drop=True)
        return replace(self, estimates=kept_ones)

    @property
    def _are_kept(self) -> "pd.Series[bool]":
        return ~self.estimates["estimator"].isin(OF_ROBUSTNESS)


def estimate(  # noqa: PLR0913, PLR0917 - the tables of a record
    items: pd.DataFrame,
    scores: pd.DataFrame,
    designs: Sequence[Design],
    fills: pd.DataFrame | None = None,
    paired: pd.DataFrame | None = None,
    lexicon: Lexicon | Mapping[str, Lexicon] | None = None,
    *,
    attributes: pd.DataFrame | None = None,
    seed: int = 0,
    adjust: str = "bh",
    wanted: Wanted = kept,
    resting: Collection[str] = (),
    fewer: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Estimated:
    """Compute every estimate of a record, with p values adjusted by subject.

    `lexicon` is the user's hurtful words in lower case, for the estimators that need it, of every
    model alike or by model; `seed` is the seed of the permutation test; `adjust` as in
    `with_adjusted`. Numbers that are not `wanted` may be left out where that saves time; each
    number is the same whichever others are made. By default those that records keep. `resting`
    adds numbers, of `OF_ROBUSTNESS`, of what the contrasts of its sets rest on: no record keeps
    them, and here the same cells serve for both. Of a set in `fewer` those alone may be made whose
    names stand there.

    In censored grade there are bounds of crossed sets, and no other number beside them.
    """
    if any(is_censored(design.method) for design in designs):
        return _in_bounds(items, scores, designs)
    attributes = tables.table("attributes", []) if attributes is None else attributes
    fills = tables.table("fills", []) if fills is None else fills
    paired = tables.table("paired", []) if paired is None else paired
    rows: list[dict[str, Any]] = []
    left_out: list[dict[str, str]] = []
    # What nothing wanted is made of need not be sorted by set.
    if not any(map(wanted, OF_CONTEXTS)):
        fills, paired = fills.iloc[:0], paired.iloc[:0]
    # A score belongs to an item; fills and distances belong to a context, whatever its targets.
    of_one = paired[paired["joined"] == ""]
    shared = ((scores, "item"), (fills, "context"), (of_one, "context"))
    tables_by_set = [_by_set(items, part, key) for part, key in shared]
    asked: dict[str, pd.DataFrame] = {}
    in_cells = cache(lambda name: with_scores(asked[name], tables_by_set[0][name]))
    for design in designs:
        all_items = items[items["probe_set"] == design.name]
        scored, filled, distances = (part[design.name] for part in tables_by_set)
        set_items = asked[design.name] = distinct(all_items, scored)
        joined = group_pairs.of_set(paired, all_items, set_items["context"])
        distances = pd.concat([distances, joined], ignore_index=True)
        # Asked for where an estimator takes them, as that of a crossed set does not.
        measured = cache(partial(_by_subject, set_items, scored, filled, distances, lexicon))
        counted = attributes[attributes["probe_set"] == design.name]
        measurements = (scored, in_cells, measured, counted)
        of_set = _or_one_of(resting, wanted) if is_resting(design) else wanted
        of_set = _one_of(fewer[design.name]) if design.name in fewer else of_set
        for set_rows, missing in _set_estimates(set_items, *measurements, design, seed, of_set):
            rows += [{"probe_set": design.name, "axis": design.axis, **row} for row in set_rows]
            left_out += [{"probe_set": design.name, **cell} for cell in missing]
    table = tables.table("estimates", rows)
    together = (asked, in_cells, designs)
    more: list[dict[str, Any]] = []
    if any(map(wanted, OF_SHARPNESS)):
        more += across_sets.beyond_sharpness(table, *together)
    if CONVERGENCE_SETS in resting or wanted(CONVERGENCE_SETS):
        more += across_sets.of_other_sets(*together)
    if more:
        table = tables.table("estimates", [*rows, *more])
    # Control sets stay out of the adjustment: more of them must not weaken the tests that count.
    tested = [design.name for design in designs if design.expect == "lean"]
    table = with_adjusted(table, tested, adjust)
    return Estimated(tables.check("estimates", table), left_out, frozenset(resting))


def _in_bounds(items: pd.DataFrame, scores: pd.DataFrame, designs: Sequence[Design]) -> Estimated:
    """The ends of every number that has bounds; a number of one model alone has none beside it."""
    rows: list[dict[str, Any]] = []
    left_out: list[dict[str, str]] = []
    for design in designs:
        all_items = items[items["probe_set"] == design.name]
        scored = scores[scores["item"].isin(all_items["item"])]
        own = distinct(all_items, scored)
        if own["kind"].iloc[0] != "association" or not is_crossed(own):
            continue
        found, missing = bounded(own, scored, design)
        rows += [{"probe_set": design.name, "axis": design.axis, **row} for row in found]
        left_out += [{"probe_set": design.name, **cell} for cell in missing]
    table = with_adjusted(tables.table("estimates", rows), ())
    return Estimated(tables.check("estimates", table), left_out)


def is_resting(part: Design | ProbeSet) -> bool:
    """Whether it is asked what a set's contrasts rest on: not of a control, which finds nothing."""
    return part.expect != "none"


def _one_of(names: Collection[str]) -> Wanted:
    return lambda name: name in names


def _or_one_of(names: Collection[str], wanted: Wanted) -> Wanted:
    return lambda name: name in names or wanted(name)


def with_adjusted(
    estimates: pd.DataFrame, tested_sets: Collection[str], adjust: str = "bh"
) -> pd.DataFrame:
    """Add `p_adjusted` to the stereotype contrasts of the tested sets; NaN in all other rows.

    Adjusts over all contrasts of a subject at once, by Benjamini & Hochberg ("bh") or Benjamini &
    Yekutieli ("by", valid under any dependence). Raises KeyError on any other `adjust`.
    """
    adjustment = {
        "bh": multiplicity.benjamini_hochberg,
        "by": multiplicity.benjamini_yekutieli,
    }[adjust]
    tested = (estimates["estimator"] == CONTRAST) & estimates["probe_set"].isin(list(tested_sets))
    adjusted = np.full(len(estimates), np.nan)
    for subject in estimates["subject"].unique():
        # Subject by subject: with a reference beside it a model's own tests must not get weaker.
        chosen = (tested & (estimates["subject"] == subject)).to_numpy()
        p = estimates.loc[chosen, "p"].to_numpy(dtype=float)
        adjusted[chosen] = adjustment(p)
    return estimates.assign(p_adjusted=adjusted)


def _by_set(items: pd.DataFrame, rows: pd.DataFrame, key: str) -> dict[str, pd.DataFrame]:
    """The rows of each set, in the order of its items' `key`; an item may be in several sets."""
    by_set = {}
    for name, set_items in items.groupby("probe_set", sort=False):
        keys = pa.array(set_items[key].unique(), pa.large_string())
        place = tables.places(rows[key], keys)
        order = np.argsort(place, kind="stable")
        order = order[np.searchsorted(place, 0, sorter=order) :]  # those of no item come first
        # Rows that are in order already are shared with the record and not copied.
        is_whole = len(order) == len(rows) and bool((np.diff(order) == 1).all())
        by_set[str(name)] = rows if is_whole else rows.iloc[order]
    return by_set


def _by_subject(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    fills: pd.DataFrame,
    paired: pd.DataFrame,
    lexicon: Lexicon | Mapping[str, Lexicon] | None,
) -> dict[str, Measured]:
    """The measurements of one set by model, and of the two models together as `relation`."""
    # A distance that names no other model is one between groups within a model.
    within_model = paired["other_model"] == ""
    within = in_every_model(paired[within_model], scores["model"].nunique())
    by_subject = {
        str(model): Measured(
            items,
            model_scores,
            fills[fills["model"] == model],
            within[within["model"] == model],
            lexicon[str(model)] if isinstance(lexicon, Mapping) else lexicon,
        )
        for model, model_scores in scores.groupby("model", sort=False)
    }
    if not within_model.all():
        # Scores and fills are of one model each: the two together have distances only.
        by_subject[RELATION] = Measured(
            items, scores.iloc[:0], fills.iloc[:0], paired[~within_model]
        )
    return by_subject


def _set_estimates(  # noqa: PLR0913, PLR0917 - what is measured of a set, and what is made of it
    items: pd.DataFrame,
    scores: pd.DataFrame,
    in_cells: ScoredOf,
    measured: Callable[[], Mapping[str, Measured]],
    attributes: pd.DataFrame,
    design: Design,
    seed: int,
    wanted: Wanted,
) -> Iterator[_Result]:
    """Yield the estimates of one probe set, by the estimators for its kind."""
    kind = items["kind"].iloc[0]
    estimators = [estimator for estimator in UNIT if kind in estimator.kinds]
    if kind == "association" and is_crossed(items):
        yield association(items, in_cells(design.name), design, seed, wanted, attributes)
        if any(map(wanted, _FIDELITIES)):
            yield _fidelity(items, measured(), design), []
    elif kind == "association":
        estimators += _nested_estimators(items)
    elif kind == "cloze" and any(map(wanted, _FIRST_FILLS)):
        yield _cloze(items, scores, design)
    elif kind == "text":
        estimators += gaps(items)
    rows = []
    for estimator in estimators:
        if not any(map(wanted, estimator.names)):
            continue
        for row in unit_rows(measured(), estimator):
            # A design names the corrected mode, but a row may be of the published one.
            key = {**design.method, "mode": row["mode"]}
            unit = row.pop("unit")
            method = replace(design, method=key).key(row["estimator"], "-", unit)
            rows.append({**row, "method": method})
    yield rows, []


def _nested_estimators(items: pd.DataFrame) -> list[UnitEstimator]:
    """Group estimators for frames nested in attributes: means of cells, attributes as clusters."""
    pairs = list(combinations(items["group"].unique().tolist(), 2))
    estimators = GROUP if (items["role"] == "prior").any() else (LOG_ODDS,)
    return [
        _mean_of_cells(
            estimator,
            first,
            second,
            between(estimator.name, first, second) if len(pairs) > 1 else estimator.name,
        )
        for first, second in pairs
        for estimator in estimators
    ]


def _mean_of_cells(estimator: GroupEstimator, first: str, second: str, name: str) -> UnitEstimator:
    """The mean of one group estimator's cells, with attributes as clusters."""

    def units(measured: Measured, _mode: str) -> pd.DataFrame:
        cells = estimator.cells(measured.values("logp"), first, second)
        cells = cells[cells["role"] == "probe"].assign(n=1.0, cluster=lambda c: c["attribute"])
        return cells.set_index(cells["attribute"] + ":" + cells["frame"]).rename_axis("unit")

    return UnitEstimator(
        **{field_.name: getattr(estimator, field_.name) for field_ in fields(Estimator)},
        units=units,
        columns=("value", "n"),
        numbers={CORRECTED: {name: Value(per_unit)}},
    )


def _fidelity(
    items: pd.DataFrame, measured: Mapping[str, Measured], design: Design
) -> list[dict[str, Any]]:
    """Rows on how far the models are apart at the slots, and how open these are; for two models."""
    if RELATION not in measured:
        return []
    paired = pd.concat([part.paired for part in measured.values()])
    numbers = [(RELATION, number) for number in fidelities(items, paired)]
    return [
        {
            **number.row(),
            "subject": subject,
            "mode": CORRECTED,
            "method": design.key(number.estimator, "-", "frame"),
        }
        for subject, number in [*numbers, *sharpness.entropies(items, paired)]
    ]


def _cloze(items: pd.DataFrame, scores: pd.DataFrame, design: Design) -> _Result:
    """Shares of facts filled correctly, and of negated facts where the answer is still given."""
    found, missing = cloze(items, scores, design.plain)
    rows = []
    for row in [*found, *choices(items, scores, design.plain)]:
        against = f":{plain}" if (plain := row.pop("plain", "")) else ""
        rows.append({**row, "method": design.key(f"{row['estimator']}{against}", "any", "fact")})
    return rows, missing
