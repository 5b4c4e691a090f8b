"""The change point against integrated Bayes factors, and its errors where one looks every week."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import integrate, stats

from maskaudit.audit.history.changepoint import LEAST_VALUES, change_point

SERIES = 1000


def step_t(values):
    """Return the largest |t| of two means with one variance over the places, and its place."""
    sizes = {
        place: abs(stats.ttest_ind(values[:place], values[place:]).statistic)
        for place in range(2, len(values) - 1)
    }
    place = max(sizes, key=sizes.get)
    return sizes[place], place


def evidence(values):
    """Return E: Bayes factors of t tests by numerical integration, weighted, in plain loops."""
    n = len(values)
    found, left = 0.0, 1.0
    for k, place in enumerate(range(2, n - 1), start=1):
        t = stats.ttest_ind(values[:place], values[place:]).statistic
        size = math.sqrt(place * (n - place) / n)

        def likelihood(step, t=t, size=size):
            """The density of t where the step is so many standard deviations, times its prior."""
            return stats.nct.pdf(t, n - 2, step * size) * stats.norm.pdf(step)

        marginal, _ = integrate.quad(likelihood, -8, 8, limit=200)
        # The weight left after k places is 20/(k + 20): half of it at k = 20.
        weight = 20 / (k + 19) - 20 / (k + 20)
        found += weight * marginal / stats.t.pdf(t, n - 2)
        left -= weight
    return found + left


def ever(series):
    """Return for each series whether a change is shown at some look, a look after each value."""
    return np.array(
        [any(shown(one[:n]) for n in range(LEAST_VALUES, len(one) + 1)) for one in series]
    )


def shown(values):
    """Return whether a change is shown."""
    return change_point(values).p < 0.05


@pytest.mark.parametrize("seed", range(6))
def test_the_place_is_where_the_t_of_two_means_is_largest(seed):
    """Scipy's t test at every place, one after the other."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=12 + 3 * seed) + np.where(np.arange(12 + 3 * seed) > 4, 1.0, 0.0)
    found = change_point(values)
    _, place = step_t(values)
    assert found.place == place
    assert found.before == pytest.approx(np.mean(values[:place]), rel=1e-12)
    assert found.after == pytest.approx(np.mean(values[place:]), rel=1e-12)
    assert found.step == pytest.approx(found.after - found.before, rel=1e-12)


@pytest.mark.parametrize("step", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("n", [12, 25])
def test_p_is_one_over_the_bayes_factors_of_t_tests(n, step):
    """By integrating scipy's noncentral t over the prior of the step, place by place."""
    values = np.random.default_rng(n).normal(size=n) + step * (np.arange(n) >= n // 2)
    assert change_point(values).p == pytest.approx(min(1, 1 / evidence(values)), rel=1e-6)


def test_eleven_values_cannot_show_a_change_and_twelve_can():
    """Even a step beside which the scatter is nothing."""
    clear = [0.0, 0.1, 0.2, 0.3, 0.15, 0.25, *(1e6 + np.arange(6) / 10)]
    assert 1 / evidence(np.array(clear[1:])) > 0.05
    assert 1 / evidence(np.array(clear)) < 0.05
    assert LEAST_VALUES == 12
    assert change_point(np.array(clear[1:])) is None
    assert shown(np.array(clear))


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.normal(size=(SERIES, 52)),
        lambda rng: rng.standard_t(3, size=(SERIES, 52)),
        lambda rng: rng.exponential(size=(SERIES, 52)),
    ],
    ids=["normal", "heavy tails", "skewed"],
)
@pytest.mark.slow
def test_at_most_one_steady_year_in_twenty_ever_shows_a_change(draw):
    """A look after each of 52 values, whatever the shape of the scatter."""
    found = ever(draw(np.random.default_rng(8)))
    assert found.mean() <= 0.05 + 3.3 * math.sqrt(0.05 * 0.95 / SERIES)


def test_what_all_versions_share_changes_nothing():
    """The same sentences push every version the same way: a constant, however large."""
    values = np.random.default_rng(4).normal(size=20)
    alone, pushed = change_point(values), change_point(values + 1000.0)
    assert pushed.place == alone.place
    assert pushed.p == pytest.approx(alone.p, rel=1e-9)


def test_a_step_of_two_standard_deviations_after_half_a_year_is_found():
    """In nine of ten years by the end of the year, within one place of where it is in most."""
    series = np.random.default_rng(2).normal(size=(500, 52))
    series[:, 26:] += 2.0
    found = [change_point(one) for one in series]
    assert np.mean([one.p < 0.05 for one in found]) >= 0.9
    assert np.mean([abs(one.place - 26) <= 1 for one in found]) >= 0.8


def test_a_series_that_wanders_mostly_shows_a_change():
    """Each version trained on from the one before: the limit that the page tells of."""
    walks = np.random.default_rng(3).normal(size=(500, 52)).cumsum(1)
    assert np.mean([shown(one) for one in walks]) >= 0.75


@given(
    values=st.lists(st.integers(-50, 50), min_size=12, max_size=24).map(np.array),
    factor=st.sampled_from([-3.0, 0.01, 250.0]),
)
@example(values=np.array([0, -3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, -3]), factor=-3.0)  # two equal steps
def test_another_unit_or_sign_changes_neither_place_nor_p(values, factor):
    """Nats or bits, women less men or men less women."""
    one, other = change_point(values.astype(float)), change_point(factor * values)
    assert other.place == one.place
    assert other.p == pytest.approx(one.p, rel=1e-9)
    assert other.before == pytest.approx(factor * one.before, abs=1e-9 * abs(factor))


def test_a_series_told_backwards_has_its_step_at_the_same_border():
    """The first after becomes the last before."""
    rng = np.random.default_rng(6)
    values = np.concatenate([rng.normal(size=9), rng.normal(size=6) + 3])
    one, other = change_point(values), change_point(values[::-1])
    assert one.place == 9
    assert other.place == len(values) - one.place
    assert (other.before, other.after) == pytest.approx((one.after, one.before), rel=1e-12)


@pytest.mark.parametrize("noise", [0.0, 1e-13])
def test_where_nothing_varies_nothing_changed(noise):
    """Rounding is no scatter."""
    values = 0.7 + noise * np.array([0, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1.0])
    assert change_point(values).p == 1.0
    assert change_point(np.zeros(12)).p == 1.0


def test_unknown_values_are_our_mistake():
    """Who asks leaves them out."""
    with pytest.raises(ValueError, match="values that are not finite"):
        change_point(np.array([1.0] * 12 + [np.nan]))
