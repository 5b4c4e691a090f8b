"""Whether a number is 0 within a margin: two one-sided tests, their interval, their adjustment."""

import numpy as np
from scipy import special

from maskaudit.audit.estimating.statistics.interval import Cells, student
from maskaudit.audit.estimating.statistics.multiplicity import benjamini_hochberg

# Level of the interval that has to lie inside the margin: two one-sided tests at .05.
LEVEL = 0.90
ALPHA = (1 - LEVEL) / 2


def limits(estimate: float, std_error: float, df: float) -> tuple[float, float]:
    """The 90 % interval of a number; NaN where its standard error is unknown."""
    interval = student(estimate, std_error**2, df, level=LEVEL)
    return interval.low, interval.high


def same_within(estimate: float, std_error: float, df: float) -> float:
    """The smallest margin, in the unit of the number, within which it is shown to be 0.

    That is the end of its 90 % interval that is farther from 0: |estimate| + t(.95) * std_error.
    0 for a model against its copy; NaN where the standard error is unknown.
    """
    low, high = limits(estimate, std_error, df)
    return float(np.maximum(-low, high))


def p_beyond(estimates: Cells, std_errors: Cells, df: Cells, margin: float) -> Cells:
    """The p of the hypothesis that a number lies on or beyond -margin or +margin.

    The larger p of two one-sided tests (Schuirmann 1987): .05 or below exactly where the 90 %
    interval lies inside the margin, above .5 where the estimate lies outside. Without any error it
    is 0 or 1. NaN where the standard error is unknown.
    """
    # The nearer margin has the larger p of the two tests, so one is enough.
    room = margin - np.abs(estimates)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = special.stdtr(df, -room / std_errors)
    found: Cells = np.where(std_errors == 0, np.where(room >= 0, 0.0, 1.0), p)
    return found


def adjusted(p: Cells) -> Cells:
    """Adjust the p of `p_beyond` over many numbers, so that of those shown few are beyond.

    Benjamini & Hochberg's p times the share of numbers that are beyond the margin, of which at most
    twice as many are as have their estimate there: min(1, (1 + #{p > .5})/(m/2)) of m (Storey,
    Taylor & Siegmund 2004). Where most numbers are far inside a margin that each can barely show,
    the plain procedure would show none. NaN stays NaN and is not counted.
    """
    known = int((~np.isnan(p)).sum())
    if not known:
        return p
    # The 1 belongs to the rule: with a share of 0 all numbers would be shown whatever their p.
    share = min(1.0, (1 + int((p > 0.5).sum())) / (known / 2))  # noqa: PLR2004 - a half
    return benjamini_hochberg(p) * share
