"""Contrasts with covariates held equal, against statsmodels, loops, and worlds of known truth."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.outliers_influence import OLSInfluence

from maskaudit.audit.estimating.crossed.adjusted import matched
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.crossed.covariance import adjusted_interval, fit
from maskaudit.audit.proving.validity.numbers import covariates as worlds
from tests import statistics_oracles as oracles

STYLES = ["talk", "work", "talk", "tale", "work", "tale", "talk", "work", "talk"]
FAMILIES = ["care", "care", "", "craft", "craft", "craft", "care"]


def drawn(seed, sizes=(7, 6), frames=9, slope=0.4):
    """Return the cells of two classes and their covariates, pieces that move them and words."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    x = np.stack([1 + rng.poisson(1.0, n), 1 + rng.integers(0, 2, n)], axis=1).astype(float)
    x[0, 1], x[1, 1], x[-1, 1], x[-2, 1] = 1, 2, 1, 2  # both kinds in both classes
    x[: sizes[0], 0] += rng.integers(0, 2, sizes[0])
    cells = oracles.crossed(n, frames, seed, frames=0.3) + slope * x[:, :1]
    return (cells[: sizes[0]], cells[sizes[0] :]), (x[: sizes[0]], x[sizes[0] :])


def ols(values, x):
    """Return the analysis of covariance of two classes by statsmodels; the class comes first."""
    side = np.repeat([1.0, 0.0], [len(own) for own in x])
    return sm.OLS(values, sm.add_constant(np.column_stack([side, np.concatenate(x)]))).fit()


def by_style(values, styles):
    """Return the mean over styles of the mean over their frames, of the last axis."""
    names = sorted(set(styles))
    means = [values[..., [s == name for s in styles]].mean(-1) for name in names]
    return np.mean(means, axis=0)


def interval_by_regressions(cells, x, styles):
    """Return the adjusted contrast, its variance and df, from a regression in every frame."""
    both = np.concatenate(cells)
    sizes = [len(own) for own in cells]
    frames = [ols(both[:, j], x) for j in range(both.shape[1])]
    by_frame = np.array([one.params[1] for one in frames])
    left = np.stack([one.resid for one in frames], axis=1)
    whole = ols(by_style(both, styles), x)
    leverage = OLSInfluence(whole).hat_matrix_diag
    # The weights of the class's coefficient: what it is of each unit vector.
    weights = np.array([ols(unit, x).params[1] for unit in np.eye(len(both))])
    names = sorted(set(styles))
    attributes, residuals, start = [], [], 0
    for size in sizes:
        own = np.arange(start, start + size)
        start += size
        df = math.fsum(1 - leverage[i] for i in own)
        weight = math.fsum(weights[i] ** 2 for i in own)
        attributes.append((weight * math.fsum(whole.resid[i] ** 2 for i in own) / df, df))
        for name in names:
            block = left[own][:, [s == name for s in styles]]
            n = block.shape[1]
            square = ((block - block.mean(1, keepdims=True)) ** 2).sum() / df / (n - 1)
            residuals.append((-weight * square / n / len(names) ** 2, df * (n - 1)))
    groups = [by_frame[[s == name for s in styles]] for name in names]
    parts_of_frames = [(g.var(ddof=1) / len(g) / len(names) ** 2, len(g) - 1) for g in groups]
    parts = [*attributes, *parts_of_frames, *residuals]
    floor = max(attributes, parts_of_frames, key=lambda own: math.fsum(v for v, _ in own))
    if math.fsum(v for v, _ in parts) < math.fsum(v for v, _ in floor):
        parts = floor
    variance = math.fsum(v for v, _ in parts)
    return whole.params[1], variance, variance**2 / math.fsum(v**2 / df for v, df in parts)


@pytest.mark.parametrize("styles", [None, STYLES])
@pytest.mark.parametrize("seed", range(5))
def test_the_adjusted_contrast_is_that_of_regressions_in_every_frame(seed, styles):
    """Estimate, standard error and degrees of freedom; the class's coefficient of the means."""
    cells, x = drawn(seed)
    named = styles or ["one"] * 9
    estimate, variance, df = interval_by_regressions(cells, x, named)

    found = adjusted_interval(*cells, fit(*x), styles=styles)

    assert found.estimate == pytest.approx(estimate, rel=1e-9)
    assert (found.std_error, found.df) == pytest.approx((math.sqrt(variance), df), rel=1e-9)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(estimate) / found.std_error, df), rel=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_where_frames_agree_it_is_the_textbook_s_analysis_of_covariance(seed):
    """Standard error, degrees of freedom and p of statsmodels, of classes equally spread."""
    rng = np.random.default_rng(seed)
    x = np.stack([rng.normal(size=8), rng.normal(size=8)], axis=1)
    means = rng.normal(size=8) + x[:, 0]
    # The second class is the first one moved, so that both have one residual variance.
    covariates = (x, x + np.array([0.7, -0.3]))
    values = np.concatenate([means + 1.5, means])
    expected = ols(values, covariates)
    cells = np.repeat(values[:, None], 6, axis=1)

    found = adjusted_interval(cells[:8], cells[8:], fit(*covariates))

    assert found.estimate == pytest.approx(expected.params[1])
    assert found.std_error == pytest.approx(expected.bse[1])
    assert found.df == pytest.approx(expected.df_resid)
    assert found.p == pytest.approx(expected.pvalues[1])
    assert (found.low, found.high) == pytest.approx(tuple(expected.conf_int()[1]))


@pytest.mark.parametrize("styles", [None, STYLES])
@pytest.mark.parametrize("families", [(None, None), (FAMILIES, FAMILIES[:6])])
@pytest.mark.parametrize("missing", [0, 1])
def test_covariates_that_do_not_vary_leave_the_plain_contrast(styles, families, missing):
    """Interval and all, with styles, families and a filled cell."""
    (first, second), _ = drawn(1)
    first = oracles.without(first, missing, 1)
    same = [np.full((len(own), 2), 1.1) for own in (first, second)]
    plain = crossed_means.contrast_interval(first, second, styles=styles, families=families)
    found = adjusted_interval(first, second, fit(*same), styles=styles, families=families)
    assert oracles.told(found) == pytest.approx(oracles.told(plain), rel=1e-9)


@given(st.integers(0, 500), st.floats(0.2, 5), st.floats(-3, 3))
def test_another_scale_of_a_covariate_and_another_order_change_nothing(seed, scale, shift):
    """Classes that change place turn the sign; a slope that is added leaves the contrast."""
    cells, x = drawn(seed)
    ours = adjusted_interval(*cells, fit(*x))
    moved = adjusted_interval(*cells, fit(*(own * [scale, 1] + shift for own in x)))
    assert oracles.told(moved) == pytest.approx(oracles.told(ours), rel=1e-6)
    order = np.random.default_rng(seed).permutation(len(x[0]))
    turned = adjusted_interval(cells[1], cells[0][order], fit(x[1], x[0][order]))
    assert (turned.estimate, turned.std_error) == pytest.approx((-ours.estimate, ours.std_error))
    steeper = [own + scale * z[:, :1] for own, z in zip(cells, x, strict=True)]
    again = adjusted_interval(*steeper, fit(*x))
    assert oracles.told(again) == pytest.approx(oracles.told(ours), rel=1e-6)


def test_a_model_against_itself_is_exactly_nothing():
    """Zero cells: a point, and p is 1."""
    _, x = drawn(2)
    found = adjusted_interval(np.zeros((7, 9)), np.zeros((6, 9)), fit(*x), styles=STYLES)
    assert (found.estimate, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_what_cannot_be_told_is_refused():
    """Covariates that differ between classes alone, gaps, and classes without freedom."""
    cells, x = drawn(3)
    for values in ((2.0, 1.0), (1.1, 1.3)):
        apart = [np.full((n, 1), value) for n, value in zip((7, 6), values, strict=True)]
        with pytest.raises(ValueError, match="does not vary within them"):
            fit(*apart)
    gappy = oracles.without(cells[0], 12, 1)
    with pytest.raises(ValueError, match="5 % of the cells are missing"):
        adjusted_interval(gappy, cells[1], fit(*x))
    with pytest.raises(ValueError, match="fewer attributes than the slopes take"):
        adjusted_interval(cells[0][:3], cells[1][:3], fit(np.eye(3), np.full((3, 3), 1 / 3)))
    with pytest.raises(ValueError, match="expected 7 attributes"):
        adjusted_interval(cells[1], cells[0], fit(*x))
    with pytest.raises(ValueError, match="styles of"):
        adjusted_interval(*cells, fit(*x), styles=["own", *["other"] * 8])


def test_matched_attributes_weigh_alike_in_both_classes_of_a_stratum():
    """The coefficient of statsmodels with an intercept for each stratum; the rest has no match."""
    first = np.array([[1, 1], [1.4, 1], [2, 2], [2, 2], [3, 1], [9, 1], [2, 1]])
    second = np.array([[1, 1], [2, 2], [2.2, 2], [1, 1], [5, 1], [4, 3]])
    strata = matched(first, second)
    assert strata[0].tolist() == [0, 0, 1, 1, -1, 2, -1]
    assert strata[1].tolist() == [0, 1, 1, 0, 2, -1]
    dummies = [np.eye(3)[own[own >= 0]] for own in strata]
    line = fit(*dummies)
    of = np.concatenate([own[own >= 0] for own in strata])
    side = np.repeat([1, 0], [len(own) for own in dummies])
    for number in range(3):
        weights = [line.weights[(of == number) & (side == c)].sum() for c in (1, 0)]
        assert weights[0] == pytest.approx(-weights[1])
    values = np.random.default_rng(0).normal(size=len(of))
    rows = pd.DataFrame({"y": values, "side": side, "stratum": of})
    expected = sm.OLS.from_formula("y ~ side + C(stratum)", rows).fit().params["side"]
    assert line.weights @ values == pytest.approx(expected)


@given(st.integers(0, 10_000))
def test_strata_are_those_of_counts_by_loops(seed):
    """Whatever the order; an attribute has a match where the other class has its stratum."""
    rng = np.random.default_rng(seed)
    first, second = (rng.integers(1, (6, 4), (n, 2)).astype(float) for n in (9, 7))
    keys = [[(min(p, 4), min(w, 3)) for p, w in own] for own in (first, second)]
    found = matched(first, second)
    for own, other, numbers in ((0, 1, found[0]), (1, 0, found[1])):
        for key, number in zip(keys[own], numbers, strict=True):
            assert (number >= 0) == (key in keys[other])
    names = {n: k for own, ks in zip(found, keys, strict=True)
             for n, k in zip(own.tolist(), ks, strict=True) if n >= 0}  # fmt: skip
    assert len(set(names.values())) == len(names)


@pytest.mark.slow
def test_with_families_the_variance_is_that_of_the_estimate():
    """On average over tables, where a covariate differs between families and within them."""
    rng = np.random.default_rng(5)
    families = [[f"f{i // 4}" for i in range(24)] for _ in range(2)]
    x = [rng.poisson(1.5, (24, 1)) + np.repeat(rng.poisson(1.0, 6), 4)[:, None] for _ in range(2)]
    line = fit(*(own.astype(float) for own in x))
    estimates, variances = [], []
    for _ in range(1500):
        cells = [
            np.repeat(rng.normal(0, 0.5, 6), 4)[:, None]
            + rng.normal(0, 0.5, (24, 1))
            + rng.normal(0, 0.5, (24, 8))
            + rng.normal(0, 0.2, 8)
            for _ in range(2)
        ]
        found = adjusted_interval(*cells, line, families=tuple(families))
        estimates.append(found.estimate)
        variances.append(found.std_error**2)
    assert np.mean(variances) == pytest.approx(np.var(estimates), rel=0.12)


@pytest.mark.slow
def test_intervals_hold_the_truth_where_the_plain_contrast_is_off():
    """In every world of docs/validity.md; the bars are one point and a half wider here."""
    coverage, bias = worlds.tables(800, 3)
    for row in coverage.rows:
        assert 0.915 <= row.measured.value <= 0.985, row.what
    for row in bias.rows:
        assert abs(row.measured.value) <= 0.03, row.what
    off = [row.beside[worlds.PLAIN].value for row in bias.rows if "move nothing" not in row.what]
    assert min(off) > 0.08
    assert coverage["adjusted, 22 + 22 × 20"].beside[worlds.PLAIN].value < 0.91
