"""Numbers of a set of three groups or more: one group against the rest, and the spread of all.

None of them depends on the order of the groups, classes, terms or frames in a file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed import one_subject
from maskaudit.audit.estimating.crossed.cells import (
    CANDIDATE,
    CONTROL,
    DIFFERENCE,
    REFERENCE,
    Matrix,
    matrices_of,
    with_difference,
)
from maskaudit.audit.estimating.crossed.one_subject import Number, refusal
from maskaudit.audit.estimating.estimators import GroupEstimator
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.pooling import against_rest
from maskaudit.audit.estimating.registry.names import (
    AGAINST_REST,
    CONTRAST_AGAINST_REST,
    GROUP_SPREAD,
    REST,
)
from maskaudit.audit.estimating.statistics import permutation, ustatistics
from maskaudit.audit.estimating.statistics.interval import Cells, Interval, point
from maskaudit.audit.recording.rows import slices

_LEAST = 2


def several_groups(
    scored: Mapping[str, pd.DataFrame],
    groups: Sequence[str],
    directions: Mapping[str, str],
    seed: int,
) -> Iterator[tuple[str, Number]]:
    """Yield the numbers of a crossed set of three groups or more, each with its subject.

    `scored` has the items by model (`with_scores`), and `groups` are sorted.
    """
    against: dict[str, dict[str, Matrix]] = {}
    for group in groups:
        against[group] = of_group_and_rest(scored, group)
        for subject, matrix in against[group].items():
            for number in _of_group(matrix, group, directions):
                between = number.slice.of_groups(group, REST)
                yield subject, replace(number, slice=between)
    by_subject = {
        subject: [own[subject].probes.complete for own in against.values()]
        for subject in against[groups[0]]
    }
    for subject in by_subject:
        # One generator per subject: its p must not depend on the models audited beside it.
        yield subject, _spread(by_subject, subject, np.random.default_rng(seed))


def of_group_and_rest(scored: Mapping[str, pd.DataFrame], group: str) -> dict[str, Matrix]:
    """The cells of every subject of one group against the mean of the others."""
    by_model, _ = matrices_of(scored, _estimator(group), group, REST)
    return with_difference(by_model)


def own_class_and_rest(
    matrix: Matrix, group: str, directions: Mapping[str, str]
) -> tuple[Matrix, tuple[str, str]] | None:
    """The attributes of a group's contrast against the rest, and its two classes.

    The classes of all other groups together stand where the other class stands between two. None
    unless a class is stereotyped with the group, and one with another.
    """
    own = {other: name for name, other in directions.items()}.get(group)
    if own is None or len(set(directions.values())) < _LEAST:
        return None
    # A class that goes with no group is left out: in the rest it would pass for another group's.
    chosen = matrix.rows([name in directions for name in matrix.classes])
    classes = [own if name == own else REST for name in chosen.classes]
    return replace(chosen, classes=classes), (own, REST)


def _estimator(group: str) -> GroupEstimator:
    """`log_odds` of one group against the mean of the others."""

    def cells(scored: pd.DataFrame, _first: str, _second: str) -> pd.DataFrame:
        return against_rest(scored[scored["role"].isin(["probe", CONTROL])], group)

    return replace(LOG_ODDS, name=AGAINST_REST, cells=cells)


def _of_group(matrix: Matrix, group: str, directions: Mapping[str, str]) -> Iterator[Number]:
    """Yield the average of one group, and its contrast where a class is stereotyped with it."""
    yield from one_subject.means(matrix, AGAINST_REST)
    asked = own_class_and_rest(matrix, group, directions)
    if asked is not None:
        yield from one_subject.contrast(asked[0], CONTRAST_AGAINST_REST, asked[1])


def _spread(
    by_subject: Mapping[str, Sequence[Matrix]], subject: str, rng: np.random.Generator
) -> Number:
    """The spread of the groups, or its change; `by_subject` has a matrix for each group."""
    cells = {name: _stacked(own) for name, own in by_subject.items()}
    _, n_attributes, n_frames = cells[subject].shape
    number = partial(Number, slices.ALL, GROUP_SPREAD)
    if min(n_attributes, n_frames) < _LEAST:
        return number(point(np.nan), n_attributes, n_frames, flag=refusal(n_attributes, n_frames))
    refused = refusal(n_attributes, n_frames)
    # Labels are permuted within one model; a change of the spread has Student's p.
    if subject == DIFFERENCE:
        parts = [spread_interval(cells[name]) for name in (CANDIDATE, REFERENCE)]
        (new, new_influence), (old, old_influence) = parts
        interval = ustatistics.interval(new - old, new_influence - old_influence, null_value=0.0)
    else:
        interval = ustatistics.interval(*spread_interval(cells[subject]))
        if not refused:
            p = permutation.label_permutation(cells[subject], rng)
            interval = replace(interval, p=p, null_value=0.0)
    shown: Interval = point(interval.estimate) if refused else interval
    return number(shown, n_attributes, n_frames, flag=refused)


def _stacked(by_group: Sequence[Matrix]) -> Cells:
    """The cells of all groups less the mean of the groups, [G, I, J].

    A group against the mean of the others is its deviation from the mean of all, times
    G / (G - 1).
    """
    n = len(by_group)
    return np.stack([matrix.cells for matrix in by_group]) * (n - 1) / n


def spread_interval(cells: Cells) -> tuple[float, Cells]:
    """The spread of groups, [G, I, J], and its cell influence values, [I, J]; their mean is it.

    The mean over pairs of groups of half their association: the variance over groups (divisor
    G - 1) of the deviations from the average attribute, over pairs of different frames. Its
    expectation is 0 where no attribute sets the groups apart; the estimate may be negative.
    """
    pairs = [first - second for first, second in combinations(cells, 2)]
    value = sum(ustatistics.association(own, own) for own in pairs) / (2 * len(pairs))
    influence = sum(ustatistics.association_influence(own, own) for own in pairs)
    return float(value), np.asarray(influence) / (2 * len(pairs))
