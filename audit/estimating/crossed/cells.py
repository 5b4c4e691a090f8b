"""Cells as arrays, attribute by frame, shared by all subjects; missing cells are listed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from maskaudit.audit.estimating.estimators import GroupEstimator
from maskaudit.audit.estimating.estimators.of_groups import log_odds
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.pooling import (
    CELL,
    Slots,
    numbered,
)
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.recording.rows.values import SUBJECTS

REFERENCE, CANDIDATE, DIFFERENCE, RELATION = SUBJECTS
CONTROL = "control"
# The classes of contrasts of controls are their own behind this.
_OF_CONTROLS = f"{CONTROL}:"
# The texts that say of which cell an item is; its words are of one dtype, to be compared.
_TEXTS = ("role", "class", "attribute", "frame", "group", "style", "family")
# An attribute or a frame that lacks a larger share of its cells than this is left out.
MOST_LACKING = 0.5


# The items of a set by its name, with their log p by each model (`with_scores`).
ScoredOf = Callable[[str], Mapping[str, pd.DataFrame]]


@dataclass(frozen=True)
class Matrix:
    """Cells of one subject, [I, J] in nats, with the attributes' names and classes.

    A cell that any model lacks is NaN in all. If the groups' terms stand in the context, `names`
    holds the mean log p of each term over frames, one array [I, terms] per group; it is empty if
    they stand at the mask. `styles` are those of the frames and `families` those of the attributes;
    each is empty if the set names none.
    """

    cells: Cells
    attributes: list[str]
    classes: list[str]
    frames: list[str]
    names: tuple[Cells, ...] = ()
    styles: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    def rows(self, chosen: Sequence[bool] | NDArray[np.bool_]) -> "Matrix":
        """The attributes for which `chosen`, [I], is true."""
        mask = np.array(chosen, dtype=bool)
        return replace(
            self,
            cells=self.cells[mask],
            attributes=list(compress(self.attributes, mask)),
            classes=list(compress(self.classes, mask)),
            names=tuple(means[mask] for means in self.names),
            families=tuple(compress(self.families, mask)),
        )

    def columns(self, chosen: Sequence[bool] | NDArray[np.bool_]) -> "Matrix":
        """The frames for which `chosen`, [J], is true; means of names stay those of all frames."""
        mask = np.array(chosen, dtype=bool)
        return replace(
            self,
            cells=self.cells[:, mask],
            frames=list(compress(self.frames, mask)),
            styles=tuple(compress(self.styles, mask)),
        )

    def of_class(self, name: str) -> "Matrix":
        """The attributes of one class; controls have the class `control`."""
        return self.rows([class_ == name for class_ in self.classes])

    @property
    def probes(self) -> "Matrix":
        """The attributes that are not controls."""
        return self.rows([not is_control(class_) for class_ in self.classes])

    @property
    def complete(self) -> "Matrix":
        """The matrix without gaps.

        Repeatedly removes the attribute or frame that lacks the largest share of its cells. On a
        tie the frame goes, because an attribute is measured in many frames.
        """
        gaps = np.isnan(self.cells)
        rows, columns = (np.ones(size, dtype=bool) for size in gaps.shape)
        # One at a time, because every removal changes the shares of all the others.
        while (inside := gaps & rows[:, None] & columns).any():
            row_gaps, column_gaps = inside.sum(1) / columns.sum(), inside.sum(0) / rows.sum()
            if row_gaps.max() > column_gaps.max():
                rows[row_gaps.argmax()] = False
            else:
                columns[column_gaps.argmax()] = False
        return self.rows(rows).columns(columns)


def is_control(class_: str) -> bool:
    """Whether the class of a row is that of controls, or of one side of a contrast of controls."""
    return class_ == CONTROL or class_.startswith(_OF_CONTROLS)


def control_contrasts(matrix: Matrix) -> dict[str, tuple[str, str]]:
    """The contrasts of controls by name, each with the classes of its two sides in the matrix."""
    names = {
        class_.removeprefix(_OF_CONTROLS).rpartition(":")[0]
        for class_ in matrix.classes
        if class_.startswith(_OF_CONTROLS)
    }
    return {
        name: (f"{_OF_CONTROLS}{name}:first", f"{_OF_CONTROLS}{name}:second")
        for name in sorted(names)
    }


def _class_in_matrix(role: str, class_: str) -> str:
    """The class of a row; controls of no contrast have none, and their role stands in."""
    if role != CONTROL:
        return class_
    # With a mark of its own: a contrast of controls may have the name of a class of probes.
    return f"{_OF_CONTROLS}{class_}" if class_ else CONTROL


def with_difference(by_model: Mapping[str, Matrix]) -> dict[str, Matrix]:
    """The subjects of a record: its models, and candidate minus reference if it has both."""
    subjects = dict(by_model)
    if len(by_model) > 1:
        reference, candidate = by_model[REFERENCE], by_model[CANDIDATE]
        name_pairs = zip(candidate.names, reference.names, strict=True)
        subjects[DIFFERENCE] = replace(
            candidate,
            # Cell by cell, so that what both models share in a sentence cancels
            # (docs/decisions/0001).
            cells=candidate.cells - reference.cells,
            names=tuple(
                candidate_means - reference_means for candidate_means, reference_means in name_pairs
            ),
        )
    return subjects


def matrices(  # noqa: PLR0913 - the cells, and what is made of them
    items: pd.DataFrame,
    scores: pd.DataFrame,
    estimator: GroupEstimator,
    first: str,
    second: str,
    *,
    with_names: bool = True,
) -> tuple[dict[str, Matrix], list[dict[str, str]]]:
    """`matrices_of` the items of a set and their scores."""
    scored = with_scores(items, scores)
    return matrices_of(scored, estimator, first, second, with_names=with_names)


def matrices_of(
    scored: Mapping[str, pd.DataFrame],
    estimator: GroupEstimator,
    first: str,
    second: str,
    *,
    with_names: bool = True,
) -> tuple[dict[str, Matrix], list[dict[str, str]]]:
    """The shared cells of each model, and the attribute and frame of each missing cell.

    A cell counts only if every model has it. Attributes and frames that lack more than half of
    their cells are removed until none is left; other missing cells are NaN. The means of names,
    which take the most time, are left out unless `with_names`.
    """
    items = next(iter(scored.values()))
    if estimator is not LOG_ODDS:
        placed = arranged(
            items, {model: estimator.cells(rows, first, second) for model, rows in scored.items()}
        )
        return placed.by_model, placed.left_out
    slots = _slots(scored)
    placed = arranged(
        items, {model: own.differences(first, second) for model, own in slots.items()}
    )
    if not with_names:
        return placed.by_model, placed.left_out
    # The means of the terms rest on the very cells that the matrix holds, so that the two agree.
    result = {
        model: replace(matrix, names=_term_means(slots[model], placed, (first, second)))
        for model, matrix in placed.by_model.items()
    }
    return result, placed.left_out


def _slots(scored: Mapping[str, pd.DataFrame]) -> dict[str, Slots]:
    """The slots that the log-odds are made of, by model."""
    asked = {model: log_odds.asked(rows) for model, rows in scored.items()}
    # Models answer the same items in the same order, which takes longer to arrange than to fill in.
    one = Slots.of(next(iter(asked.values())))
    return {
        model: one.with_values(rows["value"].to_numpy(dtype=float)) for model, rows in asked.items()
    }


def with_scores(items: pd.DataFrame, scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The items with their log p by each model, in the order of the items; NaN where one was lost.

    They have the columns that say of which cell they are, texts as categories, and `value`. Raises
    `ValueError` if no model has a row of `logp`; an item that was lost has one.
    """
    # Coded once, since every question to a set sorts its items by these texts again.
    coded = {name: items[name].astype("category") for name in _TEXTS if name in items}
    words = pd.CategoricalDtype(sorted({*items["term"].unique(), *items["target"].unique()}))
    coded |= {name: items[name].astype(words) for name in ("term", "target")}
    logp = scores.loc[scores["measure"] == "logp", ["model", "item", "value"]]
    scored = {}
    for model, rows in logp.groupby("model", sort=False):
        place = tables.places(items["item"], pa.array(rows["item"], pa.large_string()))
        # An item without a score makes its cell NaN; it does not drop out of its mean.
        values = np.append(rows["value"].to_numpy(dtype=float), np.nan)[place]
        columns = {"variant": items["variant"], **coded, "value": values}
        scored[str(model)] = pd.DataFrame(columns, index=items.index)
    if not scored:
        message = "no item of the set has a score, nor a reason why not"
        raise ValueError(message)
    return scored


@dataclass(frozen=True)
class Arranged:
    """Cells of every model in their places.

    `row` is the row of the matrices in which each cell that was given has its number, [cells]; -1
    where they hold none. `left_out` names attribute and frame of the cells that a model lacks.
    """

    by_model: dict[str, Matrix]
    row: NDArray[np.int64]
    left_out: list[dict[str, str]]


@dataclass(frozen=True)
class Grid:
    """The rows and columns of cells, attributes by frames: one serves all models and all values.

    `cells` are the columns `CELL`, `row` and `column` the place of each, [cells]. `labels` are the
    cells' own, by row: role, class and attribute; `frames` are the names of the columns. `styles`
    are those of all frames by name, and `families` those of all attributes; each is empty if the
    set names none.
    """

    cells: pd.DataFrame
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    labels: NDArray[np.object_]
    frames: NDArray[np.object_]
    styles: Mapping[str, str]
    families: Mapping[str, str]

    @classmethod
    def of(cls, items: pd.DataFrame, cells: pd.DataFrame) -> "Grid":
        """The grid of the cells of some items with their scores (`with_scores`)."""
        # Sorted by name, so that rows, columns and sums do not depend on the order of the items.
        row, of_row = numbered(cells, CELL[:-1], sort=True)
        column, of_column = numbered(cells, CELL[-1:], sort=True)
        return cls(
            cells,
            row,
            column,
            cells[CELL[:-1]].iloc[of_row].to_numpy(dtype=object),
            cells["frame"].iloc[of_column].to_numpy(dtype=object),
            _labels(items, "frame", "style"),
            _labels(items, "attribute", "family"),
        )

    def arranged(self, values: Mapping[str, Cells]) -> Arranged:
        """Each model's values of the cells, [cells], in their places."""
        row, column = self.row, self.column
        # Over all models at once: they are compared cell by cell, so one that lacks a cell takes it
        # from the others too.
        complete = np.asarray(~np.isnan(np.stack(list(values.values()))).any(axis=0), dtype=bool)
        grid = np.zeros((len(self.labels), len(self.frames)), dtype=bool)
        grid[row, column] = complete
        kept_rows, kept_columns = _well_covered(grid)
        roles, classes, attributes = self.labels[kept_rows].T.tolist()
        frames = self.frames[kept_columns].tolist()
        result = {}
        for model, model_values in values.items():
            grid_values = np.full(grid.shape, np.nan)
            grid_values[row[complete], column[complete]] = model_values[complete]
            result[model] = Matrix(
                grid_values[kept_rows][:, kept_columns],
                list(attributes),
                list(map(_class_in_matrix, roles, classes)),
                list(frames),
                styles=tuple(self.styles[name] for name in frames if self.styles),
                families=tuple(self.families[name] for name in attributes if self.families),
            )
        left_out: list[dict[str, str]] = []
        if not complete.all():
            lacking = self.cells[~complete]
            both = zip(lacking["attribute"], lacking["frame"], strict=True)
            left_out = [{"attribute": attribute, "frame": frame} for attribute, frame in both]
        used = complete & kept_rows[row] & kept_columns[column]
        return Arranged(result, np.where(used, (kept_rows.cumsum() - 1)[row], -1), left_out)


def arranged(items: pd.DataFrame, cells: Mapping[str, pd.DataFrame]) -> Arranged:
    """Arrange cells, one table per model with a row for each, as attributes by frames.

    Every model has the same cells in the same order. What is left out is said in `matrices`.
    """
    grid = Grid.of(items, next(iter(cells.values())))
    return grid.arranged(
        {model: own["value"].to_numpy(dtype=float) for model, own in cells.items()}
    )


def _labels(items: pd.DataFrame, of: str, column: str) -> Mapping[str, str]:
    """The style of each frame, or the family of each attribute; empty if the set names none."""
    if not any(items[column].cat.categories):
        return {}
    named = items[[of, column]].iloc[numbered(items, [of])[1]]
    by_name = dict(zip(named[of].astype(str), named[column].astype(str), strict=True))
    return by_name if any(by_name.values()) else {}


def _well_covered(grid: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks of the attributes and frames with at least half of the cells that both masks keep."""
    rows, columns = (np.ones(size, dtype=bool) for size in grid.shape)
    while True:
        inside = grid & rows[:, None] & columns
        # At least one cell: if all frames are gone, half of zero cells would keep an empty row.
        rows_left = rows & (inside.sum(1) >= max(1.0, MOST_LACKING * columns.sum()))
        columns_left = columns & (
            inside[rows_left].sum(0) >= max(1.0, MOST_LACKING * rows_left.sum())
        )
        if (rows_left == rows).all() and (columns_left == columns).all():
            return rows, columns
        rows, columns = rows_left, columns_left


def _term_means(slots: Slots, placed: Arranged, groups: tuple[str, str]) -> tuple[Cells, ...]:
    """Mean log p of each term over the frames of an attribute, one array [I, terms] per group.

    Empty if the groups' terms stand at the mask.
    """
    n_rows = placed.row.max(initial=-1) + 1
    if not n_rows or slots.is_at_mask:
        return ()
    cell, n_cells, n_words = slots.places.cell, len(placed.row), len(slots.words)
    # Average over variants first, as for a cell, so that every frame has the same weight.
    by_cell = _means(cell[slots.slot] * n_words + slots.word, slots.value, n_cells * n_words)
    by_cell = by_cell.reshape(n_cells, n_words)
    used = placed.row >= 0
    row = placed.row[used][:, None] * n_words + np.arange(n_words)
    known = ~np.isnan(by_cell[used])
    means = _means(row[known], by_cell[used][known], n_rows * n_words).reshape(n_rows, n_words)
    # A term may stand in cells alone that are not used.
    of_word = np.where(np.isnan(means).all(0), "", slots.group_of_word)
    return tuple(means[:, of_word == group] for group in groups)


def _means(places: NDArray[np.int64], values: Cells, n: int) -> Cells:
    """The mean of the values at each of n places; NaN where there is none."""
    counts = np.bincount(places, minlength=n)
    sums = np.bincount(places, values, minlength=n)
    # Not a plain division: 0/0 is meant here, and would warn.
    means: Cells = np.divide(sums, counts, out=np.full(n, np.nan), where=counts > 0)
    return means
