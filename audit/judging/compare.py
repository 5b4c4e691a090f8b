"""Two audits side by side, paired by item: a repeat has the same scores, a version has changed.

Where models, probes and software are the same there is no hypothesis to test (`repeated`). Two
versions of a model on the same probes are estimated as a pair, without the older model
(`versions`), and held against each other cell by cell (`changes`). Frames that are drawn anew are
judged in `audit.history.sequential_audits`, a stream of versions in `audit.history.sequential`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from maskaudit.audit.errors import NotJudgedError
from maskaudit.audit.estimating.cells import CANDIDATE, REFERENCE
from maskaudit.audit.estimating.estimate import design, estimate
from maskaudit.audit.estimating.estimators import CORRECTED
from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.pooling import CELL
from maskaudit.audit.estimating.names import CONTRAST, LOG_MAGNITUDE_RATIO, as_trials
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.recording import tables
from maskaudit.audit.recording.manifest import Identity, LeftOut, Manifest, ProbeSetKey
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.slices import ALL

# Nats. The same sentence in a batch of another size differs by less; what differs by more was
# computed in another way.
TOLERANCE = 1e-5
IDENTICAL, WITHIN_TOLERANCE, CHANGED = "identical", "within tolerance", "changed"
# A version that lacks more of the older one's scores than this cannot be held against it: what is
# left may be the better part.
MOST_LOST = 0.05
NOTHING_COMPARED = "nothing compared"
_SCORE = ["model", "item", "measure"]
# Of a model's identity: what it is, and how it was run.
_WHAT = {"weights": "its weights differ", "tokenizer": "its tokenizer differs"}
_HOW = ("dtype", "device", "attention")
_BOTH = ("old", "new")
# What of a score is paired: stereoset's takes pieces, accuracy takes ranks.
SCORE = ["item", "measure", "value", "rank", "pieces", "status"]
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
_EXAMPLES = 5
# What two records say of a model or a probe set.
_Part = TypeVar("_Part", Identity, ProbeSetKey)


@dataclass(frozen=True)
class Repeat:
    """Whether the scores of one audit are those of another, wherever both asked the same.

    `differences` says what the two do not share, a line each; it is empty for a true repeat.
    `compared` counts scores. `largest` is the largest absolute difference of two of them in nats:
    infinite where only one audit could score, NaN where nothing was compared. Where it is not 0,
    `where` names the probe set, model, item and measure.
    """

    differences: tuple[str, ...]
    compared: int
    largest: float
    where: Mapping[str, str]

    @property
    def verdict(self) -> str:
        """`identical`, `within tolerance`, `changed` or `nothing compared`."""
        if self.compared == 0:
            return NOTHING_COMPARED
        if self.largest == 0:
            return IDENTICAL
        return WITHIN_TOLERANCE if self.largest <= TOLERANCE else CHANGED


def repeated(old: Record, new: Record) -> Repeat:
    """Hold the scores of two audits against each other, one by one.

    The same computation gives the same numbers: a difference beyond `TOLERANCE` means that
    something changed that the record does not name, such as the machine. Models and probe sets that
    are not the same are told and not compared; where the software is not the same, nothing is.
    """
    method = list(_method(old.manifest, new.manifest))
    models, other_models = _shared(old.manifest.models, new.manifest.models, _of_model)
    sets, other_sets = _shared(old.manifest.probe_sets, new.manifest.probe_sets, _of_set)
    chosen = [_scores(record, [] if method else models, sets) for record in (old, new)]
    both = chosen[0].merge(chosen[1], on=_SCORE, how="outer", suffixes=("_old", "_new"))
    gap = _gap(both)
    return Repeat(
        differences=(*method, *other_models, *other_sets),
        compared=len(both),
        largest=float(gap.max()) if len(gap) else np.nan,
        where=_place(both.iloc[int(gap.argmax())], old.items, sets) if gap.any() else {},
    )


def _method(old: Manifest, new: Manifest) -> Iterator[str]:
    """What of the software differs, which makes every number one of another method."""
    before, after = ({**one.method, "maskaudit": one.maskaudit} for one in (old, new))
    for name in sorted({*before, *after}):
        yield from _told("other method", name, before.get(name), after.get(name))


def _of_model(subject: str, old: Identity, new: Identity) -> Iterator[str]:
    differ = [told for name, told in _WHAT.items() if getattr(old, name) != getattr(new, name)]
    if differ:
        yield f"{subject}: another model version ({', '.join(differ)})"
    for name in _HOW:
        yield from _told(f"{subject}: other method", name, getattr(old, name), getattr(new, name))


def _of_set(name: str, old: ProbeSetKey, new: ProbeSetKey) -> Iterator[str]:
    if old.items_digest != new.items_digest:
        universes = [one.grammar.universe if one.grammar else "" for one in (old, new)]
        same = universes[0] == universes[1] != ""
        yield f"{name}: other probes ({'frames were drawn anew' if same else 'its items differ'})"


def _told(what: str, name: str, old: object, new: object) -> Iterator[str]:
    if old != new:
        yield f"{what} ({name}: {old or 'none'}, then {new or 'none'})"


def _shared(
    old: Mapping[str, _Part],
    new: Mapping[str, _Part],
    differences: Callable[[str, _Part, _Part], Iterator[str]],
) -> tuple[list[str], list[str]]:
    """The names of what is the same in both audits, and what is to be said of the others."""
    told: dict[str, list[str]] = {}
    for name in dict.fromkeys([*old, *new]):
        if name in old and name in new:
            told[name] = list(differences(name, old[name], new[name]))
        else:
            told[name] = [f"{name}: only in the {'older' if name in old else 'newer'} audit"]
    same = [name for name, lines in told.items() if not lines]
    return same, [line for lines in told.values() for line in lines]


def _scores(record: Record, models: Sequence[str], sets: Sequence[str]) -> pd.DataFrame:
    items = record.items.loc[record.items["probe_set"].isin(sets), "item"]
    chosen = record.scores["model"].isin(models) & record.scores["item"].isin(items)
    return record.scores.loc[chosen, [*_SCORE, "value", "status"]]


def _gap(both: pd.DataFrame) -> Cells:
    """Absolute difference of each score; infinite where one audit lost it or lost it otherwise."""
    old, new = (both[f"value_{when}"].to_numpy(dtype=float) for when in ("old", "new"))
    same = (np.isnan(old) & np.isnan(new)) | (old == new)  # minus infinity less itself is unknown
    gap = np.abs(np.subtract(new, old, out=np.zeros(len(both)), where=~same))
    lost = (both["status_old"] != both["status_new"]).to_numpy(dtype=bool)
    found: Cells = np.where(np.isnan(gap) | lost, np.inf, gap)
    return found


def _place(score: pd.Series, items: pd.DataFrame, sets: Sequence[str]) -> dict[str, str]:
    used = items.loc[items["item"] == score["item"], "probe_set"]
    probe_set = next((str(name) for name in used if name in sets), "")
    return {"probe_set": probe_set, **{name: str(score[name]) for name in _SCORE}}


@dataclass(frozen=True)
class Version:
    """One model as it was audited: what it takes to pair it with another by item.

    `name` is for people. `model` is the identity of the candidate; `method` and `probe_sets` are as
    the manifest of its record has them. `scores` are the candidate's: the columns `SCORE`, values
    rounded to float32. `record` holds the items; an accepted baseline has none.
    """

    name: str
    model: Identity
    maskaudit: str
    method: Mapping[str, str]
    probe_sets: Mapping[str, ProbeSetKey]
    scores: pd.DataFrame
    record: Record | None = None


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


def version(record: Record) -> Version:
    """The candidate of a record as one of two versions.

    Scores are rounded to float32, as an accepted baseline keeps them: so a model differs from its
    own baseline by exactly 0, and a verdict against a record is the verdict against its baseline.
    """
    own = record.scores[record.scores["model"] == CANDIDATE]
    return Version(
        name=record.name,
        model=record.manifest.models[CANDIDATE],
        maskaudit=record.manifest.maskaudit,
        method=record.manifest.method,
        probe_sets=record.manifest.probe_sets,
        scores=rounded(own[SCORE]),
        record=record,
    )


def rounded(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores with values as float32 can hold them, still of the type float64."""
    return scores.assign(value=scores["value"].astype("float32").astype("float64"))


def versions(
    old: Version | Record, new: Version | Record, *, probe_sets: Collection[str] | None = None
) -> Versions:
    """Estimate an older version of a model against a newer one from the scores that are stored.

    Positive differences are of the newer one, as those of a candidate are. Where one of the two is
    an accepted baseline, the other's items are taken: they are the same by their digest.
    `probe_sets` are those to look at, all where none are named. Raises `NotJudgedError` where none
    can be compared, and says what differs.
    """
    pair = _pair(old, new, probe_sets)
    manifest, items = pair.source.manifest, pair.source.items
    estimated = estimate(
        items[items["probe_set"].isin(pair.sets)].reset_index(drop=True),
        pair.scores(),
        [design(name, manifest.probe_sets[name], manifest.method) for name in pair.sets],
        seed=manifest.settings.seed,
        adjust=manifest.settings.adjust,
    )
    shared = pair.both[pair.both["value_old"].notna() & pair.both["value_new"].notna()]
    gap = _gap(shared)
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
        same_model=_same(pair.old, pair.new),
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
    pair = _pair(old, new)
    with np.errstate(invalid="ignore"):  # minus infinity less itself is unknown
        found = pd.concat([_of_probe_set(pair, name) for name in pair.sets], ignore_index=True)
    known = found[found["change"].notna()]
    places = ["probe_set", "groups", "attribute", "frame"]
    ascending = [False, *(True for _ in places)]
    return known.sort_values(["worse", *places], ascending=ascending, ignore_index=True)[CHANGES]


def headline(estimates: pd.DataFrame, subject: str) -> pd.DataFrame:
    """The rows that say first what a subject shows: contrasts, elsewhere the numbers of all items.

    For the difference also the log ratio of the magnitudes, which is a number of both models.
    """
    chosen = []
    for _, own in estimates.groupby("probe_set", sort=False):
        contrasts = (own["subject"] == subject) & (own["estimator"] == CONTRAST)
        if contrasts.any():
            ratio = (own["estimator"] == LOG_MAGNITUDE_RATIO) & (subject == "difference")
            chosen.append(own[contrasts | ratio])
        else:
            whole = (own["slice"] == str(ALL)) & (own["mode"] == CORRECTED) & own["low"].notna()
            beside = own["estimator"].map(as_trials).astype(bool)
            chosen.append(own[(own["subject"] == subject) & whole & ~beside])
    return pd.concat(chosen) if chosen else estimates.iloc[:0]


@dataclass(frozen=True)
class _Pair:
    """Two versions, the sets on which they are compared, and their scores side by side.

    `both` has a row an item and measure; what one lacks is missing in its columns.
    """

    old: Version
    new: Version
    source: Record
    sets: list[str]
    refused: dict[str, str]
    both: pd.DataFrame

    def scores(self) -> pd.DataFrame:
        """As the table of that name: the older version is `reference`, the newer `candidate`."""
        own = []
        for when, subject in zip(_BOTH, (REFERENCE, CANDIDATE), strict=True):
            columns = {f"{name}_{when}": name for name in SCORE[2:]}
            side = self.both[[*SCORE[:2], *columns]].rename(columns=columns)
            own.append(side[side["status"].notna()].assign(model=subject))
        whole = tables.table("scores", pd.concat(own, ignore_index=True))
        # No estimate can be made of an infinite score; it is as one that is missing.
        return whole.assign(value=whole["value"].where(np.isfinite(whole["value"])))


def _pair(
    old: Version | Record, new: Version | Record, wanted: Collection[str] | None = None
) -> _Pair:
    """Pair two versions by item, or say why that cannot be done."""
    one, other = (version(side) if isinstance(side, Record) else side for side in (old, new))
    source = other.record or one.record
    if source is None:
        raise NotJudgedError(
            f"{one.name} and {other.name}: both are accepted baselines, which hold scores and no "
            "sentences; name the record of one of them"
        )
    sets, refused = _comparable(one, other, wanted)
    both = one.scores.merge(
        other.scores, on=["item", "measure"], how="outer", suffixes=("_old", "_new")
    )
    places = source.items[["probe_set", "item"]].drop_duplicates()
    shared = both.loc[both["value_old"].notna() & both["value_new"].notna(), ["item"]]
    measured = places.merge(shared, on="item")["probe_set"].unique()
    kept = [name for name in sets if name in measured]
    refused |= {name: "no item of it has a score in both" for name in sets if name not in kept}
    if not kept:
        raise NotJudgedError(_nothing(one, other, refused))
    asked = places.loc[places["probe_set"].isin(kept), ["item"]].drop_duplicates()
    return _Pair(one, other, source, kept, refused, both.merge(asked, on="item"))


def _comparable(
    old: Version, new: Version, wanted: Collection[str] | None
) -> tuple[list[str], dict[str, str]]:
    """The probe sets that were measured in the same way, and what differs in the others."""
    same, refused = [], {}
    for name in dict.fromkeys([*old.probe_sets, *new.probe_sets]):
        if wanted is not None and name not in wanted:
            continue
        if name in old.probe_sets and name in new.probe_sets:
            differ = "; ".join(_unlike(name, old, new))
        else:
            differ = f"only in the {'older' if name in old.probe_sets else 'newer'} audit"
        if differ:
            refused[name] = differ
        else:
            same.append(name)
    return same, refused


def _unlike(name: str, old: Version, new: Version) -> Iterator[str]:
    """What differs in the method key of a set; the models' identities are not in it."""
    parts = [side.probe_sets[name] for side in (old, new)]
    before, after = (
        design(name, part, side.method).method for part, side in zip(parts, (old, new), strict=True)
    )
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield f"{key}: {before.get(key) or 'none'}, then {after.get(key) or 'none'}"
    # By these a set is selected and tested: a new word for them must not take it out of a gate.
    for key in ("axis", "expect"):
        if (was := getattr(parts[0], key)) != (now := getattr(parts[1], key)):
            yield f"{key}: {was}, then {now}"
    drawn = [part.grammar is not None for part in parts]
    digests = [part.items_digest for part in parts]
    if before["items"] == after["items"] and digests[0] != digests[1]:
        yield (
            "frames were drawn anew: see maskaudit history"
            if all(drawn)
            else f"items: {digests[0]:.12}, then {digests[1]:.12}"
        )


def _nothing(old: Version, new: Version, refused: Mapping[str, str]) -> str:
    """Why nothing is compared: each reason, and the sets that it is true of."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in refused.items():
        by_reason.setdefault(reason, []).append(name)
    told = [f"{', '.join(names)} ({reason})" for reason, names in by_reason.items()]
    same = "; the model is the same, only how it was measured differs" if _same(old, new) else ""
    why = "; ".join(told) or "no probe set is asked for"
    return f"{old.name}, then {new.name}: nothing can be compared: {why}{same}"


def _same(old: Version, new: Version) -> bool:
    return all(getattr(old.model, name) == getattr(new.model, name) for name in _WHAT)


def _notes(old: Version, new: Version) -> Iterator[str]:
    """What differs beside the models and is in no method key: how they were run, and by what."""
    for name in _HOW:
        yield from _told(
            "how the model was run", name, getattr(old.model, name), getattr(new.model, name)
        )
    yield from _told("other software", "maskaudit", old.maskaudit, new.maskaudit)


def _lost(pair: _Pair) -> Iterator[dict[str, Any]]:
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


def _of_probe_set(pair: _Pair, name: str) -> pd.DataFrame:
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
        for when in _BOTH:
            values = LOG_ODDS.cells(scored.assign(value=scored[f"value_{when}"]), first, second)
            cells = cells.merge(values.rename(columns={"value": when}), on=CELL)
        found.append(_leans(cells).assign(groups=f"{first}/{second}"))
    return pd.concat(found).assign(sign=lambda own: own["class"].map(signs).fillna(0))


def _leans(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells that both have, less the mean of their frame's where it has several attributes."""
    known = cells[cells[[*_BOTH]].notna().all(axis=1)]
    by_frame = known[known["role"] == "probe"].groupby("frame")
    several = known["frame"].map(by_frame["attribute"].nunique()) > 1
    for when in _BOTH:
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
        for when in _BOTH
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
