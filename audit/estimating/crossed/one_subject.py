"""Numbers of one subject on a crossed set: means, contrasts, magnitudes, leans, yardsticks."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.crossed.cells import (
    CANDIDATE,
    CONTROL,
    DIFFERENCE,
    REFERENCE,
    Matrix,
    is_control,
)
from maskaudit.audit.estimating.registry.names import (
    ASSOCIATION,
    BEYOND_WORLD,
    DEPENDABILITY,
    FRAMES_NEEDED,
    GENERALIZABILITY,
    LARGEST,
    LEAN,
    MAGNITUDE,
    WORLD_INTERCEPT,
    WORLD_SLOPE,
)
from maskaudit.audit.estimating.statistics import multiplicity, permutation, ustatistics, yardstick
from maskaudit.audit.estimating.statistics.crossed import anova, reliability
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.interval import Cells, Interval, Part, point
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.audit.recording.rows.values import Flag, Outcome, Scope

LARGEST_SHOWN = 10
# With fewer frames, or fewer attributes in a ranking, a number gets no interval.
LEAST_FRAMES = LEAST_ATTRIBUTES = 6
# With at least this many names per group, a number generalizes to new names (scope S3).
LEAST_NAMES = 5
_LEAST = 2


@dataclass(frozen=True)
class Number:
    """A number with its slice, its estimator and the scope of its interval.

    `n_attributes` and `n_frames` count the attributes and frames used, `n_styles` the styles that
    it averages with equal weight and `n_families` the families that its interval samples; 0 if it
    has none. `flag` says why the interval or the number is missing, or that the number is
    exploratory; `outcome` is the class of an attribute's lean in the student.
    """

    slice: Slice
    estimator: str
    interval: Interval
    n_attributes: int
    n_frames: int
    scope: Scope = "S2"
    flag: Flag = ""
    outcome: Outcome = ""
    n_styles: int = 0
    n_families: int = 0

    def row(self) -> dict[str, Any]:
        """The columns of `estimates` that describe the number itself."""
        return {
            **vars(self.interval),
            "slice": str(self.slice),
            "estimator": self.estimator,
            "n_attributes": self.n_attributes,
            "n_frames": self.n_frames,
            "n_styles": self.n_styles or None,
            "n_families": self.n_families or None,
            "scope": self.scope,
            "flag": self.flag,
            "outcome": self.outcome,
        }


def means(matrix: Matrix, estimator: str) -> Iterator[Number]:
    """Yield the means of all probes, each class and the controls; they are never tested."""
    yield _mean(slices.ALL, estimator, matrix.probes)
    for name in dict.fromkeys(matrix.classes):
        # Sides of a contrast of controls: what they are asked for is their difference.
        if is_control(name) and name != CONTROL:
            continue
        slice_ = slices.CONTROLS if name == CONTROL else slices.of_class(name)
        yield _mean(slice_, estimator, matrix.of_class(name))


def contrast(matrix: Matrix, estimator: str, classes: tuple[str, str]) -> Iterator[Number]:
    """Yield the mean of the first class minus the mean of the second, tested against 0."""
    pair = classes_of(matrix, classes)
    refused = refusal_of_pair(pair)
    number = replace(of_pair(pair, slices.CONTRAST, estimator), flag=refused)
    # Too few frames for an interval may still be enough for the number itself.
    if refused and not has_point(pair):
        yield number
        return
    interval, scope = interval_of_pair(pair)
    shown = point(interval.estimate) if refused else interval
    yield replace(number, interval=shown, scope=scope)


def classes_of(matrix: Matrix, classes: tuple[str, str]) -> tuple[Matrix, Matrix]:
    """The attributes of two classes, in the frames in which both have cells."""
    first, second = (matrix.of_class(name) for name in classes)
    # A frame that only one class has would not cancel in the difference.
    shared = _has_cells(first.cells) & _has_cells(second.cells)
    return first.columns(shared), second.columns(shared)


def interval_of_pair(pair: tuple[Matrix, Matrix]) -> tuple[Interval, Scope]:
    """The contrast of two classes for new attributes and frames of these styles, and its scope."""
    first, second = pair
    names, scope = names_of_pair(pair)
    interval = crossed_means.contrast_interval(
        first.cells,
        second.cells,
        styles=first.styles,
        families=(first.families, second.families),
        names=names,
    )
    return interval, scope


def names_of_pair(pair: tuple[Matrix, Matrix]) -> tuple[list[Part], Scope]:
    """The variance parts of the names in a contrast, and the scope that its interval then has."""
    # By name, so that how common a name is cancels between the classes.
    names = [a.mean(0) - b.mean(0) for a, b in zip(pair[0].names, pair[1].names, strict=True)]
    return _name_parts(names)


def names_without_attributes(pair: tuple[Matrix, Matrix]) -> list[list[Part]]:
    """`names_of_pair` without each attribute, those of the first class first."""
    first, second = pair
    without = []
    for a, b in zip(first.names, second.names, strict=True):
        # Of the class that loses an attribute the mean is that of the others.
        fewer_a = (a.sum(0) - a) / (len(a) - 1) - b.mean(0)
        fewer_b = a.mean(0) - (b.sum(0) - b) / (len(b) - 1)
        without.append(np.concatenate([fewer_a, fewer_b]))
    n = len(first.cells) + len(second.cells)
    return [_name_parts([means[i] for means in without])[0] for i in range(n)]


def name_parts_of(pair: tuple[Matrix, Matrix], weights: Cells) -> tuple[list[Part], Scope]:
    """`names_of_pair` of a contrast that is a weighted sum over the attributes of both classes."""
    pairs = zip(pair[0].names, pair[1].names, strict=True)
    return _name_parts([weights @ np.concatenate([a, b]) for a, b in pairs])


def of_pair(pair: tuple[Matrix, Matrix], slice_: Slice, estimator: str) -> Number:
    """A number of two classes whose value is still unknown, with what it counts."""
    return Number(
        slice_,
        estimator,
        point(np.nan),
        sum(len(own.cells) for own in pair),
        len(pair[0].frames),
        n_styles=len(set(pair[0].styles)),
        n_families=sum(map(count_of_families, pair)),
    )


def count_of_families(matrix: Matrix) -> int:
    """The number of families, an attribute without one counted as its own; 0 if none is named."""
    named = {name for name in matrix.families if name}
    return len(named) + matrix.families.count("") if named else 0


def leans(complete: Matrix, estimator: str) -> Iterator[Number]:
    """Yield each attribute's mean and its lean, the mean minus that of all attributes.

    The `LARGEST_SHOWN` largest leans are also given shrunken, with selection-adjusted intervals.

    The intervals are for new frames with the same attribute (scope S1). `complete` holds the
    probes without gaps: with gaps, the average that leans are relative to would differ between
    frames. Yields nothing with too few frames or attributes.
    """
    n_attributes, n_frames = complete.cells.shape
    if refusal(n_attributes, n_frames) or refusal_of_facets(complete):
        return
    deviations, styles = anova.centred(complete.cells), complete.styles
    points = anova.shrunken(complete.cells, styles)
    # Shrinkage keeps the order of sizes. Ties go by name, so that the order is reproducible.
    sizes = np.abs(anova.style_means(deviations, styles))
    largest = sorted(range(n_attributes), key=lambda i: (-sizes[i], complete.attributes[i]))
    shown = set(largest[:LARGEST_SHOWN])
    level = multiplicity.selected_level(min(LARGEST_SHOWN, n_attributes), n_attributes)
    raw = anova.frame_intervals(complete.cells, styles=styles)
    lean = anova.frame_intervals(deviations, styles=styles, null_value=0.0)
    adjusted = anova.frame_intervals(deviations, styles=styles, level=level)
    number = partial(
        Number, n_attributes=1, n_frames=n_frames, scope="S1", n_styles=len(set(styles))
    )
    for i, name in enumerate(complete.attributes):
        slice_ = slices.of_attribute(name)
        yield number(slice_, estimator, raw[i])
        yield number(slice_, LEAN, lean[i])
        if i in shown:
            # Adjusted coverage holds around the raw lean, so only the estimate is shrunken.
            limits = adjusted[i]
            shrunk = Interval(
                float(points[i]), limits.low, limits.high, limits.std_error, limits.df
            )
            yield number(slice_, LARGEST, shrunk)


def magnitudes(
    subject: str, by_subject: Mapping[str, Matrix], rng: np.random.Generator
) -> Iterator[Number]:
    """Yield association and magnitude: the size of leans of any sign, without a noise floor.

    For the difference, yields the changes of both. `by_subject` holds the probes without gaps.
    """
    cells = by_subject[subject].cells
    n_attributes, n_frames = cells.shape
    if min(cells.shape) < _LEAST:
        return
    if subject == DIFFERENCE:
        models = (by_subject[REFERENCE].cells, by_subject[CANDIDATE].cells)
        intervals = {
            ASSOCIATION: ustatistics.association_change(*models),
            MAGNITUDE: ustatistics.magnitude_change(*models),
        }
    else:
        intervals = {
            ASSOCIATION: ustatistics.association_interval(cells),
            MAGNITUDE: ustatistics.magnitude_interval(cells),
        }
    refused = refusal(n_attributes, n_frames)
    for name, interval in intervals.items():
        tested = {}
        # A change has Student's test: under swaps nothing leans at all, which it does not claim.
        # A magnitude takes in the average lean, of which swaps are no test.
        if name == ASSOCIATION and subject != DIFFERENCE and not refused:
            tested = {"p": permutation.label_swap(cells, rng), "null_value": 0.0}
        shown = point(interval.estimate) if refused else replace(interval, **tested)
        yield Number(slices.ALL, name, shown, n_attributes, n_frames, flag=refused)


def ranking(complete: Matrix) -> Iterator[Number]:
    """Yield how reliably the set ranks its attributes (G and Phi), and the frames needed.

    `complete` holds the probes without gaps.
    """
    cells = complete.cells
    n_attributes, n_frames = cells.shape
    refused = refusal(n_attributes, n_frames)
    values = dict.fromkeys((GENERALIZABILITY, DEPENDABILITY, FRAMES_NEEDED), point(np.nan))
    if not refused:
        result = reliability.reliability(cells)
        values[GENERALIZABILITY] = result.generalizability
        values[DEPENDABILITY] = result.dependability
        values[FRAMES_NEEDED] = point(result.frames_needed)
    for name, value in values.items():
        flag: Flag = refused or ("nothing_varied" if np.isnan(value.estimate) else "")
        yield Number(slices.ALL, name, value, n_attributes, n_frames, flag=flag)


def against_world(
    matrix: Matrix, shares: Mapping[str, float], subject: str, *, identity: bool
) -> Iterator[Number]:
    """Yield the slope of leans on the logits of the world's shares, and the leans beyond them.

    `shares` are the first group's, by attribute; NaN if unknown. `identity` says that a model with
    the world's shares has leans equal to their logits, which holds if the groups stand at the
    mask. Otherwise, and for the difference, only the slope is meaningful.
    """
    with_share = matrix.rows([not np.isnan(shares[name]) for name in matrix.attributes])
    logits = {
        name: float(yardstick.logit(np.array(shares[name]))) for name in with_share.attributes
    }
    complete = with_share.complete
    x = np.array([logits[name] for name in complete.attributes])
    is_difference = subject == DIFFERENCE
    size = {"n_attributes": len(complete.cells), "n_frames": complete.cells.shape[1]}
    # `refusal` goes first: `ptp` raises on an empty array.
    refused = refusal(*complete.cells.shape) or ("nothing_varied" if np.ptp(x) == 0 else "")
    if refused:
        yield Number(slices.ALL, WORLD_SLOPE, point(np.nan), flag=refused, **size)
        return
    # A slope of 1 follows the world; a difference of two models that both do so has slope 0.
    line = yardstick.line(x, complete.cells, null_slope=0.0 if is_difference else 1.0)
    yield Number(slices.ALL, WORLD_SLOPE, line.slope, **size)
    if not identity or is_difference:
        return
    yield Number(slices.ALL, WORLD_INTERCEPT, line.intercept, **size)
    # Each attribute is held against its own logit, so gaps need not be cut out here.
    ideal = np.array([[logits[name]] for name in with_share.attributes])
    beyond = replace(with_share, cells=with_share.cells - ideal, names=())
    yield from means(beyond, BEYOND_WORLD)
    for place, name in enumerate(beyond.attributes):
        chosen = beyond.columns(~np.isnan(beyond.cells[place]))
        row, n_frames = chosen.cells[place], len(chosen.frames)
        refused = refusal(1, n_frames, least=1) or refusal_of_facets(chosen)
        number = Number(
            slices.of_attribute(name), BEYOND_WORLD, point(np.nan), 1, n_frames, "S1", refused
        )
        if refused:
            yield replace(number, interval=point(float(row.mean()) if n_frames else np.nan))
            continue
        interval = anova.frame_interval(row, styles=chosen.styles)
        yield replace(number, interval=interval, n_styles=len(set(chosen.styles)))


def refusal(n_attributes: int, n_frames: int, *, least: int = LEAST_ATTRIBUTES) -> Flag:
    """Why a number has no interval: too few frames, or fewer than `least` attributes; or empty.

    The default `least` is the minimum for ranking attributes or regressing on them.
    """
    if n_frames < LEAST_FRAMES:
        return "too_few_frames"
    return "too_few_attributes" if n_attributes < least else ""


def refusal_of_facets(*matrices: Matrix) -> Flag:
    """Why a number has no interval: a style of one frame, or attributes all of one family."""
    # Of the first alone: two classes stand in the same frames.
    styles = Counter(matrices[0].styles)
    if styles and min(styles.values()) < _LEAST:
        return "too_few_frames"
    return "too_few_families" if any(count_of_families(own) == 1 for own in matrices) else ""


def refusal_of_pair(pair: tuple[Matrix, Matrix]) -> Flag:
    """Why the contrast of two classes has no interval; empty if it has one."""
    smaller = min(len(own.cells) for own in pair)
    return refusal(smaller, len(pair[0].frames), least=_LEAST) or refusal_of_facets(*pair)


def has_point(pair: tuple[Matrix, Matrix]) -> bool:
    """Whether the contrast of two classes can be computed, with an interval or without."""
    sizes = (len(pair[0].frames), *(len(own.cells) for own in pair))
    return min(sizes) >= _LEAST and not refusal_of_facets(*pair)


def _mean(slice_: Slice, estimator: str, matrix: Matrix) -> Number:
    matrix = matrix.columns(_has_cells(matrix.cells))
    cells = matrix.cells
    n_attributes, n_frames = cells.shape
    thin = refusal_of_facets(matrix)
    refused = refusal(n_attributes, n_frames, least=_LEAST) or thin
    number = Number(
        slice_,
        estimator,
        point(np.nan),
        n_attributes,
        n_frames,
        flag=refused,
        n_styles=len(set(matrix.styles)),
        n_families=count_of_families(matrix),
    )
    if min(cells.shape) < _LEAST or thin:
        return replace(number, interval=point(float(np.nanmean(cells)) if cells.size else np.nan))
    parts, scope = _name_parts([term_means.mean(0) for term_means in matrix.names])
    # No null value: the mean reflects how common the groups' words are, so that most untrained
    # models would fail a test of it (docs/validity.md).
    interval = crossed_means.mean_interval(
        cells, styles=matrix.styles, families=matrix.families, names=parts
    )
    shown = point(interval.estimate) if refused else interval
    return replace(number, interval=shown, scope=scope)


def _has_cells(cells: Cells) -> NDArray[np.bool_]:
    """Mask of the frames in which any attribute has a cell; all frames without attributes."""
    if not len(cells):
        return np.ones(cells.shape[1], dtype=bool)
    missing: NDArray[np.int_] = np.isnan(cells).sum(0)
    return missing < len(cells)


def _name_parts(group_means: Sequence[Cells]) -> tuple[list[Part], Scope]:
    """The variance parts of the names, and the scope of an interval that includes them."""
    # The variance of only a few names cannot be estimated well: the interval then keeps them fixed.
    if not group_means or min(map(len, group_means)) < LEAST_NAMES:
        return [], "S2"
    return crossed_means.name_parts(group_means), "S3"
