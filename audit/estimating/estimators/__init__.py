"""Named estimators: each says what it is, what it needs, and makes cells or units of scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.entry import RESULTS, Entry
from maskaudit.audit.estimating.names import CORRECTED as CORRECTED
from maskaudit.audit.estimating.names import PUBLISHED as PUBLISHED


@dataclass(frozen=True, kw_only=True)
class Estimator(Entry):
    """A named measure: what it is, where it comes from and what it needs of the scoring pass.

    `needs` are names of measures in the scores; `modes` are those in which the measure differs.
    """

    source: str
    needs: frozenset[str]


# Cells: frame, attribute, class, role and value, a row a cell; value is NaN where it is incomplete.
MakeCells = Callable[[pd.DataFrame, str, str], pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class GroupEstimator(Estimator):
    """A measure of one model between two groups, on attributes crossed with frames.

    `cells(scored, g1, g2)` takes the items of one probe set with their `value` and gives one cell
    an attribute and frame; positive means towards g1.
    """

    is_directed: bool = True
    power: int = 1
    shown: str = RESULTS
    cells: MakeCells = lambda scored, _first, _second: scored


@dataclass(frozen=True)
class Measured:
    """What one model gave on one probe set, or two models together where `paired` has them both.

    `paired` are rows of distances, `lexicon` the user's hurtful words in lower case, or None.
    """

    items: pd.DataFrame
    scores: pd.DataFrame
    fills: pd.DataFrame
    paired: pd.DataFrame
    lexicon: frozenset[str] | None = None
    _values: dict[str, pd.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def values(self, measure: str) -> pd.DataFrame:
        """The items with the value and rank of one measure; NaN where there is none."""
        if measure not in self._values:  # several estimators ask for the same
            own = self.scores.loc[self.scores["measure"] == measure, ["item", "value", "rank"]]
            self._values[measure] = self.items.merge(own, on="item", how="left")
        return self._values[measure]


# Units: index `unit`; columns `class` and `cluster`, then numbers, NaN where a unit has no score.
MakeUnits = Callable[[Measured, str], pd.DataFrame]
# Means of the units' numbers over clusters, [..., k], to the estimate, [...].
FromMeans = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def per_unit(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first column's mean over the second's, which counts units: their mean in any clusters."""
    ratio: NDArray[np.float64] = means[..., 0] / means[..., 1]
    return ratio


# Numbers of units, [units, k], to whether each is a hit and whether it is counted, [units] each.
Trials = Callable[[NDArray[np.float64]], tuple[NDArray[np.bool_], NDArray[np.bool_]]]


@dataclass(frozen=True)
class Value:
    """One number of an estimator: a function of means over clusters, and the value of no effect.

    `trials` says which units are hits of which, where the number is a share of yes or no;
    `definition` what the number is, where that of the estimator is about another one.
    """

    function: FromMeans
    null: float = np.nan
    trials: Trials | None = None
    definition: str = ""


@dataclass(frozen=True, kw_only=True)
class UnitEstimator(Estimator):
    """A measure of one model over units (pairs, facts, contexts), a smooth function of their means.

    `units(measured, mode)` gives a row a unit. `columns` are summed inside a cluster (a writer), or
    averaged (`within`: a target term counts once however many items it has); by mode, each of
    `numbers` turns the means over clusters into a number by name. `test` gives p where the
    jackknife's is not the one to use; `whole` is off where classes are tests of their own, not to
    be pooled.
    The column `of`, where there is one, becomes the number of units that the estimate is made of.
    """

    units: MakeUnits = lambda measured, _mode: measured.items
    columns: tuple[str, ...] = ()
    within: str = "sum"
    numbers: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    test: Callable[[pd.DataFrame], float] | None = None
    whole: bool = True
