"""Association and magnitude without a noise floor, and a student's against its teacher's.

Products are taken over pairs of different frames, so that the noise of a frame, which teacher and
student share, drops out of every mean. Each number is a smooth function of such U-statistics; its
interval is that of its cell influence values, whose mean is the number itself, for new attributes
and new frames (scope S2). Resampling frames would put a frame beside its own copy and bring the
noise back.
"""

import numpy as np

from maskaudit.audit.estimating.statistics.anova import centred, mean_squares
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

    U_AB = 1/(J(J-1)) sum_{j != k} cov_i(A_ij, B_ik), in nats squared: noise that the two share in a
    frame drops out, so that U_AA is the variance of the attributes' own effects without a floor.
    May be negative. Raises ValueError on a missing cell or fewer than two of either factor.
    """
    a, b = _centred(first, second)
    n_attributes, n_frames = a.shape
    products = a.sum(1) * b.sum(1) - (a * b).sum(1)
    pairs = (n_attributes - 1) * n_frames * (n_frames - 1)
    return float(products.sum() / pairs)


def association_influence(first: Cells, second: Cells) -> Cells:
    """Cell influence values of `association`, [I, J], whose mean it is.

    h_ij = I/(I-1) * 1/2 [A_ij (S^B_i - B_ij) + B_ij (S^A_i - A_ij)] / (J-1), of cells less their
    frame's mean, with S_i the sum over frames.
    """
    a, b = _centred(first, second)
    n_attributes, n_frames = a.shape
    rest_a, rest_b = a.sum(1, keepdims=True) - a, b.sum(1, keepdims=True) - b
    scale = n_attributes / (n_attributes - 1) / 2 / (n_frames - 1)
    influence: Cells = scale * (a * rest_b + b * rest_a)
    return influence


def magnitude(cells: Cells) -> float:
    """Mean over attributes of the squared lean, without a noise floor, in nats squared.

    The mean over pairs of different frames of y_ij y_ik. 0 on average only where no attribute's
    own lean differs from 0, and then sometimes negative: a model without bias is not enough, for
    the groups' words must be equally likely too. A lean that all attributes share adds its square.
    Raises ValueError as `association`.
    """
    return float(magnitude_influence(cells).mean())


def magnitude_influence(cells: Cells) -> Cells:
    """Cell influence values of `magnitude`: y_ij (S_i - y_ij)/(J - 1)."""
    complete(cells)
    influence: Cells = cells * (cells.sum(1, keepdims=True) - cells) / (cells.shape[1] - 1)
    return influence


def interval(
    estimate: float, influence: Cells, *, level: float = LEVEL, null_value: float = np.nan
) -> Interval:
    """Interval of a number with these cell influence values, [I, J].

    A pair of frames holds each of them twice, so their part is fourfold: V = MSA/n + b with
    b = 4 max(0, MSB - MSE)/n; degrees of freedom by Satterthwaite with I - 1 and J - 1.
    """
    ms = mean_squares(influence)
    n = influence.size
    frames = 4 * float(np.maximum(0.0, ms.frame - ms.residual)) / n
    variance, df = satterthwaite(
        [(ms.attribute / n, ms.n_attributes - 1), (frames, ms.n_frames - 1)]
    )
    v_frames = min(variance, frames + ms.residual / n)
    return student(estimate, variance, df, level=level, null_value=null_value, v_frames=v_frames)


def association_interval(cells: Cells, *, level: float = LEVEL) -> Interval:
    """Association of one model, U_YY."""
    return interval(association(cells, cells), association_influence(cells, cells), level=level)


def magnitude_interval(cells: Cells, *, level: float = LEVEL) -> Interval:
    """Magnitude of one model."""
    return interval(magnitude(cells), magnitude_influence(cells), level=level)


def association_change(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Association of the student less that of the teacher, from the same cells."""
    change = association(student_, student_) - association(teacher, teacher)
    influence = association_influence(student_, student_) - association_influence(teacher, teacher)
    return interval(change, influence, level=level, null_value=0.0)


def magnitude_change(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Magnitude of the student less that of the teacher, from the same cells."""
    change = magnitude(student_) - magnitude(teacher)
    influence = magnitude_influence(student_) - magnitude_influence(teacher)
    return interval(change, influence, level=level, null_value=0.0)


def slope(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Inheritance slope U_TS/U_TT: by how much the student leans where the teacher leans by one.

    Tested against 1. Least squares would be too flat, and Deming's regression too steep, for the
    noise of a frame is shared. NaN where U_TT is not positive; see `has_signal`.
    """
    own = association(teacher, teacher)
    if own <= 0:
        return point(np.nan)
    beta = association(teacher, student_) / own
    across, within = (association_influence(teacher, other) for other in (student_, teacher))
    return interval(beta, beta + (across - beta * within) / own, level=level, null_value=1.0)


def log_kappa(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Amplification: half the log of U_SS/U_TT, the log ratio of the two models' associations.

    0 is neither more nor less; .26 is a student whose leans are 1.3 times as large. A shift that is
    the same for all attributes does not change it. NaN where either U is not positive.
    """
    return _log_ratio(
        (association(teacher, teacher), association_influence(teacher, teacher)),
        (association(student_, student_), association_influence(student_, student_)),
        level,
    )


def log_magnitude_ratio(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """The same of the two magnitudes, which a shift common to all attributes does change."""
    return _log_ratio(
        (magnitude(teacher), magnitude_influence(teacher)),
        (magnitude(student_), magnitude_influence(student_)),
        level,
    )


def correlation(teacher: Cells, student_: Cells, *, level: float = LEVEL) -> Interval:
    """Correlation of the attributes' own leans, U_TS/sqrt(U_TT U_SS), with the noise taken out.

    1 is the same pattern, -1 its mirror image; the estimate and its limits may lie beyond. NaN
    where U_TT or U_SS is not positive.
    """
    pairs = ((teacher, student_), (teacher, teacher), (student_, student_))
    across, own, theirs = (association(*pair) for pair in pairs)
    if min(own, theirs) <= 0:
        return point(np.nan)
    h_across, h_own, h_theirs = (association_influence(*pair) for pair in pairs)
    scale = own * float(np.sqrt(theirs / own))  # exactly `own` where the two are the same
    r = across / scale
    # In this order the difference of a model and itself is exactly 0.
    influence = r + (h_across / scale - r / 2 * (h_own / own + h_theirs / theirs))
    return interval(r, influence, level=level)


def has_signal(cells: Cells) -> bool:
    """Whether the association is credibly above zero, so that something can be divided by it."""
    return bool(association_interval(cells).low > 0)


def has_magnitude(cells: Cells) -> bool:
    """The same of the magnitude."""
    return bool(magnitude_interval(cells).low > 0)


def _log_ratio(
    teacher: tuple[float, Cells], student_: tuple[float, Cells], level: float
) -> Interval:
    (own, h_own), (theirs, h_theirs) = teacher, student_
    if min(own, theirs) <= 0:
        return point(np.nan)
    value = float(np.log(theirs / own)) / 2
    influence = value + (h_theirs / theirs - h_own / own) / 2
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
