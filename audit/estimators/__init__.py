"""Named estimators: each says what it is, what it needs, and makes cells of scores."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

# Cells: frame, attribute, class, role and value, a row a cell; value is NaN where it is incomplete.
MakeCells = Callable[[pd.DataFrame, str, str], pd.DataFrame]


@dataclass(frozen=True)
class Estimator:
    """A named measure of one model between two groups.

    `cells(scored, g1, g2)` takes the items of one probe set with their `value` and gives one cell
    an attribute and frame; positive means towards g1.
    """

    name: str
    unit: str
    definition: str
    does_not_show: str
    source: str
    needs: frozenset[str]
    cells: MakeCells
