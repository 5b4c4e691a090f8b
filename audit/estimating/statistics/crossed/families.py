"""Families of attributes that may behave alike: their part of a variance, and their ICC."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.interval import Cells, Interval, Part, point

# The family of each attribute, "" for none; None if no attribute has one.
Families = Sequence[str] | None
_LEAST = 2


def clusters(families: Families, n: int) -> NDArray[np.intp]:
    """The number of each attribute's family, [n]; an attribute without one is its own."""
    # The space keeps them apart from families of a set, whose names have none.
    own = [name or f" {place}" for place, name in enumerate(families or [""] * n)]
    return np.unique(own, return_inverse=True)[1].ravel()


def family_parts(means: Cells, families: Families = None) -> list[Part]:
    """The variance parts of a mean over attributes, [I], of which families may behave alike.

    Without families var(means)/I, with I - 1 degrees of freedom. With families the variance of the
    mean under a random effect of the family, (MSW + k s2)/I, k = sum n_f^2/I, where s2 = (MSB -
    MSW)/n0 is the effect's variance by the one-way analysis of unbalanced families (Searle 1971);
    where that is not above 0, the variance without families. An attribute without a family, "", is
    a family of its own. Raises ValueError on fewer than two families.
    """
    n = len(means)
    alone = [(float(means.var(ddof=1)) / n, n - 1.0)]
    sizes = np.bincount(clusters(families, n))
    if len(sizes) < _LEAST:
        message = f"all {n} attributes are of one family; expected at least two families"
        raise ValueError(message)
    # With families of one there are no squares within, and a division by 0.
    if len(sizes) == n:
        return alone
    between, within = _mean_squares(means, families)
    if between <= within:
        return alone
    mean_size = float((sizes**2).sum()) / n  # of the family of an attribute drawn at random
    share = mean_size / _typical_size(sizes)
    return [
        (share * between / n, len(sizes) - 1.0),
        ((1 - share) * within / n, float(n - len(sizes))),
    ]


def intraclass_correlation(means: Cells, families: Families) -> Interval:
    """The intraclass correlation of attributes, [I], within families, with the p of its F test.

    (MSB - MSW)/(MSB + (n0 - 1) MSW), the share of the variance that lies between families; up to 1,
    below 0 by chance. NaN where every attribute is its own family, all are of one, or none vary.
    """
    sizes = np.bincount(clusters(families, len(means)))
    if not _LEAST <= len(sizes) < len(means):
        return point(np.nan)
    between, within = _mean_squares(means, families)
    size = _typical_size(sizes)
    scale = between + (size - 1) * within
    # Where attributes of one family are all equal, F divides by 0 and says nothing of chance.
    if scale <= 0 or within <= 0:
        return point(np.nan)
    from scipy import special  # imported here because it takes time

    df = (len(sizes) - 1, len(means) - len(sizes))
    p = float(special.fdtrc(*df, between / within))
    return replace(point((between - within) / scale), p=p, null_value=0.0, df=float(df[0]))


def _mean_squares(means: Cells, families: Families) -> tuple[float, float]:
    """The mean squares between and within families."""
    family = clusters(families, len(means))
    sizes = np.bincount(family)
    relative = means - means[0]  # equal attributes give exactly 0
    by_family = np.bincount(family, weights=relative) / sizes
    between = float((sizes * (by_family - relative.mean()) ** 2).sum()) / (len(sizes) - 1)
    within = float(((relative - by_family[family]) ** 2).sum()) / (len(means) - len(sizes))
    return between, within


def _typical_size(sizes: NDArray[np.int_]) -> float:
    """n0, by which a family's effect counts in the mean square between unbalanced families."""
    n = int(sizes.sum())
    return (n - float((sizes**2).sum()) / n) / (len(sizes) - 1)
