"""Whether other measures of the same attributes lean alike: other estimators, other sets."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from maskaudit.audit.estimating.crossed.cells import Matrix
from maskaudit.audit.estimating.crossed.one_subject import LEAST_ATTRIBUTES, LEAST_FRAMES, Number
from maskaudit.audit.estimating.registry.names import CONVERGENCE_ESTIMATORS, CONVERGENCE_SETS
from maskaudit.audit.estimating.statistics import ustatistics
from maskaudit.audit.estimating.statistics.convergence import convergence
from maskaudit.audit.estimating.statistics.interval import point
from maskaudit.audit.recording.rows import slices

# With fewer shared attributes the correlation has no interval.
LEAST_SHARED = 20


def of_estimators(matrix: Matrix, other: Matrix, estimator: str) -> Number:
    """How alike a set's attributes lean by the log-odds and by another estimator.

    Their cells share frames, and so the noise of a frame.
    """
    first, second = _shared(matrix.probes.complete, other.probes.complete)
    # Each may lack frames of its own, and noise is shared only in those that both have.
    frames = [name in second.frames for name in first.frames]
    first = first.columns(frames)
    second = second.columns([name in first.frames for name in second.frames])
    slice_ = slices.of_estimator(estimator)
    number = Number(slice_, CONVERGENCE_ESTIMATORS, point(np.nan), 0, 0)
    return _number(first, second, number, same_frames=True)


def of_sets(matrix: Matrix, other: Matrix, name: str) -> Iterator[Number]:
    """Yield how alike the attributes that two sets share lean in both, if there are any."""
    first, second = _shared(matrix.probes.complete, other.probes.complete)
    if first.attributes:
        yield _number(
            first, second, Number(slices.of_set(name), CONVERGENCE_SETS, point(np.nan), 0, 0)
        )


def _number(first: Matrix, second: Matrix, number: Number, *, same_frames: bool = False) -> Number:
    """The number with its value, or why it has none."""
    n, n_frames = len(first.attributes), min(len(first.frames), len(second.frames))
    sized = replace(number, n_attributes=n, n_frames=n_frames)
    if n_frames < LEAST_FRAMES:
        return replace(sized, flag="too_few_frames")
    if n < LEAST_ATTRIBUTES:
        return replace(sized, flag="too_few_attributes")
    # Divided by a variance that may be 0, it could be anything.
    if not all(ustatistics.has_signal(own.cells) for own in (first, second)):
        return replace(sized, flag="not_estimable")
    styles = (first.styles, second.styles)
    found = convergence(first.cells, second.cells, styles, same_frames=same_frames)
    if n < LEAST_SHARED:
        return replace(sized, interval=point(found.estimate), flag="too_few_attributes")
    return replace(sized, interval=found, flag="not_estimable" if np.isnan(found.low) else "")


def _shared(first: Matrix, second: Matrix) -> tuple[Matrix, Matrix]:
    """The attributes that both have, in the same order: rows are sorted by name in each class."""
    both = sorted(set(first.attributes) & set(second.attributes))
    return _in_order(first, both), _in_order(second, both)


def _in_order(matrix: Matrix, names: Sequence[str]) -> Matrix:
    places = [matrix.attributes.index(name) for name in names]
    return replace(
        matrix,
        cells=matrix.cells[places],
        attributes=list(names),
        classes=[matrix.classes[place] for place in places],
        names=(),
        families=tuple(matrix.families[place] for place in places) if matrix.families else (),
    )
