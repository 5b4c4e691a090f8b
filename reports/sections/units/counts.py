"""What the units of a set are called, and how many of them stand behind a number."""

import pandas as pd

from maskaudit.audit.recording.methods import CROSSED_CLUSTERS, Method
from maskaudit.reports import wording
from maskaudit.reports.effects import Effect, Estimate

UNITS = {
    "pairs": "pair",
    "triples": "item",
    "completions": "sentence",
    "sentences": "sentence",
    "words": "word",
}


def units_in(items: pd.DataFrame) -> int:
    """How many units a set has: its pairs, or its sentences where it has none."""
    pairs = items.loc[items["pair"] != "", "pair"].nunique()
    return int(pairs or items["context"].nunique())


def behind(effect: Effect, unit: str, *, is_crossed: bool = False) -> str:
    """Say how many units, and how many clusters of them, a number rests on."""
    units = wording.counted(effect.n_frames, unit)
    if is_crossed:
        return (
            f"{units} in clusters of two kinds that cross, of the scarcer of which there are "
            f"{wording.number(effect.n_attributes)}"
        )
    if effect.n_attributes == effect.n_frames:
        return f"{units}, each taken to be independent of the others"
    return f"{units} in {wording.counted(effect.n_attributes, 'cluster')}"


def has_crossed_clusters(estimate: Estimate) -> bool:
    """Whether clusters are of two factors that cross, as a number's method key says."""
    return Method.parse(estimate.method)["unit"] == CROSSED_CLUSTERS
