"""The statistics once more: loops over their formulas, and what other libraries say of the same.

Nothing here is imported from `audit`. Tables are arrays [attributes, frames] in nats. The loops add
with `math.fsum`, so that they agree with the formulas and not with one order of summation.
"""

import collections
import math
from collections.abc import Callable, Sequence
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

Table = NDArray[np.float64]

# Six attributes in four frames: the golden table G1 of the method.
G1 = np.array(
    [
        [0.42, 0.55, 0.10, 0.61],
        [-0.20, 0.05, -0.31, 0.12],
        [0.80, 0.95, 0.52, 1.10],
        [0.15, 0.02, -0.08, 0.40],
        [-0.45, -0.30, -0.62, -0.05],
        [0.33, 0.41, 0.20, 0.58],
    ]
)


class Spread(NamedTuple):
    """A variance with its degrees of freedom."""

    variance: float
    df: float


# Tables to try


def crossed(  # noqa: PLR0913 - a design has that many numbers
    n_attributes: int,
    n_frames: int,
    seed: int,
    *,
    attributes: float = 0.7,
    frames: float = 0.4,
    noise: float = 0.5,
) -> Table:
    """A random table with these standard deviations, whose mean is not zero."""
    rng = np.random.default_rng(seed)
    return (
        0.3
        + rng.normal(0, attributes, (n_attributes, 1))
        + rng.normal(0, frames, (1, n_frames))
        + rng.normal(0, noise, (n_attributes, n_frames))
    )


def pair(n_attributes: int, n_frames: int, seed: int) -> tuple[Table, Table]:
    """A teacher and a student that leans with it, with noise that the two share in every frame."""
    rng = np.random.default_rng(seed)
    lean, shared, own, theirs = (
        rng.normal(0, sd, (n_attributes, n))
        for sd, n in ((1, 1), (0.3, n_frames), (0.2, n_frames), (0.2, n_frames))
    )
    shift = rng.normal(0, 0.5, (1, n_frames))
    return lean + shared + own + shift, 1.3 * lean + shared + theirs + 0.5 * shift - 0.2


def without(cells: Table, missing: int, seed: int) -> Table:
    """The table with so many cells gone, drawn at random."""
    found = cells.copy()
    gone = np.random.default_rng(seed).choice(cells.size, missing, replace=False)
    found.ravel()[gone] = np.nan
    return found


SEEDS = st.integers(0, 2**32 - 1)
TABLES = st.builds(crossed, st.integers(2, 8), st.integers(2, 8), SEEDS)
PAIRS = st.builds(pair, st.integers(4, 9), st.integers(4, 9), SEEDS)


def long(cells: Table) -> pd.DataFrame:
    """A row for every cell that is there: attribute, frame, y."""
    rows = [(i, j, float(y)) for (i, j), y in np.ndenumerate(cells) if not math.isnan(y)]
    return pd.DataFrame(rows, columns=["attribute", "frame", "y"])


# Two-way analysis of variance


def additive_fit(cells: Table) -> Any:
    """Least squares of attribute plus frame on the cells that are there, by statsmodels."""
    return smf.ols("y ~ C(attribute) + C(frame)", long(cells)).fit()


def mean_squares(cells: Table) -> tuple[float, float, float]:
    """Mean squares of attribute, frame and residual of a complete table."""
    n_attributes, n_frames = cells.shape
    rows = [_mean(cells[i]) for i in range(n_attributes)]
    columns = [_mean(cells[:, j]) for j in range(n_frames)]
    whole = _mean(cells.ravel())
    off = [
        (cells[i, j] - rows[i] - columns[j] + whole) ** 2
        for i in range(n_attributes)
        for j in range(n_frames)
    ]
    return (
        n_frames * math.fsum((row - whole) ** 2 for row in rows) / (n_attributes - 1),
        n_attributes * math.fsum((column - whole) ** 2 for column in columns) / (n_frames - 1),
        math.fsum(off) / ((n_attributes - 1) * (n_frames - 1)),
    )


def mean_spread(cells: Table) -> Spread:
    """Variance and degrees of freedom of the mean, floor and all."""
    n_attributes, n_frames = cells.shape
    a, b, e = (ms / cells.size for ms in mean_squares(cells))
    if a + b - e < max(a, b):
        return Spread(a, n_attributes - 1) if a >= b else Spread(b, n_frames - 1)
    below = (
        a**2 / (n_attributes - 1)
        + b**2 / (n_frames - 1)
        + e**2 / ((n_attributes - 1) * (n_frames - 1))
    )
    return Spread(a + b - e, (a + b - e) ** 2 / below)


def contrast_spread(first: Table, second: Table) -> Spread:
    """Variance and degrees of freedom of the difference of two classes' means."""
    n_frames = first.shape[1]
    classes = [(len(cells), mean_squares(cells)) for cells in (first, second)]
    differences = [_mean(first[:, j]) - _mean(second[:, j]) for j in range(n_frames)]
    whole = _mean(differences)
    own = [(ms[0] / (n * n_frames), n - 1) for n, ms in classes]
    attributes = math.fsum(part for part, _ in own)
    welch = math.fsum(part**2 / df for part, df in own)
    frames = math.fsum((d - whole) ** 2 for d in differences) / (n_frames - 1) / n_frames
    residuals = [(ms[2] / (n * n_frames), (n - 1) * (n_frames - 1)) for n, ms in classes]
    variance = attributes + frames - math.fsum(part for part, _ in residuals)
    if variance < max(attributes, frames):
        if attributes >= frames:
            return Spread(attributes, attributes**2 / welch)
        return Spread(frames, n_frames - 1)
    below = welch + frames**2 / (n_frames - 1) + math.fsum(part**2 / df for part, df in residuals)
    return Spread(variance, variance**2 / below)


def limits(
    estimate: float, spread: Spread, null_value: float, level: float = 0.95
) -> dict[str, float]:
    """What an interval with this estimate and variance has to say, by scipy's t distribution."""
    t = stats.t(spread.df)
    std_error = math.sqrt(spread.variance)
    reach = float(t.isf((1 - level) / 2))
    return {
        "estimate": estimate,
        "low": estimate - reach * std_error,
        "high": estimate + reach * std_error,
        "std_error": std_error,
        "df": spread.df,
        "p": 2 * float(t.sf(abs(estimate - null_value) / std_error)),
        "mde": (reach + float(t.ppf(0.8))) * std_error,
    }


def told(found: Any) -> dict[str, float]:
    """The same numbers of an interval under test."""
    names = ("estimate", "low", "high", "std_error", "df", "p", "mde")
    return {name: getattr(found, name) for name in names}


# Clusters


def cluster_error(
    y: Sequence[float], design: Table, groups: Sequence[Sequence[Any]], of: int, *, corrected: bool
) -> float:
    """Standard error of a coefficient in clusters of one or two factors, by statsmodels.

    statsmodels corrects each component by G/(G - 1) and by (n - 1)/(n - k); the second is a matter
    of the regression's own parameters and is taken off here.
    """
    codes = np.column_stack([np.unique(own, return_inverse=True)[1] for own in groups])
    fit = sm.OLS(np.asarray(y), design).fit(
        cov_type="cluster",
        cov_kwds={"groups": codes.squeeze(), "use_correction": corrected},
    )
    n, k = design.shape
    return float(fit.bse[of]) / (math.sqrt((n - 1) / (n - k)) if corrected else 1.0)


def multiway_variance(errors: Sequence[float], factors: Sequence[Sequence[Any]]) -> float:
    """Inclusion and exclusion over every set of factors, cluster by cluster; not below any one."""
    parts = {}
    for many in range(1, len(factors) + 1):
        for chosen in combinations(range(len(factors)), many):
            sums: dict[tuple[Any, ...], list[float]] = {}
            for row, error in enumerate(errors):
                sums.setdefault(tuple(factors[f][row] for f in chosen), []).append(error)
            clusters = len(sums)
            squares = math.fsum(math.fsum(own) ** 2 for own in sums.values())
            parts[chosen] = clusters / (clusters - 1) * squares
    whole = math.fsum((1 if len(key) % 2 else -1) * part for key, part in parts.items())
    return max(whole, *(part for key, part in parts.items() if len(key) == 1))


# U-statistics


def association(first: Table, second: Table) -> float:
    """Mean over pairs of different frames of numpy's covariance over attributes."""
    n_frames = first.shape[1]
    pairs = [
        np.cov(first[:, j], second[:, k])[0, 1]
        for j in range(n_frames)
        for k in range(n_frames)
        if j != k
    ]
    return _mean(pairs)


def association_influence(first: Table, second: Table) -> Table:
    """What cell i, j has to do with it: its products with the same attribute in other frames."""
    n_attributes, n_frames = first.shape
    a, b = (cells - [_mean(cells[:, j]) for j in range(n_frames)] for cells in (first, second))
    found = np.empty(first.shape)
    for i, j in product(range(n_attributes), range(n_frames)):
        others = [k for k in range(n_frames) if k != j]
        products = [(a[i, j] * b[i, k] + b[i, j] * a[i, k]) / 2 for k in others]
        found[i, j] = n_attributes / (n_attributes - 1) * _mean(products)
    return found


def magnitude_influence(cells: Table) -> Table:
    """Mean product of a cell with those of the same attribute in other frames."""
    found = np.empty(cells.shape)
    for (i, j), y in np.ndenumerate(cells):
        found[i, j] = _mean([y * cells[i, k] for k in range(cells.shape[1]) if k != j])
    return found


def magnitude(cells: Table) -> float:
    """Mean over attributes of the products over pairs of different frames."""
    n_attributes, n_frames = cells.shape
    return _mean(
        [
            cells[i, j] * cells[i, k]
            for i in range(n_attributes)
            for j in range(n_frames)
            for k in range(n_frames)
            if j != k
        ]
    )


def influence_spread(influence: Table) -> Spread:
    """Variance of a number with these influence values: a frame counts twice, so fourfold."""
    n_attributes, n_frames = influence.shape
    attribute, frame, residual = mean_squares(influence)
    a = attribute / influence.size
    b = 4 * max(0.0, frame - residual) / influence.size
    return Spread(a + b, (a + b) ** 2 / (a**2 / (n_attributes - 1) + b**2 / (n_frames - 1)))


def weighted_association(first: Table, second: Table, rows: Table, frames: Table) -> float:
    """Association with weights on attributes and on frames; a frame is never beside itself."""
    w = rows / rows.sum()
    a, b = first - w @ first, second - w @ second
    return _over_pairs((a * w[:, None]).T @ b, frames)


def weighted_magnitude(cells: Table, rows: Table, frames: Table) -> float:
    """Magnitude with such weights."""
    w = rows / rows.sum()
    return _over_pairs((cells * w[:, None]).T @ cells, frames)


def _over_pairs(products: Table, frames: Table) -> float:
    beside = np.outer(frames, frames)
    np.fill_diagonal(beside, 0.0)
    return float((beside * products).sum() / beside.sum())


def derivatives(
    of: Callable[[Table, Table], float], shape: tuple[int, int], step: float = 1e-5
) -> tuple[Table, Table]:
    """Derivatives towards each attribute, and towards each frame, of a function of weights.

    The infinitesimal jackknife: weights w + step (one attribute's point mass - w), both ways.
    """
    even = [np.full(n, 1 / n) for n in shape]

    def towards(axis: int, k: int) -> float:
        values = []
        for side in (step, -step):
            weights = [w.copy() for w in even]
            weights[axis] *= 1 - side
            weights[axis][k] += side
            values.append(of(*weights))
        return (values[0] - values[1]) / (2 * step)

    by_axis = [np.array([towards(axis, k) for k in range(shape[axis])]) for axis in (0, 1)]
    return by_axis[0], by_axis[1]


def _mean(values: Sequence[float] | Table) -> float:
    return math.fsum(values) / len(values)


def contrast_of_clusters(
    errors: Sequence[float],
    attributes: Sequence[str],
    frames: Sequence[str],
    is_first: Sequence[bool],
) -> tuple[float, float]:
    """Variance and df of a contrast with many cells missing: clusters of attributes by class.

    Sums of squares of the sums of errors, in dictionaries; the frames' part is of both classes.
    """
    parts = []
    for side in (1, 0):
        sums: dict[str, float] = collections.defaultdict(float)
        for error, attribute, mine in zip(errors, attributes, is_first, strict=True):
            if mine == side:
                sums[attribute] += error
        n = len(sums)
        parts.append((n / (n - 1) * math.fsum(s**2 for s in sums.values()), n - 1))
    own = math.fsum(value for value, _ in parts)
    sums = collections.defaultdict(float)
    for error, frame in zip(errors, frames, strict=True):
        sums[frame] += error
    n_frames = len(sums)
    by_frame = n_frames / (n_frames - 1) * math.fsum(s**2 for s in sums.values())
    left = []
    for side, (_, df) in zip((1, 0), parts, strict=True):
        of_class = [error for error, one in zip(errors, is_first, strict=True) if one == side]
        value = -math.fsum(error**2 for error in of_class)
        left.append((value, len(of_class) - (df + 1) - n_frames + 1))
    whole = [*parts, (by_frame, n_frames - 1), *left]
    if math.fsum(value for value, _ in whole) < max(own, by_frame):
        whole = parts if own >= by_frame else [(by_frame, n_frames - 1)]
    variance = math.fsum(value for value, _ in whole)
    return variance, variance**2 / math.fsum(value**2 / df for value, df in whole)
