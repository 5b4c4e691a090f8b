"""Clusters of one factor and of several against statsmodels, pyfixest, scipy and loops."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from maskaudit.audit.estimating.statistics import clusters
from tests import statistics_oracles as oracles
from tests.statistics_oracles import G1

SHAPES = [(6, 4), (3, 9), (10, 10), (25, 7)]


def _of_mean(rows, names):
    """The mean of the rows, whose errors are summed in clusters of these factors."""
    y = rows["y"].to_numpy()
    factors = [rows[name].to_numpy() for name in names]
    return clusters.multiway(y.mean(), (y - y.mean()) / len(y), factors, null_value=0.0)


def _statsmodels(rows, names, *, corrected=True):
    groups = [rows[name] for name in names]
    return oracles.cluster_error(rows["y"], np.ones((len(rows), 1)), groups, 0, corrected=corrected)


def _pyfixest(rows, names, **options):
    """Standard error and p value by pyfixest, with its own small-sample factor or as asked."""
    import pyfixest

    vcov = {"CRV1": "+".join(names)}
    fit = pyfixest.feols("y ~ 1", rows, vcov=vcov, ssc=pyfixest.ssc(**options))
    return float(fit.se().iloc[0]), float(fit.pvalue().iloc[0])


# Two crossed factors


def test_the_golden_table_has_the_published_standard_errors():
    """One-way clusters of either factor, and both, as statsmodels has them with G/(G - 1)."""
    rows = oracles.long(G1)

    both = _of_mean(rows, ["attribute", "frame"])

    assert both.std_error == pytest.approx(0.179271, abs=6e-7)
    assert both.df == 3
    assert _of_mean(rows, ["attribute"]).std_error == pytest.approx(0.171878, abs=6e-7)
    assert _of_mean(rows, ["frame"]).std_error == pytest.approx(0.102696, abs=6e-7)


@pytest.mark.parametrize("names", [["attribute"], ["frame"], ["attribute", "frame"]])
@pytest.mark.parametrize("shape", SHAPES)
def test_clustered_means_are_those_of_statsmodels(shape, names):
    """Complete tables and tables with gaps, floored at the larger one-way part."""
    for cells in (oracles.crossed(*shape, 3), oracles.without(oracles.crossed(*shape, 5), 4, 5)):
        rows = oracles.long(cells)
        error = max(_statsmodels(rows, chosen) for chosen in (names, names[:1], names[-1:]))
        spread = oracles.Spread(error**2, min(rows[name].nunique() for name in names) - 1)

        found = _of_mean(rows, names)

        expected = oracles.limits(rows["y"].mean(), spread, 0.0)
        assert oracles.told(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_pyfixest_s_factor_is_another_and_its_parts_are_the_same():
    """The trap: pyfixest scales the whole by the least G/(G - 1), statsmodels each component.

    Its whole without a factor is statsmodels' without correction; its one-way parts, each with its
    own factor, make up our standard error.
    """
    rows = oracles.long(G1).assign(cell=range(G1.size))
    names = ["attribute", "frame"]

    bare, _ = _pyfixest(rows, names, k_adj=False, G_adj=False)
    scaled, p = _pyfixest(rows, names)

    assert bare == pytest.approx(0.157826, abs=6e-7)
    assert bare == pytest.approx(_statsmodels(rows, names, corrected=False), rel=1e-6)
    assert scaled == pytest.approx(0.182242, abs=6e-7)
    assert scaled / math.sqrt(4 / 3) == pytest.approx(bare, rel=1e-6)
    assert p == pytest.approx(0.312341, abs=6e-7)
    a, b, cell = (_pyfixest(rows, [name])[0] ** 2 for name in ("attribute", "frame", "cell"))
    assert _of_mean(rows, names).std_error == pytest.approx(math.sqrt(a + b - cell), rel=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_fresh_tables_are_made_up_of_pyfixest_s_parts(shape):
    """Each one-way part with its own factor, the cells' taken off."""
    cells = oracles.without(oracles.crossed(*shape, 8), 5, 8)
    rows = oracles.long(cells)
    rows = rows.assign(cell=range(len(rows)))
    a, b, cell = (_pyfixest(rows, [name])[0] ** 2 for name in ("attribute", "frame", "cell"))

    found = _of_mean(rows, ["attribute", "frame"])

    assert found.std_error == pytest.approx(math.sqrt(max(a + b - cell, a, b)), rel=1e-6)


def test_a_regression_s_coefficient_is_clustered_as_statsmodels_does():
    """The rows' shares of the error of a slope, in clusters of two factors that are not nested."""
    rng = np.random.default_rng(12)
    groups = [rng.integers(0, 7, 60), rng.integers(0, 5, 60)]
    x = rng.normal(size=60) + groups[0]
    y = 0.4 * x + rng.normal(0, 2, 7)[groups[0]] + x * rng.normal(size=5)[groups[1]]
    y += rng.normal(size=60)
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    beside = x - x.mean()
    errors = beside / (beside**2).sum() * fit.resid

    found = clusters.multiway(fit.params[1], errors, groups, null_value=0.0)

    expected = max(
        oracles.cluster_error(y, sm.add_constant(x), chosen, 1, corrected=True)
        for chosen in (groups, groups[:1], groups[1:])
    )
    assert found.std_error == pytest.approx(expected, rel=1e-6)
    assert found.df == 4


def test_clusters_that_cancel_leave_the_larger_factor_s_own_variance():
    """Within a cluster errors cancel, and inclusion and exclusion would fall below one of them."""
    noise = oracles.crossed(5, 7, 3, attributes=0.0, frames=0.0)
    cells = noise - noise.mean(0) + np.linspace(-1, 1, 7)
    rows = oracles.long(cells)

    found = _of_mean(rows, ["attribute", "frame"])

    assert found.std_error == pytest.approx(_statsmodels(rows, ["frame"]), rel=1e-6)
    assert found.std_error > _statsmodels(rows, ["attribute", "frame"])
    assert found.df == 4


# Three factors, and properties


@given(oracles.SEEDS, st.integers(1, 4))
def test_any_number_of_factors_is_inclusion_and_exclusion(seed, n_factors):
    """Cluster by cluster, over every set of factors: three are ABC, less pairs, plus the triple."""
    rng = np.random.default_rng(seed)
    factors = [np.append(rng.integers(0, 4, 30), [0, 1]) for _ in range(n_factors)]
    errors = rng.normal(size=32) + rng.normal(size=4)[factors[0]]

    found = clusters.multiway(1.5, errors, factors)

    variance = oracles.multiway_variance(errors, factors)
    assert found.std_error == pytest.approx(math.sqrt(variance), rel=1e-9)
    assert found.df == min(len(np.unique(own)) for own in factors) - 1
    assert found.estimate == 1.5


@given(oracles.SEEDS)
def test_names_and_order_of_clusters_are_nothing(seed):
    """Labels may be words; rows may come in any order, and factors too."""
    rng = np.random.default_rng(seed)
    codes = [np.append(rng.integers(0, 5, 30), [0, 1]) for _ in range(2)]
    errors = rng.normal(size=32)
    ours = clusters.multiway(0.3, errors, codes)
    order = rng.permutation(32)
    words = [np.array([f"{'zyxwv'[code]}{code}" for code in own[order]]) for own in codes]

    theirs = clusters.multiway(0.3, errors[order], words[::-1])

    assert oracles.told(theirs) == pytest.approx(oracles.told(ours), rel=1e-10, nan_ok=True)


@given(oracles.SEEDS)
def test_copies_within_a_cluster_are_no_evidence(seed):
    """Every row written twice, with half its weight: the same interval, not a narrower one."""
    rng = np.random.default_rng(seed)
    factors = [np.repeat(np.arange(6), 4), np.tile(np.arange(4), 6)]
    y = rng.normal(size=24)

    ours = clusters.multiway(y.mean(), (y - y.mean()) / 24, factors)
    twice = clusters.multiway(
        y.mean(), np.repeat((y - y.mean()) / 48, 2), [np.repeat(own, 2) for own in factors]
    )

    assert oracles.told(twice) == pytest.approx(oracles.told(ours), rel=1e-9, nan_ok=True)


def test_one_cluster_of_a_factor_gives_a_point():
    """One says nothing of others, whatever the other factor has."""
    for factors in ([np.zeros(6)], [np.zeros(6), np.arange(6)], [np.arange(0)]):
        found = clusters.multiway(0.4, np.zeros(len(factors[-1])), factors, null_value=0.0)

        assert found.estimate == 0.4
        assert math.isnan(found.low)
        assert math.isnan(found.p)


def test_an_unknown_error_gives_a_point():
    """NaN in one row is never an error of 0."""
    errors = np.array([0.1, np.nan, -0.1, 0.2])

    found = clusters.multiway(0.4, errors, [np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])])

    assert math.isnan(found.low)
    assert math.isnan(found.std_error)


def test_rows_without_error_give_a_point_and_p_one():
    """Zero variance at the null value."""
    found = clusters.multiway(0.0, np.zeros(6), [np.arange(6) // 2], null_value=0.0)

    assert (found.low, found.high, found.std_error, found.p) == (0.0, 0.0, 0.0, 1.0)


# The jackknife


def test_the_jackknife_of_a_mean_is_the_t_interval_over_clusters():
    """For a mean the delete-one variance is the usual one: scipy's interval."""
    values = np.random.default_rng(8).normal(1, 2, 15)
    expected = stats.ttest_1samp(values, 0.0)
    interval = expected.confidence_interval(0.95)

    found = clusters.jackknife(values[:, None], lambda means: means[..., 0], null_value=0.0)

    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_the_jackknife_of_a_ratio_agrees_with_leaving_each_cluster_out_by_hand():
    """Hits over trials in clusters of unequal size."""
    hits, trials = np.array([3.0, 1, 8, 2, 5]), np.array([5.0, 4, 9, 2, 11])
    without = [(hits.sum() - h) / (trials.sum() - t) for h, t in zip(hits, trials, strict=True)]
    spread = sum((w - sum(without) / 5) ** 2 for w in without)

    found = clusters.jackknife(
        np.stack([hits, trials], axis=1), lambda means: means[..., 0] / means[..., 1]
    )

    assert found.estimate == pytest.approx(19 / 31)
    assert found.std_error == pytest.approx(math.sqrt(4 / 5 * spread), rel=1e-12)
    assert found.df == 4


def test_the_jackknife_of_one_cluster_has_no_interval():
    """One cluster says nothing of others."""
    found = clusters.jackknife(np.ones((1, 1)), lambda means: means[..., 0])

    assert found.estimate == 1.0
    assert math.isnan(found.low)


def test_the_jackknife_of_nothing_is_unknown():
    """No cluster: not even a point."""
    assert math.isnan(clusters.jackknife(np.empty((0, 1)), lambda means: means[..., 0]).estimate)


def test_the_jackknife_of_an_unknown_cluster_is_unknown():
    """NaN in one row is in every mean but one."""
    columns = np.array([[1.0], [np.nan], [3.0]])

    found = clusters.jackknife(columns, lambda means: means[..., 0], null_value=0.0)

    assert math.isnan(found.estimate)
    assert math.isnan(found.p)
