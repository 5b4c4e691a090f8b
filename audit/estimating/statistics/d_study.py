"""What a contrast would be known to with other numbers of frames and attributes (a D-study)."""

import math
from dataclasses import dataclass

from maskaudit.audit.estimating.statistics.interval import Interval


@dataclass(frozen=True)
class Planned:
    """Half the width of a contrast's 95 % interval, with what is sampled taken `times` as often.

    `frames` and `attributes` are the half widths where only they are more, `both` where both are.
    """

    times: float
    frames: float
    attributes: float
    both: float

    @property
    def bottleneck(self) -> str:
        """Of which more would help more: "frames" or "attributes"; empty if of neither."""
        if self.frames == self.attributes:
            return ""
        return "frames" if self.frames < self.attributes else "attributes"


def planned(interval: Interval, times: float) -> Planned:
    """The half widths of an interval with `times` as many frames, attributes, or both.

    The variance has a part that falls with the number of frames, `v_frames`, and a rest that falls
    with that of attributes: v_frames / times + (std_error² - v_frames), and so on (Brennan 2001,
    *Generalizability theory*, ch. 4). The widths are a little too large rather than too small:
    the residual of the cells, which falls with either, is counted with the frames, and the quantile
    of t stays that of today's degrees of freedom. NaN where a part is unknown; the rest
    is never below 0, since the parts are estimates. Raises `ValueError` unless `times` is above 0.
    """
    if times <= 0:
        message = f"{times} times as many; expected a number above 0"
        raise ValueError(message)
    variance = interval.std_error**2
    of_frames = min(interval.v_frames, variance)
    rest = variance - of_frames
    # 0/0 where nothing varied: the interval is a point, whatever is sampled.
    width = (interval.high - interval.low) / 2
    # Read off the interval, so that it is the quantile of whatever level that has.
    quantile = width / interval.std_error if interval.std_error else 0.0
    parts = ((of_frames / times, rest), (of_frames, rest / times), (variance / times, 0.0))
    return Planned(times, *(quantile * math.sqrt(sum(part)) for part in parts))


@dataclass(frozen=True)
class Needed:
    """How many times as much would have to be sampled for a half width, 1 or more.

    `frames` and `attributes` are the factors where only they are more, infinite where no number of
    them alone would do; `both` where both are.
    """

    frames: float
    attributes: float
    both: float


def needed(interval: Interval, half_width: float) -> Needed:
    """The factors for which `planned` gives this half width, or less; NaN where a part is unknown.

    Raises `ValueError` unless `half_width` is above 0.
    """
    if not half_width > 0:
        message = f"a half width of {half_width}; expected a number above 0"
        raise ValueError(message)
    width = (interval.high - interval.low) / 2
    if width <= half_width:
        return Needed(1.0, 1.0, 1.0)
    variance = interval.std_error**2
    of_frames = min(interval.v_frames, variance)
    # The quantile of t is that of today, so variances are to one another as squared widths.
    target = variance * (half_width / width) ** 2
    return Needed(
        _times(of_frames, target - (variance - of_frames)),
        _times(variance - of_frames, target - of_frames),
        variance / target,
    )


def _times(part: float, room: float) -> float:
    """How many times as much makes a part of the variance as small as the room that is left."""
    if math.isnan(part) or math.isnan(room):
        return math.nan
    # Without room the other parts are too large already: no number of these would do.
    return part / room if room > 0 else math.inf
