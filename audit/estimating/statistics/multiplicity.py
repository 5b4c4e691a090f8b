"""Many tests at once: adjusted p values, and the level of intervals that were selected."""

import numpy as np

from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells


def benjamini_hochberg(p: Cells) -> Cells:
    """Adjusted p values over those that are known (1995); NaN stays NaN and is not counted.

    Keeps the false discovery rate where tests are independent or positively dependent.
    """
    return _discovery(p, "bh")


def benjamini_yekutieli(p: Cells) -> Cells:
    """The same under any dependence (2001): for contrasts that share groups with opposite signs."""
    return _discovery(p, "by")


def holm(p: Cells) -> Cells:
    """Adjusted p values that keep the chance of any false one (1979); NaN is not counted."""
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def selected_level(selected: int, of: int, *, level: float = LEVEL) -> float:
    """Level of each interval so that among `selected` of `of` the false coverage stays below.

    Benjamini & Yekutieli (2005): 1 - (1 - level) * R / m.
    """
    return 1 - (1 - level) * selected / of


def _discovery(p: Cells, method: str) -> Cells:
    adjusted = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        from scipy import stats  # a second to import: only where it is needed

        adjusted[known] = stats.false_discovery_control(p[known], method=method)
    return adjusted
