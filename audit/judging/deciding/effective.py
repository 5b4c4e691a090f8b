"""How many clusters of equal size the clusters of a set of pairs are worth."""

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.clustered import cluster_codes
from maskaudit.audit.recording.rows.slices import Slice

_FACTORS = ["cluster", "cluster_2"]


def effective_clusters(items: pd.DataFrame, probe_set: str, slice_: str) -> float | None:
    """(Sum of sizes)²/sum of sizes² over the clusters of a slice, in pairs; None for other kinds.

    It is at most the number of clusters, and as many where all are of one size; where a few hold
    most pairs it is about their number. A pair without a label is a cluster of its own. Of clusters
    of two kinds that cross, the fewer count.
    """
    rows = items[(items["probe_set"] == probe_set) & (items["kind"] == "pairs")]
    part = Slice.parse(slice_)
    if part.kind == "class":
        rows = rows[rows["class"] == part.value]
    # A pair has a row for each of its sides.
    pairs = rows.drop_duplicates("pair")
    if pairs.empty:
        return None
    return min(_effective(pairs[factor], pairs["pair"]) for factor in _FACTORS)


def _effective(labels: pd.Series, pairs: pd.Series) -> float:
    sizes = np.bincount(cluster_codes(labels.to_numpy(dtype=object), pd.Index(pairs)))
    return float(sizes.sum() ** 2 / (sizes**2).sum())
