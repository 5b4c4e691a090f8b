"""Estimates by slice and subject, all subjects from the same cells.

The subjects are `reference`, `candidate`, `difference` (candidate minus reference) and `relation`
(numbers of the two models together). A cell counts only if every model has it; other cells are
listed as left out.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating import crossed
from maskaudit.audit.estimating.cells import (
    CANDIDATE,
    REFERENCE,
    RELATION,
    Matrix,
    matrices,
    with_difference,
)
from maskaudit.audit.estimating.cloze import cloze
from maskaudit.audit.estimating.clustered import unit_rows
from maskaudit.audit.estimating.crossed import Number
from maskaudit.audit.estimating.estimators import (
    CORRECTED,
    Estimator,
    GroupEstimator,
    Measured,
    UnitEstimator,
    Value,
    per_unit,
)
from maskaudit.audit.estimating.estimators.catalogue import GROUP, UNIT
from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.pooling import group_at_mask, pooling_rule
from maskaudit.audit.estimating.estimators.prior import PRIOR
from maskaudit.audit.estimating.names import ASSOCIATION, CONTRAST, between, contrast_of
from maskaudit.audit.estimating.statistics import multiplicity
from maskaudit.audit.estimating.teacher_student import fidelities, relation
from maskaudit.audit.recording import tables
from maskaudit.audit.recording.manifest import ProbeSetKey
from maskaudit.audit.recording.methods import Method

_TWO = 2
# Number of characters of a digest in a method key.
_SHOWN = 12


@dataclass(frozen=True)
class Design:
    """The properties of a probe set, beyond its items, that estimates depend on."""

    name: str
    axis: str
    contrast: tuple[str, str] | None
    expect: str
    method: Mapping[str, str]


def design(name: str, described: ProbeSetKey, method: Mapping[str, str]) -> Design:
    """Rebuild the design of a probe set from a record, so that it can be estimated again.

    `described` is the description of the set in a record or a baseline, `method` the part of the
    method key that all sets share.
    """
    contrast = (
        None if described.contrast is None else (described.contrast[0], described.contrast[1])
    )
    # For a grammar, the digest of its universe: different draws from one universe are comparable.
    items = described.items_digest if described.grammar is None else described.grammar.universe
    key = {
        "probe_set": name,
        "version": described.version,
        "items": items[:_SHOWN],
        "mode": CORRECTED,
        "pieces": "word-l2r",
        # The order of the classes decides the sign.
        **({"contrast": "-".join(contrast)} if contrast else {}),
        **method,
    }
    return Design(name, described.axis, contrast, described.expect, key)


# Rows of `estimates` about one set, and the cells left out for all subjects.
_Found = tuple[list[dict[str, Any]], list[dict[str, str]]]


@dataclass(frozen=True)
class Estimated:
    """The estimates, and the cells left out for all subjects: probe_set, attribute and frame."""

    estimates: pd.DataFrame
    left_out: list[dict[str, str]]


def estimate(  # noqa: PLR0913, PLR0917 - the tables of a record
    items: pd.DataFrame,
    scores: pd.DataFrame,
    designs: Sequence[Design],
    fills: pd.DataFrame | None = None,
    paired: pd.DataFrame | None = None,
    lexicon: frozenset[str] | None = None,
    *,
    seed: int = 0,
    adjust: str = "bh",
) -> Estimated:
    """Compute every estimate of a record, with p values adjusted by subject.

    `lexicon` is the user's hurtful words in lower case, for the estimators that need it; `seed` is
    the seed of the permutation test; `adjust` as in `with_adjusted`.
    """
    fills = tables.table("fills", []) if fills is None else fills
    paired = tables.table("paired", []) if paired is None else paired
    rows: list[dict[str, Any]] = []
    left_out: list[dict[str, str]] = []
    shared = ((scores, "item"), (fills, "context"), (paired, "context"))
    of_set = [_by_set(items, part, key) for part, key in shared]
    for design in designs:
        own = items[items["probe_set"] == design.name]
        scored, filled, beside = (part[design.name] for part in of_set)
        measured = _by_subject(own, scored, filled, beside, lexicon)
        for found, missing in _of_set(own, scored, measured, design, seed):
            rows += [{"probe_set": design.name, "axis": design.axis, **row} for row in found]
            left_out += [{"probe_set": design.name, **cell} for cell in missing]
    tested = [design.name for design in designs if design.expect == "lean"]
    whole = with_adjusted(tables.table("estimates", rows), tested, adjust)
    return Estimated(tables.check("estimates", whole), left_out)


def with_adjusted(
    estimates: pd.DataFrame, tested_sets: Collection[str], adjust: str = "bh"
) -> pd.DataFrame:
    """Add `p_adjusted` to the stereotype contrasts of the tested sets; NaN in all other rows.

    Adjusts over all contrasts of a subject at once, by Benjamini & Hochberg ("bh") or Benjamini &
    Yekutieli ("by", valid under any dependence). Raises KeyError on any other `adjust`.
    """
    adjusted_of = {
        "bh": multiplicity.benjamini_hochberg,
        "by": multiplicity.benjamini_yekutieli,
    }[adjust]
    tested = (estimates["estimator"] == CONTRAST) & estimates["probe_set"].isin(list(tested_sets))
    adjusted = np.full(len(estimates), np.nan)
    for subject in estimates["subject"].unique():
        chosen = (tested & (estimates["subject"] == subject)).to_numpy()
        p = estimates.loc[chosen, "p"].to_numpy(dtype=float)
        adjusted[chosen] = adjusted_of(p)
    return estimates.assign(p_adjusted=adjusted)


def _by_set(items: pd.DataFrame, rows: pd.DataFrame, key: str) -> dict[str, pd.DataFrame]:
    """The rows of each set, joined to its items by `key`; an item may belong to several sets."""
    places = items[["probe_set", key]].drop_duplicates()
    whole = places.merge(rows, on=key)
    found = {str(name): own[rows.columns] for name, own in whole.groupby("probe_set")}
    return {name: found.get(name, rows.iloc[:0]) for name in places["probe_set"].unique()}


def _by_subject(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    fills: pd.DataFrame,
    paired: pd.DataFrame,
    lexicon: frozenset[str] | None,
) -> dict[str, Measured]:
    """The measurements of one set by model, and of the two models together as `relation`."""
    alone = paired["other_model"] == ""
    found = {
        str(model): Measured(
            items,
            own,
            fills[fills["model"] == model],
            paired[alone & (paired["model"] == model)],
            lexicon,
        )
        for model, own in scores.groupby("model", sort=False)
    }
    if not alone.all():
        found[RELATION] = Measured(items, scores.iloc[:0], fills.iloc[:0], paired[~alone])
    return found


def _of_set(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    measured: Mapping[str, Measured],
    design: Design,
    seed: int,
) -> Iterator[_Found]:
    """Yield the estimates of one probe set, by the estimators for its kind."""
    kind = items["kind"].iloc[0]
    estimators = [estimator for estimator in UNIT if kind in estimator.kinds]
    if kind == "association" and _crossed(items):
        yield _association(items, scores, design, seed)
        yield _fidelity(items, measured, design), []
    elif kind == "association":
        estimators += _nested(items)
    elif kind == "cloze":
        yield _cloze(items, scores, design)
    rows = []
    for estimator in estimators:
        for row in unit_rows(measured, estimator):
            key = {**design.method, "mode": row["mode"]}
            unit = row.pop("unit")
            method = _method_key(replace(design, method=key), row["estimator"], "-", unit)
            rows.append({**row, "method": method})
    yield rows, []


def _crossed(items: pd.DataFrame) -> bool:
    """Whether every attribute stands in every frame; in Winogender each frame has only one."""
    probes = items[items["role"] == "probe"]
    sizes = (probes[name].nunique() for name in ("attribute", "frame"))
    return len(probes.drop_duplicates(["attribute", "frame"])) == math.prod(sizes)


def _nested(items: pd.DataFrame) -> list[UnitEstimator]:
    """Group estimators for frames nested in attributes: means of cells, attributes as clusters."""
    pairs = list(combinations(dict.fromkeys(items["group"]), 2))
    estimators = GROUP if (items["role"] == "prior").any() else (LOG_ODDS,)
    return [
        _of_cells(
            estimator,
            first,
            second,
            between(estimator.name, first, second) if len(pairs) > 1 else estimator.name,
        )
        for first, second in pairs
        for estimator in estimators
    ]


def _of_cells(estimator: GroupEstimator, first: str, second: str, name: str) -> UnitEstimator:
    """The mean of one group estimator's cells, with attributes as clusters."""

    def units(measured: Measured, _mode: str) -> pd.DataFrame:
        cells = estimator.cells(measured.values("logp"), first, second)
        cells = cells[cells["role"] == "probe"].assign(n=1.0, cluster=lambda c: c["attribute"])
        return cells.set_index(cells["attribute"] + ":" + cells["frame"]).rename_axis("unit")

    return UnitEstimator(
        **{part.name: getattr(estimator, part.name) for part in fields(Estimator)},
        units=units,
        columns=("value", "n"),
        numbers={CORRECTED: {name: Value(per_unit)}},
    )


def _association(items: pd.DataFrame, scores: pd.DataFrame, design: Design, seed: int) -> _Found:
    """Every number of a crossed set, for each pair of groups, estimator and subject."""
    rows: list[dict[str, Any]] = []
    left_out: list[dict[str, str]] = []
    groups = list(dict.fromkeys(items["group"]))
    estimators = GROUP if (items["role"] == "prior").any() else (LOG_ODDS,)
    common = {"n_terms": items.groupby("group")["term"].nunique().min(), "mode": CORRECTED}
    pooled = pooling_rule(items)
    for number, (first, second) in enumerate(combinations(groups, 2)):
        between = (first, second) if len(groups) > _TWO else ()
        for estimator in estimators:
            by_model, missing = matrices(items, scores, estimator, first, second)
            if estimator is LOG_ODDS and number == 0:  # a cell is complete for all groups or none
                left_out += missing
            by_subject = with_difference(by_model)
            for subject, one in _numbers(by_subject, estimator, design, items, seed):
                resampled = f"@seed{seed}" if one.estimator == ASSOCIATION else ""
                name = f"{one.estimator}:{estimator.name}{resampled}"
                found = {
                    **one.row(),
                    "subject": subject,
                    "slice": str(one.slice.of_groups(*between)),
                    "method": _method_key(design, name, pooled),
                }
                rows.append({**common, **found})
    return rows, left_out


def _numbers(
    by_subject: Mapping[str, Matrix],
    estimator: GroupEstimator,
    design: Design,
    items: pd.DataFrame,
    seed: int,
) -> Iterator[tuple[str, Number]]:
    """Yield every number of one estimator between two groups, with its subject."""
    # Leans, rankings and the world's shares concern the model's output: raw log-odds only.
    raw = estimator is LOG_ODDS
    shares = _shares(items) if raw else {}
    whole = {name: matrix.probes.complete for name, matrix in by_subject.items()} if raw else {}
    for subject, matrix in by_subject.items():
        numbers = [crossed.means(matrix, estimator.name)]
        if estimator is not PRIOR and design.contrast is not None:
            name = CONTRAST if raw else contrast_of(estimator.name)
            numbers.append(crossed.contrast(matrix, name, design.contrast))
        if raw:
            rng = np.random.default_rng(seed)
            numbers.append(crossed.leans(whole[subject], estimator.name))
            numbers.append(crossed.magnitudes(subject, whole, rng))
            numbers.append(crossed.ranking(whole[subject]))
        if shares:
            identity = group_at_mask(items)
            numbers.append(crossed.against_world(matrix.probes, shares, subject, identity=identity))
        yield from ((subject, number) for own in numbers for number in own)
    if REFERENCE in whole:
        both = (whole[REFERENCE], whole[CANDIDATE])
        yield from ((RELATION, number) for number in relation(*both))


def _shares(items: pd.DataFrame) -> dict[str, float]:
    """The first group's share in the world, by attribute; empty unless the set has two groups."""
    if items["group"].nunique() != _TWO or items["share"].isna().all():
        return {}
    return dict(zip(items["attribute"], items["share"], strict=True))


def _fidelity(
    items: pd.DataFrame, measured: Mapping[str, Measured], design: Design
) -> list[dict[str, Any]]:
    """Rows on whether the models differ more in sentences about groups; empty for one model."""
    if RELATION not in measured:
        return []
    return [
        {
            **one.row(),
            "subject": RELATION,
            "mode": CORRECTED,
            "method": _method_key(design, one.estimator, "-", "frame"),
        }
        for one in fidelities(items, pd.concat([part.paired for part in measured.values()]))
    ]


def _cloze(items: pd.DataFrame, scores: pd.DataFrame, design: Design) -> _Found:
    """Shares of facts filled correctly, and of negated facts where the answer is still given."""
    found, missing = cloze(items, scores)
    keys = (_method_key(design, row["estimator"], "any", "fact") for row in found)
    return [{**row, "method": key} for row, key in zip(found, keys, strict=True)], missing


def _method_key(design: Design, estimator: str, pooled: str, unit: str = "attribute+frame") -> str:
    """How a number was computed, models aside; numbers with different keys are not compared."""
    parts = {**design.method, "estimator": estimator, "terms": pooled, "unit": unit}
    return str(Method.of(parts))
