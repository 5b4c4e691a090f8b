"""Cells as arrays, attribute by frame, shared by all subjects; missing cells are listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.estimators import GroupEstimator
from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.pooling import CELL, group_at_mask
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.recording.values import SUBJECTS

REFERENCE, CANDIDATE, DIFFERENCE, RELATION = SUBJECTS
CONTROL = "control"
# An attribute or a frame that lacks a larger share of its cells than this is left out.
MOST_LACKING = 0.5


@dataclass(frozen=True)
class Matrix:
    """Cells of one subject, [I, J] in nats, with the attributes' names and classes.

    A cell that any model lacks is NaN in all. If the groups' terms stand in the context, `names`
    holds the mean log p of each term over frames, one array [I, terms] per group; it is empty if
    they stand at the mask.
    """

    cells: Cells
    attributes: list[str]
    classes: list[str]
    frames: list[str]
    names: tuple[Cells, ...] = ()

    def rows(self, chosen: Sequence[bool] | NDArray[np.bool_]) -> "Matrix":
        """The attributes for which `chosen`, [I], is true."""
        mask = np.array(chosen, dtype=bool)
        return replace(
            self,
            cells=self.cells[mask],
            attributes=[name for name, kept in zip(self.attributes, mask, strict=True) if kept],
            classes=[name for name, kept in zip(self.classes, mask, strict=True) if kept],
            names=tuple(own[mask] for own in self.names),
        )

    def of_class(self, name: str) -> "Matrix":
        """The attributes of one class; controls have the class `control`."""
        return self.rows([found == name for found in self.classes])

    @property
    def probes(self) -> "Matrix":
        """The attributes that are not controls."""
        return self.rows([found != CONTROL for found in self.classes])

    @property
    def complete(self) -> "Matrix":
        """The matrix without gaps.

        Repeatedly removes the attribute or frame that lacks the largest share of its cells. On a
        tie the frame goes, because an attribute is measured in many frames.
        """
        gaps = np.isnan(self.cells)
        rows, columns = (np.ones(size, dtype=bool) for size in gaps.shape)
        while (inside := gaps & rows[:, None] & columns).any():
            of_rows, of_columns = inside.sum(1) / columns.sum(), inside.sum(0) / rows.sum()
            if of_rows.max() > of_columns.max():
                rows[of_rows.argmax()] = False
            else:
                columns[of_columns.argmax()] = False
        if columns.all():
            return self.rows(rows)
        frames = [name for name, kept in zip(self.frames, columns, strict=True) if kept]
        return replace(self.rows(rows), cells=self.cells[rows][:, columns], frames=frames)


def with_difference(by_model: Mapping[str, Matrix]) -> dict[str, Matrix]:
    """The subjects of a record: its models, and candidate minus reference if it has both."""
    subjects = dict(by_model)
    if len(by_model) > 1:
        reference, candidate = by_model[REFERENCE], by_model[CANDIDATE]
        names = zip(candidate.names, reference.names, strict=True)
        subjects[DIFFERENCE] = replace(
            candidate,
            cells=candidate.cells - reference.cells,
            names=tuple(own - other for own, other in names),
        )
    return subjects


def matrices(
    items: pd.DataFrame, scores: pd.DataFrame, estimator: GroupEstimator, first: str, second: str
) -> tuple[dict[str, Matrix], list[dict[str, str]]]:
    """The shared cells of each model, and the attribute and frame of each missing cell.

    A cell counts only if every model has it. Attributes and frames that lack more than half of
    their cells are removed until none is left; other missing cells are NaN.
    """
    scored = {
        str(model): items.merge(own[["item", "value"]], on="item", how="left")
        for model, own in scores[scores["measure"] == "logp"].groupby("model", sort=False)
    }
    # Every model has the same items in the same order, so one table of places serves all.
    by_model = {model: estimator.cells(own, first, second) for model, own in scored.items()}
    place = next(iter(by_model.values()))[CELL]
    values = {model: own["value"].to_numpy(dtype=float) for model, own in by_model.items()}
    known = ~np.isnan(np.stack(list(values.values()))).any(0)
    attributes = place.groupby(CELL[:-1], sort=True)
    row = attributes.ngroup().to_numpy()
    names = attributes.first().index.to_frame(index=False)
    column, frames = pd.factorize(place["frame"], sort=True)
    grid = np.zeros((len(names), len(frames)), dtype=bool)
    grid[row, column] = known
    kept, also = _well_known(grid)
    names = names[kept]
    used = known & kept[row] & also[column]
    found = {}
    for model, own in values.items():
        cells = np.full(grid.shape, np.nan)
        cells[row[known], column[known]] = own[known]
        found[model] = Matrix(
            cells[kept][:, also],
            names["attribute"].tolist(),
            # A control has no class: its role stands in.
            [c or r for c, r in zip(names["class"], names["role"], strict=True)],
            [str(frame) for frame in frames[also]],
            _by_name(scored[model], place[used], names, (first, second))
            if estimator is LOG_ODDS
            else (),
        )
    left_out = place.loc[~known, ["attribute", "frame"]].to_dict("records")
    return found, left_out


def _well_known(grid: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks of the attributes and frames with at least half of the cells that both masks keep."""
    rows, columns = (np.ones(size, dtype=bool) for size in grid.shape)
    while True:
        inside = grid & rows[:, None] & columns
        # At least one cell: if all frames are gone, half of zero cells would keep an empty row.
        fewer = rows & (inside.sum(1) >= max(1.0, MOST_LACKING * columns.sum()))
        narrower = columns & (inside[fewer].sum(0) >= max(1.0, MOST_LACKING * fewer.sum()))
        if (fewer == rows).all() and (narrower == columns).all():
            return rows, columns
        rows, columns = fewer, narrower


def _by_name(
    scored: pd.DataFrame, cells: pd.DataFrame, names: pd.DataFrame, groups: tuple[str, str]
) -> tuple[Cells, ...]:
    """Mean log p of each term over the frames of an attribute, one array [I, terms] per group.

    Empty if the groups' terms stand at the mask.
    """
    rows = scored[scored["group"].isin(groups) & (scored["role"] != "prior")]
    if rows.empty or group_at_mask(rows):
        return ()
    # Average over variants first, as for a cell, so that every frame has the same weight.
    terms = rows.groupby([*CELL, "group", "term"], sort=False)["value"].mean().reset_index()
    terms = terms.merge(cells, on=CELL)
    if terms.empty:
        return ()
    means = terms.groupby(["group", "term", *CELL[:-1]])["value"].mean()
    order = pd.MultiIndex.from_frame(names)
    return tuple(
        means[group].unstack("term").reindex(order).to_numpy(dtype=float) for group in groups
    )
