"""Numbers of one set that rest on other sets of the record too."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import combinations
from typing import Any

import pandas as pd

from maskaudit.audit.estimating import sharpness
from maskaudit.audit.estimating.crossed.association import is_crossed
from maskaudit.audit.estimating.crossed.cells import (
    DIFFERENCE,
    ScoredOf,
    matrices,
    matrices_of,
    with_difference,
)
from maskaudit.audit.estimating.crossed.convergence import of_sets
from maskaudit.audit.estimating.crossed.one_subject import Number
from maskaudit.audit.estimating.crossed.several_groups import of_group_and_rest, own_class_and_rest
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimators import CORRECTED
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.pooling import pooling_rule
from maskaudit.audit.estimating.read_alike import distinct
from maskaudit.audit.estimating.registry.names import CONVERGENCE_SETS, LOG_KAPPA, REST, REST_BEYOND
from maskaudit.audit.estimating.sharpness import Sharpness
from maskaudit.audit.estimating.statistics.interval import Interval
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows.slices import ALL, Slice

_TWO = 2
# The rows of items of each set.
BySet = Mapping[str, pd.DataFrame]


def beyond_sharpness(
    estimates: pd.DataFrame,
    items: BySet,
    scored: ScoredOf,
    designs: Sequence[Design],
) -> Iterator[dict[str, Any]]:
    """Yield rows of the tested sets on what is left beyond the sharpness of the benign sets."""
    benign = [design for design in designs if design.expect == "benign"]
    if not benign:
        return
    known = sharpness.sharpness(estimates, [design.name for design in benign])
    # Another set of benign sets is another measure of sharpness.
    named = "+".join(
        sorted(f"{part.method['probe_set']}@{part.method['items']}" for part in benign)
    )
    kappas = estimates[estimates["estimator"] == LOG_KAPPA]
    for design in designs:
        own = kappas[kappas["probe_set"] == design.name]
        if design.expect != "lean" or own.empty:
            continue
        asked = items[design.name]
        of_set = _beyond_in_set(design, scored(design.name), own, known)
        key = replace(design, method={**design.method, "benign": named})
        for subject, number in of_set:
            yield {
                "probe_set": design.name,
                "axis": design.axis,
                "mode": CORRECTED,
                **number.row(),
                "subject": subject,
                "method": key.key(f"{number.estimator}:{LOG_ODDS.name}", pooling_rule(asked)),
            }


def _beyond_in_set(
    design: Design,
    scored: Mapping[str, pd.DataFrame],
    kappas: pd.DataFrame,
    known: Sharpness,
) -> Iterator[tuple[str, Number]]:
    """Yield what is beyond sharpness between each two groups of a set, and of each and the rest.

    `kappas` are the set's own amplifications, one for each two groups.
    """
    groups = next(iter(scored.values()))["group"].unique().tolist()
    for first, second in combinations(groups, 2):
        between = (first, second) if len(groups) > _TWO else ()
        row = kappas[kappas["slice"] == str(ALL.of_groups(*between))].iloc[0]
        kappa = Interval(**{name.name: float(row[name.name]) for name in fields(Interval)})
        by_model, _ = matrices_of(scored, LOG_ODDS, first, second)
        by_subject, classes = with_difference(by_model), design.classes(first, second)
        for subject, number in sharpness.of_set(kappa, by_subject, classes, known):
            yield subject, replace(number, slice=number.slice.of_groups(*between))
    # Of two groups the rest is the other one, of which the contrast is there already.
    for group in sorted(groups) if len(groups) > _TWO else ():
        against = {
            subject: own_class_and_rest(matrix, group, design.directions)
            for subject, matrix in of_group_and_rest(scored, group).items()
        }
        two = {subject: own for subject, own in against.items() if own is not None}
        if not two:
            continue
        by_subject = {subject: matrix for subject, (matrix, _) in two.items()}
        _, classes = two[DIFFERENCE]
        for subject, number in sharpness.of_contrast(by_subject, classes, known, REST_BEYOND):
            yield subject, replace(number, slice=number.slice.of_groups(group, REST))


def beyond_in_styles(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    design: Design,
    groups: Sequence[str],
    known: Interval,
) -> list[Number]:
    """The contrast of a set in each style, were the candidate as sure as the reference.

    Between two of its groups, () if it has no more. `scores` may be those of other sets too, and
    `known` is the sharpness. Empty without styles, or without a contrast.
    """
    asked = distinct(items, scores)
    first, second = groups or items["group"].unique().tolist()
    classes = design.classes(first, second)
    if classes is None:
        return []
    by_model, _ = matrices(asked, scores, LOG_ODDS, first, second)
    return list(sharpness.in_styles(with_difference(by_model), classes, known))


def of_other_sets(
    items: BySet,
    scored: ScoredOf,
    designs: Sequence[Design],
) -> Iterator[dict[str, Any]]:
    """Yield rows on how alike two sets on an axis rank the attributes that both have."""
    tested = [
        design
        for design in designs
        if design.expect == "lean"
        and items[design.name]["kind"].iloc[0] == "association"
        and is_crossed(items[design.name])
    ]
    for pair in combinations(tested, 2):
        own, others = (items[design.name] for design in pair)
        shared = set(_probed(own)) & set(_probed(others))
        if pair[0].axis != pair[1].axis or not shared:
            continue
        for first, second in combinations(own["group"].unique().tolist(), 2):
            if not {first, second} <= set(others["group"].unique()):
                continue
            by_model, their = (
                matrices_of(scored(name), LOG_ODDS, first, second, with_names=False)[0]
                for name in (design.name for design in pair)
            )
            for model, matrix in by_model.items():
                for number in of_sets(matrix, their[model], pair[1].name):
                    # The same seen from either set; turning both pairs of groups changes no rank.
                    for design, other in (pair, pair[::-1]):
                        yield {
                            **_of_other_set(design, other, items[design.name]),
                            **number.row(),
                            "slice": str(_between(items[design.name], other, {first, second})),
                            "subject": model,
                        }


def _of_other_set(design: Design, other: Design, items: pd.DataFrame) -> dict[str, str]:
    """What the row of a set says that is held against another one."""
    named = f"{other.method['probe_set']}@{other.method['items']}"
    key = replace(design, method={**design.method, "other": named})
    name = f"{CONVERGENCE_SETS}:{LOG_ODDS.name}"
    return {
        "probe_set": design.name,
        "axis": design.axis,
        "mode": CORRECTED,
        "method": key.key(name, pooling_rule(items)),
    }


def _between(items: pd.DataFrame, other: Design, asked: Collection[str]) -> Slice:
    """The slice of a set that another one has too, between two groups in the set's own order."""
    groups = items["group"].unique().tolist()
    ordered = [group for group in groups if group in asked]
    return slices.of_set(other.name).of_groups(*(ordered if len(groups) > _TWO else ()))


def _probed(items: pd.DataFrame) -> list[str]:
    return items.loc[items["role"] == "probe", "attribute"].unique().tolist()
