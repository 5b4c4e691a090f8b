"""The luck of the best of several: as large as order statistics say, and allowed for."""

import numpy as np
import pytest
from scipy import stats

from maskaudit.audit.proving.validity.simulate import Crossed
from maskaudit.audit.proving.validity.verdicts import baselines

DESIGN = Crossed(60, 20, (0.3, 0.2, 0.5))


def drawn(candidates, n, spread=0.0):
    """Return changes from the best candidate to an equal successor, in true standard errors."""
    rng = np.random.default_rng(candidates)
    error = baselines._std_error(DESIGN)
    changes = [baselines._change(DESIGN, spread * error, candidates, rng) for _ in range(n)]
    return np.array([change.estimate for change in changes]) / error


@pytest.mark.slow
@pytest.mark.parametrize(("candidates", "largest"), [(1, 0.0), (3, 0.8463), (10, 1.5388)])
def test_an_equal_successor_looks_worse_by_the_expected_luck(candidates, largest):
    """The mean of the largest of K standard normals, from tables, over √2."""
    found = drawn(candidates, 1500)
    assert found.mean() == pytest.approx(largest / np.sqrt(2), abs=0.08)


@pytest.mark.slow
def test_candidates_that_differ_truly_have_less_luck():
    """The better one was in part better."""
    assert drawn(10, 600, spread=2.0).mean() < 0.6 * drawn(10, 600).mean()


@pytest.mark.slow
def test_an_untold_choice_fails_as_often_as_the_largest_of_normals_does():
    """One of ten: (z + the largest of ten)/√2 beyond 1.645, by integration over z; then told."""
    rows = baselines._rows(DESIGN, 0.0, 10, 600, 5)
    z = np.linspace(-8, 8, 4001)
    below = np.trapezoid(stats.norm.pdf(z) * stats.norm.cdf(np.sqrt(2) * 1.6449 - z) ** 10, z)
    assert rows[0].beside["not told"].value == pytest.approx(1 - below, abs=0.06)
    assert rows[0].measured.value <= 0.06
