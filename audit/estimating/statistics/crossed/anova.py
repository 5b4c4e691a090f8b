"""Two-way analysis of variance of cells: mean squares, missing cells, and means over frames.

A few missing cells are filled by the additive fit (Yates 1933).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.interval import (
    LEVEL,
    Cells,
    Interval,
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
    at_least_two(cells)
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
    # The mean of equal numbers may differ from them in its last bit; that of zeros does not.
    first = values.flat[0]
    return float(first + (values - first).mean())


def strata(labels: Sequence[str] | None, n: int) -> list[NDArray[np.intp]]:
    """The places of each label among `n` frames, labels in sorted order; all in one without labels.

    Raises ValueError if the labels are not `n`.
    """
    if not labels:
        return [np.arange(n)]
    if len(labels) != n:
        message = f"{len(labels)} styles for {n} frames; expected one for each frame"
        raise ValueError(message)
    names = np.array(labels)
    # Sorted, so that sums over styles do not depend on the order of the frames.
    return [np.flatnonzero(names == name) for name in sorted(set(labels))]


def style_means(cells: Cells, styles: Sequence[str] | None = None) -> Cells:
    """The mean over styles of the mean over their frames, [I], of cells [I, J] without gaps."""
    places = strata(styles, cells.shape[1])
    means: Cells = np.stack([cells[:, own].mean(1) for own in places]).mean(0)
    return means


def frame_interval(
    values: Cells,
    *,
    styles: Sequence[str] | None = None,
    level: float = LEVEL,
    null_value: float = np.nan,
) -> Interval:
    """Mean over frames, [J], for this attribute in new frames (scope S1); Student's t with J - 1.

    Frames without a value are left out. Raises ValueError as `frame_intervals`.
    """
    return frame_intervals(values[None, :], styles=styles, level=level, null_value=null_value)[0]


def frame_intervals(
    cells: Cells,
    *,
    styles: Sequence[str] | None = None,
    level: float = LEVEL,
    null_value: float = np.nan,
) -> list[Interval]:
    """`frame_interval` of each attribute of cells, [I, J].

    With the `styles` of the frames, the mean over styles of the mean over their frames, for new
    frames of the same styles: the sum over styles of var/J_s, divided by S squared, with
    Satterthwaite's degrees of freedom. Raises ValueError if fewer than two frames, or two of a
    style, have a value.
    """
    means, parts = [], []
    for places in strata(styles, cells.shape[1]):
        chosen = cells[:, places]
        present = ~np.isnan(chosen)
        counts = present.sum(1)
        if counts.min(initial=_LEAST) < _LEAST:
            message = f"an attribute has cells in {counts.min()} frames; expected at least {_LEAST}"
            raise ValueError(message)
        # Relative to the first known value, so that a constant attribute has variance exactly 0.
        base = np.take_along_axis(chosen, present.argmax(1)[:, None], axis=1)
        relative = np.where(present, chosen - base, 0.0)
        shift = relative.sum(1) / counts
        spread = np.where(present, relative - shift[:, None], 0.0)
        means.append(base[:, 0] + shift)
        parts.append(((spread**2).sum(1) / (counts - 1) / counts, counts - 1))
    n = len(means)
    averages = [average(np.array(values)) for values in zip(*means, strict=True)]
    by_style = [
        list(zip((variance / n**2).tolist(), df.tolist(), strict=True)) for variance, df in parts
    ]
    intervals = []
    for mean, own in zip(averages, zip(*by_style, strict=True), strict=True):
        variance, df = satterthwaite(own)
        intervals.append(
            student(mean, variance, df, level=level, null_value=null_value, v_frames=variance)
        )
    return intervals


def centred(cells: Cells) -> Cells:
    """Cells minus their frame's mean over attributes, [I, J]."""
    relative = cells - cells[:1]  # equal attributes give exactly 0
    centred_cells: Cells = relative - relative.mean(0, keepdims=True)
    return centred_cells


def shrunken(cells: Cells, styles: Sequence[str] | None = None) -> Cells:
    """Best linear unbiased predictor of each attribute's deviation from the mean, [I].

    The deviation (`style_means`) times 1 - MSE/MSA, the estimated share of its variance that is not
    noise; 0 for all attributes if MSA <= MSE.
    """
    ms = mean_squares(cells)
    # By chance noise may be larger than all differences: a negative weight would turn them round.
    weight = max(0.0, 1 - ms.residual / ms.attribute) if ms.attribute > 0 else 0.0
    deviations: Cells = weight * style_means(centred(completed(cells)), styles)
    return deviations


def at_least_two(cells: Cells) -> None:
    """Raise ValueError on cells of fewer than two attributes or two frames."""
    if cells.ndim == 0 or min(cells.shape) < _LEAST:
        message = f"cells of shape {cells.shape}; expected at least {_LEAST} of each factor"
        raise ValueError(message)
