"""Worlds of two measures are as alike as they say."""

import numpy as np
import pytest

from maskaudit.audit.proving.validity.numbers import convergence

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("shared", [None, 0.8])
@pytest.mark.parametrize(
    "leans",
    [{}, {"kind": convergence.cubes}, {"far": 3.0, "part": 0.2}],
    ids=["normal", "cubes", "a part far"],
)
def test_the_true_correlation_is_that_of_leans_without_noise(shared, leans):
    """Of many attributes in many frames, by numpy."""
    world = convergence.Measures(8000, 40, 0.9, 2.0, shared, **leans)
    first, second = world.draw(np.random.default_rng(1))
    leans = [own.mean(1) for own in (first, second)]
    assert np.corrcoef(*leans)[0, 1] == pytest.approx(world.truth, abs=0.02)
    residuals = [own - mean[:, None] for own, mean in zip((first, second), leans, strict=True)]
    residuals = [own - own.mean(0) for own in residuals]
    found = np.corrcoef(*(own.ravel() for own in residuals))[0, 1]
    assert found == pytest.approx(shared or 0.0, abs=0.02)


def test_what_styles_add_is_part_of_what_measures_say_in_them():
    """The truth is in these styles, whose mean adds a fifth of its variance."""
    world = convergence.Measures(8000, 40, 0.5, 1.0, styles=5, apart=3.0, far=4.0)
    first, second = world.draw(np.random.default_rng(1))
    found = np.corrcoef(first.mean(1), second.mean(1))[0, 1]
    assert found == pytest.approx(world.truth, abs=0.02)
