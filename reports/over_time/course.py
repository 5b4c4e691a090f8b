"""One series of a history: a row a record, the newest first, and what follows from them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from maskaudit.audit.estimating.numbers import is_harmful_lean, is_percent
from maskaudit.audit.history.changepoint import Change
from maskaudit.audit.history.judge import Judged, Judgement
from maskaudit.audit.history.series import DIFFERENCE, Point, Series
from maskaudit.audit.judging import verdicts
from maskaudit.reports.effects import CANDIDATE, REFERENCE
from maskaudit.reports.reader.allowed import Ends, allowed
from maskaudit.reports.reader.parts import Course, Key, Line, Mark, Numbers, Plot, Tick, Tone
from maskaudit.reports.reader.scales import Scale, odds_scale, plain_scale
from maskaudit.reports.terminal.history import (
    HEADS,
    IS_NUMBER,
    cells_of,
    label,
    number_of,
    remarks_of,
    sentences,
    shown,
    title,
)
from maskaudit.reports.words import caveats, wording

# Rows of a plot that stand open; the older ones are unfolded on demand.
OPEN = 20
BAND = "The band is what the newest record is allowed."


def course(
    place: int,
    judged: Judged,
    judgement: Judgement,
    called: Mapping[str, str],
    release: verdicts.Judgement | None,
) -> Course:
    """One judged series, the `place`-th of its page.

    `called` has the name of each record's candidate, and `release` the newest record's verdicts.
    """
    return Course(
        _plot(place, judged, called, ends_of(judged, release)),
        tuple(sentences(judged, judgement)),
        _numbers(place, judged),
    )


def ends_of(judged: Judged, release: verdicts.Judgement | None) -> Ends | None:
    """What the release rules of the newest record let the number of this series be."""
    series = judged.series
    newest = series.points[-1]
    if release is None or release.record != newest.audit.name or math.isnan(newest.estimate):
        return None
    # A share of a bound is written in percent, and the series is not.
    if is_percent(series.estimator):
        return None
    return allowed(
        (
            verdict
            for verdict in release.verdicts
            if (verdict.probe_set, verdict.slice, verdict.estimator, verdict.mode)
            == (series.probe_set, series.slice, series.estimator, series.mode)
        ),
        series.subject,
        newest.estimate,
    )


def _plot(place: int, judged: Judged, called: Mapping[str, str], ends: Ends | None) -> Plot:
    series = judged.series
    limits = _limits(judged)
    known = [v for ends_ in (ends or (), *limits.values()) for v in ends_ if v is not None]
    values = [v for p in series.points for v in (p.estimate, p.low, p.high)]
    scale, ticks = axis(series, [*values, *known])
    if judged.weekly is not None:
        # Draws are held against their limit, and not against 0.
        ticks = tuple(replace(tick, is_null=False) for tick in ticks)
        ends = (None, judged.weekly.null_value) if ends is None else ends
    lines = [_line(judged, index, scale, called, limits) for index in range(len(series.points))][
        ::-1
    ]
    band = None
    if ends is not None:
        low, high = ends
        band = 0.0 if low is None else scale.at(low), 1.0 if high is None else scale.at(high)
    return Plot(
        f"course-{place}",
        _title(judged, called),
        _unit(judged, has_band=ends is not None),
        ("", "", ""),
        (Key(CANDIDATE, whose(judged)),),
        ticks,
        tuple(lines[:OPEN]),
        tuple(lines[OPEN:]),
        wording.counted(len(lines[OPEN:]), "older record"),
        band=band,
    )


def axis(series: Series, values: Sequence[float]) -> tuple[Scale, tuple[Tick, ...]]:
    """The axis of a series that these values lie on: factors on the odds of a lean."""
    return odds_scale(values) if is_harmful_lean(series.estimator) else plain_scale(values)


def _limits(judged: Judged) -> dict[str, tuple[float, float]]:
    """The limits of the sequence of draws, by record."""
    if judged.weekly is None:
        return {}
    sequence = judged.weekly.sequence
    ends = zip(sequence.low.tolist(), sequence.high.tolist(), strict=True)
    return dict(zip(judged.weekly.records, ends, strict=True))


def _line(
    judged: Judged,
    index: int,
    scale: Scale,
    called: Mapping[str, str],
    limits: Mapping[str, tuple[float, float]],
) -> Line:
    point = judged.series.points[index]
    name = point.audit.name
    marks: tuple[Mark, ...] = ()
    if not math.isnan(point.estimate):
        marks = (scale.mark(CANDIDATE, point, is_faint=bool(point.same_as)),)
    joined = None
    if name in limits:
        low, high = limits[name]
        joined = (scale.at(low), scale.at(high))
    return Line(
        called[name],
        marks,
        _value(judged, point.estimate),
        ", ".join(remarks_of(judged, index)),
        _tone(judged, point, index),
        more=_when(point, called[name]),
        joined=joined,
    )


def _when(point: Point, label_: str) -> str:
    """The day of a record, and its name where that is not the version's."""
    day = wording.date(point.audit.created.isoformat())
    return day if point.audit.name == label_ else f"{day}, {shown(point.audit.name)}"


def _tone(judged: Judged, point: Point, index: int) -> Tone:
    """What sets a record apart, to a reader who looks for harm."""
    if judged.worse[index] or _first_above(judged) == point.audit.name:
        return "worse"
    return "open" if point.repeat == "changed" else ""


def _first_above(judged: Judged) -> str:
    """The first draw from which on the model is above its limit; empty without one."""
    if judged.weekly is None:
        return ""
    above = judged.weekly.sequence.low > judged.weekly.null_value
    # `argmax` is 0 as well where no draw is above.
    return judged.weekly.records[int(above.argmax())] if above.any() else ""


def _title(judged: Judged, called: Mapping[str, str]) -> str:
    """The newest number, and that of the version before it."""
    fresh = judged.series.fresh
    if len(fresh) > 1:
        return compared(judged, fresh[-1], fresh[-2], called)
    return _in(judged, fresh[-1], called) if fresh else "No record has a number"


def compared(judged: Judged, new: Point, old: Point, called: Mapping[str, str]) -> str:
    """A number after that of the version, or draw, before it."""
    before = f"{_value(judged, old.estimate)} in {called[old.audit.name]}"
    if judged.series.is_drawn and new.version == old.version:
        before = f"{_value(judged, old.estimate)} in the draw before"
    return f"{_in(judged, new, called)}, after {before}"


def levels(judged: Judged, change: Change) -> str:
    """The level before a change and that after it, without the version from which on it holds."""
    before, after = _what(judged, change.before), _value(judged, change.after)
    return f"{before} before, {after} from"


def _in(judged: Judged, point: Point, called: Mapping[str, str]) -> str:
    return f"{_what(judged, point.estimate)} in {called[point.audit.name]}"


def _what(judged: Judged, value: float) -> str:
    of_reference = " of its reference" if judged.series.subject == DIFFERENCE else ""
    is_odds = is_harmful_lean(judged.series.estimator)
    return f"{_value(judged, value)}{f' times the odds{of_reference}' if is_odds else ''}"


def _value(judged: Judged, value: float) -> str:
    """A number as its axis has it: a lean as a factor on the odds."""
    if is_harmful_lean(judged.series.estimator):
        return wording.times(value)
    return number_of(judged, value)


def whose(judged: Judged) -> str:
    """Whose number a series has, in a few words."""
    subject = judged.series.subject
    return {
        DIFFERENCE: "the version less its reference",
        CANDIDATE: "the version",
        REFERENCE: "its reference",
    }.get(subject, label(judged))


def what_of(series: Series) -> str:
    """What the axis of a series is, without a full stop."""
    if not is_harmful_lean(series.estimator):
        return wording.opened(series.estimator.replace("_", " "))
    if series.subject == DIFFERENCE:
        return "The change in odds from the reference, as a factor; 1 is none"
    return "Odds, as a factor; 1 is no lean"


def _unit(judged: Judged, *, has_band: bool) -> str:
    """What the axis is, and that time runs upwards."""
    parts = [f"{what_of(judged.series)}. The bar is a 95 % interval. Newest first."]
    if judged.weekly is not None:
        parts.append("The pale bar: limits that hold at every draw at once.")
    if has_band:
        parts.append(BAND)
    return " ".join(parts)


def _numbers(place: int, judged: Judged) -> Numbers:
    rows = [cells_of(judged, i) for i in range(len(judged.series.points))]
    return Numbers(
        f"history-table-{place}",
        f"{title(judged)}, {label(judged)}",
        tuple(map(wording.opened, HEADS)),
        IS_NUMBER,
        tuple(rows[::-1]),
        (caveats.scopes([judged.series.scope]), f"Method: {shown(judged.series.method)}"),
    )
