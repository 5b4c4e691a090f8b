"""Whether two measures rank the same attributes alike, with the noise of both taken out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.crossed.anova import centred, strata
from maskaudit.audit.estimating.statistics.interval import Cells, Interval, point, student

# A style of fewer frames does not say how much of an attribute's average in it is noise.
_LEAST_OF_STYLE = 2
# The style of each frame of both measures; empty where frames have none.
Styles = tuple[Sequence[str], Sequence[str]]
# Frames of the first measure, and those of the second that its averages are held against.
Halves = tuple[NDArray[np.intp], NDArray[np.intp]]


def halves(styles: Sequence[str], n_frames: int) -> list[Halves]:
    """Every second frame of each style against the others, and the other way round.

    For two measures in the same frames, which share the noise of a frame: held against each other
    in different frames alone they do not. `styles` has the style of each frame, or is empty.
    """
    turns: dict[str, int] = {}
    is_first = np.zeros(n_frames, dtype=bool)
    for place, style in enumerate(styles or [""] * n_frames):
        turns[style] = turns.get(style, len(turns)) + 1
        is_first[place] = turns[style] % 2 == 0
    first, second = np.flatnonzero(is_first), np.flatnonzero(~is_first)
    return [(first, second), (second, first)]


def convergence(
    first: Cells,
    second: Cells,
    ways: Sequence[Halves] | None = None,
    styles: Styles = ((), ()),
) -> Interval:
    """The rank correlation of attributes' averages over frames, were there no noise in either.

    Spearman's rho over the square root of both reliabilities (Spearman 1904): rho/√(G_A G_B) with
    G = s2_a/(s2_a + s2_e/J) for averages over J frames, as in `reliability`. With the `styles` of
    frames s2_e is of frames of one style, pooled over the styles, and s2_a what the averages over
    many frames of these very styles would vary: measures with styles in common share what a style
    adds to an attribute, and it is noise in neither. Where a style has a single frame, all count
    as of one. Rows are the same attributes, in [I, J] and [I, K] without gaps; the frames are
    others unless `ways` says which are held against which, and the number is then the mean over
    these. Around -1 to 1; noise may carry it a little beyond. The interval is a jackknife over
    attributes with Student's t of I - 1: frames' own effects move all attributes alike, and what
    else a frame adds is part of what differs from attribute to attribute. NaN where a variance
    between attributes is not above 0, and without limits where it is not if one attribute is left
    out.
    """
    n = len(first)
    everywhere = [(np.arange(first.shape[1]), np.arange(second.shape[1]))]
    chosen = everywhere if ways is None else ways
    (own, noise), (other, other_noise) = map(_variances, (first, second), styles)
    if not min(own[0], other[0]) > 0:
        return point(np.nan)
    found = np.zeros(n + 1)
    for columns, others in chosen:
        rho = _correlations(_ranks(first[:, columns].mean(1)), _ranks(second[:, others].mean(1)))
        # Below 0 a variance has no root: the interval is then refused.
        with np.errstate(invalid="ignore", divide="ignore"):
            reliable = np.sqrt(own / (own + noise / len(columns)))
            found += rho / (reliable * np.sqrt(other / (other + other_noise / len(others))))
    whole, without = float(found[0]) / len(chosen), found[1:] / len(chosen)
    if np.isnan(without).any():
        return point(whole)
    variance = (n - 1) / n * float(((without - without.mean()) ** 2).sum())
    return student(whole, variance, n - 1)


def _variances(cells: Cells, styles: Sequence[str]) -> tuple[Cells, Cells]:
    """The variance between attributes, and of the noise of a cell, [1 + I].

    First of all attributes, then without each. A negative variance between attributes is NaN.
    """
    n, n_frames = cells.shape
    own = centred(cells)
    places = strata(styles, n_frames)
    if min(map(len, places)) < _LEAST_OF_STYLE:
        places = strata(None, n_frames)
    # Less a row, a sum of squares about the mean falls by n/(n - 1) of the row's own square.
    lost = np.concatenate([[0.0], np.full(n, n / (n - 1))])
    size = np.concatenate([[n - 1.0], np.full(n, n - 2.0)])

    def squares(by_attribute: Cells) -> Cells:
        return by_attribute.sum() - lost * np.concatenate([[0.0], by_attribute])

    between = n_frames * squares(own.mean(1) ** 2)
    of_styles = sum(len(place) * squares(own[:, place].mean(1) ** 2) for place in places)
    noise = (squares((own**2).sum(1)) - of_styles) / size / (n_frames - len(places))
    variance = (between / size - noise) / n_frames
    return np.where(variance > 0, variance, np.nan), noise


def _ranks(values: Cells) -> Cells:
    """The ranks of values, [1 + I, I]: first among all, then among all but each; NaN for that one.

    Equal values have the mean of their ranks.
    """
    above = (values[None, :] > values[:, None]) + (values[None, :] == values[:, None]) / 2
    ranks = above.sum(0) + 0.5
    without = ranks - above
    np.fill_diagonal(without, np.nan)
    both: Cells = np.concatenate([ranks[None, :], without])
    return both


def _correlations(first: Cells, second: Cells) -> Cells:
    """The correlation of each row with the same row, [1 + I]."""
    a, b = (own - np.nanmean(own, axis=1, keepdims=True) for own in (first, second))
    with np.errstate(invalid="ignore"):
        found: Cells = np.nansum(a * b, 1) / np.sqrt(np.nansum(a**2, 1) * np.nansum(b**2, 1))
    return found
