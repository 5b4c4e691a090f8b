"""The change point against every order of the values, and its error rates in simulated series."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from maskaudit.audit.history.changepoint import LEAST_VALUES, change_point

SERIES = 4000


def step_t(values):
    """Return the largest |t| of two means with one variance over the places, and its place."""
    sizes = {
        place: abs(stats.ttest_ind(values[:place], values[place:]).statistic)
        for place in range(2, len(values) - 1)
    }
    place = max(sizes, key=sizes.get)
    return sizes[place], place


def between(values):
    """Return the largest sum of squares between the two sides of a place, in plain loops."""
    mean = math.fsum(values) / len(values)
    found = []
    for place in range(2, len(values) - 1):
        sides = values[:place], values[place:]
        found.append(sum(len(s) * (math.fsum(s) / len(s) - mean) ** 2 for s in sides))
    return max(found)


def every_order(values):
    """Return the share of all orders whose step is as large."""
    observed = between(values)
    found = [between(order) for order in itertools.permutations(values)]
    return sum(value >= observed - 1e-9 for value in found) / len(found)


def rejected(series, resamples=199):
    """Return the share of series in which a change is shown, and the places that were found."""
    rng = np.random.default_rng(7)
    found = [change_point(one, rng, resamples=resamples) for one in series]
    return np.mean([one.p <= 0.05 for one in found]), np.array([one.place for one in found])


@pytest.mark.parametrize("seed", range(6))
def test_the_place_is_where_the_t_of_two_means_is_largest(seed):
    """Scipy's t test at every place, one after the other."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=8 + 3 * seed) + np.where(np.arange(8 + 3 * seed) > 4, 1.0, 0.0)
    found = change_point(values, rng)
    _, place = step_t(values)
    assert found.place == place
    assert found.before == pytest.approx(np.mean(values[:place]), rel=1e-12)
    assert found.after == pytest.approx(np.mean(values[place:]), rel=1e-12)
    assert found.step == pytest.approx(found.after - found.before, rel=1e-12)


@pytest.mark.parametrize(
    "values",
    [
        (0.3, -0.2, 0.1, 0.4, 1.6, 1.2, 1.9, 1.4),
        (0.3, 1.6, -0.2, 1.2, 0.1, 0.4, 1.9, 1.4),
        (0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0),
    ],
)
@pytest.mark.slow
def test_p_is_the_share_of_all_40320_orders_with_as_large_a_step(values):
    """Up to the error of drawing 20,000 of them; the last has ties."""
    exact = every_order(values)
    found = change_point(np.array(values), np.random.default_rng(1), resamples=20_000)
    assert found.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000) + 1e-4)


def test_seven_values_cannot_show_a_change_and_eight_can():
    """Two of 35 divisions into sides are as extreme as the clearest step; of eight, two of 70."""
    clear = (0.0, 0.1, 0.2, 10.0, 10.1, 10.2, 10.3, 10.4)
    assert every_order(clear[:7]) > 0.05
    assert every_order((-0.1, *clear[:7])) < 0.05
    assert LEAST_VALUES == 8
    assert change_point(np.array(clear[:7]), np.random.default_rng(0)) is None
    assert change_point(np.array(clear), np.random.default_rng(0)) is not None


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.normal(size=(SERIES, n)),
        lambda rng, n: rng.standard_t(3, size=(SERIES, n)),
        lambda rng, n: rng.exponential(size=(SERIES, n)),
    ],
    ids=["normal", "heavy tails", "skewed"],
)
@pytest.mark.parametrize("n", [8, 20])
@pytest.mark.slow
def test_an_unchanged_series_shows_a_change_in_at_most_one_of_twenty(draw, n):
    """Whatever the shape of the scatter: orders are counted, no distribution is assumed."""
    found, _ = rejected(draw(np.random.default_rng(n), n))
    assert found <= 0.05 + 3.3 * math.sqrt(0.05 * 0.95 / SERIES)


def test_what_all_versions_share_changes_nothing():
    """The same sentences push every version the same way: a constant, however large."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=20)
    alone = change_point(values, np.random.default_rng(0))
    pushed = change_point(values + 1000.0, np.random.default_rng(0))
    assert (pushed.place, pushed.p) == (alone.place, alone.p)


def test_a_step_of_two_standard_deviations_in_twenty_values_is_found():
    """In nine of ten series, and in eight of ten within one place of where it is."""
    series = np.random.default_rng(2).normal(size=(1000, 20))
    series[:, 10:] += 2.0
    found, places = rejected(series)
    assert found >= 0.9
    assert np.mean(np.abs(places - 10) <= 1) >= 0.8


def test_a_series_that_wanders_mostly_shows_a_change():
    """Each version trained on from the one before: the limit that the page tells of."""
    walks = np.random.default_rng(3).normal(size=(1000, 20)).cumsum(1)
    found, _ = rejected(walks)
    assert 0.75 <= found <= 0.87


@given(
    values=st.lists(st.integers(-50, 50), min_size=8, max_size=20).map(np.array),
    factor=st.sampled_from([-3.0, 0.01, 250.0]),
)
@example(values=np.array([0, -3, 0, 0, 0, 0, 1, 0, -3]), factor=-3.0)  # two equal steps
def test_another_unit_or_sign_changes_neither_place_nor_p(values, factor):
    """Nats or bits, women less men or men less women."""
    one = change_point(values.astype(float), np.random.default_rng(5), resamples=99)
    other = change_point(factor * values, np.random.default_rng(5), resamples=99)
    assert (other.place, other.p) == (one.place, one.p)
    assert other.before == pytest.approx(factor * one.before, abs=1e-9 * abs(factor))


def test_a_series_told_backwards_has_its_step_at_the_same_border():
    """The first after becomes the last before."""
    rng = np.random.default_rng(6)
    values = np.concatenate([rng.normal(size=9), rng.normal(size=6) + 3])
    one = change_point(values, np.random.default_rng(0))
    other = change_point(values[::-1], np.random.default_rng(0))
    assert one.place == 9
    assert other.place == len(values) - one.place
    assert (other.before, other.after) == pytest.approx((one.after, one.before), rel=1e-12)


@pytest.mark.parametrize("noise", [0.0, 1e-13])
def test_where_nothing_varies_nothing_changed(noise):
    """Rounding is no scatter."""
    values = 0.7 + noise * np.array([0, 1, 0, 1, 1, 1, 1, 1.0])
    assert change_point(values, np.random.default_rng(0)).p == 1.0
    assert change_point(np.zeros(9), np.random.default_rng(0)).p == 1.0


def test_unknown_values_are_our_mistake():
    """Who asks leaves them out."""
    with pytest.raises(ValueError, match="values that are not finite"):
        change_point(np.array([1.0] * 8 + [np.nan]), np.random.default_rng(0))
