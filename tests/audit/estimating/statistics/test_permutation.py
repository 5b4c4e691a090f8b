"""Swaps of the groups' labels against full enumeration and a published exact test."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from maskaudit.audit.estimating.statistics.permutation import kendall, label_swap
from tests import statistics_oracles as oracles
from tests.statistics_oracles import SEEDS

# The published differences of twelve frames.
TWELVE = np.array([0.12, -0.05, 0.08, 0.20, -0.11, 0.03, 0.07, -0.02, 0.15, 0.01, -0.04, 0.09])


def _enumerated(cells):
    """The share of all sign patterns of frames whose association is no smaller, by loops."""
    frames = range(cells.shape[1])
    covariance = [[np.cov(cells[:, j], cells[:, k])[0, 1] for k in frames] for j in frames]
    pairs = [(j, k) for j in frames for k in frames if j != k]
    each = [
        sum(signs[j] * signs[k] * covariance[j][k] for j, k in pairs)
        for signs in itertools.product((1, -1), repeat=len(frames))
    ]
    observed = each[0]  # no frame is swapped
    return np.mean([value >= observed - 1e-9 * abs(observed) for value in each])


@pytest.mark.parametrize("n_frames", range(2, 8))
@pytest.mark.parametrize("attributes", [0.0, 0.3, 1.0])
def test_the_p_is_that_of_every_pattern_of_swaps(n_frames, attributes):
    """A swap turns the sign of all of a frame's cells; 2^J patterns, the observed among them."""
    cells = oracles.crossed(5, n_frames, n_frames, attributes=attributes)

    found = label_swap(cells, np.random.default_rng(0))

    assert found == pytest.approx(_enumerated(cells), rel=1e-12)


def test_eight_frames_have_256_patterns():
    """The largest table that is enumerated here."""
    cells = oracles.crossed(4, 8, 5, attributes=0.3)

    found = label_swap(cells, np.random.default_rng(0))

    assert found == pytest.approx(_enumerated(cells), rel=1e-12)
    assert (found * 256) % 2 == pytest.approx(0.0, abs=1e-9)  # a pattern and its mirror are one


def test_two_opposite_attributes_are_the_published_sign_flip_test():
    """For cells d and -d the association grows with the sum of d, whichever way it points.

    So its test is the exact two-sided one of a mean: .127441 for the published differences, as
    scipy says too.
    """
    expected = stats.permutation_test(
        (TWELVE,), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue

    found = label_swap(np.stack([TWELVE, -TWELVE]), np.random.default_rng(0))

    assert expected == pytest.approx(0.127441, abs=6e-7)
    assert found == pytest.approx(expected, rel=1e-9)


def test_more_frames_than_can_be_enumerated_are_sampled():
    """(1 + b)/(1 + B), near the exact p, and the same for the same generator."""
    cells = oracles.crossed(4, 11, 5, attributes=0.3)
    exact = _enumerated(cells)

    found = label_swap(cells, np.random.default_rng(1), resamples=199)

    assert found * 200 == pytest.approx(round(found * 200), abs=1e-9)
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 199) + 0.005)
    assert found == label_swap(cells, np.random.default_rng(1), resamples=199)


def test_the_p_of_sampled_swaps_is_never_none():
    """However large the association, the observed pattern counts."""
    cells = oracles.crossed(20, 20, 0, attributes=3.0)

    assert label_swap(cells, np.random.default_rng(0), resamples=99) == pytest.approx(0.01)


@given(st.builds(oracles.crossed, st.integers(2, 6), st.integers(2, 7), SEEDS), SEEDS)
def test_swaps_units_order_and_constants_are_nothing(cells, seed):
    """Signs, y -> cy, attributes and frames in any order, a constant in a frame."""
    rng = np.random.default_rng(seed)
    rows, columns = (rng.permutation(n) for n in cells.shape)
    signs = rng.choice([-1.0, 1.0], cells.shape[1])
    moved = 3.7 * cells[rows][:, columns] + rng.normal(size=(1, cells.shape[1]))

    ours = label_swap(cells, rng)

    assert label_swap(moved, rng) == pytest.approx(ours, rel=1e-12)
    assert label_swap(-cells, rng) == pytest.approx(ours, rel=1e-12)
    assert 2 / 2 ** cells.shape[1] - 1e-12 <= label_swap(cells * signs, rng) <= 1


@given(st.sampled_from([0.0, 0.1, 0.3, 0.7, -1.1]), st.integers(2, 12), st.integers(2, 12), SEEDS)
def test_attributes_that_do_not_differ_are_no_association(value, n, n_frames, seed):
    """Every attribute has its frame's value: p is 1, whatever the last digit of a mean is."""
    rng = np.random.default_rng(seed)
    by_frame = np.repeat(rng.normal(size=(1, n_frames)), n, axis=0)

    assert label_swap(np.full((n, n_frames), value), rng) == 1.0
    assert label_swap(by_frame, rng) == 1.0


@pytest.mark.parametrize(
    "cells", [np.ones((1, 5)), np.ones((5, 1)), np.where(np.eye(5) > 0, np.nan, 1.0)]
)
def test_missing_cells_and_too_few_of_a_factor_are_refused(cells):
    """An error, and never a p of 1."""
    with pytest.raises(ValueError, match="expected"):
        label_swap(cells, np.random.default_rng(0))


# --- Two orders of units --------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 5, 7])
@pytest.mark.parametrize("tied", [False, True])
def test_kendalls_tau_is_scipys_and_its_p_that_of_all_orders(n, tied):
    """Without ties scipy has the exact p too; with them scipy's tau of each order is counted."""
    rng = np.random.default_rng(n)
    first, second = rng.standard_normal((2, n))
    if tied:
        first, second = np.round(first), np.round(second / 2)
    tau, p = kendall(first, second, rng)
    expected = stats.kendalltau(first, second, method="auto" if tied else "exact")
    assert tau == pytest.approx(expected.statistic, nan_ok=True)
    if not tied:
        assert p == pytest.approx(expected.pvalue)
    elif not np.isnan(tau):
        # scipy's tau is worse by rounding; what is as far is so up to that.
        far = [
            abs(stats.kendalltau(first, list(order)).statistic) >= abs(tau) - 1e-9
            for order in itertools.permutations(second)
        ]
        assert p == pytest.approx(np.mean(far))


def test_more_units_than_can_be_enumerated_are_drawn():
    """Nine have 362,880 orders; p is that of scipy's exact distribution, but for the draws."""
    rng = np.random.default_rng(3)
    first = rng.standard_normal(9)
    second = first + rng.standard_normal(9)
    tau, p = kendall(first, second, rng)
    expected = stats.kendalltau(first, second, method="exact")
    assert tau == pytest.approx(expected.statistic)
    assert p == pytest.approx(expected.pvalue, abs=4 * np.sqrt(expected.pvalue / 9999) + 1e-3)
    assert kendall(first, first, rng, resamples=99)[1] >= 1 / 100


def test_units_that_are_all_alike_have_no_order():
    """And so none that another could agree with; nor has a single unit."""
    for first in (np.ones(4), np.arange(4.0)[:1]):
        assert np.isnan(kendall(first, np.ones(len(first)), np.random.default_rng(0))).all()
