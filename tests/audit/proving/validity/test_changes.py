"""Few steady years ever show a change point, though a test of one look shows one in many."""

import numpy as np
import pytest
from scipy import stats

from maskaudit.audit.proving.validity.verdicts import changes

REPETITIONS, SEED = 400, 1


@pytest.fixture(scope="module")
def table():
    """Change points looked at every week."""
    return changes.tables(REPETITIONS, SEED)[0]


@pytest.mark.slow
def test_steady_years_rarely_show_a_change_and_steps_are_found(table):
    """At most 5 of 100, give or take; a test of one look in a third of them and more."""
    row = table["steady, normal: ever shown"]
    assert row.measured.value <= 0.05
    assert row.beside["a test of one look, every week"].value > 0.3
    assert table["a step of 2 SD in week 27: shown within 26 weeks"].measured.value > 0.95


def test_the_largest_step_is_that_of_the_largest_t():
    """Of scipy's tests of two means at every place: t²/(t² + n - 2)."""
    values = np.random.default_rng(2).normal(size=changes.WEEKS)
    found = changes._largest(values[None])[0]
    for look, n in ((0, 12), (40, 52)):
        t = [
            stats.ttest_ind(values[:place], values[place:n]).statistic for place in range(2, n - 1)
        ]
        assert found[look] == pytest.approx(max(x**2 / (x**2 + n - 2) for x in t), rel=1e-9)


def test_correlated_weeks_have_the_correlation_and_variance_they_are_drawn_with():
    """Of neighbours, over many series."""
    series = changes._correlated(0.5)(np.random.default_rng(3), (4000, 20))
    assert np.corrcoef(series[:, 10], series[:, 11])[0, 1] == pytest.approx(0.5, abs=0.05)
    assert series[:, 19].var() == pytest.approx(1, abs=0.08)
