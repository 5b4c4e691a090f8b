"""Adjusted p values against statsmodels, scipy and published values; the level of a selection."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from statsmodels.stats.multitest import multipletests

from maskaudit.audit.estimating.statistics import multiplicity
from maskaudit.audit.estimating.statistics.crossed import anova

EIGHT = np.array([0.0008, 0.0042, 0.011, 0.024, 0.031, 0.048, 0.21, 0.64])
METHODS = [
    (
        multiplicity.benjamini_hochberg,
        "fdr_bh",
        [0.0064, 0.0168, 0.029333, 0.048, 0.0496, 0.064, 0.24, 0.64],
    ),
    (
        multiplicity.benjamini_yekutieli,
        "fdr_by",
        [0.017394, 0.04566, 0.079724, 0.130457, 0.134806, 0.173943, 0.652286, 1.0],
    ),
    (multiplicity.holm, "holm", [0.0064, 0.0294, 0.066, 0.12, 0.124, 0.144, 0.42, 0.64]),
]
EACH = pytest.mark.parametrize(
    ("adjust", "method"), [own[:2] for own in METHODS], ids=[own[1] for own in METHODS]
)
P_VALUES = arrays.arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1))


@pytest.mark.parametrize(("adjust", "method", "published"), METHODS)
def test_the_published_p_values_are_adjusted_as_published(adjust, method, published):
    """Eight tests, five of them rejected by BH at .05; statsmodels says the same."""
    found = adjust(EIGHT)

    assert found == pytest.approx(np.array(published), abs=6e-7)
    assert found == pytest.approx(multipletests(EIGHT, method=method)[1], rel=1e-9)
    if method == "fdr_bh":
        assert (found < 0.05).sum() == 5


@EACH
@pytest.mark.parametrize("size", [1, 7, 200])
def test_adjusted_p_values_are_those_of_statsmodels(adjust, method, size):
    """Drawn anew, a fifth of them small, with ties and the ends among the largest."""
    rng = np.random.default_rng(size)
    p = np.where(rng.random(size) < 0.2, rng.random(size) / 1000, rng.random(size)).round(4)
    p[: size // 100] = [0.0, 1.0][: size // 100]

    assert adjust(p) == pytest.approx(multipletests(p, method=method)[1], rel=1e-9, abs=1e-300)


def _by_definition(p, method):
    """Each adjusted p from every threshold t at which it could be rejected."""
    m = len(p)
    harmonic = sum(1 / k for k in range(1, m + 1)) if method == "fdr_by" else 1.0
    found = []
    for own in p:
        if method == "holm":
            steps = [t * sum(q >= t for q in p) for t in p if t <= own]
            found.append(min(1.0, max(steps)))
        else:
            rates = [t * m * harmonic / sum(q <= t for q in p) for t in p if t >= own]
            found.append(min(1.0, *rates))
    return found


@EACH
@given(p=P_VALUES)
@pytest.mark.slow
def test_adjusted_p_values_are_their_definitions(adjust, method, p):
    """The least false discovery rate, or the largest step so far, by loops over thresholds."""
    expected = np.array(_by_definition(p.tolist(), method))

    assert adjust(p) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@EACH
@given(p=P_VALUES, seed=st.integers(0, 2**32 - 1))
def test_unknown_ones_stay_unknown_and_are_not_counted(adjust, method, p, seed):
    """NaN among the rest changes none of the rest."""
    rng = np.random.default_rng(seed)
    places = np.sort(rng.integers(0, len(p) + 1, 3))
    mixed = np.insert(p, places, np.nan)

    found = adjust(mixed)

    assert method
    assert np.isnan(found).tolist() == np.isnan(mixed).tolist()
    assert found[~np.isnan(mixed)].tolist() == adjust(p).tolist()


@EACH
def test_nothing_known_is_nothing_adjusted(adjust, method):
    """No test: no p value, and no crash."""
    assert method
    assert np.isnan(adjust(np.full(3, np.nan))).all()
    assert adjust(np.empty(0)).shape == (0,)


@EACH
@given(p=P_VALUES, seed=st.integers(0, 2**32 - 1))
@pytest.mark.slow
def test_adjusting_keeps_the_order_and_makes_nothing_smaller(adjust, method, p, seed):
    """In the tests' own order, whatever it is."""
    order = np.random.default_rng(seed).permutation(len(p))

    found = adjust(p)

    assert method
    assert adjust(p[order]) == pytest.approx(found[order], rel=1e-12, abs=1e-300)
    assert (found >= p * (1 - 1e-12)).all()
    assert (found <= 1).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= -1e-12).all()


@EACH
def test_one_test_is_not_adjusted(adjust, method):
    """A family of one."""
    assert method
    assert adjust(np.array([0.03])) == pytest.approx([0.03])


def test_the_level_of_what_was_selected_is_the_published_one():
    """The ten largest of sixty: 1 - .05/6; all of them: the level itself."""
    assert multiplicity.selected_level(10, 60) == pytest.approx(1 - 0.05 / 6)
    assert multiplicity.selected_level(60, 60) == pytest.approx(0.95)
    assert multiplicity.selected_level(3, 12, level=0.9) == pytest.approx(0.975)


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0])
@pytest.mark.slow
def test_intervals_of_the_largest_leans_cover_what_they_say(spread):
    """The ten largest of sixty: at most 6 % of the shown intervals miss; of plain ones more do."""
    rng = np.random.default_rng(5)
    level = multiplicity.selected_level(10, 60)
    missed = plain = 0
    for _ in range(400):
        truth = rng.normal(0, spread, 60)
        cells = rng.normal(0, 0.5, 20) + truth[:, None] + rng.normal(size=(60, 20))
        centred = anova.centred(cells)
        shown = np.argsort(-abs(anova.shrunken(cells)))[:10]
        for i in shown:
            target = truth[i] - truth.mean()
            found = anova.frame_interval(centred[i], level=level)
            missed += not found.low <= target <= found.high
            naive = anova.frame_interval(centred[i])
            plain += not naive.low <= target <= naive.high

    assert missed / 4000 <= 0.06
    assert plain > missed


@EACH
@given(p=P_VALUES)
def test_the_rate_of_false_discoveries_is_that_of_scipy_to_the_bit(adjust, method, p):
    """Records keep their adjusted p values, whichever library they were made with."""
    if method != "holm":
        expected = stats.false_discovery_control(p, method=method.removeprefix("fdr_"))
        assert adjust(p).tolist() == expected.tolist()
