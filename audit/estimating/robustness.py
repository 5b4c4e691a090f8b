"""How much a contrast depends on what it could have been made of: wording, words, cuts, terms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating import crossed
from maskaudit.audit.estimating.cells import Matrix, matrices, with_difference
from maskaudit.audit.estimating.crossed import Number, classes_of, of_pair
from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.estimating.registry.names import (
    ATTRIBUTES_ALIKE,
    CONTRAST_AT_CUT,
    CONTRAST_WITHOUT_TERM,
    DECIDING_ATTRIBUTES,
    DECIDING_FRAMES,
    FAMILY_ICC,
    FRAMES_ALIKE,
    FRAMES_WITH_SIGN,
    PARAPHRASE_SHIFT,
)
from maskaudit.audit.estimating.statistics import anova, crossed_means
from maskaudit.audit.estimating.statistics.alike import alike
from maskaudit.audit.estimating.statistics.families import intraclass_correlation
from maskaudit.audit.estimating.statistics.interval import Cells, Interval, point
from maskaudit.audit.recording import slices

if TYPE_CHECKING:
    from maskaudit.audit.recording.values import Flag

# Shares of the first group from which an attribute counts as of the first class; of the second
# class are those with at most 1 less this.
CUTS = (0.5, 0.6, 0.7, 0.8, 0.9)
# With more terms, terms are a sample that the interval covers, or each matters little.
MOST_TERMS = 12
# One frame or attribute of more than this decides nothing, and trying each would take long.
_MOST_LEFT_OUT = 500
_LEAST = 2
_Groups = Sequence[NDArray[np.intp]]


@dataclass(frozen=True)
class Asked:
    """What a contrast is made of: the items and scores of a set, two groups, and two classes.

    `shares` are the first group's in the world, by attribute; empty if none are known.
    """

    items: pd.DataFrame
    scores: pd.DataFrame
    groups: tuple[str, str]
    classes: tuple[str, str]
    shares: Mapping[str, float]

    def by_subject(self, rows: pd.DataFrame) -> dict[str, Matrix]:
        """The cells of every subject, made of some of the items."""
        return with_difference(matrices(rows, self.scores, LOG_ODDS, *self.groups)[0])


def of_contrast(
    by_subject: Mapping[str, Matrix], asked: Asked, seed: int
) -> Iterator[tuple[str, Number]]:
    """Yield, for every subject, how far the contrast moves when parts of it are changed."""
    for subject, matrix in by_subject.items():
        pair = classes_of(matrix, asked.classes)
        numbers = [_left_out(pair), _of_families(pair), _at_cuts(matrix, asked.shares)]
        # One generator per subject: its p must not depend on the models audited beside it.
        numbers.append(_alike(matrix.probes.complete, np.random.default_rng(seed)))
        yield from ((subject, number) for part in numbers for number in part)
    yield from _of_wording(asked)
    yield from _of_terms(asked)


def _left_out(pair: tuple[Matrix, Matrix]) -> Iterator[Number]:
    """Yield the share of frames with the contrast's sign, and of parts whose removal decides."""
    first, second = pair
    whole = _interval(pair)
    number = partial(of_pair, pair, slices.CONTRAST)
    if whole is None:
        return
    with np.errstate(invalid="ignore"):
        by_frame = np.nanmean(first.cells, axis=0) - np.nanmean(second.cells, axis=0)
    with_sign = float((np.sign(by_frame) == np.sign(whole.estimate)).mean())
    yield replace(number(FRAMES_WITH_SIGN), interval=point(with_sign), scope="S0")
    n_frames = len(first.frames)
    frames = (
        tuple(own.columns(np.arange(n_frames) != place) for own in pair)
        for place in range(n_frames)
    )
    attributes = (
        tuple(
            own.rows(np.arange(len(own.cells)) != place) if own is changed else own for own in pair
        )
        for changed in pair
        for place in range(len(changed.cells))
    )
    counts = (n_frames, len(first.cells) + len(second.cells))
    parts = zip((DECIDING_FRAMES, DECIDING_ATTRIBUTES), (frames, attributes), counts, strict=True)
    for name, without, n in parts:
        if n > _MOST_LEFT_OUT:
            yield replace(number(name), flag="not_estimable", scope="S0")
            continue
        shown = _leaves_zero_out(whole)
        changed_results = sum(
            (found := _interval((one, other))) is None or _leaves_zero_out(found) != shown
            for one, other in without
        )
        yield replace(number(name), interval=point(changed_results / n), scope="S0")


def _interval(pair: tuple[Matrix, Matrix]) -> Interval | None:
    """The contrast's interval for these styles; None if it has none."""
    first, second = pair
    smaller = min(len(first.cells), len(second.cells))
    refused = crossed.refusal(smaller, len(first.frames), least=_LEAST)
    if refused or crossed.refusal_of_facets(first, second):
        return None
    return crossed_means.contrast_interval(
        first.cells,
        second.cells,
        styles=first.styles,
        families=(first.families, second.families),
        names=crossed.names_of_pair(pair)[0],
    )


def _leaves_zero_out(interval: Interval) -> bool:
    return interval.low > 0 or interval.high < 0


def _of_families(pair: tuple[Matrix, Matrix]) -> Iterator[Number]:
    """Yield how alike the attributes of a family are, class by class."""
    for matrix in pair:
        if not crossed.count_of_families(matrix) or np.isnan(matrix.cells).any():
            continue
        means = anova.style_means(matrix.cells, matrix.styles)
        found = intraclass_correlation(means, matrix.families)
        n_families = crossed.count_of_families(matrix)
        flag: Flag = "not_estimable" if np.isnan(found.estimate) else ""
        slice_ = slices.of_class(matrix.classes[0])
        n_attributes, n_frames = matrix.cells.shape
        number = Number(slice_, FAMILY_ICC, found, n_attributes, n_frames, flag=flag)
        yield replace(number, n_families=n_families)


def _at_cuts(matrix: Matrix, shares: Mapping[str, float]) -> Iterator[Number]:
    """Yield the contrast with classes cut at other shares of the first group in the world."""
    if not shares:
        return
    for cut in CUTS:
        share = np.array([shares.get(name, np.nan) for name in matrix.attributes])
        # Half and half belongs to the first class alone.
        first, second = share >= cut, (share <= 1 - cut) & (share < cut)
        classes = np.where(first, "first", np.where(second, "second", ""))
        chosen = replace(matrix, classes=classes.tolist())
        for number in crossed.contrast(chosen, CONTRAST_AT_CUT, ("first", "second")):
            yield replace(number, slice=slices.of_cut(cut))


def _alike(complete: Matrix, rng: np.random.Generator) -> Iterator[Number]:
    """Yield whether frames, or attributes, behave as one beyond what their styles explain."""
    n_attributes, n_frames = complete.cells.shape
    number = partial(Number, n_attributes=n_attributes, n_frames=n_frames, scope="S0")
    in_one = [np.arange(n_attributes)]
    by_style = anova.strata(complete.styles, n_frames)
    # Attributes may differ from style to style, and are then alike within each.
    by_frame = complete.cells.T.copy()
    for own in by_style:
        by_frame[own] -= by_frame[own].mean(0)
    kinds: tuple[tuple[Literal["frames", "attributes"], str, Cells, _Groups, list[str]], ...] = (
        ("frames", FRAMES_ALIKE, by_frame, in_one, complete.frames),
        ("attributes", ATTRIBUTES_ALIKE, complete.cells, by_style, complete.attributes),
    )
    for kind, name, cells, groups, names in kinds:
        found = alike(cells, groups, rng)
        if found is None:
            continue
        share = replace(point(found.share), p=found.p, null_value=1 / len(names))
        yield number(slices.ALL, name, share)
        for i, j, correlation in found.pairs:
            first, second = sorted((names[i], names[j]))
            yield number(slices.of_pair(kind, first, second), name, point(correlation))


def _of_wording(asked: Asked) -> Iterator[tuple[str, Number]]:
    """Yield how far the contrast moves from the frames' texts to their variants."""
    probes = asked.items["role"] == "probe"
    counts = asked.items[probes].groupby("frame")["variant"].nunique()
    varied = asked.items[probes & asked.items["frame"].isin(counts.index[counts > 1])]
    if varied.empty:
        return
    base = asked.by_subject(varied[varied["variant"] == 0])
    others = asked.by_subject(varied[varied["variant"] != 0])
    for subject, matrix in base.items():
        other = others[subject]
        if (matrix.attributes, matrix.frames) != (other.attributes, other.frames):
            yield subject, _flagged(matrix, asked, PARAPHRASE_SHIFT)
            continue
        # Frame by frame, so that all but the wording is the same. Few frames of a style may have
        # variants, so that all count alike.
        change = replace(matrix, cells=other.cells - matrix.cells, names=(), styles=())
        yield from (
            (subject, number)
            for number in crossed.contrast(change, PARAPHRASE_SHIFT, asked.classes)
        )


def _flagged(matrix: Matrix, asked: Asked, name: str) -> Number:
    pair = classes_of(matrix, asked.classes)
    return replace(of_pair(pair, slices.CONTRAST, name), flag="not_estimable")


def _of_terms(asked: Asked) -> Iterator[tuple[str, Number]]:
    """Yield the contrast without each term of a group that has others."""
    terms = asked.items[["group", "term"]].drop_duplicates()
    terms = terms[terms["group"].isin(asked.groups)]
    of_group = terms.groupby("group")["term"].nunique()
    if len(terms) > MOST_TERMS or of_group.max() < _LEAST:
        return
    for group, term in sorted(terms.itertuples(index=False, name=None)):
        if of_group[group] < _LEAST:
            continue
        is_out = (asked.items["group"] == group) & (asked.items["term"] == term)
        for subject, matrix in asked.by_subject(asked.items[~is_out]).items():
            # The names' part of the variance is left to the whole contrast.
            without = replace(matrix, names=())
            for number in crossed.contrast(without, CONTRAST_WITHOUT_TERM, asked.classes):
                yield subject, replace(number, slice=slices.without_term(term))
