"""The likeliest change point of a series, with a p value that holds at every look."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.interval import Cells

# With eleven values even a step of any size against no scatter leaves p above .05.
LEAST_VALUES = 12
# A single outlying value is not a level.
LEAST_SIDE = 2
# The SD of the steps that the test is made for, in standard deviations of the scatter. With 2,
# series of skewed scatter would show a change in more than .05 of steady years.
STEP = 1.0
# Half of the prior weight lies on changes within this many values after the first `LEAST_SIDE`.
HALF = 20
# Relative to the largest value: smaller differences are rounding errors of sums.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Change:
    """The likeliest step of a series, and the anytime-valid p value against no step.

    `place` is the index of the first value after the step; `before` and `after` are the mean levels
    on its two sides. `p` accounts for the search over all places and for a look after every value.
    Among steps that explain equally much, it is the first. If the values do not vary, `p` is 1 and
    `place` is the first place searched.
    """

    place: int
    before: float
    after: float
    p: float

    @property
    def step(self) -> float:
        """The level after minus the level before, in the unit of the series."""
        return self.after - self.before


def change_point(values: Cells) -> Change | None:
    """The step that explains most of a series [n], oldest first; None below `LEAST_VALUES` values.

    The place is that of the largest standardised difference of the means before and after it, with
    at least `LEAST_SIDE` values on either side. p is 1/E, at most 1, with E the mean of the
    e-values of all places, those to come included, weighted by a prior on the place (`_weights`).
    The e-value of a place is the Bayes factor of the t test of two means: a step of unknown size,
    N(0, STEP²) in standard deviations of the scatter, against none, whatever level and scatter are
    (Gönen et al. 2005). Such factors stay below 1/alpha at all times together with probability
    1 - alpha (Pérez-Ortiz et al. 2024), so p may be looked at after each value; a p that accounts
    for the search alone is below .05 at some look of a year in 4 of 10 steady series.

    The null hypothesis is independent normal scatter around one level. The standard errors of
    single values are not used: versions that answer the same probes share errors that do not
    scatter between them, but their standard errors include these in full. A slow drift gives a
    small p as a step does. So does a series that wanders, for example if each version is trained on
    from the one before; p then shows only that the order matters. Raises ValueError for values that
    are not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("the series has values that are not finite; expected finite numbers only")
    n = len(values)
    if n < LEAST_VALUES:
        return None
    centred = values - values.mean()
    scale = np.abs(centred).max()
    # Rounding errors alone would otherwise be scaled up to look like scatter.
    if scale <= _ROUNDING * np.abs(values).max():
        return _at(values, LEAST_SIDE, 1.0)
    # Squares of scaled values neither overflow nor vanish.
    shares = _explained(centred / scale)
    # Equal steps differ by rounding, which would let the unit of the series choose among them.
    place = LEAST_SIDE + int((shares >= shares.max() * (1 - _ROUNDING)).argmax())
    return _at(values, place, min(1.0, 1.0 / _evidence(shares, n)))


def _explained(centred: Cells) -> Cells:
    """The share of the sum of squares that a step explains at every place, from values of mean 0.

    With t that of the two means at a place, it is t²/(t² + n - 2).
    """
    n = len(centred)
    place = np.arange(LEAST_SIDE, n - LEAST_SIDE + 1)
    # The values sum to 0, so the sum before a place determines the one after it.
    total = centred.cumsum()[place - 1]
    shares: Cells = total**2 * n / (place * (n - place)) / (centred**2).sum()
    return shares


def _evidence(shares: Cells, n: int) -> float:
    """E: the e-values of the places weighted by the prior; 1 for each place that is not searched.

    The e-value of a place with n_1 values before it and n_2 after is (1 + g)^(-1/2)
    (1 - s g/(1 + g))^(-(n - 1)/2), with g = STEP² n_1 n_2/n and s the share explained.
    """
    place = np.arange(LEAST_SIDE, n - LEAST_SIDE + 1)
    g = STEP**2 * place * (n - place) / n
    # In logs, by `log1p`: 1 less a small share would be rounded before its log is taken.
    log_e = -np.log1p(g) / 2 - (n - 1) / 2 * np.log1p(-shares * g / (1 + g))
    weights = _weights(place)
    with np.errstate(over="ignore"):  # an e-value that overflows is infinite
        return float((weights * np.exp(log_e)).sum() + 1 - weights.sum())


def _weights(place: NDArray[np.int_]) -> Cells:
    """The prior weight of each place, h/((k + h - 1)(k + h)) for the k-th; all of them sum to 1."""
    k = place - LEAST_SIDE + 1
    weights: Cells = HALF / ((k + HALF - 1) * (k + HALF))
    return weights


def _at(values: Cells, place: int, p: float) -> Change:
    return Change(place, float(values[:place].mean()), float(values[place:].mean()), p)
