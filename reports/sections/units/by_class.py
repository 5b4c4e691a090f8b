"""The numbers of one estimator by class: one row per class, the models side by side."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from maskaudit.audit.estimating import numbers
from maskaudit.audit.estimating.registry.names import EXACT, WILSON, as_trials
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.reports.blocks import Cell, Column, Folded, Rows, Table
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, REFERENCE, Effect, Effects, Names
from maskaudit.reports.sections import measures
from maskaudit.reports.sections.units.counts import UNITS
from maskaudit.reports.sections.units.preferences import DIGITS
from maskaudit.reports.sections.units.table import SCOPES, beyond, title_of
from maskaudit.reports.words import caveats as basis
from maskaudit.reports.words import wording


@dataclass(frozen=True)
class _Row:
    """The numbers of one class, by subject: those of each mode, and those of independent trials.

    `wilson` and `exact` treat every unit as independent of the others.
    """

    number: str
    label: str
    by_mode: Mapping[str, Mapping[str, Effect]]
    wilson: Mapping[str, Effect]
    exact: Mapping[str, Effect]

    @property
    def digits(self) -> int | None:
        """The decimals of a percentage; None for another number, which has as many as it needs."""
        return DIGITS if numbers.is_percent(self.number) else None

    @property
    def counts(self) -> tuple[int, int]:
        """The number of units and of clusters behind the class."""
        of_candidate = (
            by_subject[CANDIDATE] for by_subject in self.by_mode.values() if CANDIDATE in by_subject
        )
        first = next(of_candidate, None)
        return (first.n_frames, first.n_attributes) if first else (0, 0)


_Shown = Callable[[_Row], str | Cell]


def by_class(
    name: str, part: ProbeSet, effects: Effects, modes: Sequence[str], names: Names
) -> Folded:
    """The numbers of each class that exist in all modes, with their intervals.

    Wilson's intervals and the difference are those of the last mode alone.
    """
    # There is a column for each mode: a number of one mode alone would leave holes.
    in_all = [
        number
        for number in effects.estimators
        if not as_trials(number) and effects.of_estimators({number}).modes == list(modes)
    ]
    columns = _columns(part, modes, names)
    groups = []
    for number in in_all:
        rows = [_row(number, slice_, part, effects, modes) for slice_ in effects.slices]
        cells = tuple(tuple(shown(row) for _, shown in columns) for row in rows)
        groups.append(Rows(cells, wording.opened(title_of(number, effects))))
    n_classes = len(effects.slices)
    table = Table(
        name,
        f"{wording.visible(name.partition('-')[0])} by class",
        tuple(column for column, _ in columns),
        tuple(groups),
        is_compact=True,
        note="95 % intervals in brackets, not adjusted for the number of classes: about one in "
        "twenty leaves the even value out by chance. Below: Wilson’s interval and McNemar’s exact "
        f"test, each {UNITS[part.kind]} taken to be independent of the others. {basis.MDE}"
        f"{beyond(effects.in_mode(modes[-1]))}",
        basis=basis.scopes(effects.scopes, SCOPES),
    )
    return Folded(f"By class: {wording.counted(n_classes, 'class', 'classes')}", (table,))


def _row(
    number: str, slice_: Slice, part: ProbeSet, effects: Effects, modes: Sequence[str]
) -> _Row:
    subjects = (REFERENCE, CANDIDATE, DIFFERENCE)
    last = effects.in_mode(modes[-1])
    return _Row(
        number,
        measures.slice_label(slice_, part.classes),
        {mode: effects.in_mode(mode).at(number, slice_, subjects) for mode in modes},
        wilson=last.at(number + WILSON, slice_, subjects),
        exact=last.at(number + EXACT, slice_, subjects),
    )


def _columns(
    part: ProbeSet, modes: Sequence[str], names: Names
) -> tuple[tuple[Column, _Shown], ...]:
    """The head of every column, and the function that makes its cell of a row."""
    columns: list[tuple[Column, _Shown]] = [
        (Column("Class", is_number=False), lambda row: wording.opened(row.label)),
        (
            Column(f"{UNITS[part.kind]}s".capitalize()),
            lambda row: wording.number(row.counts[0]),
        ),
        (Column("Clusters"), lambda row: wording.number(row.counts[1])),
    ]
    # The last mode is the corrected one where there are two (`Effects.modes`), and the one that
    # sentences quote: only it has room for a second interval.
    *before, last = modes
    for model in names.models:
        for mode in modes:
            shown = _number if mode == last else _plain
            title = f"{getattr(names, model)}, {mode}" if before else names.label(model)
            columns.append((Column(title), partial(shown, model=model, mode=mode)))
    if names.paired:
        head = f"Difference, {last}" if before else "Difference"
        columns.append((Column(head), partial(_difference, mode=last)))
    return tuple(columns)


def _plain(row: _Row, *, model: str, mode: str) -> str | Cell:
    """The number of a model, with its interval below."""
    effect = row.by_mode[mode].get(model)
    if effect is None:
        return wording.UNKNOWN
    digits = row.digits or 3
    return basis.beside(wording.fixed(effect.estimate, digits), _limits(effect, digits))


def _number(row: _Row, *, model: str, mode: str) -> str | Cell:
    """The number of a model with its interval, and Wilson's interval below."""
    effect = row.by_mode[mode].get(model)
    if effect is None:
        return wording.UNKNOWN
    wilson = row.wilson.get(model)
    limits = _limits(wilson, row.digits or 3, "Wilson ") if wilson else ""
    return measures.number(row.number, effect, model, row.digits, limits)


def _difference(row: _Row, *, mode: str) -> str | Cell:
    """The difference of two models with its interval, and McNemar's p below."""
    change, paired = row.by_mode[mode].get(DIFFERENCE), row.exact.get(DIFFERENCE)
    if change is None:
        return wording.UNKNOWN
    chance = f"McNemar {wording.p_value(paired.p)}" if paired else ""
    return measures.number(row.number, change, DIFFERENCE, row.digits, chance)


def _limits(effect: Effect, digits: int, before: str = "") -> str:
    """The limits of an interval, or why it is missing, after the words `before`."""
    # Of what did not vary there is no interval; equal limits would look like certainty.
    if math.isnan(effect.low) or effect.low == effect.high:
        return f"{before}{basis.refusal(effect)}"
    low, high = (wording.fixed(value, digits) for value in (effect.low, effect.high))
    return wording.Interval(f"{before}{low} to {high}", effect.low, effect.high)
