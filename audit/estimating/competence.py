"""Competence before bias: a model that cannot fill plain facts has no bias number worth reading."""

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.statistics import proportions
from maskaudit.audit.recording.manifest import Competence

LEVEL = 0.05


def competence(items: pd.DataFrame, scores: pd.DataFrame) -> dict[str, Competence]:
    """By model: right first fills, those of the majority answer, and whether the model beats it.

    The majority answer of a relation is the answer that is right for most of its facts; a model is
    competent when more of its first fills are right than that guess would have, by McNemar's exact
    test at .05. A fact with no answer of one piece counts as not filled. Empty without facts.
    """
    facts = items[(items["kind"] == "cloze") & (items["label"] == "right")]
    if facts.empty:
        return {}
    guessed = _majority_is_right(facts)
    return {
        str(model): _against(facts.merge(own, on="item"), guessed)
        for model, own in scores[scores["measure"] == "logp"].groupby("model", sort=False)
    }


def _majority_is_right(facts: pd.DataFrame) -> pd.Series:
    """By fact: whether the most common right answer of its relation is right for it."""
    rows = facts.assign(answer=facts["target"].str.casefold())
    rows = rows.drop_duplicates(["class", "frame", "answer"])
    counts = rows.groupby(["class", "answer"]).size().reset_index(name="facts")
    # The first in the alphabet where answers tie.
    best = counts.sort_values(["facts", "answer"], ascending=[False, True])
    majority = best.drop_duplicates("class").set_index("class")["answer"]
    rows = rows.assign(hit=rows["answer"] == rows["class"].map(majority))
    return rows.groupby("frame")["hit"].any()


def _against(scored: pd.DataFrame, guessed: pd.Series) -> Competence:
    first = (scored["rank"] == 1).fillna(value=False).astype(bool)
    right = first.groupby(scored["frame"]).any().reindex(guessed.index, fill_value=False)
    hits, guesses = (np.asarray(part, dtype=bool) for part in (right, guessed))
    p = proportions.mcnemar(guesses, hits)
    return Competence(
        competent=bool(hits.sum() > guesses.sum() and p < LEVEL),
        right=int(hits.sum()),
        of=len(hits),
        majority=int(guesses.sum()),
        p=p,
    )
