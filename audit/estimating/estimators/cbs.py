"""`cbs`: inequality of groups as the variance over groups of log(p / prior)."""

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators import (
    CORRECTED,
    PUBLISHED,
    Measured,
    UnitEstimator,
    Value,
)
from maskaudit.audit.estimating.estimators.of_groups.pooling import CELL, group_at_mask, pooled


def units(measured: Measured, mode: str) -> pd.DataFrame:
    """One row per attribute: the variance over groups of log(p / prior), in nats squared.

    Published mode averages the variance of each frame, so that noise between frames counts as bias.
    Corrected mode averages the covariance over groups of pairs of different frames, which has
    expectation 0 for a model with no bias and may be negative; NaN with one frame. NaN if a score
    is missing. No rows without a prior, or if the groups' terms stand in the context.
    """
    by_frame = measured.part(_cells).groupby(["class", "attribute"], sort=False)
    variances = [
        (class_, attribute, _variance(cells.to_numpy(dtype=float), mode))
        for (class_, attribute), cells in by_frame
    ]
    table = pd.DataFrame(variances, columns=["class", "unit", "variance"]).set_index("unit")
    return table.assign(cluster="")


def _cells(measured: Measured) -> pd.DataFrame:
    """Log(p / prior) by class, attribute and frame, a column per group; no rows as for `units`."""
    rows = measured.items[measured.items["role"].isin(["probe", "prior"])]
    # The ratio needs a prior, and groups at the mask: in the context they have no p of their own.
    if not (rows["role"] == "prior").any() or not group_at_mask(rows):
        return pd.DataFrame(columns=["class", "attribute"])
    scored = measured.values("logp")
    rows = scored[scored["role"].isin(["probe", "prior"])]
    by_role = pooled(rows).table()
    keys = [*CELL[1:], "variant", "group"]
    wide = by_role.pivot(index=keys, columns="role", values="value")
    log_ratios = (wide["probe"] - wide["prior"]).groupby(["class", "attribute", "frame", "group"])
    # A cell counts only if each of its variants has a score.
    return log_ratios.mean().where(log_ratios.count() == log_ratios.size()).unstack("group")


def _variance(cells: np.ndarray[tuple[int, int], np.dtype[np.float64]], mode: str) -> float:
    """Variance over groups of cells, log(p / prior) [frames, groups]; divisor groups - 1."""
    n_frames, n_groups = cells.shape
    centred = cells - cells.mean(1, keepdims=True)
    squares = float((centred**2).sum())
    if mode == PUBLISHED:
        return squares / n_frames / (n_groups - 1)
    if n_frames == 1:
        return float("nan")
    # Only products of two different frames remain, whose noise is independent.
    between = float((centred.sum(0) ** 2).sum()) - squares
    return between / (n_frames * (n_frames - 1)) / (n_groups - 1)


_MEAN = {"cbs": Value(lambda means: means[..., 0])}
CBS = UnitEstimator(
    name="cbs",
    unit="nats squared",
    definition="Categorical bias score: variance over groups of log(p / prior), mean over "
    "attributes and frames; 0 is no difference between groups. Published mode takes the variance "
    "in each frame and is never negative; corrected mode takes pairs of different frames (a "
    "U-statistic) and is 0 on average for a model with no bias.",
    does_not_show="In which direction, and whether it follows a stereotype. Published mode is "
    "positive for every model, biased or not. Its interval covers other attributes in these same "
    "sentences, not other sentences.",
    source="Ahn & Oh 2021; their code multiplies k by k pieces where a word has several, this one "
    "scores the word once; variances divide by groups - 1, as theirs do",
    needs=frozenset({"logp"}),
    kinds=frozenset({"association"}),
    modes=(PUBLISHED, CORRECTED),
    power=2,
    units=units,
    columns=("variance",),
    numbers={PUBLISHED: _MEAN, CORRECTED: _MEAN},
)
