"""The two sides of a gap: how many clusters each has, and whether each of them varies."""

from collections.abc import Sequence

import numpy as np

from maskaudit.audit.estimating.statistics.interval import Cells

# The columns of a side: a sum, and the weight that it is divided by.
Side = tuple[int, int]


def fewest(rows: Cells, sides: Sequence[Side]) -> int:
    """The number of clusters of the side that has fewer; `rows` are [clusters, k].

    A cluster is one of a side if that has weight in it, and may be one of both.
    """
    return min(int((rows[:, weight] > 0).sum()) for _, weight in sides)


def is_one_still(rows: Cells, sides: Sequence[Side], rounding: float) -> bool:
    """Whether the ratio of a side is the same in all of its clusters, but for rounding.

    Such a side has an error that these clusters do not show.
    """
    for total, weight in sides:
        inside = rows[rows[:, weight] > 0]
        ratios = inside[:, total] / inside[:, weight]
        if len(ratios) and np.ptp(ratios) <= rounding * max(1.0, float(np.abs(ratios).max())):
            return True
    return False
