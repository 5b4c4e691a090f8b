"""How an attribute's lean changes from a teacher to its student."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics import equivalence
from maskaudit.audit.estimating.statistics.crossed.anova import mean_squares
from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells, Interval
from maskaudit.audit.estimating.statistics.multiplicity import benjamini_hochberg
from maskaudit.audit.recording.rows.values import OUTCOMES, Outcome

CLASSES = tuple(outcome for outcome in OUTCOMES if outcome)
INHERITED, AMPLIFIED, ATTENUATED, LOST, NEW, FLIPPED, UNDECIDED = CLASSES
SHOWN = 1 - LEVEL

# A word that rests on two statements of which either may be false takes half of .05 for the second.
_HALF = SHOWN / 2


@dataclass(frozen=True)
class Leans:
    """Estimates over attributes, in nats, with their errors and the p of each against 0, [I]."""

    estimates: Cells
    std_errors: Cells
    df: Cells
    p: Cells

    @classmethod
    def of(cls, intervals: Sequence[Interval]) -> Self:
        """The leans of attributes by their intervals."""
        names = ("estimate", "std_error", "df", "p")
        return cls(*(np.array([getattr(own, name) for own in intervals]) for name in names))

    @property
    def signs(self) -> Cells:
        """-1, 0 or 1 for each attribute."""
        signs: Cells = np.sign(self.estimates)
        return signs


def fates(teacher: Leans, student: Leans, change: Leans, margin: float = 0.0) -> list[Outcome]:
    """The class of each attribute; `change` is student minus teacher, `margin` in nats.

    A class says several things at once and is said where each is shown, never because something is
    not; an attribute of which no class is shown is "undecided". Of two classes that are both shown
    the first counts: flipped, amplified or attenuated, lost, new, inherited (docs/method.md). With
    a margin of 0 only what is exactly the same is "inherited".
    """
    one_side = teacher.signs * student.signs > 0
    outward, inward = change.signs == student.signs, change.signs == -teacher.signs
    moved = one_side & shown(teacher, student, change)
    said: dict[Outcome, NDArray[np.bool_]] = {
        FLIPPED: ~one_side & shown(teacher, student, level=_HALF),
        of_one_side(is_outward=True): moved & outward,
        of_one_side(is_outward=False): moved & inward,
        LOST: inward & shown(teacher, change) & within(student, margin),
        NEW: outward & shown(student, change) & within(teacher, margin),
        INHERITED: one_side & shown(teacher, student) & within(change, margin),
    }
    return [
        next((name for name, attributes in said.items() if attributes[i]), UNDECIDED)
        for i in range(len(teacher.p))
    ]


def of_one_side(*, is_outward: bool) -> Outcome:
    """The class of an attribute that leans one way in both models and whose change is shown.

    The only place that decides between the words for it: whether a model is only surer or less sure
    of all it says, which moves every lean too, has to be told here.
    """
    return AMPLIFIED if is_outward else ATTENUATED


def shown(*leans: Leans, level: float = SHOWN) -> NDArray[np.bool_]:
    """Whether all of these differ from 0, for each attribute, allowing for their number.

    The largest of an attribute's p values, adjusted over the attributes (Benjamini & Hochberg
    1995), is below `level`: of those said to be shown, at most that share is not on average.
    """
    # All have to be shown, so the weakest decides: its p is one for the claim as a whole.
    largest = np.maximum.reduce([own.p for own in leans])
    below: NDArray[np.bool_] = benjamini_hochberg(largest) < level
    return below


def within(leans: Leans, margin: float) -> NDArray[np.bool_]:
    """Whether each lies inside the margin: its 90 % interval does, and so allowing for many."""
    p = equivalence.p_beyond(leans.estimates, leans.std_errors, leans.df, margin)
    inside: NDArray[np.bool_] = (p <= equivalence.ALPHA) & (equivalence.adjusted(p) < _HALF)
    return inside


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
