"""Estimates over units (pairs, items, facts) and their clusters, by model and for differences."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.crossed.cells import CANDIDATE, DIFFERENCE, REFERENCE, RELATION
from maskaudit.audit.estimating.estimators import Measured, UnitEstimator, Value
from maskaudit.audit.estimating.registry.names import EXACT, WILSON
from maskaudit.audit.estimating.statistics import clusters, proportions, sides
from maskaudit.audit.estimating.statistics.interval import Cells, Interval, point
from maskaudit.audit.estimating.texts.strata import strata
from maskaudit.audit.recording.rows.methods import CROSSED_CLUSTERS
from maskaudit.audit.recording.rows.slices import ALL, Slice, of_part
from maskaudit.audit.recording.rows.values import Flag

# With fewer clusters, an estimate gets no interval.
LEAST_CLUSTERS = 6
# A standard error this small relative to the estimate is rounding error.
ROUNDING = 1e-12
_PERCENT = 100.0
# The cluster of each unit, as a number.
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class _Slice:
    """The units of one slice: their numbers by model, and their clusters.

    `factors` holds the cluster of each unit as a number: no factor if units are independent, one
    for one-way clusters, two for crossed clusters (pairs by writer and by edited words).
    """

    numbers: Mapping[str, Cells]
    factors: tuple[Codes, ...]
    within: str

    @cached_property
    def n_clusters(self) -> int:
        """Number of clusters of the factor with the fewest; number of units without factors."""
        n_units = len(next(iter(self.numbers.values())))
        # The factor with the fewest clusters sets the degrees of freedom (`clusters.multiway`).
        return min((len(np.unique(codes)) for codes in self.factors), default=n_units)

    def n_clusters_of(self, value: Value) -> int:
        """Number of clusters behind one number: of a gap, those of the side that has fewer."""
        if not value.sides:
            return self.n_clusters
        return sides.fewest(self.by_cluster(next(iter(self.numbers.values()))), value.sides)

    def by_cluster(self, columns: Cells, within: str = "sum") -> Cells:
        """The columns by cluster of the first factor, [clusters, k]; by unit if there is none."""
        if not self.factors:
            return columns
        # Sorted, so that no sum over clusters depends on the order of the units.
        grouped = pd.DataFrame(columns).groupby(self.factors[0], sort=True)
        means = grouped.mean() if within == "mean" else grouped.sum()
        rows: Cells = means.to_numpy(dtype=float)
        return rows

    @property
    def unit(self) -> str:
        """What is resampled, as written in the method key."""
        return ("unit", "cluster", CROSSED_CLUSTERS)[len(self.factors)]

    def interval(self, columns: Cells, value: Value) -> Interval:
        """`value` at the means of `columns`, [units, k], with an interval over clusters."""
        if len(self.factors) > 1:
            return _crossed(columns, value, self.factors)
        rows = self.by_cluster(columns, self.within)
        # The clusters of the larger side say nothing of how the smaller one varies.
        df = sides.fewest(rows, value.sides) - 1 if value.sides else None
        return clusters.jackknife(rows, value.function, df=df, null_value=value.null)

    def share(self, columns: Cells, _value: Value) -> Interval:
        """The share of units with a 1 in the first column, with Wilson's interval for clusters."""
        alone = np.arange(len(columns)).astype(str)
        # Independent units are clusters of one, for which Wilson's formula is the usual one.
        labels = self.factors[0].astype(str) if self.factors else alone
        return proportions.wilson_of_clusters(columns[:, 0] == 1, labels)

    def exponential(self, columns: Cells, value: Value) -> Interval:
        """E to a mean of nats, with e to the limits of the mean, which keep above 0."""
        nats = self.interval(columns, value)
        # A mean of some hundred nats has no finite exponential: then it is unknown.
        with np.errstate(over="ignore", invalid="ignore"):
            limits = np.exp([nats.estimate, nats.low, nats.high])
            numbers = np.array([*limits, limits[0] * nats.std_error])
        estimate, low, high, error = np.where(np.isfinite(numbers), numbers, np.nan).tolist()
        return Interval(estimate, low, high, error, nats.df)


_INTERVALS: Mapping[str, Callable[[_Slice, Cells, Value], Interval]] = {
    "jackknife": _Slice.interval,
    "wilson": _Slice.share,
    "exponential": _Slice.exponential,
}


@dataclass(frozen=True)
class _Factor:
    """The clusters of all units of one factor, in the order of their labels.

    A unit without a label forms its own cluster.
    """

    codes: Codes
    is_labelled: NDArray[np.bool_]


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
        # Arrays from here on: a table is slow to choose rows of, and there are many slices.
        numbers = {
            m: part[list(estimator.columns)].reindex(all_units.index).to_numpy(dtype=float)
            for m, part in units.items()
        }
        # A unit counts only if every model has it: differences must compare the same units.
        complete = ~np.isnan(np.concatenate(list(numbers.values()), axis=1)).any(axis=1)
        if not complete.any():
            continue  # no unit of this set has this score
        factors = _factors(all_units)
        slices = {ALL: np.flatnonzero(complete)} if estimator.whole else {}
        for slice_, inside in _parts(kind, all_units, measured, estimator):
            if (chosen := np.flatnonzero(complete & inside)).size:
                slices[slice_] = chosen
        for slice_, chosen in slices.items():
            part = _Slice(
                {m: _chosen(rows, chosen, estimator) for m, rows in numbers.items()},
                # Where no unit of a slice has a label, its units are independent.
                tuple(f.codes[chosen] for f in factors if f.is_labelled[chosen].any()),
                estimator.within,
            )
            names = all_units.index[chosen]
            tested = {m: table.loc[names] for m, table in units.items() if estimator.test}
            for name, value in estimator.numbers[mode].items():
                for row in _rows(name, value, part, estimator, tested):
                    # This and `n_attributes` are named for crossed sets: here they count units and
                    # clusters.
                    yield {
                        **row,
                        "slice": str(slice_),
                        "mode": mode,
                        "scope": "S1",
                        "n_frames": len(chosen),
                    }


def _parts(
    kind: str, units: pd.DataFrame, measured: Mapping[str, Measured], estimator: UnitEstimator
) -> Iterator[tuple[Slice, NDArray[np.bool_]]]:
    """Yield each part of a set and which units are in it: its classes, or the strata of a text."""
    if kind == "text":
        # A gap is between two strata.
        if not estimator.is_gap:
            yield from strata(next(iter(measured.values())), units.index)
        return
    classes = units["class"].to_numpy(dtype=object)
    for class_ in sorted(set(classes) - {""}):
        yield of_part(kind, str(class_)), classes == class_


def _rows(
    name: str,
    value: Value,
    part: _Slice,
    estimator: UnitEstimator,
    tested: Mapping[str, pd.DataFrame],
) -> Iterator[dict[str, Any]]:
    """Yield one number of every subject; shares of trials also as if units were independent."""
    has_difference = estimator.subjects == "all"
    for subject, interval in _intervals(part, value, with_difference=has_difference):
        flag = _flag(subject, interval, part, value)
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
            "n_attributes": part.n_clusters_of(value),
        }
    if value.trials is not None:
        for label, subject, interval in _as_trials(part, value):
            yield {
                **vars(interval),
                "estimator": name + label,
                "subject": subject,
                "flag": "not_estimable" if np.isnan(interval.estimate) else "",
                "unit": "unit",
                "n_attributes": part.n_clusters,
            }


def _flag(subject: str, interval: Interval, part: _Slice, value: Value) -> Flag:
    """Why a number has no interval; empty if it has one."""
    if part.n_clusters_of(value) < LEAST_CLUSTERS:
        return "too_few_clusters"
    if np.isnan(interval.low):
        return "not_estimable"
    # Zero variance is real only between a model and its copy; elsewhere it is an artefact.
    is_copy = subject == DIFFERENCE and _equal(part.numbers)
    is_constant = interval.std_error <= ROUNDING * max(1.0, abs(interval.estimate))
    # One side alone has an error too, and where it did not vary that is not known.
    if value.sides:
        is_constant |= sides.is_one_still(_by_side(subject, part, value), value.sides, ROUNDING)
    return "nothing_varied" if is_constant and not is_copy else ""


def _by_side(subject: str, part: _Slice, value: Value) -> Cells:
    """The columns of a number by cluster; of a difference, the change of each side's sums."""
    if subject != DIFFERENCE:
        return part.by_cluster(part.numbers[subject])
    reference, candidate = (part.by_cluster(part.numbers[m]) for m in (REFERENCE, CANDIDATE))
    change = reference.copy()
    for total, _ in value.sides:
        change[:, total] = candidate[:, total] - reference[:, total]
    return change


def _intervals(
    part: _Slice, value: Value, *, with_difference: bool
) -> Iterator[tuple[str, Interval]]:
    for model, columns in part.numbers.items():
        yield model, _INTERVALS[value.interval](part, columns, value)
    if len(part.numbers) > 1 and with_difference:
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


def _crossed(columns: Cells, value: Value, factors: tuple[Codes, ...]) -> Interval:
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
    return clusters.multiway(estimate, errors, factors, null_value=value.null)


def _chosen(numbers: Cells, units: NDArray[np.intp], estimator: UnitEstimator) -> Cells:
    """The numbers of some units, [units, k]; a column `of`, if any, is their count."""
    # Column by column in memory, as in a table: NumPy adds numbers in an order that follows it.
    chosen = np.asfortranarray(numbers[units])
    # Set here because an estimator does not know the slices that its units are cut into.
    if "of" in estimator.columns:
        chosen[:, estimator.columns.index("of")] = len(units)
    return chosen


def _equal(numbers: Mapping[str, Cells]) -> bool:
    """Whether both models have bitwise equal numbers for every unit."""
    return np.array_equal(numbers[REFERENCE], numbers[CANDIDATE])


def _factors(units: pd.DataFrame) -> list[_Factor]:
    """The set's clusters: one factor, two crossed factors, or none if units are independent."""
    return [
        _factor(units[name].to_numpy(dtype=object), units.index)
        for name in ("cluster", "cluster_2")
        if name in units
    ]


def _factor(labels: NDArray[Any], units: pd.Index) -> _Factor:
    return _Factor(cluster_codes(labels, units), labels != "")


def cluster_codes(labels: NDArray[Any], units: pd.Index) -> Codes:
    """The cluster of each unit as a number, in the order of labels; its own without a label, ""."""
    alone = labels == ""
    # The prefix keeps a unit's own cluster from coinciding with one of the set's labels.
    own = "unit " + units[alone].astype(str)
    names = labels.copy()
    names[alone] = own.to_numpy(dtype=object)
    codes: Codes = pd.factorize(names, sort=True)[0]
    return codes
