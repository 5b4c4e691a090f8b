"""Intervals of means and contrasts hold the truth as often as they say."""

import numpy as np
import pytest

from maskaudit.audit.estimating.statistics.interval import Interval
from maskaudit.audit.proving.validity.numbers import intervals

pytestmark = pytest.mark.slow

# A window is one point wider on either side than the bar of docs/validity.md.
REPETITIONS, SEED = 600, 1
DESIGNS = [
    "mean, 60 × 10",
    "mean, 60 × 20",
    "mean, 40 × 30",
    "mean, 24 × 8",
    "contrast, 30 + 30 × 10",
    "contrast, 40 + 20 × 10",
    "contrast, 30 + 30 × 20",
    "contrast, 40 + 20 × 20",
    "contrast, 20 + 20 × 30",
    "contrast, 26 + 14 × 30",
    "contrast, 12 + 12 × 8",
    "contrast, 16 + 8 × 8",
]


@pytest.fixture(scope="module")
def crossed():
    """Both tables of plain crossed designs."""
    return intervals.crossed(REPETITIONS, SEED)


@pytest.fixture(scope="module")
def harder():
    """Worlds that the method does not assume."""
    return intervals.harder(REPETITIONS, SEED)


@pytest.fixture(scope="module")
def names():
    """Names with an SD of .5."""
    return intervals.names(REPETITIONS, SEED, (0.5,))


@pytest.fixture(scope="module")
def missing():
    """Tables with gaps."""
    return intervals.missing(REPETITIONS // 2, SEED)


@pytest.mark.parametrize("what", DESIGNS)
def test_a_95_percent_interval_holds_the_truth_in_about_95_of_100_tables(crossed, what):
    """Of attributes and frames that were both sampled."""
    assert 0.93 <= crossed[0][what].measured.value <= 0.975


@pytest.mark.parametrize("side", ["lower", "upper"])
@pytest.mark.parametrize("what", DESIGNS)
def test_each_95_percent_bound_alone_holds_in_about_95_of_100_tables(crossed, what, side):
    """A gate stands on one of them."""
    assert 0.93 <= crossed[1][f"{what}: {side}"].measured.value <= 0.97


@pytest.mark.parametrize("what", DESIGNS)
def test_cells_taken_as_independent_are_found_out(crossed, what):
    """An interval that forgets clusters holds the truth in less than 65 of 100 tables."""
    assert crossed[0][what].beside[intervals.NAIVE].value <= 0.66


def test_an_interval_over_cells_that_are_independent_is_not_much_too_wide(harder):
    """Where there are no clusters, looking for them costs a little."""
    assert 0.94 <= harder["mean, 60 × 20, no clusters"].measured.value <= 0.985


def test_an_interval_over_cells_as_independent_is_right_where_they_are(harder):
    """The naive method beside is a correct one, of another world."""
    naive = harder["mean, 60 × 20, no clusters"].beside[intervals.NAIVE].value
    assert naive == pytest.approx(0.95, abs=0.012)


def test_a_contrast_in_frames_that_move_both_classes_alike_is_covered(harder):
    """What the classes share does not make it wider."""
    what = "contrast, 30 + 30 × 20, frames move both classes alike"
    assert 0.93 <= harder[what].measured.value <= 0.975


def test_the_contrast_of_lognormal_effects_is_covered_nearly_as_often(harder):
    """A few effects are much larger than all others."""
    assert harder["contrast, 30 + 30 × 20, lognormal"].measured.value >= 0.905


@pytest.mark.parametrize("kind", ["mean", "contrast"])
def test_names_are_allowed_for(names, kind):
    """For new names as well as new attributes and frames."""
    what = f"{kind}, 40 × 20 × 15 names a group, name SD 0.5"
    assert 0.92 <= names[what].measured.value <= 0.975


@pytest.mark.parametrize("kind", ["mean", "contrast"])
def test_an_interval_that_ignores_names_is_too_narrow(names, kind):
    """The two-way interval speaks of these names only."""
    what = f"{kind}, 40 × 20 × 15 names a group, name SD 0.5"
    assert names[what].beside["names ignored"].value <= 0.9


@pytest.mark.parametrize("kind", ["mean", "contrast"])
def test_few_missing_cells_change_nothing(missing, kind):
    """Three in a hundred are filled by the additive fit."""
    what = f"{kind}, 60 × 20, 3 % missing (filled)"
    assert 0.93 <= missing[what].measured.value <= 0.975


@pytest.mark.parametrize("kind", ["mean", "contrast"])
def test_many_missing_cells_leave_an_interval_that_can_be_used(missing, kind):
    """Ten in a hundred are left to clusters."""
    what = f"{kind}, 60 × 20, 10 % missing (clusters)"
    assert 0.92 <= missing[what].measured.value <= 0.985


def test_a_broken_interval_fails_its_bar(monkeypatch):
    """One that takes cells as independent does not pass for ours."""

    def broken(cells, **_settings):
        half = 1.96 * cells.std() / np.sqrt(cells.size)
        return Interval(cells.mean(), cells.mean() - half, cells.mean() + half)

    monkeypatch.setattr(intervals.crossed_means, "mean_interval", broken)
    both, sides = intervals.crossed(200, SEED)
    assert {row.what for row in both.rows if row.fails} >= set(DESIGNS[:4])
    assert sides["mean, 60 × 20: lower"].fails
