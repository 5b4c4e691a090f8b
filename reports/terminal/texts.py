"""Masked text in a terminal and as JSON: its numbers, and what of it was not asked."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from maskaudit.audit.estimating.registry.names import EXACT_GAP, NLL_GAP, without_groups
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.effects import DIFFERENCE, Effect, Effects, Names
from maskaudit.reports.page import names_of
from maskaudit.reports.sections import texts
from maskaudit.reports.sections.method.lost import WHY
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
        for sentence in filter(None, [texts.together(own), *texts.without_interval(own)]):
            yield ()
            yield from layout.wrapped(sentence, width)
    if left := [*texts.not_asked(record.manifest), *_unread(record, names)]:
        yield ()
        for sentence in left:
            yield from layout.wrapped(sentence, width)


def _unread(record: Record, names: Names) -> Iterator[str]:
    """Yield how many masked answers each model could not read, and why, a sentence each."""
    counts = Counter[tuple[str, str, str]]()
    for lost in record.manifest.lost:
        if lost.probe_set in texts.texts(record.manifest):
            counts[lost.probe_set, lost.model, lost.status] += lost.items
    for (name, model, status), count in counts.items():
        title = wording.visible(record.manifest.probe_sets[name].title)
        why = WHY.get(status, wording.visible(status))
        answers = wording.counted(count, "masked answer")
        yield f"{title}: {answers} not read by {names.the(model)}: {why} ({status})."


def as_json(record: Record) -> list[dict[str, Any]]:
    """Every number of masked text as plain values, unknown ones as null, and how it was read."""
    manifest = record.manifest
    return [
        {
            "probe_set": name,
            "read": manifest.probe_sets[name].notes,
            "lost": [lost.as_json() for lost in manifest.lost if lost.probe_set == name],
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
