"""Rows of estimates as CSV, for people and spreadsheets, and as plain values, for programs."""

import csv
import math
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pandas as pd

from maskaudit.reports.words import verdicts

# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@")


def as_csv(estimates: pd.DataFrame) -> str:
    """Rows of estimates as CSV: a head, then a row for each number; unknown numbers are empty.

    Foreign text is as people should see it: what cannot be seen is shown by its code point, and
    what a spreadsheet would run begins with an apostrophe.
    """
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(estimates.columns)
    writer.writerows([_cell(value) for value in row] for row in _rows(estimates))
    return file.getvalue()


def as_values(estimates: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of estimates as plain JSON values; unknown and infinite numbers are null."""
    columns = list(estimates.columns)
    return [dict(zip(columns, row, strict=True)) for row in _rows(estimates)]


def _rows(table: pd.DataFrame) -> Iterator[list[Any]]:
    """The rows as plain values; an unknown or infinite number is None."""
    for row in zip(*(table[name].tolist() for name in table.columns), strict=True):
        yield [_plain(value) for value in row]


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    # JSON has neither NaN nor infinity, and a cell of CSV is empty where nothing is known.
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _cell(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    if not isinstance(value, str):
        return value  # the writer makes nothing of None
    text = verdicts.name(value) if value else ""
    return f"'{text}" if text.startswith(_FORMULA) else text
