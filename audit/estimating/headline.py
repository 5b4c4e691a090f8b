"""The few estimates that head the results of a subject."""

import pandas as pd

from maskaudit.audit.estimating.estimators import CORRECTED
from maskaudit.audit.estimating.names import CONTRAST, LOG_MAGNITUDE_RATIO, as_trials
from maskaudit.audit.recording.slices import ALL


def headline(estimates: pd.DataFrame, subject: str) -> pd.DataFrame:
    """The headline rows of a subject, set by set.

    For a set with contrasts: the contrasts, and for the difference also the log ratio of the
    magnitudes (subject `relation`). For other sets: the corrected numbers over all items that have
    an interval, except those over independent trials.
    """
    chosen = []
    for _, own in estimates.groupby("probe_set", sort=False):
        contrasts = (own["subject"] == subject) & (own["estimator"] == CONTRAST)
        if contrasts.any():
            ratio = (own["estimator"] == LOG_MAGNITUDE_RATIO) & (subject == "difference")
            chosen.append(own[contrasts | ratio])
        else:
            whole = (own["slice"] == str(ALL)) & (own["mode"] == CORRECTED) & own["low"].notna()
            beside = own["estimator"].map(as_trials).astype(bool)
            chosen.append(own[(own["subject"] == subject) & whole & ~beside])
    return pd.concat(chosen) if chosen else estimates.iloc[:0]
