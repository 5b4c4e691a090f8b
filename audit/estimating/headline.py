"""The few estimates that head the results of a subject."""

import pandas as pd

from maskaudit.audit.estimating.crossed.cells import CANDIDATE, DIFFERENCE, REFERENCE
from maskaudit.audit.estimating.estimators import CORRECTED
from maskaudit.audit.estimating.registry.names import CONTRAST, LOG_MAGNITUDE_RATIO, as_trials
from maskaudit.audit.recording.rows.slices import ALL


def headlines(estimates: pd.DataFrame) -> pd.DataFrame:
    """The headline rows of each model and of their difference, one after the other."""
    rows = [headline(estimates, subject) for subject in (REFERENCE, CANDIDATE, DIFFERENCE)]
    return pd.concat(rows, ignore_index=True)


def headline(estimates: pd.DataFrame, subject: str) -> pd.DataFrame:
    """The headline rows of a subject, set by set.

    For a set with contrasts: the contrasts, and for the difference also the log ratio of the
    magnitudes (subject `relation`). For other sets: the corrected numbers over all items that have
    an interval, except those over independent trials.
    """
    chosen = []
    for _, set_rows in estimates.groupby("probe_set", sort=False):
        contrasts = (set_rows["subject"] == subject) & (set_rows["estimator"] == CONTRAST)
        if contrasts.any():
            ratio = (set_rows["estimator"] == LOG_MAGNITUDE_RATIO) & (subject == "difference")
            chosen.append(set_rows[contrasts | ratio])
        else:
            over_all = (
                (set_rows["slice"] == str(ALL))
                & (set_rows["mode"] == CORRECTED)
                & set_rows["low"].notna()
            )
            # Beside them stands the same share over its clusters, which takes less for granted.
            as_independent = set_rows["estimator"].map(as_trials).astype(bool)
            chosen.append(set_rows[(set_rows["subject"] == subject) & over_all & ~as_independent])
    return pd.concat(chosen) if chosen else estimates.iloc[:0]
