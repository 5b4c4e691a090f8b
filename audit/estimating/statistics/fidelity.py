"""Whether a student strays further from its teacher in sentences about groups than in others."""

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.clusters import multiway
from maskaudit.audit.estimating.statistics.crossed.anova import frame_interval
from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells, Interval, point

_LEAST = 2


def difference_in_differences(
    demographic: Cells, neutral: Cells, *, level: float = LEVEL
) -> Interval:
    """Mean over frames of KL on demographic minus KL on neutral sentences, [J] each, in nats.

    Positive if the student strays further in sentences about groups. Student's t over frames,
    tested against 0.
    """
    return frame_interval(demographic - neutral, level=level, null_value=0.0)


def adjusted(
    distance: Cells,
    entropy: Cells,
    is_demographic: NDArray[np.bool_],
    frames: NDArray[np.str_],
    *,
    level: float = LEVEL,
) -> Interval:
    """The difference in KL adjusted for the teacher's entropy, in nats.

    Least squares, within frames, of the distance of each sentence on whether it is demographic and
    on the teacher's entropy; clusters are frames (t with G - 1). NaN if the two regressors are
    collinear or there are fewer than two frames. The adjustment matters because neutral sentences
    often have the higher entropy, which leaves more room for distance.
    """
    columns = np.stack([is_demographic.astype(float), entropy], axis=1)
    _, frame = np.unique(frames, return_inverse=True)
    sizes = np.bincount(frame)
    # Subtracting the frames' means is the same as giving every frame an intercept of its own.
    x = columns - np.stack([np.bincount(frame, c) / sizes for c in columns.T], axis=1)[frame]
    y = distance - (np.bincount(frame, distance) / sizes)[frame]
    cross = x.T @ x
    if len(sizes) < _LEAST or np.linalg.matrix_rank(cross) < cross.shape[0]:
        return point(np.nan)
    inverse = np.linalg.inv(cross)
    fit = inverse @ x.T @ y
    # What each sentence adds to the error of the first coefficient, as in a sandwich variance.
    errors: Cells = (x @ inverse[0]) * (y - x @ fit)
    return multiway(float(fit[0]), errors, [frame], level=level, null_value=0.0)
