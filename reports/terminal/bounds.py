"""The numbers of a record in censored grade in a terminal and as JSON: each by its two ends."""

import math
from collections.abc import Iterator
from typing import Any

from maskaudit.audit.estimating.registry.names import SHARE_ENDS, ends_of
from maskaudit.audit.recording.record import Record
from maskaudit.reports.effects import DIFFERENCE, Effects
from maskaudit.reports.page import names_of
from maskaudit.reports.sections import bounds
from maskaudit.reports.sections.contrasts.tested import pairs
from maskaudit.reports.terminal import layout
from maskaudit.reports.terminal.layout import Cell, Line, Table
from maskaudit.reports.words import wording


def lines(record: Record, width: float = layout.UNLIMITED) -> Iterator[Line]:
    """Yield a table of each set: between what each number lies, with the number's interval."""
    if not record.manifest.is_censored:
        return
    yield ()
    yield from layout.wrapped(bounds.GRADE, width)
    for name, part in record.manifest.probe_sets.items():
        if tables := list(_tables(record, name)):
            yield ()
            title = wording.visible(part.title)
            yield from layout.wrapped(f"{title}. {bounds.absent(record, name)}", width)
        for table in tables:
            for laid in layout.lines([table], width):
                yield ()
                yield from laid


def as_json(record: Record) -> list[dict[str, Any]]:
    """Each number by both of its ends, as plain values; null where nothing bounds it."""
    if not record.manifest.is_censored:
        return []
    rows = record.estimates.to_dict("records")
    most = {_key(row): row for row in rows if _is(row, 1)}
    return [
        {
            "probe_set": row["probe_set"],
            "number": row["estimator"].removesuffix("_at_least"),
            "slice": row["slice"],
            "subject": row["subject"],
            "at_least": _plain(row["estimate"]),
            "at_most": _plain(most[_key(row)]["estimate"]),
            "low": _plain(row["low"]),
            "high": _plain(row["high"]),
        }
        for row in rows
        if _is(row, 0)
    ]


def _tables(record: Record, name: str) -> Iterator[Table]:
    part, names = record.manifest.probe_sets[name], names_of(record.manifest)
    effects = Effects.of(record.estimates).of_set(name)
    heads = names.subjects if names.paired else ("model",)
    for between, groups in pairs(part):
        rows = []
        for both, slice_ in bounds.rows_of(part, between):
            cells = []
            for subject in names.subjects:
                ends = bounds.ends_at(both, slice_, effects, subject)
                signed = both != SHARE_ENDS or subject == DIFFERENCE
                cells.append(
                    f"{bounds.between_ends(ends, with_sign=signed)} "
                    f"({bounds.interval(ends, with_sign=signed).removeprefix('95 % interval ')})"
                    if ends
                    else wording.UNKNOWN
                )
            if any(cell != wording.UNKNOWN for cell in cells):
                rows.append((Cell(bounds.title(part, both, slice_, groups)), *map(Cell, cells)))
        if rows:
            titles = (
                f"{groups[0]} against {groups[1]}",
                *(f"{head}: bounds (95 % interval)" for head in heads),
            )
            yield Table(titles, tuple(rows), frozenset(range(1, len(heads) + 1)))


def _is(row: dict[Any, Any], place: int) -> bool:
    both = ends_of(row["estimator"])
    return both is not None and both[place] == row["estimator"]


def _key(row: dict[Any, Any]) -> tuple[str, ...]:
    both = ends_of(row["estimator"])
    assert both is not None  # noqa: S101 - it is one of them
    return (row["probe_set"], both[0], row["slice"], row["subject"])


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
