"""Every set of an audit on one axis, the surest lean first, its controls and facts among them."""

from collections.abc import Sequence

from maskaudit.audit.estimating.registry.names import ACCURACY
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effects, Names
from maskaudit.reports.reader import opening
from maskaudit.reports.reader.parts import Line, Mark, Plot, in_details
from maskaudit.reports.reader.scales import Scale, keys, odds_scale
from maskaudit.reports.reader.state import Found, tested
from maskaudit.reports.words import wording

# The rows that stand open; the others are unfolded on demand.
_OPEN = 8


def overview(
    found: Sequence[Found], manifest: Manifest, estimates: Effects, names: Names, details: str
) -> Plot | None:
    """The contrasts of both models by set; None where the record has none."""
    if not found:
        return None
    asked, controls = tested(found), [one for one in found if one.is_control]
    others = [one for one in found if one not in asked and one not in controls]
    shown = [e for one in found for s, e in one.paired.subjects.items() if s in names.models]
    scale, ticks = odds_scale(v for e in shown for v in (e.estimate, e.low, e.high))
    lines = [_line(one, scale, names, details) for one in (*asked, *others)]
    # Controls and facts judge the others, so they stand beside them and never on demand.
    judges = [_line(one, scale, names, details) for one in controls[:1]]
    judges += _facts(manifest, estimates, names, details)
    more = [*lines[_OPEN:], *(_line(one, scale, names, details) for one in controls[1:])]
    return Plot(
        "overview",
        "Every test, surest lean first" if asked else "No lean could be tested",
        "Times the odds, with 95 % interval; 1 is no lean.",
        (names.candidate, f"than {names.reference}" if names.paired else "", "odds"),
        keys(names),
        ticks,
        (*lines[:_OPEN], *judges),
        tuple(more),
        f"{len(more)} more",
    )


def _line(one: Found, scale: Scale, names: Names, details: str) -> Line:
    effects = {s: e for s, e in one.paired.subjects.items() if s in names.models}
    marks: list[Mark] = []
    if REFERENCE in effects:
        marks.append(scale.mark(REFERENCE, effects[REFERENCE], bare=True))
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
        said=f"{names.reference}: {wording.times(effects[REFERENCE].estimate)}"
        if REFERENCE in effects
        else "",
    )


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
