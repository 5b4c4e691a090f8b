"""The interval of a contrast without each frame, or each attribute, made of sums over all cells."""

from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from maskaudit.audit.estimating.statistics.crossed.anova import strata
from maskaudit.audit.estimating.statistics.crossed.families import Families, clusters
from maskaudit.audit.estimating.statistics.crossed.means import contrast_interval
from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells, Part

_LEAST = 2
_Pair = tuple[Cells, Cells]
_Families = tuple[Families, Families]
_Mask = NDArray[np.bool_]


class Limits(NamedTuple):
    """The lower and the upper limits of K intervals, [K]; NaN where one could not be made."""

    low: Cells
    high: Cells

    @property
    def leave_zero_out(self) -> _Mask:
        """Whether each interval excludes 0, [K]."""
        return (self.low > 0) | (self.high < 0)


class _Left(NamedTuple):
    """What is left in each of K contrasts: the attributes of both classes, [K, I_c], and frames."""

    attributes: tuple[_Mask, _Mask]
    frames: _Mask


class _Parts(NamedTuple):
    """Parts of K variances and their degrees of freedom, both [parts, K]."""

    values: Cells
    df: Cells


def without_frames(
    first: Cells,
    second: Cells,
    *,
    styles: Sequence[str] | None = None,
    families: _Families = (None, None),
    names: Sequence[Part] = (),
) -> Limits:
    """The limits of `contrast_interval` without each of the frames, [J].

    Arguments are those of `contrast_interval`, and so are the errors: of each style two frames have
    to be left.
    """
    pair, n_frames = (first, second), first.shape[1]
    everyone = [np.ones((n_frames, len(cells)), dtype=bool) for cells in pair]
    left = _Left((everyone[0], everyone[1]), ~np.eye(n_frames, dtype=bool))
    return _limits(pair, left, styles, families, [names] * n_frames)


def without_attributes(
    first: Cells,
    second: Cells,
    *,
    styles: Sequence[str] | None = None,
    families: _Families = (None, None),
    names: Sequence[Sequence[Part]] | None = None,
) -> Limits:
    """The limits of `contrast_interval` without each attribute, [I]: of the first class, then both.

    `names` are the parts of the names without each. Other arguments are those of
    `contrast_interval`, and so are the errors: of each class two attributes and two families have
    to be left.
    """
    pair, n_first, n = (first, second), len(first), len(first) + len(second)
    others = ~np.eye(n, dtype=bool)
    left = _Left(
        (others[:, :n_first], others[:, n_first:]), np.ones((n, first.shape[1]), dtype=bool)
    )
    return _limits(pair, left, styles, families, names or [()] * n)


def _limits(
    pair: _Pair,
    left: _Left,
    styles: Sequence[str] | None,
    families: _Families,
    names: Sequence[Sequence[Part]],
) -> Limits:
    """The limits of K contrasts, each of the attributes and frames that it has left."""
    # Gaps are filled anew each time, or the variance is one of clusters: no sums are shared.
    if any(np.isnan(cells).any() for cells in pair):
        return _one_by_one(pair, left, styles, families, names)
    places = strata(styles, pair[0].shape[1])
    sizes = [own.sum(1) for own in (*left.attributes, *(left.frames[:, own] for own in places))]
    if np.min(sizes) < _LEAST:
        message = (
            "a class would have one attribute left, or a style one frame; expected at least "
            f"{_LEAST} of each"
        )
        raise ValueError(message)
    # Relative to one row, as in `contrast_interval`: two equal classes differ by exactly 0.
    relative = (pair[0] - pair[0][:1], pair[1] - pair[0][:1])
    estimate, frames = _frame_parts(relative, left, places)
    attributes = [
        _attribute_parts(_by_attribute(cells, left.frames, places), own, of)
        for cells, own, of in zip(relative, left.attributes, families, strict=True)
    ]
    residuals = [
        _residual_parts(cells, own, left.frames, places)
        for cells, own in zip(relative, left.attributes, strict=True)
    ]
    return _student(estimate, _joined(attributes), frames, _joined(residuals), names)


def _one_by_one(
    pair: _Pair,
    left: _Left,
    styles: Sequence[str] | None,
    families: _Families,
    names: Sequence[Sequence[Part]],
) -> Limits:
    limits = []
    for *rows, frames, parts in zip(*left.attributes, left.frames, names, strict=True):
        cells = [own[chosen][:, frames] for own, chosen in zip(pair, rows, strict=True)]
        kept = [of and list(compress(of, own)) for of, own in zip(families, rows, strict=True)]
        found = contrast_interval(
            *cells,
            styles=styles and list(compress(styles, frames)),
            families=(kept[0], kept[1]),
            names=parts,
        )
        limits.append((found.low, found.high))
    low, high = np.array(limits).T
    return Limits(low, high)


def _by_attribute(cells: Cells, frames: _Mask, places: Sequence[NDArray[np.intp]]) -> Cells:
    """The mean over styles of each attribute's mean over the frames that are left, [K, I]."""
    means = [_mean(frames[:, own], cells[:, own].T) for own in places]
    by_attribute: Cells = np.mean(means, axis=0)
    return by_attribute


def _mean(left: _Mask, values: Cells) -> Cells:
    """The means of what is left, [K, m], of values [n, m]."""
    # As a product, which is why cells with gaps go another way: 0 times NaN is NaN.
    means: Cells = left.astype(float) @ values / left.sum(1, keepdims=True)
    return means


def _spread(values: Cells, left: _Mask) -> tuple[Cells, Cells, Cells]:
    """Of the values that are left, [K, n]: mean and variance, and each less the first of them."""
    first = np.take_along_axis(values, left.argmax(1)[:, None], axis=1)
    # Relative to the first, so that equal values have variance exactly 0.
    relative = np.where(left, values - first, 0.0)
    n = left.sum(1)
    shift = relative.sum(1) / n
    squares = np.where(left, relative - shift[:, None], 0.0) ** 2
    return first[:, 0] + shift, squares.sum(1) / (n - 1), relative


def _frame_parts(
    pair: _Pair, left: _Left, places: Sequence[NDArray[np.intp]]
) -> tuple[Cells, _Parts]:
    """The estimates, [K], and the frames' parts of their variances."""
    first, second = (_mean(own, cells) for own, cells in zip(left.attributes, pair, strict=True))
    by_frame, n_styles = first - second, len(places)
    means, values, df = [], [], []
    for own in places:
        mean, variance, _ = _spread(by_frame[:, own], left.frames[:, own])
        n = left.frames[:, own].sum(1)
        means.append(mean)
        values.append(variance / n / n_styles**2)
        df.append(n - 1.0)
    return np.mean(means, axis=0), _Parts(np.array(values), np.array(df))


def _attribute_parts(means: Cells, left: _Mask, families: Families) -> _Parts:
    """`family_parts` of the means that are left, [K, I]: two parts, of which one may be 0."""
    _, variance, relative = _spread(means, left)
    n = left.sum(1)
    alone, nothing = variance / n, np.zeros(len(n))
    code = clusters(families, means.shape[1])
    of_family = np.eye(code.max() + 1)[code]
    sizes = left @ of_family
    n_families = (sizes > 0).sum(1)
    if (n_families == n).all():
        return _Parts(np.array([alone, nothing]), np.array([n - 1.0, nothing + 1]))
    by_family = np.divide(relative @ of_family, sizes, out=np.zeros(sizes.shape), where=sizes > 0)
    mean = relative.sum(1, keepdims=True) / n[:, None]
    between = (sizes * (by_family - mean) ** 2).sum(1) / (n_families - 1)
    inside = np.where(left, relative - by_family[:, code], 0.0)
    # Where every family has one attribute left, none of this is used.
    n_within = np.maximum(1, n - n_families)
    within = (inside**2).sum(1) / n_within
    mean_size = (sizes**2).sum(1) / n
    share = mean_size * (n_families - 1) / np.where(n > n_families, n - mean_size, 1.0)
    sampled = (n_families < n) & (between > within)
    return _Parts(
        np.where(sampled, [share * between / n, (1 - share) * within / n], [alone, nothing]),
        np.where(sampled, [n_families - 1.0, n_within], [n - 1.0, nothing + 1]),
    )


def _residual_parts(
    cells: Cells, left: _Mask, frames: _Mask, places: Sequence[NDArray[np.intp]]
) -> _Parts:
    """The parts of the residual of one class, a negative one a style.

    Without row i of n, SS - n/(n - 1) SS_i is left of the residuals' squares, where SS_i are those
    of the row in the whole table, and likewise without a column.
    """
    n_styles, values, df = len(places), [], []
    for own in places:
        residuals = cells[:, own] - cells[:, own].mean(0)
        squares = (residuals - residuals.mean(1, keepdims=True)) ** 2
        n, n_frames = left.sum(1), frames[:, own].sum(1)
        of_rows, of_columns = squares.sum(1), squares.sum(0)
        lost_rows = (~left @ of_rows) * len(cells) / (len(cells) - 1)
        lost_columns = (~frames[:, own] @ of_columns) * len(own) / (len(own) - 1)
        # Nothing but a rounding error may be below 0.
        square = np.maximum(0.0, squares.sum() - lost_rows - lost_columns)
        df.append((n - 1.0) * (n_frames - 1))
        values.append(-square / df[-1] / (n * n_frames * n_styles**2))
    return _Parts(np.array(values), np.array(df))


def _joined(parts: Sequence[_Parts]) -> _Parts:
    return _Parts(*(np.concatenate(own) for own in zip(*parts, strict=True)))


def _student(
    estimate: Cells,
    attributes: _Parts,
    frames: _Parts,
    residuals: _Parts,
    names: Sequence[Sequence[Part]],
) -> Limits:
    """The limits by `floored`, `satterthwaite` and `student`, of K contrasts at once."""
    sums = [part.values.sum(0) for part in (attributes, frames, residuals)]
    is_whole = sum(sums) >= np.maximum(*sums[:2])
    is_attributes = sums[0] >= sums[1]
    of_names = np.array(names, dtype=float).reshape(len(names), len(names[0]), 2)
    chosen = [
        np.where(is_whole | is_attributes, attributes.values, 0.0),
        np.where(is_whole | ~is_attributes, frames.values, 0.0),
        np.where(is_whole, residuals.values, 0.0),
        of_names[:, :, 0].T,
    ]
    values = np.concatenate(chosen)
    df = np.concatenate([attributes.df, frames.df, residuals.df, of_names[:, :, 1].T])
    variance = values.sum(0)
    # A part of 0 may have unknown degrees of freedom.
    spread = np.where(values != 0, values**2 / np.where(values != 0, df, 1.0), 0.0).sum(0)
    known = variance > 0
    freedom = np.divide(variance**2, spread, out=np.ones(len(variance)), where=known)
    half = special.stdtrit(freedom, (1 + LEVEL) / 2) * np.sqrt(np.where(known, variance, 0.0))
    return Limits(estimate - half, estimate + half)
