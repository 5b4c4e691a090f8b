"""Contrasts of negative controls in the frames of a set, and the contrast held against them."""

from collections.abc import Iterator
from dataclasses import replace

from maskaudit.audit.estimating.crossed import one_subject
from maskaudit.audit.estimating.crossed.cells import Matrix, control_contrasts
from maskaudit.audit.estimating.crossed.one_subject import Number, classes_of, of_pair
from maskaudit.audit.estimating.registry.names import (
    CONTRAST_CALIBRATED,
    CONTROL_CONTRAST,
    CONTROL_LARGEST,
    CONTROL_SD,
)
from maskaudit.audit.estimating.statistics.crossed.calibration import (
    LEAST_CONTROLS,
    calibrated,
    systematic_variance,
)
from maskaudit.audit.estimating.statistics.interval import point
from maskaudit.audit.recording.rows import slices


def of_controls(matrix: Matrix, classes: tuple[str, str]) -> Iterator[Number]:
    """Yield the contrast of each pair of control classes, how far they move, and what that means.

    `classes` are those of the set's own contrast. Yields nothing for a set without contrasts of
    controls.
    """
    contrasts = control_contrasts(matrix)
    if not contrasts:
        return
    controls = [
        replace(number, slice=slices.of_control(name))
        for name, sides in contrasts.items()
        for number in one_subject.contrast(matrix, CONTROL_CONTRAST, sides)
    ]
    yield from controls
    # Neither those without an interval (NaN) nor those of a model's copy (0) tell error from
    # chance.
    known = [number.interval for number in controls if number.interval.std_error > 0]
    pair = classes_of(matrix, classes)
    of_bank = replace(of_pair(pair, slices.CONTRAST, CONTROL_SD), scope="S0", n_families=0)
    if len(known) < LEAST_CONTROLS:
        for name in (CONTROL_SD, CONTROL_LARGEST, CONTRAST_CALIBRATED):
            yield replace(of_bank, estimator=name, flag="too_few_controls")
        return
    yield replace(of_bank, interval=point(systematic_variance(known) ** 0.5))
    largest = max(abs(interval.estimate) for interval in known)
    yield replace(of_bank, estimator=CONTROL_LARGEST, interval=point(largest))
    for number in one_subject.contrast(matrix, CONTRAST_CALIBRATED, classes):
        if number.flag:
            yield replace(number, interval=point(number.interval.estimate))
        else:
            yield replace(number, interval=calibrated(number.interval, known))
