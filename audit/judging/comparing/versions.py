"""Two versions of a model on the same probes, estimated as a pair, without the older model.

Frames that are drawn anew are judged in `audit.history.sequential_audits`, a stream of versions in
`audit.history.sequential`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.cells import CANDIDATE, REFERENCE
from maskaudit.audit.estimating.estimate import design, estimate
from maskaudit.audit.judging.comparing.pairing import Pair, Version, paired, same_model
from maskaudit.audit.judging.comparing.repeat import HOW, differs, score_gaps
from maskaudit.audit.recording.manifest import LeftOut
from maskaudit.audit.recording.record import Record

# A version that lacks more of the older one's scores than this cannot be held against it: what is
# left may be the better part.
MOST_LOST = 0.05
_EXAMPLES = 5


@dataclass(frozen=True)
class Versions:
    """An older version of a model against a newer one, on the items that both were asked.

    `estimates` are those of a record whose `reference` is the older version and whose `candidate`
    is the newer one; only of item scores, so without fills and distances of distributions.
    `refused` says of each probe set that is not compared what differs. `lost` counts the items that
    one version alone could score, by `probe_set`, `version` ("old" or "new": the one that could
    not), `measure` and `status`; `lost_share` is by probe set the share of the older version's
    scores that the newer one lacks; `left_out` are the cells that no estimate used. `largest` is
    the largest change of a score, in the unit of its measure, of the `compared` that both have.
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


def versions(
    old: Version | Record, new: Version | Record, *, probe_sets: Collection[str] | None = None
) -> Versions:
    """Estimate an older version of a model against a newer one from the scores that are stored.

    Positive differences are of the newer one, as those of a candidate are. Where one of the two is
    an accepted baseline, the other's items are taken: they are the same by their digest.
    `probe_sets` are those to look at, all where none are named. Raises `NotJudgedError` where none
    can be compared, and says what differs.
    """
    pair = paired(old, new, probe_sets)
    manifest, items = pair.source.manifest, pair.source.items
    estimated = estimate(
        items[items["probe_set"].isin(pair.sets)].reset_index(drop=True),
        pair.scores(),
        [design(name, manifest.probe_sets[name], manifest.method) for name in pair.sets],
        seed=manifest.settings.seed,
        adjust=manifest.settings.adjust,
    )
    shared = pair.both[pair.both["value_old"].notna() & pair.both["value_new"].notna()]
    gap = score_gaps(shared)
    return Versions(
        old=pair.old.name,
        new=pair.new.name,
        estimates=estimated.estimates,
        refused=pair.refused,
        lost=tuple(_lost(pair)),
        lost_share=_share_lost(pair.both, items[items["probe_set"].isin(pair.sets)]),
        left_out=tuple(LeftOut.model_validate(cell) for cell in estimated.left_out),
        compared=len(shared),
        largest=float(gap.max()),
        same_model=same_model(pair.old, pair.new),
        notes=tuple(_notes(pair.old, pair.new)),
    )


def lost_share(record: Record) -> dict[str, float]:
    """By probe set, the share of the reference's scores that the candidate of a record lacks."""
    by_model = dict(list(record.scores.groupby("model")))
    both = by_model[REFERENCE].merge(
        by_model[CANDIDATE], on=["item", "measure"], how="left", suffixes=("_old", "_new")
    )
    return _share_lost(both, record.items)


def _share_lost(both: pd.DataFrame, items: pd.DataFrame) -> dict[str, float]:
    known = both[np.isfinite(both["value_old"].astype("float64"))]
    lost = ~np.isfinite(known["value_new"].astype("float64"))
    rows = known.assign(lost=lost)[["item", "lost"]].merge(
        items[["probe_set", "item"]].drop_duplicates(), on="item"
    )
    return {
        str(name): float(part) for name, part in rows.groupby("probe_set")["lost"].mean().items()
    }


def _notes(old: Version, new: Version) -> Iterator[str]:
    """What differs beside the models and is in no method key: how they were run, and by what."""
    for name in HOW:
        yield from differs(
            "how the model was run", name, getattr(old.model, name), getattr(new.model, name)
        )
    yield from differs("other software", "maskaudit", old.maskaudit, new.maskaudit)


def _lost(pair: Pair) -> Iterator[dict[str, Any]]:
    """What only one version could score, counted, with examples."""
    known = pair.both[["value_old", "value_new"]].notna().to_numpy()
    alone = known[:, 0] != known[:, 1]
    rows = pair.both[alone].assign(version=np.where(known[alone, 0], "new", "old"))
    status = np.where(known[alone, 0], rows["status_new"], rows["status_old"])
    rows = rows.assign(status=pd.Series(status, index=rows.index).fillna("not_asked"))
    items = pair.source.items[["probe_set", "item", "target"]].drop_duplicates()
    rows = rows.merge(items[items["probe_set"].isin(pair.sets)], on="item")
    by = ["probe_set", "version", "measure", "status"]
    for key, part in rows.groupby(by):
        examples = sorted({str(target) for target in part["target"] if target})[:_EXAMPLES]
        yield {
            **dict(zip(by, key, strict=True)),
            "items": int(part["item"].nunique()),
            "examples": examples,
        }
