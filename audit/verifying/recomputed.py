"""Whether the estimates, and what the manifest says of them, follow from the scores."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.design import design
from maskaudit.audit.estimating.estimate import (
    Estimated,
    estimate,
    is_resting,
    kept,
    with_adjusted,
)
from maskaudit.audit.estimating.estimators.completions import HONEST
from maskaudit.audit.estimating.numbers import find
from maskaudit.audit.estimating.registry.names import ACCURACY, OF_ROBUSTNESS
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.verifying.check import Check, Difference, checked

# The largest difference of a number that is the same, absolute and relative.
TOLERANCE = 1e-12
_TABLE = "estimates.parquet"
_KEY = ["probe_set", "estimator", "mode", "subject", "slice"]
_LIBRARIES = ("numpy", "scipy", "pandas")


@dataclass(frozen=True)
class Numbers:
    """Which numbers of a record are recomputed: by set, None for all, and by name.

    `names` are names of numbers, `*` for any text; what no record keeps (`OF_ROBUSTNESS`) is
    meant by its own name alone, and of tested sets. Of a set in `fewer` those of its names alone
    that stand there.
    """

    sets: frozenset[str] | None = None
    names: frozenset[str] = frozenset({"*"})
    fewer: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def are_every(self) -> bool:
        """Whether every number that records keep is one of them."""
        return self.sets is None and "*" in self.names and not self.fewer

    @property
    def show_what_was_left_out(self) -> bool:
        """Whether the cells left out of the estimates are all known once these are made."""
        # The cells of crossed sets are always made, and those of facts for their accuracy.
        asked = all(ACCURACY in names for names in self.fewer.values())
        return self.sets is None and self.wanted(ACCURACY) and asked

    @property
    def resting(self) -> frozenset[str]:
        """Those of what contrasts rest on, by name."""
        return self.names.intersection(OF_ROBUSTNESS)

    def wanted(self, name: str) -> bool:
        """Whether a number of this name, which records keep, is one of them in any set."""
        return kept(name) and any(fnmatchcase(name, word) for word in self.names)

    def of(self, estimates: pd.DataFrame) -> pd.DataFrame:
        """The rows of estimates that hold these numbers."""
        if self.are_every:
            return estimates
        wanted = {name: self.wanted(name) for name in estimates["estimator"].unique()}
        chosen = estimates["estimator"].map(wanted).astype(bool)
        if self.sets is not None:
            chosen &= estimates["probe_set"].isin(self.sets)
        for name, names in self.fewer.items():
            chosen &= (estimates["probe_set"] != name) | estimates["estimator"].isin(names)
        return estimates[chosen]


EVERY = Numbers()
# Every number of a page with all numbers.
OF_PAGE = Numbers(names=frozenset({"*", *OF_ROBUSTNESS}))
NONE = Numbers(names=frozenset())


def recompute(
    record: Record, numbers: Numbers = EVERY, lexicon: frozenset[str] | None = None
) -> Estimated:
    """Compute estimates from the other tables, as the manifest says they were made."""
    manifest = record.manifest
    sets = {
        name: part
        for name, part in manifest.probe_sets.items()
        # What is beyond the models' sharpness takes the sets that it is measured on.
        if numbers.sets is None or name in numbers.sets or part.expect == "benign"
    }
    return estimate(
        record.items[record.items["probe_set"].isin(list(sets))],
        record.scores,
        [design(name, part, manifest.method) for name, part in sets.items()],
        record.fills,
        record.paired,
        lexicon,
        attributes=record.attributes,
        seed=manifest.settings.seed,
        adjust=manifest.settings.adjust,
        wanted=numbers.wanted,
        resting=numbers.resting,
        fewer=numbers.fewer,
    )


def rests_on(
    record: Record,
    probe_sets: Collection[str] | None = None,
    names: Collection[str] = OF_ROBUSTNESS,
) -> pd.DataFrame:
    """What the contrasts of tested sets rest on, as rows of `estimates`: made when asked, not kept.

    A control makes no finding of which that could be asked, and benign sets are asked beside tested
    ones alone. `probe_sets` are those that are asked about, None for all; `names` are the numbers,
    of `OF_ROBUSTNESS`. What was made with the record's numbers is not made again.

    Raises `ArithmeticError`, `LookupError`, `TypeError` or `ValueError` for a record whose tables
    do not belong together, which does not hold.
    """
    asked = {
        name: part
        for name, part in record.manifest.probe_sets.items()
        if part.kind == "association"
        and is_resting(part)
        and (probe_sets is None or name in probe_sets)
    }
    if not any(part.expect == "lean" for part in asked.values()):
        return tables.table("estimates", [])
    if record.rests_on is not None and record.rests_on.names.issuperset(names):
        made = record.rests_on.rows
    else:
        made = recompute(record, Numbers(frozenset(asked), frozenset(names))).estimates
    return made[made["estimator"].isin(names) & made["probe_set"].isin(list(asked))]


def estimates(
    record: Record, estimated: Estimated, numbers: Numbers = EVERY, *, has_lexicon: bool
) -> Check:
    """Whether the record's estimates are those that were `estimated` from its scores."""
    chosen, again = numbers.of(record.estimates), numbers.of(estimated.estimates)
    again = again[again["estimator"].map(partial(_was_kept, record.manifest.format)).astype(bool)]
    if not has_lexicon:
        # Without the lexicon none was made again: they would look as if somebody had added them.
        chosen = chosen[~chosen["estimator"].isin(HONEST.names)]
    differences = [*_of_rows(chosen, again), *_of_adjusted(record)]
    holds = f"{len(chosen):,} numbers are those that the scores give, to {TOLERANCE:g}"
    check = checked("estimates", differences, holds)
    remark = "".join(_other_software(record.manifest)) if check.differs else ""
    return Check(**{**vars(check), "text": check.text + remark})


def _was_kept(format_: int, name: str) -> bool:
    """Whether records of this format have a number of this name."""
    entry = find(name)
    return kept(name) and (entry is None or entry.since <= format_)


def _of_rows(stored: pd.DataFrame, again: pd.DataFrame) -> Iterator[Difference]:
    """Yield the rows that are missing or too many, and the cells that differ."""
    left, right = _keyed(stored), _keyed(again)
    for key in right.index.difference(left.index, sort=False):
        yield Difference(_TABLE, None, "", f"has no row for {_named(key)}, which the scores give")
    for key in left.index.difference(right.index, sort=False):
        text = f"the scores do not give {_named(key)}"
        yield Difference(_TABLE, int(left.loc[key, "row"]), "", text)
    shared = left.index.intersection(right.index, sort=False)
    left, right = left.loc[shared], right.loc[shared]
    # p values are adjusted over all sets, so they follow from the whole table alone.
    for column in [name for name in stored if name not in {*_KEY, "p_adjusted"}]:
        one, other = left[column], right[column]
        for place in np.flatnonzero(~_same(one, other)).tolist():
            text = f"is {_shown(one.iloc[place])}; from the scores {_shown(other.iloc[place])}"
            row = int(left["row"].iloc[place])
            yield Difference(_TABLE, row, str(column), f"{text} ({_named(shared[place])})")
    order = right["row"].to_numpy()
    if (np.diff(order) < 0).any():
        place = int(np.flatnonzero(np.diff(order) < 0)[0]) + 1
        row = int(left["row"].iloc[place])
        yield Difference(_TABLE, row, "", "is not in its place")


def _keyed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows by key; a key that is there again has a number of its own."""
    numbered = rows.assign(row=rows.index, again=rows.groupby(_KEY, sort=False).cumcount())
    return numbered.set_index([*_KEY, "again"])


def _named(key: Any) -> str:  # noqa: ANN401 - an entry of an index
    *parts, again = key
    return " ".join([*(f"{part!s}" for part in parts), *(["again"] if again else [])])


def _same(one: pd.Series, other: pd.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    # Counts and texts are equal or not: a tolerance is for what is summed.
    if tables.COLUMNS["estimates"][str(one.name)] != "float64":
        same: np.ndarray[Any, np.dtype[np.bool_]] = (
            (one == other).fillna(value=False) | (one.isna() & other.isna())
        ).to_numpy(bool)
        return same
    pair = (one.to_numpy(float), other.to_numpy(float))
    close: np.ndarray[Any, np.dtype[np.bool_]] = np.isclose(
        *pair, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True
    )
    return close


def _shown(value: Any) -> str:  # noqa: ANN401 - a cell
    return f"{value:.15g}" if isinstance(value, float) else repr(value)


def _of_adjusted(record: Record) -> Iterator[Difference]:
    """Yield the adjusted p values that are not those of the table's own p values."""
    manifest = record.manifest
    tested = [name for name, part in manifest.probe_sets.items() if part.expect == "lean"]
    # From the stored p values: an adjustment takes all of them, and perhaps only some numbers were
    # made again. A forged one is told by itself.
    again = with_adjusted(record.estimates, tested, manifest.settings.adjust)["p_adjusted"]
    stored = record.estimates["p_adjusted"]
    for row in np.flatnonzero(~_same(stored, again)).tolist():
        text = f"is {_shown(stored[row])}; from the table's p values {_shown(again[row])}"
        yield Difference(_TABLE, row, "p_adjusted", text)


def _other_software(manifest: Manifest) -> Iterator[str]:
    """Yield a remark where the record was made by other versions, which may compute otherwise."""
    made: Mapping[str, str] = {"maskaudit": manifest.maskaudit, **manifest.provenance.packages}
    # What a record does not name cannot be said to differ.
    others = [
        f"{name} {made[name]}"
        for name in ("maskaudit", *_LIBRARIES)
        if made.get(name) and made[name] != _installed(name)
    ]
    if others:
        yield f" (it was made with {', '.join(others)}, which may compute otherwise)"


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
