"""The result of one check of a record: it holds, it does not and where, or it cannot be shown."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Differences that are named; the others are counted.
SHOWN = 3
Outcome = Literal["verified", "not shown", "differs"]


@dataclass(frozen=True)
class Difference:
    """A place of a record that is not as the rest of it says.

    `table` is the name of the file. `row` counts from 0; it is None if no row of the table is
    meant, as where one is missing. `column` may be empty; in `record.json` it is a key.
    """

    table: str
    row: int | None
    column: str
    text: str

    def __str__(self) -> str:
        """The place and what is wrong there: "scores.parquet, row 3, value: is missing"."""
        row = "" if self.row is None else f"row {self.row}"
        return f"{', '.join(filter(None, (self.table, row, self.column)))}: {self.text}"


@dataclass(frozen=True)
class Check:
    """What was checked, its outcome in one sentence, the first differences and how many differ."""

    name: str
    outcome: Outcome
    text: str
    differences: tuple[Difference, ...] = ()
    n_differences: int = 0

    @property
    def differs(self) -> bool:
        """Whether the record does not hold."""
        return self.outcome == "differs"

    def __str__(self) -> str:
        """One line."""
        return f"{self.outcome:9}  {self.name}: {self.text}"

    def as_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def checked(name: str, differences: Iterable[Difference], holds: str) -> Check:
    """The check `name`: verified, in the words of `holds`, if there are no differences."""
    # To its end, though few are shown: how many more there are tells a slip from another audit.
    every = tuple(differences)
    if not every:
        return Check(name, "verified", holds)
    more = f"; and {len(every) - SHOWN:,} more" if len(every) > SHOWN else ""
    text = "; ".join(map(str, every[:SHOWN])) + more
    return Check(name, "differs", text, every[:SHOWN], len(every))


def not_shown(name: str, why: str) -> Check:
    """A check that this record does not allow."""
    return Check(name, "not shown", why)


def where(
    rows: "pd.Series | NDArray[np.bool_]", table: str, column: str, text: str
) -> Iterator[Difference]:
    """Yield a difference for each row of a table for which `rows` is true, or cannot be told.

    What compares with a number that is missing cannot be told.
    """
    for row in np.flatnonzero(pd.Series(rows, dtype="boolean").fillna(value=True)).tolist():
        yield Difference(table, row, column, text)
