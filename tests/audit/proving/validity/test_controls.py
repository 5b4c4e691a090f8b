"""Worlds of controls have the errors that they say."""

import numpy as np
import pytest

from maskaudit.audit.proving.validity.numbers.controls import Controls


def test_controls_are_as_exact_as_they_say_and_move_by_their_error():
    """By the spread of many contrasts, and their mean."""
    design, rng = Controls(), np.random.default_rng(1)
    found = [design.contrast(rng, design.attributes, 0.7) for _ in range(500)]
    estimates = [own.estimate for own in found]
    assert np.mean(estimates) == pytest.approx(0.7, abs=0.05)
    assert np.std(estimates, ddof=1) == pytest.approx(design.std_error, rel=0.1)
    assert np.mean([own.std_error**2 for own in found]) == pytest.approx(
        design.std_error**2, rel=0.1
    )
