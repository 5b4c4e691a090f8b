"""The history of a folder of records in words, and as text for the terminal.

Every sentence about versions, weeks and change points is made here; `audit.history.judge` does all
judging.
"""

import math
from collections.abc import Iterator

from maskaudit.audit.estimating.numbers import is_harmful_lean
from maskaudit.audit.history.changepoint import LEAST_VALUES
from maskaudit.audit.history.judge import Judged, Judgement
from maskaudit.audit.history.series import DIFFERENCE, Point
from maskaudit.audit.recording.slices import CONTRAST, Slice
from maskaudit.reports import wording
from maskaudit.reports.effects import SHOWN

# Number of records of a series that the terminal lists.
LAST = 20
_NAMED = 4
UNJUDGED = {
    "no difference": "One model by itself: a version is held against the reference, in the "
    "series of differences.",
    "no direction": "No version is judged: this number has no harmful direction of its own.",
    "other references": "No version is judged: the reference changed; name the first record of "
    "the new one, as in --since RECORD.",
    "no interval": "Nothing is judged: no record has an interval.",
    "no limit": "The draws are not judged: one model’s own lean has no limit of its own; give "
    "one, as in --subject candidate --limit 0.5.",
}


# --- Sentences ------------------------------------------------------------------------------------


def notes(made: Judgement) -> list[str]:
    """Notes on the folder: unreadable records, clock errors, and several candidate names."""
    history = made.history
    lines = [f"{shown(one.name)}: left out: {shown(one.reason)}" for one in history.skipped]
    lines += [
        f"the clock went backwards: {shown(then)} was written after {shown(written)} and says it "
        "is older; the order is that of writing"
        for written, then in history.clock
    ]
    names = list(dict.fromkeys(a.models["candidate"].name for a in history.audits))
    if len(names) > 1:
        told = wording.listed([shown(name) for name in names[:_NAMED]])
        lines.append(
            f"the candidates have {len(names)} names ({told}"
            f"{', ...' if len(names) > _NAMED else ''}): each model counts as a version; "
            "--candidate NAME chooses"
        )
    return lines


def alarms(made: Judgement) -> list[str]:
    """One line for each series with an alarm."""
    found = []
    for one in made.judged:
        names = [alarm.record for alarm in made.alarms if alarm.series is one.series]
        if names:
            told = _weekly(one) if one.weekly else _versions(one, made.alpha_each)
            found.append(f"{title(one)}, {label(one)}: {told}")
    return found


def sentences(one: Judged, made: Judgement) -> list[str]:
    """The conclusions on a series, one sentence each."""
    told = [_other_method(one), _repeats(one)]
    if one.weekly is not None:
        told.append(_weekly(one))
    elif any(not math.isnan(p) for p in one.p):
        told.append(_versions(one, made.alpha_each))
    else:
        told.append(UNJUDGED.get(one.unjudged, ""))
    return [line for line in (*told, _change(one)) if line]


def title(one: Judged) -> str:
    """The title of a series, without its subject."""
    series = one.series
    number = series.estimator.replace("_", " ")
    slice_ = "" if Slice.parse(series.slice) == CONTRAST else f", {series.slice}"
    mode = "" if series.mode == "corrected" else f" ({series.mode})"
    return shown(f"{series.title}: {number}{mode}{slice_}")


def label(one: Judged) -> str:
    """The subject of a series."""
    return shown(one.series.subject)


def _other_method(one: Judged) -> str:
    if not one.series.differs:
        return ""
    first = shown(one.series.points[0].audit.name)
    return (
        f"A new series from {first} on, made in another way than the one before "
        f"({shown('; '.join(one.series.differs))}): the two are not compared."
    )


def _repeats(one: Judged) -> str:
    repeats = [point for point in one.series.points if point.same_as]
    if not repeats:
        return ""
    moved = [point for point in repeats if point.repeat == "changed"]
    told = f"{wording.counted(len(repeats), 'record')} {_are(len(repeats), 'repeat')}"
    if not moved:
        return f"{told}, with the same number as the first of {_its(len(repeats))} kind."
    named = wording.listed([shown(point.audit.name) for point in moved[:_NAMED]])
    return (
        f"{told}, and {len(moved)} of them {_have(len(moved))} another number ({named}): something "
        "changed that a record does not name, such as the machine."
    )


def _versions(one: Judged, alpha: float) -> str:
    """How many versions are called worse, which ones, and the p value of the newest."""
    series = one.series
    judged = [i for i, p in enumerate(one.p) if not math.isnan(p)]
    worse = [i for i in judged if one.worse[i]]
    n = wording.counted(len(judged), "version")
    level = f"all of them together at the level {level_of(alpha)}"
    newest = f"The newest, version {series.points[judged[-1]].version}: "
    newest += wording.p_value(one.p[judged[-1]]) + "."
    if not worse:
        return f"None of {n} is called worse than the reference ({level}). {newest}"
    first = series.points[worse[0]]
    which = (
        "every one"
        if len(worse) == len(judged)
        else f"version{'s' if len(worse) > 1 else ''} "
        + wording.listed([str(series.points[i].version) for i in worse[:_NAMED]])
        + (" and more" if len(worse) > _NAMED else "")
    )
    return (
        f"{len(worse)} of {n} {'is' if len(worse) == 1 else 'are'} called worse than the reference "
        f"({which}; first {shown(first.audit.name)}; {level}). {newest}"
    )


def _weekly(one: Judged) -> str:
    weekly = one.weekly
    assert weekly is not None  # noqa: S101 - checked by the caller
    last = (weekly.sequence.mean[-1], weekly.sequence.low[-1], weekly.sequence.high[-1])
    told = (
        f"In {wording.counted(len(weekly.records), 'draw')} of the newest model the mean is "
        f"{wording.signed(last[0])} (limits that hold at every draw at once: "
        f"{wording.between(last[1], last[2], with_sign=True)})"
    )
    limit = wording.signed(weekly.null_value)
    above = [i for i, low in enumerate(weekly.sequence.low) if low > weekly.null_value]
    if above:
        return f"{told}: above {limit} since {shown(weekly.records[above[0]])}."
    return f"{told}: not shown to be above {limit}."


def _change(one: Judged) -> str:
    fresh, change = one.series.fresh, one.change
    what = "draws" if one.series.is_drawn else "versions"
    if change is None:
        return f"Change point: too few {what} to say ({len(fresh)}; it takes {LEAST_VALUES})."
    before, after = (fresh[change.place + i].audit for i in (-1, 0))
    where = f"between {shown(before.name)} and {shown(after.name)}"
    step = f"from {number_of(one, change.before)} to {number_of(one, change.after)}"
    if change.p < SHOWN:
        return (
            f"Change point: the level most likely changed {where}, {step} "
            f"({wording.p_value(change.p)})."
        )
    return (
        f"Change point: none shown; the likeliest would be {where}, {step} "
        f"({wording.p_value(change.p)})."
    )


def flags(one: Judged, place: int) -> str:
    """The notable points about one record of a series, in a few words."""
    point = one.series.points[place]
    found = []
    if point.same_as:
        found.append(f"repeat, {point.repeat}")
    elif not one.series.is_drawn:
        found.append("new version")
    if one.worse[place]:
        found.append("worse than the reference")
    if one.weekly is not None:
        above = one.weekly.sequence.low > one.weekly.null_value
        if above.any() and one.weekly.records[int(above.argmax())] == point.audit.name:
            found.append("above the limit from here on")
    change = one.change
    if change is not None and change.p < SHOWN and one.series.fresh[change.place] is point:
        found.append("another level from here on")
    return ", ".join(found)


def cells_of(one: Judged, place: int) -> tuple[str, ...]:
    """One record of a series: name, day, version, estimate, interval, flags."""
    point = one.series.points[place]
    return (
        shown(point.audit.name),
        f"{point.audit.created:%Y-%m-%d}",
        _version(one, point),
        number_of(one, point.estimate),
        wording.between(point.low, point.high, with_sign=is_signed(one)),
        flags(one, place),
    )


HEADS = ("record", "date", "version", "estimate", "95 % interval", "flags")
IS_NUMBER = (False, False, False, True, True, False)


def _version(one: Judged, point: Point) -> str:
    subject = one.series.subject
    model = point.audit.models.get(subject, point.audit.models["candidate"])
    return f"{point.version}: {shown(wording.short_digest(str(model.weights)))}"


def number_of(one: Judged, value: float) -> str:
    """A number of a series, with a sign where its series has both signs."""
    return (wording.signed if is_signed(one) else wording.plain)(value)


def is_signed(one: Judged) -> bool:
    """Whether the numbers of a series can lie on either side of 0."""
    return one.series.subject == DIFFERENCE or is_harmful_lean(one.series.estimator)


def shown(text: str) -> str:
    """Text from a file or folder name, made fully visible."""
    return wording.visible(text, None)


def level_of(alpha: float) -> str:
    """A significance level as a sentence states it."""
    return f"{alpha:.4f}".rstrip("0").lstrip("0")


def _are(n: int, noun: str) -> str:
    return f"is a {noun}" if n == 1 else f"are {noun}s"


def _its(n: int) -> str:
    return "its" if n == 1 else "their"


def _have(n: int) -> str:
    return "has" if n == 1 else "have"


# --- The text -------------------------------------------------------------------------------------


def text(made: Judgement, last: int = LAST) -> str:
    """The history as one table per series of its `last` records, with its conclusions below."""
    return "\n".join(
        [counted(made), *(line for one in made.judged for line in _told(one, made, last))]
    )


def counted(made: Judgement) -> str:
    """The number of records, and the first and last day."""
    audits = made.history.audits
    days = list(dict.fromkeys(wording.date(a.created.isoformat()) for a in (audits[0], audits[-1])))
    return f"{wording.counted(len(audits), 'record')}, {' to '.join(days)}"


def _told(one: Judged, made: Judgement, last: int) -> Iterator[str]:
    n = len(one.series.points)
    rows = [HEADS, *(cells_of(one, place) for place in range(max(0, n - last), n))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    yield ""
    yield f"{title(one)}, {label(one)}"
    if n > last:
        yield f"  the last {last} of {n} records; all are on the page (-o) and in --json"
    for row in rows:
        cells = [
            value.rjust(width) if is_number else value.ljust(width)
            for value, width, is_number in zip(row, widths, IS_NUMBER, strict=True)
        ]
        yield "  " + "  ".join(cells).rstrip()
    for sentence in sentences(one, made):
        yield f"  {sentence}"
