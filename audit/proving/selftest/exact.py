"""The probe set of the exact checks: read, measure, change and compare it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.numbers import every
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.scoring import Scored
from maskaudit.audit.proving.selftest.ground import SEED
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import parse, shipped
from maskaudit.probes.schema import ProbeSet

# Chosen because it has a prior, two classes, and two groups of one term each.
EXACT_SET = "religion-trait"
# How an estimator scales with the scores: signed effects (nats) linearly, squares (nats squared)
# quadratically, all others not at all.
EFFECTS = {entry.name for entry in every() if entry.is_directed and entry.power == 1}
SQUARES = {entry.name for entry in every() if entry.power == 2}  # noqa: PLR2004 - a square
KEY = ["slice", "estimator", "mode", "subject"]
COLUMNS = ["estimate", "low", "high", "std_error"]
# Tolerance for floating-point sums taken in another order.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Measured:
    """An expanded set, the scores of two models on it, and the estimates."""

    part: Expanded
    scored: Scored
    estimates: pd.DataFrame

    @classmethod
    def of(cls, part: Expanded, pair: Sequence[MaskedLM], progress: Progress) -> "Measured":
        """Score `pair` (reference, candidate) on `part` and estimate."""
        scored = scoring.score_all([part], pair, progress)
        return cls(part, scored, estimated(part, scored.scores, scored.paired))


def exact_raw() -> dict[str, Any]:
    """Return the content of the set's TOML file."""
    return tomllib.loads(shipped()[EXACT_SET].read_text("utf-8"))


def exact_set() -> Expanded:
    """Return the set, expanded."""
    return expand(parsed(exact_raw()))


def estimated(
    part: Expanded, scores: pd.DataFrame, paired: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Estimate from scores of the exact set, or of a changed one."""
    header = parsed(exact_raw()).header
    assert header.contrast is not None  # noqa: S101 - our own set
    contrast = (header.contrast[0], header.contrast[1])
    design = Design(header.name, header.axis, contrast, header.expect, {})
    return estimate(part.items, scores, [design], paired=paired).estimates


def parsed(raw: Mapping[str, Any]) -> ProbeSet:
    """Parse the set's content, as read or changed; raises `InputError` where it is not valid."""
    return parse(raw, "", EXACT_SET)


def largest_change(
    before: pd.DataFrame, after: pd.DataFrame, columns: Sequence[str] = COLUMNS
) -> float:
    """Return the largest absolute difference between two tables of estimates.

    Infinite where their rows, flags, outcomes or missing values differ.
    """
    old, new = before.set_index(KEY), after.set_index(KEY)
    if set(old.index) != set(new.index):
        return np.inf
    new = new.loc[old.index]
    labels = ["flag", "outcome"]
    if not (old[labels] == new[labels]).all(axis=None):
        return np.inf
    old_values, new_values = old[columns], new[columns]
    # `max` below skips NaN, so a number that only one table has would go unnoticed.
    if not (old_values.isna() == new_values.isna()).all(axis=None):
        return np.inf
    return float((old_values - new_values).abs().max().max())


def swapped(part: Expanded) -> Expanded:
    """Return the set with its two group names exchanged; the first name stays the first group."""
    first, second = dict.fromkeys(part.items["group"])
    items = part.items.assign(group=part.items["group"].map({first: second, second: first}))
    return Expanded(part.contexts, _groups_in_order(items, [first, second]))


def shuffled(part: Expanded) -> Expanded:
    """Return the set with contexts and items in random order, the first group still first."""
    contexts, items = (
        table.sample(frac=1, random_state=SEED) for table in (part.contexts, part.items)
    )
    order = list(dict.fromkeys(part.items["group"]))
    return Expanded(contexts.reset_index(drop=True), _groups_in_order(items, order))


def of_identical_groups(part: Expanded) -> Expanded:
    """Return the set with the second group's items replaced by copies of the first group's."""
    first, second = dict.fromkeys(part.items["group"])
    first_items = part.items[part.items["group"] == first]
    return Expanded(
        part.contexts, pd.concat([first_items, first_items.assign(group=second)], ignore_index=True)
    )


def _groups_in_order(items: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Sort rows by group, because the group of the first row counts as the first group."""
    position = items["group"].map({name: i for i, name in enumerate(groups)})
    return items.iloc[position.argsort(kind="stable")].reset_index(drop=True)
