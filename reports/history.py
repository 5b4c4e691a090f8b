"""The page of a folder's audit history, with the same sentences as the terminal output.

The charting libraries are imported only when a page is written.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from maskaudit.audit.estimating.numbers import is_harmful_lean
from maskaudit.audit.history.judge import Judged, Judgement
from maskaudit.audit.history.series import DIFFERENCE
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
from maskaudit.reports.words import caveats, wording

# A single number has no course that a chart could show.
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
    "on either side. Its p value is one over the evidence for a step at any place against none, "
    "where the numbers scatter normally around one level. It holds however often one looks: in at "
    "most 5 of 100 steady series is it ever below .05. So it is slow: a step of two standard "
    "deviations is mostly shown eight numbers after it. It holds for one series; of many steady "
    "ones, some show a change. Where each version was trained on from the one before, the numbers "
    "wander: a small p value then says only that the order matters. A slow drift looks like a "
    "step. No alarm rests on it."
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


def page(judgement: Judgement) -> Page:
    """The page of a judged history; pure and deterministic."""
    history = judgement.history
    remarks = notes(judgement)
    by_line: dict[tuple[str, ...], list[tuple[int, Judged]]] = {}
    for i, judged in enumerate(judgement.judged):
        # The last part of a line is its subject; all subjects of a number share one section.
        by_line.setdefault(judged.series.line[:-1], []).append((i, judged))
    sections = [_section(i, numbered, judgement) for i, numbered in enumerate(by_line.values())]
    sections.append(_how_to_read(judgement))
    if remarks:
        bullets = Bullets(tuple(wording.opened(line) + "." for line in remarks))
        sections.append(Section("notes", "What is to be known of the records", (bullets,), "Notes"))
    versions = {a.identity("candidate") for a in history.audits}
    return Page(
        title="Bias audits over time",
        eyebrow=f"{counted(judgement)} · {wording.counted(len(versions), 'version')}",
        headline=_headline(judgement),
        banner="",
        warnings=(),
        findings=(Bullets(tuple(alarms(judgement))),) if judgement.alarms else (),
        sections=tuple(sections),
        colophon="Written by maskaudit from sealed records, of which the estimates were read and "
        "held against their checksums.",
    )


def _headline(judgement: Judgement) -> Claim:
    n_records = wording.counted(len(judgement.history.audits), "record")
    lines = {judged.series.line for judged in judgement.judged if not judged.unjudged}
    shared = f"at the level {level_of(judgement.alpha)}"
    if len(lines) > 1:
        shared += f", which the {len(lines)} numbers that are judged share"
    if judgement.alarms:
        return Claim(_alarmed(judgement, len(lines)), f"in {n_records}, {shared}.")
    if lines:
        return Claim(
            f"No alarm in {n_records}",
            "no version is called worse than its reference, and no sequence of draws is above its "
            f"limit, {shared}. That is no proof that nothing changed.",
        )
    why = " ".join(dict.fromkeys(UNJUDGED[judged.unjudged] for judged in judgement.judged))
    return Claim(f"{n_records}, and nothing in them that could be judged", why)


def _alarmed(judgement: Judgement, n_judged: int) -> str:
    """The headline of the alarms: of the newest version, else of draws, else of older versions."""
    newest = {
        alarm.series.line
        for alarm in judgement.alarms
        if alarm.kind == "version" and alarm.record == alarm.series.fresh[-1].audit.name
    }
    numbers = wording.counted(n_judged, "number")
    # The newest first: an alarm about an older version says nothing of the one in hand.
    if newest:
        return (
            f"The newest version is called worse than the reference on {len(newest)} of {numbers}"
        )
    weeks = {alarm.series.line for alarm in judgement.alarms if alarm.kind == "week"}
    if weeks:
        return f"The newest model is above its limit on {_out_of(len(weeks), n_judged)}"
    return "Earlier versions were called worse than the reference; the newest is not"


def _out_of(n: int, n_all: int) -> str:
    return f"{n} of {n_all} numbers" if n_all > 1 else "the one number that was judged"


def _section(i: int, numbered: Sequence[tuple[int, Judged]], judgement: Judgement) -> Section:
    parts = tuple(
        Part(
            wording.opened(label(judged)) + _since(judged), tuple(_blocks(index, judged, judgement))
        )
        for index, judged in numbered
    )
    return Section(f"series-{i + 1}", title(numbered[0][1]), parts)


def _since(judged: Judged) -> str:
    """The start of a series that follows another, which makes the two titles differ."""
    return f", from {shown(judged.series.points[0].audit.name)} on" if judged.series.differs else ""


def _blocks(index: int, judged: Judged, judgement: Judgement) -> Iterator[Block]:
    if len(judged.series.points) >= _LEAST_DRAWN:
        yield _figure(index, judged)
        yield Text(_description(judged), "small")
    yield Bullets(tuple(sentences(judged, judgement)))
    table = _table(index, judged)
    n = wording.counted(len(judged.series.points), "record")
    yield Folded(f"The numbers of {n}", (table,))


def _figure(index: int, judged: Judged) -> Figure:
    series = judged.series
    # Charts have a colour and a shape for these three subjects alone.
    subject = series.subject if series.subject in {"reference", DIFFERENCE} else "candidate"
    unit = ", nats" if is_harmful_lean(series.estimator) else ""
    # A line only where the number is held against something. One model's own number is not, unless
    # its draws have a limit: a line at 0 would say that it should be there.
    null = (
        judged.weekly.null_value if judged.weekly else 0.0 if series.subject == DIFFERENCE else None
    )
    axis = f"{series.estimator.replace('_', ' ')}{unit}"
    chart = Timeline(_moments(judged), subject, axis, null, _levels(judged), _limits(judged))
    return Figure(
        f"history-{index + 1}",
        f"{title(judged)}, {label(judged)}",
        _description(judged),
        chart,
    )


def _moments(judged: Judged) -> tuple[Moment, ...]:
    return tuple(
        Moment(
            _label(judged, i),
            f"{point.audit.created:%Y-%m-%d}",
            point.estimate,
            point.low,
            point.high,
            _state(judged, i),
        )
        for i, point in enumerate(judged.series.points)
    )


def _levels(judged: Judged) -> tuple[Level, ...]:
    """The levels before and after a significant change point."""
    change = judged.change
    # Two levels that are not shown would be read as a step all the same.
    if change is None or change.p >= SHOWN:
        return ()
    names = [point.audit.name for point in judged.series.points]
    # A change point counts fresh records only, while the chart has repeats as well.
    turn = names.index(judged.series.fresh[change.place].audit.name)
    return Level(0, turn - 1, change.before), Level(turn, len(names) - 1, change.after)


def _limits(judged: Judged) -> tuple[Limits, ...]:
    """The limits of the sequence of draws, each at the position of its record."""
    if judged.weekly is None:
        return ()
    positions = {point.audit.name: i for i, point in enumerate(judged.series.points)}
    sequence = judged.weekly.sequence
    return tuple(
        Limits(positions[name], float(sequence.low[i]), float(sequence.high[i]))
        for i, name in enumerate(judged.weekly.records)
    )


def _state(judged: Judged, index: int) -> Literal["new", "repeat", "alarm"]:
    if judged.worse[index]:
        return "alarm"
    return "repeat" if judged.series.points[index].same_as else "new"


def _label(judged: Judged, index: int) -> str:
    # The whole row in words: to a screen reader the mark is nothing else.
    record, day, version, *_ = cells_of(judged, index)
    point = judged.series.points[index]
    flagged = flags(judged, index)
    number = number_of(judged, point.estimate)
    interval = wording.between(point.low, point.high, with_sign=is_signed(judged))
    return (
        f"{record}, {day}, version {version}: {number} ({interval})"
        f"{'; ' if flagged else ''}{flagged}"
    )


def _description(judged: Judged) -> str:
    parts = [
        "Records from left to right in the order of writing, each with its 95 % interval.",
        "A ring marks a version that is called worse." if any(judged.worse) else "",
        "Hollow marks are repeats." if any(p.same_as for p in judged.series.points) else "",
        "Solid lines across are the levels before and after the change point."
        if judged.change is not None and judged.change.p < SHOWN
        else "",
        "Steps are the limits that hold at every draw at once." if judged.weekly else "",
    ]
    return " ".join(line for line in parts if line)


def _table(index: int, judged: Judged) -> Table:
    rows = tuple(cells_of(judged, i) for i in range(len(judged.series.points)))
    columns = tuple(
        Column(wording.opened(head), is_number)
        for head, is_number in zip(HEADS, IS_NUMBER, strict=True)
    )
    return Table(
        f"history-table-{index + 1}",
        f"{title(judged)}, {label(judged)}",
        columns,
        (Rows(rows),),
        note=f"Method: {shown(judged.series.method)}",
        basis=caveats.scopes([judged.series.scope]),
        is_compact=True,
    )


def _how_to_read(judgement: Judgement) -> Section:
    has_weeks = any(judged.weekly for judged in judgement.judged)
    terms = [
        Term("Versions", (_VERSIONS,)),
        Term("Repeats", (_REPEATS,)),
        Term("Change points", (_CHANGE, _CHANGE_ERRORS)),
        *([Term("Draws", (_WEEKS,))] if has_weeks else []),
        Term("Series", (_METHODS,)),
    ]
    return Section("reading", "How to read this", (Definitions(tuple(terms)),), "How to read")


def write(judgement: Judgement, path: Path) -> Path:
    """Write the page of a history atomically.

    Raises `CannotWriteError` where the file cannot be written.
    """
    from maskaudit.audit.recording.files import write_whole
    from maskaudit.reports.html import render

    return write_whole(path, render(page(judgement)))
