"""What else was asked: facts and their limits, and published sets, each on one axis of shares."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from maskaudit.audit.estimating.estimators import PUBLISHED
from maskaudit.audit.estimating.registry.names import (
    ACCURACY,
    CHOICE,
    FOUND,
    NEGATED,
    SHARE_RIGHT,
)
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effect, Effects, Names
from maskaudit.reports.reader.parts import Line, Mark, Plot, Tone, in_details
from maskaudit.reports.reader.scales import Scale, keys, share_scale
from maskaudit.reports.sections import texts
from maskaudit.reports.sections.units.preferences import Preference
from maskaudit.reports.words import wording

_EVEN = 0.5
# The parts of masked text that have rows, with their labels, and what stands for the hyphen of a
# name or of a range.
_TEXT_PARTS = {
    "group": "{}",
    "frequency": "answer seen {}×",
    "pieces": "pieces of the answer: {}",
}
_JOINED = {"class": " ", "group": "-", "frequency": "–", "pieces": "–"}
# Rows of sets and their parts that stand open; of more, the sets alone.
_MOST_ROWS = 16
_KINDS = {
    ACCURACY: "",
    FOUND: "",
    CHOICE: ", among given words",
    NEGATED: ", negated, yet filled the same",
}


def knowledge(manifest: Manifest, estimates: Effects, names: Names, details: str) -> Plot | None:
    """How often each model fills facts and masked text rightly; None for a record without."""
    scale, ticks = share_scale(None)
    lines = []
    for probe_set, part in manifest.probe_sets.items():
        if part.kind not in SHARE_RIGHT:
            continue
        effects = estimates.of_set(probe_set)
        for estimator, kind in _KINDS.items():
            by_subject = effects.at(estimator, ALL, names.subjects)
            if CANDIDATE not in by_subject:
                continue
            lines.append(
                Line(
                    wording.visible(part.title) + kind,
                    _marks(by_subject, scale, names),
                    wording.percent(by_subject[CANDIDATE].estimate),
                    link=in_details(details, probe_set),
                )
            )
            if part.kind == texts.KIND:
                lines += _within(estimator, _TEXT_PARTS, effects, scale, names)
    if not lines:
        return None
    return Plot(
        "knowledge",
        "What the models know, and where they slip",
        "Share of sentences or masked words, with 95 % intervals.",
        ("", "", ""),
        keys(names),
        ticks,
        *_folded(lines, "part"),
    )


def published(
    preferred: list[Preference], estimates: Effects, names: Names, details: str
) -> Plot | None:
    """How often each model prefers the stereotyping side of published sets; None without one."""
    if not preferred:
        return None
    scale, ticks = share_scale(_EVEN)
    lines: list[Line] = []
    for one in preferred:
        shares = {s: _as_share(e) for s, e in one.subjects.items() if s in names.models}
        as_published = (
            estimates.of_set(one.probe_set)
            .in_mode(PUBLISHED)
            .at(one.estimator, ALL, names.models)
            .get(CANDIDATE)
        )
        marks: list[Mark] = []
        # The published mode where it is another number, and first: it may lie under the corrected.
        if as_published and as_published.estimate != one.subjects[CANDIDATE].estimate:
            marks.append(Mark(CANDIDATE, scale.at(as_published.estimate / 100), is_faint=True))
        marks += _marks(shares, scale, names)
        control = " (control)" if one.control_of else ""
        effect = shares[CANDIDATE]
        word, tone = _side(effect)
        lines.append(
            Line(
                one.title + control,
                tuple(marks),
                wording.percent(effect.estimate),
                word,
                tone,
                in_details(details, one.probe_set),
            )
        )
        lines += _by_type(one, estimates, scale, names)
    return Plot(
        "published",
        "Published sets: how often the stereotyping side is likelier",
        "50 % is even; bar: 95 % interval. Pale: as published, where ours corrects it.",
        ("", "", ""),
        keys(names),
        ticks,
        *_folded(lines, "type"),
    )


def _folded(lines: Sequence[Line], noun: str) -> tuple[tuple[Line, ...], tuple[Line, ...], str]:
    """The rows that stand open, the parts that are unfolded on demand, and by which words."""
    if len(lines) <= _MOST_ROWS:
        return tuple(lines), (), ""
    parts, of_set = [], ""
    for line in lines:
        if line.is_within:
            parts.append(replace(line, is_within=False, more=of_set))
        else:
            of_set = line.label
    opened = tuple(line for line in lines if not line.is_within)
    return opened, tuple(parts), wording.counted(len(parts), noun)


def _by_type(one: Preference, estimates: Effects, scale: Scale, names: Names) -> list[Line]:
    """A row for each type of a set's units."""
    of_set = estimates.of_set(one.probe_set).main_mode()
    in_units = Effects([replace(row, effect=_as_share(row.effect)) for row in of_set.all])
    return _within(one.estimator, {"class": "{}"}, in_units, scale, names)


def _within(
    estimator: str, kinds: Mapping[str, str], effects: Effects, scale: Scale, names: Names
) -> list[Line]:
    """A row for each part of a set, of these kinds with their labels; none of a kind of one part.

    Nothing is claimed of parts, which are many.
    """
    lines = []
    own = effects.of_estimators({estimator})
    for kind, label in kinds.items():
        parts = dict.fromkeys(row.slice for row in own.all if row.slice.kind == kind)
        for part in parts if len(parts) > 1 else ():
            shares = own.at(estimator, part, names.models)
            if CANDIDATE in shares:
                lines.append(
                    Line(
                        label.format(wording.visible(part.value.replace("-", _JOINED[kind]))),
                        _marks(shares, scale, names),
                        wording.percent(shares[CANDIDATE].estimate),
                        is_within=True,
                    )
                )
    return lines


def lead(one: Preference, names: Names) -> str:
    """How sure the shares of a headline are, and whether they are told from one another."""
    limits = [f"{name} {_limits(one.subjects[model])}" for model, name in _who(names)]
    told = "s" if names.paired else ""
    said = f"{wording.level(one.level)} interval{told}: {wording.listed(limits)}; 50 % is even."
    if not names.paired:
        return said
    return f"{said} {'The two are told apart' if one.is_shown else 'No difference is shown'}."


def _who(names: Names) -> list[tuple[str, str]]:
    both: list[tuple[str, str]] = [(CANDIDATE, names.candidate), (REFERENCE, names.reference)]
    return both if names.paired else both[:1]


def _limits(effect: Effect) -> str:
    if math.isnan(effect.low):
        return "not computed"
    return f"{wording.fixed(effect.low, 1)} to {wording.fixed(effect.high, 1)} %"


def _side(effect: Effect) -> tuple[str, Tone]:
    """Whether a share is told from even, and on which side of it."""
    if not effect.leaves_out(_EVEN):
        return "unclear", "open"
    return (
        ("with stereotype", "worse")
        if effect.estimate > _EVEN
        else ("against stereotype", "better")
    )


def _as_share(effect: Effect) -> Effect:
    return replace(
        effect, estimate=effect.estimate / 100, low=effect.low / 100, high=effect.high / 100
    )


def _marks(by_subject: dict[str, Effect], scale: Scale, names: Names) -> tuple[Mark, ...]:
    marks = []
    if names.paired and REFERENCE in by_subject:
        marks.append(scale.mark(REFERENCE, by_subject[REFERENCE], bare=True))
    marks.append(scale.mark(CANDIDATE, by_subject[CANDIDATE]))
    return tuple(marks)
