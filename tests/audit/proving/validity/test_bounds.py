"""Worlds at a bound have the truth they are drawn with, and few verdicts are wrong in them."""

import numpy as np
import pytest

from maskaudit.audit.estimating.statistics import ustatistics
from maskaudit.audit.proving.validity.verdicts import bounds

pytestmark = pytest.mark.slow


def test_the_true_association_and_magnitude_are_the_bound():
    """By the mean of unbiased estimates."""
    rng = np.random.default_rng(1)
    design = bounds.DESIGNS[1]
    found = [
        ustatistics.association(cells, cells) for cells in (design.draw(rng) for _ in range(800))
    ]
    assert np.mean(found) == pytest.approx(design.sd[0] ** 2, rel=0.03)


@pytest.mark.parametrize("true_share", bounds.SHARES)
@pytest.mark.parametrize("correlation", bounds.CORRELATIONS)
def test_shares_of_clusters_have_their_mean_and_correlation(true_share, correlation):
    """The variance of a cluster's share is the correlation times p (1 - p)."""
    drawn = bounds._beta(true_share, correlation)(np.random.default_rng(2), 40_000)
    assert drawn.mean() == pytest.approx(true_share, abs=0.01)
    assert drawn.var() == pytest.approx(correlation * true_share * (1 - true_share), rel=0.05)


def test_every_exact_row_holds():
    """Nothing is drawn, so nothing is left to chance."""
    assert not [row.what for row in bounds.limits_alone().rows if row.fails]


def test_a_t_interval_over_unequal_clusters_is_wrong_far_too_often():
    """The world tells the two apart."""
    sizes = bounds._sizes()["40, falling"]
    draw = bounds._beta(0.9, 0.3)
    high, _ = bounds._shares("one", sizes, 0.9, draw, 400, 3)
    assert high.measured.value <= 0.06
    assert high.beside["t, clusters less 1"].value > 0.12
