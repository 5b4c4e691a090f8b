"""Slope, amplification, association, magnitude and yardstick in worlds of known truth."""

import numpy as np
import pytest

from maskaudit.audit.proving.validity.numbers import relations

pytestmark = pytest.mark.slow

# `make validity` has 10,000 of each. A floor of noise and a yardstick are cheap, and measured to
# .001; the estimates of students are not. At 800 a coverage has a standard error of .8 points: one
# of 89 % falls below the window, and so does the median of intervals a quarter too narrow.
REPETITIONS, OF_STUDENTS, SEED = 2500, 800, 1
KAPPAS = ["κ 0.7", "κ 1", "κ 1.3", "κ 1.5"]


@pytest.fixture(scope="module")
def inherited():
    """Estimates by truth, what is found of no amplification, and coverage."""
    return relations.inherited(OF_STUDENTS, SEED)


@pytest.fixture(scope="module")
def floor():
    """Models that do not lean."""
    return relations.noise_floor(REPETITIONS, SEED)


@pytest.fixture(scope="module")
def lines():
    """The yardstick."""
    return relations.lines(REPETITIONS, SEED)


@pytest.mark.parametrize("number", ["slope", "κ"])
@pytest.mark.parametrize("kappa", KAPPAS)
def test_the_mean_estimate_is_within_3_percent_of_the_truth(inherited, kappa, number):
    """For students that lean less far than their teacher, as far, and further."""
    assert inherited[0][f"{kappa}: {number}"].measured.value == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("what", ["κ less 1", "log κ", "slope less 1"])
def test_no_amplification_is_found_where_there_is_none(inherited, what):
    """At most .01, although the student is the noisier of the two."""
    assert abs(inherited[1][what].measured.value) <= 0.01


def test_what_is_usually_computed_finds_amplification_where_there_is_none(inherited):
    """The student's noise makes its leans look larger: by the formula, and as measured."""
    by_noise = np.sqrt((0.36 + 1.96 / 20) / (0.36 + 1 / 20)) - 1
    naive = inherited[1]["ratio of the spreads of mean leans, less 1"].measured
    assert naive.value == pytest.approx(by_noise, abs=0.01)
    size = inherited[1]["mean size of the student's leans less the teacher's, nats"].measured
    expected = np.sqrt(2 / np.pi * 59 / 60) * (np.sqrt(0.36 + 1.96 / 20) - np.sqrt(0.36 + 1 / 20))
    assert size.value == pytest.approx(expected, abs=5 * size.error)


@pytest.mark.parametrize("number", ["slope", "log κ"])
@pytest.mark.parametrize("kappa", KAPPAS)
def test_intervals_of_slope_and_log_kappa_hold_the_truth(inherited, kappa, number):
    """The bar is 92.5 to 96.5 %, and a point for chance on either side."""
    assert 0.915 <= inherited[2][f"{kappa}: {number}"].measured.value <= 0.975


@pytest.mark.parametrize("frames", [5, 20, 80])
@pytest.mark.parametrize("what", ["association", "magnitude"])
def test_nothing_is_found_of_models_that_do_not_lean(floor, what, frames):
    """The mean is zero, as far as so many tables can tell."""
    found = floor[f"{what}, 60 × {frames}"].measured
    assert abs(found.value) <= 4 * found.error
    assert found.error < 0.001


@pytest.mark.parametrize("frames", [5, 20, 80])
def test_mean_sizes_have_a_floor_of_noise(floor, frames):
    """A mean of normal noise has a mean size of sqrt(2/(pi J)) and a mean square of 1/J."""
    beside = floor[f"magnitude, 60 × {frames}"].beside
    size, square = beside["mean size of a lean"].value, beside["mean square of a lean"].value
    assert size == pytest.approx(np.sqrt(2 / np.pi / frames), rel=0.01)
    assert square == pytest.approx(1 / frames, rel=0.01)


@pytest.mark.parametrize("design", ["60 × 20", "60 × 10"])
def test_the_slope_over_a_yardstick_is_covered(lines, design):
    """The bar is 94 to 96.5 %, and a point for chance; over cells as independent it is not."""
    row = lines[f"slope, {design}"]
    assert 0.93 <= row.measured.value <= 0.975
    assert row.beside["cells as independent"].value < 0.7


def test_intervals_beside_the_headline_hold_the_truth_nine_times_in_ten():
    """They are approximate, less so with few attributes, and the document says how much."""
    table = relations.other_intervals(1000, SEED)
    few = [row.measured.value for row in table.rows if "24 × 26" in row.what]
    assert len(few) == 3
    assert min(few) > 0.83
    assert min(row.measured.value for row in table.rows if "24 × 26" not in row.what) > 0.87


def test_where_less_is_claimed_the_estimates_still_come_near():
    """Ten frames, and a kappa that varies: within 5 % of the truth, at 1,000 tables."""
    table = relations.harder(1000, SEED)
    for row in table.rows:
        assert row.beside["mean estimate by truth"].value == pytest.approx(1.0, abs=0.05)
        assert row.measured.value > 0.88


def test_what_is_shown_of_a_weak_student_is_too_large_and_its_slope_is_not():
    """κ is shown of tables whose student came out strong; the slope asks for a strong teacher."""
    shown = relations.weak(80, SEED)
    kappa = shown["κ 0.5, leans of SD 0.4: log κ"].beside
    assert kappa["shown"].value < 0.5
    assert kappa["mean estimate by truth"].value > 1.15
    slope = shown["κ 0.5, leans of SD 0.4: slope"].beside
    assert slope["shown"].value > 0.8
    assert slope["mean estimate by truth"].value == pytest.approx(1, abs=0.15)
