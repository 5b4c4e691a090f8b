"""Repeated audits: limits that hold every week, evidence, and versions called worse."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import integrate, stats

from maskaudit.audit.history.sequential import (
    anytime_p,
    confidence_sequence,
    e_value,
    first_alarm,
    rho,
    worse_versions,
)

WEEKS = 52
series = st.lists(st.floats(-5, 5), min_size=1, max_size=30).map(np.array)


def half_width(t: int, sigma: float, alpha: float, horizon: float) -> float:
    """Return the half-width of one week by the published formula, in plain arithmetic."""
    square = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / horizon
    inside = (t * square + 1) / (t**2 * square) * math.log((t * square + 1) / alpha**2)
    return sigma * math.sqrt(inside)


def unchanged(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return `n` series of weekly estimates of 0, and each week's variance from 20 frames."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, WEEKS)), rng.chisquare(19, (n, WEEKS)) / 19


# --- The confidence sequence ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("week", "scale", "half"), [(100, 0.281712, 0.303521), (52, 0.390664, 0.420908)]
)
def test_the_sequence_has_the_published_width(week, scale, half):
    """At alpha .05 and unit variance, tightest at the week that is looked at."""
    assert rho(week, 0.05) == pytest.approx(scale, abs=5e-7)
    found = confidence_sequence(np.zeros(week), np.ones(week), horizon=week)
    assert found.high[-1] == pytest.approx(half, abs=5e-7)


def test_every_week_is_that_of_a_loop_over_the_weeks_so_far():
    """Running mean, running mean of the variances, and the formula of that week."""
    rng = np.random.default_rng(3)
    estimates, variances = rng.normal(1, 2, 30), rng.uniform(0.1, 3, 30)
    found = confidence_sequence(estimates, variances, alpha=0.1, horizon=7.0)
    for t in range(1, 31):
        mean = sum(estimates[:t]) / t
        half = half_width(t, math.sqrt(sum(variances[:t]) / t), 0.1, 7.0)
        assert_allclose(found.mean[t - 1], mean, rtol=1e-12)
        assert_allclose(found.low[t - 1], mean - half, rtol=1e-12)
        assert_allclose(found.high[t - 1], mean + half, rtol=1e-12)


def test_many_series_at_once_are_each_series_by_itself():
    """The last axis is time."""
    estimates, variances = unchanged(4)
    whole = confidence_sequence(estimates, variances)
    alone = confidence_sequence(estimates[2], variances[2])
    for name in ("mean", "low", "high"):
        assert_allclose(getattr(whole, name)[2], getattr(alone, name), rtol=1e-12)


def test_the_horizon_is_where_the_sequence_is_about_tightest():
    """No other horizon does better by more than a hundredth in the week it is made for."""
    for week in (5, 15, 60):
        own = half_width(week, 1.0, 0.05, week)
        best = min(half_width(week, 1.0, 0.05, other) for other in np.geomspace(1, 500, 400))
        assert own <= 1.01 * best


def test_the_sequence_is_wider_than_an_interval_that_is_looked_at_once():
    """Looking every week has its price, less than three times an interval's width by week 52."""
    found = confidence_sequence(np.zeros(WEEKS), np.ones(WEEKS))
    once = stats.norm.isf(0.025) / np.sqrt(np.arange(1, WEEKS + 1))
    assert (found.high > once).all()
    assert (found.high < 3 * once).all()


@given(estimates=series, factor=st.floats(0.01, 100))
def test_a_series_in_another_unit_has_limits_in_that_unit(estimates, factor):
    """Nats or bits, the alarm is in the same week."""
    one = confidence_sequence(estimates, np.ones(len(estimates)))
    other = confidence_sequence(factor * estimates, np.full(len(estimates), factor**2))
    assert_allclose(other.low, factor * one.low, rtol=1e-9, atol=1e-12 * factor)
    assert_allclose(other.high, factor * one.high, rtol=1e-9, atol=1e-12 * factor)


@given(estimates=series)
def test_swapping_the_groups_turns_the_sequence_round(estimates):
    """Low becomes minus high."""
    one = confidence_sequence(estimates, np.ones(len(estimates)))
    other = confidence_sequence(-estimates, np.ones(len(estimates)))
    assert_allclose(other.low, -one.high, rtol=0, atol=1e-12)


@given(estimates=series, extra=series)
def test_what_comes_later_changes_nothing_that_was_said(estimates, extra):
    """Week 3 reads the same in week 3 and in week 30."""
    longer = np.concatenate([estimates, extra])
    before = confidence_sequence(estimates, np.ones(len(estimates)))
    after = confidence_sequence(longer, np.ones(len(longer)))
    assert_allclose(after.low[: len(estimates)], before.low, rtol=0, atol=1e-12)


def test_a_constant_series_narrows_around_its_value():
    """Its mean never moves, and each week the limits are closer."""
    found = confidence_sequence(np.full(WEEKS, 0.4), np.ones(WEEKS))
    assert_allclose(found.mean, 0.4, rtol=1e-12)
    assert (np.diff(found.high) < 0).all()
    assert (np.diff(found.low) > 0).all()


def test_a_sequence_that_is_started_again_knows_nothing_of_what_was_before():
    """A change at week 27 is found sooner by a sequence that begins there."""
    estimates = np.concatenate([np.zeros(26), np.full(26, 1.5)])
    whole = confidence_sequence(estimates, np.ones(WEEKS))
    again = confidence_sequence(estimates[26:], np.ones(26))
    late, soon = first_alarm(whole, 0.0), first_alarm(again, 0.0)
    assert late is not None
    assert soon is not None
    assert soon < late - 26


def test_without_variance_the_limits_are_the_mean():
    """A model against itself: 0 and nothing else, and no alarm."""
    found = confidence_sequence(np.zeros(3), np.zeros(3))
    assert found.low.tolist() == found.high.tolist() == [0.0, 0.0, 0.0]
    assert first_alarm(found, 0.0) is None
    assert first_alarm(found, 0.1) == 0


def test_from_an_unknown_week_on_nothing_is_known():
    """Unknown in, unknown out; never 0, and no alarm."""
    for unknown in (
        confidence_sequence(np.array([0.0, np.nan, 0.0]), np.ones(3)),
        confidence_sequence(np.zeros(3), np.array([1.0, np.nan, 1.0])),
    ):
        assert np.isnan(unknown.low).tolist() == [False, True, True]
        assert first_alarm(unknown, 0.0) is None
    p = anytime_p(np.array([0.0, np.nan, 9.0]), np.ones(3), 0.0)
    assert np.isnan(p).tolist() == [False, True, True]


def test_a_series_without_its_variances_is_refused():
    """One variance a week, not one for all."""
    with pytest.raises(ValueError, match=r"\(3,\) estimates and \(1,\) variances"):
        confidence_sequence(np.zeros(3), np.ones(1))


def test_the_first_alarm_is_the_first_week_that_leaves_out_the_null_value():
    """On either side; later weeks do not matter."""
    estimates = np.concatenate([np.zeros(5), np.full(20, -9.0), np.full(20, 9.0)])
    found = confidence_sequence(estimates, np.ones(45))
    by_hand = next(t for t in range(45) if not found.low[t] <= 0 <= found.high[t])
    assert first_alarm(found, 0.0) == by_hand
    assert first_alarm(found, 100.0) == 0


def test_few_unchanged_series_ever_raise_an_alarm():
    """500 years of weeks with their own estimated variances: 5 % and the chance of 500 series."""
    estimates, variances = unchanged(500)
    found = confidence_sequence(estimates, variances)
    alarms = ((found.low > 0) | (found.high < 0)).any(-1).sum()
    assert alarms <= stats.binom.isf(0.001, 500, 0.05)
    # The same weeks, each tested by itself, and the cumulative mean tested every week.
    t = estimates / np.sqrt(variances)
    assert (np.abs(t) > stats.t.isf(0.025, 19)).any(-1).mean() > 0.85
    z = estimates.cumsum(-1) / np.sqrt(variances.cumsum(-1))
    assert (np.abs(z) > 1.96).any(-1).mean() > 0.25


def test_a_shift_of_a_standard_error_is_found_within_the_year():
    """Half of the series by week 10."""
    estimates, variances = unchanged(500, seed=2)
    found = confidence_sequence(estimates + 1, variances)
    outside = (found.low > 0) | (found.high < 0)
    week = np.where(outside.any(-1), outside.argmax(-1) + 1, WEEKS + 1)
    assert np.median(week) <= 10
    assert (week <= WEEKS).mean() >= 0.98


# --- Evidence -------------------------------------------------------------------------------------


def test_evidence_has_the_published_value():
    """At t = 10, S = 8, rho^2 = .25."""
    found = e_value(np.array(10.0), np.array(8.0), 0.25)
    assert found == pytest.approx(5.255803, abs=5e-7)
    assert 1 / found == pytest.approx(0.190266, abs=5e-7)


@pytest.mark.parametrize(("t", "total", "square"), [(10, 8, 0.25), (1, 2.5, 1.0), (40, -11, 0.1)])
def test_evidence_is_the_likelihood_ratio_averaged_over_a_normal(t, total, square):
    """Integrated numerically over the shift, N(0, rho^2)."""

    def at(shift: float) -> float:
        return math.exp(shift * total - t * shift**2 / 2) * stats.norm.pdf(shift, 0, square**0.5)

    expected, _ = integrate.quad(at, -20, 20, limit=500, points=[total / t])
    found = e_value(np.array(float(t)), np.array(float(total)), square)
    assert_allclose(found, expected, rtol=1e-7)


def test_evidence_averages_one_where_nothing_changed():
    """E over S ~ N(0, t), integrated numerically."""
    for t in (1, 9):

        def at(total: float, t: int = t) -> float:
            e = e_value(np.array(float(t)), np.array(total), 0.2)
            return float(e) * stats.norm.pdf(total, 0, t**0.5)

        assert integrate.quad(at, -60, 60, limit=500, points=[0])[0] == pytest.approx(1, abs=1e-6)


def test_evidence_beyond_the_largest_number_is_infinite():
    """And the p value is 0, without a warning."""
    assert np.isinf(e_value(np.array(1.0), np.array(1e3), 1.0))
    assert anytime_p(np.array([1e3]), np.ones(1), 0.0).tolist() == [0.0]


@given(estimates=series, null_value=st.floats(-1, 1))
def test_the_p_value_falls_to_alpha_when_the_sequence_first_leaves_out_the_null(
    estimates, null_value
):
    """The test and the sequence are one; p never rises."""
    variances = np.linspace(0.5, 1.5, len(estimates))
    p = anytime_p(estimates, variances, null_value, alpha=0.2, horizon=5.0)
    found = confidence_sequence(estimates, variances, alpha=0.2, horizon=5.0)
    assert (np.diff(p) <= 0).all()
    assert ((p >= 0) & (p <= 1)).all()
    margin = np.minimum(np.abs(found.low - null_value), np.abs(found.high - null_value))
    if margin.min() > 1e-9:  # on the limit itself rounding decides
        below = np.flatnonzero(p <= 0.2)
        assert first_alarm(found, null_value) == (below[0] if len(below) else None)


def test_without_variance_the_p_value_is_one_at_the_null_and_zero_elsewhere():
    """A model against itself has shown nothing; any difference of it is certain."""
    assert anytime_p(np.zeros(3), np.zeros(3), 0.0).tolist() == [1.0, 1.0, 1.0]
    assert anytime_p(np.ones(3), np.zeros(3), 0.0).tolist() == [0.0, 0.0, 0.0]


# --- Versions -------------------------------------------------------------------------------------


def slow_spending(p_values: list[float], alpha: float) -> list[bool]:
    """Version k is called worse at or below alpha 6/(pi^2 k^2), in plain arithmetic."""
    return [p <= alpha * 6 / (math.pi**2 * k**2) for k, p in enumerate(p_values, start=1)]


# Small ones too, so that some are called.
p_values = st.lists(st.floats(0, 9).map(lambda x: 10**-x) | st.just(0.0), max_size=40)


@given(p=p_values, alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_versions_are_called_as_by_a_slow_spending(p, alpha):
    """Decision for decision."""
    assert worse_versions(p, alpha=alpha).tolist() == slow_spending(p, alpha)


def test_the_levels_of_all_versions_add_up_to_alpha_and_no_more():
    """The level of version k, found by bisection; the rest of the series by its integral."""

    def level(k: int) -> float:
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            called = worse_versions([1.0] * (k - 1) + [middle])[-1]
            low, high = (middle, high) if called else (low, middle)
        return low

    spent = math.fsum(level(k) for k in range(1, 201))
    rest = 0.05 * 6 / math.pi**2 / 200.5  # of 1/k^2 beyond 200, to 1e-7
    assert spent + rest == pytest.approx(0.05, abs=1e-7)
    assert spent < 0.05


def test_a_version_that_was_not_judged_is_not_called_and_costs_nothing():
    """The others are called as if it had not been there."""
    p = [1e-7, 0.4, 1e-6, 1e-5]
    found = worse_versions([1e-7, np.nan, 0.4, np.nan, 1e-6, 1e-5])
    assert found.dtype == bool
    assert found[[0, 2, 4, 5]].tolist() == worse_versions(p).tolist()
    assert not found[[1, 3]].any()
    assert worse_versions([]).tolist() == []


def test_what_comes_later_does_not_change_a_call():
    """Each version is decided when it comes."""
    p = [1e-6, 0.3, 1e-9, 0.02, 1e-8]
    for n in range(len(p)):
        assert worse_versions(p[:n]).tolist() == worse_versions(p)[:n].tolist()


def test_few_good_versions_are_called_however_they_depend():
    """A year of versions that share all their noise, as answers to one probe set do."""
    rng = np.random.default_rng(4)
    shared = rng.normal(size=(500, 1))
    p = stats.norm.sf(0.7 * shared + np.sqrt(1 - 0.49) * rng.normal(size=(500, WEEKS)))
    assert sum(worse_versions(row).any() for row in p) <= stats.binom.isf(0.001, 500, 0.05)
