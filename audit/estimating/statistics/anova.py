"""Means over attributes crossed with frames, with intervals when both are samples.

Two-way analysis of variance with Satterthwaite's degrees of freedom. A few missing cells are filled
by the additive fit (Yates 1933); with more missing, variances are computed over two-way clusters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.statistics.clusters import multiway
from maskaudit.audit.estimating.statistics.interval import (
    LEVEL,
    Cells,
    Interval,
    Part,
    floored,
    satterthwaite,
    student,
)

# Missing cells are not filled above this share.
# The interval of clusters has other degrees of freedom: filling keeps a number from jumping at its
# first missing cell.
MOST_MISSING = 0.05
_LEAST = 2


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares of I attributes by J frames, after filling `missing` cells."""

    attribute: float
    frame: float
    residual: float
    n_attributes: int
    n_frames: int
    missing: int = 0

    @property
    def residual_df(self) -> int:
        """Degrees of freedom of the residual mean square."""
        return (self.n_attributes - 1) * (self.n_frames - 1) - self.missing


def mean_squares(cells: Cells) -> MeanSquares:
    """Mean squares of attribute, frame and residual, of cells [I, J].

    The residual is NaN without degrees of freedom. Raises ValueError as `completed`.
    """
    missing = int(np.isnan(cells).sum())
    filled = completed(cells)
    n_attributes, n_frames = filled.shape
    # Relative to the first row and column, so that constant cells give exactly 0.
    by_row, by_column = filled - filled[:1], filled - filled[:, :1]
    residual = by_row - by_row.mean(0) - (by_row - by_row.mean(0)).mean(1, keepdims=True)
    residual_df = (n_attributes - 1) * (n_frames - 1) - missing
    return MeanSquares(
        attribute=n_frames * float(by_row.mean(1).var(ddof=1)),
        frame=n_attributes * float(by_column.mean(0).var(ddof=1)),
        residual=float((residual**2).sum()) / residual_df if residual_df > 0 else np.nan,
        n_attributes=n_attributes,
        n_frames=n_frames,
        missing=missing,
    )


def completed(cells: Cells) -> Cells:
    """Fill missing cells by the additive fit, attribute plus frame.

    Filled cells add nothing to the residual, and each costs one of its degrees of freedom (Yates
    1933). Raises ValueError if the cells are not `fillable` or a factor has fewer than two levels.
    """
    _at_least_two(cells)
    gaps = np.argwhere(np.isnan(cells))
    if not len(gaps):
        return cells
    if not fillable(cells):
        message = (
            f"{len(gaps)} of {cells.size} cells are missing; expected at most 5 % and at least "
            "one cell of each attribute and of each frame"
        )
        raise ValueError(message)
    i, j = gaps.T
    n_attributes, n_frames = cells.shape
    filled = np.nan_to_num(cells)
    # A filled cell is row mean + column mean - grand mean, and these means contain the filled
    # cells: hence a linear system.
    fixed = (
        filled.sum(1)[i] / n_frames + filled.sum(0)[j] / n_attributes - filled.sum() / filled.size
    )
    shared = (
        (i[:, None] == i[None, :]) / n_frames
        + (j[:, None] == j[None, :]) / n_attributes
        - 1 / filled.size
    )
    filled[i, j] = np.linalg.solve(np.eye(len(gaps)) - shared, fixed)
    return filled


def fillable(cells: Cells) -> bool:
    """Whether at most `MOST_MISSING` of the cells are missing, and no whole row or column."""
    gaps = np.isnan(cells)
    known_everywhere = bool((~gaps).any(0).all() and (~gaps).any(1).all())
    return bool(gaps.mean() <= MOST_MISSING) and known_everywhere


def average(values: Cells) -> float:
    """The mean, without rounding error if all values are equal."""
    first = values.flat[0]
    return float(first + (values - first).mean())


def name_parts(by_name: Sequence[Cells]) -> list[Part]:
    """The variance parts of the groups' names, from one array of name means [K_g] per group.

    V_names = sum_g var_k(mean_gk) / K_g, each part with K_g - 1 degrees of freedom (Welch). Raises
    ValueError on a group of fewer than two names.
    """
    if any(len(means) < _LEAST for means in by_name):
        message = (
            f"groups of {[len(means) for means in by_name]} names; expected at least {_LEAST} each"
        )
        raise ValueError(message)
    return [(float(means.var(ddof=1)) / len(means), len(means) - 1.0) for means in by_name]


def mean_interval(
    cells: Cells,
    *,
    names: Sequence[Part] = (),
    level: float = LEVEL,
    null_value: float = np.nan,
) -> Interval:
    """Mean of the cells for new attributes and frames (scope S2); with `names` also new names (S3).

    V = (MSA + MSB - MSE)/n, floored at max(MSA, MSB)/n; degrees of freedom by Satterthwaite
    (docs/method.md, Intervals). Cells that are not `fillable` get a two-way clustered variance.
    Raises ValueError on fewer than two attributes or frames.
    """
    _at_least_two(cells)
    if not fillable(cells):
        return _mean_of_clusters(cells, names, level, null_value)
    ms = mean_squares(cells)
    n = cells.size
    parts = floored(
        [(ms.attribute / n, ms.n_attributes - 1)],
        (ms.frame / n, ms.n_frames - 1),
        [(-ms.residual / n, ms.residual_df)],
    )
    variance, df = satterthwaite([*parts, *names])
    return student(
        average(completed(cells)),
        variance,
        df,
        level=level,
        null_value=null_value,
        v_frames=ms.frame / n,
    )


def contrast_interval(
    first: Cells,
    second: Cells,
    *,
    names: Sequence[Part] = (),
    level: float = LEVEL,
    null_value: float = 0.0,
) -> Interval:
    """Stereotype contrast: mean of the first class minus mean of the second, in the same frames.

    Positive is stereotype-consistent if the stereotype ties the first class to the first group.
    V = sum_c MSA_c/(I_c J) + var_j(d_j)/J - sum_c MSE_c/(I_c J), floored at the larger of the
    first two terms; degrees of freedom by Satterthwaite (docs/method.md, Intervals). `names` and
    cells that are not `fillable` as in `mean_interval`. Raises ValueError on unequal numbers of
    frames or fewer than two attributes or frames.
    """
    if first.shape[1] != second.shape[1]:
        message = (
            f"classes have {first.shape[1]} and {second.shape[1]} frames; expected the same number"
        )
        raise ValueError(message)
    _at_least_two(first)
    _at_least_two(second)
    if not (fillable(first) and fillable(second)):
        return _contrast_of_clusters(first, second, names, level, null_value)
    classes = [mean_squares(first), mean_squares(second)]
    n_frames = first.shape[1]
    # Relative to one row of the first class, so that two equal classes differ by exactly 0.
    base = first[:1] if not np.isnan(first[0]).any() else completed(first)[:1]
    difference = (completed(first) - base).mean(0) - (completed(second) - base).mean(0)
    sizes = [ms.n_attributes * n_frames for ms in classes]
    by_frame = float(difference.var(ddof=1)) / n_frames
    parts = floored(
        [(ms.attribute / n, ms.n_attributes - 1) for ms, n in zip(classes, sizes, strict=True)],
        (by_frame, n_frames - 1),
        [(-ms.residual / n, ms.residual_df) for ms, n in zip(classes, sizes, strict=True)],
    )
    variance, df = satterthwaite([*parts, *names])
    return student(
        average(difference),
        variance,
        df,
        level=level,
        null_value=null_value,
        v_frames=by_frame,
    )


def frame_interval(values: Cells, *, level: float = LEVEL, null_value: float = np.nan) -> Interval:
    """Mean over frames, [J], for this attribute in new frames (scope S1); Student's t with J - 1.

    Frames without a value are left out. Raises ValueError if fewer than two have one.
    """
    return frame_intervals(values[None, :], level=level, null_value=null_value)[0]


def frame_intervals(
    cells: Cells, *, level: float = LEVEL, null_value: float = np.nan
) -> list[Interval]:
    """`frame_interval` of each attribute of cells, [I, J]."""
    present = ~np.isnan(cells)
    counts = present.sum(1)
    if counts.min(initial=_LEAST) < _LEAST:
        message = f"an attribute has cells in {counts.min()} frames; expected at least {_LEAST}"
        raise ValueError(message)
    # Relative to the first known value, so that a constant attribute has variance exactly 0.
    base = np.take_along_axis(cells, present.argmax(1)[:, None], axis=1)
    relative = np.where(present, cells - base, 0.0)
    shift = relative.sum(1) / counts
    averages = base[:, 0] + shift
    spread = np.where(present, relative - shift[:, None], 0.0)
    variances = (spread**2).sum(1) / (counts - 1) / counts
    return [
        student(mean, variance, n - 1, level=level, null_value=null_value, v_frames=variance)
        for mean, variance, n in zip(
            averages.tolist(), variances.tolist(), counts.tolist(), strict=True
        )
    ]


def centred(cells: Cells) -> Cells:
    """Cells minus their frame's mean over attributes, [I, J]."""
    relative = cells - cells[:1]  # equal attributes give exactly 0
    centred_cells: Cells = relative - relative.mean(0, keepdims=True)
    return centred_cells


def shrunken(cells: Cells) -> Cells:
    """Best linear unbiased predictor of each attribute's deviation from the mean, [I].

    The deviation times 1 - MSE/MSA, the estimated share of its variance that is not noise; 0 for
    all attributes if MSA <= MSE.
    """
    ms = mean_squares(cells)
    weight = max(0.0, 1 - ms.residual / ms.attribute) if ms.attribute > 0 else 0.0
    deviations: Cells = weight * centred(completed(cells)).mean(1)
    return deviations


def _mean_of_clusters(
    cells: Cells, names: Sequence[Part], level: float, null_value: float
) -> Interval:
    """The mean of the known cells, with the variance over two-way clusters."""
    present = ~np.isnan(cells)
    if not present.any():
        return student(np.nan, np.nan, np.nan)
    mean = float(cells[present].mean())
    error = (cells[present] - mean) / present.sum()
    clustered = multiway(mean, error, list(np.argwhere(present).T))
    variance, df = satterthwaite([(clustered.std_error**2, clustered.df), *names])
    return student(mean, variance, df, level=level, null_value=null_value)


def _contrast_of_clusters(
    first: Cells, second: Cells, names: Sequence[Part], level: float, null_value: float
) -> Interval:
    """The difference of the classes' means over the known cells, with a two-way clustered variance.

    Attribute clusters are counted by class, so that a small class has its own few degrees of
    freedom.
    """
    n_frames = first.shape[1]
    estimate, by_frame = 0.0, np.zeros(n_frames)
    has_too_few = False
    attributes: list[Part] = []
    residuals: list[Part] = []
    for sign, cells in ((1.0, first), (-1.0, second)):
        present = ~np.isnan(cells)
        if not present.any():
            return student(np.nan, np.nan, np.nan)
        mean = float(cells[present].mean())
        error = np.where(present, sign * (cells - mean) / present.sum(), 0.0)
        n = int(present.any(1).sum())
        estimate += sign * mean
        # Added over both classes before it is squared, since they share their frames.
        by_frame += error.sum(0)
        # With many gaps, the cells may be fewer than the parameters of the additive fit.
        residual_df = max(1, int(present.sum()) - n - n_frames + 1)
        if n < _LEAST:
            has_too_few = True
            continue
        attributes.append((n / (n - 1) * float((error.sum(1) ** 2).sum()), n - 1))
        residuals.append((-float((error**2).sum()), residual_df))
    if has_too_few:
        return student(estimate, np.nan, np.nan)
    frames = (n_frames / (n_frames - 1) * float((by_frame**2).sum()), n_frames - 1)
    variance, df = satterthwaite([*floored(attributes, frames, residuals), *names])
    return student(estimate, variance, df, level=level, null_value=null_value)


def _at_least_two(cells: Cells) -> None:
    if cells.ndim == 0 or min(cells.shape) < _LEAST:
        message = f"cells of shape {cells.shape}; expected at least {_LEAST} of each factor"
        raise ValueError(message)
