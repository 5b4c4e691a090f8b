"""Two versions of a model, paired by item on the probes that both were asked."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from maskaudit.audit.errors import NotJudgedError
from maskaudit.audit.estimating.crossed.cells import CANDIDATE, REFERENCE
from maskaudit.audit.estimating.design import design
from maskaudit.audit.judging.comparing.repeat import MODEL_DIFFERENCES
from maskaudit.audit.recording.manifest import Identity, ProbeSetKey
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows import tables

SIDES = ("old", "new")
# The columns of a score that are paired: StereoSet's score needs `pieces`, accuracy needs `rank`.
SCORE = ["item", "measure", "value", "rank", "pieces", "status"]


@dataclass(frozen=True)
class Version:
    """One model as it was audited, with what is needed to pair it with another by item.

    `name` is for people. `model` is the identity of the candidate; `method` and `probe_sets` are
    those of its record's manifest. `scores` are the candidate's: the columns `SCORE`, values
    rounded to float32. `record` holds the items; it is None for an accepted baseline.
    """

    name: str
    model: Identity
    maskaudit: str
    method: Mapping[str, str]
    probe_sets: Mapping[str, ProbeSetKey]
    scores: pd.DataFrame
    record: Record | None = None


def version(record: Record) -> Version:
    """Return the candidate of a record as a version.

    Scores are rounded to float32, the precision of an accepted baseline. A model thus differs from
    its own baseline by exactly 0, and a verdict against a record equals that against its baseline.

    Raises `NotJudgedError` for a record in censored grade, which has bounds in place of scores.
    """
    if record.manifest.is_censored:
        raise NotJudgedError(
            f"{record.name}: is of an endpoint in censored grade, whose numbers are bounds: "
            "versions are compared by scores; judge it by a bound, or audit in exact grade"
        )
    scores = record.scores[record.scores["model"] == CANDIDATE]
    return Version(
        name=record.name,
        model=record.manifest.models[CANDIDATE],
        maskaudit=record.manifest.maskaudit,
        method=record.manifest.method,
        probe_sets=record.manifest.probe_sets,
        scores=rounded(scores[SCORE]),
        record=record,
    )


def rounded(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores with values rounded to float32, still of dtype float64."""
    # Back to float64, the dtype that a table of scores must have.
    return scores.assign(value=scores["value"].astype("float32").astype("float64"))


@dataclass(frozen=True)
class Pair:
    """Two versions, the sets on which they are compared, and their scores side by side.

    `side_by_side` has one row for each item and measure; a score that one version lacks is missing
    in that version's columns. `refused` gives by probe set what differs.
    """

    old: Version
    new: Version
    source: Record
    sets: list[str]
    refused: dict[str, str]
    side_by_side: pd.DataFrame

    def scores(self) -> pd.DataFrame:
        """The pair as a `scores` table: the older version is `reference`, the newer `candidate`."""
        frames = []
        for suffix, subject in zip(SIDES, (REFERENCE, CANDIDATE), strict=True):
            columns = {f"{name}_{suffix}": name for name in SCORE[2:]}
            side = self.side_by_side[[*SCORE[:2], *columns]].rename(columns=columns)
            frames.append(side[side["status"].notna()].assign(model=subject))
        scores = tables.table("scores", pd.concat(frames, ignore_index=True))
        # An infinite score would make any mean over it infinite, so it counts as missing.
        return scores.assign(value=scores["value"].where(np.isfinite(scores["value"])))


def paired(
    old: Version | Record, new: Version | Record, probe_sets: Collection[str] | None = None
) -> Pair:
    """Pair two versions by item, on the sets `probe_sets` (all if None).

    Raises `NotJudgedError` if neither version has a record or no probe set can be compared.
    """
    older, newer = (version(side) if isinstance(side, Record) else side for side in (old, new))
    # Either has the items: `_comparable` drops the sets whose items differ.
    source = newer.record or older.record
    if source is None:
        raise NotJudgedError(
            f"{older.name} and {newer.name}: both are accepted baselines, which contain scores but "
            "no sentences; give the record of one of them instead"
        )
    sets, refused = _comparable(older, newer, probe_sets)
    # An outer join: a score that one version lacks has to show as lost, and must not vanish.
    side_by_side = older.scores.merge(
        newer.scores, on=["item", "measure"], how="outer", suffixes=("_old", "_new")
    )
    # One item may serve several rows of a set, and must be paired once.
    items_of_sets = source.items[["probe_set", "item"]].drop_duplicates()
    shared = side_by_side.loc[
        side_by_side["value_old"].notna() & side_by_side["value_new"].notna(), ["item"]
    ]
    measured = items_of_sets.merge(shared, on="item")["probe_set"].unique()
    compared = [name for name in sets if name in measured]
    refused |= {
        name: "none of its items has a score in both versions"
        for name in sets
        if name not in compared
    }
    if not compared:
        raise NotJudgedError(_nothing_comparable(older, newer, refused))
    compared_items = items_of_sets.loc[
        items_of_sets["probe_set"].isin(compared), ["item"]
    ].drop_duplicates()
    return Pair(
        older, newer, source, compared, refused, side_by_side.merge(compared_items, on="item")
    )


def _comparable(
    old: Version, new: Version, probe_sets: Collection[str] | None
) -> tuple[list[str], dict[str, str]]:
    """Return the probe sets that both measured in the same way, and what differs in the others."""
    comparable, refused = [], {}
    for name in dict.fromkeys([*old.probe_sets, *new.probe_sets]):
        if probe_sets is not None and name not in probe_sets:
            continue
        if name in old.probe_sets and name in new.probe_sets:
            difference = "; ".join(_unlike(name, old, new))
        else:
            difference = f"only in the {'older' if name in old.probe_sets else 'newer'} audit"
        if difference:
            refused[name] = difference
        else:
            comparable.append(name)
    return comparable, refused


def _unlike(name: str, old: Version, new: Version) -> Iterator[str]:
    """Yield what differs in a set's method key, axis, expectation and items, not in the models."""
    parts = [side.probe_sets[name] for side in (old, new)]
    before, after = (
        design(name, part, side.method).method for part, side in zip(parts, (old, new), strict=True)
    )
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield f"{key}: {before.get(key) or 'none'}, then {after.get(key) or 'none'}"
    # Gates select sets by these, so a changed value must not silently take a set out of a gate.
    for key in ("axis", "expect"):
        if (was := getattr(parts[0], key)) != (now := getattr(parts[1], key)):
            yield f"{key}: {was}, then {now}"
    # The method key of a drawn set names its grammar's universe, not the draw: other frames show
    # in the digest alone.
    drawn = [part.grammar is not None for part in parts]
    digests = [part.items_digest for part in parts]
    if before["items"] == after["items"] and digests[0] != digests[1]:
        yield (
            "frames were drawn anew: see maskaudit history"
            if all(drawn)
            else f"items: {digests[0]:.12}, then {digests[1]:.12}"
        )


def _nothing_comparable(old: Version, new: Version, refused: Mapping[str, str]) -> str:
    """The message that nothing can be compared: each reason with the sets that it applies to."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in refused.items():
        by_reason.setdefault(reason, []).append(name)
    groups = [f"{', '.join(names)} ({reason})" for reason, names in by_reason.items()]
    remark = (
        "; the model is the same, but it was measured in another way"
        if same_model(old, new)
        else ""
    )
    reasons = "; ".join(groups) or "no probe set is selected"
    return f"{old.name} (older) and {new.name} (newer): nothing can be compared: {reasons}{remark}"


def same_model(old: Version, new: Version) -> bool:
    """Whether both versions have the same weights and the same tokenizer."""
    return all(getattr(old.model, name) == getattr(new.model, name) for name in MODEL_DIFFERENCES)
