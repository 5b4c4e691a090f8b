"""Estimates over units (pairs, items, facts) and their clusters, by model and for differences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.cells import CANDIDATE, DIFFERENCE, REFERENCE, RELATION
from maskaudit.audit.estimating.estimators import Measured, UnitEstimator, Value
from maskaudit.audit.estimating.registry.names import EXACT, WILSON
from maskaudit.audit.estimating.statistics import clusters, proportions
from maskaudit.audit.estimating.statistics.interval import Cells, Interval, point
from maskaudit.audit.recording.methods import CROSSED_CLUSTERS
from maskaudit.audit.recording.slices import ALL, of_part
from maskaudit.audit.recording.values import Flag

# With fewer clusters, an estimate gets no interval.
LEAST_CLUSTERS = 6
# A standard error this small relative to the estimate is rounding error.
ROUNDING = 1e-12
_PERCENT = 100.0


@dataclass(frozen=True)
class _Slice:
    """The units of one slice: their numbers by model, and their clusters.

    `factors` holds the cluster labels: no factor if units are independent, one for one-way
    clusters, two for crossed clusters (pairs by writer and by edited words).
    """

    numbers: Mapping[str, Cells]
    factors: tuple[pd.Series, ...]
    within: str

    @property
    def n_clusters(self) -> int:
        """Number of clusters of the factor with the fewest; number of units without factors."""
        n_units = len(next(iter(self.numbers.values())))
        # The factor with the fewest clusters sets the degrees of freedom (`clusters.multiway`).
        return min((labels.nunique() for labels in self.factors), default=n_units)

    @property
    def unit(self) -> str:
        """What is resampled, as written in the method key."""
        return ("unit", "cluster", CROSSED_CLUSTERS)[len(self.factors)]

    def interval(self, columns: Cells, value: Value) -> Interval:
        """`value` at the means of `columns`, [units, k], with an interval over clusters."""
        if len(self.factors) > 1:
            return _crossed(columns, value, self.factors)
        rows = columns
        if self.factors:
            grouped = pd.DataFrame(columns).groupby(self.factors[0].to_numpy(), sort=True)
            means = grouped.mean() if self.within == "mean" else grouped.sum()
            rows = means.to_numpy(dtype=float)
        return clusters.jackknife(rows, value.function, null_value=value.null)


def unit_rows(
    measured: Mapping[str, Measured], estimator: UnitEstimator
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one estimator for every slice, subject and mode.

    All subjects use the same complete units. A row holds the columns of `estimates` that describe
    the number itself, plus `unit`: what was resampled.
    """
    # An estimator of the pair reads only `relation`; every other estimator reads each model.
    measured = {
        subject: part
        for subject, part in measured.items()
        if (subject == RELATION) == estimator.of_pair
    }
    if not measured:
        return
    kind = str(next(iter(measured.values())).items["kind"].iloc[0])
    for mode in estimator.modes:
        units = {model: part.units(estimator.units, mode) for model, part in measured.items()}
        # Sort by name, so that sums are equal to the last bit whatever the order of the input.
        all_units = next(iter(units.values())).sort_index()
        if all_units.empty:
            continue
        numbers = {
            m: part.reindex(all_units.index)[list(estimator.columns)] for m, part in units.items()
        }
        # A unit counts only if every model has it: differences must compare the same units.
        complete = pd.concat(numbers, axis=1).notna().all(axis=1)
        if not complete.any():
            continue  # no unit of this set has this score
        classes = all_units["class"][complete]
        slices = {ALL: classes.index} if estimator.whole else {}
        named = classes[classes != ""]
        slices |= {
            of_part(kind, str(name)): members.index for name, members in named.groupby(named)
        }
        for slice_, chosen in slices.items():
            part = _Slice(
                {m: _with_count(table.loc[chosen]) for m, table in numbers.items()},
                _factors(all_units.loc[chosen]),
                estimator.within,
            )
            tested = {subject: table.loc[chosen] for subject, table in units.items()}
            for name, value in estimator.numbers[mode].items():
                for row in _rows(name, value, part, estimator, tested):
                    # These two columns are named for crossed sets: here they count clusters and
                    # units.
                    yield {
                        **row,
                        "slice": str(slice_),
                        "mode": mode,
                        "scope": "S1",
                        "n_attributes": part.n_clusters,
                        "n_frames": len(chosen),
                    }


def _rows(
    name: str,
    value: Value,
    part: _Slice,
    estimator: UnitEstimator,
    tested: Mapping[str, pd.DataFrame],
) -> Iterator[dict[str, Any]]:
    """Yield one number of every subject; shares of trials also as if units were independent."""
    for subject, interval in _intervals(part, value):
        flag = _flag(subject, interval, part)
        # A flagged number is reported without its interval.
        row = dict(vars(point(interval.estimate) if flag else interval))
        if estimator.test is not None:
            # Such a test takes the units of one model, so a difference gets no p.
            row["p"] = estimator.test(tested[subject]) if subject in tested else np.nan
        yield {
            **row,
            "estimator": name,
            "subject": subject,
            "flag": flag,
            "unit": part.unit,
        }
    if value.trials is not None:
        for label, subject, interval in _as_trials(part, value):
            yield {
                **vars(interval),
                "estimator": name + label,
                "subject": subject,
                "flag": "not_estimable" if np.isnan(interval.estimate) else "",
                "unit": "unit",
            }


def _flag(subject: str, interval: Interval, part: _Slice) -> Flag:
    """Why a number has no interval; empty if it has one."""
    if part.n_clusters < LEAST_CLUSTERS:
        return "too_few_clusters"
    if np.isnan(interval.low):
        return "not_estimable"
    # Zero variance is real only between a model and its copy; elsewhere it is an artefact.
    is_copy = subject == DIFFERENCE and _equal(part.numbers)
    is_constant = interval.std_error <= ROUNDING * max(1.0, abs(interval.estimate))
    return "nothing_varied" if is_constant and not is_copy else ""


def _intervals(part: _Slice, value: Value) -> Iterator[tuple[str, Interval]]:
    for model, columns in part.numbers.items():
        yield model, part.interval(columns, value)
    if len(part.numbers) > 1:
        reference, candidate = part.numbers[REFERENCE], part.numbers[CANDIDATE]
        width = reference.shape[1]

        def difference(means: Cells) -> Cells:
            return value.function(means[..., width:]) - value.function(means[..., :width])

        # Side by side: the units are paired, so the jackknife must drop a cluster from both models.
        side_by_side = np.concatenate([reference, candidate], axis=1)
        yield DIFFERENCE, part.interval(side_by_side, replace(value, function=difference, null=0.0))


def _as_trials(part: _Slice, value: Value) -> Iterator[tuple[str, str, Interval]]:
    """Yield Wilson's and the exact interval of a share, and McNemar's exact test of the models.

    All treat units as independent trials; they are reported beside the interval over clusters.
    """
    assert value.trials is not None  # noqa: S101 - asked by the caller
    by_model = {model: value.trials(columns) for model, columns in part.numbers.items()}
    for model, (hits, counted) in by_model.items():
        k, n = int(hits[counted].sum()), int(counted.sum())
        yield WILSON, model, _in_percent(proportions.wilson(k, n))
        yield EXACT, model, _in_percent(proportions.exact(k, n))
    if len(by_model) > 1:
        (first, in_first), (second, in_second) = by_model[REFERENCE], by_model[CANDIDATE]
        # The test is paired: a unit that does not count for one model leaves both.
        in_both = in_first & in_second
        if in_both.any():
            change = second[in_both].mean() - first[in_both].mean()
            p = proportions.mcnemar(first[in_both], second[in_both])
            interval = Interval(_PERCENT * float(change), np.nan, np.nan, p=p, null_value=0.0)
            yield EXACT, DIFFERENCE, interval


def _in_percent(interval: Interval) -> Interval:
    return replace(
        interval,
        estimate=_PERCENT * interval.estimate,
        low=_PERCENT * interval.low,
        high=_PERCENT * interval.high,
        null_value=_PERCENT * interval.null_value,
    )


def _crossed(columns: Cells, value: Value, factors: tuple[pd.Series, ...]) -> Interval:
    """The estimate over all units with an interval over two crossed cluster factors.

    The error of a unit is the change when it is left out, times (n - 1)/n: its influence up to a
    relative error of 1/n.
    """
    n = len(columns)
    total = columns.sum(0)
    estimate = float(value.function(total / n))
    # Where leaving a unit out leaves nothing to divide by, its influence is unknown: NaN.
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = (n - 1) / n * (estimate - value.function((total - columns) / (n - 1)))
    return clusters.multiway(
        estimate, errors, [labels.to_numpy() for labels in factors], null_value=value.null
    )


def _with_count(numbers: pd.DataFrame) -> Cells:
    """The units' numbers, [units, k]; a column `of`, if any, is set to the number of units."""
    # Set here because an estimator does not know the slices that its units are cut into.
    table = numbers.assign(of=float(len(numbers))) if "of" in numbers else numbers
    columns: Cells = table.to_numpy(dtype=float)
    return columns


def _equal(numbers: Mapping[str, Cells]) -> bool:
    """Whether both models have bitwise equal numbers for every unit."""
    return np.array_equal(numbers[REFERENCE], numbers[CANDIDATE])


def _factors(units: pd.DataFrame) -> tuple[pd.Series, ...]:
    """The set's clusters: one factor, two crossed factors, or none if units are independent.

    A unit without a label forms its own cluster.
    """
    factors = [units[name] for name in ("cluster", "cluster_2") if name in units]
    # The prefix keeps a unit's own cluster from coinciding with one of the set's labels.
    singletons = "unit " + units.index.astype(str).to_series(units.index)
    return tuple(
        labels.where(labels != "", singletons) for labels in factors if (labels != "").any()
    )
