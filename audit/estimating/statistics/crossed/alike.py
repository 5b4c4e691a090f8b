"""Whether rows of cells that count as independent behave as one: near copies, hidden families."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.interval import Cells

# With the observed table they are 200, of which 5 % is a whole number.
DRAWS = 199
LEVEL = 0.05
_LEAST = 3
_ROUNDING = 1e-9
# The axes of drawn tables, [tables, rows, columns].
_ROWS, _COLUMNS = 1, 2
# Numbers of all drawn tables that are held in memory at once.
_AT_ONCE = 2_000_000
# Places of rows, or of columns.
Groups = Sequence[NDArray[np.intp]]
# Which of the two stretches what the other adds.
Stretching = Literal["rows", "columns"]
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


def alike(
    cells: Cells, rows: Groups, columns: Groups, rng: np.random.Generator, stretching: Stretching
) -> Alike | None:
    """Compare the rows of cells, [n, m] without gaps, by what their own effects do not explain.

    `rows` and `columns` are places of rows and columns that share effects of each other (frames of
    one style may be read alike, and so differ alike between attributes): each block of them is
    centred both ways by itself. Frames differ in how far they let attributes lean, which is one
    pattern in every table and no likeness: of each of those that are `stretching`, what goes along
    with the other's effects in its block is taken out too (Mandel 1961, a bundle of lines). What is
    left is given the same spread in each of those others, or a few noisy ones would decide.

    The reference distributions come from giving each residual a random sign, which keeps rows and
    columns as noisy as they are (permuted, unequally noisy columns would pass for likeness): of the
    largest eigenvalue, and of the largest correlation, so that a pair is named by chance in one
    table in twenty. None with fewer than three rows or columns, or more than `MOST_ROWS`, or where
    a row does not vary.
    """
    n, m = cells.shape
    if not _LEAST <= n <= MOST_ROWS or m < _LEAST:
        return None
    blocks = [_Block.of(cells, *own, stretching) for own in product(rows, columns)]
    residuals = _unexplained(cells[None], blocks)
    # A row that does not vary has no correlation with any other.
    if not (residuals[0].std(axis=1) > 1e-12 * (np.abs(cells).max() or 1.0)).all():
        return None
    observed = _correlations(residuals)[0]
    largest = float(_largest_eigenvalues(residuals)[0])
    upper = np.triu_indices(n, 1)
    eigenvalues, highest = [], []
    for n_drawn in _in_parts(DRAWS, n * max(n, m)):
        signs = 2.0 * rng.integers(0, 2, (n_drawn, n, m)) - 1.0
        drawn = _unexplained(signs * residuals, blocks)
        eigenvalues.append(_largest_eigenvalues(drawn))
        highest.append(_correlations(drawn)[:, *upper].max(1))
    by_chance, threshold = np.concatenate(eigenvalues), _reached(np.concatenate(highest))
    # A drawn table may be the observed one again, up to rounding.
    p = (1 + int((by_chance >= largest * (1 - _ROUNDING)).sum())) / (DRAWS + 1)
    found = [
        (int(i), int(j), float(observed[i, j]))
        for i, j in zip(*upper, strict=True)
        if observed[i, j] > threshold * (1 + _ROUNDING)
    ]
    pairs = tuple(sorted(found, key=lambda pair: (-pair[2], pair[:2])))
    return Alike(largest / n, float(by_chance.mean()) / n, p, pairs)


@dataclass(frozen=True)
class _Block:
    """The rows and columns that share effects, and the effects that are stretched, of length 1.

    `effects`, [rows] or [columns] by `axis`, are 0 where nothing differs.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    effects: Cells
    axis: int

    @classmethod
    def of(
        cls,
        cells: Cells,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        stretching: Stretching,
    ) -> "_Block":
        """The block of some rows and columns of cells."""
        means = cells[np.ix_(rows, columns)].mean(0 if stretching == "rows" else 1)
        effects = means - means.mean()
        length = float(np.sqrt((effects**2).sum()))
        known = length > _ROUNDING * (np.abs(means).max() or 1.0)
        axis = _COLUMNS if stretching == "rows" else _ROWS
        return cls(rows, columns, effects / length if known else np.zeros(len(effects)), axis)

    def residuals(self, cells: Cells) -> Cells:
        """What is left of this block in tables of cells, [tables, n, m]."""
        block = cells[:, self.rows[:, None], self.columns]
        block = block - block.mean(2, keepdims=True)
        block = block - block.mean(1, keepdims=True)
        along = self.effects[:, None] if self.axis == _ROWS else self.effects
        left: Cells = block - (block * along).sum(self.axis, keepdims=True) * along
        return left


def _unexplained(cells: Cells, blocks: Sequence[_Block]) -> Cells:
    """What effects of rows and columns, and their stretching, do not explain, [tables, n, m].

    Each of what is stretched has the same spread over all that stretch it.
    """
    residuals = _residuals(cells, blocks)
    stretching = 1 if blocks[0].axis == _COLUMNS else 2
    spreads = np.sqrt((residuals**2).mean(stretching, keepdims=True))
    # Scaled, they need not have a mean of 0 any more.
    return _residuals(residuals / np.where(spreads > 0, spreads, 1.0), blocks)


def _residuals(cells: Cells, blocks: Sequence[_Block]) -> Cells:
    residuals = np.empty(cells.shape)
    for block in blocks:
        residuals[:, block.rows[:, None], block.columns] = block.residuals(cells)
    return residuals


def _correlations(residuals: Cells) -> Cells:
    """The correlations of the rows of tables, [tables, n, n]."""
    scaled = residuals / np.sqrt((residuals**2).sum(2, keepdims=True))
    correlations: Cells = scaled @ scaled.swapaxes(1, 2)
    return correlations


def _largest_eigenvalues(residuals: Cells) -> Cells:
    """The largest eigenvalue of the rows' correlations, [tables]."""
    scaled = residuals / np.sqrt((residuals**2).sum(2, keepdims=True))
    # That of the smaller product is the same one.
    if residuals.shape[1] <= residuals.shape[2]:
        products = scaled @ scaled.swapaxes(1, 2)
    else:
        products = scaled.swapaxes(1, 2) @ scaled
    largest: Cells = np.linalg.eigvalsh(products)[:, -1]
    return largest


def _in_parts(draws: int, size: int) -> Iterator[int]:
    """Yield the numbers of tables of this size that are drawn at once."""
    most = max(1, _AT_ONCE // size)
    yield from (min(most, draws - start) for start in range(0, draws, most))


def _reached(highest: Cells) -> float:
    """The value that at most 5 % of the drawn tables reach, the observed one counted among them."""
    return float(np.sort(highest)[int(np.ceil((1 - LEVEL) * (DRAWS + 1))) - 1])
