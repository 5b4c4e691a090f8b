"""Shares of independent trials: Wilson's and exact intervals, and exact tests."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from maskaudit.audit.estimating.statistics.interval import LEVEL, Interval, point


def wilson(successes: int, trials: int, *, level: float = LEVEL) -> Interval:
    """Share of independent trials with Wilson's score interval (1927); NaN without trials."""
    if trials == 0:
        return point(np.nan)
    share = successes / trials
    low, high = _wilson(share, trials, level)
    # Rounding would leave them a last bit inside.
    return Interval(share, low if successes else 0.0, high if successes < trials else 1.0)


def wilson_of_clusters(hits: NDArray[np.bool_], labels: NDArray[np.str_]) -> Interval:
    """Wilson's interval of a share whose trials depend on each other inside clusters.

    It is that of as many independent trials as (sum of sizes)² / sum of sizes², the fewest that
    clusters of these sizes can be worth; with one trial in each cluster it is `wilson`.
    """
    n = effective(labels)
    if n == len(hits):
        return wilson(int(hits.sum()), len(hits))
    share = float(hits.mean())
    return Interval(share, *_wilson(share, n, LEVEL))


def _wilson(share: float, n: float, level: float) -> tuple[float, float]:
    """The limits of a share of `n` trials, which may be a fraction."""
    # scipy.stats has them of whole numbers alone, and takes longer to import than a gate to judge.
    z = float(special.ndtri((1 + level) / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - half, middle + half


def effective(labels: NDArray[np.str_]) -> float:
    """How many independent trials clusters of these sizes are at least worth."""
    _, sizes = np.unique(labels, return_counts=True)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def exact_of_clusters(hits: NDArray[np.bool_], labels: NDArray[np.str_], chance: float) -> float:
    """Two-sided p of a share of trials in clusters against `chance`: twice the smaller tail.

    The binomial tails are those of `effective` trials, which may be a fraction (Korn & Graubard
    1998).
    """
    n = effective(labels)
    k = float(hits.mean()) * n
    # As incomplete beta functions, which tails of a fraction of a trial have as well.
    above = float(special.betainc(k, n - k + 1, chance)) if k > 0 else 1.0
    below = 1 - float(special.betainc(k + 1, n - k, chance)) if k < n else 1.0
    return min(1.0, 2 * min(above, below))


def exact(
    successes: int, trials: int, *, level: float = LEVEL, null_value: float = 0.5
) -> Interval:
    """Share of independent trials with Clopper & Pearson's interval and the exact binomial p.

    The p is two-sided, against `null_value`; all NaN without trials.
    """
    if trials == 0:
        return point(np.nan)
    from scipy import stats  # imported here because it takes half a second

    test = stats.binomtest(successes, trials, null_value)
    limits = test.proportion_ci(level, method="exact")
    return Interval(
        successes / trials,
        float(limits.low),
        float(limits.high),
        p=float(test.pvalue),
        null_value=null_value,
    )


def mcnemar(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    labels: NDArray[np.str_] | None = None,
) -> float:
    """Exact two-sided McNemar p of two binary series on the same items; 1 if they agree.

    With cluster `labels` a cluster counts once, for the series with more hits in it.
    """
    change = second.astype(int) - first.astype(int)
    if labels is not None:
        _, places = np.unique(labels, return_inverse=True)
        change = np.bincount(places, weights=change)
    gained, lost = int((change > 0).sum()), int((change < 0).sum())
    # Both tails, which are alike; of equal numbers they are all there is, and more than all.
    return min(1.0, 2 * float(special.bdtr(min(gained, lost), gained + lost, 0.5)))


def sign_flips(changes: NDArray[np.int_]) -> float:
    """Exact two-sided p of the sum of whole numbers, each of which may as well have the other sign.

    The share of all 2^n choices of signs whose sum is as far from 0 or further. With changes of -1,
    0 and 1 it is McNemar's exact test; 1 if nothing changed.
    """
    sizes = np.abs(changes[changes != 0])
    # The distribution of the sum, one number at a time: `chances` begins at minus the total.
    chances = np.ones(1)
    for size in sizes.tolist():
        moved = np.zeros(len(chances) + 2 * size)
        moved[: len(chances)] += chances / 2
        moved[2 * size :] += chances / 2
        chances = moved
    sums = np.arange(len(chances)) - int(sizes.sum())
    return min(1.0, float(chances[np.abs(sums) >= abs(int(changes.sum()))].sum()))
