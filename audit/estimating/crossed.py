"""The numbers of one subject of a crossed set: means, contrasts, magnitudes, leans, yardsticks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.cells import CANDIDATE, CONTROL, DIFFERENCE, REFERENCE, Matrix
from maskaudit.audit.estimating.names import (
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
from maskaudit.audit.estimating.statistics import (
    anova,
    multiplicity,
    permutation,
    reliability,
    ustatistics,
    yardstick,
)
from maskaudit.audit.estimating.statistics.interval import Cells, Interval, Part, point
from maskaudit.audit.recording import slices
from maskaudit.audit.recording.slices import Slice
from maskaudit.audit.recording.values import Flag, Outcome, Scope

LARGEST_SHOWN = 10
# Fewer frames, or fewer attributes where they are ranked, give a number and no interval.
LEAST_FRAMES = LEAST_ATTRIBUTES = 6
# A number with so many names to a group speaks of other names too.
LEAST_NAMES = 5
_LEAST = 2


@dataclass(frozen=True)
class Number:
    """A number with its place (slice and estimator) and the scope of its interval.

    `n_attributes` and `n_frames` are those that it rests on. `flag` says why it has no interval, or
    is missing itself; `outcome` what became of an attribute's lean.
    """

    slice: Slice
    estimator: str
    found: Interval
    n_attributes: int
    n_frames: int
    scope: Scope = "S2"
    flag: Flag = ""
    outcome: Outcome = ""

    def row(self) -> dict[str, Any]:
        """The columns of `estimates` that speak of the number itself."""
        return {
            **vars(self.found),
            "slice": str(self.slice),
            "estimator": self.estimator,
            "n_attributes": self.n_attributes,
            "n_frames": self.n_frames,
            "scope": self.scope,
            "flag": self.flag,
            "outcome": self.outcome,
        }


def means(matrix: Matrix, estimator: str) -> Iterator[Number]:
    """The mean of all probes, of each class and of the controls: shown, and never tested."""
    yield _mean(slices.ALL, estimator, matrix.probes)
    for name in dict.fromkeys(matrix.classes):
        slice_ = slices.CONTROLS if name == CONTROL else slices.of_class(name)
        yield _mean(slice_, estimator, matrix.of_class(name))


def contrast(matrix: Matrix, estimator: str, classes: tuple[str, str]) -> Iterator[Number]:
    """Mean of the first class less that of the second, tested against 0."""
    first, second = (matrix.of_class(name) for name in classes)
    seen = _seen(first.cells) & _seen(second.cells)
    cells = [first.cells[:, seen], second.cells[:, seen]]
    n_attributes, n_frames, smaller = sum(map(len, cells)), int(seen.sum()), min(map(len, cells))
    few = refusal(smaller, n_frames, least=_LEAST)
    if min(n_frames, smaller) < _LEAST:
        unknown = point(np.nan)
        yield Number(slices.CONTRAST, estimator, unknown, n_attributes, n_frames, flag=few)
        return
    names = [a.mean(0) - b.mean(0) for a, b in zip(first.names, second.names, strict=True)]
    parts, scope = _of_names(names)
    found = anova.contrast_interval(*cells, names=parts)
    shown = point(found.estimate) if few else found
    yield Number(slices.CONTRAST, estimator, shown, n_attributes, n_frames, scope, few)


def leans(whole: Matrix, estimator: str) -> Iterator[Number]:
    """Each attribute's number, its lean beyond the average attribute, and the largest of these.

    For new frames with the same attribute (scope S1). `whole` are the probes without gaps, for the
    average that a lean is held against would otherwise not be the same in all frames.
    """
    n_attributes, n_frames = whole.cells.shape
    if refusal(n_attributes, n_frames):
        return
    beyond = anova.centred(whole.cells)
    points = anova.shrunken(whole.cells)
    # By size of the lean, which is that of the shrunken one; by name where they tie, so that the
    # order is the same always.
    sizes = np.abs(beyond.mean(1))
    largest = sorted(range(n_attributes), key=lambda i: (-sizes[i], whole.attributes[i]))
    shown = set(largest[:LARGEST_SHOWN])
    level = multiplicity.selected_level(min(LARGEST_SHOWN, n_attributes), n_attributes)
    raw = anova.frame_intervals(whole.cells)
    lean = anova.frame_intervals(beyond, null_value=0.0)
    wide = anova.frame_intervals(beyond, level=level)
    for i, name in enumerate(whole.attributes):
        slice_ = slices.of_attribute(name)
        yield Number(slice_, estimator, raw[i], 1, n_frames, "S1")
        yield Number(slice_, LEAN, lean[i], 1, n_frames, "S1")
        if i in shown:
            around = wide[i]
            shrunk = Interval(
                float(points[i]), around.low, around.high, around.std_error, around.df
            )
            yield Number(slice_, LARGEST, shrunk, 1, n_frames, "S1")


def magnitudes(
    subject: str, by_subject: Mapping[str, Matrix], rng: np.random.Generator
) -> Iterator[Number]:
    """How far the set leans at all, whichever way, without a noise floor; and its difference.

    `by_subject` are the probes without gaps.
    """
    own = by_subject[subject].cells
    n_attributes, n_frames = own.shape
    if min(own.shape) < _LEAST:
        return
    if subject == DIFFERENCE:
        models = (by_subject[REFERENCE].cells, by_subject[CANDIDATE].cells)
        found = {
            ASSOCIATION: ustatistics.association_change(*models),
            MAGNITUDE: ustatistics.magnitude_change(*models),
        }
    else:
        found = {
            ASSOCIATION: ustatistics.association_interval(own),
            MAGNITUDE: ustatistics.magnitude_interval(own),
        }
    few = refusal(n_attributes, n_frames)
    for name, interval in found.items():
        tested = {}
        if name == ASSOCIATION and subject != DIFFERENCE and not few:
            tested = {"p": permutation.label_swap(own, rng), "null_value": 0.0}
        whole = point(interval.estimate) if few else replace(interval, **tested)
        yield Number(slices.ALL, name, whole, n_attributes, n_frames, flag=few)


def ranking(whole: Matrix) -> Iterator[Number]:
    """How well the set ranks its attributes (G and Phi), and how many frames it would take.

    `whole` are the probes without gaps.
    """
    own = whole.cells
    n_attributes, n_frames = own.shape
    few = refusal(n_attributes, n_frames)
    values = dict.fromkeys((GENERALIZABILITY, DEPENDABILITY, FRAMES_NEEDED), point(np.nan))
    if not few:
        found = reliability.reliability(own)
        values[GENERALIZABILITY] = found.generalizability
        values[DEPENDABILITY] = found.dependability
        values[FRAMES_NEEDED] = point(found.frames_needed)
    for name, value in values.items():
        flag: Flag = few or ("nothing_varied" if np.isnan(value.estimate) else "")
        yield Number(slices.ALL, name, value, n_attributes, n_frames, flag=flag)


def against_world(
    matrix: Matrix, shares: Mapping[str, float], subject: str, *, identity: bool
) -> Iterator[Number]:
    """How steeply the leans follow the world's shares, and what lies beyond them.

    `shares` are the first group's, by attribute. `identity`: whether lean and logit of the
    share are the same number in a model that holds the world's shares, which they are where the
    groups stand at the mask. Elsewhere only the slope means something.
    """
    known = matrix.rows([not np.isnan(shares[name]) for name in matrix.attributes])
    logits = {name: float(yardstick.logit(np.array(shares[name]))) for name in known.attributes}
    whole = known.complete
    x = np.array([logits[name] for name in whole.attributes])
    is_difference = subject == DIFFERENCE
    size = {"n_attributes": len(whole.cells), "n_frames": whole.cells.shape[1]}
    few = refusal(*whole.cells.shape) or ("nothing_varied" if np.ptp(x) == 0 else "")
    if few:
        yield Number(slices.ALL, WORLD_SLOPE, point(np.nan), flag=few, **size)
        return
    line = yardstick.line(x, whole.cells, null_slope=0.0 if is_difference else 1.0)
    yield Number(slices.ALL, WORLD_SLOPE, line.slope, **size)
    if not identity or is_difference:
        return
    yield Number(slices.ALL, WORLD_INTERCEPT, line.intercept, **size)
    ideal = np.array([[logits[name]] for name in known.attributes])
    beyond = Matrix(known.cells - ideal, known.attributes, known.classes, known.frames)
    yield from means(beyond, BEYOND_WORLD)
    for name, row in zip(beyond.attributes, beyond.cells, strict=True):
        n_frames = int((~np.isnan(row)).sum())
        few = refusal(1, n_frames, least=1)
        one = point(float(np.nanmean(row))) if few else anova.frame_interval(row)
        yield Number(slices.of_attribute(name), BEYOND_WORLD, one, 1, n_frames, "S1", few)


def refusal(n_attributes: int, n_frames: int, *, least: int = LEAST_ATTRIBUTES) -> Flag:
    """Why a number has no interval: too few frames, or fewer than `least` attributes; or empty.

    Without `least`, why attributes are neither ranked nor regressed on anything.
    """
    if n_frames < LEAST_FRAMES:
        return "too_few_frames"
    return "too_few_attributes" if n_attributes < least else ""


def _mean(slice_: Slice, estimator: str, matrix: Matrix) -> Number:
    cells = matrix.cells[:, _seen(matrix.cells)]
    n_attributes, n_frames = cells.shape
    few = refusal(n_attributes, n_frames, least=_LEAST)
    if min(cells.shape) < _LEAST:
        value = float(np.nanmean(cells)) if cells.size else np.nan
        return Number(slice_, estimator, point(value), n_attributes, n_frames, flag=few)
    parts, scope = _of_names([own.mean(0) for own in matrix.names])
    found = anova.mean_interval(cells, names=parts)
    shown = point(found.estimate) if few else found
    return Number(slice_, estimator, shown, n_attributes, n_frames, scope, few)


def _seen(cells: Cells) -> NDArray[np.bool_]:
    """The frames in which any of these attributes has a cell; all where there are none."""
    if not len(cells):
        return np.ones(cells.shape[1], dtype=bool)
    missing: NDArray[np.int_] = np.isnan(cells).sum(0)
    return missing < len(cells)


def _of_names(means_: Sequence[Cells]) -> tuple[list[Part], Scope]:
    """What names add to a variance, and the scope that the interval has with them."""
    if not means_ or min(map(len, means_)) < LEAST_NAMES:
        return [], "S2"
    return anova.name_parts(means_), "S3"
