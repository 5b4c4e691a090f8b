"""Shares of facts filled correctly, by model and as a paired difference."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.estimators.answer_ranks import answer_ranks
from maskaudit.audit.estimating.facts.drops import drops
from maskaudit.audit.estimating.facts.shares import shares
from maskaudit.audit.estimating.registry.names import ACCURACY, DROP, NEGATED


def cloze(
    items: pd.DataFrame, scores: pd.DataFrame, plain: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Rows of `estimates` on first fills, and the facts left out (relation and frame).

    A fact counts only if every model could read one of its answers. It is a hit where an answer is
    the likeliest filling of as many masks as it has pieces. `plain` are the relations that the
    others are held against.
    """
    keys = ["label", "class", "frame", "cluster"]
    # A wrong word to choose from is no answer.
    items = items[items["label"].isin(["right", "changed"])]
    answers = items.merge(answer_ranks(scores), on="item")
    rank = answers["rank"]
    # As columns: a function for each fact takes a hundred times as long.
    told = answers.assign(hit=(rank == 1).fillna(value=False).astype(bool), scored=rank.notna())
    facts = told.groupby([*keys, "model"], sort=False)[["hit", "scored"]].any()
    # Every fact of the set, also one of which no model has a row.
    asked = pd.MultiIndex.from_frame(items[keys].drop_duplicates())
    models = scores["model"].unique()
    hit, read = (
        facts[name].unstack("model", fill_value=False).reindex(asked, columns=models).eq(other=True)
        for name in ("hit", "scored")
    )
    scored = read.all(axis=1)
    hits = hit[scored]
    left_out = [
        {"attribute": str(relation), "frame": str(frame)}
        for _, relation, frame, _ in scored.index[~scored]
    ]
    rows: list[dict[str, Any]] = []
    for label, estimator in (("right", ACCURACY), ("changed", NEGATED)):
        rows += shares(hits[hits.index.get_level_values("label") == label], estimator)
    is_right = hits.index.get_level_values("label") == "right"
    return [*rows, *drops(hits[is_right], plain, DROP)], left_out
