"""Bounds on shares and squared leans against scipy, statsmodels and arithmetic by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from maskaudit.audit.judging.deciding import levels
from maskaudit.audit.judging.deciding.effective import effective_clusters

# --- Shares ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (1, 20), (13, 20), (20, 20), (900, 1508)])
@pytest.mark.parametrize("whole", [1.0, 100.0])
def test_a_share_of_whole_trials_is_clopper_and_pearsons(hits, n, whole):
    """Scipy's limits at level .9, of which each end is a bound of .95, and its one-sided tests."""
    limits = stats.binomtest(hits, n).proportion_ci(0.9, method="exact")
    for harm, alternative in (("up", "greater"), ("down", "less")):
        found = levels.share(whole * hits / n, n, whole * 0.6, harm, whole)
        assert (found.low, found.high) == pytest.approx((whole * limits.low, whole * limits.high))
        expected = stats.binomtest(hits, n, 0.6, alternative=alternative).pvalue
        assert found.p == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [20, 60, 262])
@pytest.mark.parametrize("bound", [0.5, 0.9, 0.97])
def test_a_share_at_its_bound_gives_a_wrong_verdict_in_one_of_twenty_at_most(n, bound):
    """Summed over all that can be observed."""
    chances = stats.binom.pmf(np.arange(n + 1), n, bound)
    for harm in ("up", "down"):
        words = [levels.share(k / n, n, bound, harm).word for k in range(n + 1)]
        for word in ("pass", "fail"):
            assert chances[np.array(words) == word].sum() <= 0.05 + 1e-12


@pytest.mark.parametrize(("bound", "up", "down"), [(1.0, "pass", "fail"), (0.0, "fail", "pass")])
def test_a_bound_at_the_end_of_what_a_share_can_be_is_decided(bound, up, down):
    """Half of a hundred is less than all and more than none."""
    assert levels.share(0.5, 100, bound, "up").word == up
    assert levels.share(0.5, 100, bound, "down").word == down


@pytest.mark.parametrize(("hits", "n"), [(0, 40), (3, 100), (20, 40), (40, 40), (59, 60)])
@pytest.mark.parametrize("whole", [1.0, 100.0])
def test_the_trials_behind_wilsons_limits_are_found_again(hits, n, whole):
    """The limits by statsmodels."""
    low, high = (whole * limit for limit in proportion_confint(hits, n, method="wilson"))
    assert levels.trials_of_limits(whole * hits / n, low, high, whole) == pytest.approx(n)


def test_without_limits_no_trials_are_known():
    """A share that is shown without an interval is not judged."""
    assert math.isnan(levels.trials_of_limits(0.5, math.nan, math.nan))


def test_many_units_of_their_own_are_worth_themselves():
    """Every pair a cluster: the standard error is that of a binomial share."""
    n, part = 1508, 0.6
    error = math.sqrt(part * (1 - part) / n)
    assert levels.trials_of_clusters(part, error, n, n) == pytest.approx(n, rel=0.002)
    assert levels.trials_of_clusters(100 * part, 100 * error, n, n, 100) == pytest.approx(n, 0.002)


def test_the_trials_of_clusters_by_hand():
    """Ten clusters' worth, half right, standard error .1: 25 trials shown, 10 at the least.

    Nine degrees of freedom at 1/25 and four at 1/10 are 1/17.105; t of 13 is 1.770933, z 1.644854.
    """
    found = levels.trials_of_clusters(0.5, 0.1, 200, 10)
    assert found == pytest.approx((13 / (9 / 25 + 4 / 10)) * (1.644854 / 1.770933) ** 2, rel=1e-5)


@given(
    part=st.floats(0.01, 0.99),
    error=st.floats(1e-6, 0.4),
    units=st.integers(10, 5000),
    fraction=st.floats(0.01, 1.0),
)
def test_clusters_are_worth_no_more_than_their_units(part, error, units, fraction):
    """And some trials, however little they showed."""
    found = levels.trials_of_clusters(part, error, units, max(1.0, fraction * units))
    assert 0 < found <= units


def items(sizes, *, second=None, kind="pairs"):
    """Items of clusters of these sizes in pairs, two sides a pair; a size of None has no label."""
    rows = []
    for cluster, size in enumerate(sizes):
        for _ in range(size or 1):
            number = len(rows) // 2
            label = "" if size is None else f"c{cluster}"
            other = "" if second is None else second[number]
            rows += [
                {"probe_set": "s", "kind": kind, "class": "race" if cluster else "age",
                 "pair": f"p{number}", "cluster": label, "cluster_2": other}
            ] * 2  # fmt: skip
    return pd.DataFrame(rows)


def test_clusters_of_unequal_size_are_worth_fewer():
    """By hand: sizes 3 and 1 are 16/10; equal ones their number; pairs without a label each one."""
    assert effective_clusters(items([3, 1]), "s", "all") == pytest.approx(1.6)
    assert effective_clusters(items([4] * 7), "s", "all") == pytest.approx(7)
    assert effective_clusters(items([None, None, 2]), "s", "all") == pytest.approx(16 / 6)
    assert effective_clusters(items([3, 1, 1]), "s", "class=race") == pytest.approx(2)


def test_of_crossed_clusters_the_fewer_count():
    """Six writers, two edited words."""
    crossed = items([1] * 6, second=["a", "a", "a", "b", "b", "b"])
    assert effective_clusters(crossed, "s", "all") == pytest.approx(2)


def test_other_kinds_of_sets_have_no_clusters_of_pairs():
    """Nor has a set that is not there."""
    assert effective_clusters(items([3, 1], kind="cloze"), "s", "all") is None
    assert effective_clusters(items([3, 1]), "other", "all") is None


# --- Squared leans --------------------------------------------------------------------------------


@given(
    estimate=st.floats(-0.5, 2.0),
    error=st.floats(1e-3, 0.5),
    df=st.floats(5.0, 200.0),
    n=st.integers(20, 200),
)
def test_bounds_and_p_of_a_squared_lean_agree(estimate, error, df, n):
    """At its own bound p is .05: by bisection on the bound, from either side."""
    found = levels.squared(estimate, error, df, n, 1.0, "up")

    def p(bound, harm):
        return levels.squared(estimate, error, df, n, bound, harm).p

    if found.low > 1e-6:
        assert p(found.low, "up") == pytest.approx(0.05, rel=1e-6)
    if math.isfinite(found.high):
        assert p(found.high, "down") == pytest.approx(0.05, rel=1e-6)
    assert found.low < found.high


@pytest.mark.parametrize("n", [20, 60])
def test_a_variance_at_its_bound_gives_a_wrong_verdict_in_one_of_twenty_at_most(n):
    """Leans that are known without noise: U is chi-square, SE its own U √(2/(n - 1))."""
    variances = np.random.default_rng(n).chisquare(n - 1, 20_000) / (n - 1)
    words = np.array(
        [levels.squared(u, u * math.sqrt(2 / (n - 1)), n - 1, n, 1.0, "up").word for u in variances]
    )
    for word in ("pass", "fail"):
        assert (words == word).mean() <= 0.05 + 3.3 * math.sqrt(0.05 * 0.95 / 20_000)


def test_a_squared_lean_without_error_is_decided_by_itself():
    """A copy of a model, at the bound and on either side."""
    words = [levels.squared(u, 0.0, math.nan, 30, 0.2, "up").word for u in (0.1, 0.2, 0.3)]
    assert words == ["pass", "inconclusive", "fail"]
    words = [levels.squared(u, 0.0, math.nan, 30, 0.2, "down").word for u in (0.1, 0.2, 0.3)]
    assert words == ["fail", "inconclusive", "pass"]


@pytest.mark.parametrize("part", [1 + 1e-15, -1e-17])
def test_a_share_that_rounding_puts_beyond_its_ends_is_at_its_end(part):
    """A mean of ones may have another last digit."""
    end = float(round(part))
    found, plain = (levels.share(100 * value, 30, 50, "up", 100) for value in (part, end))
    assert (found.low, found.high, found.p) == pytest.approx((plain.low, plain.high, plain.p))
    assert levels.trials_of_clusters(part, 1e-9, 30, 5) == pytest.approx(
        levels.trials_of_clusters(end, 1e-9, 30, 5)
    )
