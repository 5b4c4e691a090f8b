"""Shares of independent trials against statsmodels, scipy and published values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import proportion_confint

from maskaudit.audit.estimating.statistics import proportions

PUBLISHED = [
    # successes, trials, Wilson's limits, Clopper and Pearson's, exact p against a half
    (58, 100, (0.482065, 0.672016), (0.477119, 0.678014), 0.133211),
    (872, 1508, (0.553157, 0.602945), (0.552861, 0.603333), 1.331e-9),
    # 58 for, 36 against, 6 ties: the ties are no trials
    (58, 94, (0.515996, 0.708858), None, 0.029766),
]
COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(("k", "n", "wilson", "exact", "p"), PUBLISHED)
def test_shares_have_the_published_limits_and_p(k, n, wilson, exact, p):
    """Values computed with other tools for the same counts."""
    score, clopper = proportions.wilson(k, n), proportions.exact(k, n)

    assert (score.low, score.high) == pytest.approx(wilson, abs=6e-7)
    assert clopper.p == pytest.approx(p, rel=1e-3 if p < 1e-6 else 1e-4, abs=6e-7 * (p > 1e-6))
    if exact:
        assert (clopper.low, clopper.high) == pytest.approx(exact, abs=6e-7)


@given(COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_limits_are_those_of_statsmodels(counts, level):
    """Wilson's score interval, and Clopper and Pearson's from the beta distribution."""
    k, n = counts
    for found, method in (
        (proportions.wilson(k, n, level=level), "wilson"),
        (proportions.exact(k, n, level=level), "beta"),
    ):
        expected = proportion_confint(k, n, alpha=1 - level, method=method)
        assert (found.low, found.high) == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert found.estimate == k / n
        assert found.low - 1e-12 <= found.estimate <= found.high + 1e-12


@given(COUNTS, st.sampled_from([0.5, 0.1]))
def test_the_exact_p_adds_up_what_is_no_likelier(counts, null):
    """Every count with a probability not above the observed one's, by scipy's binomial."""
    k, n = counts
    each = stats.binom.pmf(np.arange(n + 1), n, null)
    expected = each[each <= each[k] * (1 + 1e-7)].sum()

    found = proportions.exact(k, n, null_value=null)

    assert found.p == pytest.approx(min(1.0, expected), rel=1e-6, abs=1e-12)
    assert found.null_value == null


@given(COUNTS)
@pytest.mark.slow
def test_failures_are_the_mirror_of_successes(counts):
    """Counting the other outcome mirrors the share at a half."""
    k, n = counts
    for function in (proportions.wilson, proportions.exact):
        ours, theirs = function(k, n), function(n - k, n)
        assert (theirs.low, theirs.high) == pytest.approx((1 - ours.high, 1 - ours.low), abs=1e-9)
    assert proportions.exact(n - k, n).p == pytest.approx(proportions.exact(k, n).p, rel=1e-9)


def test_the_share_of_nothing_is_unknown():
    """No trials: NaN, never 0."""
    for found in (proportions.wilson(0, 0), proportions.exact(0, 0)):
        assert all(math.isnan(value) for value in (found.estimate, found.low, found.high, found.p))


def test_mcnemar_s_exact_test_has_the_published_p():
    """34 and 20 discordant pairs."""
    first = np.array([True] * 34 + [False] * 20 + [True] * 40)
    second = np.array([False] * 34 + [True] * 20 + [True] * 40)

    assert proportions.mcnemar(first, second) == pytest.approx(0.075905, abs=6e-7)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_s_exact_test_is_that_of_statsmodels(pairs):
    """Only pairs on which the two differ count; with none of them, p is 1 and nothing divides."""
    first, second = np.array(pairs).T
    table = [[(first & second).sum(), (first & ~second).sum()],
             [(~first & second).sum(), (~first & ~second).sum()]]  # fmt: skip
    differ = (first != second).any()

    found = proportions.mcnemar(first, second)

    expected = statsmodels_mcnemar(table, exact=True).pvalue if differ else 1.0
    assert found == pytest.approx(min(1.0, expected), rel=1e-9)
    assert found == proportions.mcnemar(second, first)
    assert proportions.mcnemar(first, first) == 1.0
