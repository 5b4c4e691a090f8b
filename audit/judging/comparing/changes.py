"""What changed between two versions of a model, cell by cell."""

from itertools import combinations

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.pooling import CELL
from maskaudit.audit.judging.comparing.pairing import SIDES, Pair, Version, paired
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
        cells = pd.concat([_of_probe_set(pair, name) for name in pair.sets], ignore_index=True)
    known = cells[cells["change"].notna()]
    # Cells that changed equally keep the same order, whatever the order of the scores.
    tie_breakers = ["probe_set", "groups", "attribute", "frame"]
    ascending = [False, *(True for _ in tie_breakers)]
    return known.sort_values(["worse", *tie_breakers], ascending=ascending, ignore_index=True)[
        CHANGES
    ]


def _of_probe_set(pair: Pair, name: str) -> pd.DataFrame:
    """The changes of one set: one row for each cell, pair of sentences or answer."""
    items = pair.source.items[pair.source.items["probe_set"] == name]
    texts = pair.source.contexts.drop_duplicates("context").set_index("context")["text"]
    items = items.assign(sentence=texts.reindex(items["context"], fill_value="").to_numpy())
    scores = pair.side_by_side[["item", "measure", "value_old", "value_new"]]
    present = items[["item"]].merge(scores.dropna(), on="item")["measure"].unique()
    # `min` for any that is always the same one: a set of names has no order.
    measure = next((listed for listed in _LISTED if listed in present), min(present))
    scored = items.merge(scores[scores["measure"] == measure], on="item", how="left")
    if items["kind"].iloc[0] == "association":
        cells = _of_groups(scored, pair.source.manifest.probe_sets[name])
    elif {"stereotype", "anti"} <= set(items["label"]):
        cells = _of_sides(scored, measure)
    else:
        cells = _of_items(scored, measure)
    change = cells["new"] - cells["old"]
    sign = cells.pop("sign")
    worse = change.abs().where(sign == 0, sign * change)
    return cells.assign(probe_set=name, change=change, directed=sign != 0, worse=worse)


def _of_groups(scored: pd.DataFrame, described: ProbeSetKey) -> pd.DataFrame:
    """The leans of both versions for each pair of groups; `sign` is the stereotype's direction."""
    groups = scored["group"].unique().tolist()
    # In a control no direction is harmful: its changes count by their size.
    towards = described if described.expect == "lean" else None
    # A person is shown the sentence that was asked: its prior, with two masks, says little.
    by_cell = scored[scored["role"] != "prior"].groupby(CELL, sort=False)
    sentences = by_cell["sentence"].agg(sentence="first", sentences="nunique").reset_index()
    leans = []
    for first, second in combinations(groups, 2):
        signs = _signs(towards, first, second, several=len(groups) > 2)  # noqa: PLR2004
        cells = sentences
        for side in SIDES:
            values = LOG_ODDS.cells(scored.assign(value=scored[f"value_{side}"]), first, second)
            cells = cells.merge(values.rename(columns={"value": side}), on=CELL)
        directed = _leans(cells).assign(groups=f"{first}/{second}")
        leans.append(directed.assign(sign=directed["class"].map(signs).fillna(0)))
    return pd.concat(leans)


def _signs(
    described: ProbeSetKey | None, first: str, second: str, *, several: bool
) -> dict[str, int]:
    """1 for the class that is stereotyped with the first group, -1 for that with the second."""
    groups = (first, second) if several else ()
    if described is None or not described.has_direction(groups):
        return {}
    if described.directions is None:
        return dict(zip(described.contrast or (), (1, -1), strict=False))
    sign = {first: 1, second: -1}
    return {name: sign[group] for name, group in described.directions.items() if group in sign}


def _leans(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells known in both versions, minus their frame's mean if it has several attributes."""
    known = cells[cells[[*SIDES]].notna().all(axis=1)]
    # Without the controls: neutral words have no part in the contrast, whose change these leans
    # have to add up to.
    by_frame = known[known["role"] == "probe"].groupby("frame")
    # With a single attribute the mean of the frame is the number itself, and would leave 0.
    several = known["frame"].map(by_frame["attribute"].nunique()) > 1
    for side in SIDES:
        mean = known["frame"].map(by_frame[side].mean())
        known = known.assign(**{side: known[side] - mean.where(several, 0.0)})
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
        side: stereotype[f"value_{side}"] - anti[f"value_{side}"].reindex(stereotype.index)
        for side in SIDES
    }
    return stereotype.assign(**gaps, groups="", number=measure, sentences=1, sign=1).reset_index()


def _of_items(scored: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The score of every item as it is, with `sign` 0: neither direction is known to be worse."""
    items = scored.drop_duplicates("item")
    return items.assign(
        attribute=items["target"],
        old=items["value_old"],
        new=items["value_new"],
        groups="",
        number=measure,
        sentences=1,
        sign=0,
    )
