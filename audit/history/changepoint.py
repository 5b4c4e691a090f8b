"""The likeliest change point of a series, with a permutation p value for the step."""

from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.statistics.interval import Cells

# With seven values, two of the 35 ways to split them give the largest step, so p stays above .05.
LEAST_VALUES = 8
# A single outlying value is not a level.
LEAST_SIDE = 2
# With 1999 resamples p is a multiple of 1/2000, so a test at .05 has exactly this level.
RESAMPLES = 1999
# Relative to the largest value: smaller differences are rounding errors of sums.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Change:
    """The likeliest step of a series, and the p value against no step.

    `place` is the index of the first value after the step; `before` and `after` are the mean levels
    on its two sides. `p` accounts for the search over all places. Among steps that explain equally
    much, it is the first. If the values do not vary, `p` is 1 and `place` is the first place
    searched.
    """

    place: int
    before: float
    after: float
    p: float

    @property
    def step(self) -> float:
        """The level after minus the level before, in the unit of the series."""
        return self.after - self.before


def change_point(
    values: Cells, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> Change | None:
    """The step that explains most of a series [n], oldest first; None below `LEAST_VALUES` values.

    The statistic is the largest standardised difference of the means before and after a place, over
    all places with at least `LEAST_SIDE` values on either side (Hawkins 1977, Worsley 1979). Its p
    value is the share of random orders of the same values with as large a step at any place,
    (1 + b)/(1 + B), which accounts for the search and assumes no distribution (Antoch & Hušková
    2001).

    The null hypothesis is that every order is equally likely: independent scatter around one level.
    The standard errors of single values are not used: versions that answer the same probes share
    errors that do not scatter between them, but their standard errors include these in full. A slow
    drift gives a small p as a step does. So does a series that wanders, for example if each version
    is trained on from the one before; p then shows only that the order matters. Raises ValueError
    for values that are not finite.
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
    # The statistic squares sums; scaled, these neither overflow nor vanish, and p is the same.
    centred /= scale
    observed = _steps(centred)
    # `permuted` shuffles each row by itself; `permutation` would give all rows the same order.
    orders = rng.permuted(np.tile(centred, (resamples, 1)), axis=1)
    # Equal steps differ by rounding, which would let the unit of the series choose among them.
    least = observed.max() * (1 - _ROUNDING)
    # An order that splits the values as observed may differ in its last digits, and has to count.
    as_large = int((_steps(orders).max(1) >= least).sum())
    p = (1 + as_large) / (1 + resamples)
    return _at(values, LEAST_SIDE + int((observed >= least).argmax()), p)


def _steps(centred: Cells) -> Cells:
    """The sum of squares that a step explains at every place, from values [..., n] of mean 0.

    The squared t of the difference of means is a rising function of it, since the total sum of
    squares is the same in every order.
    """
    n = centred.shape[-1]
    place = np.arange(LEAST_SIDE, n - LEAST_SIDE + 1)
    # The values sum to 0, so the sum before a place determines the one after it.
    total = centred.cumsum(-1)[..., place - 1]
    explained: Cells = total**2 * n / (place * (n - place))
    return explained


def _at(values: Cells, place: int, p: float) -> Change:
    return Change(place, float(values[:place].mean()), float(values[place:].mean()), p)
