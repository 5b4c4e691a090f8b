"""Competence before bias: bias numbers of a model that cannot fill in plain facts mean little."""

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.statistics import proportions
from maskaudit.audit.recording.manifest import Competence

LEVEL = 0.05


def competence(items: pd.DataFrame, scores: pd.DataFrame) -> dict[str, Competence]:
    """Compare each model's first fills of facts with the majority answer of each relation.

    The majority answer of a relation is right for more of its facts than any other. A model is
    competent if it gets more facts right than this baseline and McNemar's exact two-sided test has
    p < .05. A fact with no one-piece answer counts as wrong. Returns the result by model; empty
    without facts.
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
    """By fact: whether the majority answer of its relation is right."""
    rows = facts.assign(answer=facts["target"].str.casefold())
    rows = rows.drop_duplicates(["class", "frame", "answer"])
    counts = rows.groupby(["class", "answer"]).size().reset_index(name="facts")
    # Ties go to the first answer in the alphabet, so that the baseline is reproducible.
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
