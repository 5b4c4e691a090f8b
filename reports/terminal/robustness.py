"""What each contrast of a record rests on and stands beside, as lines and as JSON."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from maskaudit.audit.recording.record import Record
from maskaudit.audit.verifying.recomputed import rests_on
from maskaudit.reports.blocks import Cell
from maskaudit.reports.effects import Effect, Effects, Names
from maskaudit.reports.page import names_of
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.association.robustness import Question, questions
from maskaudit.reports.sections.contrasts.tested import pairs
from maskaudit.reports.sections.method import extrinsic
from maskaudit.reports.words import wording

_GAP = "  "
_OF_BOUNDS = "A record in censored grade has bounds, of which it is not asked what they rest on."
_NOTHING = "No contrast of this record can be questioned: no set has two classes and two groups."


def as_text(record: Record) -> str:
    """The questions of each contrast with a column for each subject, and what stands beside."""
    names = names_of(record.manifest)
    lines: list[str] = []
    for between, asked in _of_record(record, names):
        title = wording.visible(between.part.title)
        pair = f": {between.groups[0]} and {between.groups[1]}" if between.slice_groups else ""
        lines += [f"{title}{pair} ({between.probe_set})", *_table(asked, names), ""]
    lines = lines or [_OF_BOUNDS if record.manifest.is_censored else _NOTHING, ""]
    elsewhere = extrinsic.lines(record.manifest, names)
    lines += [*elsewhere, extrinsic.BESIDE] if elsewhere else [extrinsic.NONE]
    return "\n".join(lines)


def as_json(record: Record) -> dict[str, list[Any]]:
    """The same as plain JSON values, unknown numbers as null."""
    names = names_of(record.manifest)
    return {
        "questions": _questions(record, names),
        "extrinsic": [*extrinsic.as_json(record.manifest)],
    }


def _questions(record: Record, names: Names) -> list[dict[str, Any]]:
    return [
        {
            "probe_set": between.probe_set,
            "groups": list(between.group_names),
            "question": question.text,
            "estimator": question.estimator,
            "slice": str(between.slice(question.slice)),
            "subjects": {
                subject: _plain(effect) for subject, effect in question.by_subject.items()
            },
        }
        for between, asked in _of_record(record, names)
        for question in asked
    ]


def _of_record(record: Record, names: Names) -> Iterator[tuple[Between, tuple[Question, ...]]]:
    """Yield each contrast of a record with its questions, in the order of its sets."""
    # No record keeps what its contrasts rest on: it is made from the scores when it is asked for.
    estimates = Effects.of(pd.concat([record.estimates, rests_on(record)], ignore_index=True))
    for probe_set, part in record.manifest.probe_sets.items():
        if part.kind != "association":
            continue
        effects = estimates.of_set(probe_set)
        for slice_groups, groups in pairs(part):
            first, second = slice_groups or tuple(part.groups)
            between = Between(probe_set, part, slice_groups, groups, (first, second))
            if asked := questions(between, effects, names):
                yield between, asked


def _table(asked: tuple[Question, ...], names: Names) -> Iterator[str]:
    rows = [("", *names.subjects)]
    rows += [
        (
            question.text,
            *(
                _cell(question.shown(question.by_subject[subject]))
                if subject in question.by_subject
                else wording.UNKNOWN
                for subject in names.subjects
            ),
        )
        for question in asked
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"{_GAP}{_GAP.join(cells)}".rstrip()


def _cell(shown: str | Cell) -> str:
    return f"{shown.text}, {shown.beside}" if isinstance(shown, Cell) else shown


def _plain(effect: Effect) -> dict[str, Any]:
    numbers = {
        name: getattr(effect, name) for name in ("estimate", "low", "high", "std_error", "p")
    }
    counts = {name: getattr(effect, name) for name in ("n_attributes", "n_frames", "n_styles")}
    # JSON has no NaN, and most readers refuse Python's.
    known = {name: None if math.isnan(value) else value for name, value in numbers.items()}
    return {**known, **counts, "scope": effect.scope, "flag": effect.flag}
