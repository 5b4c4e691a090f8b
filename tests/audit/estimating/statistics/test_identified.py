"""The interval of a number that lies between two ends covers it, wherever it lies."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from maskaudit.audit.estimating.statistics.identified import between
from maskaudit.audit.estimating.statistics.interval import Interval, point, student


def ends(low: float, high: float, errors: tuple[float, float], df: float) -> tuple[float, float]:
    """Return the limits between two ends."""
    least, most = (student(e, s**2, df) for e, s in zip((low, high), errors, strict=True))
    first, second = between(least, most)
    assert (first.low, first.high) == (second.low, second.high)
    assert (first.estimate, second.estimate) == (low, high)
    assert math.isnan(first.p)
    assert math.isnan(second.mde)
    return first.low, first.high


@pytest.mark.parametrize("width", [0.0, 0.01, 0.1, 0.5, 3.0])
@pytest.mark.parametrize("df", [5.0, 30.0, 1e6])
def test_the_limits_solve_the_equation_of_imbens_and_manski(width: float, df: float) -> None:
    """By another solver, with the distribution of another module."""
    errors = (0.1, 0.2)
    low, high = ends(1.0, 1.0 + width, errors, df)
    c = optimize.root_scalar(
        lambda c: stats.t.cdf(c + width / 0.2, df) - stats.t.cdf(-c, df) - 0.95, x0=1.8, x1=1.9
    ).root
    assert low == pytest.approx(1.0 - c * 0.1, abs=1e-9)
    assert high == pytest.approx(1.0 + width + c * 0.2, abs=1e-9)


def test_without_width_it_is_the_plain_interval_and_with_much_each_end_has_its_own() -> None:
    """Their critical values for the normal, 1.96 and 1.645 (Imbens & Manski 2004)."""
    low, high = ends(0.3, 0.3, (0.1, 0.1), 1e9)
    assert (low, high) == (pytest.approx(0.3 - 0.195996, abs=1e-5), pytest.approx(0.495996))
    low, high = ends(0.0, 9.0, (0.1, 0.1), 1e9)
    assert (low, high) == (pytest.approx(-0.164485, abs=1e-5), pytest.approx(9.164485))


def test_an_open_side_has_an_infinite_limit_and_no_number() -> None:
    """The other one is one-sided; two open sides bound nothing; no error, no limits."""
    known = student(1.0, 0.01, 20.0)
    first, second = between(known, point(math.nan))
    assert first.low == pytest.approx(1.0 - 0.1 * stats.t.ppf(0.95, 20))
    assert second.high == first.high == math.inf
    assert math.isnan(second.estimate)
    nothing = between(point(math.nan), point(math.nan))
    assert all((one.low, one.high) == (-math.inf, math.inf) for one in nothing)
    refused = between(point(1.0), point(2.0))
    assert all(math.isnan(one.low) and math.isnan(one.high) for one in refused)
    exact = between(student(1.0, 0.0, math.nan), student(2.0, 0.0, math.nan))
    assert all((one.low, one.high) == (1.0, 2.0) for one in exact)


@pytest.mark.parametrize("width", [0.0, 0.5, 2.0])
def test_it_covers_a_number_at_either_end_and_between(width: float) -> None:
    """In 1,000 samples whose ends share most of their error, at each of five places."""
    rng = np.random.default_rng(5)
    n, repetitions = 20, 1_000
    shared = rng.standard_normal((repetitions, n))
    # What is absent varies, and never turns the ends round.
    gap = width * (1 + 0.2 * rng.uniform(-1, 1, (repetitions, n)))
    places = np.linspace(0, width, 5)
    covered = np.zeros(5)
    for low, more in zip(shared, gap, strict=True):
        least, most = (_mean(values) for values in (low, low + more))
        first, _ = between(least, most)
        covered += (first.low <= places) & (places <= first.high)
    shares = covered / repetitions
    assert shares.min() > 0.95 - 4 * 0.007
    if not width:
        assert shares.max() < 0.95 + 4 * 0.007


def _mean(values: np.ndarray) -> Interval:
    return student(float(values.mean()), float(values.var(ddof=1)) / len(values), len(values) - 1.0)
