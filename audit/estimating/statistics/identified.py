"""The interval of a number that is known between two ends alone, each of them estimated."""

import math
from dataclasses import replace

import numpy as np
from scipy import special

from maskaudit.audit.estimating.statistics.interval import LEVEL, Interval


def between(least: Interval, most: Interval, *, level: float = LEVEL) -> tuple[Interval, Interval]:
    """The ends of a number's identified set, each with the number's own interval as its limits.

    The number lies anywhere between the two ends, and both are estimated from the same cells. Its
    interval covers it with probability `level` wherever it lies (Imbens & Manski 2004): it goes c
    standard errors beyond each end, where F(c + width / larger standard error) - F(-c) = level and
    F is that of Student's t with the fewer degrees of freedom of the two. With no width that is the
    plain interval, and with much of it each end has a one-sided one. The ends are in order by how
    they are made, which is what keeps the coverage where the width is small (Stoye 2009, lemma 3).

    An end that is NaN bounds nothing: its limit is infinite, and the other end's is one-sided. An
    end without an error gives no limits. No p: what is tested is judged on both ends.
    """
    plain = [replace(end, p=np.nan, null_value=np.nan, mde=np.nan) for end in (least, most)]
    is_known = [not math.isnan(end.estimate) for end in plain]
    errors = [end.std_error for end, known in zip(plain, is_known, strict=True) if known]
    if not errors or any(map(math.isnan, errors)):
        limits = (np.nan, np.nan) if errors else (-np.inf, np.inf)
        low, high = (replace(end, low=limits[0], high=limits[1]) for end in plain)
        return low, high
    width = most.estimate - least.estimate if all(is_known) else np.inf
    # An end that never varies has no degrees of freedom, and needs none.
    df = min((end.df for end in plain if not math.isnan(end.df)), default=np.inf)
    c = _critical(width, max(errors), df, level)
    limits = (
        least.estimate - c * least.std_error if is_known[0] else -np.inf,
        most.estimate + c * most.std_error if is_known[1] else np.inf,
    )
    low, high = (replace(end, low=limits[0], high=limits[1]) for end in plain)
    return low, high


def _critical(width: float, std_error: float, df: float, level: float) -> float:
    """How many standard errors beyond each end the interval goes."""

    def cdf(x: float) -> float:
        return float(special.ndtr(x) if math.isinf(df) else special.stdtr(df, x))

    def quantile(p: float) -> float:
        return float(special.ndtri(p) if math.isinf(df) else special.stdtrit(df, p))

    # Between the one-sided and the two-sided quantile, which are its limits.
    narrow, wide = quantile(level), quantile((1 + level) / 2)
    if std_error <= 0 or math.isinf(width):
        return narrow
    apart = max(width, 0.0) / std_error

    def beyond(c: float) -> float:
        return cdf(c + apart) - cdf(-c) - level

    # At its limits rounding may turn the sign of what is 0.
    if beyond(narrow) >= 0:
        return narrow
    if beyond(wide) <= 0:
        return wide
    # Not with the module: it takes a fifth of the time of a gate, and few records have bounds.
    from scipy.optimize import brentq

    return float(brentq(beyond, narrow, wide, xtol=1e-13))
