"""Intervals over clusters: jackknife for one factor, inclusion-exclusion for crossed factors."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells, Interval, point, student

_LEAST = 2
Labels = NDArray[Any]


def multiway(
    estimate: float,
    errors: Cells,
    factors: Sequence[Labels],
    *,
    level: float = LEVEL,
    null_value: float = np.nan,
) -> Interval:
    """Interval of an estimate over clusters of several crossed factors.

    `errors`, [n], are the contributions of the rows to the error of the estimate, (y - mean)/n for
    a mean; each factor gives one label per row. V = sum over sets of factors of +-G/(G - 1)
    sum_clusters (sum errors)^2, + for an odd number of factors (Cameron, Gelbach & Miller 2011),
    floored at the largest one-factor part; Student's t with the smallest G - 1. The interval is NaN
    if a factor has fewer than two clusters.
    """
    codes = [np.unique(labels, return_inverse=True)[1].ravel() for labels in factors]
    # `initial` gives an empty factor 0 clusters, where `max` alone would raise.
    sizes = [int(code.max(initial=-1)) + 1 for code in codes]
    if min(sizes) < _LEAST:
        return point(estimate)
    single = [_component(errors, [code]) for code in codes]
    crossed = [
        (-1) ** (many + 1) * _component(errors, chosen)
        for many in range(2, len(codes) + 1)
        for chosen in combinations(codes, many)
    ]
    # Less its intersections, the sum can fall below the part of one factor, even below 0.
    variance = max(sum(single) + sum(crossed), *single)
    return student(estimate, variance, min(sizes) - 1, level=level, null_value=null_value)


def _component(errors: Cells, codes: Sequence[NDArray[np.intp]]) -> float:
    """The clustered variance of one factor, or of the intersections of several."""
    _, cluster = np.unique(np.stack(codes), axis=1, return_inverse=True)
    # NumPy 2.0 alone keeps the axis in the inverse of `unique`; later versions return it flat.
    sums = np.bincount(cluster.ravel(), weights=errors)
    return len(sums) / (len(sums) - 1) * float((sums**2).sum())


def jackknife(
    columns: Cells,
    function: Callable[[Cells], Cells],
    *,
    df: int | None = None,
    level: float = LEVEL,
    null_value: float = np.nan,
) -> Interval:
    """A smooth function of the means of `columns`, [clusters, k], with an interval over clusters.

    `function` maps means [..., k] to values [...]. The rows are what is sampled: writers, edited
    spans, target terms; a share is the ratio of two columns, hits and trials. Delete-one jackknife
    (Tukey 1958; Efron & Stein 1981), Student's t with clusters - 1, or with `df`. The interval is
    NaN with fewer than two rows or if a value is NaN.
    """
    n = len(columns)
    if n == 0:
        return point(np.nan)
    total = columns.sum(0)
    estimate = float(function(total / n))
    if n < _LEAST:
        return point(estimate)
    leave_one_out = function((total - columns) / (n - 1))
    variance = float((n - 1) / n * ((leave_one_out - leave_one_out.mean()) ** 2).sum())
    # A share is 0/0 without a cluster that has all of its trials.
    if np.isnan(variance):
        return point(estimate)
    freedom = n - 1 if df is None else df
    return student(estimate, variance, freedom, level=level, null_value=null_value)
