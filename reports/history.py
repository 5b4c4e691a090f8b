"""The page of a folder's audit history, with the same sentences as the terminal output.

The charting libraries are imported only when a page is written.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from maskaudit.audit.estimating.numbers import is_harmful_lean
from maskaudit.audit.history.judge import Judged, Judgement
from maskaudit.audit.history.series import DIFFERENCE
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
from maskaudit.reports.terminal.history import (
    HEADS,
    IS_NUMBER,
    UNJUDGED,
    alarms,
    cells_of,
    counted,
    flags,
    is_signed,
    label,
    level_of,
    notes,
    number_of,
    sentences,
    shown,
    title,
)

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


def page(made: Judgement) -> Page:
    """The page of a judged history; pure and deterministic."""
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
        eyebrow=f"{counted(made)} · {wording.counted(len(versions), 'version')}",
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
    shared = f"at the level {level_of(made.alpha)}"
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
    why = " ".join(dict.fromkeys(UNJUDGED[one.unjudged] for one in made.judged))
    return Claim(f"{n_records}, and nothing in them that could be judged", why)


def _alarmed(made: Judgement, n_judged: int) -> str:
    """The headline of the alarms: of the newest version, else of draws, else of older versions."""
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
    """The start of a series that follows another, which makes the two titles differ."""
    return f", from {shown(one.series.points[0].audit.name)} on" if one.series.differs else ""


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
    """The levels before and after a significant change point."""
    change = one.change
    if change is None or change.p >= SHOWN:
        return ()
    names = [point.audit.name for point in one.series.points]
    turn = names.index(one.series.fresh[change.place].audit.name)
    return Level(0, turn - 1, change.before), Level(turn, len(names) - 1, change.after)


def _limits(one: Judged) -> tuple[Limits, ...]:
    """The limits of the sequence of draws, each at the position of its record."""
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
    record, day, version, *_ = cells_of(one, place)
    point = one.series.points[place]
    told = flags(one, place)
    number = number_of(one, point.estimate)
    interval = wording.between(point.low, point.high, with_sign=is_signed(one))
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
    rows = tuple(cells_of(one, i) for i in range(len(one.series.points)))
    columns = tuple(
        Column(wording.opened(head), is_number)
        for head, is_number in zip(HEADS, IS_NUMBER, strict=True)
    )
    return Table(
        f"history-table-{place + 1}",
        f"{title(one)}, {label(one)}",
        columns,
        (Rows(rows),),
        note=f"Method: {shown(one.series.method)}",
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
    """Write the page of a history atomically.

    Raises `CannotWriteError` where the file cannot be written.
    """
    from maskaudit.reports import html

    return html.write(page(made), path)
