"""The section of a set of pairs or other units: preferences by mode, and their meaning."""

import math
import re
from collections.abc import Sequence

import pandas as pd

from maskaudit.audit.estimating.registry.names import CORRECTED, PUBLISHED
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.blocks import Block, Defined, Part, Section, Text
from maskaudit.reports.effects import Effects, Names, Tables
from maskaudit.reports.sections import licences, measures
from maskaudit.reports.sections.units.by_class import by_class
from maskaudit.reports.sections.units.counts import UNITS, units_in
from maskaudit.reports.sections.units.preferences import Preference, beside, finding
from maskaudit.reports.sections.units.table import table
from maskaudit.reports.words import definitions, wording

# How the modes differ for all estimators of a kind; each definition adds its own differences.
_MODES = {
    "pairs": "Published mode keeps ties among the pairs, which counts them as not stereotyping; "
    "corrected mode leaves them out and reports them apart.",
}
_SENTENCE = re.compile(r"(?<=[.;]) (?=[A-Z])")


def section(
    probe_set: str,
    part: ProbeSet,
    all_preferences: Sequence[Preference],
    tables: Tables,
    names: Names,
) -> Section:
    """The section of a set of units; `tables` are those of the whole record."""
    of_set = tables.of_set(probe_set)
    items = of_set.items
    blocks: list[Block] = [Text(wording.visible(part.question, None), "question")]
    blocks += [
        finding(preference, names)
        for preference in all_preferences
        if preference.probe_set == probe_set
    ]
    blocks += [
        Text(beside(control, names))
        for control in all_preferences
        if control.control_of == probe_set
    ]
    blocks += [Text(wording.visible(part.how_to_read, None)), _made_of(part, items)]
    # Numbers about both models at once, such as distances, stand in a section of their own.
    effects = of_set.effects.where(lambda row: row.subject in names.subjects)
    if not effects:
        blocks.append(
            Text("No number could be computed from this set: see what was lost, below.", "warning")
        )
    for name, estimators in definitions.by_estimator(effects).items():
        chosen = effects.of_estimators(estimators)
        blocks.append(_part(probe_set, part, name, chosen, items, names))
    blocks.append(Text(f"Limits of this set. {wording.visible(part.limits, None)}", "small"))
    blocks += licences.of_set(part)
    return Section(f"set-{probe_set}", wording.visible(part.title), tuple(blocks))


def _made_of(part: ProbeSet, items: pd.DataFrame) -> Text:
    unit = UNITS[part.kind]
    clusters = items.loc[items["cluster"] != "", "cluster"].nunique()
    others = items.loc[items["cluster_2"] != "", "cluster_2"].nunique()
    crossed = f" and, across these, in {wording.number(others)} others" if others else ""
    hang = (
        f" in {wording.counted(clusters, 'cluster')} (what hangs together, such as one writer’s "
        f"{unit}s or the {unit}s on one target term){crossed}"
        if clusters
        else ""
    )
    return Text(
        f"In this set: {wording.counted(units_in(items), unit)}{hang}; "
        f"{wording.counted(part.sentences, 'distinct sentence')}; version "
        f"{wording.visible(str(part.version))}.",
        "small",
    )


def _part(  # noqa: PLR0913, PLR0917 - a table needs its words, its numbers and their counts
    probe_set: str,
    part: ProbeSet,
    name: str,
    effects: Effects,
    items: pd.DataFrame,
    names: Names,
) -> Part:
    """One estimator: its numbers in both modes, and the same by class."""
    blocks: list[Block] = [Defined((name,))]
    modes = effects.modes
    if len(modes) > 1:
        blocks.append(Text(_modes(name, part.kind, effects), "small"))
    whole = effects.where(lambda row: row.slice == ALL)
    if whole:
        blocks.append(table(f"{name}-{probe_set}", part, whole, modes, items, names))
    classes = effects.where(lambda row: row.slice.is_part)
    if classes:
        blocks.append(by_class(f"{name}-classes-{probe_set}", part, classes, modes, names))
    rest = effects.where(lambda row: row.slice != ALL and not row.slice.is_part)
    if rest:
        blocks += measures.further(f"{name}-{probe_set}", part, rest, (), names)
    return Part(wording.visible(name), tuple(blocks))


def _modes(name: str, kind: str, effects: Effects) -> str:
    """How the modes of an estimator differ, and whether they give the same numbers here."""
    definition = definitions.meaning(name)[0]
    # The first letter is left out so that "Published mode" matches at the start of a sentence.
    sentences = [text for text in _SENTENCE.split(definition) if "ublished mode" in text]
    general = [_MODES[kind]] if kind in _MODES else []
    by_mode = [
        {(row.estimator, row.slice, row.subject): row.effect.estimate for row in of_mode.all}
        for of_mode in (effects.in_mode(PUBLISHED), effects.in_mode(CORRECTED))
    ]
    pairs = [(first, by_mode[1][key]) for key, first in by_mode[0].items() if key in by_mode[1]]
    comparable = [pair for pair in pairs if not any(map(math.isnan, pair))]
    # Of no pairs at all `all` would say that the modes agree.
    same = bool(comparable) and all(published == corrected for published, corrected in comparable)
    here = ["Here both modes give the same numbers."] if same else []
    return " ".join(["How the modes differ.", *general, *sentences, *here])
