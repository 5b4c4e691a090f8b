"""The names of a set's units, and how many of them a number rests on."""

import pandas as pd

from maskaudit.audit.recording.rows.methods import CROSSED_CLUSTERS, Method
from maskaudit.reports.effects import Effect, Estimate
from maskaudit.reports.words import wording

UNITS = {
    "pairs": "pair",
    "triples": "item",
    "completions": "sentence",
    "sentences": "sentence",
    "words": "word",
}


def units_in(items: pd.DataFrame) -> int:
    """The number of units in a set: its pairs, or its sentences where it has no pairs."""
    pairs = items.loc[items["pair"] != "", "pair"].nunique()
    return int(pairs or items["context"].nunique())


def behind(effect: Effect, unit: str, *, is_crossed: bool = False) -> str:
    """The number of units, and of their clusters, behind a number, in words."""
    units = wording.counted(effect.n_frames, unit)
    if is_crossed:
        return (
            f"{units} in clusters of two kinds that cross, of the scarcer of which there are "
            f"{wording.number(effect.n_attributes)}"
        )
    # As many clusters as units: each is one of its own.
    if effect.n_attributes == effect.n_frames:
        return f"{units}, each taken to be independent of the others"
    return f"{units} in {wording.counted(effect.n_attributes, 'cluster')}"


def has_crossed_clusters(estimate: Estimate) -> bool:
    """Whether clusters are of two crossed factors, by the method key of a number."""
    return Method.parse(estimate.method)["unit"] == CROSSED_CLUSTERS
