"""The section of a set of pairs or other units: preferences by mode, and their meaning."""

import math
import re
from collections.abc import Sequence

import pandas as pd

from maskaudit.audit.estimating.names import CORRECTED, PUBLISHED
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.slices import ALL
from maskaudit.reports import definitions, wording
from maskaudit.reports.blocks import Block, Part, Section, Text
from maskaudit.reports.effects import Effects, Names, Tables
from maskaudit.reports.sections import licences, measures
from maskaudit.reports.sections.units.by_class import by_class
from maskaudit.reports.sections.units.counts import UNITS, units_in
from maskaudit.reports.sections.units.preferences import Preference, finding
from maskaudit.reports.sections.units.table import table

# How the modes differ for all estimators of a kind; each definition adds its own differences.
_MODES = {
    "pairs": "Published mode keeps ties among the pairs, which counts them as not stereotyping; "
    "corrected mode leaves them out and reports them apart.",
}
_SENTENCE = re.compile(r"(?<=[.;]) (?=[A-Z])")


def section(
    probe_set: str,
    part: ProbeSet,
    found: Sequence[Preference],
    tables: Tables,
    names: Names,
) -> Section:
    """The section of a set of units; `tables` are those of the whole record."""
    of_set = tables.of_set(probe_set)
    items = of_set.items
    blocks: list[Block] = [Text(wording.visible(part.question, None), "question")]
    blocks += [finding(one, names) for one in found if one.probe_set == probe_set]
    blocks += [Text(wording.visible(part.how_to_read, None)), _made_of(part, items)]
    own = of_set.effects.where(lambda one: one.subject in names.subjects)
    if not own:
        blocks.append(
            Text("No number could be computed from this set: see what was lost, below.", "warning")
        )
    for name, made in definitions.by_estimator(own).items():
        chosen = own.of_estimators(made)
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
    own: Effects,
    items: pd.DataFrame,
    names: Names,
) -> Part:
    """One estimator: its definition, its numbers in both modes, and the same by class."""
    definition, *rest_of_it = definitions.meaning(name)
    blocks: list[Block] = [Text(definition, "small")]
    blocks += [Text(" ".join(rest_of_it), "small")] if rest_of_it else []
    modes = own.modes
    if len(modes) > 1:
        blocks.append(Text(_modes(name, part.kind, own), "small"))
    whole = own.where(lambda one: one.slice == ALL)
    if whole:
        blocks.append(table(f"{name}-{probe_set}", part, whole, modes, items, names))
    classes = own.where(lambda one: one.slice.is_part)
    if classes:
        blocks.append(by_class(f"{name}-classes-{probe_set}", part, classes, modes, names))
    rest = own.where(lambda one: one.slice != ALL and not one.slice.is_part)
    if rest:
        blocks += measures.further(f"{name}-{probe_set}", part, rest, (), names)[:1]
    return Part(wording.visible(name), tuple(blocks))


def _modes(name: str, kind: str, own: Effects) -> str:
    """How the modes of an estimator differ, and whether they give the same numbers here."""
    definition = definitions.meaning(name)[0]
    told = [one for one in _SENTENCE.split(definition) if "ublished mode" in one]
    general = [_MODES[kind]] if kind in _MODES else []
    by_mode = [
        {(one.estimator, one.slice, one.subject): one.effect.estimate for one in own_.all}
        for own_ in (own.in_mode(PUBLISHED), own.in_mode(CORRECTED))
    ]
    both = [(first, by_mode[1][key]) for key, first in by_mode[0].items() if key in by_mode[1]]
    known = [pair for pair in both if not any(map(math.isnan, pair))]
    same = bool(known) and all(published == corrected for published, corrected in known)
    here = ["Here both modes give the same numbers."] if same else []
    return " ".join(["How the modes differ.", *general, *told, *here])
