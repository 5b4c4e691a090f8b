"""Where the level of a series most likely changed, and how often chance alone shows such a step."""

from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.statistics.interval import Cells

# With seven, two of the 35 ways to put them on two sides have the largest step: p is above .05.
LEAST_VALUES = 8
# One value that stands out is no level.
LEAST_SIDE = 2
RESAMPLES = 1999
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Change:
    """The likeliest step of a series, and the p value of there being none.

    `place` is the index of the first value after it; `before` and `after` are the mean levels on
    its two sides. `p` is that of the whole search over places; where nothing varied it is 1, and
    `place` is the first that was searched.
    """

    place: int
    before: float
    after: float
    p: float

    @property
    def step(self) -> float:
        """The level after less the level before, in the unit of the series."""
        return self.after - self.before


def change_point(
    values: Cells, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> Change | None:
    """The step that explains most of a series [n], oldest first; None with under `LEAST_VALUES`.

    Largest standardised difference of the means before and after a place, over all places with at
    least `LEAST_SIDE` values on either side (Hawkins 1977, Worsley 1979). Its p is the share of
    random orders of the same values that have as large a step at any place, (1 + b)/(1 + B), so
    the search is paid for and no distribution is assumed (Antoch & Hušková 2001).

    The null is that every order was equally likely: values that scatter around one level without
    memory. Single values' standard errors do not enter: what versions of a model that answer the
    same probes share is no scatter between them, and their standard errors count it in full. A
    slow drift raises an alarm as a step does. So does a series that wanders, as where each version
    is trained on from the one before: p then says no more than that its order matters. Raises
    ValueError for unknown values.
    """
    if not np.isfinite(values).all():
        raise ValueError("the series has unknown values; expected numbers alone")
    n = len(values)
    if n < LEAST_VALUES:
        return None
    own = values - values.mean()
    scale = np.abs(own).max()
    # Rounding alone is no scatter.
    if scale <= _ROUNDING * np.abs(values).max():
        return _at(values, LEAST_SIDE, 1.0)
    own /= scale
    observed = _steps(own)
    orders = rng.permuted(np.tile(own, (resamples, 1)), axis=1)
    largest = observed.max()
    as_large = int((_steps(orders).max(1) >= largest * (1 - _ROUNDING)).sum())
    p = (1 + as_large) / (1 + resamples)
    return _at(values, LEAST_SIDE + int(observed.argmax()), p)


def _steps(own: Cells) -> Cells:
    """How much of the sum of squares a step explains, at every place; [..., n] of mean 0.

    The squared t of the two sides' means rises with it, the total being the same in every order.
    """
    n = own.shape[-1]
    place = np.arange(LEAST_SIDE, n - LEAST_SIDE + 1)
    total = own.cumsum(-1)[..., place - 1]
    found: Cells = total**2 * n / (place * (n - place))
    return found


def _at(values: Cells, place: int, p: float) -> Change:
    return Change(place, float(values[:place].mean()), float(values[place:].mean()), p)
