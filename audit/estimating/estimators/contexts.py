"""What may be said of a context whose items differ: a context may serve several items."""

import pandas as pd

from maskaudit.probes.joined_frames import joined_frames


def only(items: pd.DataFrame, column: str) -> pd.Series:
    """The value that all items of a context share in a column of text; "" where they differ.

    Indexed by context, in order of appearance. With the attribute at the mask one context serves
    the attributes of every class, and so belongs to none.
    """
    values = items.groupby("context", sort=False)[column].agg(["first", "nunique"])
    return values["first"].where(values["nunique"] == 1, "").rename(column)


def clusters_of(items: pd.DataFrame) -> pd.Series:
    """The frame of each context, indexed by context in order of appearance; a text's document.

    Frames that share a context depend on each other: they make one cluster, which has the name of
    the first of them in sorted order.
    """
    if (items["kind"] == "text").all():
        return items.groupby("context", sort=False)["cluster"].first()
    first = items.groupby("context", sort=False)["frame"].first()
    return first.map(joined_frames(items))


def in_every_model(paired: pd.DataFrame, n_models: int) -> pd.DataFrame:
    """The rows of single contexts, and those of two contexts that every model has.

    All subjects are compared on the same joins.
    """
    join = ["context", "other_context", "joined", "measure"]
    by_join = paired.groupby(join, sort=False)["model"]
    return paired[(paired["other_context"] == "") | (by_join.transform("nunique") == n_models)]
