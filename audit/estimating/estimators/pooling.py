"""Pooling the scores of a group's terms into one cell, and the rule for complete cells."""

import numpy as np
import pandas as pd

from maskaudit.audit.texts.characters import without_case

CELL = ["role", "class", "attribute", "frame"]


def group_at_mask(scored: pd.DataFrame) -> bool:
    """Whether the terms are the targets, ignoring case; otherwise they stand in the context."""
    target, term = scored["target"], scored["term"]
    differ = (target != term).to_numpy(dtype=bool)
    if not differ.any():
        return True
    # Terms in the context are other words from the first row on.
    first = int(differ.argmax())
    if without_case(target.iloc[first]) != without_case(term.iloc[first]):
        return False
    # Folding case is slow, so it is done once per distinct pair of words.
    words = scored.loc[differ, ["target", "term"]].drop_duplicates()
    return bool((words["target"].map(without_case) == words["term"].map(without_case)).all())


def pooling_rule(scored: pd.DataFrame) -> str:
    """How the terms of a group are pooled, as written in the method key."""
    return "logsumexp" if group_at_mask(scored) else "mean"


def group_differences(scored: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """One row per cell: its value for `first` minus its value for `second`, in nats.

    Terms at the mask are pooled to the log of their summed p, terms in the context to the mean of
    their log p; a cell is the mean over the variants of its frame. NaN if any score is missing,
    even of a third group: a cell counts only if it is complete for every group.
    """
    groups = pooled(scored).unstack("group")
    complete = groups.notna().all(axis=1)
    difference = (groups[first] - groups[second]).where(complete).rename("value")
    # By default pandas would average the variants that are left, another mix than in other cells.
    return difference.groupby(CELL, sort=False).mean(skipna=False).reset_index()


def against_rest(scored: pd.DataFrame, group: str) -> pd.DataFrame:
    """One row per cell: its value for `group` minus the mean over all other groups, in nats.

    Complete and averaged over variants as in `group_differences`.
    """
    groups = pooled(scored).unstack("group")
    complete = groups.notna().all(axis=1)
    # By name, so that the order of the groups does not change the last bit of their mean.
    rest = groups[sorted(set(groups.columns) - {group})].mean(axis=1)
    difference = (groups[group] - rest).where(complete).rename("value")
    return difference.groupby(CELL, sort=False).mean(skipna=False).reset_index()


def pooled(scored: pd.DataFrame) -> pd.Series:
    """One number per cell, variant and group; NaN if one of its terms has no score."""
    keys = [scored[name] for name in (*CELL, "variant", "group")]
    by_group = scored["value"].groupby(keys, sort=False)
    # Terms in the context stand in different sentences, whose probabilities do not add up.
    if not group_at_mask(scored):
        return by_group.mean(skipna=False)
    # Subtract the maximum before exp and add it back after log, to avoid underflow.
    relative = (scored["value"] - by_group.transform("max")).apply(np.exp)
    # By number, since grouping by six columns of strings again would double the time.
    sums = relative.groupby(by_group.ngroup()).sum(skipna=False)
    log_sums: pd.Series = by_group.max() + np.log(sums.to_numpy())
    return log_sums
