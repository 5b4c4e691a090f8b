"""Regression of a model's leans on the world's shares."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from maskaudit.audit.estimating.statistics.interval import (
    LEVEL,
    Cells,
    Interval,
    floored,
    satterthwaite,
    student,
)

# A share of 0 or 1 has no finite logit, and no occupation is truly without the rarer group.
LEAST_SHARE = 0.005
# A line takes two degrees of freedom, so its residual needs a third attribute.
_LEAST = 3


@dataclass(frozen=True)
class Line:
    """The regression of leans on the logits of a yardstick."""

    slope: Interval
    intercept: Interval


def logit(shares: Cells) -> Cells:
    """Log-odds of shares, in nats, with shares clipped to .005 to .995."""
    log_odds: Cells = special.logit(np.clip(shares, LEAST_SHARE, 1 - LEAST_SHARE))
    return log_odds


def line(x: Cells, cells: Cells, *, level: float = LEVEL, null_slope: float = 1.0) -> Line:
    """Regress cells, [I, J] in nats, on the attributes' logits x, [I].

    Slope and intercept are weighted sums over attributes, with weights w, and generalize to new
    attributes and frames: V = s^2 sum w^2 + var_j(value in frame j)/J - MSE sum w^2 / J, with s^2
    the residual mean square of the attributes' means and MSE that of the cells after attributes and
    frame lines; floored at the larger of the first two terms; degrees of freedom by Satterthwaite
    with I - 2, J - 1 and (I - 2)(J - 1). Noise in x flattens the slope; noise in the model does
    not. Raises ValueError on fewer than three attributes or two frames, a missing cell, or
    constant x.
    """
    n_attributes, n_frames = cells.shape
    if n_attributes < _LEAST or n_frames < _LEAST - 1 or np.isnan(cells).any() or np.ptp(x) == 0:
        message = (
            f"cells of shape {cells.shape} cannot be regressed; expected complete cells of at "
            f"least {_LEAST} attributes with unequal shares, and two frames"
        )
        raise ValueError(message)
    deviations = x - x.mean()
    squares = float((deviations**2).sum())
    weights = {"slope": deviations / squares}
    weights["intercept"] = 1 / n_attributes - x.mean() * weights["slope"]
    # Both are linear in the cells, so each has one value per frame, whose variance can be taken.
    slopes, intercepts = (weights[name] @ cells for name in ("slope", "intercept"))
    means = cells.mean(1)
    fitted = intercepts.mean() + slopes.mean() * x
    spread = float(((means - fitted) ** 2).sum()) / (n_attributes - 2)
    residuals = cells - (intercepts + np.outer(x, slopes)) - (means - fitted)[:, None]
    residual = float((residuals**2).sum()) / ((n_attributes - 2) * (n_frames - 1))
    # The height of the line is shown and never tested: the mean over attributes says how common the
    # groups' words are.
    nulls = {"slope": null_slope, "intercept": np.nan}
    intervals = {}
    for name, by_frame in (("slope", slopes), ("intercept", intercepts)):
        scale = float((weights[name] ** 2).sum())
        attribute_part = (spread * scale, n_attributes - 2.0)
        frame_part = (float(by_frame.var(ddof=1)) / n_frames, n_frames - 1.0)
        residual_part = (-residual * scale / n_frames, (n_attributes - 2.0) * (n_frames - 1))
        variance, df = satterthwaite(floored([attribute_part], [frame_part], [residual_part]))
        intervals[name] = student(
            float(by_frame.mean()),
            variance,
            df,
            level=level,
            null_value=nulls[name],
            v_frames=frame_part[0],
        )
    return Line(**intervals)
