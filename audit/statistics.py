"""Pure functions on arrays: intervals, tests, shrinkage and multiplicity; NaN means unknown.

Cells are arrays y[i, j] of attribute i in frame j: y = mean + attribute + frame + residual, with
attributes and frames both sampled (Clark 1973; Judd, Westfall & Kenny 2012). Treating the cells as
independent covers less than 65 % where it says 95 % (60 by 20, simulated).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Cells = NDArray[np.float64]
POWER = 0.8
_LEAST = 2


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


@dataclass(frozen=True)
class MeanSquares:
    """Two-way analysis of variance of complete cells, I attributes by J frames."""

    attribute: float
    frame: float
    residual: float
    n_attributes: int
    n_frames: int


def mean_squares(cells: Cells) -> MeanSquares:
    """Mean squares of attribute, frame and residual; needs I, J >= 2 and no missing cell."""
    _complete(cells)
    n_attributes, n_frames = cells.shape
    by_attribute, by_frame = cells.mean(1), cells.mean(0)
    residual = cells - by_attribute[:, None] - by_frame[None, :] + cells.mean()
    return MeanSquares(
        attribute=n_frames * float(by_attribute.var(ddof=1)),
        frame=n_attributes * float(by_frame.var(ddof=1)),
        residual=float((residual**2).sum()) / ((n_attributes - 1) * (n_frames - 1)),
        n_attributes=n_attributes,
        n_frames=n_frames,
    )


def mean_interval(cells: Cells, *, level: float = 0.95, null_value: float = np.nan) -> Interval:
    """Mean of the cells for new attributes and new frames (scope S2).

    V = (MSA + MSB - MSE)/n, floored at max(MSA, MSB)/n; degrees of freedom by Satterthwaite
    (docs/method.md, Intervals). Raises ValueError on a missing cell or fewer than two of either
    factor.
    """
    ms = mean_squares(cells)
    n = cells.size
    parts = [
        (ms.attribute / n, ms.n_attributes - 1),
        (ms.frame / n, ms.n_frames - 1),
        (-ms.residual / n, (ms.n_attributes - 1) * (ms.n_frames - 1)),
    ]
    variance, df = _satterthwaite(parts)
    v_frames = max(0.0, ms.frame - ms.residual) / n
    return _interval(float(cells.mean()), variance, df, level, null_value, v_frames)


def contrast_interval(
    first: Cells, second: Cells, *, level: float = 0.95, null_value: float = 0.0
) -> Interval:
    """Stereotype contrast: mean of the first class minus mean of the second, in the same frames.

    Positive is stereotype-consistent where the first class is the one tied to the first group.
    V = sum_c MSA_c/(I_c J) + var_j(d_j)/J - sum_c MSE_c/(I_c J), floored at the larger of the
    first two terms; degrees of freedom by Satterthwaite (docs/method.md, Intervals).
    Raises ValueError on a missing cell, unequal frames or fewer than two of any factor.
    """
    if first.shape[1] != second.shape[1]:
        message = f"classes have {first.shape[1]} and {second.shape[1]} frames; expected the same"
        raise ValueError(message)
    classes = [mean_squares(first), mean_squares(second)]
    n_frames = first.shape[1]
    difference = first.mean(0) - second.mean(0)
    attribute_parts = [(ms.attribute / c.size, ms.n_attributes - 1)
                       for ms, c in zip(classes, (first, second), strict=True)]  # fmt: skip
    residual_parts = [
        (-ms.residual / c.size, (ms.n_attributes - 1) * (n_frames - 1))
        for ms, c in zip(classes, (first, second), strict=True)
    ]
    frame_part = (float(difference.var(ddof=1)) / n_frames, n_frames - 1)
    variance, df = _satterthwaite([*attribute_parts, frame_part, *residual_parts], attribute_parts)
    v_frames = max(0.0, frame_part[0] + sum(part for part, _ in residual_parts))
    return _interval(float(difference.mean()), variance, df, level, null_value, v_frames)


def frame_interval(values: Cells, *, level: float = 0.95, null_value: float = np.nan) -> Interval:
    """Mean over frames alone (scope S1): this attribute, new frames; Student t with J - 1."""
    _complete(values)
    n = values.shape[-1]
    variance = float(values.var(ddof=1)) / n
    return _interval(float(values.mean()), variance, n - 1, level, null_value, variance)


def centred(cells: Cells) -> Cells:
    """Cells minus their frame's mean over attributes: what an attribute adds to its frame."""
    centred_cells: Cells = cells - cells.mean(0, keepdims=True)
    return centred_cells


def shrunken(cells: Cells) -> Cells:
    """Best linear unbiased predictor of each attribute's deviation from the mean, [I].

    The deviation times 1 - MSE/MSA, the estimated share of its variance that is not noise; 0 for
    every attribute where MSA <= MSE.
    """
    ms = mean_squares(cells)
    weight = max(0.0, 1 - ms.residual / ms.attribute) if ms.attribute > 0 else 0.0
    deviations: Cells = weight * (cells.mean(1) - cells.mean())
    return deviations


def association(first: Cells, second: Cells) -> float:
    """Mean over pairs of different frames of the covariance over attributes, [I, J] each.

    U_AB = 1/(J(J-1)) sum_{j != k} cov_i(A_ij, B_ik): noise that the two share in a frame drops out,
    so that U_AA is the variance of the attributes' own effects without a floor. May be negative.
    Raises ValueError on a missing cell or fewer than two of either factor.
    """
    _complete(first)
    _complete(second)
    a, b = centred(first), centred(second)
    n_attributes, n_frames = a.shape
    products = a.sum(1) * b.sum(1) - (a * b).sum(1)
    pairs = (n_attributes - 1) * n_frames * (n_frames - 1)
    return float(products.sum() / pairs)


def selected_level(selected: int, of: int, *, level: float = 0.95) -> float:
    """Level of each interval so that among `selected` of `of` the false coverage stays below.

    Benjamini & Yekutieli (2005): 1 - (1 - level) * R / m.
    """
    return 1 - (1 - level) * selected / of


def jackknife(
    columns: Cells,
    function: Callable[[Cells], Cells],
    *,
    level: float = 0.95,
    null_value: float = np.nan,
) -> Interval:
    """A smooth function of column means, with an interval over clusters (rows), [clusters, k].

    `function` takes means [..., k] and gives values [...]. The rows are what is sampled: a writer,
    an edited span, a target term; a share is the ratio of two of them, hits and trials. Delete-one
    jackknife (Tukey 1958; Efron & Stein 1981), Student t with clusters - 1. NaN with fewer than two
    rows, or where a value is not a number.
    """
    n = len(columns)
    if n == 0:
        return Interval(np.nan, np.nan, np.nan)
    total = columns.sum(0)
    estimate = float(function(total / n))
    if n < _LEAST:
        return Interval(estimate, np.nan, np.nan)
    without = function((total - columns) / (n - 1))
    variance = float((n - 1) / n * ((without - without.mean()) ** 2).sum())
    if np.isnan(variance):
        return Interval(estimate, np.nan, np.nan)
    return _interval(estimate, variance, n - 1, level, null_value, np.nan)


def wilson(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """Share of independent trials with Wilson's score interval; NaN where there are none."""
    if trials == 0:
        return Interval(np.nan, np.nan, np.nan)
    found = stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
    return Interval(successes / trials, float(found.low), float(found.high))


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Exact two-sided McNemar p of two right-or-wrong series on the same items; 1 if they agree."""
    gained, lost = int((~first & second).sum()), int((first & ~second).sum())
    return float(stats.binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def benjamini_hochberg(p: Cells) -> Cells:
    """Adjusted p values over those that are known; NaN stays NaN and is not counted."""
    adjusted = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p[known], method="bh")
    return adjusted


def line(x: Cells, y: Cells) -> tuple[float, float, float]:
    """Slope, intercept and correlation of y on x by least squares."""
    found = stats.linregress(x, y)
    return float(found.slope), float(found.intercept), float(found.rvalue)


def _complete(cells: Cells) -> None:
    if cells.ndim == 0 or min(cells.shape) < _LEAST:
        message = f"cells of shape {cells.shape}; expected at least {_LEAST} of each factor"
        raise ValueError(message)
    if np.isnan(cells).any():
        message = f"{int(np.isnan(cells).sum())} missing cells; expected complete ones"
        raise ValueError(message)


def _satterthwaite(
    parts: Sequence[tuple[float, int]], attribute_parts: Sequence[tuple[float, int]] | None = None
) -> tuple[float, float]:
    """Variance and its degrees of freedom from signed parts with their own, floored.

    `parts` are those of the attributes, then that of the frames, then the residual's with negative
    sign. The sum may not fall below the attributes' own part, nor below the frames'; where it
    would, the larger of the two stands with its own degrees of freedom.
    """
    attributes = list(attribute_parts or parts[:1])
    frames = [parts[len(attributes)]]
    floor = max(attributes, frames, key=_total)
    total = _total(parts)
    kept: Sequence[tuple[float, int]] = parts
    if total < _total(floor):
        total, kept = _total(floor), floor
    spread = sum(value**2 / df for value, df in kept)
    return total, total**2 / spread if spread > 0 else np.nan


def _total(parts: Sequence[tuple[float, int]]) -> float:
    return sum(value for value, _ in parts)


def _interval(  # noqa: PLR0913, PLR0917 - one number each
    estimate: float,
    variance: float,
    df: float,
    level: float,
    null_value: float,
    v_frames: float,
) -> Interval:
    if variance <= 0:
        # A model against itself: nothing varies, so the point is all there is.
        p = np.nan if np.isnan(null_value) else float(estimate == null_value)
        return Interval(estimate, estimate, estimate, 0.0, np.nan, p, null_value, 0.0, 0.0)
    std_error = float(np.sqrt(variance))
    quantile = float(stats.t.ppf((1 + level) / 2, df))
    p = 2 * float(stats.t.sf(abs(estimate - null_value) / std_error, df))
    return Interval(
        estimate=estimate,
        low=estimate - quantile * std_error,
        high=estimate + quantile * std_error,
        std_error=std_error,
        df=float(df),
        p=p,
        null_value=null_value,
        v_frames=v_frames,
        mde=(quantile + float(stats.t.ppf(POWER, df))) * std_error,
    )
