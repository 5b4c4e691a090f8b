"""Whether two measures of the same attributes lean alike, with the noise of both taken out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from maskaudit.audit.estimating.statistics.crossed.anova import centred, strata
from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells, Interval, point, student

# A style of fewer frames does not say how much of an attribute's average in it is noise.
_LEAST_OF_STYLE = 2
# The style of each frame of both measures; empty where frames have none.
Styles = tuple[Sequence[str], Sequence[str]]


def convergence(
    first: Cells, second: Cells, styles: Styles = ((), ()), *, same_frames: bool = False
) -> Interval:
    """The correlation of attributes' averages over frames, were there no noise in either.

    Pearson's r corrected for attenuation (Spearman 1904): s_ab/√(s_aa s_bb), with s_aa the variance
    between attributes beyond noise, (MSA - MSE)/J, and s_ab the covariance of the averages; of two
    measures in the `same_frames`, in the same order, (MSA - MSE)/J of their products, for they
    share the noise of a frame. Right for leans of any distribution, which ranks over these
    variances would not be. With the `styles` of frames MSE is of frames of one style, pooled over
    the styles, and s what the averages over many frames of these very styles would vary: measures
    with styles in common share what a style adds to an attribute, and it is noise in neither. Where
    a style has a single frame, all count as of one. Rows are the same attributes, in [I, J] and
    [I, K] without gaps. Around -1 to 1; noise may carry it a little beyond.

    The interval has the standard error of a jackknife over attributes, on Fisher's scale of the
    correlation with the noise left in, which lies between -1 and 1: its limits are farther on the
    side of 0. Where shared noise carries that beyond, it is on the plain scale. Frames' own effects
    move all attributes alike, and what else a frame adds is part of what differs from attribute to
    attribute. Degrees of freedom are those of a variance of I values with their kurtosis k,
    2I/(k - 1) - 1, and I - 1 at most: where few attributes decide, few. NaN where a variance
    between attributes is not above 0, and without limits where it is not if one attribute is left
    out.
    """
    n = len(first)
    a, b = centred(first), centred(second)
    own, averages = _variances(a, a, styles[0])
    other, other_averages = _variances(b, b, styles[1])
    shared = _variances(a, b, styles[0])[0] if same_frames else _products(a, b)
    # Below 0 a variance has no root: the interval is then refused.
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where((own > 0) & (other > 0), shared / np.sqrt(own * other), np.nan)
        observed = float(shared[0] / np.sqrt(averages[0] * other_averages[0]))
    whole, without = float(found[0]), found[1:]
    if np.isnan(found).any():
        return point(whole)
    squares = (without - without.mean()) ** 2
    variance = (n - 1) / n * float(squares.sum())
    if variance == 0:
        return student(whole, variance, n - 1)
    kurtosis = float((squares**2).mean() / squares.mean() ** 2)
    # A kurtosis near 1 would divide by 0, and I - 1 is the limit there anyhow.
    df = min(n - 1, 2 * n / max(kurtosis - 1, 1) - 1)
    if not -1 < observed < 1:
        return student(whole, variance, df)
    # The correlation with the noise left in is `whole` times this.
    reliable = observed / whole if whole else 1.0
    wide = float(special.stdtrit(df, (1 + LEVEL) / 2) * np.sqrt(variance))
    z, half = np.arctanh(observed), wide * reliable / (1 - observed**2)
    low, high = (float(np.tanh(end) / reliable) for end in (z - half, z + half))
    return replace(student(whole, variance, df), low=low, high=high)


def _variances(a: Cells, b: Cells, styles: Sequence[str]) -> tuple[Cells, Cells]:
    """The covariance between attributes beyond noise, and of the averages as they are, [1 + I].

    Of cells less their frame's mean, [I, J] each. First of all attributes, then without each.
    """
    n_frames = a.shape[1]
    places = strata(styles, n_frames)
    if min(map(len, places)) < _LEAST_OF_STYLE:
        places = strata(None, n_frames)
    averages = _products(a, b)
    within = (a * b).sum(1)
    for place in places:
        within -= len(place) * a[:, place].mean(1) * b[:, place].mean(1)
    noise = _without_each(within) / (n_frames - len(places))
    return averages - noise / n_frames, averages


def _products(a: Cells, b: Cells) -> Cells:
    """The covariance of the averages over frames of cells less their frame's mean, [1 + I]."""
    return _without_each(a.mean(1) * b.mean(1))


def _without_each(products: Cells) -> Cells:
    """The mean product about the mean over all attributes, then without each, [1 + I]."""
    n = len(products)
    # Less a row, a sum of products about the mean falls by n/(n - 1) of the row's own product.
    rest: Cells = (products.sum() - n / (n - 1) * products) / (n - 2)
    return np.concatenate([[products.sum() / (n - 1)], rest])
