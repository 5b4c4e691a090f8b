"""Multiple testing: adjusted p values, how many of several nulls are false, selected intervals.

Contrasts of a page are adjusted in `estimating.estimate`, classes of attributes in
`statistics.inheritance`, gates in `judging.one_verdict`, changes from a baseline in
`judging.accepting.comparison`; in how many styles a claim holds is judged in
`judging.deciding.in_styles`.
"""

import numpy as np

from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells


def benjamini_hochberg(p: Cells) -> Cells:
    """Benjamini & Hochberg's (1995) adjusted p values; NaN stays NaN and is not counted.

    Controls the false discovery rate if tests are independent or positively dependent.
    """
    return _discovery(p, any_dependence=False)


def benjamini_yekutieli(p: Cells) -> Cells:
    """Benjamini & Yekutieli's (2001) adjusted p values, valid under any dependence.

    For contrasts that share groups with opposite signs. NaN stays NaN and is not counted.
    """
    return _discovery(p, any_dependence=True)


def holm(p: Cells) -> Cells:
    """Holm's (1979) adjusted p values, which control the family-wise error rate.

    NaN stays NaN and is not counted.
    """
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    # The running maximum keeps adjusted p values in the order of the raw ones.
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def partial_conjunction(p: Cells, least: int) -> float:
    """The p value against the null that fewer than `least` of the n null hypotheses are false.

    min over i >= least of (n - least + 1)/(i - least + 1) p_(i), the smallest p first: Simes' test
    of the n - least + 1 largest (Benjamini & Heller 2008). It holds if the tests are independent or
    positively dependent, and it never falls as `least` grows. A p that is unknown (NaN) counts as
    1. `least` is from 1, which is Simes' test of all, to n, which is the largest p.
    """
    # Left out it would make the count easier to reach: less known would then show more.
    ordered = np.sort(np.where(np.isnan(p), 1.0, p))
    return float(min(1.0, (ordered[least - 1 :] / simes_levels(len(p), least)).min()))


def simes_levels(n: int, least: int) -> Cells:
    """By which share of alpha the i-th smallest of n p values is held, for i from `least` to n."""
    last = n - least + 1
    return np.arange(1, last + 1) / last


def selected_level(selected: int, total: float, *, level: float = LEVEL) -> float:
    """Level of each of R = `selected` intervals out of m = `total`, to control false coverage.

    1 - (1 - level) * R / m keeps the false coverage rate at 1 - level (Benjamini & Yekutieli 2005).
    With m times `harmonic(m)` as the total it does so under any dependence.
    """
    return 1 - (1 - level) * selected / total


def harmonic(count: int) -> float:
    """1 + 1/2 + ... + 1/count: what a false discovery rate costs under any dependence."""
    return float((1 / np.arange(1, count + 1)).sum())


def _discovery(p: Cells, *, any_dependence: bool) -> Cells:
    # scipy.stats has the same and takes most of a second to import, more than a gate needs in all.
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    ranks = np.arange(1, len(order) + 1)
    steps = p[order] * (len(order) / ranks)
    if any_dependence:
        steps *= harmonic(len(order))
    # The running minimum from the largest on keeps adjusted p values in the order of the raw ones.
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return adjusted
