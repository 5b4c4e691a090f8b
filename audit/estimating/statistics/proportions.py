"""Shares of independent trials: Wilson's and exact intervals, and exact tests."""

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.interval import LEVEL, Interval, point


def wilson(successes: int, trials: int, *, level: float = LEVEL) -> Interval:
    """Share of independent trials with Wilson's score interval (1927); NaN without trials."""
    if trials == 0:
        return point(np.nan)
    from scipy import stats  # imported here because it takes a second

    limits = stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
    return Interval(successes / trials, float(limits.low), float(limits.high))


def exact(
    successes: int, trials: int, *, level: float = LEVEL, null_value: float = 0.5
) -> Interval:
    """Share of independent trials with Clopper & Pearson's interval and the exact binomial p.

    The p is two-sided, against `null_value`; all NaN without trials.
    """
    if trials == 0:
        return point(np.nan)
    from scipy import stats

    test = stats.binomtest(successes, trials, null_value)
    limits = test.proportion_ci(level, method="exact")
    return Interval(
        successes / trials,
        float(limits.low),
        float(limits.high),
        p=float(test.pvalue),
        null_value=null_value,
    )


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Exact two-sided McNemar p of two binary series on the same items; 1 if they agree."""
    from scipy import stats

    gained, lost = int((~first & second).sum()), int((first & ~second).sum())
    # Without an item on which the series differ there are no trials, which `binomtest` refuses.
    return float(stats.binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
