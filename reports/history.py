"""The history of a folder of records in words, as a text for the terminal and as a page.

Every sentence about versions, weeks and change points is made here; all judging is done in
`audit.history.series`. The drawing is loaded only where a page is written.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from maskaudit.audit.estimating.numbers import is_harmful_lean
from maskaudit.audit.history.changepoint import LEAST_VALUES
from maskaudit.audit.history.series import DIFFERENCE, Judged, Judgement, Point
from maskaudit.audit.recording.slices import CONTRAST, Slice
from maskaudit.reports import caveats, wording
from maskaudit.reports.blocks import (
    Block,
    Bullets,
    Claim,
    Column,
    Definitions,
    Figure,
    Folded,
    Level,
    Limits,
    Moment,
    Page,
    Part,
    Rows,
    Section,
    Table,
    Term,
    Text,
    Timeline,
)
from maskaudit.reports.effects import SHOWN

# So many records of a series are listed on the terminal.
LAST = 20
_NAMED = 4
_LEAST_DRAWN = 2
_VERSIONS = (
    "A version is a model with other weights or another tokenizer. Its p value is that of its own "
    "record: how often a difference at least as large would be found if the version leaned no "
    "further than the reference, with other words and other sentences of the same kind. All "
    "versions answer the same sentences, so their p values rise and fall together; the rule that "
    "calls a version worse (alpha spending) allows for that and for the number of versions. It "
    "does not say that a version is worse than the one before it: for that, “maskaudit compare” "
    "pairs the two, sentence by sentence. Where every version leans further than the reference, "
    "that is how the two stand, and no news."
)
_REPEATS = (
    "A repeat is another record of the very same weights, tokenizer and sentences. It is no new "
    "evidence, and only shows whether the computation gives the same number again."
)
_CHANGE = (
    "The change point is the place that divides the numbers best into two levels, at least two "
    "on either side. Its p value is the share of random orders of the same numbers that divide as "
    "well at any place. It assumes that without a change every order was equally likely. Where "
    "each version was trained on from the one before, the numbers wander and mostly divide as "
    "well (in 8 of 10 simulated series of 20): a small p value then says only that the order "
    "matters. A slow drift looks like a step. The p value holds for one look at one series, so no "
    "alarm rests on it."
)
_CHANGE_ERRORS = (
    "Standard errors do not enter the search. They say how far a number may be from that of other "
    "words and sentences, and most of that is shared by all versions that answer the same ones."
)
_WEEKS = (
    "Frames that are drawn anew are fresh evidence about a model that has not changed. The draws "
    "of the newest model join a sequence, whose limits hold at every draw at once: it may be "
    "looked at after each. They speak of other sentences with the same words."
)
_METHODS = (
    "Numbers stand in one series only where they were made in one way: the same probe set and "
    "version, estimator, precision and software. Anything else begins a new series."
)
_UNJUDGED = {
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
    """What is to be known of the folder: what could not be read, and where the clock was wrong."""
    history = made.history
    lines = [f"{_shown(one.name)}: left out: {_shown(one.reason)}" for one in history.skipped]
    lines += [
        f"the clock went backwards: {_shown(then)} was written after {_shown(written)} and says it "
        "is older; the order is that of writing"
        for written, then in history.clock
    ]
    names = list(dict.fromkeys(a.models["candidate"].name for a in history.audits))
    if len(names) > 1:
        told = wording.listed([_shown(name) for name in names[:_NAMED]])
        lines.append(
            f"the candidates have {len(names)} names ({told}"
            f"{', ...' if len(names) > _NAMED else ''}): each model counts as a version; "
            "--candidate NAME chooses"
        )
    return lines


def alarms(made: Judgement) -> list[str]:
    """A line for each series with an alarm."""
    found = []
    for one in made.judged:
        names = [alarm.record for alarm in made.alarms if alarm.series is one.series]
        if names:
            told = _weekly(one) if one.weekly else _versions(one, made.alpha_each)
            found.append(f"{title(one)}, {label(one)}: {told}")
    return found


def sentences(one: Judged, made: Judgement) -> list[str]:
    """What may be said of a series, a sentence each."""
    told = [_other_method(one), _repeats(one)]
    if one.weekly is not None:
        told.append(_weekly(one))
    elif any(not math.isnan(p) for p in one.p):
        told.append(_versions(one, made.alpha_each))
    else:
        told.append(_UNJUDGED.get(one.unjudged, ""))
    return [line for line in (*told, _change(one)) if line]


def title(one: Judged) -> str:
    """What a series is about, without whose number it is."""
    series = one.series
    number = series.estimator.replace("_", " ")
    slice_ = "" if Slice.parse(series.slice) == CONTRAST else f", {series.slice}"
    mode = "" if series.mode == "corrected" else f" ({series.mode})"
    return _shown(f"{series.title}: {number}{mode}{slice_}")


def label(one: Judged) -> str:
    """Whose number it is."""
    return _shown(one.series.subject)


def _other_method(one: Judged) -> str:
    if not one.series.differs:
        return ""
    first = _shown(one.series.points[0].audit.name)
    return (
        f"A new series from {first} on, made in another way than the one before "
        f"({_shown('; '.join(one.series.differs))}): the two are not compared."
    )


def _repeats(one: Judged) -> str:
    repeats = [point for point in one.series.points if point.same_as]
    if not repeats:
        return ""
    moved = [point for point in repeats if point.repeat == "changed"]
    told = f"{wording.counted(len(repeats), 'record')} {_are(len(repeats), 'repeat')}"
    if not moved:
        return f"{told}, with the same number as the first of {_its(len(repeats))} kind."
    named = wording.listed([_shown(point.audit.name) for point in moved[:_NAMED]])
    return (
        f"{told}, and {len(moved)} of them {_have(len(moved))} another number ({named}): something "
        "changed that a record does not name, such as the machine."
    )


def _versions(one: Judged, alpha: float) -> str:
    """How many versions are called worse, which, and what the newest one's p value is."""
    series = one.series
    judged = [i for i, p in enumerate(one.p) if not math.isnan(p)]
    worse = [i for i in judged if one.worse[i]]
    n = wording.counted(len(judged), "version")
    level = f"all of them together at the level {_level(alpha)}"
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
        f"({which}; first {_shown(first.audit.name)}; {level}). {newest}"
    )


def _weekly(one: Judged) -> str:
    weekly = one.weekly
    assert weekly is not None  # noqa: S101 - asked by the caller
    last = (weekly.sequence.mean[-1], weekly.sequence.low[-1], weekly.sequence.high[-1])
    told = (
        f"In {wording.counted(len(weekly.records), 'draw')} of the newest model the mean is "
        f"{wording.signed(last[0])} (limits that hold at every draw at once: "
        f"{wording.between(last[1], last[2], with_sign=True)})"
    )
    limit = wording.signed(weekly.null_value)
    above = [i for i, low in enumerate(weekly.sequence.low) if low > weekly.null_value]
    if above:
        return f"{told}: above {limit} since {_shown(weekly.records[above[0]])}."
    return f"{told}: not shown to be above {limit}."


def _change(one: Judged) -> str:
    fresh, change = one.series.fresh, one.change
    what = "draws" if one.series.is_drawn else "versions"
    if change is None:
        return f"Change point: too few {what} to say ({len(fresh)}; it takes {LEAST_VALUES})."
    before, after = (fresh[change.place + i].audit for i in (-1, 0))
    where = f"between {_shown(before.name)} and {_shown(after.name)}"
    step = f"from {_number(one, change.before)} to {_number(one, change.after)}"
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
    """What stands out of one record of a series, in a few words."""
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


def _cells(one: Judged, place: int) -> tuple[str, ...]:
    """One record of a series: name, day, version, estimate, interval, flags."""
    point = one.series.points[place]
    return (
        _shown(point.audit.name),
        f"{point.audit.created:%Y-%m-%d}",
        _version(one, point),
        _number(one, point.estimate),
        wording.between(point.low, point.high, with_sign=_is_signed(one)),
        flags(one, place),
    )


_HEADS = ("record", "date", "version", "estimate", "95 % interval", "flags")
_IS_NUMBER = (False, False, False, True, True, False)


def _version(one: Judged, point: Point) -> str:
    subject = one.series.subject
    model = point.audit.models.get(subject, point.audit.models["candidate"])
    return f"{point.version}: {_shown(wording.short_digest(str(model.weights)))}"


def _number(one: Judged, value: float) -> str:
    return (wording.signed if _is_signed(one) else wording.plain)(value)


def _is_signed(one: Judged) -> bool:
    return one.series.subject == DIFFERENCE or is_harmful_lean(one.series.estimator)


def _shown(text: str) -> str:
    """Text from a file or a folder's name, so that all of it can be seen."""
    return wording.visible(text, None)


def _level(alpha: float) -> str:
    return f"{alpha:.4f}".rstrip("0").lstrip("0")


def _are(n: int, noun: str) -> str:
    return f"is a {noun}" if n == 1 else f"are {noun}s"


def _its(n: int) -> str:
    return "its" if n == 1 else "their"


def _have(n: int) -> str:
    return "has" if n == 1 else "have"


# --- The terminal ---------------------------------------------------------------------------------


def text(made: Judgement, last: int = LAST) -> str:
    """The history as a table a series, with what may be said of it below; `last` records each."""
    return "\n".join(
        [_counted(made), *(line for one in made.judged for line in _told(one, made, last))]
    )


def _counted(made: Judgement) -> str:
    audits = made.history.audits
    days = list(dict.fromkeys(wording.date(a.created.isoformat()) for a in (audits[0], audits[-1])))
    return f"{wording.counted(len(audits), 'record')}, {' to '.join(days)}"


def _told(one: Judged, made: Judgement, last: int) -> Iterator[str]:
    n = len(one.series.points)
    rows = [_HEADS, *(_cells(one, place) for place in range(max(0, n - last), n))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADS))]
    yield ""
    yield f"{title(one)}, {label(one)}"
    if n > last:
        yield f"  the last {last} of {n} records; all are on the page (-o) and in --json"
    for row in rows:
        cells = [
            value.rjust(width) if is_number else value.ljust(width)
            for value, width, is_number in zip(row, widths, _IS_NUMBER, strict=True)
        ]
        yield "  " + "  ".join(cells).rstrip()
    for sentence in sentences(one, made):
        yield f"  {sentence}"


# --- The page -------------------------------------------------------------------------------------


def page(made: Judgement) -> Page:
    """A judged history as a page; pure, and the same for the same history."""
    history = made.history
    told = notes(made)
    lines: dict[tuple[str, ...], list[tuple[int, Judged]]] = {}
    for i, one in enumerate(made.judged):
        lines.setdefault(one.series.line[:-1], []).append((i, one))
    sections = [_section(i, own, made) for i, own in enumerate(lines.values())]
    sections.append(_read(made))
    if told:
        bullets = Bullets(tuple(wording.opened(line) + "." for line in told))
        sections.append(Section("notes", "What is to be known of the records", (bullets,), "Notes"))
    versions = {a.identity("candidate") for a in history.audits}
    return Page(
        title="Bias audits over time",
        eyebrow=f"{_counted(made)} · {wording.counted(len(versions), 'version')}",
        headline=_headline(made),
        banner="",
        warnings=(),
        findings=(Bullets(tuple(alarms(made))),) if made.alarms else (),
        sections=tuple(sections),
        colophon="Written by maskaudit from sealed records, of which the estimates were read and "
        "held against their checksums.",
    )


def _headline(made: Judgement) -> Claim:
    n_records = wording.counted(len(made.history.audits), "record")
    judged = {one.series.line for one in made.judged if not one.unjudged}
    shared = f"at the level {_level(made.alpha)}"
    if len(judged) > 1:
        shared += f", which the {len(judged)} numbers that are judged share"
    if made.alarms:
        return Claim(_alarmed(made, len(judged)), f"in {n_records}, {shared}.")
    if judged:
        return Claim(
            f"No alarm in {n_records}",
            "no version is called worse than its reference, and no sequence of draws is above its "
            f"limit, {shared}. That is no proof that nothing changed.",
        )
    why = " ".join(dict.fromkeys(_UNJUDGED[one.unjudged] for one in made.judged))
    return Claim(f"{n_records}, and nothing in them that could be judged", why)


def _alarmed(made: Judgement, n_judged: int) -> str:
    """What the alarms come to: of the newest version, of earlier ones, or of draws."""
    newest = {
        alarm.series.line
        for alarm in made.alarms
        if alarm.kind == "version" and alarm.record == alarm.series.fresh[-1].audit.name
    }
    numbers = wording.counted(n_judged, "number")
    if newest:
        return (
            f"The newest version is called worse than the reference on {len(newest)} of {numbers}"
        )
    weeks = {alarm.series.line for alarm in made.alarms if alarm.kind == "week"}
    if weeks:
        return f"The newest model is above its limit on {_of(len(weeks), n_judged)}"
    return "Earlier versions were called worse than the reference; the newest is not"


def _of(n: int, n_all: int) -> str:
    return f"{n} of {n_all} numbers" if n_all > 1 else "the one number that was judged"


def _section(i: int, own: Sequence[tuple[int, Judged]], made: Judgement) -> Section:
    parts = tuple(
        Part(wording.opened(label(one)) + _since(one), tuple(_blocks(place, one, made)))
        for place, one in own
    )
    return Section(f"series-{i + 1}", title(own[0][1]), parts)


def _since(one: Judged) -> str:
    """Where a series that follows another begins, so that two titles differ."""
    return f", from {_shown(one.series.points[0].audit.name)} on" if one.series.differs else ""


def _blocks(place: int, one: Judged, made: Judgement) -> Iterator[Block]:
    if len(one.series.points) >= _LEAST_DRAWN:
        yield _figure(place, one)
        yield Text(_description(one), "small")
    yield Bullets(tuple(sentences(one, made)))
    table = _table(place, one)
    n = wording.counted(len(one.series.points), "record")
    yield Folded(f"The numbers of {n}", (table,))


def _figure(place: int, one: Judged) -> Figure:
    series = one.series
    subject = series.subject if series.subject in {"reference", DIFFERENCE} else "candidate"
    unit = ", nats" if is_harmful_lean(series.estimator) else ""
    null = one.weekly.null_value if one.weekly else 0.0 if series.subject == DIFFERENCE else None
    axis = f"{series.estimator.replace('_', ' ')}{unit}"
    chart = Timeline(_moments(one), subject, axis, null, _levels(one), _limits(one))
    return Figure(
        f"history-{place + 1}",
        f"{title(one)}, {label(one)}",
        _description(one),
        chart,
    )


def _moments(one: Judged) -> tuple[Moment, ...]:
    return tuple(
        Moment(
            _label(one, i),
            f"{point.audit.created:%Y-%m-%d}",
            point.estimate,
            point.low,
            point.high,
            _state(one, i),
        )
        for i, point in enumerate(one.series.points)
    )


def _levels(one: Judged) -> tuple[Level, ...]:
    """The levels before and after a change point that is shown."""
    change = one.change
    if change is None or change.p >= SHOWN:
        return ()
    names = [point.audit.name for point in one.series.points]
    turn = names.index(one.series.fresh[change.place].audit.name)
    return Level(0, turn - 1, change.before), Level(turn, len(names) - 1, change.after)


def _limits(one: Judged) -> tuple[Limits, ...]:
    """The limits of the sequence of draws, at the record that each is of."""
    if one.weekly is None:
        return ()
    places = {point.audit.name: i for i, point in enumerate(one.series.points)}
    sequence = one.weekly.sequence
    return tuple(
        Limits(places[name], float(sequence.low[i]), float(sequence.high[i]))
        for i, name in enumerate(one.weekly.records)
    )


def _state(one: Judged, place: int) -> Literal["new", "repeat", "alarm"]:
    if one.worse[place]:
        return "alarm"
    return "repeat" if one.series.points[place].same_as else "new"


def _label(one: Judged, place: int) -> str:
    record, day, version, *_ = _cells(one, place)
    point = one.series.points[place]
    told = flags(one, place)
    number = _number(one, point.estimate)
    interval = wording.between(point.low, point.high, with_sign=_is_signed(one))
    return f"{record}, {day}, version {version}: {number} ({interval}){'; ' if told else ''}{told}"


def _description(one: Judged) -> str:
    told = [
        "Records from left to right in the order of writing, each with its 95 % interval.",
        "A ring marks a version that is called worse." if any(one.worse) else "",
        "Hollow marks are repeats." if any(p.same_as for p in one.series.points) else "",
        "Solid lines across are the levels before and after the change point."
        if one.change is not None and one.change.p < SHOWN
        else "",
        "Steps are the limits that hold at every draw at once." if one.weekly else "",
    ]
    return " ".join(line for line in told if line)


def _table(place: int, one: Judged) -> Table:
    rows = tuple(_cells(one, i) for i in range(len(one.series.points)))
    columns = tuple(
        Column(wording.opened(head), is_number)
        for head, is_number in zip(_HEADS, _IS_NUMBER, strict=True)
    )
    return Table(
        f"history-table-{place + 1}",
        f"{title(one)}, {label(one)}",
        columns,
        (Rows(rows),),
        note=f"Method: {_shown(one.series.method)}",
        basis=caveats.scopes([one.series.scope]),
        is_compact=True,
    )


def _read(made: Judgement) -> Section:
    has_weeks = any(one.weekly for one in made.judged)
    terms = [
        Term("Versions", (_VERSIONS,)),
        Term("Repeats", (_REPEATS,)),
        Term("Change points", (_CHANGE, _CHANGE_ERRORS)),
        *([Term("Draws", (_WEEKS,))] if has_weeks else []),
        Term("Series", (_METHODS,)),
    ]
    return Section("reading", "How to read this", (Definitions(tuple(terms)),), "How to read")


def write(made: Judgement, path: Path) -> Path:
    """Write the page of a history; whole or not at all. Raises `CannotWriteError`."""
    from maskaudit.reports import html

    return html.write(page(made), path)
