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
# Numbers of the tables that are drawn at once: they are gone through a dozen times, and these many
# stay near the processor.
_AT_ONCE = 50_000
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
    order = np.concatenate(rows), np.concatenate(columns)
    table, places = cells[np.ix_(*order)], (_slices(rows), _slices(columns))
    # The stretching come first from here on, so that one way of reading a table does for both.
    turned = stretching == "columns"
    if turned:
        table, places = table.T, places[::-1]
    blocks = [_Block.of(table, *own) for own in product(*places)]
    residuals = _unexplained(table[None].copy(), blocks)
    # A row that does not vary has no correlation with any other.
    spreads = residuals[0].std(axis=0 if turned else 1)
    if not (spreads > 1e-12 * (np.abs(cells).max() or 1.0)).all():
        return None
    scaled = _of_length_1(residuals, turned=turned)
    correlations = scaled @ scaled.swapaxes(1, 2)
    observed, largest = correlations[0], float(_largest_eigenvalues(scaled, correlations)[0])
    eigenvalues, highest, itself = [], [], np.arange(n)
    for n_drawn in _in_parts(DRAWS, n * m):
        signs = rng.integers(0, 2, (n_drawn, n, m))[:, order[0][:, None], order[1]]
        if turned:
            signs = signs.swapaxes(1, 2)
        # Its own value where the sign is 1, its negative where that is 0.
        drawn = signs * (2 * residuals) - residuals
        scaled = _of_length_1(_unexplained(drawn, blocks), turned=turned)
        correlations = scaled @ scaled.swapaxes(1, 2)
        eigenvalues.append(_largest_eigenvalues(scaled, correlations))
        correlations[:, itself, itself] = -np.inf
        highest.append(correlations.max((1, 2)))
    by_chance, threshold = np.concatenate(eigenvalues), _reached(np.concatenate(highest))
    # A drawn table may be the observed one again, up to rounding.
    p = (1 + int((by_chance >= largest * (1 - _ROUNDING)).sum())) / (DRAWS + 1)
    found = []
    for i, j in zip(*np.triu_indices(n, 1), strict=True):
        if observed[i, j] > threshold * (1 + _ROUNDING):
            own, other = sorted((int(order[0][i]), int(order[0][j])))
            found.append((own, other, float(observed[i, j])))
    pairs = tuple(sorted(found, key=lambda pair: (-pair[2], pair[:2])))
    return Alike(largest / n, float(by_chance.mean()) / n, p, pairs)


def _slices(groups: Groups) -> list[slice]:
    """Where each group stands once the groups stand one after the other."""
    ends = np.cumsum([len(own) for own in groups])
    return [slice(int(end) - len(own), int(end)) for own, end in zip(groups, ends, strict=True)]


@dataclass(frozen=True)
class _Block:
    """Rows and columns of a table that share effects, the rows stretching those of the columns.

    `basis`, [columns, 1 or 2], is what is taken out of each row: its mean, and what goes along with
    the effects of the columns, if these differ. Its columns are of length 1 and orthogonal.
    """

    rows: slice
    columns: slice
    basis: Cells

    @classmethod
    def of(cls, table: Cells, rows: slice, columns: slice) -> "_Block":
        """The block of some rows and columns of a table."""
        means = table[rows, columns].mean(0)
        effects = means - means.mean()
        basis = [np.full(len(means), 1 / np.sqrt(len(means)))]
        length = float(np.sqrt((effects**2).sum()))
        # Equal columns differ by rounding alone, which is no direction to take out of the rows.
        if length > _ROUNDING * (np.abs(means).max() or 1.0):
            basis.append(effects / length)
        return cls(rows, columns, np.stack(basis, axis=1))

    def take_out_of_rows(self, tables: Cells) -> None:
        """Take out of each row of this block, in place, what the basis explains of it."""
        block = tables[:, self.rows, self.columns]
        block -= (block @ self.basis) @ self.basis.T

    def centre_columns(self, tables: Cells) -> None:
        """Centre each column of this block, in place."""
        block = tables[:, self.rows, self.columns]
        block -= block.mean(1, keepdims=True)


def _unexplained(tables: Cells, blocks: Sequence[_Block]) -> Cells:
    """What effects of rows and columns, and their stretching, leave of tables, [tables, n, m].

    Each column is given the same spread over all rows. The tables themselves are changed.
    """
    for block in blocks:
        block.centre_columns(tables)
        block.take_out_of_rows(tables)
    spreads = np.sqrt(np.einsum("tij,tij->tj", tables, tables) / tables.shape[1])
    tables /= np.where(spreads > 0, spreads, 1.0)[:, None]
    # Of another spread, the columns are still centred, but the rows need not be.
    for block in blocks:
        block.take_out_of_rows(tables)
    return tables


def _of_length_1(residuals: Cells, *, turned: bool) -> Cells:
    """The rows that are compared, [tables, n, m], each of length 1: the columns if it is turned."""
    rows = np.ascontiguousarray(residuals.swapaxes(1, 2)) if turned else residuals
    lengths = np.sqrt(np.einsum("tij,tij->ti", rows, rows))
    scaled: Cells = rows / lengths[:, :, None]
    return scaled


def _largest_eigenvalues(scaled: Cells, correlations: Cells) -> Cells:
    """The largest eigenvalue of the correlations of rows of length 1, [tables]."""
    # That of the smaller product is the same one.
    is_wide = scaled.shape[1] <= scaled.shape[2]
    products = correlations if is_wide else scaled.swapaxes(1, 2) @ scaled
    return np.asarray(np.linalg.eigvalsh(products)[:, -1], dtype=float)


def _in_parts(draws: int, size: int) -> Iterator[int]:
    """Yield the numbers of tables of this size that are drawn at once."""
    # At least one: a table may be larger than the limit by itself.
    most = max(1, _AT_ONCE // size)
    yield from (min(most, draws - start) for start in range(0, draws, most))


def _reached(highest: Cells) -> float:
    """The value that at most 5 % of the drawn tables reach, the observed one counted among them."""
    return float(np.sort(highest)[int(np.ceil((1 - LEVEL) * (DRAWS + 1))) - 1])
