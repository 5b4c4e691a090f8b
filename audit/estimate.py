"""Estimates by slice and subject, all subjects from the same cells.

The subjects are `reference`, `candidate` and `difference` (candidate minus reference). A cell
counts only where it is complete for every subject; what is left out is listed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from audit import statistics, tables
from audit.estimators import (
    CORRECTED,
    Estimator,
    GroupEstimator,
    Measured,
    UnitEstimator,
    Value,
    per_unit,
)
from audit.estimators.catalogue import GROUP, UNIT
from audit.estimators.log_odds import LOG_ODDS
from audit.estimators.pooling import pooling_rule
from audit.estimators.prior import PRIOR
from audit.statistics import Cells, Interval
from audit.unit_estimates import DIFFERENCE, RELATION, unit_rows

CONTRAST = "stereotype_contrast"
LARGEST = "largest_lean"
LARGEST_SHOWN = 10
LEAST_FRAMES = 6


@dataclass(frozen=True)
class Design:
    """What estimating needs to know of a probe set beyond its items."""

    name: str
    axis: str
    contrast: tuple[str, str] | None
    expect: str
    method: Mapping[str, str]


@dataclass(frozen=True)
class Estimated:
    """The estimates, and the cells that no subject could use: probe_set, attribute and frame."""

    estimates: pd.DataFrame
    left_out: list[dict[str, str]]


@dataclass(frozen=True)
class Matrix:
    """Cells of one subject as an array [attributes, frames], with their names and classes."""

    cells: Cells
    attributes: list[str]
    classes: list[str]
    frames: list[str]

    def of_class(self, name: str) -> Cells:
        """The rows of one class."""
        return self.cells[[found == name for found in self.classes]]


def estimate(  # noqa: PLR0913, PLR0917 - the tables of a record
    items: pd.DataFrame,
    scores: pd.DataFrame,
    designs: Sequence[Design],
    fills: pd.DataFrame | None = None,
    paired: pd.DataFrame | None = None,
    lexicon: frozenset[str] | None = None,
) -> Estimated:
    """Every estimate of a record; p values are adjusted over the tested slices of a subject.

    `lexicon` are hurtful words in lower case, for those estimators that need the user's.
    """
    fills = tables.table("fills", []) if fills is None else fills
    paired = tables.table("paired", []) if paired is None else paired
    measurements = _by_subject(scores, fills, paired, lexicon)
    found, left_out = [], []
    for design in designs:
        own = items[items["probe_set"] == design.name]
        for part in _of_set(own, scores, measurements, design):
            found.append(part.estimates)
            left_out += part.left_out
    whole = pd.concat(found, ignore_index=True)
    tested = (whole["estimator"] == CONTRAST) & whole["probe_set"].isin(
        [design.name for design in designs if design.expect == "lean"]
    )
    for subject in whole["subject"].unique():
        chosen = tested & (whole["subject"] == subject)
        p = whole.loc[chosen, "p"].to_numpy(dtype=float)
        whole.loc[chosen, "p_adjusted"] = statistics.benjamini_hochberg(p)
    return Estimated(tables.check("estimates", whole), left_out)


def with_difference(by_model: Mapping[str, Matrix]) -> dict[str, Matrix]:
    """The subjects of a record: its models, and candidate minus reference where both are there."""
    subjects = dict(by_model)
    if len(by_model) > 1:
        reference, candidate = by_model["reference"], by_model["candidate"]
        subjects[DIFFERENCE] = replace(candidate, cells=candidate.cells - reference.cells)
    return subjects


def matrices(
    items: pd.DataFrame, scores: pd.DataFrame, estimator: GroupEstimator, first: str, second: str
) -> tuple[dict[str, Matrix], list[dict[str, str]]]:
    """The shared complete cells of each model; and the cells left out, with the reason.

    An attribute with a missing cell is left out whole, for every model; so is a frame in which
    nothing could be scored.
    """
    by_model = {
        str(model): estimator.cells(
            items.merge(own[["item", "value"]], on="item", how="left"), first, second
        )
        for model, own in scores[scores["measure"] == "logp"].groupby("model", sort=False)
    }
    place = ["role", "class", "attribute", "frame"]
    wide = pd.concat(
        [cells.set_index(place)["value"].rename(model) for model, cells in by_model.items()], axis=1
    )
    complete = wide.notna().all(axis=1)
    grid = complete.unstack("frame")
    grid = grid.loc[:, grid.any(axis=0)]
    kept = grid[grid.all(axis=1)]
    left_out = [
        {"attribute": str(attribute), "frame": str(frame)}
        for _, _, attribute, frame in complete.index[~complete]
    ]
    names = kept.index.to_frame(index=False)
    found = {
        model: Matrix(
            wide[model].unstack("frame").loc[kept.index, kept.columns].to_numpy(dtype=float),
            names["attribute"].tolist(),
            [c or r for c, r in zip(names["class"], names["role"], strict=True)],
            [str(frame) for frame in kept.columns],
        )
        for model in by_model
    }
    return found, left_out


def _by_subject(
    scores: pd.DataFrame,
    fills: pd.DataFrame,
    paired: pd.DataFrame,
    lexicon: frozenset[str] | None,
) -> dict[str, Measured]:
    """What was measured of each model, and of the two together as `relation`; items come later."""
    none = tables.table("items", [])
    alone = paired["other_model"] == ""
    found = {
        str(model): Measured(
            none,
            own,
            fills[fills["model"] == model],
            paired[alone & (paired["model"] == model)],
            lexicon,
        )
        for model, own in scores.groupby("model", sort=False)
    }
    if not alone.all():
        found[RELATION] = Measured(none, scores.iloc[:0], fills.iloc[:0], paired[~alone])
    return found


def _of_set(
    items: pd.DataFrame, scores: pd.DataFrame, measurements: Mapping[str, Measured], design: Design
) -> Iterator[Estimated]:
    """The estimates of one probe set, by the estimators of its kind."""
    kind = items["kind"].iloc[0]
    estimators = [estimator for estimator in UNIT if kind in estimator.kinds]
    if kind == "association" and _crossed(items):
        yield _association(items, scores, design)
    elif kind == "association":
        estimators += _nested(items)
    elif kind == "cloze":
        yield _cloze(items, scores, design)
    own = {subject: replace(part, items=items) for subject, part in measurements.items()}
    rows = []
    for estimator in estimators:
        for row in unit_rows(own, estimator):
            key = {**design.method, "mode": row["mode"]}
            method = _method_key(replace(design, method=key), row["estimator"], "-", row["unit"])
            kept = {name: value for name, value in row.items() if name != "unit"}
            rows.append({"probe_set": design.name, "axis": design.axis, **kept, "method": method})
    if rows:
        yield Estimated(tables.table("estimates", rows), [])


def _crossed(items: pd.DataFrame) -> bool:
    """Whether every attribute stands in every frame; Winogender's frames are each of one."""
    probes = items[items["role"] == "probe"]
    sizes = (probes[name].nunique() for name in ("attribute", "frame"))
    return len(probes.drop_duplicates(["attribute", "frame"])) == math.prod(sizes)


def _nested(items: pd.DataFrame) -> list[UnitEstimator]:
    """Group estimators where frames belong to attributes: means of cells, in clusters of those."""
    pairs = list(combinations(dict.fromkeys(items["group"]), 2))
    estimators = GROUP if (items["role"] == "prior").any() else (LOG_ODDS,)
    return [
        _of_cells(estimator, first, second, f" {first}/{second}" if len(pairs) > 1 else "")
        for first, second in pairs
        for estimator in estimators
    ]


def _of_cells(estimator: GroupEstimator, first: str, second: str, between: str) -> UnitEstimator:
    """The mean of one group estimator's cells, with attributes as clusters."""

    def units(measured: Measured, _mode: str) -> pd.DataFrame:
        cells = estimator.cells(measured.values("logp"), first, second)
        cells = cells[cells["role"] == "probe"].assign(n=1.0, cluster=lambda c: c["attribute"])
        return cells.set_index(cells["attribute"] + ":" + cells["frame"]).rename_axis("unit")

    return UnitEstimator(
        **{part.name: getattr(estimator, part.name) for part in fields(Estimator)},
        units=units,
        columns=("value", "n"),
        numbers={CORRECTED: {estimator.name + between: Value(per_unit)}},
    )


def _association(items: pd.DataFrame, scores: pd.DataFrame, design: Design) -> Estimated:
    rows: list[dict[str, Any]] = []
    left_out: list[dict[str, str]] = []
    groups = list(dict.fromkeys(items["group"]))
    estimators = GROUP if (items["role"] == "prior").any() else (LOG_ODDS,)
    pooled = pooling_rule(items)
    n_terms = items.groupby("group")["term"].nunique().min()
    for number, (first, second) in enumerate(combinations(groups, 2)):
        between = f"{first}/{second}: " if len(groups) > 2 else ""  # noqa: PLR2004 - a pair
        for estimator in estimators:
            by_model, missing = matrices(items, scores, estimator, first, second)
            if estimator is LOG_ODDS and number == 0:  # a cell is complete for all groups or none
                left_out += [{"probe_set": design.name, **cell} for cell in missing]
            for subject, matrix in with_difference(by_model).items():
                common = {
                    "probe_set": design.name,
                    "axis": design.axis,
                    "subject": subject,
                    "n_terms": n_terms,
                    "n_frames": len(matrix.frames),
                    "mode": "corrected",
                }
                for row in _slices(matrix, estimator, design):
                    row["slice"] = between + row["slice"]
                    name = f"{row['estimator']}:{estimator.name}"
                    method = _method_key(design, name, pooled)
                    rows.append({**common, **row, "method": method})
    return Estimated(tables.table("estimates", rows), left_out)


def _slices(matrix: Matrix, estimator: GroupEstimator, design: Design) -> Iterator[dict[str, Any]]:
    """Every slice of one subject: all, contrast, classes, attributes."""
    probes = np.array([name != "control" for name in matrix.classes], dtype=bool)
    values = matrix.cells[probes]
    yield _row("all", estimator.name, _mean(values), "S2", len(values))
    for name in dict.fromkeys(matrix.classes):
        own = matrix.of_class(name)
        slice_ = "controls" if name == "control" else f"class={name}"
        yield _row(slice_, estimator.name, _mean(own), "S2", len(own))
    if estimator is PRIOR:
        return
    if design.contrast is not None:
        first, second = (matrix.of_class(name) for name in design.contrast)
        contrast = CONTRAST if estimator is LOG_ODDS else f"{CONTRAST}_{estimator.name}"
        found = _contrast(first, second)
        yield _row("contrast", contrast, found, "S2", len(first) + len(second))
    if estimator is LOG_ODDS:
        names = [name for name, probe in zip(matrix.attributes, probes, strict=True) if probe]
        yield from _by_attribute(values, names)


def _by_attribute(values: Cells, names: list[str]) -> Iterator[dict[str, Any]]:
    """Each attribute's log-odds, its lean beyond the average attribute, and the largest leans."""
    n_attributes, n_frames = values.shape
    if n_frames < LEAST_FRAMES or n_attributes < LEAST_FRAMES:
        return
    beyond = statistics.centred(values)
    points = statistics.shrunken(values)
    # By size of the shrunken lean; by name where they tie, so that the order is the same always.
    largest = sorted(range(n_attributes), key=lambda i: (-abs(points[i]), names[i]))
    shown = set(largest[:LARGEST_SHOWN])
    level = statistics.selected_level(min(LARGEST_SHOWN, n_attributes), n_attributes)
    for i, name in enumerate(names):
        slice_ = f"attribute={name}"
        yield _row(slice_, LOG_ODDS.name, statistics.frame_interval(values[i]), "S1", 1)
        yield _row(slice_, "lean", statistics.frame_interval(beyond[i], null_value=0.0), "S1", 1)
        if i in shown:
            raw = statistics.frame_interval(beyond[i], level=level)
            point = Interval(float(points[i]), raw.low, raw.high, raw.std_error, raw.df)
            yield _row(slice_, LARGEST, point, "S1", 1)


def _mean(values: Cells) -> Interval:
    if min(values.shape, default=0) < 2:  # noqa: PLR2004 - a variance needs two
        return _point(float(values.mean()) if values.size else np.nan)
    found = statistics.mean_interval(values)
    return found if values.shape[1] >= LEAST_FRAMES else _point(found.estimate)


def _contrast(first: Cells, second: Cells) -> Interval:
    if min(*first.shape, *second.shape) < 2:  # noqa: PLR2004 - a variance needs two
        return _point(np.nan)
    found = statistics.contrast_interval(first, second)
    return found if first.shape[1] >= LEAST_FRAMES else _point(found.estimate)


def _point(value: float) -> Interval:
    """A number whose interval is refused: there are too few frames to say how sure it is."""
    return Interval(value, np.nan, np.nan)


def _row(
    slice_: str, estimator: str, found: Interval, scope: str, n_attributes: int
) -> dict[str, Any]:
    return {
        **asdict(found),
        "slice": slice_,
        "estimator": estimator,
        "scope": scope,
        "n_attributes": n_attributes,
    }


def _method_key(design: Design, estimator: str, pooled: str, unit: str = "attribute+frame") -> str:
    """How a number was made, without the models: numbers with unequal keys are not compared."""
    parts = {**design.method, "estimator": estimator, "terms": pooled, "unit": unit}
    return "|".join(f"{key}:{value}" for key, value in parts.items())


def _cloze(items: pd.DataFrame, scores: pd.DataFrame, design: Design) -> Estimated:
    """Share of facts whose first fill is a right answer, and of negated ones where it still is."""
    first = items.merge(scores[scores["measure"] == "logp"], on="item")
    known = first.groupby(["label", "class", "frame", "model"], sort=False).agg(
        hit=("rank", lambda rank: bool((rank == 1).any())),
        scored=("rank", lambda rank: bool(rank.notna().any())),
    )
    scored = known["scored"].unstack("model").astype(bool).all(axis=1)
    hits = known["hit"].unstack("model")[scored].astype(bool)
    left_out = [
        {"probe_set": design.name, "attribute": str(relation), "frame": str(frame)}
        for _, relation, frame in scored.index[~scored]
    ]
    rows = []
    for label, estimator in (("right", "accuracy@1"), ("changed", "negated_still@1")):
        own = hits[[found == label for found in hits.index.get_level_values("label")]]
        if own.empty:
            continue
        relations = own.index.get_level_values("class")
        chosen = {"all": own} | {
            f"relation={relation}": own[[found == relation for found in relations]]
            for relation in relations.unique()
        }
        for slice_, part in chosen.items():
            for subject, found in _shares(part).items():
                rows.append(
                    {
                        **_row(slice_, estimator, found, "S1", 1),
                        "probe_set": design.name,
                        "axis": design.axis,
                        "subject": subject,
                        "mode": "corrected",
                        "n_attributes": relations.nunique() if slice_ == "all" else 1,
                        "n_frames": len(part),
                        "method": _method_key(design, estimator, "any", "fact"),
                    }
                )
    return Estimated(tables.table("estimates", rows), left_out)


def _shares(hits: pd.DataFrame) -> dict[str, Interval]:
    """The share of each model, and the paired difference with McNemar's exact p."""
    found = {
        str(model): statistics.wilson(int(hits[model].sum()), len(hits)) for model in hits.columns
    }
    if len(hits.columns) > 1 and len(hits) > 1:
        reference, candidate = hits["reference"].to_numpy(), hits["candidate"].to_numpy()
        paired = statistics.frame_interval(candidate.astype(float) - reference, null_value=0.0)
        if len(hits) < LEAST_FRAMES:
            paired = _point(paired.estimate)
        found[DIFFERENCE] = replace(paired, p=statistics.mcnemar(reference, candidate))
    return found
