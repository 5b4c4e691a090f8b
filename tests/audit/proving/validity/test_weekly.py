"""A year of weekly audits raises few false alarms and finds a shift within weeks."""

import numpy as np
import pytest

from maskaudit.audit.estimating.statistics.crossed.anova import frame_interval
from maskaudit.audit.proving.validity.verdicts import weekly

REPETITIONS, SEED = 10_000, 1
ERRORS = ["10 frames", "20 frames", "known"]


@pytest.fixture(scope="module")
def tables():
    """Alarms, and weeks."""
    return weekly.weekly(REPETITIONS, SEED)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.slow
def test_an_unchanged_model_raises_an_alarm_in_few_years(tables, error):
    """In at most 5 of 100."""
    assert tables[0][f"unchanged, {error}: any alarm"].measured.value <= 0.05


@pytest.mark.slow
def test_repeated_tests_raise_an_alarm_in_nearly_every_year(tables):
    """One minus .95 to the 52nd; and an interval of all weeks so far in every third."""
    row = tables[0]["unchanged, known: any alarm"]
    assert row.beside["95 % test every week"].value == pytest.approx(1 - 0.95**52, abs=0.01)
    assert row.beside["z of all weeks so far"].value == pytest.approx(0.323, abs=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("error", ERRORS)
def test_a_shift_of_one_weekly_standard_error_is_found_within_the_year(tables, error):
    """In 99 of 100 years, and in half of them by week 10."""
    assert tables[0][f"shifted from week 1, {error}: found"].measured.value >= 0.99
    assert tables[1][f"shifted from week 1, {error}"].measured.value <= 10


@pytest.mark.parametrize("frames", [10, 20])
def test_the_variance_of_a_week_is_that_of_the_audits_own_interval(frames):
    """The interval over frames, of which an audit takes it; standard error 1 on average."""
    estimates, variances = weekly._series(frames, 3, np.random.default_rng(2))
    cells = np.sqrt(frames) * np.random.default_rng(2).standard_normal((3, weekly.WEEKS, frames))
    for series in range(3):
        for week in (0, 51):
            found = frame_interval(cells[series, week])
            assert estimates[series, week] == pytest.approx(found.estimate, rel=1e-12)
            assert variances[series, week] == pytest.approx(found.std_error**2, rel=1e-12)
    _, many = weekly._series(frames, 500, np.random.default_rng(2))
    assert many.mean() == pytest.approx(1.0, abs=0.02)


def test_the_error_of_a_median_is_that_of_its_rank():
    """Of weeks 1 to 100: the rank of the median has a standard error of 5."""
    found = weekly._median(np.arange(1.0, 101.0))
    assert (found.value, found.error) == (50.5, pytest.approx(5, abs=1))
