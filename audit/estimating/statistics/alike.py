"""Whether rows of cells that count as independent behave as one: near copies, hidden families."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.interval import Cells

PERMUTATIONS = 199
LEVEL = 0.05
_LEAST = 3
# Above this the correlations of all pairs are no longer worth their time and memory.
_MOST = 500


@dataclass(frozen=True)
class Alike:
    """The share of the residual variance in one direction, its p, and the pairs that stand out.

    `share` is the largest eigenvalue of the rows' residual correlations over their number, from
    1/rows to 1. `pairs` are (row, row, correlation), the largest first.
    """

    share: float
    p: float
    pairs: tuple[tuple[int, int, float], ...]


def alike(
    cells: Cells, groups: Sequence[NDArray[np.intp]], rng: np.random.Generator
) -> Alike | None:
    """Compare the rows of cells, [n, m] without gaps, by what additive effects do not explain.

    `groups` are places of columns that share an effect of each row (the styles of frames, where
    rows are attributes) and are centred by themselves. The reference distributions come from
    permuting the residuals of each row over its columns, apart from the others: of the largest
    eigenvalue, and of the largest correlation, so that a pair is named by chance in one table in
    twenty. None with fewer than three rows or columns, or more than 500 rows, or where a row does
    not vary.
    """
    n, m = cells.shape
    if not _LEAST <= n <= _MOST or m < _LEAST:
        return None
    residuals = _centred(cells, groups)
    if not (residuals.std(axis=1) > 1e-12 * (np.abs(cells).max() or 1.0)).all():
        return None
    observed = _correlations(residuals)
    largest = float(np.linalg.eigvalsh(observed)[-1])
    eigenvalues, highest = np.empty(PERMUTATIONS), np.empty(PERMUTATIONS)
    upper = np.triu_indices(n, 1)
    for draw in range(PERMUTATIONS):
        shuffled = _correlations(_centred(rng.permuted(residuals, axis=1), groups))
        eigenvalues[draw] = np.linalg.eigvalsh(shuffled)[-1]
        highest[draw] = shuffled[upper].max()
    p = (1 + int((eigenvalues >= largest).sum())) / (PERMUTATIONS + 1)
    # The value that at most 5 % of the permuted tables reach, the observed one counted among them.
    threshold = np.sort(highest)[int(np.ceil((1 - LEVEL) * (PERMUTATIONS + 1))) - 1]
    found = [
        (int(i), int(j), float(observed[i, j]))
        for i, j in zip(*upper, strict=True)
        if observed[i, j] > threshold
    ]
    return Alike(largest / n, p, tuple(sorted(found, key=lambda pair: (-pair[2], pair[:2]))))


def _centred(cells: Cells, groups: Sequence[NDArray[np.intp]]) -> Cells:
    """The cells less the means of rows and columns, within each group of columns."""
    residuals = np.empty(cells.shape)
    for own in groups:
        part = cells[:, own]
        part = part - part.mean(1, keepdims=True)
        residuals[:, own] = part - part.mean(0, keepdims=True)
    return residuals


def _correlations(residuals: Cells) -> Cells:
    scale = np.sqrt((residuals**2).sum(1))
    correlations: Cells = residuals @ residuals.T / np.outer(scale, scale)
    return correlations
