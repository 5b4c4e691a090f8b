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
    baseline = _majority_is_right(facts)
    return {
        str(model): _compare(facts.merge(model_scores, on="item"), baseline)
        for model, model_scores in scores[scores["measure"] == "logp"].groupby("model", sort=False)
    }


def _majority_is_right(facts: pd.DataFrame) -> pd.Series:
    """By fact: whether the majority answer of its relation is right."""
    rows = facts.assign(answer=facts["target"].str.casefold())
    # Spellings that differ only in case are one answer: a fact must not count for it twice.
    rows = rows.drop_duplicates(["class", "frame", "answer"])
    counts = rows.groupby(["class", "answer"]).size().reset_index(name="facts")
    # Ties go to the first answer in the alphabet, so that the baseline is reproducible.
    ranked = counts.sort_values(["facts", "answer"], ascending=[False, True])
    majority = ranked.drop_duplicates("class").set_index("class")["answer"]
    rows = rows.assign(hit=rows["answer"] == rows["class"].map(majority))
    return rows.groupby("frame")["hit"].any()


def _compare(scored: pd.DataFrame, baseline: pd.Series) -> Competence:
    # An answer of several pieces has no rank, and a missing rank compares as <NA>.
    is_first_fill = (scored["rank"] == 1).fillna(value=False).astype(bool)
    right = is_first_fill.groupby(scored["frame"]).any().reindex(baseline.index, fill_value=False)
    hits, baseline_hits = (np.asarray(part, dtype=bool) for part in (right, baseline))
    p = proportions.mcnemar(baseline_hits, hits)
    return Competence(
        # The test is two-sided, so the direction is checked as well: a model that is significantly
        # worse than the baseline is not competent.
        competent=bool(hits.sum() > baseline_hits.sum() and p < LEVEL),
        right=int(hits.sum()),
        of=len(hits),
        majority=int(baseline_hits.sum()),
        p=p,
    )
