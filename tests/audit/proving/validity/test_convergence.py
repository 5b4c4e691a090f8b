"""Worlds of two measures are as alike as they say."""

import numpy as np
import pytest
from scipy import stats

from maskaudit.audit.proving.validity.numbers import convergence

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("shared", [None, 0.8])
def test_the_true_rank_correlation_is_that_of_leans_without_noise(shared):
    """Of many attributes in many frames, by scipy."""
    world = convergence.Measures(8000, 40, 0.9, 2.0, shared)
    first, second = world.draw(np.random.default_rng(1))
    leans = [own.mean(1) for own in (first, second)]
    assert stats.spearmanr(*leans).statistic == pytest.approx(world.truth, abs=0.02)
    residuals = [own - mean[:, None] for own, mean in zip((first, second), leans, strict=True)]
    residuals = [own - own.mean(0) for own in residuals]
    found = np.corrcoef(*(own.ravel() for own in residuals))[0, 1]
    assert found == pytest.approx(shared or 0.0, abs=0.02)
