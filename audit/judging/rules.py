"""The rules of gates, one class each: what it judges, against what, how it decides, its wording."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import pandas as pd

from maskaudit.audit.estimating.cells import CANDIDATE, DIFFERENCE, RELATION
from maskaudit.audit.estimating.numbers import LOG_RATIO
from maskaudit.audit.estimating.registry.entries import DERIVED
from maskaudit.audit.estimating.registry.entry import Harm
from maskaudit.audit.estimating.registry.names import WORLD_SLOPE
from maskaudit.audit.judging import decision
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

    def decide(self, number: Verdict, harm: Harm) -> Decision:
        """Decide one number against the margin."""
        return decision.change(number.estimate, number.std_error, number.df, number.margin, harm)

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

    def decide(self, number: Verdict, harm: Harm) -> Decision:
        """Decide one number against the bound; a magnitude credibly above zero by its log."""
        numbers = (number.estimate, number.std_error, number.df, number.margin)
        if number.estimator not in LOG_RATIO:
            return decision.level(*numbers, harm)
        harm = "down" if harm == "down" else "up"  # a magnitude is never negative
        # The log of a magnitude says nothing unless the magnitude is credibly above zero.
        credible = decision.bounds(number.estimate, number.std_error, number.df)[0] > 0
        if credible and number.margin > 0:
            return _magnitude(*numbers, harm)
        return decision.level(*numbers, harm)

    def room(self, number: Verdict) -> tuple[float, Harm] | None:
        """The distance to the bound, with a one-sided direction; None for a magnitude."""
        if number.estimator in LOG_RATIO:  # judged on the log scale, where this is no distance
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


RULES: Mapping[str, Change | Level] = {
    BOUND: Bound(),
    NON_INFERIORITY: NonInferiority(),
    VERSUS_BASELINE: VersusBaseline(),
    WORLD: NoWorseThanWorld(),
}


def _magnitude(estimate: float, std_error: float, df: float, bound: float, harm: Harm) -> Decision:
    """Decide a magnitude U on the scale ln(U)/2, where the .95 upper bound covers .92 to .94."""
    # On the plain scale the upper bound would cover only .90 to .92. The standard error is by the
    # delta method: d(ln U / 2) = dU / 2U.
    half_log = math.log(estimate) / 2
    log_decision = decision.level(
        half_log, std_error / (2 * estimate), df, math.log(bound) / 2, harm
    )
    return replace(
        log_decision,
        low=math.exp(2 * log_decision.low),
        high=math.exp(2 * log_decision.high),
        mde=estimate * math.expm1(2 * log_decision.mde),
    )
