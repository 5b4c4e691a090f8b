"""Tests that find nothing where there is nothing, and intervals of shares."""

import numpy as np
import pytest
from scipy import stats

from maskaudit.audit.estimating.statistics import proportions
from maskaudit.audit.proving.validity.numbers import nulls

pytestmark = pytest.mark.slow

REPETITIONS, SEED = 500, 1


@pytest.fixture(scope="module")
def swaps():
    """Both nulls."""
    return nulls.swaps(REPETITIONS, SEED)


@pytest.fixture(scope="module")
def answers():
    """Two equally good models."""
    return nulls.answers(REPETITIONS // 2, SEED)


@pytest.mark.parametrize("design", ["40 × 20", "40 × 8"])
def test_label_swaps_reject_their_own_null_in_at_most_5_of_100_tables(swaps, design):
    """The bar is 6 %, and a point for chance; drawn swaps, and all 256 of 8 frames."""
    assert swaps[f"sharp null, {design}: label swaps"].measured.value <= 0.07


def test_the_two_way_test_of_a_mean_of_zero_rejects_in_about_5_of_100_tables(swaps):
    """Although attributes and frames do lean."""
    assert 0.03 <= swaps["mean zero, 40 × 20: two-way interval"].measured.value <= 0.07


def test_flips_of_cells_reject_a_mean_of_zero_in_about_half_of_all_tables(swaps):
    """They test that no cell leans at all, which is false here."""
    found = swaps["mean zero, 40 × 20: two-way interval"].beside["flips of cells"].value
    assert found == pytest.approx(0.55, abs=0.08)


@pytest.mark.parametrize("n", nulls.ITEMS)
def test_mcnemars_exact_test_keeps_its_level_and_the_unpaired_one_finds_nothing(answers, n):
    """Two thousand pairs of models that are right equally often."""
    row = answers[f"n = {n}"]
    assert row.measured.value <= 0.06
    assert row.beside["unpaired z"].value <= 0.005


@pytest.mark.parametrize(("n", "p"), [(60, 0.5), (60, 0.9), (262, 0.6)])
def test_the_coverage_of_wilsons_interval_is_that_of_the_score_test(n, p):
    """It holds the share where the score test does not reject it: another way to the sum."""
    counts = np.arange(n + 1)
    z = np.abs(counts - n * p) / np.sqrt(n * p * (1 - p))
    expected = stats.binom.pmf(counts[z <= stats.norm.ppf(0.975)], n, p).sum()
    assert nulls._coverage(proportions.wilson, n, p) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n", [60, 262])
def test_the_exact_interval_covers_at_least_95_percent(n):
    """Clopper and Pearson's never covers less."""
    assert nulls._coverage(proportions.exact, n, 0.6) >= 0.95
