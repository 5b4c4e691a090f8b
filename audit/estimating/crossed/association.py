"""Every number of a set of attributes crossed with frames, for each pair of groups and subject."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed import adjusted, one_subject, robustness
from maskaudit.audit.estimating.crossed.cells import (
    CANDIDATE,
    REFERENCE,
    RELATION,
    Matrix,
    matrices_of,
    with_difference,
)
from maskaudit.audit.estimating.crossed.controls import of_controls
from maskaudit.audit.estimating.crossed.convergence import of_estimators
from maskaudit.audit.estimating.crossed.covariates import Covariates
from maskaudit.audit.estimating.crossed.factors import of_groups_crossed
from maskaudit.audit.estimating.crossed.one_subject import Number, classes_of
from maskaudit.audit.estimating.crossed.robustness import Asked
from maskaudit.audit.estimating.crossed.several_groups import several_groups
from maskaudit.audit.estimating.crossed.styles import of_styles
from maskaudit.audit.estimating.crossed.teacher_student import relation
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimators import CORRECTED, GroupEstimator
from maskaudit.audit.estimating.estimators.catalogue import GROUP
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.pooling import (
    group_at_mask,
    numbered,
    pooling_rule,
)
from maskaudit.audit.estimating.estimators.of_groups.prior import PRIOR
from maskaudit.audit.estimating.registry.names import (
    AGAINST_REST,
    ASSOCIATION,
    ATTRIBUTES_ALIKE,
    BEYOND_WORLD,
    CONTRAST,
    CONTRAST_ADJUSTED,
    CONTRAST_AGAINST_REST,
    CONTRAST_WITHOUT_TERM,
    CONVERGENCE_ESTIMATORS,
    CORRELATION,
    DEPENDABILITY,
    EXPECTED_SIGN_CHANGES,
    FLIPS,
    FRAMES_ALIKE,
    FRAMES_NEEDED,
    GENERALIZABILITY,
    GROUP_SPREAD,
    INHERITANCE,
    LARGEST,
    LEAN,
    LOG_KAPPA,
    LOG_MAGNITUDE_RATIO,
    MAGNITUDE,
    OF_CONTROLS,
    OF_COVARIATES,
    OF_FACTORS,
    OF_SHARPNESS,
    OF_STYLES,
    OTHER_STYLES,
    PARAPHRASE_SHIFT,
    SIGN_CHANGES,
    SLOPE,
    WORLD_INTERCEPT,
    WORLD_SLOPE,
    contrast_of,
)

_TWO = 2
_OF_SEVERAL = (AGAINST_REST, CONTRAST_AGAINST_REST, GROUP_SPREAD)
# Numbers whose p is drawn at random.
_RESAMPLED = frozenset({ASSOCIATION, GROUP_SPREAD, FRAMES_ALIKE, ATTRIBUTES_ALIKE})
# What is made of raw log-odds beside means and contrasts; `log_odds` is of each attribute too.
_LEANS = (LOG_ODDS.name, LEAN, LARGEST)
_SQUARED = (ASSOCIATION, MAGNITUDE)
_RANKING = (GENERALIZABILITY, DEPENDABILITY, FRAMES_NEEDED)
_OF_WORLD = (WORLD_SLOPE, WORLD_INTERCEPT, BEYOND_WORLD)
_OF_RELATION = (
    *(SLOPE, LOG_KAPPA, CORRELATION, LOG_MAGNITUDE_RATIO, INHERITANCE),
    *(FLIPS, SIGN_CHANGES, EXPECTED_SIGN_CHANGES),
    *OF_SHARPNESS,  # what is beyond sharpness is made of amplifications
)
_IN_FULL = (*_LEANS, *_SQUARED, *_RANKING, *_OF_WORLD, *_OF_RELATION)
# Whether a number of this name is wanted.
Wanted = Callable[[str], bool]


@dataclass(frozen=True)
class World:
    """The first group's shares in the world, by attribute; empty unless they are known.

    `identity` says that a model with these shares has leans equal to their logits.
    """

    shares: Mapping[str, float]
    identity: bool


def is_crossed(items: pd.DataFrame) -> bool:
    """Whether every attribute stands in every frame; in Winogender each frame has only one."""
    places = ["attribute", "frame"]
    probes = items.loc[items["role"] == "probe", places]
    # Counted, not laid out: there are as many distinct pairs as a full table has cells.
    sizes = (probes[name].nunique() for name in places)
    return len(numbered(probes, places)[1]) == math.prod(sizes)


def association(  # noqa: PLR0913, PLR0917 - what is measured of a set, and what is made of it
    items: pd.DataFrame,
    scored: Mapping[str, pd.DataFrame],
    design: Design,
    seed: int,
    wanted: Wanted,
    attributes: pd.DataFrame,
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Every number of a crossed set, for each pair of groups, estimator and subject.

    `scored` has the items by model (`with_scores`); `attributes` are the set's rows of that table.
    """
    known = Covariates({}, {}, {})
    if any(map(wanted, OF_COVARIATES)):
        known = Covariates.of(items, attributes)
    rows: list[dict[str, Any]] = []
    left_out: list[dict[str, str]] = []
    groups = items["group"].unique().tolist()
    estimators = GROUP if (items["role"] == "prior").any() else (LOG_ODDS,)
    # The smaller group decides whether a number generalizes to new names.
    common = {"n_terms": items.groupby("group")["term"].nunique().min(), "mode": CORRECTED}
    pooling, (unit, other_unit) = pooling_rule(items), _units(items)
    world = World(_shares(items), group_at_mask(items))
    for index, (first, second) in enumerate(combinations(groups, 2)):
        group_pair = (first, second) if len(groups) > _TWO else ()
        for estimator in estimators:
            # The log-odds are always made: they say which cells are left out.
            is_wanted = any(map(wanted, _of_cells(estimator)))
            if estimator is not LOG_ODDS and not is_wanted:
                continue
            by_model, missing = matrices_of(scored, estimator, first, second)
            if estimator is LOG_ODDS and index == 0:  # a cell is complete for all groups or none
                left_out += missing
            by_subject = with_difference(by_model)
            classes = design.classes(first, second)
            numbers = []
            if is_wanted or any(map(wanted, _IN_FULL)):
                of_cells = (by_subject, estimator, classes, world, seed, design.attribute_margin)
                numbers.append(_numbers(*of_cells, wanted))
            if estimator is LOG_ODDS and classes is not None:
                asked = Asked(scored, (first, second), classes, world.shares)
                numbers.append(_of_contrast(by_subject, asked, known, seed, wanted))
            for subject, number in chain.from_iterable(numbers):
                # Naming the seed in other keys would make equal numbers incomparable.
                resampled = f"@seed{seed}" if number.estimator in _RESAMPLED else ""
                held = _held_equal(number, known, by_subject.get(subject), classes)
                name = f"{number.estimator}:{estimator.name}{held}{resampled}"
                margin = design.attribute_margin if number.estimator == INHERITANCE else 0.0
                row = {
                    **number.row(),
                    "subject": subject,
                    "slice": str(number.slice.of_groups(*group_pair)),
                    "method": design.key(
                        name,
                        pooling,
                        other_unit if number.estimator == OTHER_STYLES else unit,
                        margin,
                    ),
                }
                rows.append({**common, **row})
    for subject, number, name in _of_all_groups(items, scored, design, seed, wanted):
        method = design.key(name, pooling, unit)
        rows.append({**common, **number.row(), "subject": subject, "method": method})
    return rows, left_out


def _of_all_groups(
    items: pd.DataFrame,
    scored: Mapping[str, pd.DataFrame],
    design: Design,
    seed: int,
    wanted: Wanted,
) -> Iterator[tuple[str, Number, str]]:
    """Yield the numbers of more than two groups: subject, number, its name in the method key."""
    groups = items["group"].unique().tolist()
    if len(groups) > _TWO and any(map(wanted, _OF_SEVERAL)):
        for subject, number in several_groups(scored, sorted(groups), design.directions, seed):
            resampled = f"@seed{seed}" if number.estimator in _RESAMPLED else ""
            yield subject, number, f"{number.estimator}{resampled}"
    if design.factors and any(map(wanted, OF_FACTORS)):
        for subject, effect, number in of_groups_crossed(scored, groups, design):
            yield subject, number, f"{number.estimator}:{LOG_ODDS.name}@{effect.written}"


def _of_contrast(
    by_subject: Mapping[str, Matrix], asked: Asked, known: Covariates, seed: int, wanted: Wanted
) -> Iterator[tuple[str, Number]]:
    """Yield what the contrast is in each style, adjusted, and how much it depends on its parts."""
    if any(map(wanted, OF_STYLES)):
        for subject, matrix in by_subject.items():
            yield from ((subject, number) for number in of_styles(matrix, asked.classes))
    if any(map(wanted, OF_CONTROLS)):
        for subject, matrix in by_subject.items():
            yield from ((subject, number) for number in of_controls(matrix, asked.classes))
    if any(map(wanted, OF_COVARIATES)):
        yield from adjusted.of_covariates(by_subject, asked.classes, known)
    if any(map(wanted, robustness.OF_CELLS)):
        yield from robustness.of_contrast(by_subject, asked, seed)
    if wanted(PARAPHRASE_SHIFT):
        yield from robustness.of_wording(asked)
    if wanted(CONTRAST_WITHOUT_TERM):
        yield from robustness.of_terms(asked)
    if wanted(CONVERGENCE_ESTIMATORS):
        yield from _of_estimators(by_subject, asked)


def _of_estimators(by_subject: Mapping[str, Matrix], asked: Asked) -> Iterator[tuple[str, Number]]:
    """Yield how alike other estimators rank the attributes, for each model."""
    if not (asked.items["role"] == "prior").any():
        return
    for estimator in GROUP:
        # The prior is what a sentence gives without any attribute.
        if estimator in {LOG_ODDS, PRIOR}:
            continue
        others, _ = matrices_of(asked.scored, estimator, *asked.groups)
        for model, other in others.items():
            yield model, of_estimators(by_subject[model], other, estimator.name)


def _held_equal(
    number: Number, known: Covariates, matrix: Matrix | None, classes: tuple[str, str] | None
) -> str:
    """What is held equal in a number, as written in the method key."""
    if number.estimator != CONTRAST_ADJUSTED or matrix is None or classes is None:
        return ""
    return f"@{'+'.join(adjusted.held_equal(classes_of(matrix, classes), known))}"


def _units(items: pd.DataFrame) -> tuple[str, str]:
    """What is sampled in a number of these styles, and in one of other styles, for method keys."""
    attributes = "family" if (items["family"] != "").any() else "attribute"
    in_style = " in style" if (items["style"] != "").any() else ""
    return f"{attributes}+frame{in_style}", f"{attributes}+style"


def _of_cells(estimator: GroupEstimator) -> tuple[str, str]:
    """The numbers that are made of the cells of a group estimator: their mean and contrast."""
    return estimator.name, CONTRAST if estimator is LOG_ODDS else contrast_of(estimator.name)


def _numbers(  # noqa: PLR0913, PLR0917 - the cells, and what is made of them
    by_subject: Mapping[str, Matrix],
    estimator: GroupEstimator,
    classes: tuple[str, str] | None,
    world: World,
    seed: int,
    margin: float,
    wanted: Wanted,
) -> Iterator[tuple[str, Number]]:
    """Yield every wanted number of one estimator between two groups, with its subject.

    `classes` are those of the contrast, if there is one, and `margin` that of attributes, in nats.
    """
    of_mean, of_contrast = _of_cells(estimator)
    # Leans, rankings and the world's shares concern the model's output: raw log-odds only.
    is_raw = estimator is LOG_ODDS and any(map(wanted, _IN_FULL))
    complete = (
        {name: matrix.probes.complete for name, matrix in by_subject.items()} if is_raw else {}
    )
    for subject, matrix in by_subject.items():
        numbers = [one_subject.means(matrix, estimator.name)] if wanted(of_mean) else []
        if estimator is not PRIOR and classes is not None and wanted(of_contrast):
            numbers.append(one_subject.contrast(matrix, of_contrast, classes))
        if is_raw and any(map(wanted, _LEANS)):
            numbers.append(one_subject.leans(complete[subject], estimator.name))
        if is_raw and any(map(wanted, _SQUARED)):
            # One generator per subject: its p must not depend on the models audited beside it.
            rng = np.random.default_rng(seed)
            numbers.append(one_subject.magnitudes(subject, complete, rng))
        if is_raw and any(map(wanted, _RANKING)):
            numbers.append(one_subject.ranking(complete[subject]))
        if is_raw and world.shares and any(map(wanted, _OF_WORLD)):
            numbers.append(
                one_subject.against_world(
                    matrix.probes, world.shares, subject, identity=world.identity
                )
            )
        yield from ((subject, number) for part in numbers for number in part)
    if REFERENCE in complete and any(map(wanted, _OF_RELATION)):
        models = (complete[REFERENCE], complete[CANDIDATE])
        yield from ((RELATION, number) for number in relation(*models, margin))


def _shares(items: pd.DataFrame) -> dict[str, float]:
    """The first group's share in the world, by attribute; empty unless the set has two groups."""
    if items["group"].nunique() != _TWO or items["share"].isna().all():
        return {}
    return dict(zip(items["attribute"].tolist(), items["share"].tolist(), strict=True))
