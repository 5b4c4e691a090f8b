"""Means over attributes and frames against loops, least squares, mixed models and clusters."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM
from statsmodels.stats.anova import anova_lm

from maskaudit.audit.estimating.statistics.crossed import anova
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from tests import statistics_oracles as oracles
from tests.statistics_oracles import G1, TABLES

SHAPES = [(2, 2), (2, 7), (9, 3), (24, 8)]
# Tables in which attributes, frames or neither vary, so that the floor is met in some.
WORLDS = [(0.7, 0.4, 0.5), (0.0, 0.4, 0.5), (0.7, 0.0, 0.5), (0.0, 0.0, 1.0)]


def _mixed(cells):
    """Crossed random effects by restricted maximum likelihood."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge in the first of its methods
        model = MixedLM.from_formula(
            "y ~ 1",
            oracles.long(cells),
            groups=np.ones(cells.size),
            vc_formula={"attribute": "0 + C(attribute)", "frame": "0 + C(frame)"},
        )
        return model.fit(reml=True)


# Complete tables


@pytest.mark.parametrize("shape", SHAPES)
def test_mean_squares_are_those_of_statsmodels_anova(shape):
    """The two-way table without interaction, by least squares."""
    cells = G1 if shape == (9, 3) else oracles.crossed(*shape, seed=1)
    table = anova_lm(oracles.additive_fit(cells))
    expected = table["sum_sq"] / table["df"]

    found = anova.mean_squares(cells)

    assert found.attribute == pytest.approx(expected["C(attribute)"], rel=1e-9)
    assert found.frame == pytest.approx(expected["C(frame)"], rel=1e-9)
    assert found.residual == pytest.approx(expected["Residual"], rel=1e-9)
    assert found.residual_df == table["df"]["Residual"]


def test_the_golden_table_has_the_published_mean_squares():
    """And the variance components that follow from them."""
    found = anova.mean_squares(G1)

    squares = (found.attribute, found.frame, found.residual)
    assert squares == pytest.approx((0.709007, 0.253117, 0.005613), abs=6e-7)
    components = (found.attribute - found.residual) / 4, (found.frame - found.residual) / 6
    assert components == pytest.approx((0.175848, 0.041251), abs=6e-7)


def test_the_mean_of_the_golden_table_has_the_published_interval():
    """Values computed with other tools for the same table."""
    found = crossed_means.mean_interval(G1, null_value=0.0)

    assert found.estimate == pytest.approx(0.2208333, abs=1e-7)
    assert found.std_error == pytest.approx(0.199636, abs=1e-6)
    assert found.df == pytest.approx(7.505659, abs=1e-6)
    assert found.p == pytest.approx(0.302839, abs=1e-6)
    assert found.estimate / found.std_error == pytest.approx(1.106179, abs=1e-5)
    assert (found.low, found.high) == pytest.approx((-0.244860, 0.686527), abs=1e-6)


def test_the_golden_table_s_mixed_model_says_the_same():
    """Restricted maximum likelihood has the components and the standard error to 4 digits."""
    fit = _mixed(G1)
    found = anova.mean_squares(G1)
    components = (
        (found.attribute - found.residual) / 4, (found.frame - found.residual) / 6, found.residual
    )  # fmt: skip

    assert (*fit.vcomp, fit.scale) == pytest.approx(components, abs=1e-4)
    assert crossed_means.mean_interval(G1).std_error == pytest.approx(
        float(fit.bse_fe.iloc[0]), abs=1e-4
    )


@pytest.mark.parametrize("shape", [(12, 8), (20, 6)])
def test_a_fresh_table_s_mixed_model_says_the_same(shape):
    """Where no component is at its bound, both estimate the same variances."""
    cells = oracles.crossed(*shape, seed=4)
    fit = _mixed(cells)

    found = crossed_means.mean_interval(cells)

    assert min(fit.vcomp) > 0.01
    assert found.estimate == pytest.approx(float(fit.fe_params.iloc[0]), rel=1e-6)
    assert found.std_error == pytest.approx(float(fit.bse_fe.iloc[0]), rel=1e-3)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_the_mean_agrees_with_loops_over_its_definition(shape, world, seed):
    """With the floor and without, level and null value as asked."""
    attributes, frames, noise = world
    cells = oracles.crossed(*shape, seed, attributes=attributes, frames=frames, noise=noise)
    expected = oracles.limits(math.fsum(cells.flat) / cells.size, oracles.mean_spread(cells), 0.1)

    found = crossed_means.mean_interval(cells, null_value=0.1)

    assert oracles.told(found) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_the_contrast_agrees_with_loops_over_its_definition(shape, world, seed):
    """Unequal classes; in some worlds the noise is such that the floor is met."""
    attributes, frames, noise = world
    first = oracles.crossed(*shape, seed, attributes=attributes, frames=frames, noise=noise)
    shape = (shape[0] + 1, shape[1])
    second = oracles.crossed(*shape, seed + 100, attributes=attributes, frames=frames)
    estimate = math.fsum(first.flat) / first.size - math.fsum(second.flat) / second.size
    expected = oracles.limits(estimate, oracles.contrast_spread(first, second), 0.0)

    found = crossed_means.contrast_interval(first, second)

    assert oracles.told(found) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("part", ["attributes", "frames"])
def test_the_floor_is_the_larger_part_with_its_own_degrees_of_freedom(part):
    """A table whose residual exceeds one mean square: what is left may not fall below the other."""
    noise = oracles.crossed(5, 7, 3, attributes=0.0, frames=0.0)
    residual = noise - noise.mean(0) - noise.mean(1, keepdims=True) + noise.mean()
    effect = np.linspace(-1, 1, 5)[:, None] if part == "attributes" else np.linspace(-1, 1, 7)
    cells = residual + effect

    found = crossed_means.mean_interval(cells)

    means = cells.mean(1 if part == "attributes" else 0)
    assert found.std_error == pytest.approx(stats.sem(means), rel=1e-12)
    assert found.df == pytest.approx(len(means) - 1)


def test_the_contrast_of_two_classes_without_frame_effects_is_welch_s_test():
    """With no residual and no frame effect only attributes vary, and the test is Welch's."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(1, 1, 9), rng.normal(0, 2, 6)
    expected = stats.ttest_ind(first, second, equal_var=False)

    found = crossed_means.contrast_interval(
        np.tile(first[:, None], (1, 8)), np.tile(second[:, None], (1, 8))
    )

    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.df == pytest.approx(expected.df, rel=1e-9)


def test_the_contrast_of_classes_without_attributes_own_effects_is_a_paired_test():
    """Only frames vary: the two classes' means in a frame are a pair."""
    rng = np.random.default_rng(2)
    first, second = rng.normal(1, 1, 9), rng.normal(0, 2, 9)
    expected = stats.ttest_rel(first, second)

    found = crossed_means.contrast_interval(np.tile(first, (4, 1)), np.tile(second, (3, 1)))

    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.df == pytest.approx(8, rel=1e-9)


def test_the_part_of_the_frames_is_what_more_frames_would_reduce():
    """Standard error squared less it is the attributes' own variance over their number."""
    a, b, e = oracles.mean_squares(G1)

    found = crossed_means.mean_interval(G1)

    assert found.v_frames == pytest.approx(b / 24, rel=1e-9)
    assert found.std_error**2 - found.v_frames == pytest.approx((a - e) / 4 / 6, rel=1e-9)


def test_the_mean_over_frames_is_scipy_s_t_test():
    """One attribute: frames are the sample, and those without a value are not of it."""
    values = np.random.default_rng(3).normal(0.4, 1, 12)
    expected = stats.ttest_1samp(values, 0.0)
    interval = expected.confidence_interval(0.95)

    found = anova.frame_interval(np.insert(values, 5, np.nan), null_value=0.0)

    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.df == 11
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_every_attribute_s_mean_over_frames_is_scipy_s_t_test():
    """Row by row, each with the frames that it has."""
    cells = oracles.without(oracles.crossed(6, 9, 3), 12, seed=3)
    expected = stats.ttest_1samp(cells, 0.2, axis=1, nan_policy="omit")
    low, high = expected.confidence_interval(0.9)

    found = anova.frame_intervals(cells, level=0.9, null_value=0.2)

    assert [own.p for own in found] == pytest.approx(list(expected.pvalue), rel=1e-9)
    assert [own.df for own in found] == list(expected.df)
    assert [own.low for own in found] == pytest.approx(list(low), rel=1e-9)
    assert [own.high for own in found] == pytest.approx(list(high), rel=1e-9)
    assert [own.v_frames for own in found] == pytest.approx([own.std_error**2 for own in found])


def test_the_shrunken_lean_is_the_mixed_model_s_prediction():
    """BLUP of a balanced two-way table: statsmodels' mixed model with crossed effects."""
    effects = next(iter(_mixed(G1).random_effects.values()))
    expected = [effects[f"attribute[C(attribute)[{i}]]"] for i in range(6)]

    assert anova.shrunken(G1) == pytest.approx(expected, rel=1e-3)


def test_attributes_that_do_not_differ_shrink_to_nothing():
    """Where the attributes vary less than noise explains, no one of them leans."""
    noise = np.random.default_rng(2).normal(size=(5, 6))
    same = noise - noise.mean(1, keepdims=True)

    assert anova.shrunken(same).tolist() == [0.0] * 5


# Names


def test_names_are_a_third_part_of_the_variance():
    """Sum over groups of the variance of the names' means over their number, by scipy's sem."""
    rng = np.random.default_rng(6)
    names = [rng.normal(size=7), rng.normal(size=5)]
    cells = oracles.crossed(8, 6, 2)
    alone = oracles.mean_spread(cells)
    own = [(stats.sem(means) ** 2, len(means) - 1) for means in names]
    variance = alone.variance + sum(part for part, _ in own)
    below = alone.variance**2 / alone.df + sum(part**2 / df for part, df in own)
    expected = oracles.limits(cells.mean(), oracles.Spread(variance, variance**2 / below), 0.0)

    found = crossed_means.mean_interval(
        cells, names=crossed_means.name_parts(names), null_value=0.0
    )

    assert oracles.told(found) == pytest.approx(expected, rel=1e-9)


def test_names_without_other_variance_are_welch_s_test():
    """Two groups of names, and cells that are all the same: scipy's test of unequal variances."""
    rng = np.random.default_rng(7)
    first, second = rng.normal(1, 1, 8), rng.normal(0, 2, 5)
    expected = stats.ttest_ind(first, second, equal_var=False)
    cells = np.full((3, 4), 0.5)

    parts = crossed_means.name_parts([first, second])
    found = crossed_means.mean_interval(cells, names=parts, null_value=0.5 + expected.statistic)
    contrast = crossed_means.contrast_interval(cells, cells, names=parts, null_value=1.0)

    scale = math.sqrt(stats.sem(first) ** 2 + stats.sem(second) ** 2)
    assert found.std_error == pytest.approx(scale, rel=1e-9)
    assert (found.df, contrast.df) == pytest.approx((expected.df, expected.df), rel=1e-9)


def test_one_name_in_a_group_is_too_few():
    """How names vary cannot be learnt from one: an error, and neither 0 nor a crash."""
    with pytest.raises(ValueError, match="expected"):
        crossed_means.name_parts([np.array([0.3]), np.array([0.1, 0.2, 0.4])])


def test_names_count_where_many_cells_are_missing():
    """The clusters' variance and the names', with Satterthwaite's degrees of freedom."""
    cells = oracles.without(oracles.crossed(10, 10, 1), 12, seed=1)
    names = [np.array([0.0, 2.0, 4.0]), np.array([1.0, 0.0, 5.0])]
    parts = crossed_means.name_parts(names)
    own = sum(stats.sem(means) ** 2 for means in names)
    below = sum(stats.sem(means) ** 4 / 2 for means in names)

    for alone, named in (
        (crossed_means.mean_interval(cells), crossed_means.mean_interval(cells, names=parts)),
        (
            crossed_means.contrast_interval(cells[:5], cells[5:]),
            crossed_means.contrast_interval(cells[:5], cells[5:], names=parts),
        ),
    ):
        clusters = alone.std_error**2
        variance = clusters + own
        df = variance**2 / (clusters**2 / alone.df + below)
        expected = oracles.limits(alone.estimate, oracles.Spread(variance, df), named.null_value)
        assert oracles.told(named) == pytest.approx(expected, rel=1e-9, nan_ok=True)


# Missing cells


@pytest.mark.parametrize(("shape", "missing"), [((6, 4), 1), ((10, 8), 4), ((12, 20), 12)])
@pytest.mark.parametrize("seed", range(3))
def test_few_missing_cells_are_those_of_the_additive_fit(shape, missing, seed):
    """Least squares of the cells that are there, by statsmodels: its predictions fill the gaps.

    The filled cells add nothing to the residual, whose sum of squares and degrees of freedom are
    those of the fit.
    """
    cells = oracles.without(oracles.crossed(*shape, seed), missing, seed)
    fit = oracles.additive_fit(cells)
    gaps = np.argwhere(np.isnan(cells))
    expected = fit.predict(pd.DataFrame(gaps, columns=["attribute", "frame"]))

    filled = anova.completed(cells)
    found = anova.mean_squares(cells)

    assert filled[tuple(gaps.T)] == pytest.approx(expected.to_numpy(), rel=1e-6)
    assert filled[~np.isnan(cells)].tolist() == cells[~np.isnan(cells)].tolist()
    assert found.residual_df == fit.df_resid
    assert found.residual == pytest.approx(fit.ssr / fit.df_resid, rel=1e-6)
    assert found.missing == missing


def test_filling_leaves_the_caller_s_cells_alone():
    """The gap is still a gap afterwards."""
    cells = G1.copy()
    cells[1, 1] = np.nan

    anova.completed(cells)

    assert math.isnan(cells[1, 1])


@pytest.mark.parametrize(("i", "j"), list(np.ndindex(G1.shape)))
def test_the_first_missing_cell_barely_moves_the_interval(i, j):
    """The golden table stays near its standard error of .200 and its 7.5 degrees of freedom."""
    cells = G1.copy()
    cells[i, j] = np.nan

    found = crossed_means.mean_interval(cells, null_value=0.0)

    assert found.std_error == pytest.approx(0.200, abs=0.003)
    assert found.df == pytest.approx(7.5, abs=0.2)
    assert found.estimate == pytest.approx(G1.mean(), abs=0.02)


@pytest.mark.parametrize(("shape", "missing"), [((6, 4), 2), ((12, 9), 20), ((20, 12), 100)])
@pytest.mark.parametrize("seed", range(3))
def test_above_a_twentieth_missing_the_mean_has_clusters(shape, missing, seed):
    """Two-way clusters by statsmodels on the cells there are, floored at the larger one-way."""
    cells = oracles.without(oracles.crossed(*shape, seed), missing, seed)
    rows = oracles.long(cells)
    groups = [rows["attribute"], rows["frame"]]
    errors = [
        oracles.cluster_error(rows["y"], np.ones((len(rows), 1)), chosen, 0, corrected=True)
        for chosen in (groups, groups[:1], groups[1:])
    ]
    df = min(own.nunique() for own in groups) - 1
    expected = oracles.limits(rows["y"].mean(), oracles.Spread(max(errors) ** 2, df), 0.0)

    found = crossed_means.mean_interval(cells, null_value=0.0)

    assert oracles.told(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_above_a_twentieth_missing_the_contrast_has_clusters(seed):
    """By statsmodels: clusters of attributes in each class alone, of frames in both together.

    What both parts hold, the residual, is that of statsmodels' HC0. That one class has its gaps is
    enough: the other is complete. All of it relative to the classes' mean in each frame.
    """
    cells = oracles.crossed(12, 9, seed)
    cells[:7] = oracles.without(cells[:7], 15, seed)
    rows = oracles.long(cells)
    is_first = rows["attribute"] < 7
    of_classes = rows.groupby([is_first, "frame"])["y"].mean()
    rows["y"] -= rows["frame"].map(of_classes.groupby("frame").mean())
    design = sm.add_constant(is_first.astype(float)).to_numpy()
    parts = []
    for own in (rows[is_first], rows[~is_first]):
        alone = np.ones((len(own), 1))
        error = oracles.cluster_error(own["y"], alone, [own["attribute"]], 0, corrected=True)
        parts.append((error**2, own["attribute"].nunique() - 1))
    attributes = sum(value for value, _ in parts)
    frames = oracles.cluster_error(rows["y"], design, [rows["frame"]], 1, corrected=True) ** 2
    parts.append((frames, 8))
    for own in (rows[is_first], rows[~is_first]):
        fit = sm.OLS(own["y"], np.ones((len(own), 1))).fit(cov_type="HC0")
        parts.append((-(fit.bse.iloc[0] ** 2), len(own) - own["attribute"].nunique() - 9 + 1))
    if sum(value for value, _ in parts) < max(attributes, frames):
        parts = parts[:2] if attributes >= frames else parts[2:3]
    variance = sum(value for value, _ in parts)
    df = variance**2 / sum(value**2 / freedom for value, freedom in parts)
    means = rows.groupby(is_first)["y"].mean()
    spread = oracles.Spread(variance, df)
    expected = oracles.limits(means[True] - means[False], spread, 0.0)

    found = crossed_means.contrast_interval(cells[:7], cells[7:])

    assert oracles.told(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("first", [2, 3])
def test_a_small_class_keeps_its_few_degrees_of_freedom_when_cells_go_missing(first):
    """From 5 % to beyond, the interval does not narrow as if the classes were one."""
    rng = np.random.default_rng(first)
    cells = rng.normal(size=(first + 40, 1)) + 0.3 * rng.normal(size=(first + 40, 20))
    few, many = cells.copy(), cells.copy()
    few[0, :1], many[0, :5] = np.nan, np.nan

    before, after = (crossed_means.contrast_interval(c[:first], c[first:]) for c in (few, many))

    assert not anova.fillable(many[:first])
    assert after.df == pytest.approx(before.df, rel=0.3)
    assert after.std_error == pytest.approx(before.std_error, rel=0.1)


@pytest.mark.parametrize("is_first_lone", [True, False])
def test_a_class_of_one_known_attribute_leaves_the_contrast_without_an_interval(is_first_lone):
    """The estimate is still the difference within the frames that both classes have."""
    lone, other = np.full((3, 4), np.nan), G1 + 7.0
    lone[1] = [1.0, 2.0, 3.0, np.nan]
    sides = (lone, other) if is_first_lone else (other, lone)
    result = crossed_means.contrast_interval(*sides)
    both = [[np.nanmean(side[:, j]) for j in range(3)] for side in sides]
    assert result.estimate == pytest.approx(np.mean(both[0]) - np.mean(both[1]))
    assert np.isnan([result.low, result.high, result.std_error]).all()


def test_an_attribute_without_any_cell_is_not_filled_in():
    """Nothing is known of it: it is left out, and so are its degrees of freedom."""
    cells = oracles.crossed(30, 6, 0)
    cells[4] = np.nan

    found = crossed_means.mean_interval(cells)

    assert not anova.fillable(cells)
    assert found.estimate == pytest.approx(np.delete(cells, 4, axis=0).mean(), rel=1e-12)


def test_one_missing_cell_leaves_the_other_attributes_shrunken_leans_known():
    """The additive fit stands for the gap here as it does in the interval."""
    cells = oracles.crossed(12, 10, 0)
    expected = anova.shrunken(cells)
    cells[3, 3] = np.nan

    found = anova.shrunken(cells)

    others = np.arange(12) != 3
    assert found[others] == pytest.approx(expected[others], abs=0.2)


# What cannot be known


@pytest.mark.parametrize("cells", [np.ones((1, 5)), np.ones((5, 1)), np.full((1, 1), np.nan)])
def test_too_few_of_a_factor_are_refused(cells):
    """A number that cannot be known is an error and never 0."""
    for function in (
        anova.mean_squares,
        crossed_means.mean_interval,
        anova.completed,
        anova.shrunken,
    ):
        with pytest.raises(ValueError, match="expected"):
            function(cells)
    with pytest.raises(ValueError, match="expected"):
        crossed_means.contrast_interval(cells, cells)
    with pytest.raises(ValueError, match="expected"):
        anova.frame_interval(cells[0, :1])


def test_many_missing_cells_are_not_filled():
    """More than a twentieth: what would stand there is no longer a matter of the rest."""
    cells = G1.copy()
    cells[0, 0] = cells[1, 2] = np.nan

    for function in (anova.mean_squares, anova.completed, anova.shrunken):
        with pytest.raises(ValueError, match="missing"):
            function(cells)


def test_cells_that_are_all_unknown_give_no_interval():
    """Unknown in, unknown out, and one class is as bad as both."""
    unknown = np.full((3, 4), np.nan)

    for found in (
        crossed_means.mean_interval(unknown, null_value=0.0),
        crossed_means.contrast_interval(unknown, G1),
        crossed_means.contrast_interval(G1, unknown),
    ):
        assert all(math.isnan(value) for value in oracles.told(found).values())


def test_cells_of_one_frame_alone_give_a_point_without_an_interval():
    """A table with several frames, all but one of them empty: other frames might say anything."""
    cells = np.full((3, 4), np.nan)
    cells[:, 1] = [0.1, 0.2, 0.6]

    found = crossed_means.mean_interval(cells, null_value=0.0)

    assert found.estimate == pytest.approx(0.3)
    assert math.isnan(found.low)
    assert math.isnan(found.p)


def test_classes_with_unequal_frames_are_refused():
    """A contrast stands on the same frames."""
    with pytest.raises(ValueError, match="the same"):
        crossed_means.contrast_interval(np.ones((3, 4)), np.ones((3, 5)))


def test_frames_that_are_all_unknown_are_refused():
    """A mean of nothing is no number, and one unknown attribute is not passed over."""
    values = np.array([[0.2, 0.1, 0.4], [np.nan, 1.0, np.nan]])

    with pytest.raises(ValueError, match="expected"):
        anova.frame_interval(values[1])
    with pytest.raises(ValueError, match="expected"):
        anova.frame_intervals(values)


def test_cells_of_zero_give_a_point_and_p_one():
    """A model against itself: no difference, and no doubt about it."""
    zeros = np.zeros((4, 6))

    for found in (
        crossed_means.contrast_interval(zeros, zeros),
        crossed_means.mean_interval(zeros, null_value=0.0),
        anova.frame_interval(zeros[0], null_value=0.0),
    ):
        assert (found.estimate, found.low, found.high, found.std_error) == (0, 0, 0, 0)
        assert found.p == 1.0
        assert math.isnan(found.df)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, -1.1])
@pytest.mark.parametrize("n", [3, 7, 12])
def test_cells_that_are_all_the_same_do_not_differ_from_their_own_value(value, n):
    """The last binary digit of a mean is no evidence."""
    cells = np.full((n, n), value)

    for found in (
        crossed_means.mean_interval(cells, null_value=value),
        anova.frame_interval(cells[0], null_value=value),
        crossed_means.contrast_interval(cells, cells[:-1]),
    ):
        assert found.std_error == pytest.approx(0.0, abs=1e-15)
        assert found.p == pytest.approx(1.0)


@given(oracles.SEEDS, st.integers(2, 20), st.integers(2, 20), st.integers(2, 20))
def test_a_model_that_does_not_read_the_attribute_has_no_contrast(seed, n_first, n_second, frames):
    """Every attribute has its frame's value: the classes differ by nothing, and so says p."""
    values = np.random.default_rng(seed).normal(size=frames)

    found = crossed_means.contrast_interval(
        np.tile(values, (n_first, 1)), np.tile(values, (n_second, 1))
    )

    assert found.estimate == pytest.approx(0.0, abs=1e-14)
    assert found.p > 0.05


# Properties


@given(TABLES)
def test_swapping_the_groups_negates_the_mean(cells):
    """The interval is mirrored; p value and standard error are the same."""
    ours = crossed_means.mean_interval(cells, null_value=0.0)
    theirs = crossed_means.mean_interval(-cells, null_value=0.0)

    assert (theirs.estimate, theirs.low, theirs.high) == (-ours.estimate, -ours.high, -ours.low)
    assert (theirs.std_error, theirs.df, theirs.p) == (ours.std_error, ours.df, ours.p)


@given(TABLES, oracles.SEEDS)
def test_swapping_the_classes_negates_the_contrast(cells, seed):
    """The interval is mirrored; p value and standard error are the same."""
    other = oracles.crossed(len(cells) + 1, cells.shape[1], seed)
    ours = crossed_means.contrast_interval(cells, other)
    theirs = crossed_means.contrast_interval(other, cells)

    assert (theirs.estimate, theirs.low, theirs.high) == pytest.approx(
        (-ours.estimate, -ours.high, -ours.low), rel=1e-12
    )
    assert (theirs.std_error, theirs.df, theirs.p) == pytest.approx(
        (ours.std_error, ours.df, ours.p), rel=1e-10
    )


@given(TABLES, st.floats(0.01, 100))
def test_another_unit_scales_the_mean_and_leaves_its_test(cells, scale):
    """In nats or in bits: y -> cy."""
    ours = crossed_means.mean_interval(cells, null_value=0.0)
    scaled = crossed_means.mean_interval(scale * cells, null_value=0.0)

    for name in ("estimate", "low", "high", "std_error", "mde"):
        assert getattr(scaled, name) == pytest.approx(scale * getattr(ours, name), rel=1e-9)
    assert (scaled.p, scaled.df) == pytest.approx((ours.p, ours.df), rel=1e-9)


@given(TABLES, oracles.SEEDS)
def test_the_order_of_attributes_and_frames_is_nothing(cells, seed):
    """Rows and columns are names, not places."""
    rng = np.random.default_rng(seed)
    rows, columns = (rng.permutation(n) for n in cells.shape)
    moved = cells[rows][:, columns]

    assert oracles.told(crossed_means.mean_interval(moved, null_value=0.0)) == pytest.approx(
        oracles.told(crossed_means.mean_interval(cells, null_value=0.0)), rel=1e-10, abs=1e-12
    )
    assert anova.shrunken(moved) == pytest.approx(anova.shrunken(cells)[rows], rel=1e-9, abs=1e-12)


@given(TABLES, st.floats(-10, 10))
def test_a_constant_moves_the_mean_and_nothing_else(cells, constant):
    """Location is no part of variance."""
    ours, moved = crossed_means.mean_interval(cells), crossed_means.mean_interval(cells + constant)

    assert moved.estimate == pytest.approx(ours.estimate + constant, abs=1e-12)
    assert (moved.std_error, moved.df) == pytest.approx((ours.std_error, ours.df), rel=1e-8)


@given(oracles.SEEDS, st.integers(2, 20), st.integers(2, 20))
def test_what_all_attributes_share_is_centred_away_exactly(seed, n_attributes, n_frames):
    """A model that does not read the attribute adds nothing to its frame, to the last digit.

    Else the leans beyond the average are what rounding left, each with an interval and a p.
    """
    values = np.random.default_rng(seed).normal(size=n_frames)

    assert not anova.centred(np.tile(values, (n_attributes, 1))).any()


@given(TABLES)
def test_centred_cells_sum_to_nothing_in_every_frame(cells):
    """What an attribute adds to its frame, over the attributes."""
    assert anova.centred(cells).sum(0) == pytest.approx(np.zeros(cells.shape[1]), abs=1e-12)
