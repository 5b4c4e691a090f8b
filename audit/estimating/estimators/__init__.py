"""Named estimators: each defines a measure and computes cells or units from scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.registry.entry import RESULTS, Entry
from maskaudit.audit.estimating.registry.names import CORRECTED as CORRECTED
from maskaudit.audit.estimating.registry.names import EXACT, WILSON
from maskaudit.audit.estimating.registry.names import PUBLISHED as PUBLISHED

Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class Estimator(Entry):
    """A named measure with its source and its requirements on the scoring pass.

    `needs` are names of measures in the scores; `modes` are the modes that it is computed in.
    """

    source: str
    needs: frozenset[str]


# Cells: columns frame, attribute, class, role and value, one row per cell; an incomplete cell has
# the value NaN.
MakeCells = Callable[[pd.DataFrame, str, str], pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class GroupEstimator(Estimator):
    """A measure of one model between two groups, on attributes crossed with frames.

    `cells(scored, g1, g2)` takes the items of one probe set with their `value`, as
    `crossed.cells.with_scores` gives them, and returns one cell per attribute and frame; positive
    values lean towards g1.
    """

    is_directed: bool = True
    power: int = 1
    shown: str = RESULTS
    cells: MakeCells = lambda scored, _first, _second: scored


@dataclass(frozen=True)
class Measured:
    """The measurements of one model, or of two models together, on one probe set.

    `paired` holds distances: between groups within a model, or between the two models. `lexicon` is
    the user's hurtful words in lower case, or None.
    """

    items: pd.DataFrame
    scores: pd.DataFrame
    fills: pd.DataFrame
    paired: pd.DataFrame
    lexicon: frozenset[str] | None = None
    _values: dict[str, pd.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _units: dict[tuple["MakeUnits", str], pd.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _parts: dict[Callable[..., Any], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def values(self, measure: str) -> pd.DataFrame:
        """The items with the value and rank of one measure; NaN if missing."""
        if measure not in self._values:  # several estimators need the same measure
            rows = self.scores.loc[self.scores["measure"] == measure, ["item", "value", "rank"]]
            # A left join: an item without a score makes its unit NaN, not just smaller.
            self._values[measure] = self.items.merge(rows, on="item", how="left")
        return self._values[measure]

    def units(self, make: "MakeUnits", mode: str) -> pd.DataFrame:
        """The units that `make` builds of these measurements in one mode; not to be changed."""
        if (make, mode) not in self._units:  # the numbers of one table are several estimators
            self._units[make, mode] = make(self, mode)
        return self._units[make, mode]

    def part(self, make: Callable[["Measured"], Part]) -> Part:
        """What `make` builds of these measurements, for several units; not to be changed."""
        if make not in self._parts:
            self._parts[make] = make(self)
        part: Part = self._parts[make]
        return part


# Units: index `unit`; columns `class` and `cluster`, then numbers; NaN if a unit has no score.
MakeUnits = Callable[[Measured, str], pd.DataFrame]
# Maps the means of the units' numbers over clusters, [..., k], to the estimate, [...].
FromMeans = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def per_unit(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean per unit, [...]: the mean of the first column over that of the second, a unit count.

    The ratio gives every unit the same weight, however units are grouped in clusters.
    """
    ratio: NDArray[np.float64] = means[..., 0] / means[..., 1]
    return ratio


# Maps the units' numbers, [units, k], to whether each is a hit and whether it counts, [units] each.
Trials = Callable[[NDArray[np.float64]], tuple[NDArray[np.bool_], NDArray[np.bool_]]]


@dataclass(frozen=True)
class Value:
    """One number of an estimator: a function of means over clusters, and its null value.

    If the number is a share of binary outcomes, `trials` gives the hits and the units that count.
    `definition` is given if the estimator's own definition is of another number. `interval` says
    how the interval of a model is made: "jackknife" over clusters; "wilson", for a share of units
    with a 1 in the first column, 0 to 1, as many trials as the clusters are at least worth; or
    "exponential", e to the limits of a mean. The difference of models always has a jackknife's.
    A gap between two parts of a set has `sides`, the columns of each: its sum and its weight. Then
    the side with fewer clusters sets the degrees of freedom.
    """

    function: FromMeans
    null: float = np.nan
    trials: Trials | None = None
    definition: str = ""
    interval: Literal["jackknife", "wilson", "exponential"] = "jackknife"
    sides: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class UnitEstimator(Estimator):
    """A measure of one model over units (pairs, facts, contexts), a smooth function of their means.

    `units(measured, mode)` returns one row per unit. Within a cluster, `columns` are summed, or
    averaged if `within` is "mean" (a target term then counts once however many items it has).
    `numbers` maps a mode and a name to a function of the means over clusters. `test` computes p in
    place of the jackknife's p; `whole` is false if classes are separate tests that must not be
    pooled; `is_gap` if the number is between parts of a set, and so has none of its own for each. A
    column `of` is replaced by the number of units in the slice.
    """

    units: MakeUnits = lambda measured, _mode: measured.items
    columns: tuple[str, ...] = ()
    within: str = "sum"
    numbers: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    test: Callable[[pd.DataFrame], float] | None = None
    whole: bool = True
    is_gap: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names of its numbers in any mode; a share also has two as independent trials."""
        return frozenset(
            name + suffix
            for numbers in self.numbers.values()
            for name, value in numbers.items()
            for suffix in (("",) if value.trials is None else ("", WILSON, EXACT))
        )
