"""`consistency`: whether a model fills one fact alike however it is asked for."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.estimators import (
    CORRECTED,
    Measured,
    UnitEstimator,
    Value,
    per_unit,
)
from maskaudit.audit.texts.characters import folded


def units(measured: Measured, _mode: str) -> pd.DataFrame:
    """One row per pair of sentences of one fact: whether they are filled alike.

    Two sentences are a pair where they have a fact in common, are of different kinds, and have a
    right answer in common. NaN if one of them has no fills.
    """
    items = measured.items
    # A fact without a cluster is asked once, and has no other sentence to agree with.
    asked = items[(items["label"] == "right") & (items["cluster"] != "")]
    is_first = measured.fills["rank"] == 1
    first = measured.fills[is_first].drop_duplicates("context").set_index("context")["token"]
    likeliest = {context: folded(token) for context, token in first.items()}
    rows = [
        row for fact, own in asked.groupby("cluster") for row in _pairs(str(fact), own, likeliest)
    ]
    columns = ["unit", "class", "cluster", "same", "pairs"]
    return pd.DataFrame(rows, columns=columns).set_index("unit")


def _pairs(fact: str, asked: pd.DataFrame, likeliest: dict[Any, str]) -> Iterator[tuple[Any, ...]]:
    """Yield each pair of sentences of one fact, with whether their likeliest words are the same."""
    sentences = [
        (str(frame), own["class"].iloc[0], own["context"].iloc[0], set(map(folded, own["target"])))
        for frame, own in asked.groupby("frame")
    ]
    for (one, kind, context, answers), (other, other_kind, other_context, others) in combinations(
        sentences, 2
    ):
        if kind == other_kind or not answers & others:
            continue
        words = likeliest.get(context), likeliest.get(other_context)
        same = float("nan") if None in words else float(words[0] == words[1])
        yield f"{one} & {other}", "", fact, same, 1.0


CONSISTENCY = UnitEstimator(
    name="consistency",
    unit="share",
    definition="Share of pairs of sentences that ask for one fact in different kinds, with a right "
    "answer in common, whose likeliest fill of one mask is the same word, in whatever case; 0 to "
    "1.",
    does_not_show="Whether the word is right: a model that always fills in one word is consistent.",
    source="Elazar et al. 2021, over the whole vocabulary in place of a relation's answers",
    needs=frozenset({"logp"}),
    since=8,
    kinds=frozenset({"cloze"}),
    units=units,
    columns=("same", "pairs"),
    numbers={CORRECTED: {"consistency": Value(per_unit)}},
)
