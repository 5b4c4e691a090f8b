"""Association and magnitude without a noise floor, and a student's against its teacher's.

Products are taken over pairs of different frames, so that the noise of a frame, which teacher and
student share, drops out of every mean. Each number is a smooth function of such U-statistics; its
interval, for new attributes and new frames (scope S2), comes from its cell influence values, whose
mean is the number itself. A bootstrap over frames would pair a frame with its own copy and bring
the noise back.
"""

import numpy as np

from maskaudit.audit.estimating.statistics.crossed.anova import centred, mean_squares
from maskaudit.audit.estimating.statistics.interval import (
    LEVEL,
    Cells,
    Interval,
    point,
    satterthwaite,
    student,
)

_LEAST = 2


def association(first: Cells, second: Cells) -> float:
    """Mean over pairs of different frames of the covariance over attributes, [I, J] each.

    U_AB = 1/(J(J-1)) sum_{j != k} cov_i(A_ij, B_ik), in nats squared. Noise that the two share in a
    frame drops out, so U_AA estimates the variance of the attribute effects without a noise floor.
    May be negative. Raises ValueError on a missing cell or fewer than two attributes or frames.
    """
    a, b = _centred(first, second)
    n_attributes, n_frames = a.shape
    # The product of the sums takes all pairs of frames; what is subtracted pairs a frame with
    # itself.
    products = a.sum(1) * b.sum(1) - (a * b).sum(1)
    pairs = (n_attributes - 1) * n_frames * (n_frames - 1)
    return float(products.sum() / pairs)


def association_influence(first: Cells, second: Cells) -> Cells:
    """Cell influence values of `association`, [I, J]; their mean is the association.

    h_ij = I/(I-1) * 1/2 [A_ij (S^B_i - B_ij) + B_ij (S^A_i - A_ij)] / (J-1), with A and B minus
    their frame's mean and S_i the sum over frames. Raises ValueError as `association`.
    """
    a, b = _centred(first, second)
    n_attributes, n_frames = a.shape
    rest_a, rest_b = a.sum(1, keepdims=True) - a, b.sum(1, keepdims=True) - b
    scale = n_attributes / (n_attributes - 1) / 2 / (n_frames - 1)
    influence: Cells = scale * (a * rest_b + b * rest_a)
    return influence


def magnitude(cells: Cells) -> float:
    """Mean over attributes of the squared lean, without a noise floor, in nats squared.

    The mean over pairs of different frames of y_ij y_ik. Its expectation is 0 only if every
    attribute's mean is 0; the estimate may then be negative. An unbiased model is not enough: the
    groups' words must be equally likely too, since a shift common to all attributes adds its
    square. Raises ValueError as `association`.
    """
    return float(magnitude_influence(cells).mean())


def magnitude_influence(cells: Cells) -> Cells:
    """Cell influence values of `magnitude`, [I, J]: y_ij (S_i - y_ij)/(J - 1)."""
    complete(cells)
    influence: Cells = cells * (cells.sum(1, keepdims=True) - cells) / (cells.shape[1] - 1)
    return influence


def interval(
    estimate: float, influence: Cells, *, level: float = LEVEL, null_value: float = np.nan
) -> Interval:
    """Interval of an estimate from its cell influence values, [I, J].

    Each frame enters a pair on both sides, which doubles its influence and makes its variance
    fourfold: V = MSA/n + b with b = 4 max(0, MSB - MSE)/n; degrees of freedom by Satterthwaite with
    I - 1 and J - 1.
    """
    ms = mean_squares(influence)
    n = influence.size
    frames = 4 * float(np.maximum(0.0, ms.frame - ms.residual)) / n
    variance, df = satterthwaite(
        [(ms.attribute / n, ms.n_attributes - 1), (frames, ms.n_frames - 1)]
    )
    # By chance MSA may be below MSE, and the frames' part must not exceed the whole.
    v_frames = min(variance, frames + ms.residual / n)
    return student(estimate, variance, df, level=level, null_value=null_value, v_frames=v_frames)


def association_interval(cells: Cells, *, level: float = LEVEL) -> Interval:
    """Association of one model, U_YY, with its interval."""
    return interval(association(cells, cells), association_influence(cells, cells), level=level)


def magnitude_interval(cells: Cells, *, level: float = LEVEL) -> Interval:
    """Magnitude of one model, with its interval."""
    return interval(magnitude(cells), magnitude_influence(cells), level=level)


def association_change(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Association of the student minus that of the teacher, tested against 0."""
    # Of the two and not of their difference's cells, whose association would count a change of any
    # sign as growth. Influences cell by cell, so that noise that both share cancels.
    change = association(student_, student_) - association(teacher, teacher)
    influence = association_influence(student_, student_) - association_influence(teacher, teacher)
    return interval(change, influence, level=level, null_value=0.0)


def magnitude_change(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Magnitude of the student minus that of the teacher, tested against 0."""
    change = magnitude(student_) - magnitude(teacher)
    influence = magnitude_influence(student_) - magnitude_influence(teacher)
    return interval(change, influence, level=level, null_value=0.0)


def slope(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Inheritance slope U_TS/U_TT: the student's lean per unit of the teacher's lean.

    Tested against 1. The models share the noise of a frame, so least squares would be too flat and
    Deming's regression too steep. NaN if U_TT is not positive; see `has_signal`.
    """
    u_tt = association(teacher, teacher)
    if u_tt <= 0:
        return point(np.nan)
    beta = association(teacher, student_) / u_tt
    h_ts, h_tt = (association_influence(teacher, other) for other in (student_, teacher))
    # The influence of a ratio (delta method) plus the ratio, so that its mean is the estimate.
    return interval(beta, beta + (h_ts - beta * h_tt) / u_tt, level=level, null_value=1.0)


def log_kappa(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Amplification: half the log of U_SS/U_TT, so the log ratio of the sizes of leans.

    Positive if the student leans more, 0 if equally; .26 means leans 1.3 times as large. Tested
    against 0. A shift common to all attributes does not change it. NaN if either U is not positive.
    """
    return _log_ratio(
        (association(teacher, teacher), association_influence(teacher, teacher)),
        (association(student_, student_), association_influence(student_, student_)),
        level,
    )


def log_magnitude_ratio(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Half the log ratio of the magnitudes, which a shift common to all attributes does change.

    Tested against 0; NaN if either magnitude is not positive.
    """
    return _log_ratio(
        (magnitude(teacher), magnitude_influence(teacher)),
        (magnitude(student_), magnitude_influence(student_)),
        level,
    )


def correlation(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Disattenuated correlation of the attributes' leans, U_TS/sqrt(U_TT U_SS).

    1 is the same pattern, -1 its mirror image; the estimate and its limits may lie outside this
    range. NaN if U_TT or U_SS is not positive.
    """
    pairs = ((teacher, student_), (teacher, teacher), (student_, student_))
    u_ts, u_tt, u_ss = (association(*pair) for pair in pairs)
    if min(u_tt, u_ss) <= 0:
        return point(np.nan)
    h_ts, h_tt, h_ss = (association_influence(*pair) for pair in pairs)
    scale = u_tt * float(np.sqrt(u_ss / u_tt))  # exactly `u_tt` if the two are equal
    r = u_ts / scale
    # This order of operations gives exactly 0 for a model against itself.
    influence = r + (h_ts / scale - r / 2 * (h_tt / u_tt + h_ss / u_ss))
    return interval(r, influence, level=level)


def has_signal(cells: Cells) -> bool:
    """Whether the interval of the association lies above 0, so that it can be a denominator."""
    return bool(association_interval(cells).low > 0)


def has_magnitude(cells: Cells) -> bool:
    """Whether the interval of the magnitude lies above 0."""
    return bool(magnitude_interval(cells).low > 0)


def _log_ratio(
    teacher: tuple[float, Cells], student_: tuple[float, Cells], level: float
) -> Interval:
    (u_teacher, h_teacher), (u_student, h_student) = teacher, student_
    if min(u_teacher, u_student) <= 0:
        return point(np.nan)
    # Half, for U is a square and the ratio is of sizes of leans.
    value = float(np.log(u_student / u_teacher)) / 2
    influence = value + (h_student / u_student - h_teacher / u_teacher) / 2
    return interval(value, influence, level=level, null_value=0.0)


def _centred(first: Cells, second: Cells) -> tuple[Cells, Cells]:
    complete(first)
    complete(second)
    return centred(first), centred(second)


def complete(cells: Cells) -> None:
    """Raise ValueError on a missing cell or fewer than two attributes or frames."""
    if min(cells.shape) < _LEAST or np.isnan(cells).any():
        message = (
            f"cells of shape {cells.shape}, {int(np.isnan(cells).sum())} of them missing; expected "
            f"complete cells and at least {_LEAST} of each factor"
        )
        raise ValueError(message)
