"""Masked text in a terminal and as JSON: its numbers, and what of it was not asked."""

import math
from collections.abc import Iterator
from typing import Any

from maskaudit.audit.estimating.registry.names import EXACT_GAP, NLL_GAP, without_groups
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.effects import DIFFERENCE, Effect, Effects, Names
from maskaudit.reports.page import names_of
from maskaudit.reports.sections import texts
from maskaudit.reports.terminal import layout
from maskaudit.reports.terminal.layout import Cell, Line, Table
from maskaudit.reports.words import wording


def lines(record: Record, width: float = layout.UNLIMITED) -> Iterator[Line]:
    """Yield a table of the numbers of each set of masked text, and what of it was not asked."""
    names, effects = names_of(record.manifest), Effects.of(record.estimates)
    for name in texts.texts(record.manifest):
        own = effects.of_set(name)
        title = wording.visible(record.manifest.probe_sets[name].title)
        for laid in layout.lines([_table(title, own, names)], width):
            yield ()
            yield from laid
        if apart := texts.together(own):
            yield ()
            yield from layout.wrapped(apart, width)
    if unasked := texts.not_asked(record.manifest):
        yield ()
        for sentence in unasked:
            yield from layout.wrapped(sentence, width)


def as_json(record: Record) -> list[dict[str, Any]]:
    """Every number of masked text as plain values, unknown ones as null, and how it was read."""
    manifest = record.manifest
    return [
        {
            "probe_set": name,
            "read": manifest.probe_sets[name].notes,
            "numbers": [
                {
                    "number": row["estimator"],
                    "slice": row["slice"],
                    "subject": row["subject"],
                    **{key: _plain(row[key]) for key in ("estimate", "low", "high", "p")},
                    "masks": int(row["n_frames"]),
                    "documents": int(row["n_attributes"]),
                    "flag": row["flag"],
                }
                for row in record.estimates[record.estimates["probe_set"] == name].to_dict(
                    "records"
                )
            ],
        }
        for name in texts.texts(manifest)
    ]


def _table(title: str, effects: Effects, names: Names) -> Table:
    gaps = [n for n in effects.estimators if without_groups(n) in {EXACT_GAP, NLL_GAP}]
    rows = []
    for number in (*texts.NUMBERS, *gaps):
        if by_subject := effects.at(number, ALL, names.subjects):
            digits = texts.digits_of(number)
            cells = (
                Cell(_shown(by_subject.get(subject), subject, digits)) for subject in names.subjects
            )
            rows.append((Cell(wording.visible(texts.title_of(number))), *cells))
    heads = names.subjects if names.paired else ("model",)
    return Table(
        (title, *(f"{head} (95 % interval)" for head in heads)),
        tuple(rows),
        frozenset(range(1, len(heads) + 1)),
    )


def _shown(effect: Effect | None, subject: str, digits: int) -> str:
    if effect is None:
        return wording.UNKNOWN
    return wording.fixed_interval(effect.numbers, digits, with_sign=subject == DIFFERENCE)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
