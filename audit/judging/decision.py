"""Verdicts on one number: a change against a margin, a level against a bound.

PASS rules out harm as large as the margin. FAIL shows that there is harm, and harm of that size is
not ruled out. Anything else is INCONCLUSIVE. An unchanged model fails with probability alpha at
most, and a model worse by exactly the margin passes with probability alpha at most, at any sample
size: a sample that is too small only makes more verdicts INCONCLUSIVE. Reading "p > .05" as "no
change" would pass a change of exactly the margin in 87 of 100 samples of size 20.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

# Not scipy.stats, which takes more than a second to import.
from scipy import special

from maskaudit.audit.estimating.registry.entry import Harm
from maskaudit.audit.estimating.statistics.interval import POWER

ALPHA = 0.05
Word = Literal["pass", "fail", "inconclusive", "not_measured"]
PASS: Word = "pass"  # noqa: S105 - a verdict, not a password
FAIL: Word = "fail"
INCONCLUSIVE: Word = "inconclusive"
NOT_MEASURED: Word = "not_measured"


@dataclass(frozen=True)
class Decision:
    """The decision on one number, before adjustment for the other numbers of the policy.

    `low` and `high` are bounds, each of one-sided confidence 1 - alpha (for a change against the
    best of several see `change`). `p` is the p value of the null hypothesis of no harm: a change of
    0 or less, or a level within its bound. `mde` is the smallest change that the test at alpha
    detects with power .8, in the number's own unit.
    """

    word: Word
    low: float
    high: float
    p: float
    mde: float

    def settled(self, p_adjusted: float) -> "Decision":
        """The decision given a p value adjusted for all numbers: a failure may be INCONCLUSIVE."""
        # Not `>=`, which would let a failure stand if the adjusted p is NaN.
        if self.word == FAIL and not p_adjusted < ALPHA:
            return replace(self, word=INCONCLUSIVE)
        return self


def change(  # noqa: PLR0913, PLR0917 - a number, its margin and what it is held against
    estimate: float, std_error: float, df: float, margin: float, harm: Harm, best_of: int = 1
) -> Decision:
    """Decide a change: PASS if credibly below the margin, else FAIL if p < alpha against no change.

    `harm` is the harmful direction: "up" is a positive change, "down" a negative one. "either"
    passes if both bounds lie between -margin and margin, and fails if the two-sided test against 0
    rejects: one-sided bounds would double its false alarms. With a standard error of 0, as of a
    model compared with itself, p is 0 for any change in a harmful direction and 1 otherwise.

    `best_of` is how many candidates the older version was picked from. Each of them might have been
    it, so p is `best_of` times as large (Bonferroni), and the bound on which a failure rests is at
    alpha/`best_of`; with "either" both are. The bound on which a pass rests stays: the luck of the
    one that was picked makes a later version look worse, so it never helps one pass.
    """
    low, high = bounds(estimate, std_error, df)
    strict_low, strict_high = bounds(estimate, std_error, df, ALPHA / best_of)
    if harm == "either":
        low, high = strict_low, strict_high
        passed = -margin < low and high < margin
        # With a standard error of 0 the tail of no change is 1, and twice that is no p value.
        p = 2 * tail(abs(estimate), std_error, df)
    else:
        sign = 1.0 if harm == "up" else -1.0
        low, high = (strict_low, high) if harm == "up" else (low, strict_high)
        # The sign may swap the bounds; the larger one is the bound on the harm.
        passed = max(sign * low, sign * high) < margin
        p = tail(sign * estimate, std_error, df)
    p = min(1.0, best_of * p)
    word = PASS if passed else FAIL if p < ALPHA else INCONCLUSIVE
    return Decision(word, low, high, p, detectable(std_error, df, harm, best_of))


def level(estimate: float, std_error: float, df: float, bound: float, harm: Harm) -> Decision:
    """Decide a level: PASS if credibly inside its bound, FAIL if credibly outside.

    With `harm` "up" the level must stay below the bound, with "down" above it, with "either"
    between -bound and bound. A level exactly at its bound is INCONCLUSIVE.
    """
    low, high = bounds(estimate, std_error, df)
    if harm == "either":
        # Not doubled, as for a change: a level can be beyond only one of the two bounds.
        p = tail(abs(estimate) - bound, std_error, df)
    else:
        sign = 1.0 if harm == "up" else -1.0
        p = tail(sign * (estimate - bound), std_error, df)
    return decided(low, high, p, bound, harm, mde=detectable(std_error, df))


def decided(  # noqa: PLR0913 - all that a decision on a level rests on
    low: float, high: float, p: float, bound: float, harm: Harm, *, mde: float
) -> Decision:
    """The decision on a level with these bounds and p: PASS inside its bound, FAIL if p < alpha."""
    passed = {"up": high < bound, "down": low > bound, "either": -bound < low and high < bound}
    word = PASS if passed[harm] else FAIL if p < ALPHA else INCONCLUSIVE
    return Decision(word, low, high, p, mde)


def bounds(
    estimate: float, std_error: float, df: float, alpha: float = ALPHA
) -> tuple[float, float]:
    """The lower and upper bound, each of one-sided confidence 1 - alpha."""
    # Without an error the degrees of freedom are NaN, and so would be 0 times their quantile.
    half = 0.0 if std_error == 0 else quantile(df, 1 - alpha) * std_error
    return estimate - half, estimate + half


def detectable(std_error: float, df: float, harm: Harm = "up", best_of: int = 1) -> float:
    """The smallest change that the test at alpha detects with power .8; two-sided for "either"."""
    if std_error == 0:
        return 0.0
    alpha = ALPHA / best_of / (2 if harm == "either" else 1)
    return (quantile(df, 1 - alpha) + quantile(df, POWER)) * std_error


def frames_needed(  # noqa: PLR0913, PLR0917 - a plain formula of six numbers
    std_error: float, v_frames: float, n_frames: int, df: float, room: float, harm: Harm = "up"
) -> int | None:
    """The number of frames at which an unchanged model passes a margin of `room` with power .8.

    None if no number of frames suffices or the present `n_frames` already do. With "either" the
    model has to pass on both sides, with power .9 each. More frames reduce only `v_frames`, the
    frames' part of the squared standard error; the rest comes from the attributes. The degrees of
    freedom are held fixed, which slightly overstates the result.
    """
    power = (1 + POWER) / 2 if harm == "either" else POWER
    frames_variance = (room / (quantile(df, 1 - ALPHA) + quantile(df, power))) ** 2
    frames_variance -= std_error**2 - v_frames
    # Not `<= 0`, which NaN would slip through.
    if not frames_variance > 0 or not v_frames > 0:
        return None
    needed = math.ceil(n_frames * v_frames / frames_variance)
    return needed if needed > n_frames else None


def tail(distance: float, std_error: float, df: float) -> float:
    """The one-sided p value of a number that lies `distance` above its null value."""
    if std_error == 0:
        return 0.0 if distance > 0 else 1.0
    # The lower tail keeps its digits where 1 less the upper one would round to 0.
    return float(special.stdtr(df, -distance / std_error))


def quantile(df: float, probability: float) -> float:
    """A quantile of Student's t; of the standard normal with infinite `df`."""
    return float(special.ndtri(probability) if np.isinf(df) else special.stdtrit(df, probability))
