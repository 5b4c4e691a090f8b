"""What a sentence quotes of a tested contrast that the data chose: interval, size, power."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from maskaudit.audit.estimating.statistics import multiplicity
from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells, detectable, student

_SHOWN = 1 - LEVEL
# Below this sum of squares the formula of `kept` is 0 divided by 0.
_LEAST = 1e-6


@dataclass(frozen=True)
class Quoted:
    """One contrast as a sentence quotes it, in the unit of the estimate.

    `low` and `high` are its interval at `level`. `likely` is the size that it probably has, the
    estimate moved towards 0 (see `kept`); NaN where there was nothing to choose from, with one
    tested set. `could_find` is the smallest true effect, without a sign, that the applied rule
    finds four times in five while nothing else is shown. `n_tested` is how many it was chosen from.
    """

    level: float
    low: float
    high: float
    likely: float
    could_find: float
    n_tested: int


@dataclass(frozen=True)
class Family:
    """The tested contrasts of one subject, among which the data choose what a sentence quotes.

    Of `n_tested` contrasts `n_shown` have an adjusted p below .05. `level` is that of the interval
    of any one that is quoted, `alone` the level of the rule for one that is found by itself, and
    `kept` the share of a size that is no noise.
    """

    n_tested: int
    n_shown: int
    level: float
    alone: float
    kept: float

    def quote(self, estimate: float, std_error: float, df: float) -> Quoted:
        """The contrast with this estimate as a sentence quotes it."""
        chosen = student(estimate, std_error**2, df, level=self.level)
        if self.n_tested == 1:
            likely, could_find = np.nan, chosen.mde
        else:
            # Kept inside the interval, so that a size never contradicts it (Efron & Morris 1972).
            likely = float(np.clip(self.kept * estimate, chosen.low, chosen.high))
            could_find = detectable(std_error, df, level=self.alone)
        return Quoted(self.level, chosen.low, chosen.high, likely, could_find, self.n_tested)


def family(
    estimates: Cells, std_errors: Cells, dfs: Cells, p_adjusted: Cells, *, adjust: str = "bh"
) -> Family:
    """The family of tested contrasts, at least one, each array with one number for each.

    The level is Benjamini & Yekutieli's (2005): 1 - .05 R/m where R of m are shown, 1 - .05/m where
    none is. An interval at that level leaves 0 out exactly where the contrast is shown. With
    `adjust` "by" m is multiplied by 1 + 1/2 + ... + 1/m, as in the adjusted p values.
    """
    n_tested, n_shown = len(estimates), int((p_adjusted < _SHOWN).sum())
    total = n_tested * (multiplicity.harmonic(n_tested) if adjust == "by" else 1.0)
    return Family(
        n_tested,
        n_shown,
        multiplicity.selected_level(max(1, n_shown), total),
        multiplicity.selected_level(1, total),
        kept(_t(estimates, std_errors), dfs),
    )


def kept(t: Cells, df: Cells) -> float:
    """The share of a number's size that is expected not to be noise, from 0 to 1.

    `t` are the estimates of all tested contrasts over their standard errors, `df` their degrees of
    freedom. In units of the standard error the true effects have mean 0 and an unknown variance, of
    which the estimates' variance is that and 1. The share B of noise in it is, before the data,
    uniform from 0 to 1 (the uniform shrinkage prior: Strawderman 1971; Daniels 1999), so that its
    mean after them is

        E[B] = (m + 2)/S * F(S; m + 4) / F(S; m + 2),    S = sum of t**2 (1 - 2/df),

    with the chi-square distribution functions F of m + 4 and m + 2 degrees of freedom. Returns
    1 - E[B]. The factor 1 - 2/df makes the square of pure noise 1 on average. A t with 2 degrees
    of freedom or fewer has no such average and says nothing.
    """
    m = len(t)
    # An infinite t, without noise, has no degrees of freedom; nor has a model against its copy.
    weights = np.where(np.isnan(df), np.where(np.isinf(t), 1.0, 0.0), np.maximum(0, 1 - 2 / df))
    total = float((t[weights > 0] ** 2 * weights[weights > 0]).sum())
    if np.isinf(total):
        return 1.0
    if total < _LEAST:
        return 2 / (m + 4)
    ratio = special.chdtr(m + 4, total) / special.chdtr(m + 2, total)
    return float(1 - (m + 2) / total * ratio)


def chosen_from(
    estimate: float, std_error: float, df: float, count: int
) -> tuple[float, float, float]:
    """Low, high and smallest detectable effect of the clearest of `count` numbers.

    For numbers whose p is not adjusted: the level is 1 - .05/count, whatever is shown.
    """
    level = multiplicity.selected_level(1, count)
    interval = student(estimate, std_error**2, df, level=level)
    # Of one number alone it is the one that stands beside its interval everywhere else.
    least = interval.mde if count == 1 else detectable(std_error, df, level=level)
    return interval.low, interval.high, least


def expected_misses(n_intervals: int) -> float:
    """How many of so many 95 % intervals miss what they speak of, on average.

    That holds however the intervals depend on each other; how many it is on one page does not.
    """
    return (1 - LEVEL) * n_intervals


def _t(estimates: Cells, std_errors: Cells) -> Cells:
    """Estimates over their standard errors; 0 for 0 over 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t: Cells = np.where(estimates == 0, 0.0, estimates / std_errors)
    return t
