"""How reliably a set ranks its attributes: generalizability and dependability."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from maskaudit.audit.estimating.statistics.crossed.anova import MeanSquares, mean_squares
from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells, Interval, point

TARGET = 0.95


@dataclass(frozen=True)
class Reliability:
    """Relative G and absolute Phi of attribute means over J frames, 0 to 1, and the J needed.

    `frames_needed` is the smallest number of frames with Phi of at least .95; NaN if the attribute
    variance is 0, so that no number of frames would rank them. A negative variance component is
    taken as 0.
    """

    generalizability: Interval
    dependability: Interval
    frames_needed: float


def reliability(cells: Cells, *, level: float = LEVEL) -> Reliability:
    """G = s2_a/(s2_a + s2_e/J) and Phi = s2_a/(s2_a + (s2_b + s2_e)/J) (Brennan 2001).

    They are ICC(C,k) and ICC(A,k), with the intervals of McGraw & Wong (1996); all NaN if the
    attribute means are equal. They describe rankings of attributes and gate nothing: the difference
    of two models that lean alike has G near 0 however precisely it is known.
    """
    ms = mean_squares(cells)
    n, k = ms.n_attributes, ms.n_frames
    if ms.attribute == 0:  # equal attributes cannot be ranked
        return Reliability(point(np.nan), point(np.nan), np.nan)
    attribute = max(0.0, (ms.attribute - ms.residual) / k)
    frame = max(0.0, (ms.frame - ms.residual) / n)
    noise = frame + ms.residual
    relative = attribute / (attribute + ms.residual / k) if attribute else 0.0
    absolute = attribute / (attribute + noise / k) if attribute else 0.0
    ratio = TARGET / (1 - TARGET) * noise / attribute if attribute else np.nan
    # Rounding must not add a frame where the ratio is a whole number.
    needed = np.nan if np.isnan(ratio) else max(1.0, float(np.ceil(ratio - 1e-9)))
    tail = (1 + level) / 2
    # Without noise the F ratio divides by 0, and there are no limits.
    if ms.residual == 0:
        return Reliability(point(relative), point(absolute), needed)
    f_ratio = ms.attribute / ms.residual
    within = ms.residual_df
    low = 1 - special.fdtri(n - 1, within, tail) / f_ratio
    high = 1 - 1 / (f_ratio * special.fdtri(within, n - 1, tail))
    return Reliability(
        _clipped(relative, float(low), float(high)),
        _clipped(absolute, *_absolute_limits(ms, tail)),
        needed,
    )


def _clipped(estimate: float, low: float, high: float) -> Interval:
    """The estimate with limits clipped to 0 to 1, or without limits if they exclude it.

    The approximate limits may exclude the estimate if attributes hardly differ.
    """
    if not low <= estimate <= high:
        return point(estimate)
    return Interval(estimate, max(low, 0.0), min(high, 1.0))


def _absolute_limits(ms: MeanSquares, tail: float) -> tuple[float, float]:
    """Limits of ICC(A,k), McGraw & Wong (1996), table 7; NaN if they do not exist."""
    rows, columns, residual = ms.attribute, ms.frame, ms.residual
    n, k = ms.n_attributes, ms.n_frames
    single = (rows - residual) / (rows + (k - 1) * residual + k * (columns - residual) / n)
    if single == 1:  # rounding is the only noise
        return np.nan, np.nan
    a = k * single / (n * (1 - single))
    b = 1 + k * single * (n - 1) / (n * (1 - single))
    df = (a * columns + b * residual) ** 2 / (
        (a * columns) ** 2 / (k - 1) + (b * residual) ** 2 / ms.residual_df
    )
    lower, upper = special.fdtri(n - 1, df, tail), special.fdtri(df, n - 1, tail)
    if not np.isfinite([lower, upper]).all():  # too few degrees of freedom for a limit
        return np.nan, np.nan
    low = n * (rows - lower * residual) / (lower * (columns - residual) + n * rows)
    high = n * (upper * rows - residual) / (columns - residual + n * upper * rows)
    return float(low), float(high)
