"""Means of cells and contrasts of classes, with intervals for new attributes and new frames.

Frames may be of several styles, which are averaged with equal weight; attributes may be of families
that behave alike. With many missing cells variances are computed over two-way clusters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.clusters import multiway
from maskaudit.audit.estimating.statistics.crossed.anova import (
    at_least_two,
    average,
    completed,
    fillable,
    mean_squares,
    strata,
)
from maskaudit.audit.estimating.statistics.crossed.families import Families, clusters, family_parts
from maskaudit.audit.estimating.statistics.interval import (
    LEVEL,
    Cells,
    Interval,
    Part,
    floored,
    satterthwaite,
    student,
)

# With fewer styles, nothing is said of other styles.
LEAST_STYLES = 5
_LEAST = 2
_Strata = Sequence[NDArray[np.intp]]


def mean_interval(  # noqa: PLR0913 - one number, and what is sampled in it
    cells: Cells,
    *,
    styles: Sequence[str] | None = None,
    families: Families = None,
    names: Sequence[Part] = (),
    level: float = LEVEL,
    null_value: float = np.nan,
) -> Interval:
    """Mean of cells, [I, J], for new attributes and frames (scope S2); with `names` new names (S3).

    V = (MSA + MSB - MSE)/n, floored at max(MSA, MSB)/n; degrees of freedom by Satterthwaite
    (docs/method.md, Intervals). `styles` and `families` as in `contrast_interval`. Cells that are
    not `fillable` get a two-way clustered variance. Raises ValueError on fewer than two attributes,
    or two frames of a style.
    """
    at_least_two(cells)
    places = _strata(styles, cells.shape[1])
    if not all(fillable(cells[:, own]) for own in places):
        return _mean_of_clusters(cells, places, families, names, level, null_value)
    # In a mean there is nothing that has to cancel, so that it is relative to 0.
    one = _of_class(cells, places, families, base=np.zeros((1, cells.shape[1])))
    frames = _frame_parts(one.by_frame, places)
    variance, df = satterthwaite([*floored(one.attributes, frames, one.residuals), *names])
    return student(
        average(np.array([average(completed(cells[:, own])) for own in places])),
        variance,
        df,
        level=level,
        null_value=null_value,
        v_frames=sum(value for value, _ in frames),
    )


def contrast_interval(  # noqa: PLR0913 - two classes, and what is sampled in them
    first: Cells,
    second: Cells,
    *,
    styles: Sequence[str] | None = None,
    families: tuple[Families, Families] = (None, None),
    names: Sequence[Part] = (),
    level: float = LEVEL,
    null_value: float = 0.0,
) -> Interval:
    """Stereotype contrast: mean of the first class minus mean of the second, in the same frames.

    Positive is stereotype-consistent if the stereotype ties the first class to the first group.
    V = sum_c var_i(mean_ci)/I_c + sum_s var_j(d_sj)/J_s/S^2 - sum_c sum_s MSE_cs/(I_c J_s)/S^2,
    floored at the larger of the first two terms; degrees of freedom by Satterthwaite
    (docs/method.md, Intervals). With the `styles` of the frames, S of them count alike, for new
    frames of the same styles; without, all frames are of one. With the `families` of a class its
    first term is that of families as the sample (`family_parts`). `names` and cells that are not
    `fillable` as in `mean_interval`. Raises ValueError on unequal numbers of frames, fewer than two
    attributes, or two frames of a style.
    """
    if first.shape[1] != second.shape[1]:
        message = (
            f"classes have {first.shape[1]} and {second.shape[1]} frames; expected the same number"
        )
        raise ValueError(message)
    at_least_two(first)
    at_least_two(second)
    places = _strata(styles, first.shape[1])
    pair = (first, second)
    if not all(fillable(cells[:, own]) for cells in pair for own in places):
        relative = _within_frames(first, second)
        return _contrast_of_clusters(relative, places, families, names, level, null_value)
    # Relative to one row of the first class, so that two equal classes differ by exactly 0.
    base = np.empty((1, first.shape[1]))
    # A gap in that row is filled first, or it would make its whole frame unknown.
    for own in places:
        row = first[:1, own]
        base[:, own] = completed(first[:, own])[:1] if np.isnan(row).any() else row
    parts = [_of_class(cells, places, own, base) for cells, own in zip(pair, families, strict=True)]
    difference = parts[0].by_frame - parts[1].by_frame
    frames = _frame_parts(difference, places)
    attributes = [part for own in parts for part in own.attributes]
    residuals = [part for own in parts for part in own.residuals]
    variance, df = satterthwaite([*floored(attributes, frames, residuals), *names])
    return student(
        average(np.array([average(difference[own]) for own in places])),
        variance,
        df,
        level=level,
        null_value=null_value,
        v_frames=sum(value for value, _ in frames),
    )


def other_styles(  # noqa: PLR0913 - as `contrast_interval`
    first: Cells,
    second: Cells,
    *,
    styles: Sequence[str],
    families: tuple[Families, Families] = (None, None),
    names: Sequence[Part] = (),
    level: float = LEVEL,
) -> Interval:
    """The stereotype contrast for new styles as well: styles stand where frames stood.

    The formula of `contrast_interval` on the means of the cells within styles, [I, S]; never
    narrower than the interval for these styles. Raises ValueError as `contrast_interval`, and on
    fewer than two styles.
    """
    of_these = contrast_interval(
        first, second, styles=styles, families=families, names=names, level=level
    )
    places = strata(styles, first.shape[1])
    pair = [
        np.stack([_known_mean(cells[:, own]) for own in places], axis=1)
        for cells in (first, second)
    ]
    of_others = contrast_interval(*pair, families=families, names=names, level=level)
    # Of few styles the variance between them may come out small by chance, and other styles are
    # never better known than these.
    wider = of_others if of_others.std_error >= of_these.std_error else of_these
    return student(
        of_these.estimate,
        wider.std_error**2,
        # The error of these styles stands in, at no more degrees of freedom than styles give.
        min(of_others.df, of_these.df) if wider is of_these else of_others.df,
        level=level,
        null_value=0.0,
    )


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


@dataclass(frozen=True)
class _Class:
    """The parts of one class: of its attributes, of the residual, and its mean by frame, [J]."""

    attributes: list[Part]
    residuals: list[Part]
    by_frame: Cells


def _of_class(cells: Cells, places: _Strata, families: Families, base: Cells) -> _Class:
    """The parts of a class whose cells are `fillable` in each style; means are relative to base."""
    n, n_styles = len(cells), len(places)
    by_frame = np.empty(cells.shape[1])
    by_attribute, residuals = np.zeros(n), []
    for own in places:
        filled = completed(cells[:, own])
        by_frame[own] = (filled - base[:, own]).mean(0)
        # Relative to the first row, so that constant cells have variance exactly 0.
        by_attribute += (filled - filled[:1]).mean(1) / n_styles
        squares = mean_squares(cells[:, own])
        value = -squares.residual / (n * len(own) * n_styles**2)
        residuals.append((value, float(squares.residual_df)))
    return _Class(family_parts(by_attribute, families), residuals, by_frame)


def _frame_parts(by_frame: Cells, places: _Strata) -> list[Part]:
    """The frames' parts of the variance: var/J_s of each style, divided by S squared."""
    n = len(places)
    return [(float(by_frame[own].var(ddof=1)) / len(own) / n**2, len(own) - 1.0) for own in places]


def _strata(styles: Sequence[str] | None, n_frames: int) -> _Strata:
    places = strata(styles, n_frames)
    if min(map(len, places)) < _LEAST:
        sizes = [len(own) for own in places]
        message = f"styles of {sizes} frames; expected at least {_LEAST} of each"
        raise ValueError(message)
    return places


def _within_frames(first: Cells, second: Cells) -> tuple[Cells, Cells]:
    """The cells of two classes relative to their frame, to the mean of the classes' means in it.

    What moves both classes alike would not cancel where they lack different cells of the frame, and
    clusters of frames would not see it. Cells of a frame in which the other class has none say
    nothing of the difference, and are left out.
    """
    base = (_known_mean(first.T) + _known_mean(second.T)) / 2
    return first - base, second - base


def _known_mean(cells: Cells) -> Cells:
    """The mean of each attribute's known cells, [I]; NaN if it has none."""
    present = ~np.isnan(cells)
    counts = present.sum(1)
    # Not `nanmean`, which warns of an attribute without a cell.
    sums = np.where(present, cells, 0.0).sum(1)
    means: Cells = np.divide(sums, counts, out=np.full(len(cells), np.nan), where=counts > 0)
    return means


def _mean_of_clusters(  # noqa: PLR0913, PLR0917 - as `mean_interval`
    cells: Cells,
    places: _Strata,
    families: Families,
    names: Sequence[Part],
    level: float,
    null_value: float,
) -> Interval:
    """The mean of the known cells, with the variance over two-way clusters."""
    errors, means = np.zeros(cells.shape), []
    present = ~np.isnan(cells)
    for own in places:
        known = present[:, own]
        # No other style can stand for one that has no cell at all.
        if not known.any():
            return student(np.nan, np.nan, np.nan)
        means.append(float(cells[:, own][known].mean()))
        relative = np.where(known, cells[:, own] - means[-1], 0.0)
        errors[:, own] = relative / known.sum() / len(places)
    mean = average(np.array(means))
    attributes, frames = np.argwhere(present).T
    factors = [clusters(families, len(cells))[attributes], frames]
    clustered = multiway(mean, errors[present], factors)
    variance, df = satterthwaite([(clustered.std_error**2, clustered.df), *names])
    return student(mean, variance, df, level=level, null_value=null_value)


def _contrast_of_clusters(  # noqa: PLR0913, PLR0917 - as `contrast_interval`
    pair: tuple[Cells, Cells],
    places: _Strata,
    families: tuple[Families, Families],
    names: Sequence[Part],
    level: float,
    null_value: float,
) -> Interval:
    """The difference of the classes' means over the known cells, with a two-way clustered variance.

    Attribute clusters are counted by class, so that a small class has its own few degrees of
    freedom.
    """
    n_frames, n_styles = pair[0].shape[1], len(places)
    by_frame = np.zeros(n_frames)
    estimates, has_too_few = [], False
    attributes: list[Part] = []
    residuals: list[Part] = []
    for sign, cells, own_families in zip((1.0, -1.0), pair, families, strict=True):
        present = ~np.isnan(cells)
        errors = np.zeros(cells.shape)
        for own in places:
            known = present[:, own]
            if not known.any():
                return student(np.nan, np.nan, np.nan)
            mean = float(cells[:, own][known].mean())
            estimates.append(sign * mean / n_styles)
            relative = np.where(known, sign * (cells[:, own] - mean), 0.0)
            errors[:, own] = relative / known.sum() / n_styles
        # Added over both classes before it is squared, since they share their frames.
        by_frame += errors.sum(0)
        rows = present.any(1)
        n = int(rows.sum())
        # With many gaps, the cells may be fewer than the parameters of the additive fit.
        residual_df = max(1, int(present.sum()) - n - n_frames + 1)
        if n < _LEAST:
            has_too_few = True
            continue
        codes = np.unique(clusters(own_families, len(cells))[rows], return_inverse=True)[1]
        sums = np.bincount(codes, weights=errors.sum(1)[rows])
        if len(sums) < _LEAST:
            has_too_few = True
            continue
        attributes.append((len(sums) / (len(sums) - 1) * float((sums**2).sum()), len(sums) - 1.0))
        residuals.append((-float((errors**2).sum()), float(residual_df)))
    if has_too_few:
        return student(sum(estimates), np.nan, np.nan)
    frames = [
        (len(own) / (len(own) - 1) * float((by_frame[own] ** 2).sum()), len(own) - 1.0)
        for own in places
    ]
    variance, df = satterthwaite([*floored(attributes, frames, residuals), *names])
    return student(sum(estimates), variance, df, level=level, null_value=null_value)
