"""An estimate with its interval, its test and what it could have found, by Student's t."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Cells = NDArray[np.float64]
# A part of a variance, with its degrees of freedom; what is taken off again is negative.
Part = tuple[float, float]
POWER = 0.8
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate, its two-sided interval and its test against `null_value`.

    `v_frames` is the part of std_error squared that falls as one over the number of frames; `mde`
    is the smallest effect that a two-sided test at 1 - level finds with power .8.
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
    """A number without an interval: how sure it is cannot be said."""
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

    A variance of 0 is that of a model against itself: the point is all there is, p is 1 where it is
    the null value and 0 elsewhere, and df is NaN. NaN in, NaN out.
    """
    if np.isnan(variance):
        return point(estimate)
    if variance <= 0:
        p = np.nan if np.isnan(null_value) else float(estimate == null_value)
        return Interval(estimate, estimate, estimate, 0.0, np.nan, p, null_value, 0.0, 0.0)
    std_error = float(np.sqrt(variance))
    # scipy.stats gives the same numbers 50 times slower, and a page has thousands of intervals.
    quantile = float(special.stdtrit(df, (1 + level) / 2))
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
        mde=(quantile + float(special.stdtrit(df, POWER))) * std_error,
    )


def floored(attributes: list[Part], frames: Part, residuals: list[Part]) -> list[Part]:
    """The parts of a variance: all, or the larger of the attributes' and the frames' own.

    The residual, which both hold, is taken off once, in parts that are negative; the sum may not
    fall below either.
    """
    whole = [*attributes, frames, *residuals]
    floor = max(attributes, [frames], key=_total)
    return whole if _total(whole) >= _total(floor) else floor


def satterthwaite(parts: Sequence[Part]) -> Part:
    """A variance made of parts, and its degrees of freedom (Satterthwaite 1946); NaN if it is 0."""
    variance = _total(parts)
    spread = sum(value**2 / df for value, df in parts if value != 0)
    return variance, (variance**2 / spread if spread > 0 else np.nan)


def _total(parts: Sequence[Part]) -> float:
    """The variance that the parts make up."""
    return sum(value for value, _ in parts)
