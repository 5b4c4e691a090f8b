"""Contrasts of classes with covariates of their attributes held equal, by analysis of covariance.

The attributes' means are regressed on the class and on covariates, with slopes that both classes
share. The contrast is then a weighted sum over attributes, so that each frame has its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.crossed.anova import (
    at_least_two,
    average,
    completed,
    fillable,
    strata,
)
from maskaudit.audit.estimating.statistics.crossed.families import Families, clusters
from maskaudit.audit.estimating.statistics.interval import (
    LEVEL,
    Cells,
    Interval,
    Part,
    floored,
    satterthwaite,
    student,
)

_LEAST = 2
# Relative size below which a singular value, or a difference of classes that no slope can tell of,
# is a rounding error.
_ROUNDING = 1e-9
_Pair = tuple[Cells, Cells]


@dataclass(frozen=True)
class Fit:
    """The least squares of two classes and their covariates, whatever the values are.

    `weights`, [I], sum to 1 over the first class and to -1 over the second, and to 0 over each
    covariate: the sum of weighted values is the adjusted contrast. `residual`, [I, I], takes from
    values their class's mean and the slopes. `sizes` are those of the classes.
    """

    weights: Cells
    residual: Cells
    sizes: tuple[int, int]

    @property
    def places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The places of each class's attributes."""
        first, both = self.sizes[0], sum(self.sizes)
        return np.arange(first), np.arange(first, both)

    @property
    def freedoms(self) -> tuple[float, float]:
        """The residual degrees of freedom of each class: its attributes less 1 and its leverage.

        They add up to all attributes less 2 and the number of slopes.
        """
        first, second = (float(np.diag(self.residual)[own].sum()) for own in self.places)
        return first, second


def fit(first: Cells, second: Cells) -> Fit:
    """The fit of two classes with covariates, [I_c, p]; covariates may depend on one another.

    With x the covariates less their class's mean, X+ its pseudo-inverse and d the difference of the
    classes' means: weights +-1/I_c - (X+)' d. Raises ValueError where the classes differ in what
    does not vary within them, so that no slope says what the difference does.
    """
    sizes = (len(first), len(second))
    both = np.concatenate([first, second])
    # Of one scale, so that a rounding error is told from a small covariate.
    scale = both.std(0)
    both = (both - both.mean(0)) / np.where(scale > 0, scale, 1.0)
    parts = (both[: sizes[0]], both[sizes[0] :])
    apart = parts[0].mean(0) - parts[1].mean(0)
    within = np.concatenate([own - own.mean(0) for own in parts])
    # What is the same for a whole class is so exactly, and no slope is fitted to its last bits.
    within[np.abs(within) < _ROUNDING] = 0.0
    inverse = np.linalg.pinv(within, rcond=_ROUNDING)
    told = inverse @ within @ apart
    if np.abs(told - apart).max(initial=0.0) > np.sqrt(_ROUNDING):
        message = "the classes differ in a covariate that does not vary within them"
        raise ValueError(message)
    base = np.concatenate([np.full(sizes[0], 1 / sizes[0]), np.full(sizes[1], -1 / sizes[1])])
    residual = np.eye(sum(sizes)) - within @ inverse
    start = 0
    # The class's means are taken out apart from the slopes: `within` is centred, so that the two do
    # not overlap.
    for size in sizes:
        residual[start : start + size, start : start + size] -= 1 / size
        start += size
    return Fit(base - inverse.T @ apart, residual, sizes)


def adjusted_interval(  # noqa: PLR0913 - two classes, and what is sampled in them
    first: Cells,
    second: Cells,
    line: Fit,
    *,
    styles: Sequence[str] | None = None,
    families: tuple[Families, Families] = (None, None),
    names: Sequence[Part] = (),
    level: float = LEVEL,
    null_value: float = 0.0,
) -> Interval:
    """The contrast of two classes, cells [I_c, J], with covariates held equal (scope S2).

    V = sum_c s2_c W_c + sum_s var_j(d_sj)/J_s/S^2 - sum_c W_c sum_s MSE_cs/J_s/S^2, floored at the
    larger of the first two terms, where d is the weighted sum in each frame, W_c the sum of squared
    weights of a class, and s2_c and MSE_cs the variances of what class, slopes and frames leave, of
    attributes and of cells; degrees of freedom by Satterthwaite (docs/method.md, Intervals). With
    covariates that do not vary it is `contrast_interval`, whose other arguments it shares. Raises
    ValueError on cells that are not `fillable`, unequal numbers of frames, no residual degrees of
    freedom in a class, fewer than two attributes, or two frames of a style.
    """
    places = strata(styles, first.shape[1])
    pair = (first, second)
    _check(pair, line, places)
    n_styles = len(places)
    # Relative to one row, so that two equal classes differ by exactly 0.
    filled = np.concatenate([np.hstack([completed(own[:, j]) for j in places]) for own in pair])
    values = np.empty_like(filled)
    values[:, np.concatenate(places)] = filled - filled[:1]
    by_frame = line.weights @ values
    left = line.residual @ values
    attributes, residuals = [], []
    means = np.stack([left[:, own].mean(1) for own in places]).mean(0)
    family = _families(families, line.sizes)
    for rows, cells, df in zip(line.places, pair, line.freedoms, strict=True):
        weight = float((line.weights[rows] ** 2).sum())
        attributes += _attribute_parts(means, line, rows, family)
        for own in places:
            off = left[np.ix_(rows, own)] - left[np.ix_(rows, own)].mean(1, keepdims=True)
            # A cell that was filled adds nothing here, and costs a degree of freedom (Yates 1933).
            own_df = df * (len(own) - 1) - int(np.isnan(cells[:, own]).sum())
            square = float((off**2).sum()) / own_df if own_df > 0 else np.nan
            residuals.append((-weight * square / len(own) / n_styles**2, own_df))
    frames = [
        (float(by_frame[own].var(ddof=1)) / len(own) / n_styles**2, len(own) - 1.0)
        for own in places
    ]
    variance, df = satterthwaite([*floored(attributes, frames, residuals), *names])
    return student(
        average(np.array([average(by_frame[own]) for own in places])),
        variance,
        df,
        level=level,
        null_value=null_value,
        v_frames=sum(value for value, _ in frames),
    )


def _families(families: tuple[Families, Families], sizes: tuple[int, int]) -> NDArray[np.intp]:
    """The number of each attribute's family, [I]; families of two classes are two."""
    first, second = (clusters(own, n) for own, n in zip(families, sizes, strict=True))
    # Classes are sampled apart: a family of that name in the other one is another draw.
    return np.concatenate([first, second + first.max() + 1])


def _attribute_parts(
    means: Cells, line: Fit, rows: NDArray[np.intp], family: NDArray[np.intp]
) -> list[Part]:
    """The variance parts of the attributes of one class, whose places are `rows`.

    `means` are what class and slopes leave of the attributes' means, [I]. With families the squares
    between and within them are held against what they are on average for a variance of attributes
    and one of families (the method of moments, Searle 1971); where that of families is not above 0
    it is left out, as `family_parts` does.
    """
    weights = line.weights[rows]
    weight, total = float((weights**2).sum()), float((means[rows] ** 2).sum())
    df = float(np.diag(line.residual)[rows].sum())
    alone = [(weight * total / df, df)]
    if len(np.unique(family[rows])) == len(rows):
        return alone
    inside = (family[rows][:, None] == family[rows][None, :]).astype(float)
    between = inside / inside.sum(1) - 1 / len(rows)
    within = np.eye(len(rows)) - 1 / len(rows) - between
    squares = np.array([means[rows] @ part @ means[rows] for part in (between, within)])
    left = line.residual[rows]
    # Families of both classes: by the common slopes each class's residuals hold a part of the
    # other.
    together = (family[:, None] == family[None, :]).astype(float)
    # What each square is on average, by attributes' variance and by families'.
    expected = np.array(
        [
            [np.trace(left.T @ part @ left), np.trace(left @ together @ left.T @ part)]
            for part in (between, within)
        ]
    )
    of_variances = np.linalg.pinv(expected, rcond=_ROUNDING)
    if (of_variances @ squares)[1] <= 0:
        return alone
    by_family = np.bincount(family[rows], weights=weights)
    # Both variances are linear in the two squares, so their sum is too, and each square keeps its
    # degrees of freedom.
    shares = np.array([weight, float((by_family**2).sum())]) @ of_variances
    return [
        (float(share * square), float(freedom))
        for share, square, freedom in zip(shares, squares, expected[:, 0], strict=True)
    ]


def _check(pair: _Pair, line: Fit, places: Sequence[NDArray[np.intp]]) -> None:
    """Raise ValueError on cells that cannot be adjusted with this fit."""
    for cells, size in zip(pair, line.sizes, strict=True):
        at_least_two(cells)
        if cells.shape != (size, pair[0].shape[1]):
            message = (
                f"cells of shape {cells.shape}; expected {size} attributes in the "
                f"{pair[0].shape[1]} frames of the first class"
            )
            raise ValueError(message)
    if min(map(len, places)) < _LEAST:
        message = f"styles of {[len(own) for own in places]} frames; expected at least {_LEAST}"
        raise ValueError(message)
    if not all(fillable(cells[:, own]) for cells in pair for own in places):
        message = "more than 5 % of the cells are missing; expected fewer to hold covariates equal"
        raise ValueError(message)
    if min(line.freedoms) < 1:
        message = "a class has fewer attributes than the slopes take; expected more"
        raise ValueError(message)
