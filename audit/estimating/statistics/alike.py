"""Whether rows of cells that count as independent behave as one: near copies, hidden families."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.interval import Cells

DRAWS = 199
LEVEL = 0.05
_LEAST = 3
_ROUNDING = 1e-9
# Places of rows, or of columns.
Groups = Sequence[NDArray[np.intp]]
# Above this the correlations of all pairs are no longer worth their time and memory.
MOST_ROWS = 500


@dataclass(frozen=True)
class Alike:
    """The share of the residual variance in one direction, its p, and the pairs that stand out.

    `share` is the largest eigenvalue of the rows' residual correlations over their number, from
    1/rows to 1; `by_chance` is its average over the drawn tables. `pairs` are (row, row,
    correlation), the largest first.
    """

    share: float
    by_chance: float
    p: float
    pairs: tuple[tuple[int, int, float], ...]


def alike(cells: Cells, rows: Groups, columns: Groups, rng: np.random.Generator) -> Alike | None:
    """Compare the rows of cells, [n, m] without gaps, by what additive effects do not explain.

    `rows` and `columns` are places of rows and columns that share effects of each other (frames of
    one style may be read alike, and so differ alike between attributes): each block of them is
    centred both ways by itself. The reference distributions come from giving each residual a random
    sign, which keeps rows and columns as noisy as they are (permuted, unequally noisy columns would
    pass for likeness): of the largest eigenvalue, and of the largest correlation, so that a pair is
    named by chance in one table in twenty. None with fewer than three rows or columns, or more than
    `MOST_ROWS`, or where a row does not vary.
    """
    n, m = cells.shape
    if not _LEAST <= n <= MOST_ROWS or m < _LEAST:
        return None
    residuals = _centred(cells, rows, columns)
    if not (residuals.std(axis=1) > 1e-12 * (np.abs(cells).max() or 1.0)).all():
        return None
    observed = _correlations(residuals)
    largest = float(np.linalg.eigvalsh(observed)[-1])
    eigenvalues, highest = np.empty(DRAWS), np.empty(DRAWS)
    upper = np.triu_indices(n, 1)
    for draw in range(DRAWS):
        signs = rng.choice((-1.0, 1.0), residuals.shape)
        correlations = _correlations(_centred(signs * residuals, rows, columns))
        eigenvalues[draw] = np.linalg.eigvalsh(correlations)[-1]
        highest[draw] = correlations[upper].max()
    # A drawn table may be the observed one again, up to rounding.
    p = (1 + int((eigenvalues >= largest * (1 - _ROUNDING)).sum())) / (DRAWS + 1)
    # The value that at most 5 % of the drawn tables reach, the observed one counted among them.
    threshold = np.sort(highest)[int(np.ceil((1 - LEVEL) * (DRAWS + 1))) - 1]
    found = [
        (int(i), int(j), float(observed[i, j]))
        for i, j in zip(*upper, strict=True)
        if observed[i, j] > threshold * (1 + _ROUNDING)
    ]
    by_chance = float(eigenvalues.mean()) / n
    pairs = tuple(sorted(found, key=lambda pair: (-pair[2], pair[:2])))
    return Alike(largest / n, by_chance, p, pairs)


def _centred(cells: Cells, rows: Groups, columns: Groups) -> Cells:
    """The cells less the means of rows and columns, within each block of rows and columns."""
    residuals = np.empty(cells.shape)
    for own, others in product(rows, columns):
        block = cells[np.ix_(own, others)]
        block = block - block.mean(1, keepdims=True)
        residuals[np.ix_(own, others)] = block - block.mean(0, keepdims=True)
    return residuals


def _correlations(residuals: Cells) -> Cells:
    scale = np.sqrt((residuals**2).sum(1))
    correlations: Cells = residuals @ residuals.T / np.outer(scale, scale)
    return correlations
