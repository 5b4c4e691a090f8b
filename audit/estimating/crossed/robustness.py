"""How much a contrast depends on what it could have been made of: wording, words, cuts, terms."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed import one_subject
from maskaudit.audit.estimating.crossed.cells import (
    Grid,
    Matrix,
    matrices_of,
    with_difference,
)
from maskaudit.audit.estimating.crossed.one_subject import (
    LEAST_FRAMES,
    Number,
    classes_of,
    of_pair,
)
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.pooling import without_each_term
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
    TWICE_ATTRIBUTES,
    TWICE_FRAMES,
)
from maskaudit.audit.estimating.statistics import d_study
from maskaudit.audit.estimating.statistics.crossed import anova
from maskaudit.audit.estimating.statistics.crossed.alike import MOST_ROWS, Alike, alike
from maskaudit.audit.estimating.statistics.crossed.families import intraclass_correlation
from maskaudit.audit.estimating.statistics.crossed.leave_one_out import (
    Limits,
    without_attributes,
    without_frames,
)
from maskaudit.audit.estimating.statistics.interval import point
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows.values import Flag

# What `of_contrast` yields.
OF_CELLS = (
    TWICE_FRAMES,
    TWICE_ATTRIBUTES,
    FRAMES_WITH_SIGN,
    DECIDING_FRAMES,
    DECIDING_ATTRIBUTES,
    FAMILY_ICC,
    CONTRAST_AT_CUT,
    FRAMES_ALIKE,
    ATTRIBUTES_ALIKE,
)
# Shares of the first group from which an attribute counts as of the first class; of the second
# class are those with at most 1 less this.
CUTS = (0.5, 0.6, 0.7, 0.8, 0.9)
# With more terms, terms are a sample that the interval covers, or each matters little.
MOST_TERMS = 12
# One frame or attribute of more than this decides nothing, and trying each would take long.
_MOST_LEFT_OUT = 500
_LEAST = 2
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Asked:
    """What a contrast is made of: the items of a set with their log p, two groups, two classes.

    `scored` has the items by model (`with_scores`), in the same order. `shares` are the first
    group's in the world, by attribute; empty if none are known.
    """

    scored: Mapping[str, pd.DataFrame]
    groups: tuple[str, str]
    classes: tuple[str, str]
    shares: Mapping[str, float]

    @property
    def items(self) -> pd.DataFrame:
        """The items, whatever the model."""
        return next(iter(self.scored.values()))

    @cached_property
    def of_classes(self) -> "Asked":
        """What of it the contrast is made of: a fraction of all, pooled again for each word."""
        is_of_classes = self.items["class"].isin(self.classes)
        return self.rows(is_of_classes & (self.items["role"] == "probe"))

    def rows(self, chosen: "pd.Series[bool]") -> "Asked":
        """Some of the items."""
        return replace(self, scored={model: rows[chosen] for model, rows in self.scored.items()})

    @property
    def by_subject(self) -> dict[str, Matrix]:
        """The cells of every subject.

        Without the names' part of a variance, which is left to the whole contrast.
        """
        by_model, _ = matrices_of(self.scored, LOG_ODDS, *self.groups, with_names=False)
        return with_difference(by_model)


def of_contrast(
    by_subject: Mapping[str, Matrix], asked: Asked, seed: int
) -> Iterator[tuple[str, Number]]:
    """Yield, for every subject, how far the contrast moves when parts of its cells are changed."""
    for subject, matrix in by_subject.items():
        pair = classes_of(matrix, asked.classes)
        # One generator per subject: its p must not depend on the models audited beside it.
        rng = np.random.default_rng(seed)
        numbers = (
            _left_out(pair),
            _of_families(pair, asked.classes),
            _at_cuts(matrix, asked.shares),
            _alike(matrix.probes.complete, rng),
        )
        yield from ((subject, number) for part in numbers for number in part)


def _left_out(pair: tuple[Matrix, Matrix]) -> Iterator[Number]:
    """Yield the share of frames with the contrast's sign, and of parts whose removal decides."""
    number = partial(of_pair, pair, slices.CONTRAST)
    flag = one_subject.refusal_of_pair(pair)
    if flag:
        planned = (TWICE_FRAMES, TWICE_ATTRIBUTES)
        for name in (*planned, FRAMES_WITH_SIGN, DECIDING_FRAMES, DECIDING_ATTRIBUTES):
            yield replace(number(name), flag=flag, scope="S0")
        return
    whole, _ = one_subject.interval_of_pair(pair)
    twice = d_study.planned(whole, 2)
    yield _known(number(TWICE_FRAMES), twice.frames)
    yield _known(number(TWICE_ATTRIBUTES), twice.attributes)
    first, second = pair
    by_frame = np.nanmean(first.cells, axis=0) - np.nanmean(second.cells, axis=0)
    with_sign = float((np.sign(by_frame) * np.sign(whole.estimate) > 0).mean())
    yield replace(number(FRAMES_WITH_SIGN), interval=point(with_sign), scope="S0")
    shown = whole.low > 0 or whole.high < 0
    for name, deciding in ((DECIDING_FRAMES, _frames), (DECIDING_ATTRIBUTES, _attributes)):
        without = deciding(pair)
        if isinstance(without, str):
            yield replace(number(name), flag=without, scope="S0")
            continue
        # Without such a part the interval would no longer say what the whole says of 0.
        share = float((without.leave_zero_out != shown).mean())
        yield replace(number(name), interval=point(share), scope="S0")


def _known(number: Number, value: float) -> Number:
    """The number with its value; clusters of a table with gaps do not say what frames add."""
    flag: Flag = "not_estimable" if np.isnan(value) else ""
    return replace(number, interval=point(value), scope="S0", flag=flag)


def _frames(pair: tuple[Matrix, Matrix]) -> Limits | Flag:
    """The limits of the contrast without each frame, or why one of them has no interval."""
    first, second = pair
    n_frames, styles = len(first.frames), Counter(first.styles)
    if n_frames > _MOST_LEFT_OUT:
        return "not_estimable"
    # Not `<`: each time one frame is left out, and the others have to be enough.
    if n_frames <= LEAST_FRAMES or min(styles.values(), default=n_frames) <= _LEAST:
        return "too_few_frames"
    names, _ = one_subject.names_of_pair(pair)
    return without_frames(first.cells, second.cells, **_facets(pair), names=names)


def _attributes(pair: tuple[Matrix, Matrix]) -> Limits | Flag:
    """The limits of the contrast without each attribute, or why one of them has no interval."""
    first, second = pair
    if len(first.cells) + len(second.cells) > _MOST_LEFT_OUT:
        return "not_estimable"
    for own in pair:
        if len(own.cells) <= _LEAST:
            return "too_few_attributes"
        if _may_leave_one_family(own):
            return "too_few_families"
    names = one_subject.names_without_attributes(pair)
    return without_attributes(first.cells, second.cells, **_facets(pair), names=names)


def _facets(pair: tuple[Matrix, Matrix]) -> dict[str, Any]:
    """What is sampled in the cells of two classes, as `contrast_interval` takes it."""
    first, second = pair
    return {"styles": first.styles, "families": (first.families, second.families)}


def _may_leave_one_family(matrix: Matrix) -> bool:
    """Whether the attributes are all of one family without some one of them."""
    # One attribute takes at most one family with it; only few families need a closer look.
    if one_subject.count_of_families(matrix) > _LEAST:
        return False
    places = np.arange(len(matrix.cells))
    return any(one_subject.count_of_families(matrix.rows(places != i)) == 1 for i in places)


def _of_families(pair: tuple[Matrix, Matrix], classes: tuple[str, str]) -> Iterator[Number]:
    """Yield how alike the attributes of a family are, class by class."""
    for class_, own in zip(classes, pair, strict=True):
        if not one_subject.count_of_families(own):
            continue
        matrix = own.complete
        n_families = one_subject.count_of_families(matrix)
        means = (
            anova.style_means(matrix.cells, matrix.styles) if matrix.cells.size else np.array([])
        )
        found = intraclass_correlation(means, matrix.families)
        flag: Flag = ""
        if np.isnan(found.estimate):
            flag = "too_few_families" if n_families < _LEAST else "not_estimable"
        n_attributes, n_frames = matrix.cells.shape
        slice_ = slices.of_class(class_)
        number = Number(slice_, FAMILY_ICC, found, n_attributes, n_frames, flag=flag)
        yield replace(number, n_families=n_families)


def _at_cuts(matrix: Matrix, shares: Mapping[str, float]) -> Iterator[Number]:
    """Yield the contrast with classes cut at other shares of the first group in the world."""
    if not shares:
        return
    share = np.array([shares.get(name, np.nan) for name in matrix.attributes])
    for cut in CUTS:
        # An attribute at half is of no class; at a cut it is of one, however 1 less it is rounded.
        first, second = (own > max(0.5, cut - _ROUNDING) for own in (share, 1 - share))
        classes = np.where(first, "first", np.where(second, "second", ""))
        chosen = replace(matrix, classes=classes.tolist())
        for number in one_subject.contrast(chosen, CONTRAST_AT_CUT, ("first", "second")):
            yield replace(number, slice=slices.of_cut(cut))


def _alike(complete: Matrix, rng: np.random.Generator) -> Iterator[Number]:
    """Yield whether frames, or attributes, behave as one beyond what their styles explain."""
    n_attributes, n_frames = complete.cells.shape
    number = partial(
        Number,
        slices.ALL,
        interval=point(np.nan),
        n_attributes=n_attributes,
        n_frames=n_frames,
        scope="S0",
    )
    frames, attributes = number(FRAMES_ALIKE), number(ATTRIBUTES_ALIKE)
    # Attributes may differ from style to style, and are then alike within each.
    by_style = anova.strata(complete.styles, n_frames)
    refused = one_subject.refusal(n_attributes, n_frames)
    if not refused and min(map(len, by_style)) < _LEAST:
        refused = "too_few_frames"
    if refused:
        yield from (replace(own, flag=refused) for own in (frames, attributes))
        return
    cells, in_one = complete.cells, [np.arange(n_attributes)]
    found = alike(cells.T, by_style, in_one, rng, "rows")
    yield from _rows_alike(frames, found, "frames", complete.frames)
    found = alike(cells, in_one, by_style, rng, "columns")
    yield from _rows_alike(attributes, found, "attributes", complete.attributes)


def _rows_alike(
    whole: Number, found: Alike | None, kind: Literal["frames", "attributes"], names: Sequence[str]
) -> Iterator[Number]:
    """Yield the share of one pattern in all rows, and the correlation of each pair found alike."""
    if found is None:
        flag: Flag = "not_estimable" if len(names) > MOST_ROWS else "nothing_varied"
        yield replace(whole, flag=flag)
        return
    share = replace(point(found.share), p=found.p, null_value=found.by_chance)
    yield replace(whole, interval=share)
    for i, j, correlation in found.pairs:
        # By name: a pair has the same slice in every record, whichever row stood first.
        pair = slices.of_pair(kind, *sorted((names[i], names[j])))
        yield replace(whole, slice=pair, interval=point(correlation))


def of_wording(asked: Asked) -> Iterator[tuple[str, Number]]:
    """Yield how far the contrast moves from the frames' texts to their variants."""
    probes = asked.of_classes
    variants = probes.items[["frame", "variant"]].drop_duplicates()["frame"]
    varied = probes.rows(probes.items["frame"].isin(variants[variants.duplicated()]))
    if varied.items.empty:
        return
    base = varied.rows(varied.items["variant"] == 0).by_subject
    others = varied.rows(varied.items["variant"] != 0).by_subject
    for subject, matrix in base.items():
        own, other = _shared(matrix, others[subject]), _shared(others[subject], matrix)
        # Frame by frame, so that all but the wording is the same. Few frames of a style may have
        # variants, so that all count alike.
        change = replace(own, cells=other.cells - own.cells, styles=())
        for number in one_subject.contrast(change, PARAPHRASE_SHIFT, asked.classes):
            yield subject, number


def _shared(matrix: Matrix, other: Matrix) -> Matrix:
    """The attributes and frames that another matrix has too; both are sorted by name."""
    rows = [name in other.attributes for name in matrix.attributes]
    return matrix.rows(rows).columns([name in other.frames for name in matrix.frames])


def of_terms(asked: Asked) -> Iterator[tuple[str, Number]]:
    """Yield the contrast without each term of a group that has others."""
    probes = asked.of_classes
    terms = probes.items[["group", "term"]].drop_duplicates()
    if terms["group"].isin(asked.groups).sum() > MOST_TERMS:
        return
    # Term by term, the cells of every model.
    without = (
        [(model, *left) for left in without_each_term(rows, *asked.groups)]
        for model, rows in probes.scored.items()
    )
    grid: Grid | None = None
    for of_models in zip(*without, strict=True):
        _, term, cells, _ = of_models[0]
        if grid is None or grid.cells is not cells:
            grid = Grid.of(probes.items, cells)
        by_model = grid.arranged({model: values for model, _, _, values in of_models}).by_model
        for subject, matrix in with_difference(by_model).items():
            for number in one_subject.contrast(matrix, CONTRAST_WITHOUT_TERM, asked.classes):
                yield subject, replace(number, slice=slices.without_term(term))
