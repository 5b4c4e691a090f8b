"""0 within a margin: by statsmodels' two one-sided tests, by bisection, and by loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from maskaudit.audit.estimating.statistics import equivalence
from maskaudit.audit.estimating.statistics.crossed.anova import frame_interval

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed, n=12, mean=0.1):
    """Return values of frames, and the estimate, its error and its degrees of freedom."""
    values = np.random.default_rng(seed).normal(mean, 0.4, n)
    own = frame_interval(values)
    return values, own.estimate, own.std_error, own.df


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("margin", [0.05, 0.2, 0.5])
def test_the_p_is_that_of_two_one_sided_tests(seed, margin):
    """The larger of both, as statsmodels has it."""
    values, *numbers = drawn(seed)
    known = DescrStatsW(values).ttost_mean(-margin, margin)[0]
    [found] = equivalence.p_beyond(*(np.array([number]) for number in numbers), margin)
    assert found == pytest.approx(known)


@pytest.mark.parametrize("seed", range(5))
def test_the_smallest_margin_is_the_one_at_which_these_tests_begin_to_reject(seed):
    """Found by trying margins, on either side of 0."""
    values, *numbers = drawn(seed, mean=0.1 if seed % 2 else -0.3)

    def beyond(margin):
        return DescrStatsW(values).ttost_mean(-margin, margin)[0] - 0.05

    known = optimize.brentq(beyond, 1e-3, 10)
    assert equivalence.same_within(*numbers) == pytest.approx(known)
    low, high = DescrStatsW(values).tconfint_mean(alpha=0.1)
    assert equivalence.limits(*numbers) == pytest.approx((low, high))


@given(st.floats(-2, 2), st.floats(0.01, 1), st.integers(2, 60))
def test_a_number_is_the_same_within_its_margin_and_any_larger_one(estimate, error, df):
    """And within no smaller one; swapped groups change nothing."""
    least = equivalence.same_within(estimate, error, df)
    own = tuple(np.array([number], dtype=float) for number in (estimate, error, df))
    for factor, is_inside in ((0.99, False), (1.01, True)):
        assert (equivalence.p_beyond(*own, factor * least)[0] <= 0.05) == is_inside
    assert least >= abs(estimate)
    assert equivalence.same_within(-estimate, error, df) == least


def test_a_model_against_its_copy_is_the_same_within_nothing():
    """No error and no difference; a difference without an error is as large as it is."""
    assert equivalence.same_within(0.0, 0.0, np.nan) == 0
    assert equivalence.same_within(-0.3, 0.0, np.nan) == pytest.approx(0.3)
    values = np.array([0.0, 0.3, 0.3]), np.zeros(3), np.full(3, np.nan)
    assert equivalence.p_beyond(*values, 0.0).tolist() == [0, 1, 1]
    assert equivalence.p_beyond(*values, 0.3).tolist() == [0, 0, 0]


def test_what_is_not_known_is_not_the_same():
    """An estimate without an error is within no margin, and does not count among the others."""
    assert np.isnan(equivalence.same_within(0.0, np.nan, np.nan))
    p = np.array([0.01, np.nan, 0.03, np.nan])
    found = equivalence.adjusted(p)
    assert np.isnan(found[[1, 3]]).all()
    assert found[[0, 2]].tolist() == equivalence.adjusted(p[[0, 2]]).tolist()
    assert np.isnan(equivalence.adjusted(np.full(2, np.nan))).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_the_adjusted_p_is_benjamini_hochberg_s_times_the_share_beyond(p):
    """The share by counting; where half are beyond the margin it is the plain procedure."""
    values = np.array(p)
    beyond = 1
    for one in p:
        beyond += one > 0.5
    share = min(1.0, 2 * beyond / len(p))
    known = share * multipletests(values, method="fdr_bh")[1]
    assert equivalence.adjusted(values) == pytest.approx(known)
