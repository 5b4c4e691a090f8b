"""The rules of gates, one class each: what it judges, against what, how it decides, its wording."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, cast

import pandas as pd

from maskaudit.audit.estimating.crossed.cells import CANDIDATE, DIFFERENCE, RELATION
from maskaudit.audit.estimating.numbers import LOG_RATIO, share_of
from maskaudit.audit.estimating.registry.entries import DERIVED
from maskaudit.audit.estimating.registry.entry import Harm
from maskaudit.audit.estimating.registry.names import SQUARED, WORLD_SLOPE
from maskaudit.audit.judging import decision
from maskaudit.audit.judging.deciding import levels
from maskaudit.audit.judging.decision import Decision
from maskaudit.audit.judging.policy import BOUND, NON_INFERIORITY, VERSUS_BASELINE, WORLD, Gate
from maskaudit.audit.judging.verdicts import Verdict


class Change:
    """A change from one model to another that must stay below a margin."""

    # What the numbers are compared with, if the rule alone determines it.
    against = ""
    needs_reference = False
    compares_versions = False
    # The key of the gate that limits the numbers, and the part of an estimate that is no harm.
    limit = "margin"
    offset = 0.0
    passed = "below the margin"
    undecided = "neither shows harm nor rules out harm as large as the margin"

    def rows(self, estimates: pd.DataFrame, _gate: Gate) -> pd.DataFrame:
        """The rows that are changes: log ratios for numbers that have one, else differences."""
        relation, ratio = estimates["subject"] == RELATION, [*LOG_RATIO.values()]
        of_relation = relation & estimates["estimator"].isin(ratio)
        plain = ~estimates["estimator"].isin([*LOG_RATIO])
        return estimates[of_relation | ((estimates["subject"] == DIFFERENCE) & plain)]

    def judged_estimator(self, estimator: str) -> str:
        """The number that is judged if a gate names `estimator`."""
        return LOG_RATIO.get(estimator, estimator)

    def refusal(self, _row: Mapping[str, Any]) -> str:
        """Why a number with an interval cannot be judged, as a clause; empty if it can."""
        return ""

    def can_decide(self, row: Mapping[str, Any]) -> bool:
        """Whether the row of an estimate says how sure it is."""
        return _has_error(row)

    def decide(self, number: Verdict, harm: Harm, _row: Mapping[str, Any]) -> Decision:
        """Decide one number against the margin."""
        numbers = (number.estimate, number.std_error, number.df, number.margin)
        return decision.change(*numbers, harm, number.best_of)

    def room(self, number: Verdict) -> tuple[float, Harm] | None:
        """The change that more frames should be able to rule out, and the harmful direction."""
        return number.margin, cast("Harm", number.harm)

    def failure(self, number: Verdict) -> str:
        """Why a number failed, as a clause."""
        # The least harm within the bounds, counted in the harmful direction.
        sizes = {"up": number.low, "down": -number.high}
        least = sizes.get(number.harm, max(number.low, -number.high))
        if least > number.margin:
            return "worse, credibly by more than the margin"
        if number.harm == "either":
            return "changed, and a change as large as the margin is not ruled out"
        return "worse, and a change as large as the margin is not ruled out"


class NonInferiority(Change):
    """The change from the reference of the same audit."""

    against = "reference"
    needs_reference = True


class VersusBaseline(Change):
    """The change from an accepted version, which the comparison names."""

    compares_versions = True


class Level:
    """A number of one model that must stay within a bound."""

    against = ""
    needs_reference = False
    compares_versions = False
    limit = BOUND
    offset = 0.0
    passed = "within the bound"
    beyond = "credibly beyond the bound"
    undecided = "does not show which side of the bound it is on"

    def rows(self, estimates: pd.DataFrame, gate: Gate) -> pd.DataFrame:
        """The rows of the selected subject, by default the candidate."""
        return estimates[estimates["subject"] == (gate.select.subject or CANDIDATE)]

    def judged_estimator(self, estimator: str) -> str:
        """The number that is judged if a gate names `estimator`."""
        return estimator

    def refusal(self, row: Mapping[str, Any]) -> str:
        """Why a number with an interval cannot be judged, as a clause; empty if it can."""
        if row["estimator"] not in SQUARED:
            return ""
        # An unknown count is <NA>, which is as little as none.
        n = 0 if pd.isna(row["n_attributes"]) else int(row["n_attributes"])
        if n >= levels.LEAST_ATTRIBUTES:
            return ""
        return (
            f"a bound on a mean of squared leans is judged from {levels.LEAST_ATTRIBUTES} "
            f"attributes on, and there are {n}"
        )

    def can_decide(self, row: Mapping[str, Any]) -> bool:
        """Whether the row of an estimate says how sure it is; a share may do so by its limits."""
        return _has_error(row) or _trials(row) is not None

    def decide(self, number: Verdict, harm: Harm, row: Mapping[str, Any]) -> Decision:
        """Decide one number against the bound: shares and squared leans on scales of their own."""
        numbers = (number.estimate, number.std_error, number.df)
        # Of numbers that are never negative, "either" has one side.
        one_sided: Harm = "down" if harm == "down" else "up"
        trials = _trials(row)
        if trials is not None:
            whole = share_of(number.estimator) or 1.0
            return levels.share(number.estimate, trials, number.margin, one_sided, whole)
        if number.estimator in SQUARED:
            return levels.squared(*numbers, int(row["n_attributes"]), number.margin, one_sided)
        return decision.level(*numbers, number.margin, harm)

    def room(self, number: Verdict) -> tuple[float, Harm] | None:
        """The distance to the bound, with a one-sided direction; None on a scale of its own."""
        # There the standard error is no measure of a distance.
        if number.estimator in SQUARED or share_of(number.estimator) is not None:
            return None
        return abs(number.margin - number.estimate), "up"

    def failure(self, _number: Verdict) -> str:
        """Why a number failed, as a clause."""
        return self.beyond


class Bound(Level):
    """A number against the bound that the gate sets."""


class NoWorseThanWorld(Level):
    """The slope on the world's shares, minus 1 (a model that holds them), against a margin."""

    against = "the world's shares"
    limit = "margin"
    offset = DERIVED[WORLD_SLOPE].null
    passed = "below the margin"
    beyond = "credibly beyond the world"


# The rules that judge numbers: all but the one on claims of a card (`judging.deciding.card`).
RULES: Mapping[str, Change | Level] = {
    BOUND: Bound(),
    NON_INFERIORITY: NonInferiority(),
    VERSUS_BASELINE: VersusBaseline(),
    WORLD: NoWorseThanWorld(),
}


def of_numbers(gates: Iterable[Gate]) -> list[Gate]:
    """The gates that judge numbers of records."""
    return [gate for gate in gates if gate.rule in RULES]


def _has_error(row: Mapping[str, Any]) -> bool:
    # With a standard error of 0 no quantile is needed, so unknown degrees of freedom do not matter.
    return math.isfinite(row["std_error"]) and (row["std_error"] == 0 or not math.isnan(row["df"]))


def _trials(row: Mapping[str, Any]) -> float | None:
    """How many independent trials a share is worth; None for other numbers, and if unknown.

    `effective_clusters`, where the row has it, is how many clusters of one size its clusters are
    worth.
    """
    whole = share_of(row["estimator"])
    if whole is None or math.isnan(row["estimate"]):
        return None
    if not _has_error(row):
        trials = levels.trials_of_limits(row["estimate"], row["low"], row["high"], whole)
        return None if math.isnan(trials) else trials
    # In rows over units these columns count clusters and units.
    n_clusters, n_units = (float(row[name]) for name in ("n_attributes", "n_frames"))
    effective = row.get("effective_clusters") or n_clusters
    return levels.trials_of_clusters(row["estimate"], row["std_error"], n_units, effective, whole)
