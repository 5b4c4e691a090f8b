"""A series of the audits of one training as a curve: the lean against the steps."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from maskaudit.audit.history.judge import Judged
from maskaudit.reports.effects import CANDIDATE, REFERENCE
from maskaudit.reports.over_time.course import BAND, axis, what_of, whose
from maskaudit.reports.reader.allowed import Ends
from maskaudit.reports.reader.parts import Curve, Key, Step, Tick
from maskaudit.reports.reader.scales import Scale, plain_scale

# One step is no curve.
_LEAST = 2
# Wider labels of steps would run into each other on a phone.
_WIDEST = 5


# Bars and the mark are of different levels, and nothing is said of what comes after the mark.
_FIRST = (
    "First credible: at a level of .05 that all steps and contrasts share, so that bars may show "
    "it before; a later step need not be credible."
)


@dataclass(frozen=True)
class Training:
    """What is known of records that are the audits of one training.

    `steps` has the step of each record by name, and `first`, by the line of a series, the first
    record in which its number is credible.
    """

    steps: Mapping[str, int]
    first: Mapping[tuple[str, ...], str] = field(default_factory=dict)


def curve(
    judged: Judged, training: Training, ends: Ends | None, reference: Judged | None
) -> Curve | None:
    """The curve of a series; None with fewer than two steps that have a number.

    `ends` are those of the band, `reference` is the reference's own series of the same number.
    """
    points = [
        (training.steps[point.audit.name], point)
        for point in judged.series.points
        if point.audit.name in training.steps and not math.isnan(point.estimate)
    ]
    if len(points) < _LEAST:
        return None
    level = None if reference is None else reference.series.points[-1].estimate
    known = [end for end in (level, *(ends or ())) if end is not None]
    values = [v for _, point in points for v in (point.estimate, point.low, point.high)]
    scale, up = axis(judged.series, [*values, *known])
    along, across = plain_scale([float(step) for step, _ in points])
    steps = []
    for step, point in points:
        at, mark = along.at(step), scale.mark(CANDIDATE, point)
        steps.append(Step(at, mark.at, mark.low, mark.high))
    first = _first(judged, training, along)
    unit = _unit(judged, has_level=level is not None, has_band=ends is not None)
    return Curve(
        f"{unit} {_FIRST}" if first else unit,
        _keys(judged, has_level=level is not None),
        _counted(across),
        up,
        tuple(steps),
        None if level is None or math.isnan(level) else scale.at(level),
        None if ends is None else _band(ends, scale),
        first,
    )


def _keys(judged: Judged, *, has_level: bool) -> tuple[Key, ...]:
    own = Key(CANDIDATE, whose(judged))
    return (own, Key(REFERENCE, "its reference")) if has_level else (own,)


def _unit(judged: Judged, *, has_level: bool, has_band: bool) -> str:
    """What the axes are, and how the curve is read."""
    parts = [f"{what_of(judged.series)}. The bar at a step is its 95 % interval."]
    if has_level:
        parts.append("The level line is the reference’s own number.")
    if has_band:
        parts.append(BAND)
    return " ".join(parts)


def _counted(ticks: Sequence[Tick]) -> tuple[Tick, ...]:
    """The ticks of whole steps with their thousands apart, as many as a phone has room for."""
    # Of a training of few steps some ticks are at halves.
    whole = [tick for tick in ticks if float(tick.label).is_integer()]
    named = [Tick(tick.at, f"{float(tick.label):,.0f}") for tick in whole]
    return tuple(named[::2] if len(named[-1].label) > _WIDEST else named)


def _band(ends: Ends, scale: Scale) -> tuple[float, float]:
    low, high = ends
    return 0.0 if low is None else scale.at(low), 1.0 if high is None else scale.at(high)


def _first(judged: Judged, training: Training, along: Scale) -> tuple[float, str] | None:
    name = training.first.get(judged.series.line)
    if name is None or name not in training.steps:
        return None
    step = training.steps[name]
    return along.at(step), f"first credible: step {step:,}"
