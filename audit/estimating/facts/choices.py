"""Facts with words to choose from: whether the likeliest of these words is a right one."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.facts.drops import drops
from maskaudit.audit.estimating.facts.shares import shares
from maskaudit.audit.estimating.registry.names import CHOICE, CHOICE_DROP

_FACT = ["class", "frame", "cluster"]


def choices(
    items: pd.DataFrame, scores: pd.DataFrame, plain: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `estimates` on choices; none where no fact has words to choose from.

    The words are compared by log p, whatever their number of pieces, and a fact counts only if
    every model could read each of its words. A right word has to be likelier than all wrong ones.
    """
    words = items[items["label"].isin(["right", "wrong"])]
    # Without a wrong word there is nothing to choose from.
    has_choices = words["label"].eq("wrong").groupby([words[name] for name in _FACT]).any()
    words = words.merge(has_choices[has_choices].rename("asked").reset_index(), on=_FACT)
    of_models = scores[scores["measure"] == "logp"].groupby("model", sort=False)
    if words.empty or not len(of_models):
        return
    is_right = words["label"] == "right"
    chances = is_right.groupby([words[name] for name in _FACT]).mean()
    hits = pd.DataFrame({model: _hits(words, own) for model, own in of_models})
    read = hits.dropna().astype(bool)
    yield from shares(read, CHOICE, chances)
    yield from drops(read, plain, CHOICE_DROP)


def _hits(words: pd.DataFrame, scores: pd.DataFrame) -> pd.Series:
    """By fact, whether its likeliest word is right; missing where a word has no score."""
    scored = words.merge(scores[["item", "value"]], on="item", how="left")
    facts = [*_FACT, "label"]
    # The smallest of nothing but NaN, and of anything beside NaN, is unknown.
    best = scored.groupby(facts)["value"].agg(lambda own: own.max(skipna=False)).unstack("label")
    best = best.reindex(columns=["right", "wrong"])
    hit = (best["right"] > best["wrong"]).astype("boolean")
    return hit.mask(best.isna().any(axis=1))
