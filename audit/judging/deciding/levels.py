"""Levels that have scales of their own, decided against a bound: shares, and squared leans.

A t interval of a share near its end, or of a mean of squares, is too narrow on one side: exactly at
the bound it gave a verdict of .07 to .20 where .05 was meant.
"""

import math

from scipy import special

from maskaudit.audit.estimating.registry.entry import Harm
from maskaudit.audit.estimating.statistics.interval import LEVEL
from maskaudit.audit.judging.decision import ALPHA, Decision, decided, detectable, quantile, tail

# With fewer attributes a bound on a squared lean is not judged: how far its standard error is that
# of normal leans cannot be seen in them, and the upper bound, which rests on it, is hardly finite.
LEAST_ATTRIBUTES = 20
# The clusters' worth of evidence that the least favourable variance of a share counts for, beside
# the variance that was observed: a few large clusters that agree by chance show next to none.
_LEAST_FAVOURABLE = 4.0


def share(estimate: float, trials: float, bound: float, harm: Harm, whole: float = 1.0) -> Decision:
    """Decide a share of `trials` independent trials, or as many as its clusters are worth.

    Both bounds, and p, are exact (Clopper & Pearson 1934), at numbers of trials and hits that may
    be fractions (Korn & Graubard 1998). `whole` is the share of all trials, 1 or 100, the unit of
    `estimate`, of `bound` and of the decision.
    """
    # A share of all may come out above 1 in its last digits.
    part = min(1.0, max(0.0, estimate / whole))
    hits = part * trials
    misses = trials - hits
    low = _beta_quantile(hits, misses + 1, ALPHA)
    high = _beta_quantile(hits + 1, misses, 1 - ALPHA)
    # A share is never below 0, so "either" has one side to fail on.
    limit = min(1.0, max(0.0, bound / whole))
    if harm == "down":
        p = 1 - _beta_share(hits + 1, misses, limit)
    else:
        p = _beta_share(hits, misses + 1, limit)
    error = math.sqrt(part * (1 - part) / trials)
    return decided(
        whole * low, whole * high, p, bound, harm, mde=whole * detectable(error, math.inf)
    )


def trials_of_limits(estimate: float, low: float, high: float, whole: float = 1.0) -> float:
    """The number of trials behind a share with Wilson's two-sided limits; NaN without limits.

    A limit is where the score test just rejects: (share - limit)² = z² limit (1 - limit)/trials.
    """
    # The limit on the longer side: of a share of 0 or 1 the other one is the share itself.
    limit, part = (low if estimate > whole / 2 else high) / whole, estimate / whole
    if math.isnan(limit) or limit == part:
        return math.nan
    return float(special.ndtri((1 + LEVEL) / 2)) ** 2 * limit * (1 - limit) / (part - limit) ** 2


def trials_of_clusters(
    estimate: float, std_error: float, units: float, effective: float, whole: float = 1.0
) -> float:
    """How many independent trials a share over clusters is worth; at most `units`.

    It is what a binomial share of this standard error would have, with two corrections. The
    clusters count as `effective` ones, (sum of sizes)²/sum of sizes², with one degree of freedom
    less. And the variance is averaged with the least favourable one, in which the units of a
    cluster are all alike and the share is worth `effective` trials, as if four more clusters had
    shown it.
    """
    part, df = estimate / whole, max(0.0, effective - 1)
    spread = max(0.0, part * (1 - part))
    observed = (std_error / whole) ** 2 / spread if spread > 0 else 0.0
    total = df + _LEAST_FAVOURABLE
    inverse = max((df * observed + _LEAST_FAVOURABLE / effective) / total, 1 / units)
    # The observed variance is itself uncertain, as in Student's t.
    uncertainty = quantile(total, 1 - ALPHA) / quantile(math.inf, 1 - ALPHA)
    return 1 / (inverse * uncertainty**2)


def squared(  # noqa: PLR0913, PLR0917 - an estimate, its precision and its bound
    estimate: float, std_error: float, df: float, n_attributes: int, bound: float, harm: Harm
) -> Decision:
    """Decide a mean of squared leans, such as an association U, against a bound in its own unit.

    The standard error grows with U, for normal leans by c = √(2/(n_attributes - 1)) each unit, so
    one taken where U came out small makes U look surely small. Towards larger values it is
    therefore taken at the bound: the upper bound is U + t SE/(1 - t c), or infinite. The lower
    bound is that of √U by the delta method, squared.
    """
    low, high = _squared_bounds(estimate, std_error, df, n_attributes)
    if harm == "down":
        p = _p_below(estimate, std_error, df, n_attributes, bound)
    else:  # a square is never negative: "either" has one side to fail on
        p = _p_above(estimate, std_error, df, bound)
    return decided(low, high, p, bound, harm, mde=detectable(std_error, df))


def _squared_bounds(
    estimate: float, std_error: float, df: float, n_attributes: int
) -> tuple[float, float]:
    if std_error == 0:
        return estimate, estimate
    t = quantile(df, 1 - ALPHA)
    half, growth = t * std_error, t * _growth(n_attributes)
    # Where the error grows as fast as the bound moves away, no bound is ever far enough.
    high = estimate + half / (1 - growth) if growth < 1 else math.inf
    # By chance U may be below 0, where there is no root to take a bound of.
    if estimate <= 0:
        return estimate - half, high
    return max(0.0, 1 - half / (2 * estimate)) ** 2 * estimate, high


def _p_above(estimate: float, std_error: float, df: float, bound: float) -> float:
    """The p against a level of at most the bound, on the scale of √U where there is one."""
    if estimate <= 0 or bound < 0:
        return tail(estimate - bound, std_error, df)
    # The error of √U is SE/(2 √U): this is √U less the root of the bound, in units in which its
    # error is SE, as `tail` expects.
    return tail(2 * (estimate - math.sqrt(bound * estimate)), std_error, df)


def _p_below(
    estimate: float, std_error: float, df: float, n_attributes: int, bound: float
) -> float:
    """The p against a level of at least the bound, with the standard error taken at the bound."""
    distance = bound - estimate
    if std_error == 0:
        return tail(distance, std_error, df)
    return tail(distance, std_error + _growth(n_attributes) * max(0.0, distance), df)


def _growth(n_attributes: int) -> float:
    """By how much the standard error of a variance of normal leans grows for each unit of it."""
    return math.sqrt(2 / (n_attributes - 1))


def _beta_quantile(first: float, second: float, probability: float) -> float:
    """The quantile of a beta distribution; 0 or 1 where a parameter is 0 or less."""
    # Without a hit, or a miss, there is nothing on that side; SciPy has no quantile for it.
    if first <= 0:
        return 0.0
    return 1.0 if second <= 0 else float(special.betaincinv(first, second, probability))


def _beta_share(first: float, second: float, value: float) -> float:
    """The share of a beta distribution below a value; 1 or 0 where a parameter is 0 or less."""
    if first <= 0:
        return 1.0
    return float(value >= 1) if second <= 0 else float(special.betainc(first, second, value))
