"""Permutation tests: labels of groups are exchangeable in every frame, or two orders unrelated."""

import math
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.crossed.anova import centred
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.estimating.statistics.ustatistics import complete

RESAMPLES = 9999
Groups = NDArray[np.float64]


def label_permutation(
    cells: Groups, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> float:
    """One-sided p of the spread of groups, [G, I, J], under permutations of their labels by frame.

    The null hypothesis: within a frame the groups are exchangeable, as where no attribute sets them
    apart. The statistic is large only if frames agree on which group goes with which attribute.
    (1 + b)/(1 + B) from B = `resamples` draws; with two groups it is that of `label_swap`. Raises
    ValueError as `association`.
    """
    for own in cells:
        complete(own)
    deviations = cells - cells.mean(0)
    deviations = deviations - deviations.mean(1, keepdims=True)
    n_groups, _, n_frames = cells.shape
    by_frame = deviations.transpose(2, 0, 1)
    # The squares of single frames are the same under every permutation, so the sums suffice.
    observed = float((by_frame.sum(0) ** 2).sum())
    as_large = 0
    for _ in range(resamples):
        # The order of random numbers is a random permutation, here one for each frame at once.
        labels = rng.random((n_frames, n_groups)).argsort(1)
        sums = by_frame[np.arange(n_frames)[:, None], labels].sum(0)
        # Count sums that are equal up to rounding as at least as large.
        as_large += float((sums**2).sum()) >= observed * (1 - 1e-9)
    return (1 + as_large) / (1 + resamples)


def label_swap(cells: Cells, rng: np.random.Generator, *, resamples: int = RESAMPLES) -> float:
    """One-sided p of the association of cells, [I, J], under swaps of the groups' labels by frame.

    A swap changes the sign of all cells of a frame; the association, a sum over pairs of different
    frames, is large only if frames agree on which attributes lean. Exact if 2^(J - 1) is at most
    `resamples`, otherwise (1 + b)/(1 + B) from B = `resamples` draws. Not a test of an average
    lean: attributes may differ although their average is 0, and swaps then reject too often.
    Raises ValueError as `association`.
    """
    complete(cells)
    deviations = centred(cells)
    # Under any swap the association is a quadratic form in the signs of the frames, so the products
    # of frames, [J, J], are computed once.
    products = deviations.T @ deviations
    np.fill_diagonal(products, 0.0)
    n_frames = cells.shape[1]
    # Changing all signs leaves the sum unchanged, so the last frame can keep its sign.
    exact = 2 ** (n_frames - 1) <= resamples
    if exact:
        swapped = (np.arange(2 ** (n_frames - 1))[:, None] >> np.arange(n_frames)) & 1
    else:
        swapped = rng.integers(0, 2, (resamples, n_frames))
    signs = 1.0 - 2.0 * swapped
    sums = ((signs @ products) * signs).sum(1)
    observed = products.sum()
    # Count sums that are equal up to rounding as at least as large.
    as_large = int((sums >= observed - 1e-9 * np.abs(products).sum()).sum())
    # The observed labels count as one of the draws, so that p is never 0.
    return as_large / len(sums) if exact else (1 + as_large) / (1 + resamples)


def kendall(
    first: Cells, second: Cells, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Kendall's tau-b of two numbers of each of n units, [n] each, and its two-sided p.

    The null hypothesis: the one says nothing of the other, so that all orders of the units are
    equally likely. tau is from -1 to 1, and p the share of orders with a tau as far from 0; exact
    if n! is at most `resamples`, otherwise (1 + b)/(1 + B) from B = `resamples` draws. Both are NaN
    where all units are alike in one of the numbers (Kendall 1970, *Rank correlation methods*).
    """
    n = len(first)
    pairs = np.array(list(combinations(range(n), 2)), dtype=int).reshape(-1, 2)
    signs = [np.sign(own[pairs[:, 1]] - own[pairs[:, 0]]) for own in (first, second)]
    untied = math.sqrt(math.prod(int((own != 0).sum()) for own in signs))
    if untied == 0:
        return math.nan, math.nan
    observed = float((signs[0] * signs[1]).sum())
    exact = math.factorial(n) <= resamples
    orders = (
        np.array(list(permutations(range(n)))) if exact else rng.random((resamples, n)).argsort(1)
    )
    as_far = 0
    # Part by part: an order has n (n - 1)/2 pairs.
    for part in np.array_split(orders, 1 + orders.size // 10_000):
        ordered = second[part]
        sums = np.sign(ordered[:, pairs[:, 1]] - ordered[:, pairs[:, 0]]) @ signs[0]
        as_far += int((np.abs(sums) >= abs(observed)).sum())
    p = as_far / len(orders) if exact else (1 + as_far) / (1 + len(orders))
    return observed / untied, p
