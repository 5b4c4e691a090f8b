"""An estimate with its interval, test and minimum detectable effect, by Student's t."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Cells = NDArray[np.float64]
# A part of a variance and its degrees of freedom; a part that is subtracted is negative.
Part = tuple[float, float]
POWER = 0.8
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate, its two-sided interval and its test against `null_value`.

    `v_frames` is the part of std_error squared that is inversely proportional to the number of
    frames; `mde` is the smallest effect that a two-sided test at 1 - level detects with power .8.
    """

    estimate: float
    low: float
    high: float
    std_error: float = np.nan
    df: float = np.nan
    p: float = np.nan
    null_value: float = np.nan
    v_frames: float = np.nan
    mde: float = np.nan


def point(estimate: float) -> Interval:
    """An estimate without an interval."""
    return Interval(estimate, np.nan, np.nan)


def student(  # noqa: PLR0913 - one number each
    estimate: float,
    variance: float,
    df: float,
    *,
    level: float = LEVEL,
    null_value: float = np.nan,
    v_frames: float = np.nan,
) -> Interval:
    """Interval and two-sided test of an estimate with this variance, by Student's t with `df`.

    With variance 0, as of a model against itself, both limits are the estimate, p is 1 if it equals
    the null value, else 0, and df is NaN; p is always NaN without a null value. A NaN variance
    gives the estimate without an interval.
    """
    if np.isnan(variance):
        return point(estimate)
    if variance <= 0:
        p = np.nan if np.isnan(null_value) else float(estimate == null_value)
        return Interval(estimate, estimate, estimate, 0.0, np.nan, p, null_value, 0.0, 0.0)
    std_error = float(np.sqrt(variance))
    # scipy.stats gives the same numbers 50 times slower, and a page has thousands of intervals.
    quantile = float(special.stdtrit(df, (1 + level) / 2))
    # The lower tail of the negative: 1 minus the upper one would round a tiny p to 0.
    p = 2 * float(special.stdtr(df, -abs(estimate - null_value) / std_error))
    return Interval(
        estimate=estimate,
        low=estimate - quantile * std_error,
        high=estimate + quantile * std_error,
        std_error=std_error,
        df=float(df),
        p=p,
        null_value=null_value,
        v_frames=v_frames,
        # The sum of two quantiles is the usual approximation to the power of a noncentral t.
        mde=(quantile + float(special.stdtrit(df, POWER))) * std_error,
    )


def detectable(std_error: float, df: float, *, level: float) -> float:
    """The smallest true effect that a two-sided test at 1 - level detects with power .8.

    By the normal approximation of the noncentral t (Abramowitz & Stegun 1964, 26.7.10), which is
    within 1 % from 5 degrees of freedom on; the sum of two quantiles that `student` has is as close
    at .05, and too small at the levels of many tests. 0 with a standard error of 0.
    """
    # Its degrees of freedom are unknown (see `student`), and the quantile would be NaN.
    if std_error == 0:
        return 0.0
    quantile = float(special.stdtrit(df, (1 + level) / 2))
    spread = float(np.sqrt(1 + quantile**2 / (2 * df)))
    centre = quantile * (1 - 1 / (4 * df))
    return (centre + float(special.ndtri(POWER)) * spread) * std_error


def floored(attributes: list[Part], frames: list[Part], residuals: list[Part]) -> list[Part]:
    """The parts of a variance, floored at the larger of the attributes' and the frames' parts.

    Both contain the residual, so `residuals`, negative parts, subtract it once. If the sum falls
    below the floor, returns the parts of the floor alone.
    """
    parts = [*attributes, *frames, *residuals]
    floor = max(attributes, frames, key=_total)
    return parts if _total(parts) >= _total(floor) else floor


def satterthwaite(parts: Sequence[Part]) -> Part:
    """The sum of variance parts and its degrees of freedom (Satterthwaite 1946).

    The degrees of freedom are NaN if all parts are 0.
    """
    variance = _total(parts)
    # A part of 0 may have NaN degrees of freedom (see `student`), which would spoil the sum.
    known = [part for part in parts if part[0] != 0]
    if len(known) == 1:  # without the rounding error of the quotients below
        return known[0]
    # Products, since a power is not rounded alike for scores twice as large.
    spread = sum(value * value / df for value, df in known)
    return variance, (variance * variance / spread if spread > 0 else np.nan)


def _total(parts: Sequence[Part]) -> float:
    """The sum of the parts."""
    return sum(value for value, _ in parts)
