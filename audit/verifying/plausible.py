"""Whether a record's numbers could be those of an audit: whole rows, with values in their range.

This is asked even of numbers that are trusted, since whatever reads them relies on it; whether
they are right is asked of those that are not (`recomputed`).
"""

from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import cast

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.numbers import find
from maskaudit.audit.estimating.registry.names import (
    INHERITANCE,
    LARGEST,
    LEAN,
    PIECES_APART,
    REST,
)
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.audit.recording.rows.values import SUBJECTS
from maskaudit.audit.verifying.check import Check, Difference, checked, where

_TABLE = "estimates.parquet"
# What all subjects of a number share, and what no two rows share.
_NUMBER = ["probe_set", "estimator", "mode", "slice"]
_KEY = [*_NUMBER, "subject"]
_DIFFERENCE, _RELATION = "difference", "relation"
# No number of ours comes near, and its square is still finite.
_LARGEST_NUMBER = 1e100
_LOWEST: Mapping[str, float] = {
    "std_error": 0.0,
    "df": 0.0,
    "p": 0.0,
    "p_adjusted": 0.0,
    "mde": 0.0,
    "n_attributes": 0,
    "n_frames": 0,
    "n_terms": 0,
}
_HIGHEST: Mapping[str, float] = {"p": 1.0, "p_adjusted": 1.0}
# Only what has attributes, and not just clusters of units, can speak of other ones.
_WITH_SCOPES, _OF_UNITS = "association", "S1"


def plausible(record: Record) -> Check:
    """Whether each number is there once, for all its subjects, of known parts, and in its range."""
    differences = [
        *where(record.estimates.duplicated(_KEY), _TABLE, "subject", "is there twice"),
        *_of_subjects(record),
        *_of_leans(record.estimates),
        *_of_parts(record),
        *_of_ranges(record.estimates),
    ]
    return checked("numbers", differences, f"{len(record.estimates):,} are whole, in their range")


def _of_subjects(record: Record) -> Iterator[Difference]:
    """Yield numbers that are missing for a subject, or have a subject that they cannot have."""
    estimates = record.estimates
    names = estimates["estimator"]
    # An older version may have numbers that this one does not know.
    known = {name: entry for name in names.unique() if (entry := find(str(name)))}
    of_pair = names.isin([name for name, entry in known.items() if entry.of_pair])
    is_relation = estimates["subject"] == _RELATION
    strange = names.isin([*known]) & (is_relation != of_pair)
    yield from where(strange, _TABLE, "subject", "has no such number")
    models = record.manifest.models
    subjects = [*models] if len(models) == 1 else [s for s in SUBJECTS if s != _RELATION]
    # The largest leans of each subject are those of other attributes.
    rows = estimates[~is_relation & (names != LARGEST)]
    present = rows.groupby(_NUMBER, sort=False)["subject"].agg(set)
    for key, found in present.items():
        number = cast("tuple[str, ...]", key)
        entry = known.get(number[1])
        has = entry.subjects if entry else "all"
        # In how many pieces an endpoint writes a word is not known.
        own = [name for name in models if number[1] != PIECES_APART or not models[name].endpoint]
        due = {"models": own, "difference": [_DIFFERENCE], "all": subjects}[has]
        if lacking := [subject for subject in due if subject not in found]:
            named = " ".join(map(str, number))
            text = f"has no row of the {lacking[0]} for {named}"
            yield Difference(_TABLE, None, "subject", text)


def _of_leans(estimates: pd.DataFrame) -> Iterator[Difference]:
    """Yield what is said to be a largest lean, but is no lean at all."""
    # Without the estimator in the key: the two rows of an attribute differ in nothing else.
    by_name = estimates.set_index([*_KEY[:1], *_KEY[2:]])["estimator"]
    largest, leans = by_name[by_name == LARGEST], by_name[by_name == LEAN]
    for place in largest.index.difference(leans.index, sort=False):
        named = " ".join(map(str, cast("tuple[str, ...]", place)))
        text = f"is among the largest leans, but has no lean: {named}"
        yield Difference(_TABLE, None, "slice", text)


def _of_parts(record: Record) -> Iterator[Difference]:
    """Yield numbers of attributes, classes or groups that the set has not, or of another scope."""
    for name, described in record.manifest.probe_sets.items():
        rows = record.estimates[record.estimates["probe_set"] == name]
        items = record.items[record.items["probe_set"] == name]
        classes = {*items["class"].unique()}
        parts = {"attribute": {*items["attribute"].unique()}, "class": classes, "relation": classes}
        parts["group"] = {*items["group"].unique()}
        groups = {*parts["group"], REST, *_levels(described.factors or {})}
        # Parsed once for each text: a set has many more rows than slices.
        of = {text: Slice.parse(text) for text in rows["slice"].unique()}
        # Of a kind that is not listed any part may be right: nothing in the set says which it has.
        known = [
            text
            for text, part in of.items()
            if part.value in parts.get(part.kind, {part.value}) and groups.issuperset(part.groups)
        ]
        yield from _rows(~rows["slice"].isin(known), "slice", f"is no part of {name}")
        if described.kind != _WITH_SCOPES:
            other = rows["scope"] != _OF_UNITS
            yield from _rows(other, "scope", f"is not {_OF_UNITS}, the scope of {name}")


def _levels(factors: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield what effects of factors are between: each level, and each difference of two levels."""
    levels: dict[str, set[str]] = {}
    for own in factors.values():
        for factor, level in own.items():
            levels.setdefault(factor, set()).add(level)
    for of_factor in levels.values():
        yield from of_factor
        yield from (" less ".join(pair) for pair in permutations(sorted(of_factor), 2))


def _of_ranges(estimates: pd.DataFrame) -> Iterator[Difference]:
    """Yield values that no number can have, and those that are missing without a reason."""
    unexplained = estimates["estimate"].isna() & (estimates["flag"] == "")
    yield from where(unexplained, _TABLE, "estimate", "is missing, and no flag says why")
    for column in ("n_attributes", "n_frames"):
        yield from where(estimates[column].isna(), _TABLE, column, "is missing")
    has_outcome, is_class = estimates["outcome"] != "", estimates["estimator"] == INHERITANCE
    without = f"belongs to each {INHERITANCE}, and to no other"
    yield from where(has_outcome != is_class, _TABLE, "outcome", without)
    for column, low in _LOWEST.items():
        # Most of these may be unknown; of those that may not, it is told above.
        below = (estimates[column] < low).fillna(value=False)
        yield from where(below, _TABLE, column, "is too low")
    for column, high in _HIGHEST.items():
        yield from where(estimates[column] > high, _TABLE, column, "is too high")
    for name in estimates.select_dtypes("float64"):
        finite = estimates[name].where(np.isfinite(estimates[name]), 0.0)
        yield from where(finite.abs() > _LARGEST_NUMBER, _TABLE, str(name), "is too large")
    yield from where(estimates["low"] > estimates["high"], _TABLE, "low", "is above the high")


def _rows(wrong: pd.Series, column: str, text: str) -> Iterator[Difference]:
    """Yield a difference for each row for which `wrong` is true, by its place in the table."""
    for row in wrong.index[wrong.astype(bool)].tolist():
        yield Difference(_TABLE, int(row), column, text)
