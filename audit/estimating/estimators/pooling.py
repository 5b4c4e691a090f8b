"""From terms to a cell: what the scores of a group's terms become, and when a cell is complete."""

import numpy as np
import pandas as pd

CELL = ["role", "class", "attribute", "frame"]


def group_at_mask(scored: pd.DataFrame) -> bool:
    """Whether the terms are the targets; otherwise they stand in the context."""
    differ = (scored["target"] != scored["term"]).to_numpy(dtype=bool)
    if not differ.any():
        return True
    words = scored.loc[differ, ["target", "term"]].drop_duplicates()
    return bool((words["target"].str.casefold() == words["term"].str.casefold()).all())


def pooling_rule(scored: pd.DataFrame) -> str:
    """How the terms of a group become one number; part of the method key."""
    return "logsumexp" if group_at_mask(scored) else "mean"


def group_differences(scored: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """One row a cell: its value for `first` minus its value for `second`, in nats.

    Terms at the mask: the log of the summed p of a group's terms. Terms in the context: the mean of
    log p over them. Then the mean over a frame's variants. NaN where any score is missing, be it of
    a third group: a cell counts only when it is complete for every group.
    """
    groups = pooled(scored).unstack("group")
    complete = groups.notna().all(axis=1)
    difference = (groups[first] - groups[second]).where(complete).rename("value")
    return difference.groupby(CELL, sort=False).mean(skipna=False).reset_index()


def pooled(scored: pd.DataFrame) -> pd.Series:
    """One number a cell, variant and group; NaN where one of its terms has none."""
    place = [scored[name] for name in (*CELL, "variant", "group")]
    by_group = scored["value"].groupby(place, sort=False)
    if not group_at_mask(scored):
        return by_group.mean(skipna=False)
    # The largest is taken out before exp and put back after log, so that nothing underflows.
    beside = (scored["value"] - by_group.transform("max")).apply(np.exp)
    return by_group.max() + beside.groupby(place, sort=False).sum(skipna=False).apply(np.log)
