"""Whether estimates of several strata differ by more than their errors, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.statistics.interval import Part

_LEAST = 2


@dataclass(frozen=True)
class Heterogeneity:
    """Cochran's Q with its degrees of freedom and p, and the SD between the strata.

    `spread` is in the unit of the estimates, 0 where Q is no larger than its degrees of freedom.
    """

    q: float
    df: float
    p: float
    spread: float


def heterogeneity(estimates: Sequence[float], errors: Sequence[Part]) -> Heterogeneity:
    """Compare the estimates of strata, each with its squared standard error and that one's df.

    Q = sum w (x - mean)^2 with w = 1/variance and the mean weighted alike (Cochran 1954). Its p is
    that of Welch (1951), which allows for variances that are themselves estimated, from few values
    each: Q by its chi-squared distribution would reject too often. `spread` is the moment estimate
    of DerSimonian & Laird (1986). All are NaN where a variance is 0 or unknown, and with fewer than
    two strata.
    """
    values = np.array(estimates, dtype=float)
    variances = np.array([variance for variance, _ in errors], dtype=float)
    df = np.array([own for _, own in errors], dtype=float)
    n = len(values)
    if n < _LEAST or not (np.isfinite(values).all() and (variances > 0).all()):
        return Heterogeneity(np.nan, np.nan, np.nan, np.nan)
    weights = 1 / variances
    total = weights.sum()
    q = float((weights * (values - (weights * values).sum() / total) ** 2).sum())
    # What Welch (1951) allows for weights that are estimates; it goes to 0 as their df grow.
    lack = float(((1 - weights / total) ** 2 / df).sum())
    from scipy import special  # imported here because it takes time

    f = q / (n - 1) / (1 + 2 * (n - 2) / (n**2 - 1) * lack)
    p = float(special.fdtrc(n - 1, (n**2 - 1) / (3 * lack), f))
    # Q is on average n - 1 plus this times the variance between strata (DerSimonian & Laird 1986).
    scale = total - float((weights**2).sum()) / total
    return Heterogeneity(q, n - 1.0, p, float(np.sqrt(max(0.0, q - (n - 1)) / scale)))
