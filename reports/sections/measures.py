"""Tables of named numbers: one row per measure, one column per subject."""

import math
from collections.abc import Mapping, Sequence

from maskaudit.audit.estimating import numbers
from maskaudit.audit.estimating.registry.entry import FURTHER
from maskaudit.audit.recording.manifest import Labelled, ProbeSet
from maskaudit.audit.recording.rows.slices import ALL as ALL_SLICE
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.reports.blocks import Block, Cell, Column, Folded, Named, Rows, Table
from maskaudit.reports.effects import DIFFERENCE, Effect, Effects, Names
from maskaudit.reports.words import caveats, wording

# Numbers shown elsewhere on the page, and so excluded from the further measures.
PLACED = tuple(entry.name for entry in numbers.every() if entry.shown != FURTHER)
_PERCENT_DIGITS, _DIGITS, _MOST_DIGITS = 2, 3, 8


def columns(names: Names) -> tuple[Column, ...]:
    """The column heads of a table with one row per measure and one column per subject."""
    return (
        Column("Measure", is_number=False),
        *(Column(names.head(subject)) for subject in names.subjects),
    )


def row(
    title: str, by_subject: Mapping[str, Effect], cells: Mapping[str, str | Cell], names: Names
) -> tuple[str | Cell, ...]:
    """A row of such a table, with attributes, frames and scopes below its title."""
    attributes = max(effect.n_attributes for effect in by_subject.values())
    codes = sorted({effect.scope for effect in by_subject.values()})
    frames = wording.counted(max(effect.n_frames for effect in by_subject.values()), "frame")
    basis = f"{wording.counted(attributes, 'attribute')} in {frames}, {' and '.join(codes)}"
    shown = (cells.get(subject, wording.UNKNOWN) for subject in names.subjects)
    return (caveats.beside(title, basis), *shown)


def number(
    name: str, effect: Effect, subject: str, digits: int | None = None, more: str = ""
) -> str | Cell:
    """An estimate of a named number with its interval; below it its mde or its refusal."""
    if digits is None:
        digits = _PERCENT_DIGITS if numbers.is_percent(name) else _digits(effect)
    shown = wording.fixed_interval(effect.numbers, digits, with_sign=subject == DIFFERENCE)
    least = caveats.could_find(effect, lambda value: wording.fixed(value, digits))
    return caveats.beside(shown, more, least, caveats.refusal(effect))


def _digits(effect: Effect) -> int:
    """Three decimals, and more (up to 8) for a number that would otherwise show as zero."""
    largest = max((abs(value) for value in effect.numbers if not math.isnan(value)), default=0.0)
    # 0 has no logarithm; `or 1` gives it the usual decimals.
    return min(_MOST_DIGITS, max(_DIGITS, 1 - math.floor(math.log10(largest or 1))))


def p_cell(effect: Effect | None) -> str:
    """The p of an estimate; a dash where it was not tested."""
    return wording.UNKNOWN if effect is None or math.isnan(effect.p) else wording.p_number(effect.p)


def slice_label(slice_: Slice, classes: Mapping[str, Labelled]) -> str:
    """The name of a slice in a table."""
    if not slice_.is_part:
        return wording.visible(str(slice_))
    class_ = classes.get(slice_.value)
    name = (class_.label if class_ else "") or slice_.value
    name = name.replace("_", " ").replace("-", " ")
    return wording.visible(f"{slice_.between}: {name}" if slice_.groups else name)


def further(
    probe_set: str,
    part: ProbeSet,
    estimates: Effects,
    shown: Sequence[str],
    names: Names,
) -> tuple[Block, ...]:
    """The numbers of a set that have no section of their own on the page."""
    effects = estimates.where(
        lambda row: (
            row.estimator not in shown
            and row.subject in names.subjects
            # Single attributes would be hundreds of rows; what is said of them has tables of its
            # own.
            and row.slice.kind != "attribute"
        )
    )
    if not effects:
        return ()
    by_class = effects.where(lambda row: row.slice.is_part)
    of_whole = effects.where(lambda row: not row.slice.is_part)
    blocks: list[Block] = []
    if of_whole:
        blocks.append(_table(f"further-{probe_set}", "Further measures", part, of_whole, names))
    if by_class:
        table = _table(
            f"further-classes-{probe_set}", "Further measures by class", part, by_class, names
        )
        blocks.append(Folded("Further measures by class", (table,)))
    return tuple(blocks)


def _table(name: str, caption: str, part: ProbeSet, effects: Effects, names: Names) -> Table:
    # The mode is named only where there are two: elsewhere a reader would look for the other one.
    several = {name for name in effects.estimators if len(effects.of_estimators({name}).modes) > 1}
    rows = []
    for estimator, mode, slice_ in dict.fromkeys(
        (row.estimator, row.mode, row.slice) for row in effects.all
    ):
        by_subject = effects.in_mode(mode).at(estimator, slice_, names.subjects)
        title = estimator if slice_ == ALL_SLICE else (
            f"{estimator}, {slice_label(slice_, part.classes)}"
        )  # fmt: skip
        rows.append(
            (
                Named(
                    wording.visible(f"{title} ({mode} mode)" if estimator in several else title),
                    estimator,
                ),
                *(
                    number(estimator, by_subject[subject], subject)
                    if subject in by_subject
                    else wording.UNKNOWN
                    for subject in names.subjects
                ),
                *((p_cell(by_subject.get(DIFFERENCE)),) if names.paired else ()),
            )
        )
    columns = [Column("Measure", is_number=False)]
    columns += [Column(names.head(subject)) for subject in names.subjects]
    columns += [Column("p of the difference, not adjusted")] if names.paired else []
    return Table(
        name,
        f"{caption}, with 95 % intervals",
        tuple(columns),
        (Rows(tuple(rows)),),
        note=caveats.MDE,
        basis=_basis(effects),
    )


def _basis(effects: Effects) -> str:
    """The counts and scopes of further measures; numbers of one set may differ in both."""
    sizes = dict.fromkeys((row.effect.n_attributes, row.effect.n_frames) for row in effects.all)
    counts = [f"{wording.number(clusters)} ({wording.number(units)})" for clusters, units in sizes]
    return (
        f"Clusters, and in brackets the units in them: {wording.listed(counts)}. "
        f"{caveats.scopes(effects.scopes, {**caveats.SCOPES, **caveats.OF_UNITS})}"
    )
