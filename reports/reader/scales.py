"""Axes of the reader's page with round numbers to read them by, and the keys of their marks."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from maskaudit.reports.effects import CANDIDATE, REFERENCE, Names
from maskaudit.reports.reader.parts import Key, Mark, Of, Tick
from maskaudit.reports.words import wording

_ODDS = (1, 1.25, 1.5, 2, 3, 4, 6, 10, 20, 50, 100, 1000)
# Space beside the outermost mark, as a share of the width.
_EDGE = 0.04
_MOST_TICKS = 7
# The axis reaches at least this far from no lean, in nats, and no further than so many medians.
_LEAST = math.log(1.5)
_LEAST_END, _ENDS = math.log(4), 4


class Placed(Protocol):
    """What a mark shows: an estimate and the ends of its interval; NaN for what is not known."""

    @property
    def estimate(self) -> float: ...  # noqa: D102

    @property
    def low(self) -> float: ...  # noqa: D102

    @property
    def high(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, in the unit of what is placed on it."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """The place of a value; what lies beyond an end is placed at that end."""
        share = (value - self.low) / (self.high - self.low)
        return round(min(max(share, 0.0), 1.0), 4)

    def mark(self, of: Of, effect: Placed, *, is_faint: bool = False, bare: bool = False) -> Mark:
        """The mark of an estimate with its interval; without one if `bare` or if there is none."""
        value = effect.estimate
        end: Literal["", "low", "high"] = (
            "low" if value < self.low else "high" if value > self.high else ""
        )
        if bare or math.isnan(effect.low):
            return Mark(of, self.at(value), None, None, is_faint, end)
        low, high = self.at(effect.low), self.at(effect.high)
        return Mark(of, self.at(value), low, high, is_faint, end)


def odds_scale(values: Iterable[float], most: int = _MOST_TICKS) -> tuple[Scale, tuple[Tick, ...]]:
    """An axis for log-odds in nats around no lean, with its ticks as factors on the odds.

    A narrow one has room for `most` of them.

    One number far from all others would squeeze these into a point: the axis ends before it.
    """
    finite = [value for value in values if math.isfinite(value)]
    end = max(_LEAST_END, _ENDS * statistics.median(map(abs, finite))) if finite else _LEAST_END
    inside = [value for value in finite if abs(value) <= end]
    # At least from two thirds to one and a half, so that small leans look small.
    low, high = min([-_LEAST, *inside]), max([_LEAST, *inside])
    edge = _EDGE * (high - low)
    scale = Scale(low - edge, high + edge)
    above = [f for f in _ODDS if math.log(f) <= scale.high]
    below = [f for f in _ODDS[1:] if -math.log(f) >= scale.low]
    while len(above) + len(below) > most:
        # Every second, outwards from no lean.
        above, below = above[::2], below[1::2]
    ticks = [Tick(scale.at(-math.log(f)), f"1/{f:g}") for f in reversed(below)]
    ticks += [Tick(scale.at(math.log(f)), f"{f:g}", is_null=f == 1) for f in above]
    return scale, tuple(ticks)


def share_scale(even: float | None) -> tuple[Scale, tuple[Tick, ...]]:
    """An axis for shares from 0 to 1; `even` is the share that means no lean, if one does."""
    scale = Scale(0.0, 1.0)
    ticks = tuple(
        Tick(share, wording.percent(share), is_null=share == even)
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    return scale, ticks


def plain_scale(values: Iterable[float]) -> tuple[Scale, tuple[Tick, ...]]:
    """An axis for numbers of any kind, which reaches 0, with ticks at round numbers."""
    finite = [0.0, *(value for value in values if math.isfinite(value))]
    low, high = min(finite), max(finite)
    # Where all numbers are 0, the axis still needs a width, and its ticks a power of ten.
    width = (high - low) or 1.0
    scale = Scale(low - _EDGE * width, high + _EDGE * width)
    power = 10.0 ** math.floor(math.log10(width))
    step = next(s * power for s in (0.2, 0.5, 1.0, 2.0) if width / (s * power) < _MOST_TICKS)
    digits = max(0, -math.floor(math.log10(step)))
    places = range(math.ceil(low / step - _EDGE), math.floor(high / step + _EDGE) + 1)
    ticks = tuple(
        Tick(scale.at(place * step), f"{place * step:.{digits}f}".replace("-", "−"), place == 0)
        for place in places
    )
    return scale, ticks


def keys(names: Names, *more: Key) -> tuple[Key, ...]:
    """What the marks of the models stand for, and then `more`."""
    models = [Key(model, getattr(names, model)) for model in (REFERENCE, CANDIDATE)]
    return (*(models if names.paired else models[1:]), *more)
