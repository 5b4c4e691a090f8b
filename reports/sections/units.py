"""A set of pairs, triples or completions: what was preferred, by mode, beside what that means."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from maskaudit.audit.estimating import numbers
from maskaudit.audit.estimating.names import (
    CORRECTED,
    EXACT,
    PUBLISHED,
    WILSON,
    as_trials,
    is_ties,
    of_clusters,
)
from maskaudit.audit.recording.manifest import Manifest, ProbeSet
from maskaudit.audit.recording.methods import CROSSED_CLUSTERS, Method
from maskaudit.audit.recording.slices import ALL, Slice
from maskaudit.reports import caveats as basis
from maskaudit.reports import definitions, wording
from maskaudit.reports.blocks import (
    Block,
    Cell,
    Claim,
    Column,
    Folded,
    Part,
    Rows,
    Section,
    Table,
    Text,
)
from maskaudit.reports.effects import (
    CANDIDATE,
    DIFFERENCE,
    REFERENCE,
    SHOWN,
    Effect,
    Effects,
    Estimate,
    Names,
    Tables,
)
from maskaudit.reports.sections import licences, measures

READ = (
    "How to read a preference. It is the share of pairs in which the model finds the more "
    "stereotyping side likelier: 50 % is even. It says how often, and not how strongly; and the "
    "two sides of a pair may differ in more than the group."
)
UNITS = {
    "pairs": "pair",
    "triples": "item",
    "completions": "sentence",
    "sentences": "sentence",
    "words": "word",
}
_TITLES = {
    "lms": "LMS: prefers a word that makes sense",
    "ss": "SS: prefers the stereotyping word",
    "icat": "ICAT: both in one number",
    "preferred_word": "prefers the stereotyping word",
}
# What the modes of all estimators of a kind differ in; an estimator's definition has the rest.
_MODES = {
    "pairs": "Published mode keeps ties among the pairs, which counts them as not stereotyping; "
    "corrected mode leaves them out and reports them apart.",
}
_SCOPES = {"S1": "other units of the same kind, in other clusters"}
_SENTENCE = re.compile(r"(?<=[.;]) (?=[A-Z])")
_DIGITS = 1


@dataclass(frozen=True)
class Preference:
    """The number of a set that its sentence is about, for every subject."""

    probe_set: str
    title: str
    estimator: str
    mode: str
    what: str
    subjects: Mapping[str, Effect]
    unit: str
    is_crossed: bool = False

    @property
    def main(self) -> Effect:
        """What the page is about: the difference, or the one model."""
        return self.subjects.get(DIFFERENCE) or self.subjects[CANDIDATE]

    @property
    def clearness(self) -> float:
        """How far the number is from the one of no effect, against its standard error."""
        distance = abs(self.main.estimate - self.main.null_value)
        if self.main.std_error > 0:
            return distance / self.main.std_error
        return math.inf if distance > 0 else 0.0


def preferences(manifest: Manifest, estimates: Effects, names: Names) -> list[Preference]:
    """The preference of every set that has one: the first number with a value that means even."""
    found = []
    for probe_set, part in manifest.probe_sets.items():
        if part.kind not in UNITS:
            continue
        own = estimates.of_set(probe_set).where(lambda one: one.slice == ALL).main_mode()
        # A share that is refused an interval has its even value with the limits beside it alone.
        even = [
            of_clusters(one.estimator)
            for one in own.all
            if one.subject == CANDIDATE and not math.isnan(one.effect.null_value)
        ]
        if even:
            found.append(_preference(probe_set, part, even[0], own, names))
    return found


def _preference(
    probe_set: str, part: ProbeSet, name: str, own: Effects, names: Names
) -> Preference:
    unit = UNITS[part.kind]
    rows = own.of_estimators({name}).all
    word = "word" if name in {"ss", "preferred_word"} else "sentence"
    return Preference(
        probe_set,
        wording.visible(part.title),
        name,
        own.all[0].mode,
        f"the stereotyping {word} in {{share}} of {unit}s",
        own.at(name, ALL, names.subjects),
        unit,
        _is_crossed(rows[0]),
    )


def finding(preference: Preference, names: Names) -> Claim:
    """What was preferred, how often, and how sure that is; never a word of leaning."""
    what = {
        model: preference.what.format(share=_percent(preference.subjects[model].estimate))
        for model in names.models
    }
    own = f"On “{preference.title}”, {names.the(CANDIDATE)} prefers {what[CANDIDATE]}"
    terms = ", each target term counting once" if preference.estimator == "ss" else ""
    how = (
        f"Measured by {preference.estimator} in {preference.mode} mode, on "
        f"{_basis(preference.main, preference.unit, is_crossed=preference.is_crossed)}{terms}."
    )
    if not names.paired:
        return Claim(f"{own}; nothing was compared", f"{_certainty(preference, names)} {how}")
    reference = _percent(preference.subjects[REFERENCE].estimate)
    return Claim(
        f"{own}, {names.the(REFERENCE)} in {reference}",
        f"{_certainty(preference, names)} {_compared(preference)} {how}",
    )


def line(preference: Preference, names: Names) -> str:
    """The same in one line."""
    main = preference.main
    interval = wording.fixed_interval(main.numbers, _DIGITS, with_sign=names.paired)
    number = f"difference in points {interval}" if names.paired else interval
    return f"{finding(preference, names).claim} ({number}, 95 % interval in brackets)."


def _percent(value: float) -> str:
    return f"{wording.fixed(value, _DIGITS)} %"


def _certainty(preference: Preference, names: Names) -> str:
    """The models' intervals, and whether they leave the even value out."""
    found = [preference.subjects[model] for model in names.models]
    null = f"{found[0].null_value:g}"
    intervals = [
        f"{wording.fixed(effect.low, _DIGITS)} to {wording.fixed(effect.high, _DIGITS)}"
        for effect in found
        if not math.isnan(effect.low)
    ]
    if not intervals:
        return f"How sure that is cannot be computed ({basis.refusal(found[0])})."
    order = " (in the order reference, candidate)" if names.paired else ""
    noun = "intervals" if names.paired else "interval"
    return (
        f"95 % {noun} {wording.listed(intervals)}{order}; {null} is even. "
        f"{_even(preference, names, null)}"
    )


def _even(preference: Preference, names: Names, null: str) -> str:
    unclear = [
        f"{names.the(model)}{_could_have(own)}"
        for model in names.models
        if not (own := preference.subjects[model]).leaves_out(own.null_value)
    ]
    if not unclear:
        return f"{'Both leave' if names.paired else 'It leaves'} {null} out."
    who = wording.listed(unclear)
    return f"No preference either way could be shown for {who}: {null} is inside."


def _compared(preference: Preference) -> str:
    difference = preference.subjects.get(DIFFERENCE)
    if difference is None:
        return "The two could not be compared."
    if difference.estimate == 0 and difference.std_error == 0:
        return "There is no difference at all between the two."
    amount = wording.fixed(abs(difference.estimate), _DIGITS)
    way = "higher" if difference.estimate > 0 else "lower"
    interval = (
        f"95 % interval {wording.fixed(difference.low, _DIGITS, with_sign=True)} to "
        f"{wording.fixed(difference.high, _DIGITS, with_sign=True)}"
    )
    shown = difference.p < SHOWN
    verdict = (
        ""
        if shown
        else ": no difference could be shown, which is not proof that there is none"
        f"{_could_have(difference)}"
    )
    chance = "not tested" if math.isnan(difference.p) else wording.p_value(difference.p)
    return (
        f"The candidate’s share is {amount} points {way} ({interval}; {chance}, not adjusted for "
        f"other numbers of this page){verdict}."
    )


def _could_have(effect: Effect) -> str:
    """What a number that shows nothing could have shown."""
    if not effect.mde > 0:
        return ""
    return f" ({wording.fixed(effect.mde, _DIGITS)} points could have been expected to be found)"


def _basis(effect: Effect, unit: str, *, is_crossed: bool = False) -> str:
    units = wording.counted(effect.n_frames, unit)
    if is_crossed:
        return (
            f"{units} in clusters of two kinds that cross, of the scarcer of which there are "
            f"{wording.number(effect.n_attributes)}"
        )
    if effect.n_attributes == effect.n_frames:
        return f"{units}, each taken to be independent of the others"
    return f"{units} in {wording.counted(effect.n_attributes, 'cluster')}"


def section(
    probe_set: str,
    part: ProbeSet,
    found: Sequence[Preference],
    tables: Tables,
    names: Names,
) -> Section:
    """The section of a set that is neither of groups nor of facts; `tables` are the record's."""
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
        f"In this set: {wording.counted(_of_set(items), unit)}{hang}; "
        f"{wording.counted(part.sentences, 'distinct sentence')}; version "
        f"{wording.visible(str(part.version))}.",
        "small",
    )


def _of_set(items: pd.DataFrame) -> int:
    """How many units a set has: its pairs, or its sentences where it has none."""
    pairs = items.loc[items["pair"] != "", "pair"].nunique()
    return int(pairs or items["context"].nunique())


def _part(  # noqa: PLR0913, PLR0917 - a table needs its words, its numbers and their counts
    probe_set: str,
    part: ProbeSet,
    name: str,
    own: Effects,
    items: pd.DataFrame,
    names: Names,
) -> Part:
    """One estimator: what it is, its numbers in both modes, and the same by class."""
    definition, *rest_of_it = definitions.meaning(name)
    blocks: list[Block] = [Text(definition, "small")]
    blocks += [Text(" ".join(rest_of_it), "small")] if rest_of_it else []
    modes = own.modes
    if len(modes) > 1:
        blocks.append(Text(_modes(name, part.kind, own), "small"))
    whole = own.where(lambda one: one.slice == ALL)
    if whole:
        blocks.append(_table(f"{name}-{probe_set}", part, whole, modes, items, names))
    classes = own.where(lambda one: one.slice.is_part)
    if classes:
        blocks.append(_by_class(f"{name}-classes-{probe_set}", part, classes, modes, names))
    rest = own.where(lambda one: one.slice != ALL and not one.slice.is_part)
    if rest:
        blocks += measures.further(f"{name}-{probe_set}", part, rest, (), names)[:1]
    return Part(wording.visible(name), tuple(blocks))


def _modes(name: str, kind: str, own: Effects) -> str:
    """How the modes of an estimator differ, and whether that made any difference here."""
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


def _title(name: str, own: Effects) -> str:
    """A number in words, with its unit and the value that means even."""
    part = numbers.find(name)
    unit = f", {part.unit}" if part else ""
    if is_ties(name):
        return f"ties{unit}"
    nulls = [
        one.effect.null_value
        for one in own.all
        if one.estimator == name
        and one.subject == CANDIDATE
        and not math.isnan(one.effect.null_value)
    ]
    even = f"; {nulls[0]:g} is even" if nulls else ""
    is_pair = part is not None and "pairs" in part.kinds
    title = _TITLES.get(name, "prefers the stereotyping sentence" if is_pair else name)
    return f"{wording.visible(title)}{unit}{even}"


def _table(  # noqa: PLR0913, PLR0917 - a table needs its words, its numbers and their counts
    name: str,
    part: ProbeSet,
    own: Effects,
    modes: Sequence[str],
    items: pd.DataFrame,
    names: Names,
) -> Table:
    """A row a subject, the modes side by side, each with its p."""
    groups = []
    left_out = _no_ties(own)
    for number in own.estimators:
        if number in left_out or as_trials(number):
            continue
        by_mode = [own.in_mode(mode).at(number, ALL, names.subjects) for mode in modes]
        rows = []
        for subject in names.subjects:
            cells: list[str | Cell] = []
            for found in by_mode:
                effect = found.get(subject)
                shown = measures.number(number, effect, subject) if effect else wording.UNKNOWN
                cells += [shown, measures.p_cell(effect)]
            rows.append((names.label(subject), *cells))
        groups.append(Rows(tuple(rows), wording.opened(_title(number, own))))
        groups += _of_trials(number, own, modes, names)
    columns = [Column("Model" if names.paired else "", is_number=False)]
    for mode in modes:
        title = f"{mode.capitalize()} mode" if len(modes) > 1 else "Number"
        columns += [Column(title), Column("p")]
    return Table(
        name,
        f"{wording.visible(name.partition('-')[0])}, with 95 % intervals",
        tuple(columns),
        tuple(groups),
        note=_note(part, own),
        basis=f"{_counted(part, own, modes, items)} {basis.scopes(own.scopes, _SCOPES)}",
    )


def _of_trials(number: str, own: Effects, modes: Sequence[str], names: Names) -> list[Rows]:
    """The same shares as if no two units hung together: Wilson's and the exact limits, exact p."""
    both = {
        label: [own.in_mode(mode).at(number + label, ALL, names.subjects) for mode in modes]
        for label in (WILSON, EXACT)
    }
    if not any(both[EXACT]):
        return []
    rows = []
    for subject in names.subjects:
        cells: list[str | Cell] = []
        for wilson, exact in zip(both[WILSON], both[EXACT], strict=True):
            cells += [_trial(wilson.get(subject), exact.get(subject), subject)]
            cells += [measures.p_cell(exact.get(subject))]
        rows.append((names.label(subject), *cells))
    return [Rows(tuple(rows), "The same, each taken to be independent of the others")]


def _trial(wilson: Effect | None, exact: Effect | None, subject: str) -> str | Cell:
    if exact is None:
        return wording.UNKNOWN
    if wilson is None:  # a difference has a test and no such limits
        change = wording.fixed(exact.estimate, 2, with_sign=subject == DIFFERENCE)
        return basis.beside(change, "tested by McNemar, no interval")
    limits = f"{wording.fixed(exact.low, 2)} to {wording.fixed(exact.high, 2)}"
    return basis.beside(wording.fixed_interval(wilson.numbers, 2), f"exact {limits}")


def _no_ties(own: Effects) -> list[str]:
    """The numbers of ties that are all zero: one sentence says so."""
    ties = [name for name in own.estimators if is_ties(name)]
    return [
        name
        for name in ties
        if all(one.effect.estimate == 0 for one in own.of_estimators({name}).all)
    ]


def _note(part: ProbeSet, own: Effects) -> str:
    unit = UNITS[part.kind]
    trials = (
        f" Where each {unit} is taken to be independent of the others: Wilson’s interval, the "
        "exact one below it, and the p of the exact binomial test for a model and of McNemar’s "
        "exact test for the difference; all are too sure of themselves where units hang together."
        if any(map(as_trials, own.estimators))
        else ""
    )
    note = (
        f"{f'No {unit} ties. ' if _no_ties(own) else ''}p: against the even value for a "
        "model, against 0 for a difference; not adjusted; "
        f"{wording.UNKNOWN} where there is no such value.{trials} {basis.MDE}"
    )
    return note + _beyond(own)


def _counted(part: ProbeSet, own: Effects, modes: Sequence[str], items: pd.DataFrame) -> str:
    """How many units and clusters stand behind a table, by mode where these differ."""
    unit, of = UNITS[part.kind], _of_set(items)
    bases = {}
    for mode in modes:
        row = own.in_mode(mode).all[0]
        effect = row.effect
        bases[mode] = _basis(effect, unit, is_crossed=_is_crossed(row)) + (
            f", of {wording.number(of)} in the set" if effect.n_frames < of else ""
        )
    if len(set(bases.values())) == 1:
        return f"Counted: {next(iter(bases.values()))}."
    return " ".join(f"Counted in {mode} mode: {basis}." for mode, basis in bases.items())


def _is_crossed(estimate: Estimate) -> bool:
    """Whether clusters are of two factors that cross, as a number's method key says."""
    return Method.parse(estimate.method)["unit"] == CROSSED_CLUSTERS


def _beyond(own: Effects) -> str:
    """A remark on intervals that reach further than the number itself can."""
    percent = {name for name in own.estimators if numbers.is_percent(name)}
    is_beyond = any(
        one.effect.low < 0 or one.effect.high > 100  # noqa: PLR2004 - percent
        for one in own.of_estimators(percent).all
        if one.subject != DIFFERENCE
    )
    if not is_beyond:
        return ""
    return (
        " An interval that reaches below 0 or above 100 is an approximation near the edge of what "
        "the number can be: read only the part that is possible."
    )


def _by_class(
    name: str, part: ProbeSet, own: Effects, modes: Sequence[str], names: Names
) -> Folded:
    """The numbers of each class that are there in all modes, with intervals in the last mode."""
    in_all = [
        number
        for number in own.estimators
        if not as_trials(number) and own.of_estimators({number}).modes == list(modes)
    ]
    groups = [
        Rows(
            tuple(_class_row(number, slice_, part, own, modes, names) for slice_ in own.slices),
            wording.opened(_title(number, own)),
        )
        for number in in_all
    ]
    counts = (f"{UNITS[part.kind]}s".capitalize(), "Clusters")
    columns = [Column("Class", is_number=False), *(Column(count) for count in counts)]
    for model in names.models:
        several = [Column(f"{getattr(names, model)}, {mode}") for mode in modes]
        columns += several if len(modes) > 1 else [Column(names.label(model))]
    mode = f", {modes[-1]}" if len(modes) > 1 else ""
    columns += [Column(f"Difference{mode}")] if names.paired else []
    n_classes = len(own.slices)
    table = Table(
        name,
        f"{wording.visible(name.partition('-')[0])} by class",
        tuple(columns),
        tuple(groups),
        is_compact=True,
        note="95 % intervals in brackets, not adjusted for the number of classes: about one in "
        "twenty leaves the even value out by chance. Below: Wilson’s interval and McNemar’s exact "
        f"test, each {UNITS[part.kind]} taken to be independent of the others. {basis.MDE}"
        f"{_beyond(own.in_mode(modes[-1]))}",
        basis=basis.scopes(own.scopes, _SCOPES),
    )
    return Folded(f"By class: {wording.counted(n_classes, 'class', 'classes')}", (table,))


def _class_row(  # noqa: PLR0913, PLR0917 - one row of the table above
    number: str,
    slice_: Slice,
    part: ProbeSet,
    own: Effects,
    modes: Sequence[str],
    names: Names,
) -> tuple[str | Cell, ...]:
    digits = _DIGITS if numbers.is_percent(number) else None
    by_mode = {mode: own.in_mode(mode).at(number, slice_, names.subjects) for mode in modes}
    last = by_mode[modes[-1]]
    trials = {
        label: own.in_mode(modes[-1]).at(number + label, slice_, names.subjects)
        for label in (WILSON, EXACT)
    }
    cells: list[str | Cell] = []
    for model in names.models:
        for mode, found in by_mode.items():
            effect = found.get(model)
            if effect is None:
                cells.append(wording.UNKNOWN)
            elif mode == modes[-1]:
                wilson = trials[WILSON].get(model)
                limits = f"Wilson {_limits(wilson, digits or 3)}" if wilson else ""
                cells.append(measures.number(number, effect, model, digits, limits))
            else:
                shown = wording.fixed(effect.estimate, digits or 3)
                cells.append(basis.beside(shown, _limits(effect, digits or 3)))
    if names.paired:
        change, paired = last.get(DIFFERENCE), trials[EXACT].get(DIFFERENCE)
        chance = f"McNemar {wording.p_value(paired.p)}" if paired else ""
        cells.append(
            measures.number(number, change, DIFFERENCE, digits, chance)
            if change
            else wording.UNKNOWN
        )
    one = next((found[CANDIDATE] for found in by_mode.values() if CANDIDATE in found), None)
    counts = (one.n_frames, one.n_attributes) if one else (0, 0)
    name = measures.slice_label(slice_, part.classes)
    return (wording.opened(name), *map(wording.number, counts), *cells)


def _limits(effect: Effect, digits: int) -> str:
    """The limits of an interval that stand below its number; why there are none."""
    if math.isnan(effect.low) or effect.low == effect.high:
        return basis.refusal(effect)
    return " to ".join(wording.fixed(value, digits) for value in (effect.low, effect.high))
