"""Verdicts on one number: a change against a margin, a level against a bound.

PASS shows that there is no harm as large as the margin; FAIL that there is harm and none of that
size can be ruled out; what shows neither is INCONCLUSIVE. So a model without any change fails with
chance alpha at most, and one that is worse by exactly the margin passes with chance alpha at most,
whatever the size of the sample: too small a sample is seen in the inconclusive ones alone.
"p > .05, hence the same" would pass a change of exactly the margin in 87 of 100 samples of 20.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from maskaudit.audit.estimating.entry import Harm
from maskaudit.audit.estimating.statistics.interval import POWER

ALPHA = 0.05
Word = Literal["pass", "fail", "inconclusive", "not_measured"]
PASS: Word = "pass"  # noqa: S105 - a verdict, no password
FAIL: Word = "fail"
INCONCLUSIVE: Word = "inconclusive"
NOT_MEASURED: Word = "not_measured"


@dataclass(frozen=True)
class Decision:
    """What one number shows, before other numbers of the same policy are considered.

    `low` and `high` are bounds of one-sided confidence 1 - alpha each. `p` is that of the
    hypothesis that there is no harm: a change of 0 or less, a level within its bound. `mde` is the
    smallest change that the test at alpha finds with power .8, in the number's own unit.
    """

    word: Word
    low: float
    high: float
    p: float
    mde: float

    def settled(self, p_adjusted: float) -> "Decision":
        """The same, where a failure is judged by a p value adjusted for all that was judged."""
        if self.word == FAIL and not p_adjusted < ALPHA:
            return replace(self, word=INCONCLUSIVE)
        return self


def change(estimate: float, std_error: float, df: float, margin: float, harm: Harm) -> Decision:
    """Whether a change is harm: PASS below the margin for sure, FAIL where it is not and is real.

    `harm` says where harm lies: "up" is a positive change, "down" a negative one. "either" passes
    between -margin and margin, and fails where the two-sided test against 0 rejects: one-sided
    bounds would double its false alarms. A standard error of 0 is that of a model against itself:
    the number is all there is, and p is 0 unless it is 0.
    """
    low, high = bounds(estimate, std_error, df)
    if harm == "either":
        passed = -margin < low and high < margin
        p = min(1.0, 2 * _tail(abs(estimate), std_error, df))
    else:
        sign = 1.0 if harm == "up" else -1.0
        passed = max(sign * low, sign * high) < margin
        p = _tail(sign * estimate, std_error, df)
    word = PASS if passed else FAIL if p < ALPHA else INCONCLUSIVE
    return Decision(word, low, high, p, detectable(std_error, df, harm))


def level(estimate: float, std_error: float, df: float, bound: float, harm: Harm) -> Decision:
    """Whether a level keeps within its bound: PASS for sure inside, FAIL for sure outside.

    "up" must stay below the bound, "down" above it, "either" between -bound and bound. A level that
    is exactly at its bound is neither inside nor outside.
    """
    low, high = bounds(estimate, std_error, df)
    if harm == "either":
        passed = -bound < low and high < bound
        p = _tail(abs(estimate) - bound, std_error, df)
    else:
        sign = 1.0 if harm == "up" else -1.0
        passed = max(sign * low, sign * high) < sign * bound
        p = _tail(sign * (estimate - bound), std_error, df)
    word = PASS if passed else FAIL if p < ALPHA else INCONCLUSIVE
    return Decision(word, low, high, p, detectable(std_error, df))


def bounds(estimate: float, std_error: float, df: float) -> tuple[float, float]:
    """The lower and the upper bound of one-sided confidence 1 - alpha each."""
    half = 0.0 if std_error == 0 else _quantile(df, 1 - ALPHA) * std_error
    return estimate - half, estimate + half


def detectable(std_error: float, df: float, harm: Harm = "up") -> float:
    """The smallest change that the test at alpha finds with power .8; two-sided for "either"."""
    if std_error == 0:
        return 0.0
    alpha = ALPHA / 2 if harm == "either" else ALPHA
    return (_quantile(df, 1 - alpha) + _quantile(df, POWER)) * std_error


def frames_needed(  # noqa: PLR0913, PLR0917 - one number each
    std_error: float, v_frames: float, n_frames: int, df: float, room: float, harm: Harm = "up"
) -> int | None:
    """Frames with which an unchanged model passes a margin of `room` four times in five.

    None where no number of frames suffices, or those that there are do. With "either" it has to
    pass on both sides, nine times in ten each. Only `v_frames` of the squared error falls as frames
    are added, the rest is the attributes'. The degrees of freedom are taken as they are, which asks
    for a few too many.
    """
    power = (1 + POWER) / 2 if harm == "either" else POWER
    wanted = (room / (_quantile(df, 1 - ALPHA) + _quantile(df, power))) ** 2
    wanted -= std_error**2 - v_frames
    if not wanted > 0 or not v_frames > 0:
        return None
    needed = math.ceil(n_frames * v_frames / wanted)
    return needed if needed > n_frames else None


def _tail(distance: float, std_error: float, df: float) -> float:
    """The chance of a number this far above the null value, or farther, if that were true."""
    if std_error == 0:
        return 0.0 if distance > 0 else 1.0
    return float(special.stdtr(df, -distance / std_error))


def _quantile(df: float, probability: float) -> float:
    return float(special.ndtri(probability) if np.isinf(df) else special.stdtrit(df, probability))
