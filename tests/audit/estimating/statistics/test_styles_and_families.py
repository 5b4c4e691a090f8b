"""Means over styles and families against loops, other libraries and worlds of known truth."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import meta_analysis
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.oneway import anova_oneway

from maskaudit.audit.estimating.statistics.crossed import anova
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.crossed.alike import alike
from maskaudit.audit.estimating.statistics.crossed.families import (
    family_parts,
    intraclass_correlation,
)
from maskaudit.audit.estimating.statistics.crossed.heterogeneity import heterogeneity
from tests import statistics_oracles as oracles

# Frames of three styles, not in their order and not equally many.
STYLES = ["talk", "work", "talk", "tale", "work", "tale", "talk", "work", "talk"]
FAMILIES = ["care", "care", "", "craft", "craft", "craft", "care", "desk", "desk"]


def contrast_by_loops(first, second, styles):
    """The contrast over styles, its variance and degrees of freedom, term by term."""
    names = sorted(set(styles))
    n = len(names)
    places = {name: [j for j, own in enumerate(styles) if own == name] for name in names}
    d = first.mean(0) - second.mean(0)
    estimate = math.fsum(math.fsum(d[j] for j in places[s]) / len(places[s]) for s in names) / n
    attributes, residuals = [], []
    for cells in (first, second):
        rows = [
            math.fsum(math.fsum(row[j] for j in places[s]) / len(places[s]) for s in names) / n
            for row in cells
        ]
        attributes.append((np.var(rows, ddof=1) / len(rows), len(rows) - 1))
        for s in names:
            block = cells[:, places[s]]
            rest = block - block.mean(0) - block.mean(1, keepdims=True) + block.mean()
            df = (block.shape[0] - 1) * (block.shape[1] - 1)
            square = math.fsum((rest**2).ravel()) / df
            residuals.append((-square / block.size / n**2, df))
    frames = [
        (np.var(d[places[s]], ddof=1) / len(places[s]) / n**2, len(places[s]) - 1) for s in names
    ]
    parts = [*attributes, *frames, *residuals]
    larger = max(attributes, frames, key=lambda own: math.fsum(value for value, _ in own))
    if math.fsum(v for v, _ in parts) < math.fsum(v for v, _ in larger):
        parts = larger
    variance = math.fsum(value for value, _ in parts)
    return estimate, variance, variance**2 / math.fsum(v**2 / df for v, df in parts)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_the_contrast_over_styles_is_that_of_loops(seed, noise):
    """Styles count alike however many frames they have."""
    cells = oracles.crossed(11, 9, seed, frames=0.2, noise=noise)
    first, second = cells[:6], cells[6:] + 0.3
    estimate, variance, df = contrast_by_loops(first, second, STYLES)

    found = crossed_means.contrast_interval(first, second, styles=STYLES)

    reach = stats.t.ppf(0.975, df) * math.sqrt(variance)
    assert found.estimate == pytest.approx(estimate, rel=1e-12)
    assert (found.std_error, found.df) == pytest.approx((math.sqrt(variance), df), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((estimate - reach, estimate + reach), rel=1e-9)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(estimate) / found.std_error, df), rel=1e-9)


def test_one_style_is_no_style_and_the_order_of_frames_decides_nothing():
    """Nor do the names of the styles."""
    cells = oracles.crossed(10, 9, 3)
    alone = crossed_means.contrast_interval(cells[:4], cells[4:])
    assert crossed_means.contrast_interval(cells[:4], cells[4:], styles=["x"] * 9) == alone
    assert crossed_means.mean_interval(
        cells, styles=["x"] * 9, null_value=0.0
    ) == crossed_means.mean_interval(cells, null_value=0.0)
    order = np.random.default_rng(1).permutation(9)
    new = {"talk": "a", "work": "z", "tale": "m"}
    moved = crossed_means.contrast_interval(
        cells[:4, order], cells[4:, order], styles=[new[STYLES[j]] for j in order]
    )
    ours = crossed_means.contrast_interval(cells[:4], cells[4:], styles=STYLES)
    assert oracles.told(moved) == pytest.approx(oracles.told(ours), rel=1e-12)


def test_a_style_asked_with_more_frames_counts_no_more():
    """Twice the same frames of one style leave the estimate; without styles they would move it."""
    cells = oracles.crossed(10, 9, 4)
    talk = [j for j, name in enumerate(STYLES) if name == "talk"]
    more = np.concatenate([cells, cells[:, talk]], axis=1)
    styles = [*STYLES, *["talk"] * len(talk)]
    once = crossed_means.contrast_interval(cells[:5], cells[5:], styles=STYLES)
    twice = crossed_means.contrast_interval(more[:5], more[5:], styles=styles)
    assert twice.estimate == pytest.approx(once.estimate, rel=1e-12)
    plain = [crossed_means.contrast_interval(c[:5], c[5:]).estimate for c in (cells, more)]
    assert abs(plain[0] - plain[1]) > 1e-3


def test_styles_of_a_model_against_itself_are_exactly_nothing():
    """Zero in all, and no rounding noise; for other styles too."""
    cells = np.zeros((6, 9))
    for found in (
        crossed_means.contrast_interval(cells[:3], cells[3:], styles=STYLES),
        crossed_means.mean_interval(cells, styles=STYLES, null_value=0.0),
        anova.frame_interval(cells[0], styles=STYLES, null_value=0.0),
    ):
        assert (found.estimate, found.low, found.high, found.p) == (0, 0, 0, 1)


@pytest.mark.parametrize("missing", [2, 25])
def test_gaps_leave_the_estimate_of_styles_near_its_truth(missing):
    """Few gaps are filled, many are clustered; the class and style effects cancel in neither."""
    cells = oracles.crossed(20, 45, 5, noise=0.05, frames=0.05)
    styles = STYLES * 5
    shift = np.array([{"talk": 0.0, "work": 1.0, "tale": 3.0}[name] for name in styles])
    cells[:10] += shift
    full = crossed_means.contrast_interval(cells[:10], cells[10:], styles=styles)
    holes = oracles.without(cells, missing * 9, 2)
    found = crossed_means.contrast_interval(holes[:10], holes[10:], styles=styles)
    assert found.estimate == pytest.approx(full.estimate, abs=0.25)
    assert found.std_error == pytest.approx(full.std_error, rel=0.3)


@pytest.mark.parametrize("n_styles", [5, 8])
def test_the_interval_for_other_styles_is_the_contrast_of_the_means_within_styles(n_styles):
    """Where styles differ; where they do not, it is no narrower than that for these styles."""
    rng = np.random.default_rng(n_styles)
    styles = [f"s{s}" for s in range(n_styles) for _ in range(8)]
    cells = oracles.crossed(12, len(styles), 2)
    apart = cells.copy()
    apart[:6] += np.repeat(rng.normal(0, 1, n_styles), 8)
    means = apart.reshape(12, n_styles, 8).mean(2)
    expected = crossed_means.contrast_interval(means[:6], means[6:])
    found = crossed_means.other_styles(apart[:6], apart[6:], styles=styles)
    assert oracles.told(found) == pytest.approx(oracles.told(expected), rel=1e-9)
    these = crossed_means.contrast_interval(cells[:6], cells[6:], styles=styles)
    others = crossed_means.other_styles(cells[:6], cells[6:], styles=styles)
    assert others.std_error >= these.std_error
    assert others.estimate == pytest.approx(these.estimate, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_both_intervals_of_styles_cover_what_they_say(spread):
    """These styles: their own average; other styles: the average of all styles there could be."""
    rng = np.random.default_rng(7)
    n, size, repetitions = 5, 8, 400
    styles = [f"s{s}" for s in range(n) for _ in range(size)]
    held = np.zeros(2)
    for _ in range(repetitions):
        effects = rng.normal(0, spread * 0.3, n)
        cells = rng.normal(0, 0.7, (24, 1)) + rng.normal(0, 0.7, (24, n * size))
        cells[:12] += np.repeat(effects, size) + rng.normal(0, 0.3, n * size)
        these = crossed_means.contrast_interval(cells[:12], cells[12:], styles=styles)
        others = crossed_means.other_styles(cells[:12], cells[12:], styles=styles)
        held += [these.low <= effects.mean() <= these.high, others.low <= 0 <= others.high]
    # Three Monte-Carlo errors around .95.
    assert held / repetitions == pytest.approx(0.95, abs=0.033)


# Families


@pytest.mark.parametrize("seed", range(4))
def test_mean_squares_of_families_are_those_of_one_way_analysis(seed):
    """Their intraclass correlation and its F test by statsmodels, of unbalanced families."""
    rng = np.random.default_rng(seed)
    own = [name or f"{i}" for i, name in enumerate(FAMILIES)]
    effects = {name: rng.normal() for name in sorted(set(own))}
    values = np.array([effects[name] + rng.normal(0, 0.5) for name in own])
    rows = pd.DataFrame({"y": values, "family": own})
    table = anova_lm(smf.ols("y ~ C(family)", rows).fit())
    between, within = table["sum_sq"] / table["df"]
    sizes = rows["family"].value_counts().to_numpy()
    n0 = (len(own) - (sizes**2).sum() / len(own)) / (len(sizes) - 1)

    found = intraclass_correlation(values, FAMILIES)

    assert found.estimate == pytest.approx((between - within) / (between + (n0 - 1) * within))
    assert found.p == pytest.approx(table["PR(>F)"]["C(family)"])
    variance = math.fsum(value for value, _ in family_parts(values, FAMILIES))
    effect = (between - within) / n0
    expected = within / len(own) + effect * (sizes**2).sum() / len(own) ** 2
    assert variance == pytest.approx(expected if effect > 0 else values.var(ddof=1) / len(own))


def test_equal_families_are_a_sample_of_their_means():
    """The variance of the families' means over their number, with as many degrees less one."""
    rng = np.random.default_rng(2)
    values = np.repeat(rng.normal(0, 2, 5), 4) + rng.normal(0, 0.3, 20)
    (between, df), (within, _) = family_parts(values, [f"f{i // 4}" for i in range(20)])
    means = values.reshape(5, 4).mean(1)
    assert between + within == pytest.approx(means.var(ddof=1) / 5)
    assert df == 4


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=9))
def test_a_family_for_each_attribute_is_no_family(values):
    """Named or not; and one family for all of them is refused."""
    means = np.array(values)
    alone = family_parts(means)
    assert family_parts(means, [f"f{i}" for i in range(len(means))]) == alone
    assert family_parts(means, [""] * len(means)) == alone
    with pytest.raises(ValueError, match="at least two families"):
        family_parts(means, ["f"] * len(means))
    assert math.isnan(intraclass_correlation(means, ["f"] * len(means)).estimate)


@pytest.mark.slow
def test_declared_families_give_back_the_coverage_that_undeclared_ones_cost():
    """Four and five families of 22 attributes each, intraclass correlation .47."""
    rng = np.random.default_rng(11)
    families = [[f"f{i % k}" for i in range(22)] for k in (4, 5)]
    held = np.zeros(2)
    repetitions = 500
    for _ in range(repetitions):
        classes = []
        for own in families:
            effect = {name: rng.normal(0, math.sqrt(0.47)) for name in sorted(set(own))}
            leans = np.array([effect[name] for name in own]) + rng.normal(0, math.sqrt(0.53), 22)
            classes.append(leans[:, None] + rng.normal(0, 0.5, (22, 12)))
        for place, declared in enumerate(((None, None), tuple(families))):
            found = crossed_means.contrast_interval(*classes, families=declared)
            held[place] += found.low <= 0 <= found.high
    undeclared, declared = held / repetitions
    assert undeclared < 0.85
    assert declared >= 0.93 - 0.03


# Heterogeneity


@pytest.mark.parametrize("seed", range(5))
def test_the_test_of_styles_is_that_of_welch_and_their_spread_that_of_dersimonian_and_laird(seed):
    """By statsmodels, from the values that the means and variances are of."""
    rng = np.random.default_rng(seed)
    samples = [rng.normal(rng.normal(0, 0.5), 0.3 + 0.2 * s, 6 + s) for s in range(5)]
    means = [own.mean() for own in samples]
    variances = [own.var(ddof=1) / len(own) for own in samples]

    found = heterogeneity(
        means, [(v, len(own) - 1.0) for v, own in zip(variances, samples, strict=True)]
    )

    welch = anova_oneway(samples, use_var="unequal", welch_correction=True)
    pooled = meta_analysis.combine_effects(np.array(means), np.array(variances), method_re="dl")
    assert found.p == pytest.approx(welch.pvalue, rel=1e-9)
    assert (found.q, found.df) == pytest.approx((pooled.q, 4.0))
    assert found.spread == pytest.approx(math.sqrt(max(0.0, pooled.tau2)))


def test_nothing_is_said_of_styles_that_do_not_vary_or_are_fewer_than_two():
    """Then there is nothing to compare."""
    for estimates, errors in (([0.1], [(0.1, 5.0)]), ([0.1, 0.2], [(0.0, 5.0), (0.1, 5.0)])):
        assert all(math.isnan(value) for value in vars(heterogeneity(estimates, errors)).values())


# Rows that behave as one


def unexplained(cells, whole, *, in_one=False):
    """Return what a regression of each row on the columns' means in the whole table leaves.

    With `in_one`, the columns are first given the same spread.
    """
    table = cells / np.sqrt((cells**2).mean(0)) if in_one else cells
    table = table - table.mean(0)
    slopes = np.column_stack([np.ones(len(whole.T)), whole.mean(0)])
    return table - (slopes @ np.linalg.lstsq(slopes, table.T, rcond=None)[0]).T


def test_a_near_copy_is_named_and_no_other_pair():
    """Two of twelve frames share most of what attributes do not explain."""
    rng = np.random.default_rng(0)
    cells = rng.normal(0, 1, (12, 40)) + rng.normal(0, 1, 40)
    cells[7] = cells[3] + rng.normal(0, 0.2, 40)

    found = alike(cells, [np.arange(12)], [np.arange(40)], np.random.default_rng(1), "rows")

    assert [pair[:2] for pair in found.pairs] == [(3, 7)]
    correlations = np.corrcoef(unexplained(unexplained(cells, cells), cells, in_one=True))
    assert found.pairs[0][2] == pytest.approx(correlations[3, 7], abs=1e-9)
    assert found.share == pytest.approx(np.linalg.eigvalsh(correlations)[-1] / 12)
    assert found.p < 0.05


@pytest.mark.slow
def test_independent_rows_are_called_alike_one_time_in_twenty():
    """By their largest eigenvalue, and by any pair; with columns in two groups as well."""
    rng = np.random.default_rng(3)
    halves = [np.arange(10), np.arange(10, 20)]
    called = np.zeros(2)
    for number in range(200):
        cells = rng.normal(0, 1, (8, 20)) + np.repeat(rng.normal(0, 1, (8, 2)), 10, axis=1)
        found = alike(cells, [np.arange(8)], halves, np.random.default_rng(number), "rows")
        called += [found.p <= 0.05, bool(found.pairs)]
    assert (called / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)).all()
    assert (called > 0).all()


def test_rows_in_another_order_are_as_alike():
    """Each pair follows its names; few or constant rows are not compared."""
    cells = oracles.crossed(9, 30, 6)
    order = np.random.default_rng(2).permutation(9)
    ours = alike(cells, [np.arange(9)], [np.arange(30)], np.random.default_rng(5), "rows")
    moved = alike(cells[order], [np.arange(9)], [np.arange(30)], np.random.default_rng(5), "rows")
    assert moved.share == pytest.approx(ours.share)
    named = {frozenset(order[list(pair[:2])].tolist()) for pair in moved.pairs}
    assert named == {frozenset(pair[:2]) for pair in ours.pairs}
    for few in (cells[:2], np.zeros((5, 30))):
        assert (
            alike(few, [np.arange(len(few))], [np.arange(30)], np.random.default_rng(5), "rows")
            is None
        )


def test_every_pair_of_frames_counts_once():
    """The number of pairs is that of combinations, the first row the smaller."""
    rng = np.random.default_rng(9)
    shared = rng.normal(0, 1, 30)
    cells = np.concatenate([shared + rng.normal(0, 0.05, (3, 30)), rng.normal(0, 1, (3, 30))])
    found = alike(cells, [np.arange(6)], [np.arange(30)], np.random.default_rng(5), "rows")
    assert {pair[:2] for pair in found.pairs} >= set(itertools.combinations(range(3), 2))
    assert all(i < j for i, j, _ in found.pairs)


def least_squares_of_blocks(whole, rows, columns, stretching):
    """Return what reads a table: what least squares leaves of each block, twice.

    A mean of each row and column, and a slope of each that stretches on the other's effects in the
    whole table. In between, all of those others are given the same spread.
    """
    blocks = []
    for own, across in itertools.product(rows, columns):
        i, j = np.indices((len(own), len(across))).reshape(2, -1)
        means = whole[np.ix_(own, across)].mean(0 if stretching == "rows" else 1)
        effect, which = (means[j], i) if stretching == "rows" else (means[i], j)
        dummies = [pd.get_dummies(place).to_numpy(float) for place in (i, j, which)]
        terms = np.hstack([*dummies[:2], dummies[2] * effect[:, None]])
        blocks.append((np.ix_(own, across), np.eye(len(i)) - terms @ np.linalg.pinv(terms)))

    def left(table):
        found = np.empty(table.shape)
        for places, makes_residuals in blocks:
            block = table[places]
            found[places] = (makes_residuals @ block.ravel()).reshape(block.shape)
        return found

    def read(table):
        first = left(table)
        axis = 0 if stretching == "rows" else 1
        return left(first / np.sqrt((first**2).mean(axis, keepdims=True)))

    return read


@pytest.mark.parametrize("stretching", ["rows", "columns"])
def test_all_that_is_drawn_is_that_of_tables_drawn_one_by_one(stretching):
    """The same signs, and the same numbers to rounding; frames of two styles in mixed order."""
    rng = np.random.default_rng(4)
    cells = rng.normal(0, 1, (7, 9)) + rng.normal(0, 1, (7, 1)) * rng.normal(1, 0.3, 9)
    cells[:, 5] = cells[:, 1] + rng.normal(0, 0.1, 7)
    one, two = [np.arange(7)], [np.array([0, 2, 5, 7]), np.array([1, 3, 4, 6, 8])]
    if stretching == "rows":  # frames are those that stretch, as rows here
        cells, one, two = cells.T, two, one
    found = alike(cells, one, two, np.random.default_rng(8), stretching)

    n = len(cells)
    read = least_squares_of_blocks(cells, one, two, stretching)
    residuals = read(cells)
    generator, largest, highest = np.random.default_rng(8), [], []
    for _ in range(199):
        signs = 2 * generator.integers(0, 2, cells.shape) - 1
        drawn = read(signs * residuals)
        drawn /= np.sqrt((drawn**2).sum(1, keepdims=True))
        correlations = drawn @ drawn.T
        largest.append(np.linalg.eigvalsh(correlations)[-1])
        highest.append(max(correlations[pair] for pair in itertools.combinations(range(n), 2)))
    scaled = residuals / np.sqrt((residuals**2).sum(1, keepdims=True))
    observed = scaled @ scaled.T
    top = np.linalg.eigvalsh(observed)[-1]
    assert found.share == pytest.approx(top / n, abs=1e-12)
    assert found.by_chance == pytest.approx(np.mean(largest) / n, abs=1e-12)
    assert found.p == (1 + sum(value >= top for value in largest)) / 200
    threshold = sorted(highest)[189]
    pairs = {
        pair: observed[pair]
        for pair in itertools.combinations(range(n), 2)
        if observed[pair] > threshold
    }
    assert {pair[:2]: pytest.approx(pair[2], abs=1e-12) for pair in found.pairs} == pairs
