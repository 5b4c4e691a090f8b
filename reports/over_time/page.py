"""The page of a folder's audit history, with the same sentences as the terminal output."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.history.judge import Judged, Judgement
from maskaudit.audit.history.series import Audit
from maskaudit.audit.judging import verdicts
from maskaudit.reports.effects import CANDIDATE, REFERENCE
from maskaudit.reports.over_time.course import course, ends_of
from maskaudit.reports.over_time.curve import Training, curve
from maskaudit.reports.over_time.headline import headline
from maskaudit.reports.reader.parts import Course, Courses, OverTime
from maskaudit.reports.site.names import labels
from maskaudit.reports.site.shown import Model
from maskaudit.reports.terminal.history import counted, label, notes, shown, title
from maskaudit.reports.words import wording

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
    "evidence, and only shows whether the computation gives the same number again. Its mark is "
    "pale."
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
    "of the newest model join a sequence, whose limits hold at every draw at once, drawn as a pale "
    "bar: it may be looked at after each. They speak of other sentences with the same words."
)
_METHODS = (
    "Numbers stand in one series only where they were made in one way: the same probe set and "
    "version, estimator, precision and software. Anything else begins a new series."
)
_BAND = (
    "The band is what the release rules allowed the newest record: from what it was compared with "
    "to that and the margin, or up to the bound. Rules on a change judge the change, sentence by "
    "sentence, and not where a bar ends."
)
_NO_VERDICTS = "its verdicts cannot be read, so no release rule is drawn"


def page(
    judgement: Judgement,
    release: verdicts.Judgement | None = None,
    remarks: Sequence[str] = (),
    training: Training | None = None,
) -> OverTime:
    """The page of a judged history; pure and deterministic.

    `release` are the verdicts of its newest record, and `remarks` stand below the other notes. With
    `training` its records are of one training: each number has its curve over the steps, with the
    level of the reference, which has no part of its own.
    """
    history = judgement.history
    called = labels({audit.name: _model(audit) for audit in history.audits})
    by_line: dict[tuple[str, ...], list[Judged]] = {}
    for judged in judgement.judged:
        # The last part of a line is its subject; all subjects of a number share one section.
        by_line.setdefault(judged.series.line[:-1], []).append(judged)
    places = {id(judged.series): i for i, judged in enumerate(judgement.judged, start=1)}

    def drawn_course(one: Judged, of_line: Sequence[Judged]) -> Course:
        plain = course(places[id(one.series)], one, judgement, called, release)
        if training is None:
            return plain
        level = _level(one, of_line)
        return replace(plain, curve=curve(one, training, ends_of(one, release), level))

    drawn = {
        line: [drawn_course(one, of_line) for one in _own(of_line, training)]
        for line, of_line in by_line.items()
    }
    has_band = any(one.plot.band for courses in drawn.values() for one in courses)
    versions = {audit.identity(CANDIDATE) for audit in history.audits}
    claim, evidence = headline(judgement, called)
    return OverTime(
        title="Bias audits over time",
        eyebrow=f"{counted(judgement)} · {wording.counted(len(versions), 'version')}",
        headline=claim,
        lead=wording.opened(evidence),
        alarms=tuple(
            (f"#course-{places[id(one.series)]}-title", f"{title(one)}, {label(one)}")
            for one in judgement.judged
            if any(alarm.series is one.series for alarm in judgement.alarms)
        ),
        numbers=tuple(
            Courses(f"number-{i}", title(by_line[line][0]), tuple(courses))
            for i, (line, courses) in enumerate(drawn.items(), start=1)
        ),
        notes=tuple(wording.opened(line) + "." for line in (*notes(judgement), *remarks)),
        terms=_terms(judgement, has_band=has_band),
        colophon="Written by maskaudit from sealed records, of which the estimates were read and "
        "held against their checksums.",
    )


def _own(of_line: Sequence[Judged], training: Training | None) -> list[Judged]:
    """The series of a number that have a part of the page: those of a training's own model."""
    if training is None:
        return list(of_line)
    return [one for one in of_line if one.series.subject != REFERENCE]


def _level(one: Judged, of_line: Sequence[Judged]) -> Judged | None:
    """The reference's own series, for the curve of the candidate; None where there is none."""
    if one.series.subject != CANDIDATE:
        return None
    same = [
        other
        for other in of_line
        if other.series.subject == REFERENCE and other.series.method == one.series.method
    ]
    return same[-1] if same else None


def write(
    judgement: Judgement,
    path: Path,
    *,
    remarks: Sequence[str] = (),
    training: Training | None = None,
) -> Path:
    """Write the page of a history atomically, with the verdicts that lie beside its newest record.

    `remarks` are sentences without full stop, which stand among its notes; `training` is that of
    `page`. Raises `CannotWriteError` where the file cannot be written.
    """
    from maskaudit.audit.recording.files import write_whole
    from maskaudit.reports.html import render_over_time

    newest = judgement.history.audits[-1].name
    release, noted = None, list(remarks)
    try:
        release = verdicts.read(judgement.history.runs / newest)
    except InputError:
        noted.append(f"{shown(newest)}: {_NO_VERDICTS}")
    return write_whole(path, render_over_time(page(judgement, release, noted, training)))


def _model(audit: Audit) -> Model:
    """The candidate of a record, by the last part of its name."""
    identity = audit.models[CANDIDATE]
    name = identity.name.rstrip("/").rsplit("/", 1)[-1] or identity.name
    revision = getattr(identity, "revision", "")
    return Model(
        wording.visible(name), identity.name, revision, identity.weights, identity.tokenizer
    )


def _terms(judgement: Judgement, *, has_band: bool) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """How to read the page: each term with its paragraphs."""

    def terms() -> Iterator[tuple[str, tuple[str, ...]]]:
        yield "Versions", (_VERSIONS,)
        yield "Repeats", (_REPEATS,)
        yield "Change points", (_CHANGE, _CHANGE_ERRORS)
        if any(judged.weekly for judged in judgement.judged):
            yield "Draws", (_WEEKS,)
        if has_band:
            yield "Band", (_BAND,)
        yield "Series", (_METHODS,)

    return tuple(terms())
