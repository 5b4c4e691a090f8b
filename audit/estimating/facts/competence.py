"""Competence before bias: bias numbers of a model that cannot fill in plain facts mean little."""

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators.answer_ranks import answer_ranks
from maskaudit.audit.estimating.facts.sentences import sentences
from maskaudit.audit.estimating.statistics import proportions
from maskaudit.audit.recording.manifest import Competence
from maskaudit.audit.texts.characters import folded

LEVEL = 0.05
# With fewer readable facts there is no verdict. At 20, a model that has half of them right is told
# from a majority answer that has a tenth, even if the two have no fact in common (10 against 2:
# p = .039); at 18 (9 against 2) it is not (.065), and "not competent" would be said of most models.
LEAST_FACTS = 20
# The axis of sets of plain facts.
FACTS = "facts"
_FACT = ["probe_set", "frame"]


def of_competence(items: pd.DataFrame) -> pd.Series:
    """Whether each row is a right answer of a plain fact, by which competence is judged.

    Plain facts are those of cloze sets of the axis `facts`. What a limitation costs a model says
    nothing against it: sums, rare names or typing errors are hard for good models too.
    """
    return (items["kind"] == "cloze") & (items["label"] == "right") & (items["axis"] == FACTS)


def competence(items: pd.DataFrame, scores: pd.DataFrame) -> dict[str, Competence]:
    """Compare each model's first fills of plain facts with the majority answer of each relation.

    A fact is readable if one of its answers has a score; an answer is the first fill if no filling
    of as many masks as it has pieces is likelier. The majority answer of a relation is right for
    more of its readable facts than any other. A model is competent if it gets more facts right than
    this baseline and McNemar's exact two-sided test has p < .05; with fewer than `LEAST_FACTS`
    readable facts, `competent` is None. Returns the result by model; empty without facts.
    """
    facts = items[of_competence(items)]
    if facts.empty:
        return {}
    ranks = answer_ranks(scores)
    return {
        str(model): _compare(facts.merge(ranks[ranks["model"] == model], on="item", how="left"))
        for model in scores["model"].unique()
    }


def _majority_is_right(facts: pd.DataFrame) -> pd.Series:
    """By fact: whether the majority answer of its relation is right."""
    rows = facts.assign(answer=facts["target"].map(folded))
    # Spellings of one answer, as in another case, are one: a fact must not count for it twice.
    rows = rows.drop_duplicates(["class", *_FACT, "answer"])
    counts = rows.groupby(["class", "answer"]).size().reset_index(name="facts")
    # Ties go to the first answer in the alphabet, so that the baseline is reproducible.
    ranked = counts.sort_values(["facts", "answer"], ascending=[False, True])
    majority = ranked.drop_duplicates("class").set_index("class")["answer"]
    rows = rows.assign(hit=rows["answer"] == rows["class"].map(majority))
    return rows.groupby(_FACT)["hit"].any()


def _compare(answers: pd.DataFrame) -> Competence:
    """The check of one model, on the facts of which it could read an answer."""
    read = answers.groupby(_FACT)["rank"].transform("count") > 0
    readable = answers[read]
    right = (readable["rank"] == 1).groupby([readable[name] for name in _FACT]).any()
    baseline = _majority_is_right(readable).reindex(right.index)
    hits, baseline_hits = (np.asarray(part, dtype=bool) for part in (right, baseline))
    by_fact = readable.groupby(_FACT)["cluster"].first().reset_index()
    # The masks of one sentence depend on each other: a sentence is one vote, and counts once.
    labels = by_fact["probe_set"] + " " + sentences(by_fact["frame"], by_fact["cluster"])
    p = proportions.mcnemar(baseline_hits, hits, labels.to_numpy(dtype=str)) if len(hits) else None
    # The test is two-sided, so the direction is checked as well: a model that is significantly
    # worse than the baseline is not competent.
    competent = bool(hits.sum() > baseline_hits.sum() and p is not None and p < LEVEL)
    return Competence(
        competent=competent if len(set(labels)) >= LEAST_FACTS else None,
        right=int(hits.sum()),
        of=len(hits),
        asked=len(answers[_FACT].drop_duplicates()),
        majority=int(baseline_hits.sum()),
        p=p,
    )
