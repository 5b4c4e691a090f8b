"""Change points that are looked at after every week of a year: false ones, and true ones found."""

from collections.abc import Mapping

import numpy as np

from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.history.changepoint import LEAST_SIDE, LEAST_VALUES, change_point
from maskaudit.audit.proving.validity.simulate import Draw, normal
from maskaudit.audit.proving.validity.table import Bar, Row, Table, generator, share
from maskaudit.audit.proving.validity.verdicts.weekly import WEEKS

ALPHA = 0.05
# The first week of the new level, counted from 0.
CHANGED = 26
# The correlation of neighbouring weeks.
CORRELATIONS = (0.2, 0.5)
SHIFTS = (1.0, 2.0, 3.0)


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    rows = []
    least = _one_look(repetitions, seed)
    for name, draw in _scatters().items():
        series = draw(generator(seed, f"change points, {name}"), (repetitions, WEEKS))
        bar = Bar(high=ALPHA) if name == "normal" else None
        beside = {"a test of one look, every week": share((_largest(series) > least).any(1))}
        rows.append(Row(f"steady, {name}: ever shown", share(_first(series) < WEEKS), bar, beside))
    for shift in SHIFTS:
        series = normal(generator(seed, f"change points, {shift:g}"), (repetitions, WEEKS))
        series[:, CHANGED:] += shift
        first = _first(series)
        # A change that is shown before there is one is false, even though one follows.
        for until in (CHANGED + 8, WEEKS):
            found = share((first >= CHANGED) & (first < until))
            weeks = f"within {until - CHANGED} weeks"
            rows.append(Row(f"a step of {shift:g} SD in week {CHANGED + 1}: shown {weeks}", found))
    return [
        Table(
            f"Change points in {WEEKS} weekly numbers",
            "How often `changepoint.change_point` has a p below .05 at some look, one after each "
            f"week from the {LEAST_VALUES}th on. Steady: independent normal weeks, Student's t "
            "with 3 degrees of freedom, exponential ones, and normal weeks that are correlated "
            "with the one before (AR). A step is one of the level, in standard deviations of the "
            "weeks. Beside: the largest step against what it is in 5 of 100 independent normal "
            "series of that length, which accounts for the search and for one look.",
            tuple(rows),
        )
    ]


def _scatters() -> Mapping[str, Draw]:
    """Return the scatters of steady series, by name."""
    scatters: dict[str, Draw] = {
        "normal": normal,
        "t of 3": lambda rng, shape: rng.standard_t(3, shape),
        "exponential": lambda rng, shape: rng.exponential(size=shape),
    }
    for correlation in CORRELATIONS:
        scatters[f"AR {correlation:g}"] = _correlated(correlation)
    return scatters


def _correlated(correlation: float) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Cells:
        series = rng.standard_normal(shape)
        for week in range(1, shape[-1]):
            # So that every week has the variance 1 of the first.
            series[..., week] *= np.sqrt(1 - correlation**2)
            series[..., week] += correlation * series[..., week - 1]
        return series

    return draw


def _first(series: Cells) -> Cells:
    """Return the index of the week in which a change is first shown, `WEEKS` where it never is."""
    return np.array([_week(values) for values in series], dtype=float)


def _week(values: Cells) -> int:
    for n in range(LEAST_VALUES, WEEKS + 1):
        change = change_point(values[:n])
        if change is not None and change.p < ALPHA:
            return n - 1
    return WEEKS


def _one_look(repetitions: int, seed: int) -> Cells:
    """Return what the largest step exceeds in .05 of steady series, for each number of weeks."""
    steady = normal(generator(seed, "change points, one look"), (repetitions, WEEKS))
    thresholds: Cells = np.quantile(_largest(steady), 1 - ALPHA, axis=0)
    return thresholds


def _largest(series: Cells) -> Cells:
    """Return the largest share of squares that a step explains, [series, looks]."""
    looks = []
    for n in range(LEAST_VALUES, WEEKS + 1):
        # Not by `change_point`, which takes one series: here they are thousands.
        centred = series[:, :n] - series[:, :n].mean(1, keepdims=True)
        place = np.arange(LEAST_SIDE, n - LEAST_SIDE + 1)
        sums = centred.cumsum(1)[:, place - 1]
        squares = (centred**2).sum(1, keepdims=True)
        looks.append((sums**2 * n / (place * (n - place)) / squares).max(1))
    return np.stack(looks, axis=1)
