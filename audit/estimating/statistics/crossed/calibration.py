"""Systematic error by negative controls, and intervals that contain it."""

from collections.abc import Sequence

import numpy as np

from maskaudit.audit.estimating.statistics.interval import (
    LEVEL,
    Interval,
    Part,
    point,
    satterthwaite,
    student,
)

# With fewer controls a systematic error could not be told from chance.
LEAST_CONTROLS = 10


def systematic_variance(controls: Sequence[Interval]) -> float:
    """The variance of the controls' true values, which would be 0 without systematic error.

    max(0, mean(c^2) - mean(SE^2)), in the square of the unit: whatever the controls move beyond
    their standard errors (Schuemie et al. 2018, with the mean error fixed at 0, since which side
    of a control is called the first means nothing). NaN without controls.
    """
    return max(0.0, sum(value for value, _ in _excess(controls))) if controls else np.nan


def calibrated(
    interval: Interval, controls: Sequence[Interval], *, level: float = LEVEL
) -> Interval:
    """The interval of an estimate with the systematic error of its controls in it.

    The variance SE^2 + mean(c^2) - mean(SE_c^2), and at least SE^2; degrees of freedom by
    Satterthwaite, as many for the mean of c^2 as there are controls. Without an interval, or with
    fewer than `LEAST_CONTROLS` controls that have one, the estimate alone.
    """
    if len(controls) < LEAST_CONTROLS or np.isnan(interval.std_error):
        return point(interval.estimate)
    parts: list[Part] = [(interval.std_error**2, interval.df)]
    # Controls that moved less than their errors did so by chance, and make no interval narrower.
    if systematic_variance(controls) > 0:
        parts += _excess(controls)
    variance, df = satterthwaite(parts)
    return student(interval.estimate, variance, df, level=level, null_value=interval.null_value)


def _excess(controls: Sequence[Interval]) -> list[Part]:
    """The parts of the variance of the controls beyond their standard errors."""
    squares = float(np.mean([own.estimate**2 for own in controls]))
    errors = float(np.mean([own.std_error**2 for own in controls]))
    # The mean of many squared standard errors is known far better than that of the controls.
    return [(squares, float(len(controls))), (-errors, np.inf)]
