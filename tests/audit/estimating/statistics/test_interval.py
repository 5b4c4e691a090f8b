"""An interval is Student's: scipy's distribution, published multipliers, and what is unknown."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from maskaudit.audit.estimating.statistics.interval import floored, point, satterthwaite, student
from tests import statistics_oracles as oracles

FINITE = st.floats(-50, 50)
POSITIVE = st.floats(1e-3, 50)


@given(FINITE, POSITIVE, st.floats(1, 200), FINITE, st.floats(0.5, 0.999))
def test_limits_and_p_are_those_of_scipy_s_t_distribution(estimate, variance, df, null, level):
    """Degrees of freedom need not be whole."""
    expected = oracles.limits(estimate, oracles.Spread(variance, df), null, level)

    found = student(estimate, variance, df, level=level, null_value=null)

    assert oracles.told(found) == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert found.null_value == null


@pytest.mark.parametrize(
    ("df", "two_sided", "one_sided"),
    [(9, 3.146, 2.717), (19, 2.954, 2.590), (39, 2.874, 2.536), (math.inf, 2.802, 2.486)],
)
def test_the_smallest_detectable_effect_has_the_published_multipliers(df, two_sided, one_sided):
    """Of the standard error, for power .8: tests at .05 to both sides, and to one (level .90)."""
    t = stats.t(df) if df < math.inf else stats.norm()

    both, one = (student(0.0, 1.0, df, level=level).mde for level in (0.95, 0.90))

    assert both == pytest.approx(two_sided, abs=6e-4)
    assert one == pytest.approx(one_sided, abs=6e-4)
    assert both == pytest.approx(t.ppf(0.975) + t.ppf(0.8), rel=1e-9)
    assert one == pytest.approx(t.ppf(0.95) + t.ppf(0.8), rel=1e-9)


@pytest.mark.parametrize(
    ("n_attributes", "n_frames", "std_error", "mde"),
    [(20, 5, 0.1308, 0.486), (60, 10, 0.0841, 0.264), (60, 20, 0.0707, 0.209),
     (100, 40, 0.0528, 0.152)],
)  # fmt: skip
def test_other_designs_would_find_the_published_effects(n_attributes, n_frames, std_error, mde):
    """From the variance components of the golden table; the frames' degrees of freedom."""
    a, b, e = oracles.mean_squares(oracles.G1)
    variance = (a - e) / 4 / n_attributes + (b - e) / 6 / n_frames + e / (n_attributes * n_frames)

    found = student(0.0, variance, n_frames - 1)

    assert found.std_error == pytest.approx(std_error, abs=5e-5)
    assert found.mde == pytest.approx(mde, abs=5e-4)


@pytest.mark.parametrize(("null", "p"), [(0.4, 1.0), (0.0, 0.0), (math.nan, math.nan)])
def test_without_variance_the_point_is_all_there_is(null, p):
    """A model against itself: no doubt, p 1 at the null value, and no degrees of freedom."""
    found = student(0.4, 0.0, 9, null_value=null)

    assert (found.estimate, found.low, found.high, found.std_error) == (0.4, 0.4, 0.4, 0.0)
    assert math.isnan(found.df)
    assert found.p == pytest.approx(p, nan_ok=True)
    assert found.mde == 0.0


@pytest.mark.parametrize("estimate", [0.4, math.nan])
def test_an_unknown_variance_is_an_unknown_interval(estimate):
    """NaN in, NaN out: neither limits nor a p value are made up."""
    for found in (student(estimate, math.nan, 9, null_value=0.0), point(estimate)):
        assert found.estimate == pytest.approx(estimate, nan_ok=True)
        unknown = (found.low, found.high, found.std_error, found.df, found.p, found.mde)
        assert all(math.isnan(value) for value in unknown)


def test_an_unknown_estimate_has_no_p_value():
    """A known variance does not make an unknown estimate known."""
    found = student(math.nan, 1.0, 9, null_value=0.0)

    assert all(math.isnan(value) for value in (found.estimate, found.low, found.high, found.p))


@given(FINITE, POSITIVE, st.floats(2, 100), st.floats(0.01, 100))
def test_another_unit_scales_the_interval_and_leaves_its_test(estimate, variance, df, scale):
    """Nats or bits: estimate, limits and detectable effect alike; p and df not at all."""
    ours = student(estimate, variance, df, null_value=0.0)
    scaled = student(scale * estimate, scale**2 * variance, df, null_value=0.0)

    for name in ("estimate", "low", "high", "std_error", "mde"):
        assert getattr(scaled, name) == pytest.approx(scale * getattr(ours, name), rel=1e-9)
    assert (scaled.p, scaled.df) == pytest.approx((ours.p, ours.df), rel=1e-9)


@given(oracles.SEEDS, st.integers(2, 30), st.integers(2, 30))
def test_satterthwaite_s_degrees_of_freedom_are_welch_s(seed, n_first, n_second):
    """For two parts, the variances of two means, they are scipy's for unequal variances."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, 1, n_first), rng.normal(0, 3, n_second)
    expected = stats.ttest_ind(*samples, equal_var=False)

    variance, df = satterthwaite([(own.var(ddof=1) / len(own), len(own) - 1) for own in samples])

    assert variance == pytest.approx(sum(own.var(ddof=1) / len(own) for own in samples), rel=1e-12)
    assert df == pytest.approx(expected.df, rel=1e-9)


@pytest.mark.parametrize(
    ("attributes", "frames", "residuals", "kept"),
    [
        ([3.0], 2.0, [-1.0], [3.0, 2.0, -1.0]),
        ([3.0], 2.0, [-2.0], [3.0, 2.0, -2.0]),  # no less than the larger one
        ([3.0], 2.0, [-2.5], [3.0]),
        ([1.0], 2.0, [-1.5], [2.0]),
        ([1.5, 1.0], 2.0, [-1.0, -1.5], [1.5, 1.0]),  # two classes, together above the frames
        ([0.5, 1.0], 2.0, [-0.5, -0.5], [0.5, 1.0, 2.0, -0.5, -0.5]),
        ([0.0], 0.0, [0.0], [0.0, 0.0, 0.0]),
    ],
)
def test_a_variance_never_falls_below_its_larger_part(attributes, frames, residuals, kept):
    """Then that part is all there is, with its own degrees of freedom."""
    df = {"attributes": 5.0, "frames": 7.0, "residuals": 35.0}

    found = floored(
        [(value, df["attributes"]) for value in attributes],
        [(frames, df["frames"])],
        [(value, df["residuals"]) for value in residuals],
    )

    assert [value for value, _ in found] == kept
    if len(kept) == len(attributes):
        assert {own for _, own in found} == {df["frames"] if kept == [frames] else df["attributes"]}


@given(st.lists(POSITIVE, min_size=1, max_size=2), POSITIVE, st.lists(POSITIVE, max_size=2))
def test_the_floor_is_the_larger_of_the_attributes_and_the_frames(attributes, frames, residuals):
    """Whatever is taken off."""
    parts = floored(
        [(value, 5.0) for value in attributes],
        [(frames, 7.0)],
        [(-value, 35.0) for value in residuals],
    )

    expected = max(sum(attributes), frames, sum(attributes) + frames - sum(residuals))
    assert satterthwaite(parts)[0] == pytest.approx(expected, rel=1e-12)


def test_a_part_of_nothing_changes_nothing_and_nothing_has_no_degrees_of_freedom():
    """A part of 0 is as if it were not there, whatever its degrees of freedom."""
    assert satterthwaite([(2.0, 5.0), (0.0, 0.0)]) == pytest.approx((2.0, 5.0))

    variance, df = satterthwaite([(0.0, 5.0)])
    assert variance == 0.0
    assert math.isnan(df)
