"""The numbers of one estimator over a whole set: one row per subject, the modes side by side."""

import math
from collections.abc import Sequence

import pandas as pd

from maskaudit.audit.estimating import numbers
from maskaudit.audit.estimating.registry.names import EXACT, WILSON, as_trials, is_ties
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.blocks import Cell, Column, Rows, Table
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, Effect, Effects, Names
from maskaudit.reports.sections import measures
from maskaudit.reports.sections.units.counts import UNITS, behind, has_crossed_clusters, units_in
from maskaudit.reports.words import caveats as basis
from maskaudit.reports.words import wording

_TITLES = {
    "lms": "LMS: prefers a word that makes sense",
    "ss": "SS: prefers the stereotyping word",
    "icat": "ICAT: both in one number",
    "preferred_word": "prefers the stereotyping word",
}
SCOPES = {"S1": "other units of the same kind, in other clusters"}


def title_of(name: str, effects: Effects) -> str:
    """The title of a number, with its unit and the value that is even."""
    part = numbers.find(name)
    unit = f", {part.unit}" if part else ""
    if is_ties(name):
        return f"ties{unit}"
    nulls = [
        row.effect.null_value
        for row in effects.all
        if row.estimator == name
        and row.subject == CANDIDATE
        and not math.isnan(row.effect.null_value)
    ]
    even = f"; {nulls[0]:g} is even" if nulls else ""
    is_pair = part is not None and "pairs" in part.kinds
    title = _TITLES.get(name, "prefers the stereotyping sentence" if is_pair else name)
    return f"{wording.visible(title)}{unit}{even}"


def table(  # noqa: PLR0913, PLR0917 - a table needs its words, its numbers and their counts
    name: str,
    part: ProbeSet,
    effects: Effects,
    modes: Sequence[str],
    items: pd.DataFrame,
    names: Names,
) -> Table:
    """One row per subject, the modes side by side, each with its p."""
    groups = []
    # Rows of zeros would only take room: the note says in a sentence that nothing ties.
    left_out = _no_ties(effects)
    for number in effects.estimators:
        # Numbers of independent trials have their rows under the number they belong to.
        if number in left_out or as_trials(number):
            continue
        by_mode = [effects.in_mode(mode).at(number, ALL, names.subjects) for mode in modes]
        rows = []
        for subject in names.subjects:
            cells: list[str | Cell] = []
            for by_subject in by_mode:
                effect = by_subject.get(subject)
                shown = measures.number(number, effect, subject) if effect else wording.UNKNOWN
                cells += [shown, measures.p_cell(effect)]
            rows.append((names.head(subject), *cells))
        groups.append(Rows(tuple(rows), wording.opened(title_of(number, effects))))
        groups += _of_trials(number, effects, modes, names)
    columns = [Column("Model" if names.paired else "", is_number=False)]
    for mode in modes:
        title = f"{mode.capitalize()} mode" if len(modes) > 1 else "Number"
        columns += [Column(title), Column("p")]
    return Table(
        name,
        f"{wording.visible(name.partition('-')[0])}, with 95 % intervals",
        tuple(columns),
        tuple(groups),
        note=_note(part, effects),
        basis=f"{_counted(part, effects, modes, items)} {basis.scopes(effects.scopes, SCOPES)}",
    )


def _of_trials(number: str, effects: Effects, modes: Sequence[str], names: Names) -> list[Rows]:
    """The same shares with all units independent: Wilson's and exact limits, and exact p."""
    by_limits = {
        label: [effects.in_mode(mode).at(number + label, ALL, names.subjects) for mode in modes]
        for label in (WILSON, EXACT)
    }
    if not any(by_limits[EXACT]):
        return []
    rows = []
    for subject in names.subjects:
        cells: list[str | Cell] = []
        for wilson, exact in zip(by_limits[WILSON], by_limits[EXACT], strict=True):
            cells += [_trial(wilson.get(subject), exact.get(subject), subject)]
            cells += [measures.p_cell(exact.get(subject))]
        rows.append((names.head(subject), *cells))
    return [Rows(tuple(rows), "The same, each taken to be independent of the others")]


def _trial(wilson: Effect | None, exact: Effect | None, subject: str) -> str | Cell:
    if exact is None:
        return wording.UNKNOWN
    if wilson is None:  # a difference has only a test, without Wilson or exact limits
        change = wording.fixed(exact.estimate, 2, with_sign=subject == DIFFERENCE)
        return basis.beside(change, "tested by McNemar, no interval")
    limits = f"exact {wording.fixed(exact.low, 2)} to {wording.fixed(exact.high, 2)}"
    beside = wording.Interval(limits, exact.low, exact.high)
    return basis.beside(wording.fixed_interval(wilson.numbers, 2), beside)


def _no_ties(effects: Effects) -> list[str]:
    """The tie numbers that are all zero: one sentence replaces them."""
    ties = [name for name in effects.estimators if is_ties(name)]
    return [
        name
        for name in ties
        if all(row.effect.estimate == 0 for row in effects.of_estimators({name}).all)
    ]


def _note(part: ProbeSet, effects: Effects) -> str:
    unit = UNITS[part.kind]
    trials = (
        f" Where each {unit} is taken to be independent of the others: Wilson’s interval, the "
        "exact one below it, and the p of the exact binomial test for a model and of McNemar’s "
        "exact test for the difference; all are too sure of themselves where units hang together."
        if any(map(as_trials, effects.estimators))
        else ""
    )
    note = (
        f"{f'No {unit} ties. ' if _no_ties(effects) else ''}p: against the even value for a "
        "model, against 0 for a difference; not adjusted; "
        f"{wording.UNKNOWN} where there is no such value.{trials} {basis.MDE}"
    )
    return note + beyond(effects)


def _counted(part: ProbeSet, effects: Effects, modes: Sequence[str], items: pd.DataFrame) -> str:
    """How many units and clusters a table rests on, by mode where these differ."""
    unit, n_units = UNITS[part.kind], units_in(items)
    bases = {}
    for mode in modes:
        row = effects.in_mode(mode).all[0]
        effect = row.effect
        bases[mode] = behind(effect, unit, is_crossed=has_crossed_clusters(row)) + (
            f", of {wording.number(n_units)} in the set" if effect.n_frames < n_units else ""
        )
    if len(set(bases.values())) == 1:
        return f"Counted: {next(iter(bases.values()))}."
    return " ".join(f"Counted in {mode} mode: {basis}." for mode, basis in bases.items())


def beyond(effects: Effects) -> str:
    """A remark on intervals that exceed the range of their number; empty where none does."""
    percent = {name for name in effects.estimators if numbers.is_percent(name)}
    is_beyond = any(
        row.effect.low < 0 or row.effect.high > 100  # noqa: PLR2004 - percent
        for row in effects.of_estimators(percent).all
        # A difference of two percentages may be anything from -100 to 100.
        if row.subject != DIFFERENCE
    )
    if not is_beyond:
        return ""
    return (
        " An interval that reaches below 0 or above 100 is an approximation near the edge of what "
        "the number can be: read only the part that is possible."
    )
