"""Every set of an audit on one axis, the surest lean first, its controls and facts among them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from maskaudit.audit.estimating.registry.names import ACCURACY, CONTRAST, LEAN
from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effect, Effects, Names
from maskaudit.reports.reader import opening
from maskaudit.reports.reader.allowed import Baseline, baseline, judged_on
from maskaudit.reports.reader.parts import Key, Line, Mark, Plot, in_details
from maskaudit.reports.reader.scales import Scale, keys, odds_scale
from maskaudit.reports.reader.state import Found, tested
from maskaudit.reports.words import wording

# The rows that stand open at least; those without room are unfolded on demand.
_LEAST = 3
# The words by which the others are unfolded.
_UNFOLD = 2


@dataclass(frozen=True)
class Told:
    """How an overview is told: names, the address of the details, the verdicts, its words.

    `room` is how many words it may have before anything is unfolded, and `has_competence`
    whether the verdict tells what the models know. `classes` are those of the
    attributes of the set that matters most, as people read them.
    """

    names: Names
    details: str
    judgement: Judgement | None
    room: int
    has_competence: bool
    classes: Mapping[str, str]


def overview(
    found: Sequence[Found],
    manifest: Manifest,
    estimates: Effects,
    told: Told,
) -> Plot | None:
    """The contrasts of both models by set, and of the baseline that a release rule names, if any.

    None where the record has none.
    """
    if not found:
        return None
    names, details = told.names, told.details
    asked, controls = tested(found), [one for one in found if one.is_control]
    others = [one for one in found if one not in asked and one not in controls]
    shown = [e for one in found for s, e in one.paired.subjects.items() if s in names.models]
    judged = told.judgement.verdicts if told.judgement else ()
    before = {id(one): own for one in found if (own := _baseline(one, judged)) is not None}
    values = [v for e in shown for v in (e.estimate, e.low, e.high)]
    values += [own.estimate for own in before.values()]
    if len(found) == 1:
        values += [-value for value in values]
    scale, ticks = odds_scale(values)

    def line(one: Found) -> Line:
        return _line(one, before.get(id(one)), scale, names, details)

    lines = [line(one) for one in (*asked, *others)]
    # Controls and facts judge the others, so they stand beside them and never on demand.
    judges = [line(one) for one in controls[:1]]
    # What the verdict has told already is there on demand.
    facts = _facts(manifest, estimates, names, details)
    judges += [] if told.has_competence else facts
    tick = ""
    if len(lines) + len(judges) == 1:
        # One row says little by itself, and there is room for what it is made of.
        judges = _words(found[0], told.classes, estimates, scale)
        tick = "tick: a word; " if judges else ""
    plot = Plot(
        "overview",
        _title(asked, len(found)),
        f"Times the odds; bar: 95 % interval; {tick}1: no lean.",
        (names.candidate, f"than {names.reference}" if names.paired else "", "odds"),
        keys(names, *_keys(before.values())),
        ticks,
        (*lines, *judges),
    )
    n = _fitting(plot, len(lines), told.room)
    more = (*lines[n:], *map(line, controls[1:]), *(facts if told.has_competence else []))
    return replace(plot, lines=(*lines[:n], *judges), more=more, more_title=f"{len(more)} more")


def _title(asked: Sequence[Found], total: int) -> str:
    if not asked:
        return "No lean could be tested"
    return "Every test, surest first" if total > 1 else "The test, word by word"


def _fitting(plot: Plot, n: int, room: int) -> int:
    """How many of the first `n` rows stand open, so that there is room for the words of all."""
    about = (plot.title, plot.unit, *plot.heads, *(key.label for key in plot.keys))
    words = [sum(map(wording.words, (row.label, row.value, row.word, row.change)))
             for row in plot.lines]  # fmt: skip
    room -= sum(map(wording.words, about)) + sum(words[n:])
    if sum(words[:n]) <= room:
        return n
    fitting = sum(total <= room - _UNFOLD for total in accumulate(words[:n]))
    # The worst are there whatever the room is.
    return max(fitting, min(n, _LEAST))


def _baseline(one: Found, judged: Iterable[Verdict]) -> Baseline | None:
    """The accepted version that a release rule holds a set's contrast against, if one does."""
    own = judged_on(judged, one.paired.probe_set, one.paired.between)
    return baseline(own, CONTRAST, one.candidate.estimate)


def _keys(before: Iterable[Baseline]) -> list[Key]:
    called = dict.fromkeys(own.name for own in before)
    if not called:
        return []
    name = f" “{wording.visible(next(iter(called)))}”" if len(called) == 1 else "s"
    return [Key("baseline", f"baseline{name}")]


def _line(one: Found, before: Baseline | None, scale: Scale, names: Names, details: str) -> Line:
    effects = {s: e for s, e in one.paired.subjects.items() if s in names.models}
    marks: list[Mark] = []
    if REFERENCE in effects:
        marks.append(scale.mark(REFERENCE, effects[REFERENCE], bare=True))
    if before is not None:
        marks.append(scale.mark("baseline", before))
    candidate = effects[CANDIDATE]
    is_faint = one.lean not in {"with", "against"}
    # NaN alone is not itself: a number that is not known has no place on the axis.
    if candidate.estimate == candidate.estimate:
        marks.append(scale.mark(CANDIDATE, candidate, is_faint=is_faint))
    change = opening.change_of(one)
    return Line(
        one.paired.title,
        tuple(marks),
        f"{wording.times(candidate.estimate)}",
        opening.state_of(one),
        one.tone,
        in_details(details, one.paired.probe_set),
        change=change,
        change_tone=opening.change_tone(one),
        said="; ".join(_said(effects.get(REFERENCE), before, names)),
    )


def _said(reference: Effect | None, before: Baseline | None, names: Names) -> Iterator[str]:
    """Yield the numbers of the marks beside the candidate's."""
    if reference is not None:
        yield f"{names.reference}: {wording.times(reference.estimate)}"
    if before is not None:
        yield f"baseline: {wording.times(before.estimate)}"


def _words(one: Found, classes: Mapping[str, str], estimates: Effects, scale: Scale) -> list[Line]:
    """The words of each class of a set, a mark a word: their own odds beside the average word's."""
    leans = estimates.of_set(one.paired.probe_set).by_attribute(LEAN, one.paired.between, CANDIDATE)
    lines = []
    for class_ in one.paired.classes:
        own = [effect for name, effect in leans.items() if classes.get(name) == class_]
        marks = tuple(scale.mark("word", effect, bare=True) for effect in own)
        if marks:
            average = sum(effect.estimate for effect in own) / len(own)
            label = f"{len(own)} “{class_}” words"
            lines.append(Line(label, marks, wording.times(average)))
    return lines


def _facts(manifest: Manifest, estimates: Effects, names: Names, details: str) -> list[Line]:
    """The sets by which competence is judged, as rows without marks: they have another axis."""
    lines = []
    for probe_set, part in manifest.probe_sets.items():
        by_subject = estimates.of_set(probe_set).at(ACCURACY, ALL, names.models)
        check = manifest.competence.get(CANDIDATE)
        if part.kind != "cloze" or part.axis != "facts" or CANDIDATE not in by_subject or not check:
            continue
        is_fit = check.competent or manifest.truth is not None
        lines.append(
            Line(
                wording.visible(part.title),
                (),
                wording.percent(by_subject[CANDIDATE].estimate),
                "known well enough" if is_fit else "known too little",
                "control" if is_fit else "open",
                in_details(details, probe_set),
                change=f"{names.reference} {wording.percent(by_subject[REFERENCE].estimate)}"
                if REFERENCE in by_subject
                else "",
            )
        )
    return lines
