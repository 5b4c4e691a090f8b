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
from maskaudit.audit.recording.rows.slices import CONTRAST, Slice
from maskaudit.reports.effects import SHOWN
from maskaudit.reports.words import wording

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


def notes(judgement: Judgement) -> list[str]:
    """Notes on the folder: unreadable records, clock errors, and several candidate names."""
    history = judgement.history
    lines = [
        f"{shown(skipped.name)}: left out: {shown(skipped.reason)}" for skipped in history.skipped
    ]
    lines += [
        f"the clock went backwards: {shown(then)} was written after {shown(written)} and says it "
        "is older; the order is that of writing"
        for written, then in history.clock
    ]
    names = list(dict.fromkeys(a.models["candidate"].name for a in history.audits))
    if len(names) > 1:
        listed = wording.listed([shown(name) for name in names[:_NAMED]])
        lines.append(
            f"the candidates have {len(names)} names ({listed}"
            f"{', ...' if len(names) > _NAMED else ''}): each model counts as a version; "
            "--candidate NAME chooses"
        )
    return lines


def alarms(judgement: Judgement) -> list[str]:
    """One line for each series with an alarm."""
    lines = []
    for judged in judgement.judged:
        names = [alarm.record for alarm in judgement.alarms if alarm.series is judged.series]
        if names:
            sentence = _weekly(judged) if judged.weekly else _versions(judged, judgement.alpha_each)
            lines.append(f"{title(judged)}, {label(judged)}: {sentence}")
    return lines


def sentences(judged: Judged, judgement: Judgement) -> list[str]:
    """The conclusions on a series, one sentence each."""
    conclusions = [_other_method(judged), _repeats(judged)]
    if judged.weekly is not None:
        conclusions.append(_weekly(judged))
    elif any(not math.isnan(p) for p in judged.p):
        conclusions.append(_versions(judged, judgement.alpha_each))
    else:
        conclusions.append(UNJUDGED.get(judged.unjudged, ""))
    return [line for line in (*conclusions, _change(judged, judgement.searched)) if line]


def title(judged: Judged) -> str:
    """The title of a series, without its subject."""
    series = judged.series
    number = series.estimator.replace("_", " ")
    slice_ = "" if Slice.parse(series.slice) == CONTRAST else f", {series.slice}"
    mode = "" if series.mode == "corrected" else f" ({series.mode})"
    return shown(f"{series.title}: {number}{mode}{slice_}")


def label(judged: Judged) -> str:
    """The subject of a series."""
    return shown(judged.series.subject)


def _other_method(judged: Judged) -> str:
    if not judged.series.differs:
        return ""
    first = shown(judged.series.points[0].audit.name)
    return (
        f"A new series from {first} on, made in another way than the one before "
        f"({shown('; '.join(judged.series.differs))}): the two are not compared."
    )


def _repeats(judged: Judged) -> str:
    repeats = [point for point in judged.series.points if point.same_as]
    if not repeats:
        return ""
    moved = [point for point in repeats if point.repeat == "changed"]
    start = f"{wording.counted(len(repeats), 'record')} {_is_or_are(len(repeats), 'repeat')}"
    if not moved:
        return f"{start}, with the same number as the first of {_its_or_their(len(repeats))} kind."
    names = wording.listed([shown(point.audit.name) for point in moved[:_NAMED]])
    return (
        f"{start}, and {len(moved)} of them {_has_or_have(len(moved))} another number ({names}): "
        "something changed that a record does not name, such as the machine."
    )


def _versions(judged: Judged, alpha: float) -> str:
    """How many versions are called worse, which ones, and the p value of the newest."""
    series = judged.series
    tested = [i for i, p in enumerate(judged.p) if not math.isnan(p)]
    worse = [i for i in tested if judged.worse[i]]
    n = wording.counted(len(tested), "version")
    level = f"all of them together at the level {level_of(alpha)}"
    # At least one version has a p here: the callers checked.
    newest = f"The newest, version {series.points[tested[-1]].version}: "
    newest += wording.p_value(judged.p[tested[-1]]) + "."
    if not worse:
        return f"None of {n} is called worse than the reference ({level}). {newest}"
    first = series.points[worse[0]]
    worse_versions = (
        "every one"
        if len(worse) == len(tested)
        else f"version{'s' if len(worse) > 1 else ''} "
        + wording.listed([str(series.points[i].version) for i in worse[:_NAMED]])
        + (" and more" if len(worse) > _NAMED else "")
    )
    return (
        f"{len(worse)} of {n} {'is' if len(worse) == 1 else 'are'} called worse than the reference "
        f"({worse_versions}; first {shown(first.audit.name)}; {level}). {newest}"
    )


def _weekly(judged: Judged) -> str:
    weekly = judged.weekly
    assert weekly is not None  # noqa: S101 - checked by the caller
    last = (weekly.sequence.mean[-1], weekly.sequence.low[-1], weekly.sequence.high[-1])
    start = (
        f"In {wording.counted(len(weekly.records), 'draw')} of the newest model the mean is "
        f"{wording.signed(last[0])} (limits that hold at every draw at once: "
        f"{wording.between(last[1], last[2], with_sign=True)})"
    )
    limit = wording.signed(weekly.null_value)
    # The limits hold at every draw at once, so one draw above the limit is enough, whatever
    # follows.
    above = [i for i, low in enumerate(weekly.sequence.low) if low > weekly.null_value]
    if above:
        return f"{start}: above {limit} since {shown(weekly.records[above[0]])}."
    return f"{start}: not shown to be above {limit}."


def _change(judged: Judged, n_searched: int) -> str:
    """The likeliest change point of a series, and in how many series one was searched."""
    fresh, change = judged.series.fresh, judged.change
    noun = "draws" if judged.series.is_drawn else "versions"
    if change is None:
        return f"Change point: too few {noun} to say ({len(fresh)}; it takes {LEAST_VALUES})."
    before, after = (fresh[change.place + i].audit for i in (-1, 0))
    where = f"between {shown(before.name)} and {shown(after.name)}"
    step = f"from {number_of(judged, change.before)} to {number_of(judged, change.after)}"
    # One series in twenty may show a change by chance, and a reader sees all of them.
    among = f"; searched in {n_searched} series" if n_searched > 1 else ""
    p = f"{wording.p_value(change.p)}, at any look{among}"
    if change.p < SHOWN:
        return f"Change point: the level most likely changed {where}, {step} ({p})."
    return f"Change point: none shown; the likeliest would be {where}, {step} ({p})."


def flags(judged: Judged, index: int) -> str:
    """The notable points about one record of a series, in a few words."""
    # Each draw has new sentences, whether or not the model is another.
    is_version = not judged.series.points[index].same_as and not judged.series.is_drawn
    return ", ".join([*(["new version"] if is_version else []), *remarks_of(judged, index)])


def remarks_of(judged: Judged, index: int) -> list[str]:
    """What sets one record of a series apart from any other new version or draw."""
    point = judged.series.points[index]
    remarks = []
    if point.same_as:
        remarks.append(f"repeat, {point.repeat}")
    if judged.worse[index]:
        remarks.append("worse than the reference")
    if judged.weekly is not None:
        above = judged.weekly.sequence.low > judged.weekly.null_value
        if above.any() and judged.weekly.records[int(above.argmax())] == point.audit.name:
            remarks.append("above the limit from here on")
    change = judged.change
    if change is not None and change.p < SHOWN and judged.series.fresh[change.place] is point:
        remarks.append("another level from here on")
    return remarks


def cells_of(judged: Judged, index: int) -> tuple[str, ...]:
    """One record of a series: name, day, version, estimate, interval, flags."""
    point = judged.series.points[index]
    return (
        shown(point.audit.name),
        f"{point.audit.created:%Y-%m-%d}",
        _version(judged, point),
        number_of(judged, point.estimate),
        wording.between(point.low, point.high, with_sign=is_signed(judged)),
        flags(judged, index),
    )


HEADS = ("record", "date", "version", "estimate", "95 % interval", "flags")
IS_NUMBER = (False, False, False, True, True, False)


def _version(judged: Judged, point: Point) -> str:
    subject = judged.series.subject
    model = point.audit.models.get(subject, point.audit.models["candidate"])
    return f"{point.version}: {shown(wording.short_digest(str(model.weights)))}"


def number_of(judged: Judged, value: float) -> str:
    """A number of a series, with a sign where its series has both signs."""
    return (wording.signed if is_signed(judged) else wording.plain)(value)


def is_signed(judged: Judged) -> bool:
    """Whether the numbers of a series can lie on either side of 0."""
    return judged.series.subject == DIFFERENCE or is_harmful_lean(judged.series.estimator)


def shown(text: str) -> str:
    """Text from a file or folder name, made fully visible."""
    return wording.visible(text, None)


def level_of(alpha: float) -> str:
    """A significance level as a sentence states it."""
    return f"{alpha:.4f}".rstrip("0").lstrip("0")


def _is_or_are(n: int, noun: str) -> str:
    return f"is a {noun}" if n == 1 else f"are {noun}s"


def _its_or_their(n: int) -> str:
    return "its" if n == 1 else "their"


def _has_or_have(n: int) -> str:
    return "has" if n == 1 else "have"


# --- The text -------------------------------------------------------------------------------------


def text(judgement: Judgement, last: int = LAST) -> str:
    """The history as one table per series of its `last` records, with its conclusions below."""
    return "\n".join(
        [
            counted(judgement),
            *(
                line
                for judged in judgement.judged
                for line in _series_lines(judged, judgement, last)
            ),
        ]
    )


def counted(judgement: Judgement) -> str:
    """The number of records, and the first and last day."""
    audits = judgement.history.audits
    days = list(dict.fromkeys(wording.date(a.created.isoformat()) for a in (audits[0], audits[-1])))
    return f"{wording.counted(len(audits), 'record')}, {' to '.join(days)}"


def _series_lines(judged: Judged, judgement: Judgement, last: int) -> Iterator[str]:
    n = len(judged.series.points)
    rows = [HEADS, *(cells_of(judged, index) for index in range(max(0, n - last), n))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    yield ""
    yield f"{title(judged)}, {label(judged)}"
    if n > last:
        yield f"  showing the last {last} of {n} records; -o (the page) and --json have them all"
    for row in rows:
        cells = [
            value.rjust(width) if is_number else value.ljust(width)
            for value, width, is_number in zip(row, widths, IS_NUMBER, strict=True)
        ]
        yield "  " + "  ".join(cells).rstrip()
    for sentence in sentences(judged, judgement):
        yield f"  {sentence}"
