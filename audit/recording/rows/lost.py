"""The items without a score, counted by why, as the manifest lists them."""

import pandas as pd

from maskaudit.audit.recording.parts import Lost

_EXAMPLES = 5


def lost(items: pd.DataFrame, scores: pd.DataFrame) -> list[Lost]:
    """Counts of items without a score by probe set, model, group and reason, with examples."""
    failed = scores[scores["status"] != "ok"][["item", "model", "status"]]
    # An item may serve several rows of the set: count it once in each group.
    rows = items.merge(failed, on="item").drop_duplicates(["probe_set", "model", "item", "group"])
    by = ["probe_set", "model", "group", "status"]
    return [
        Lost(
            **dict(zip(by, map(str, key), strict=True)),
            items=len(group_rows),
            examples=sorted(group_rows["target"].unique())[:_EXAMPLES],
        )
        for key, group_rows in rows.groupby(by, sort=False)
    ]
