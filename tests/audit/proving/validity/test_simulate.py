"""The worlds are what they say: their variances and correlations are found again by hand."""

import numpy as np
import pytest
from scipy import stats

from maskaudit.audit.proving.validity.simulate import Crossed, Names, Pair, lognormal, without


def rng():
    """Random numbers, the same in every run."""
    return np.random.default_rng(20261123)


def test_the_variance_of_a_table_is_made_of_its_three_parts():
    """Of two cells in one row only the attribute is shared, in one column only the frame."""
    random = rng()
    tables = np.array([Crossed(3, 3, (0.5, 0.3, 0.7)).draw(random) for _ in range(40_000)])
    cell, row, column, apart = tables[:, 0, 0], tables[:, 0, 1], tables[:, 1, 0], tables[:, 1, 1]
    found = [np.mean(cell * other) for other in (cell, row, column, apart)]
    assert found == pytest.approx([0.25 + 0.09 + 0.49, 0.25, 0.09, 0.0], abs=0.015)


def test_the_truth_of_a_table_is_what_its_rows_are_without_noise():
    """With neither frames nor residual every cell is its attribute's own number."""
    cells, leans = Crossed(4, 3, (0.5, 0.0, 0.0)).draw_with_truth(rng())
    assert (cells == leans[:, None]).all()
    assert leans.std() > 0


@pytest.mark.parametrize("alike", [True, False])
def test_a_frame_moves_classes_alike_or_each_by_its_own(alike):
    """With frames alone the difference of the classes is 0 in every frame, or in none."""
    first, second = Crossed(5, 8, (0.0, 0.5, 0.0)).classes(rng(), 2, alike=alike)
    assert (first.shape, second.shape) == ((2, 8), (3, 8))
    assert ((first[0] == second[0]) == alike).all()


def test_classes_have_attributes_and_residuals_of_their_own():
    """No cell of one class is a cell of the other."""
    first, second = Crossed(20, 30, (0.5, 0.0, 1.0)).classes(rng(), 10)
    together = np.concatenate([first, second])
    assert len(np.unique(together)) == together.size
    assert together.var() == pytest.approx(1.25, abs=0.2)


def test_lognormal_effects_have_mean_0_sd_1_and_the_skew_of_the_text():
    """The distribution is scipy's, moved and scaled."""
    known = stats.lognorm(1.0)
    mean, variance, skew = known.stats("mvs")
    draws = lognormal(rng(), (20_000,))
    moved = stats.lognorm(1.0, loc=-mean / np.sqrt(variance), scale=1 / np.sqrt(variance))
    assert stats.kstest(draws, moved.cdf).pvalue > 0.001
    assert moved.stats("mv") == pytest.approx((0.0, 1.0), abs=1e-12)
    assert skew == pytest.approx(6.2, abs=0.05)


def test_so_many_cells_are_missing_and_no_other_changes():
    """The table that was given stays whole."""
    cells = Crossed(60, 20, (0.5, 0.5, 1.0)).draw(rng())
    found = without(cells, 36, rng())
    gaps = np.isnan(found)
    assert gaps.sum() == 36
    assert (found[~gaps] == cells[~gaps]).all()
    assert not np.isnan(cells).any()


def test_names_have_an_effect_that_is_the_same_in_all_cells():
    """With names alone all cells are the difference of the groups' mean names."""
    cells, (first, second) = Names(Crossed(4, 3, (0.0, 0.0, 0.0)), 6, 0.5).mean(rng())
    assert cells == pytest.approx(first.mean() - second.mean())
    assert first.shape == second.shape == (6,)
    assert first.std() > 0.1


def test_names_have_a_contrast_that_the_contrast_of_the_cells_is_made_of():
    """Each class has half of it, with opposite signs."""
    named, half = Names(Crossed(4, 3, (0.0, 0.0, 0.0)), 6, 0.5).contrast(rng())
    first, second = named.by_name
    expected = (first.mean() - second.mean()) / 2
    assert named.cells[:half] == pytest.approx(expected)
    assert named.cells[half:] == pytest.approx(-expected)


@pytest.mark.parametrize("kind", ["mean", "contrast"])
def test_the_sd_of_names_is_the_one_asked_for(kind):
    """Over many names, whose own numbers are measured without noise here."""
    world = Names(Crossed(2, 2, (0.0, 0.0, 0.0)), 20_000, 0.5)
    found = getattr(world, kind)(rng())
    by_name = found.by_name if kind == "mean" else found[0].by_name
    assert [own.std() for own in by_name] == pytest.approx([0.5, 0.5], abs=0.01)


def test_a_student_leans_kappa_times_as_far_and_shares_noise():
    """The moments of both models' cells after the effect of the frame, which they share whole."""
    teacher, student = Pair(1.3, attributes=200, frames=2000).draw(rng())
    t, s = (cells - cells.mean(0) for cells in (teacher, student))
    leans = t.mean(1), s.mean(1)
    assert leans[1] @ leans[0] / (leans[0] @ leans[0]) == pytest.approx(1.3, abs=0.02)
    noise = [(cells - cells.mean(1, keepdims=True)).ravel() for cells in (t, s)]
    assert [own.std() for own in noise] == pytest.approx([1.0, 1.4], abs=0.01)
    assert np.corrcoef(*noise)[0, 1] == pytest.approx(0.5, abs=0.01)
    assert leans[0].std() == pytest.approx(0.6, abs=0.1)


def test_kappa_varies_from_frame_to_frame_where_it_is_told_to():
    """Without noise, the ratio of the two models is one number a frame."""
    pair = Pair(1.0, frames=5000, teacher_sd=0.0, student_sd=0.0, steeper_sd=0.3)
    teacher, student = pair.draw(rng())
    spreads = student.std(0) / teacher.std(0)
    assert (spreads.mean(), spreads.std()) == pytest.approx((1.0, 0.3), abs=0.02)
