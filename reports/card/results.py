"""The one table of a card's addendum: a line a set, worst first, in factors and shares."""

import math
from collections.abc import Iterable, Mapping, Sequence

from maskaudit.audit.estimating.registry.names import SHARE_RIGHT
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.blocks import Column, Rows, Table
from maskaudit.reports.card.states import harm
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, REFERENCE, Effect, Effects, Names
from maskaudit.reports.sections.contrasts import amounts
from maskaudit.reports.sections.contrasts.standings import standing
from maskaudit.reports.sections.contrasts.tested import Contrast
from maskaudit.reports.sections.units import preferences as preferring
from maskaudit.reports.sections.units.preferences import Preference
from maskaudit.reports.words import caveats, wording

# More would be no card; the page has every set.
MOST_ROWS = 40
_FACTORS = (
    "Factors are the odds with words of one class over those with words of the other: 1 is no "
    "lean, more follows the stereotype, less goes against it."
)
_RATIO = "The last column is the ratio of the two."
_SHOWN = "What is shown allows for the number of tested sets."
_PREFERRED = "Pairs and items: the share with the stereotyping side preferred; 50 % is even."
_RIGHT = "Facts and masked text: the share of right answers; p is not adjusted."


def results(
    manifest: Manifest,
    estimates: Effects,
    all_contrasts: Sequence[Contrast],
    preferred: Sequence[Preference],
    names: Names,
) -> Table:
    """Every set with a contrast, a preference or facts: its numbers, and what each shows."""
    facts = {
        name: effects
        for name, part in manifest.probe_sets.items()
        if (right := SHARE_RIGHT.get(part.kind))
        and CANDIDATE in (effects := estimates.of_set(name).at(right, ALL, names.subjects))
    }
    # The most harmful first, because a long table is cut at its end.
    rows = [_of_contrast(contrast, names) for contrast in sorted(all_contrasts, key=harm)]
    rows += [_of_preference(preference, names) for preference in preferred]
    rows += [
        _of_facts(wording.visible(manifest.probe_sets[name].title), effects, names)
        for name, effects in facts.items()
    ]
    columns = ["Set", *(names.the(model) for model in names.models)]
    if names.paired:
        columns.append(f"{names.the(CANDIDATE)} against {names.the(REFERENCE)}")
    more = len(rows) - MOST_ROWS
    cut = f" {wording.counted(more, 'more set')} stand on the page alone." if more > 0 else ""
    note = [
        *([_FACTORS] if all_contrasts else []),
        *([_RATIO] if all_contrasts and names.paired else []),
        *([_PREFERRED] if preferred else []),
        *([_RIGHT] if facts else []),
        _intervals(contrast.main for contrast in all_contrasts),
        *([_SHOWN] if sum(contrast.is_tested for contrast in all_contrasts) > 1 else []),
    ]
    return Table(
        "results",
        "",
        tuple(Column(title, is_number=False) for title in columns),
        (Rows(tuple(rows[:MOST_ROWS])),),
        note=" ".join(note) + cut,
    )


def _of_contrast(contrast: Contrast, names: Names) -> tuple[str, ...]:
    cells = {subject: _factor(effect) for subject, effect in contrast.subjects.items()}
    for view in {contrast.alone.subject: contrast.alone, contrast.subject: contrast}.values():
        # Of a control the last column says it for all.
        if contrast.standing != "control" or view is contrast:
            words = standing(view, as_factor=True).words.removeprefix("shown: ")
            cells[view.subject] += f", {words}"
    title = f"{contrast.title} (control)" if contrast.standing == "control" else contrast.title
    return title, *(cells.get(subject, wording.UNKNOWN) for subject in names.subjects)


def _factor(effect: Effect) -> str:
    shown = wording.odds(effect.estimate)
    return shown if caveats.refusal(effect) else f"{shown} ({amounts.factor_interval(effect)})"


def _of_preference(preference: Preference, names: Names) -> tuple[str, ...]:
    cells = {
        model: f"{_percent(preference.subjects[model])}, {_side(preference.subjects[model])}"
        for model in names.models
    }
    if difference := preference.subjects.get(DIFFERENCE):
        shown = wording.fixed_interval(difference.numbers, preferring.DIGITS, with_sign=True)
        cells[DIFFERENCE] = f"{shown} points, {preferring.standing(preference)}"
    control = " (control)" if preference.control_of else ""
    title = f"{preference.title}{control}"
    return title, *(cells.get(subject, wording.UNKNOWN) for subject in names.subjects)


def _percent(effect: Effect) -> str:
    estimate, _, limits = wording.fixed_interval(effect.numbers, preferring.DIGITS).partition(" ")
    return f"{estimate} % {limits}".strip()


def _side(effect: Effect) -> str:
    """The side that a model prefers, where its interval leaves the even value out."""
    if not effect.leaves_out(effect.null_value):
        return "no preference shown"
    is_stereotyping = effect.estimate > effect.null_value
    return f"prefers the {'stereotyping' if is_stereotyping else 'other'} side"


def _of_facts(title: str, effects: Mapping[str, Effect], names: Names) -> tuple[str, ...]:
    cells = {
        model: f"{wording.percent(effect.estimate)} ({wording.percent(effect.low)} to "
        f"{wording.percent(effect.high)})"
        for model, effect in effects.items()
        if model != DIFFERENCE
    }
    if difference := effects.get(DIFFERENCE):
        points = wording.points(difference.estimate)
        is_tested = not math.isnan(difference.p)
        chance = wording.p_value(difference.p) if is_tested else "not tested"
        cells[DIFFERENCE] = f"{points} points, {chance}"
    return title, *(cells.get(subject, wording.UNKNOWN) for subject in names.subjects)


def _intervals(effects: Iterable[Effect]) -> str:
    scopes = {effect.scope for effect in effects}
    of_what = [caveats.SCOPES[scope] for scope in scopes if scope in caveats.SCOPES]
    # Of several it would take a sentence each, which the page has.
    speak = f", which speak of {of_what[0]}" if len(of_what) == len(scopes) == 1 else ""
    return f"In brackets are 95 % intervals{speak}."
