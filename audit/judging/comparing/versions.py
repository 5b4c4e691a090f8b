"""Two versions of a model on the same probes, estimated as a pair from stored scores.

The older model is not needed. Audits with newly drawn frames are judged in
`audit.history.sequential_audits`, a stream of versions in `audit.history.sequential`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed.association import Wanted
from maskaudit.audit.estimating.crossed.cells import CANDIDATE, REFERENCE
from maskaudit.audit.estimating.design import design
from maskaudit.audit.estimating.estimate import estimate, kept
from maskaudit.audit.judging.comparing.pairing import Pair, Version, paired, same_model
from maskaudit.audit.judging.comparing.repeat import RUN_FIELDS, differs, score_gaps
from maskaudit.audit.recording.parts import LeftOut
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.values import AT_MOST

# The largest share of the older version's scores that a newer one may be missing: the remaining
# scores may be the better part.
MOST_LOST = 0.05
_EXAMPLES = 5


@dataclass(frozen=True)
class Versions:
    """An older version of a model compared with a newer one, on the items that both were asked.

    `estimates` are those of a record with the older version as `reference` and the newer one as
    `candidate`; they use item scores only, so fills and distances of distributions are missing.
    `refused` gives, for each probe set that is not compared, what differs. `lost` counts the items
    that only one version could score, by `probe_set`, `version` ("old" or "new": the one that could
    not), `measure` and `status`. `lost_share` is, by probe set, the share (0 to 1) of the older
    version's scores that the newer one is missing. `left_out` are the cells that no estimate uses.
    `compared` is the number of scores that both have, and `largest` the largest absolute change
    among them, in the unit of its measure (infinite if their statuses differ). `adjust` is how the
    p values are adjusted.
    """

    old: str
    new: str
    estimates: pd.DataFrame
    refused: Mapping[str, str]
    lost: tuple[Mapping[str, Any], ...]
    lost_share: Mapping[str, float]
    left_out: tuple[LeftOut, ...]
    compared: int
    largest: float
    same_model: bool
    notes: tuple[str, ...]
    adjust: str


def versions(
    old: Version | Record,
    new: Version | Record,
    *,
    probe_sets: Collection[str] | None = None,
    wanted: Wanted = kept,
) -> Versions:
    """Compare an older version of a model with a newer one, from their stored scores.

    Differences are the newer version minus the older, as those of a candidate and its reference.
    An accepted baseline has no items of its own, so the other version's are used: their digests
    are equal. `probe_sets` restricts the comparison; None means all. Numbers that are not `wanted`
    may be left out, as in `estimate`. Raises `NotJudgedError`, with what differs, if no set can be
    compared.
    """
    pair = paired(old, new, probe_sets)
    manifest, items = pair.source.manifest, pair.source.items
    estimated = estimate(
        items[items["probe_set"].isin(pair.sets)].reset_index(drop=True),
        pair.scores(),
        [design(name, manifest.probe_sets[name], manifest.method) for name in pair.sets],
        seed=manifest.settings.seed,
        adjust=manifest.settings.adjust,
        wanted=wanted,
    )
    shared = pair.side_by_side[
        pair.side_by_side["value_old"].notna() & pair.side_by_side["value_new"].notna()
    ]
    # Never empty: `paired` raises if no item has a score in both versions.
    gap = score_gaps(shared)
    return Versions(
        old=pair.old.name,
        new=pair.new.name,
        estimates=estimated.estimates,
        refused=pair.refused,
        lost=tuple(_lost(pair)),
        lost_share=_share_lost(pair.side_by_side, items[items["probe_set"].isin(pair.sets)]),
        left_out=tuple(LeftOut.model_validate(cell) for cell in estimated.left_out),
        compared=len(shared),
        largest=float(gap.max()),
        same_model=same_model(pair.old, pair.new),
        notes=tuple(_notes(pair.old, pair.new)),
        adjust=manifest.settings.adjust,
    )


def lost_share(record: Record) -> dict[str, float]:
    """By probe set, the share (0 to 1) of the reference's scores that the candidate is missing."""
    scores = record.scores
    # In censored grade a word that could be scored has bounds, and its status is as good.
    scores = scores.assign(measure=scores["measure"].where(scores["measure"] != AT_MOST, "logp"))
    reference, candidate = (scores[scores["model"] == name] for name in (REFERENCE, CANDIDATE))
    # A left join: only what the reference has can be missing.
    side_by_side = reference.merge(
        candidate, on=["item", "measure"], how="left", suffixes=("_old", "_new")
    )
    return _share_lost(side_by_side, record.items)


def _share_lost(side_by_side: pd.DataFrame, items: pd.DataFrame) -> dict[str, float]:
    scored = side_by_side[np.isfinite(side_by_side["value_old"].astype("float64"))]
    # A measure without any row is one that the model cannot give. It has no estimate to judge, and
    # must not count against the others; an item that is lost has a row that says why.
    given = side_by_side.loc[side_by_side["status_new"].notna(), "measure"].unique()
    scored = scored[scored["measure"].isin(given)]
    lost = ~np.isfinite(scored["value_new"].astype("float64"))
    rows = scored.assign(lost=lost)[["item", "lost"]].merge(
        items[["probe_set", "item"]].drop_duplicates(), on="item"
    )
    return {
        str(name): float(share) for name, share in rows.groupby("probe_set")["lost"].mean().items()
    }


def _notes(old: Version, new: Version) -> Iterator[str]:
    """Yield what differs in no method key: how the models were run, and the maskaudit version."""
    for name in RUN_FIELDS:
        yield from differs(
            "how the model was run", name, getattr(old.model, name), getattr(new.model, name)
        )
    yield from differs("different software", "maskaudit", old.maskaudit, new.maskaudit)


def _lost(pair: Pair) -> Iterator[dict[str, Any]]:
    """Yield counts, with examples, of the items that only one version could score."""
    is_scored = pair.side_by_side[["value_old", "value_new"]].notna().to_numpy()
    only_one = is_scored[:, 0] != is_scored[:, 1]
    rows = pair.side_by_side[only_one].assign(
        version=np.where(is_scored[only_one, 0], "new", "old")
    )
    status = np.where(is_scored[only_one, 0], rows["status_new"], rows["status_old"])
    # An item without a row has no status either: that audit did not ask it.
    rows = rows.assign(status=pd.Series(status, index=rows.index).fillna("not_asked"))
    items = pair.source.items[["probe_set", "item", "target"]].drop_duplicates()
    rows = rows.merge(items[items["probe_set"].isin(pair.sets)], on="item")
    columns = ["probe_set", "version", "measure", "status"]
    for key, part in rows.groupby(columns):
        examples = sorted({str(target) for target in part["target"] if target})[:_EXAMPLES]
        yield {
            **dict(zip(columns, key, strict=True)),
            "items": int(part["item"].nunique()),
            "examples": examples,
        }
