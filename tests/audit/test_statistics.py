"""The statistics against published values, other libraries, slow loops and simulated truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from audit import statistics

# Six attributes in four frames: the golden table G1 of the method.
G1 = np.array(
    [
        [0.42, 0.55, 0.10, 0.61],
        [-0.20, 0.05, -0.31, 0.12],
        [0.80, 0.95, 0.52, 1.10],
        [0.15, 0.02, -0.08, 0.40],
        [-0.45, -0.30, -0.62, -0.05],
        [0.33, 0.41, 0.20, 0.58],
    ]
)
TABLES = arrays.arrays(
    np.float64,
    st.tuples(st.integers(2, 7), st.integers(2, 7)),
    elements=st.floats(-5, 5, allow_nan=False, width=32),
)


def test_mean_squares_are_those_of_statsmodels_anova():
    """The two-way table without interaction, by least squares."""
    import pandas as pd

    rows = [(i, j, y) for (i, j), y in np.ndenumerate(G1)]
    frame = pd.DataFrame(rows, columns=["attribute", "frame", "y"])
    table = anova_lm(ols("y ~ C(attribute) + C(frame)", frame).fit())
    expected = table["sum_sq"] / table["df"]

    found = statistics.mean_squares(G1)

    assert found.attribute == pytest.approx(expected["C(attribute)"], rel=1e-9)
    assert found.frame == pytest.approx(expected["C(frame)"], rel=1e-9)
    assert found.residual == pytest.approx(expected["Residual"], rel=1e-9)


def test_the_mean_of_the_golden_table_has_the_published_interval():
    """Values computed with other tools for the same table."""
    found = statistics.mean_interval(G1, null_value=0.0)

    assert found.estimate == pytest.approx(0.2208333, abs=1e-7)
    assert found.std_error == pytest.approx(0.199636, abs=1e-6)
    assert found.df == pytest.approx(7.505659, abs=1e-6)
    assert found.p == pytest.approx(0.302839, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((-0.244860, 0.686527), abs=1e-6)


def _contrast_by_loops(first, second):
    """Variance and degrees of freedom of the contrast, term by term, without arrays."""
    n_frames = len(first[0])
    terms = []
    for cells in (first, second):
        n = len(cells)
        rows = [math.fsum(row) / n_frames for row in cells]
        columns = [math.fsum(row[j] for row in cells) / n for j in range(n_frames)]
        mean = math.fsum(rows) / n
        ms_attribute = n_frames * math.fsum((r - mean) ** 2 for r in rows) / (n - 1)
        ms_residual = math.fsum(
            (cells[i][j] - rows[i] - columns[j] + mean) ** 2
            for i in range(n)
            for j in range(n_frames)
        ) / ((n - 1) * (n_frames - 1))
        terms.append((n, ms_attribute, ms_residual, columns))
    differences = [a - b for a, b in zip(terms[0][3], terms[1][3], strict=True)]
    estimate = math.fsum(differences) / n_frames
    var_d = math.fsum((d - estimate) ** 2 for d in differences) / (n_frames - 1)
    attributes = math.fsum(ms / (n * n_frames) for n, ms, _, _ in terms)
    frames = var_d / n_frames
    residual = math.fsum(ms / (n * n_frames) for n, _, ms, _ in terms)
    welch = math.fsum((ms / (n * n_frames)) ** 2 / (n - 1) for n, ms, _, _ in terms)
    variance = attributes + frames - residual
    if variance < max(attributes, frames):
        if attributes >= frames:
            return estimate, attributes, attributes**2 / welch
        return estimate, frames, n_frames - 1
    spread = (
        welch
        + frames**2 / (n_frames - 1)
        + math.fsum(
            (ms / (n * n_frames)) ** 2 / ((n - 1) * (n_frames - 1)) for n, _, ms, _ in terms
        )
    )
    return estimate, variance, variance**2 / spread


@pytest.mark.parametrize("seed", range(20))
def test_the_contrast_agrees_with_loops_over_its_definition(seed):
    """Unequal classes; in some seeds the noise is such that the floor is met."""
    rng = np.random.default_rng(seed)
    scale = rng.choice([0.0, 0.1, 1.0])
    frames = rng.normal(0, scale, 7)
    first = rng.normal(1, 1, (5, 7)) + frames + rng.normal(0, scale, (5, 1))
    second = rng.normal(0, 1, (3, 7)) - frames + rng.normal(0, scale, (3, 1))
    estimate, variance, df = _contrast_by_loops(first.tolist(), second.tolist())

    found = statistics.contrast_interval(first, second)

    assert found.estimate == pytest.approx(estimate, rel=1e-9)
    assert found.std_error == pytest.approx(math.sqrt(variance), rel=1e-9)
    assert found.df == pytest.approx(df, rel=1e-9)
    assert found.p == pytest.approx(
        2 * stats.t.sf(abs(estimate) / math.sqrt(variance), df), rel=1e-9
    )


def test_the_contrast_of_two_classes_without_frames_effects_is_welch_s_test():
    """With no residual and no frame effect only attributes vary, and the test is Welch's."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(1, 1, 9), rng.normal(0, 2, 6)
    expected = stats.ttest_ind(first, second, equal_var=False)

    found = statistics.contrast_interval(
        np.tile(first[:, None], (1, 8)), np.tile(second[:, None], (1, 8))
    )

    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.df == pytest.approx(expected.df, rel=1e-9)


def _simulated_coverage(n_first, n_second, n_frames, repetitions, seed):
    """Share of intervals that hold the truth, and of naive ones; frames vary by class."""
    rng = np.random.default_rng(seed)
    hits = naive = 0
    n = n_first + n_second
    for _ in range(repetitions):
        frames = rng.normal(0, 0.5, n_frames)
        by_class = rng.normal(0, 0.5, (2, n_frames))
        attributes = rng.normal(0, 0.5, n)
        cells = frames + attributes[:, None] + rng.normal(0, 1, (n, n_frames))
        first = 1 + cells[:n_first] + by_class[0]
        second = cells[n_first:] + by_class[1]
        found = statistics.contrast_interval(first, second)
        hits += found.low <= 1 <= found.high
        half = 1.96 * math.sqrt(first.var(ddof=1) / first.size + second.var(ddof=1) / second.size)
        naive += abs(found.estimate - 1) <= half
    return hits / repetitions, naive / repetitions


def test_the_contrast_s_interval_covers_what_it_says():
    """60 attributes in unequal classes by 20 frames: 94 to 96.5 %.

    Cells taken as independent cover less than 65 %. 4,000 repetitions have a standard error of a
    third of a point.
    """
    coverage, naive = _simulated_coverage(38, 22, 20, 4000, seed=7)

    assert 0.94 <= coverage <= 0.965
    assert naive <= 0.65


@given(TABLES)
def test_swapping_the_classes_negates_the_contrast(cells):
    """The interval is mirrored, the p value is the same."""
    first, second = cells, cells[::-1] * 2 + 1
    ours = statistics.contrast_interval(first, second)
    theirs = statistics.contrast_interval(second, first)

    assert ours.estimate == -theirs.estimate
    assert ours.low == pytest.approx(-theirs.high, abs=1e-12)
    assert ours.std_error == pytest.approx(theirs.std_error, rel=1e-12)


def test_cells_of_zero_give_a_point_and_p_one():
    """A model against itself: no difference, and no doubt about it."""
    zeros = np.zeros((4, 6))

    for found in (
        statistics.contrast_interval(zeros, zeros),
        statistics.mean_interval(zeros, null_value=0.0),
        statistics.frame_interval(zeros[0], null_value=0.0),
    ):
        assert (found.estimate, found.low, found.high, found.std_error) == (0, 0, 0, 0)
        assert found.p == 1.0
        assert math.isnan(found.df)


@pytest.mark.parametrize("cells", [np.ones((1, 5)), np.ones((5, 1)), np.full((3, 3), np.nan)])
def test_too_few_or_missing_cells_are_refused(cells):
    """A number that cannot be known is an error and never 0."""
    with pytest.raises(ValueError, match="expected"):
        statistics.mean_interval(cells)
    with pytest.raises(ValueError, match="expected"):
        statistics.contrast_interval(cells, cells)


def test_classes_with_unequal_frames_are_refused():
    """A contrast stands on the same frames."""
    with pytest.raises(ValueError, match="the same"):
        statistics.contrast_interval(np.ones((3, 4)), np.ones((3, 5)))


def test_the_smallest_detectable_effect_is_found_with_power_eight_tenths():
    """The published multipliers of the standard error at 9 and 19 degrees of freedom."""
    for df, multiplier in ((9, 3.146), (19, 2.954)):
        values = np.random.default_rng(0).normal(size=df + 1)
        found = statistics.frame_interval(values, null_value=0.0)
        assert found.mde / found.std_error == pytest.approx(multiplier, abs=1e-3)


def test_the_mean_over_frames_is_scipy_s_t_test():
    """One attribute: frames are the sample."""
    values = np.random.default_rng(3).normal(0.4, 1, 12)
    expected = stats.ttest_1samp(values, 0.0)
    interval = expected.confidence_interval(0.95)

    found = statistics.frame_interval(values, null_value=0.0)

    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


def _association_by_loops(first, second):
    n, n_frames = first.shape
    total = 0.0
    for j in range(n_frames):
        for k in range(n_frames):
            if j != k:
                total += np.cov(first[:, j], second[:, k])[0, 1]
    assert n > 1
    return total / (n_frames * (n_frames - 1))


@given(TABLES)
def test_association_is_the_mean_covariance_over_pairs_of_different_frames(cells):
    """The closed form against every pair of frames."""
    other = np.roll(cells, 1, axis=0) + 0.3 * cells

    found = statistics.association(cells, other)

    assert found == pytest.approx(_association_by_loops(cells, other), rel=1e-6, abs=1e-6)


def test_association_has_no_noise_floor():
    """Pure noise gives zero on average, where the variance of the means gives 1/J."""
    rng = np.random.default_rng(11)
    found = [statistics.association(*2 * (rng.normal(size=(40, 8)),)) for _ in range(2000)]

    assert abs(np.mean(found)) < 4 * np.std(found) / math.sqrt(2000)


def test_the_shrunken_lean_is_the_mixed_model_s_prediction():
    """BLUP of a balanced two-way table: statsmodels' mixed model with crossed effects."""
    import warnings

    import pandas as pd
    from statsmodels.regression.mixed_linear_model import MixedLM

    rows = [(str(i), str(j), y) for (i, j), y in np.ndenumerate(G1)]
    frame = pd.DataFrame(rows, columns=["attribute", "frame", "y"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = MixedLM.from_formula(
            "y ~ 1",
            frame,
            groups=np.ones(len(frame)),
            vc_formula={"attribute": "0 + C(attribute)", "frame": "0 + C(frame)"},
        ).fit()
    effects = next(iter(fit.random_effects.values()))
    expected = [effects[f"attribute[C(attribute)[{i}]]"] for i in range(6)]

    assert statistics.shrunken(G1) == pytest.approx(expected, rel=1e-3)


def test_attributes_that_do_not_differ_shrink_to_nothing():
    """Where the attributes vary less than noise explains, no one of them leans."""
    noise = np.random.default_rng(2).normal(size=(5, 6))
    same = noise - noise.mean(1, keepdims=True)

    assert statistics.shrunken(same).tolist() == [0.0] * 5


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0])
def test_intervals_of_the_largest_leans_cover_what_they_say(spread):
    """The ten largest of sixty: at most 6 % of the shown intervals miss; of plain ones more do."""
    rng = np.random.default_rng(5)
    level = statistics.selected_level(10, 60)
    missed = plain = 0
    for _ in range(400):
        truth = rng.normal(0, spread, 60)
        cells = rng.normal(0, 0.5, 20) + truth[:, None] + rng.normal(size=(60, 20))
        centred = statistics.centred(cells)
        shown = np.argsort(-abs(statistics.shrunken(cells)))[:10]
        for i in shown:
            target = truth[i] - truth.mean()
            found = statistics.frame_interval(centred[i], level=level)
            missed += not found.low <= target <= found.high
            naive = statistics.frame_interval(centred[i])
            plain += not naive.low <= target <= naive.high

    assert missed / 4000 <= 0.06
    assert plain > missed


@pytest.mark.parametrize(("k", "n"), [(58, 100), (872, 1508), (0, 12), (12, 12)])
def test_the_share_s_interval_is_wilson_s(k, n):
    """Against statsmodels."""
    low, high = proportion_confint(k, n, method="wilson")

    found = statistics.wilson(k, n)

    assert (found.estimate, found.low, found.high) == pytest.approx((k / n, low, high), abs=1e-9)


def test_the_share_of_nothing_is_unknown():
    """No trials: NaN, never 0."""
    assert math.isnan(statistics.wilson(0, 0).estimate)


def test_mcnemar_s_exact_test_is_that_of_statsmodels():
    """34 and 20 discordant pairs: p .075905, as published."""
    first = np.array([True] * 34 + [False] * 20 + [True] * 40)
    second = np.array([False] * 34 + [True] * 20 + [True] * 40)
    expected = statsmodels_mcnemar([[40, 34], [20, 0]], exact=True).pvalue

    assert statistics.mcnemar(first, second) == pytest.approx(expected, rel=1e-9)
    assert statistics.mcnemar(first, second) == pytest.approx(0.075905, abs=1e-6)
    assert statistics.mcnemar(first, first) == 1.0


def test_adjusted_p_values_are_those_of_statsmodels_and_unknown_ones_do_not_count():
    """Benjamini and Hochberg over what was tested."""
    p = np.array([0.0008, 0.0042, 0.011, 0.024, 0.031, 0.048, 0.21, 0.64])
    expected = multipletests(p, method="fdr_bh")[1]

    found = statistics.benjamini_hochberg(np.insert(p, 3, np.nan))

    assert np.delete(found, 3) == pytest.approx(expected, rel=1e-9)
    assert math.isnan(found[3])


def test_a_line_is_numpy_s_least_squares():
    """Slope and intercept by polyfit, r by corrcoef."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=30)
    y = 2 * x + rng.normal(size=30)

    slope, intercept, r = statistics.line(x, y)

    assert (slope, intercept) == pytest.approx(tuple(np.polyfit(x, y, 1)), rel=1e-9)
    assert r == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-9)


def test_the_jackknife_of_a_mean_is_the_t_interval_over_clusters():
    """For a mean the delete-one variance is the usual one: scipy's interval."""
    values = np.random.default_rng(8).normal(1, 2, 15)
    expected = stats.ttest_1samp(values, 0.0)
    interval = expected.confidence_interval(0.95)

    found = statistics.jackknife(values[:, None], lambda means: means[..., 0], null_value=0.0)

    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_the_jackknife_of_a_ratio_agrees_with_leaving_each_cluster_out_by_hand():
    """Hits over trials in clusters of unequal size."""
    hits, trials = np.array([3.0, 1, 8, 2, 5]), np.array([5.0, 4, 9, 2, 11])
    without = [(hits.sum() - h) / (trials.sum() - t) for h, t in zip(hits, trials, strict=True)]
    spread = sum((w - sum(without) / 5) ** 2 for w in without)

    found = statistics.jackknife(
        np.stack([hits, trials], axis=1), lambda means: means[..., 0] / means[..., 1]
    )

    assert found.estimate == pytest.approx(19 / 31)
    assert found.std_error == pytest.approx(math.sqrt(4 / 5 * spread), rel=1e-12)


def test_the_jackknife_of_one_cluster_has_no_interval():
    """One cluster says nothing of others."""
    found = statistics.jackknife(np.ones((1, 1)), lambda means: means[..., 0])

    assert found.estimate == 1.0
    assert math.isnan(found.low)
