"""How far a model has the answers to facts: their log p, and their ranks among its fillings."""

import numpy as np
import pandas as pd


def answer_ranks(scores: pd.DataFrame) -> pd.DataFrame:
    """The answers that could be read, a row each: item, model, value, pieces, rank, likeliest.

    `value` is log p in nats. `rank` is the answer's among all fillings of as many masks as it has
    pieces, from 1: of one piece among the vocabulary; of several among the fillings that the
    scoring pass searched (`measuring.reading.fillings`), infinite beyond them. It is NaN where an
    answer has no score. `likeliest` is log p of the likeliest filling; NaN for one piece, for which
    the table of fills has it.
    """
    columns = ["item", "model", "value", "rank"]
    answers = scores.loc[scores["measure"] == "logp", [*columns, "pieces"]]
    searched = scores.loc[scores["measure"] == "top_filling", columns]
    both = answers.merge(searched, on=["item", "model"], how="left", suffixes=("", "_searched"))
    likeliest = both["value_searched"].astype("float64")
    # A search without a rank ended before it came to the answer.
    beyond = both["rank_searched"].astype("float64").fillna(np.inf).where(likeliest.notna())
    rank = both["rank"].astype("float64").fillna(beyond)
    pieces = both["pieces"].astype("float64").fillna(1.0)
    kept = both[["item", "model", "value"]]
    return kept.assign(rank=rank, pieces=pieces, likeliest=likeliest)
