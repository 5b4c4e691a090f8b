"""Contrasts whose two classes differ in the pieces, the words or the frequency of their attributes.

The check of a set, the preview of a run, the terminal after it and the page all say so in the same
words. A set knows its words and frequencies; the pieces are each model's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed.covariates import FREQUENCY, PIECES, WORDS, Covariates
from maskaudit.audit.recording.manifest import Manifest, classes_between
from maskaudit.audit.recording.rows import tables

# Classes whose means differ by more than this are told: half a piece, a quarter of a word, and a
# frequency of twice as much.
MOST_APART: Mapping[str, float] = {PIECES: 0.5, WORDS: 0.25, FREQUENCY: float(np.log(2))}
# What is read of a set's items.
_READ = ["class", "role", "attribute", "frequency", "group", "term", "target"]
_UNITS = {PIECES: "word pieces", WORDS: "words"}
_KINDS = {PIECES: "long and short words", WORDS: "long and short words"}


@dataclass(frozen=True)
class Unbalanced:
    """Two classes of a contrast whose attributes differ in their pieces, words or frequency.

    `apart` is the mean of the first class less that of the second (`Covariates.apart`); `models`
    are those that write them in so many pieces, empty for words and frequency.
    """

    probe_set: str
    classes: tuple[str, str]
    covariate: str
    apart: float
    models: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What differs and by how much, without the set's name."""
        more, less = self.classes if self.apart > 0 else self.classes[::-1]
        size = abs(self.apart)
        if self.covariate == FREQUENCY:
            how = f"are {np.exp(size):.1f} times as frequent"
        else:
            of = f" ({' and '.join(self.models)})" if self.models else ""
            how = f"have {size:.2f} more {_UNITS[self.covariate]}{of}"
        kinds = _KINDS.get(self.covariate, "common and rare words")
        return (
            f"The attributes of {more!r} {how} on average than those of {less!r}, so that a "
            f"contrast may be one of {kinds}; balance the classes, or read `contrast_adjusted` and "
            "`contrast_matched` beside it"
        )

    def __str__(self) -> str:
        """The sentence with the set's name before it."""
        return f"{self.probe_set}: {self.text}"

    def as_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {
            "probe_set": self.probe_set,
            "classes": list(self.classes),
            "covariate": self.covariate,
            "models": list(self.models),
            "apart": self.apart,
            "text": self.text,
        }


def unbalanced(
    items: pd.DataFrame,
    contrast: Sequence[str] | None,
    directions: Mapping[str, str] | None = None,
    attributes: pd.DataFrame | None = None,
) -> list[Unbalanced]:
    """The pairs of classes of one set that are further apart than `MOST_APART`.

    `contrast` and `directions` are the set's; pieces are compared if `attributes` is given.
    """
    probes = items.loc[items["role"] == "probe", _READ]
    if probes.empty or items["kind"].iloc[0] != "association":
        return []
    name = str(items["probe_set"].iloc[0])
    counted = tables.table("attributes", []) if attributes is None else attributes
    known = Covariates.of(probes, counted[counted["probe_set"] == name])
    of_class = probes.groupby("class", sort=False)["attribute"].unique()
    groups = probes["group"].unique().tolist()
    pairs = (classes_between(directions or {}, contrast, own) for own in combinations(groups, 2))
    # Models with one tokenizer differ in nothing here, and are told in one line.
    found: dict[tuple[tuple[str, str], str, float], list[str]] = {}
    for classes in dict.fromkeys(filter(None, pairs)):
        for (covariate, model), apart in known.apart(_names(of_class, classes)).items():
            if abs(apart) > MOST_APART[covariate]:
                found.setdefault((classes, covariate, apart), []).append(model)
    return [Unbalanced(name, *key, tuple(filter(None, models))) for key, models in found.items()]


def unbalanced_in_record(
    manifest: Manifest, items: pd.DataFrame, attributes: pd.DataFrame
) -> list[Unbalanced]:
    """The same of every set of a record."""
    return [
        found
        for name, part in manifest.probe_sets.items()
        if len(rows := items[items["probe_set"] == name])
        for found in unbalanced(rows, part.contrast, part.directions, attributes)
    ]


def _names(of_class: pd.Series, classes: tuple[str, str]) -> tuple[Sequence[str], Sequence[str]]:
    first, second = (list(of_class.get(name, [])) for name in classes)
    return first, second
