"""Numbers of the site as marks on an axis and as text."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from maskaudit.reports.reader.parts import Mark, Of
from maskaudit.reports.reader.scales import Scale
from maskaudit.reports.site.shown import Number, Unit
from maskaudit.reports.words import wording


@dataclass(frozen=True)
class _Placed:
    """A number as an axis takes it: NaN for what is not known."""

    estimate: float
    low: float
    high: float


def values(*numbers: Number | None) -> Iterator[float]:
    """Yield every known value of some numbers."""
    for number in numbers:
        if number is not None:
            yield from (value for value in _three(number) if value is not None)


def marks(
    of: Of, number: Number, scale: Scale, *, is_faint: bool = False, bare: bool = False
) -> list[Mark]:
    """The mark of a number; none where it is not known."""
    if number.estimate is None:
        return []
    # What is kept as JSON has no NaN, and an axis knows no None.
    known = _Placed(*(math.nan if value is None else value for value in _three(number)))
    return [scale.mark(of, known, is_faint=is_faint, bare=bare)]


def text(number: Number, unit: Unit) -> str:
    """A number as people read it: odds as a factor, a share in percent."""
    estimate = math.nan if number.estimate is None else number.estimate
    return wording.times(estimate) if unit == "log_odds" else wording.percent(estimate)


def _three(number: Number) -> tuple[float | None, float | None, float | None]:
    return number.estimate, number.low, number.high
