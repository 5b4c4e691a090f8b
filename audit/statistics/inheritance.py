"""What became of an attribute's lean on the way from a teacher to its student."""

import numpy as np
from numpy.typing import NDArray

from audit.statistics.interval import Cells
from audit.statistics.multiplicity import benjamini_hochberg

INHERITED, AMPLIFIED, ATTENUATED = "inherited", "amplified", "attenuated"
LOST, NEW, FLIPPED, UNDECIDED = "lost", "new", "flipped", "undecided"
CLASSES = (INHERITED, AMPLIFIED, ATTENUATED, LOST, NEW, FLIPPED, UNDECIDED)


def credible_signs(estimates: Cells, p: Cells, *, alpha: float = 0.05) -> NDArray[np.int_]:
    """1 or -1 where an estimate differs credibly from 0, many tests allowed for (BH); else 0."""
    shown = benjamini_hochberg(p) < alpha
    signs: NDArray[np.int_] = np.where(shown, np.sign(estimates), 0).astype(int)
    return signs


def classify(teacher: int, student: int, change: int) -> str:
    """The class of an attribute from the credible signs of both leans and of their difference.

    `change` is the sign of student minus teacher. What no rule decides is "undecided", which is
    what an attribute is unless something was shown.
    """
    if teacher * student < 0:
        return FLIPPED
    if teacher * student > 0:
        if change == 0:
            return INHERITED
        return AMPLIFIED if change == student else ATTENUATED
    if teacher and change == -teacher:
        return LOST
    if student and change == student:
        return NEW
    return UNDECIDED


def expected_sign_changes(reliability_teacher: float, reliability_student: float) -> float:
    """Share of attributes whose sign differs by noise alone, where the truth is the same.

    arccos(rho)/pi, with rho the correlation that two measurements of one truth have: the root of
    the product of their reliabilities (G). Noise that the models share makes it smaller. NaN where
    a reliability is unknown.
    """
    rho = np.sqrt(reliability_teacher * reliability_student)
    return float(np.arccos(np.clip(rho, 0.0, 1.0)) / np.pi)
