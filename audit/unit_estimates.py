"""Estimates over units (pairs, items, facts) and their clusters, by model and of the difference."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from audit import statistics
from audit.estimators import Measured, UnitEstimator, Value
from audit.statistics import Cells, Interval

# Fewer clusters give a number and no interval.
LEAST_CLUSTERS = 6
DIFFERENCE, RELATION = "difference", "relation"


def unit_rows(
    measured: Mapping[str, Measured], estimator: UnitEstimator
) -> Iterator[dict[str, Any]]:
    """Every slice, subject and mode of one estimator; all subjects from the same complete units.

    A row has the columns of `estimates` that speak of the number itself, and `unit`: what was
    resampled.
    """
    measured = {
        subject: part
        for subject, part in measured.items()
        if (subject == RELATION) == estimator.of_pair
    }
    if not measured:
        return
    for mode in estimator.modes:
        units = {model: estimator.units(part, mode) for model, part in measured.items()}
        whole = next(iter(units.values()))
        numbers = {
            m: part.reindex(whole.index)[list(estimator.columns)] for m, part in units.items()
        }
        complete = pd.concat(numbers, axis=1).notna().all(axis=1)
        if not complete.any():
            continue  # nothing of this set has such a score
        classes = whole["class"][complete]
        slices = {"all": classes.index} if estimator.whole else {}
        named = classes[classes != ""]
        slices |= {f"class={name}": own.index for name, own in named.groupby(named)}
        for slice_, chosen in slices.items():
            clusters, unit = _clusters(whole.loc[chosen])
            tables = {
                model: _by_cluster(_counted(part.loc[chosen]), clusters, estimator.within)
                for model, part in numbers.items()
            }
            for name, value in estimator.numbers[mode].items():
                for subject, found in _subjects(tables, value):
                    # That nothing varied is certainty only between a model and its copy.
                    same = subject == DIFFERENCE and _equal(tables)
                    few = len(np.unique(clusters)) < LEAST_CLUSTERS
                    unsure = few or (found.std_error == 0 and not same)
                    tested = {}
                    if estimator.test is not None:
                        known = subject in units
                        tested["p"] = (
                            estimator.test(units[subject].loc[chosen]) if known else np.nan
                        )
                    yield {
                        **asdict(_point(found) if unsure else found),
                        **tested,
                        "slice": slice_,
                        "estimator": name,
                        "mode": mode,
                        "subject": subject,
                        "scope": "S1",
                        "n_attributes": len(np.unique(clusters)),
                        "n_frames": len(chosen),
                        "unit": unit,
                    }


def _counted(numbers: pd.DataFrame) -> pd.DataFrame:
    """The units with `of`, where the estimator asks for it, as how many of them there are."""
    return numbers.assign(of=float(len(numbers))) if "of" in numbers else numbers


def _equal(tables: Mapping[str, Cells]) -> bool:
    """Whether both models gave the same number in every cluster, bit for bit."""
    return np.array_equal(tables["reference"], tables["candidate"])


def _point(found: Interval) -> Interval:
    return Interval(found.estimate, np.nan, np.nan)


def _clusters(units: pd.DataFrame) -> tuple[pd.Series, str]:
    """What is resampled: the set's clusters, or the units themselves where it has none."""
    if (units["cluster"] == "").any():
        return pd.Series(units.index, units.index), "unit"
    return units["cluster"], "cluster"


def _by_cluster(numbers: pd.DataFrame, clusters: pd.Series, within: str) -> Cells:
    """One row a cluster: the sum or the mean of its units, in an order that only names decide."""
    grouped = numbers.astype(float).groupby(clusters, sort=True)
    table: Cells = (grouped.mean() if within == "mean" else grouped.sum()).to_numpy(dtype=float)
    return table


def _subjects(tables: Mapping[str, Cells], value: Value) -> Iterator[tuple[str, Interval]]:
    function = value.function
    for model, table in tables.items():
        yield model, statistics.jackknife(table, function, null_value=value.null)
    if len(tables) > 1:
        reference, candidate = tables["reference"], tables["candidate"]
        columns = reference.shape[1]

        def difference(means: Cells) -> Cells:
            return function(means[..., columns:]) - function(means[..., :columns])

        both = np.concatenate([reference, candidate], axis=1)
        yield DIFFERENCE, statistics.jackknife(both, difference, null_value=0.0)
