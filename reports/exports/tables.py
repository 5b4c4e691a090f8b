"""Every estimate of a record as CSV, for people and spreadsheets, or as JSON, for programs."""

import csv
import math
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pandas as pd

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.record import Record
from maskaudit.audit.texts.printable import json_text
from maskaudit.reports.ci.json_values import as_json
from maskaudit.reports.exports.audited import Audited, lost_items, shown
from maskaudit.reports.sections.method import extrinsic

# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@")


def estimates_csv(audited: Audited) -> str:
    """The estimates of an audit as CSV; it has no place for verdicts."""
    return record_csv(audited.record, audited.judgement)


def record_csv(record: Record, _judgement: Judgement | None = None) -> str:
    """The table of estimates as CSV: a head, then a row for each number; unknown numbers are empty.

    Foreign text is as people should see it: what cannot be seen is shown by its code point, and
    what a spreadsheet would run begins with an apostrophe. JSON has the same text as it is.
    """
    return as_csv(record.estimates)


def as_csv(estimates: pd.DataFrame) -> str:
    """Rows of estimates as CSV, as `record_csv` has all of them."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(estimates.columns)
    writer.writerows([_cell(value) for value in row] for row in _rows(estimates))
    return file.getvalue()


def as_values(estimates: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of estimates as plain JSON values, as `estimates_json` has all of them."""
    columns = list(estimates.columns)
    return [dict(zip(columns, row, strict=True)) for row in _rows(estimates)]


def estimates_json(audited: Audited) -> str:
    """The estimates of an audit as JSON, with its verdicts."""
    return record_json(audited.record, audited.judgement)


def record_json(record: Record, judgement: Judgement | None) -> str:
    """The estimates as JSON, with models, sets, what was lost, extrinsic scores and verdicts.

    Text is as the record has it, with escapes for what cannot be seen; unknown numbers are null.
    """
    manifest = record.manifest
    value = {
        "record": record.name,
        "created": manifest.created,
        "key": manifest.key,
        "maskaudit": manifest.maskaudit,
        "models": {
            model: identity.model_dump(include={"name", "revision", "weights"})
            for model, identity in manifest.models.items()
        },
        "probe_sets": {
            name: {"version": part.version, "axis": part.axis, "title": part.title}
            for name, part in manifest.probe_sets.items()
        },
        "lost_items": [
            {"probe_set": name, "model": model, "items": items}
            for (name, model), items in lost_items(record).items()
        ],
        "extrinsic": extrinsic.as_json(manifest),
        "estimates": as_values(record.estimates),
        "judgement": None if judgement is None else as_json(judgement),
    }
    return json_text(value) + "\n"


def _rows(table: pd.DataFrame) -> Iterator[list[Any]]:
    """The rows as plain values; an unknown or infinite number is None."""
    for row in zip(*(table[name].tolist() for name in table.columns), strict=True):
        yield [_plain(value) for value in row]


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _cell(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    if not isinstance(value, str):
        return value  # the writer makes nothing of None
    text = shown(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
