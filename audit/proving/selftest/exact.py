"""The set of the exact checks: how it is read, measured, changed and compared."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimate import Design, estimate
from maskaudit.audit.estimating.numbers import every
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.scoring import Scored
from maskaudit.audit.proving.selftest.ground import SEED
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import parse, shipped
from maskaudit.probes.schema import ProbeSet

# The set on which the exact checks run: it has a prior, two classes and two groups of one term.
EXACT_SET = "religion-trait"
# What has a direction, in nats; what is a square of that; all else has neither.
EFFECTS = {entry.name for entry in every() if entry.is_directed and entry.power == 1}
SQUARES = {entry.name for entry in every() if entry.power == 2}  # noqa: PLR2004 - a square
KEY = ["slice", "estimator", "mode", "subject"]
COLUMNS = ["estimate", "low", "high", "std_error"]
# A sum in another order.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Measured:
    """A set, what two models gave on it, and what was estimated."""

    part: Expanded
    scored: Scored
    estimates: pd.DataFrame

    @classmethod
    def of(cls, part: Expanded, pair: Sequence[MaskedLM], progress: Progress) -> "Measured":
        """Score and estimate."""
        scored = scoring.score_all([part], pair, progress)
        return cls(part, scored, estimated(part, scored.scores, scored.paired))


def exact_raw() -> dict[str, Any]:
    """The set of the exact checks, as its file says it."""
    return tomllib.loads(shipped()[EXACT_SET].read_text("utf-8"))


def exact_set() -> Expanded:
    """The set of the exact checks, expanded."""
    return expand(parsed(exact_raw()))


def estimated(
    part: Expanded, scores: pd.DataFrame, paired: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The estimates of the exact set."""
    header = parsed(exact_raw()).header
    assert header.contrast is not None  # noqa: S101 - our own set
    contrast = (header.contrast[0], header.contrast[1])
    design = Design(header.name, header.axis, contrast, header.expect, {})
    return estimate(part.items, scores, [design], paired=paired).estimates


def parsed(raw: Mapping[str, Any]) -> ProbeSet:
    """The set of the exact checks as its file, or a changed one, says it."""
    return parse(raw, "", EXACT_SET)


def largest_change(
    before: pd.DataFrame, after: pd.DataFrame, columns: Sequence[str] = COLUMNS
) -> float:
    """The largest difference between two tables of estimates; infinite where they are not alike.

    They are alike when they have the same rows, and the same of their numbers are known.
    """
    one, other = before.set_index(KEY), after.set_index(KEY)
    if set(one.index) != set(other.index):
        return np.inf
    other = other.loc[one.index]
    said = ["flag", "outcome"]
    if not (one[said] == other[said]).all(axis=None):
        return np.inf
    first, second = one[columns], other[columns]
    if not (first.isna() == second.isna()).all(axis=None):
        return np.inf
    return float((first - second).abs().max().max())


def swapped(part: Expanded) -> Expanded:
    """The set with the names of its two groups exchanged, and so which of them is the first."""
    first, second = dict.fromkeys(part.items["group"])
    items = part.items.assign(group=part.items["group"].map({first: second, second: first}))
    return Expanded(part.contexts, _groups_in_order(items, [first, second]))


def shuffled(part: Expanded) -> Expanded:
    """The set in another order."""
    contexts, items = (
        table.sample(frac=1, random_state=SEED) for table in (part.contexts, part.items)
    )
    order = list(dict.fromkeys(part.items["group"]))
    return Expanded(contexts.reset_index(drop=True), _groups_in_order(items, order))


def of_identical_groups(part: Expanded) -> Expanded:
    """The set with the second group's terms, and items, replaced by the first's."""
    first, second = dict.fromkeys(part.items["group"])
    own = part.items[part.items["group"] == first]
    return Expanded(part.contexts, pd.concat([own, own.assign(group=second)], ignore_index=True))


def _groups_in_order(items: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """The rows sorted by group: the group of the first row is the first group."""
    place = items["group"].map({name: i for i, name in enumerate(groups)})
    return items.iloc[place.argsort(kind="stable")].reset_index(drop=True)
