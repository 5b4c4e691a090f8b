"""Rows of a table while they are made, by column."""

from typing import Any, Self

import pandas as pd

from maskaudit.audit.recording.rows import tables


class Columns:
    """The rows of the table `name`, each column a list of its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lists: dict[str, list[Any]] = {column: [] for column in tables.COLUMNS[name]}
        self._empty = {
            column: "" if dtype == "str" else None for column, dtype in tables.COLUMNS[name].items()
        }

    def put(self, **columns: Any) -> None:  # noqa: ANN401 - numbers or texts
        """Add rows, from lists of one length and what is the same in all; the rest is empty."""
        n = next((len(values) for values in columns.values() if isinstance(values, list)), 1)
        for name, column in self._lists.items():
            values = columns.get(name, self._empty[name])
            column.extend(values if isinstance(values, list) else [values] * n)

    def add(self, other: Self) -> None:
        """Add all rows of another of the same table."""
        for name, column in self._lists.items():
            column.extend(other._lists[name])

    def whole(self) -> pd.DataFrame:
        """The table."""
        return tables.table(self._name, self._lists)
