"""How often a model's first word at a mask is of a group: shares of sentences, and their changes.

This is all that can be said of a model that gives one word and no probability. A share says nothing
of how near the second word was: two models may have the same shares and other leans.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.statistics.interval import Interval
from maskaudit.audit.estimating.statistics.proportions import (
    effective,
    mcnemar,
    wilson_of_clusters,
)

ALL = "all"
GRADE = "rank 1"


@dataclass(frozen=True)
class Share:
    """Of the sentences of a slice of a set, those whose first word is of one group.

    `by_model` has the share of each model, 0 to 1, with Wilson's interval at 95 % for as many
    trials as there are frames or attributes, whichever are fewer: the fewest that the sentences can
    be worth. `p` is of the change between two models, the larger of McNemar's exact ones in which a
    frame counts once, and an attribute; NaN for one model. Of one attribute, or in one frame, all
    this is of other frames, or other attributes, alone.
    """

    probe_set: str
    part: str
    group: str
    sentences: int
    frames: int
    attributes: int
    by_model: Mapping[str, Interval]
    p: float

    def as_json(self) -> dict[str, Any]:
        """The numbers as plain values."""
        shares = {
            model: {"share": own.estimate, "low": own.low, "high": own.high}
            for model, own in self.by_model.items()
        }
        change = {} if np.isnan(self.p) else {"p_mcnemar": self.p}
        return {
            "probe_set": self.probe_set,
            "class": self.part,
            "group": self.group,
            "sentences": self.sentences,
            "frames": self.frames,
            "attributes": self.attributes,
            **shares,
            **change,
        }


def shares(words: pd.DataFrame, models: list[str]) -> Iterator[Share]:
    """Yield the share of each group, of all sentences of each set and of each class.

    `words` has a row for each sentence: `probe_set`, `class`, `frame`, `attribute`, and for each
    model the group of its first word, "" where the word is of none; `groups` has the set's groups.
    """
    for name, rows in words.groupby("probe_set", sort=False):
        classes = {ALL: rows} | {str(own): part for own, part in rows.groupby("class", sort=False)}
        for label, part in classes.items():
            both = [part[name].to_numpy(dtype=str) for name in ("frame", "attribute")]
            n_frames, n_attributes = (len(np.unique(labels)) for labels in both)
            # One attribute is no sample of attributes, and what is said is of it alone.
            sampled = [labels for labels in both if len(np.unique(labels)) > 1] or both
            fewest = min(sampled, key=effective)
            for group in rows["groups"].iloc[0]:
                hits = {model: (part[model] == group).to_numpy(dtype=bool) for model in models}
                two = list(hits.values())
                yield Share(
                    probe_set=str(name),
                    part=label,
                    group=str(group),
                    sentences=len(part),
                    frames=n_frames,
                    attributes=n_attributes,
                    by_model={m: wilson_of_clusters(own, fewest) for m, own in hits.items()},
                    # Frames know nothing of how the change differs between attributes, nor they of
                    # frames.
                    p=max(mcnemar(two[0], two[1], labels) for labels in sampled)
                    if len(two) > 1
                    else float("nan"),
                )
