"""What else was asked: facts and their limits, and published sets, each on one axis of shares."""

from maskaudit.audit.estimating.estimators import PUBLISHED
from maskaudit.audit.estimating.registry.names import ACCURACY, CHOICE, NEGATED
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effect, Effects, Names
from maskaudit.reports.reader.parts import Key, Line, Mark, Plot
from maskaudit.reports.reader.scales import Scale, share_scale
from maskaudit.reports.sections.units.preferences import Preference
from maskaudit.reports.words import wording

_KINDS = {ACCURACY: "", CHOICE: ", among given words", NEGATED: ", negated, yet filled the same"}


def knowledge(manifest: Manifest, estimates: Effects, names: Names, details: str) -> Plot | None:
    """How often each model fills facts rightly; None for a record without facts."""
    scale, ticks = share_scale(None)
    lines = []
    for probe_set, part in manifest.probe_sets.items():
        if part.kind != "cloze":
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
                    link=f"{details}#set-{probe_set}",
                )
            )
    if not lines:
        return None
    return Plot(
        "knowledge",
        "What the models know, and where they slip",
        "Share of sentences, with 95 % intervals.",
        ("", "", ""),
        _keys(names),
        ticks,
        tuple(lines),
    )


def published(
    preferred: list[Preference], estimates: Effects, names: Names, details: str
) -> Plot | None:
    """How often each model prefers the stereotyping side of published sets; None without one."""
    if not preferred:
        return None
    scale, ticks = share_scale(0.5)
    lines = []
    for one in preferred:
        shares = {s: _as_share(e) for s, e in one.subjects.items() if s in names.models}
        marks = list(_marks(shares, scale, names))
        as_published = (
            estimates.of_set(one.probe_set)
            .in_mode(PUBLISHED)
            .at(one.estimator, ALL, names.models)
            .get(CANDIDATE)
        )
        # The published mode where it is another number.
        if as_published and as_published.estimate != one.subjects[CANDIDATE].estimate:
            marks.append(Mark(CANDIDATE, scale.at(as_published.estimate / 100), is_faint=True))
        control = " (control)" if one.control_of else ""
        effect = shares[CANDIDATE]
        is_even = not effect.leaves_out(0.5)
        lines.append(
            Line(
                one.title + control,
                tuple(marks),
                wording.percent(effect.estimate),
                "even" if is_even else "leans" if effect.estimate > 0.5 else "leans against",
                "open" if is_even else "worse" if effect.estimate > 0.5 else "better",
                f"{details}#set-{one.probe_set}",
            )
        )
    return Plot(
        "published",
        "Published sets: how often the stereotyping side is likelier",
        "50 % is even. Pale: the number as it was published, where ours corrects it.",
        ("", "", ""),
        _keys(names),
        ticks,
        tuple(lines),
    )


def _as_share(effect: Effect) -> Effect:
    from dataclasses import replace

    return replace(
        effect, estimate=effect.estimate / 100, low=effect.low / 100, high=effect.high / 100
    )


def _marks(by_subject: dict[str, Effect], scale: Scale, names: Names) -> tuple[Mark, ...]:
    marks = []
    if names.paired and REFERENCE in by_subject:
        marks.append(scale.mark(REFERENCE, by_subject[REFERENCE], bare=True))
    marks.append(scale.mark(CANDIDATE, by_subject[CANDIDATE]))
    return tuple(marks)


def _keys(names: Names) -> tuple[Key, ...]:
    keys = [Key(CANDIDATE, names.candidate)]
    if names.paired:
        keys.insert(0, Key(REFERENCE, names.reference))
    return tuple(keys)
