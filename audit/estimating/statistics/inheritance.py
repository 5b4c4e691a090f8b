"""How an attribute's lean changes from a teacher to its student."""

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.anova import mean_squares
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.estimating.statistics.multiplicity import benjamini_hochberg
from maskaudit.audit.recording.values import OUTCOMES, Outcome

CLASSES = tuple(outcome for outcome in OUTCOMES if outcome)
INHERITED, AMPLIFIED, ATTENUATED, LOST, NEW, FLIPPED, UNDECIDED = CLASSES


def credible_signs(estimates: Cells, p: Cells, *, alpha: float = 0.05) -> NDArray[np.int_]:
    """The sign of each estimate that differs from 0 at `alpha` after BH adjustment; else 0."""
    shown = benjamini_hochberg(p) < alpha
    signs: NDArray[np.int_] = np.where(shown, np.sign(estimates), 0).astype(int)
    return signs


def classify(teacher: int, student: int, change: int) -> Outcome:
    """The class of an attribute from the credible signs of both leans and of their difference.

    `change` is the sign of student minus teacher. An attribute that meets no rule is "undecided".
    """
    if teacher * student < 0:
        return FLIPPED
    if teacher * student > 0:
        if change == 0:
            return INHERITED
        return AMPLIFIED if change == student else ATTENUATED
    # A lean that is no longer credible is not therefore gone: its change has to be credible too.
    if teacher and change == -teacher:
        return LOST
    if student and change == student:
        return NEW
    return UNDECIDED


def noise_correlation(teacher: Cells, student: Cells) -> float:
    """The expected correlation of attribute means, [I, J] each, if both models lean alike.

    The root of the product of the reliabilities G, plus the covariance of the noise that they share
    in the same frames: MSE_TS/sqrt(MSA_T MSA_S). NaN if the attributes of either do not differ.
    """
    ms_t, ms_s = mean_squares(teacher), mean_squares(student)
    if ms_t.attribute == 0 or ms_s.attribute == 0:
        return np.nan
    # The mean cross product of the residuals, since var(a + b) = var(a) + var(b) + 2 cov(a, b).
    shared = (mean_squares(teacher + student).residual - ms_t.residual - ms_s.residual) / 2
    # A variance component cannot be negative, but its estimate can.
    signals = [max(0.0, ms.attribute - ms.residual) for ms in (ms_t, ms_s)]
    scale = np.sqrt(ms_t.attribute * ms_s.attribute)
    return float((np.sqrt(signals[0] * signals[1]) + shared) / scale)


def expected_sign_changes(correlation: float) -> float:
    """Expected share of attributes with a sign change by noise alone: arccos(rho)/pi."""
    # As an estimate, the correlation may leave -1 to 1, where arccos is not defined.
    return float(np.arccos(np.clip(correlation, -1.0, 1.0)) / np.pi)
