"""What changed between two versions of a model, cell by cell."""

from itertools import combinations

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.pooling import CELL
from maskaudit.audit.judging.comparing.pairing import BOTH, Pair, Version, paired
from maskaudit.audit.recording.manifest import ProbeSetKey
from maskaudit.audit.recording.record import Record

LEAN = "lean"
CHANGES = [
    "probe_set",
    "groups",
    "class",
    "attribute",
    "frame",
    "number",
    "sentence",
    "sentences",
    "directed",
    "old",
    "new",
    "change",
    "worse",
]
# Of several scores of one sentence, the one whose changes are listed.
_LISTED = ("pll_word_l2r", "logp")


def changes(old: Version | Record, new: Version | Record) -> pd.DataFrame:
    """What changed between two versions, cell by cell, worst first: the columns `CHANGES`.

    A cell of a set with groups is its `lean`: the log-odds of two groups beyond those of the
    average attribute in the same frame, so that the leans' changes make up the change of the
    stereotype contrast; where frames belong to attributes it is the `log_odds` itself. A pair of
    sentences is the score of the stereotype less that of the other; a fact is the log p of each
    answer. All in nats, from one measure of several. `worse` is the change towards the stereotype
    where `directed`, else its absolute size. What one version lacks is not here but in `lost` of
    `versions`. Raises `NotJudgedError` as that does.
    """
    pair = paired(old, new)
    with np.errstate(invalid="ignore"):  # minus infinity less itself is unknown
        found = pd.concat([_of_probe_set(pair, name) for name in pair.sets], ignore_index=True)
    known = found[found["change"].notna()]
    places = ["probe_set", "groups", "attribute", "frame"]
    ascending = [False, *(True for _ in places)]
    return known.sort_values(["worse", *places], ascending=ascending, ignore_index=True)[CHANGES]


def _of_probe_set(pair: Pair, name: str) -> pd.DataFrame:
    """The changes of one set: a row a cell, a pair of sentences or an answer."""
    items = pair.source.items[pair.source.items["probe_set"] == name]
    texts = pair.source.contexts.drop_duplicates("context").set_index("context")["text"]
    items = items.assign(sentence=items["context"].map(texts).fillna(""))
    scores = pair.both[["item", "measure", "value_old", "value_new"]]
    present = items[["item"]].merge(scores.dropna(), on="item")["measure"].unique()
    measure = next((found for found in _LISTED if found in present), min(present))
    scored = items.merge(scores[scores["measure"] == measure], on="item", how="left")
    if items["kind"].iloc[0] == "association":
        found = _of_groups(scored, pair.source.manifest.probe_sets[name])
    elif {"stereotype", "anti"} <= set(items["label"]):
        found = _of_sides(scored, measure)
    else:
        found = _of_items(scored, measure)
    change = found["new"] - found["old"]
    sign = found.pop("sign")
    worse = change.abs().where(sign == 0, sign * change)
    return found.assign(probe_set=name, change=change, directed=sign != 0, worse=worse)


def _of_groups(scored: pd.DataFrame, described: ProbeSetKey) -> pd.DataFrame:
    """The leans of both versions between each two groups; `sign` is the stereotype's direction."""
    towards = described.contrast if described.expect == "lean" else None
    signs = dict(zip(towards or (), (1, -1), strict=False))
    by_cell = scored[scored["role"] != "prior"].groupby(CELL, sort=False)
    told = by_cell["sentence"].agg(sentence="first", sentences="nunique").reset_index()
    found = []
    for first, second in combinations(dict.fromkeys(scored["group"]), 2):
        cells = told
        for when in BOTH:
            values = LOG_ODDS.cells(scored.assign(value=scored[f"value_{when}"]), first, second)
            cells = cells.merge(values.rename(columns={"value": when}), on=CELL)
        found.append(_leans(cells).assign(groups=f"{first}/{second}"))
    return pd.concat(found).assign(sign=lambda own: own["class"].map(signs).fillna(0))


def _leans(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells that both have, less the mean of their frame's where it has several attributes."""
    known = cells[cells[[*BOTH]].notna().all(axis=1)]
    by_frame = known[known["role"] == "probe"].groupby("frame")
    several = known["frame"].map(by_frame["attribute"].nunique()) > 1
    for when in BOTH:
        mean = known["frame"].map(by_frame[when].mean())
        known = known.assign(**{when: known[when] - mean.where(several, 0.0)})
    return known.assign(number=np.where(several, LEAN, LOG_ODDS.name))


def _of_sides(scored: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Of each pair the score of the more stereotyping side less that of the other."""
    sides = scored[scored["label"].isin(["stereotype", "anti"])]
    sides = sides[~sides.duplicated(["pair", "label"], keep=False)]
    stereotype, anti = (
        sides[sides["label"] == label].set_index("pair") for label in ("stereotype", "anti")
    )
    gaps = {
        when: stereotype[f"value_{when}"] - anti[f"value_{when}"].reindex(stereotype.index)
        for when in BOTH
    }
    return stereotype.assign(**gaps, groups="", number=measure, sentences=1, sign=1).reset_index()


def _of_items(scored: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The score of every item as it is; which way would be worse is not known."""
    own = scored.drop_duplicates("item")
    return own.assign(
        attribute=own["target"],
        old=own["value_old"],
        new=own["value_new"],
        groups="",
        number=measure,
        sentences=1,
        sign=0,
    )
