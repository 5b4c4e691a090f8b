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
from maskaudit.audit.estimating.statistics.proportions import mcnemar, wilson_of_clusters

ALL = "all"
GRADE = "rank 1"


@dataclass(frozen=True)
class Share:
    """Of the sentences of a slice of a set, those whose first word is of one group.

    `by_model` has the share of each model, 0 to 1, with Wilson's interval at 95 %, in which the
    sentences of a frame count as one where they depend on each other most; `p` is McNemar's exact
    one of the change between two models, a frame counting once; NaN for one model.
    """

    probe_set: str
    part: str
    group: str
    sentences: int
    frames: int
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
            **shares,
            **change,
        }


def shares(words: pd.DataFrame, models: list[str]) -> Iterator[Share]:
    """Yield the share of each group, of all sentences of each set and of each class.

    `words` has a row for each sentence: `probe_set`, `class`, `frame`, and for each model the group
    of its first word, "" where the word is of none; `groups` has the set's groups.
    """
    for name, rows in words.groupby("probe_set", sort=False):
        classes = {ALL: rows} | {str(own): part for own, part in rows.groupby("class", sort=False)}
        for label, part in classes.items():
            frames = part["frame"].to_numpy(dtype=str)
            for group in rows["groups"].iloc[0]:
                hits = {model: (part[model] == group).to_numpy(dtype=bool) for model in models}
                two = list(hits.values())
                yield Share(
                    probe_set=str(name),
                    part=label,
                    group=str(group),
                    sentences=len(part),
                    frames=len(np.unique(frames)),
                    by_model={m: wilson_of_clusters(own, frames) for m, own in hits.items()},
                    p=mcnemar(two[0], two[1], frames) if len(two) > 1 else float("nan"),
                )
