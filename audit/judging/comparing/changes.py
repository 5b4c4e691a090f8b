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
# If a sentence has several scores, the first of these that exists is listed.
_LISTED = ("pll_word_l2r", "logp")


def changes(old: Version | Record, new: Version | Record) -> pd.DataFrame:
    """Return what changed between two versions, cell by cell, worst first: the columns `CHANGES`.

    In a set with groups a cell's number is its `lean`: the log-odds of two groups minus those of
    the average attribute in the same frame, so that the changes of the leans make up the change of
    the stereotype contrast; where frames belong to attributes it is the `log_odds` itself. For a
    pair of sentences it is the score of the stereotype minus that of the other; for a fact, the
    log p of each answer. All are in nats. If there are several measures, only one is listed.
    `worse` is the change towards the stereotype if `directed`, else its absolute size. Items that
    only one version could score are in `Versions.lost` instead. Raises `NotJudgedError` if no probe
    set can be compared.
    """
    pair = paired(old, new)
    with np.errstate(invalid="ignore"):  # -inf minus -inf is NaN
        found = pd.concat([_of_probe_set(pair, name) for name in pair.sets], ignore_index=True)
    known = found[found["change"].notna()]
    places = ["probe_set", "groups", "attribute", "frame"]
    ascending = [False, *(True for _ in places)]
    return known.sort_values(["worse", *places], ascending=ascending, ignore_index=True)[CHANGES]


def _of_probe_set(pair: Pair, name: str) -> pd.DataFrame:
    """The changes of one set: one row for each cell, pair of sentences or answer."""
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
    """The leans of both versions for each pair of groups; `sign` is the stereotype's direction."""
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
    """The cells known in both versions, minus their frame's mean if it has several attributes."""
    known = cells[cells[[*BOTH]].notna().all(axis=1)]
    by_frame = known[known["role"] == "probe"].groupby("frame")
    several = known["frame"].map(by_frame["attribute"].nunique()) > 1
    for when in BOTH:
        mean = known["frame"].map(by_frame[when].mean())
        known = known.assign(**{when: known[when] - mean.where(several, 0.0)})
    return known.assign(number=np.where(several, LEAN, LOG_ODDS.name))


def _of_sides(scored: pd.DataFrame, measure: str) -> pd.DataFrame:
    """For each pair, the score of the more stereotyping side minus that of the other."""
    sides = scored[scored["label"].isin(["stereotype", "anti"])]
    # A side that occurs twice in its pair is ambiguous: both of its rows are dropped.
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
    """The score of every item as it is, with `sign` 0: neither direction is known to be worse."""
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
