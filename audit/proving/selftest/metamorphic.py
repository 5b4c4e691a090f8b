"""What must not change when nothing that matters does, and what must change by a known amount."""

import json
import struct
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.cells import DIFFERENCE, RELATION
from maskaudit.audit.estimating.estimate import Design, estimate
from maskaudit.audit.estimating.names import (
    ASSOCIATION,
    CONTRAST,
    CORRELATION,
    FLIPS,
    LOG_KAPPA,
    LOG_MAGNITUDE_RATIO,
    MAGNITUDE,
    SIGN_CHANGES,
    SLOPE,
)
from maskaudit.audit.estimating.numbers import every
from maskaudit.audit.estimating.statistics.anova import mean_interval
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.scoring import Scored
from maskaudit.audit.phantom import truth as known
from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.selftest.check import near, numbers, stages
from maskaudit.audit.proving.selftest.ground import SEED
from maskaudit.audit.proving.selftest.wrapped import OneByOne
from maskaudit.audit.recording import slices
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import parse, shipped
from maskaudit.probes.schema import ProbeSet
from maskaudit.probes.sentence import MASK

WEIGHTS = "model.safetensors"
# The set on which the exact checks run: it has a prior, two classes and two groups of one term.
EXACT_SET = "religion-trait"
# What has a direction, in nats; what is a square of that; all else has neither.
EFFECTS = {entry.name for entry in every() if entry.is_directed and entry.power == 1}
SQUARES = {entry.name for entry in every() if entry.power == 2}  # noqa: PLR2004 - a square
KEY = ["slice", "estimator", "mode", "subject"]
COLUMNS = ["estimate", "low", "high", "std_error"]
# A sum in another order; and a forward pass in another batch, in nats.
ROUNDING, NUMERIC = 1e-9, 1e-5
FACTOR = 2.5
BATCH = 64


@dataclass(frozen=True)
class Measured:
    """A set, what two models gave on it, and what was estimated."""

    part: Expanded
    scored: Scored
    estimates: pd.DataFrame

    @classmethod
    def of(cls, part: Expanded, pair: Sequence[MaskedLM], progress: Progress) -> "Measured":
        """Score and estimate."""
        scored = scoring.score_all([part], pair, progress)
        return cls(part, scored, estimated(part, scored.scores, scored.paired))


def checks(progress: Progress, *, full: bool = False) -> Iterator[Check]:
    """A model against itself, and swapped groups; with `full` all else that should not matter."""
    yield from _against_itself(progress, full=full)
    yield from _swapped(progress, full=full)
    if full:
        yield from _unchanged(progress)


def _against_itself(progress: Progress, *, full: bool) -> Iterator[Check]:
    """A model and its tensors in another folder and order: no difference, not even a small one."""
    part = exact_set()
    with tempfile.TemporaryDirectory() as scratch:
        copy = copy_reordered(known.TEACHER, Path(scratch) / "copy")
        pair = [load(str(known.TEACHER)), load(str(copy))]
    own = Measured.of(part, pair, progress)
    same_weights = pair[0].identity.weights == pair[1].identity.weights
    differ = pair[0].identity.files[WEIGHTS] != pair[1].identity.files[WEIGHTS]
    found = "as expected" if same_weights and differ else "not so"
    name, expected = "itself: another file, the same tensors", "equal tensors, unequal files"
    yield Check(name, same_weights and differ, found, expected)
    rows = own.estimates[own.estimates["subject"] == DIFFERENCE]
    worst = float(rows[["estimate", "low", "high"]].abs().max().max())
    yield Check("itself: every difference", worst == 0.0, f"largest {worst}", "exactly 0")
    values = own.scored.paired.groupby("measure")["value"].agg(["min", "max"])
    wanted = {"kl": 0.0, "jsd": 0.0, "top1": 1.0, "agreement@10": 1.0}
    for measure, value in wanted.items():
        yield _exactly(f"itself: {measure}", values.loc[measure].to_numpy(dtype=float), value)
    if full:
        yield from _inherited_whole(own.estimates)


def _inherited_whole(estimates: pd.DataFrame) -> Iterator[Check]:
    """A model inherits all of its own leans, and no more."""
    wanted = {SLOPE: 1.0, CORRELATION: 1.0, LOG_KAPPA: 0.0, LOG_MAGNITUDE_RATIO: 0.0}
    for name, value in wanted.items():
        yield _exactly(f"itself: {name}", numbers(estimates, name, RELATION), value)
    for name in (FLIPS, SIGN_CHANGES):
        yield _exactly(f"itself: {name}", numbers(estimates, name, RELATION)[:1], 0.0)


def _swapped(progress: Progress, *, full: bool) -> Iterator[Check]:
    """With the labels of the two groups swapped, signed effects are negated, all else is not."""
    part = exact_set()
    folders = [known.TEACHER, known.STUDENT] if full else [known.STUDENT]
    scored = scoring.score_all([part], [load(str(path)) for path in folders], progress)
    paired = scored.paired if full else None
    ours, theirs = (
        estimated(one, scored.scores, paired).set_index(KEY) for one in (part, swapped(part))
    )
    complete = set(ours.index) == set(theirs.index)
    theirs = theirs.reindex(ours.index)
    signed = ours.index.get_level_values("estimator").isin(EFFECTS)
    negated = theirs[signed][["estimate", "high", "low"]].to_numpy()
    sums = float((ours[signed][["estimate", "low", "high"]] + negated).abs().max().max())
    known_alike = bool((ours["estimate"].isna() == theirs["estimate"].isna()).all())
    passed = complete and known_alike and sums == 0
    yield Check("swapped groups: signed effects", passed, f"largest sum {sums}", "negated")
    changes = largest_change(ours[~signed].reset_index(), theirs[~signed].reset_index())
    name = "swapped groups: what has no sign"
    yield Check(name, changes == 0, f"largest change {changes}", "unchanged")


def _unchanged(progress: Progress) -> Iterator[Check]:
    """All that should not matter, done to a set and to the two bundled models."""
    part = exact_set()
    pair = [load(str(path)) for path in (known.TEACHER, known.STUDENT)]
    runs = [
        *("as it is", "in another order", "sentences one by one"),
        "a constant added to all logits",
    ]
    told = stages(progress, "metamorphic", runs)
    before = Measured.of(part, pair, told["as it is"])
    yield from _of_scoring(before, pair, told)
    yield from _of_estimating(before)
    yield from _of_the_set(before)
    yield from _of_nothing(before)


def _of_scoring(
    before: Measured, pair: Sequence[MaskedLM], told: dict[str, Progress]
) -> Iterator[Check]:
    """The order of the probes, the batch, padding, and a constant that every logit gains."""
    part = before.part
    same = _same_as(before)
    after = Measured.of(shuffled(part), pair, told["in another order"])
    yield same("probes in another order", after.estimates, 0.0)
    ours = _log_p(before.scored.scores)
    reference = ours.xs("reference", level="model")
    yield _alike("log p of sentences in padded batches", reference, padded(known.TEACHER, part))
    others: dict[str, Sequence[MaskedLM]] = {
        "sentences one by one": [OneByOne(model) for model in pair],
        "a constant added to all logits": [
            with_constant(path) for path in (known.TEACHER, known.STUDENT)
        ],
    }
    for name, models_ in others.items():
        after = Measured.of(part, models_, told[name])
        yield _alike(f"log p, {name}", ours, _log_p(after.scored.scores))
        # In nats; a ratio of two near zero may move by more than what it is made of.
        one, other = (
            own.estimates[own.estimates["estimator"].isin(EFFECTS)] for own in (before, after)
        )
        yield near(f"unchanged: effects, {name}", largest_change(one, other), 0.0, NUMERIC)


def _log_p(scores: pd.DataFrame) -> pd.Series:
    own = scores[scores["measure"] == "logp"]
    return own.set_index(["item", "model"])["value"]


def _alike(what: str, ours: pd.Series, theirs: pd.Series) -> Check:
    """Whether two measurements of the same are the same, in nats; none may be missing."""
    worst = float((ours - theirs.reindex(ours.index)).abs().max(skipna=False))
    return near(f"unchanged: {what}", worst, 0.0, NUMERIC)


def _of_estimating(before: Measured) -> Iterator[Check]:
    """Groups of the same terms, and scores on another scale."""
    part, scores = before.part, before.scored.scores
    alike = estimated(of_identical_groups(part), scores)
    models_ = alike["subject"] != RELATION
    effects = alike[models_ & alike["estimator"].isin(EFFECTS | {ASSOCIATION, MAGNITUDE})]
    worst = float(effects[["estimate", "low", "high"]].abs().max().max())
    yield Check("identical groups: effects", worst == 0, f"largest {worst}", "exactly 0")
    _, low, high = numbers(alike, CONTRAST, DIFFERENCE, slices.CONTRAST)
    inside = low <= 0 <= high
    yield Check("identical groups: interval", inside, f"{low:g} to {high:g}", "0 inside")
    row = alike[alike["estimator"] == SLOPE]
    unknown = row["estimate"].isna().all() and set(row["flag"]) == {"not_estimable"}
    found = ", ".join(f"{value:g}" for value in row["estimate"])
    yield Check("identical groups: slope of nothing", bool(unknown), found, "not estimable")
    logp = scores["value"].where(scores["measure"] != "logp", FACTOR * scores["value"])
    plain = estimated(part, scores)
    scaled = estimated(part, scores.assign(value=logp))
    change = largest_change(rescaled(plain, FACTOR), scaled)
    yield near(f"scores times {FACTOR:g}: effects, kappa", change, 0.0, ROUNDING)
    change = largest_change(plain, scaled, ["p"])
    yield near(f"scores times {FACTOR:g}: p", change, 0.0, ROUNDING)


def _of_the_set(before: Measured) -> Iterator[Check]:
    """Frames told twice, and frames by another name."""
    raw = exact_raw()
    scored = before.scored
    probe_set = _parsed(raw)
    twice = [f.model_copy(update={"variants": [*f.variants, *f.texts]}) for f in probe_set.frames]
    part = expand(probe_set.model_copy(update={"frames": twice}))
    same = _same_as(before)
    again = estimated(part, scored.scores, scored.paired)
    yield same("every frame a variant of itself", again, ROUNDING)
    another = {**raw, "frames": [*raw["frames"], {**raw["frames"][0], "id": "again"}]}
    yield refused("a frame told twice", lambda: _parsed(another))
    frames = [{**f, "id": f"n{len(raw['frames']) - i}"} for i, f in enumerate(raw["frames"])]
    part = expand(_parsed({**raw, "frames": frames}))
    renamed = estimated(part, scored.scores, scored.paired)
    yield same("frames by another name", renamed, ROUNDING)
    digests = part.digest, before.part.digest
    shown = [digest[:12] for digest in digests]
    yield Check("frames by another name: digest", digests[0] == digests[1], *shown)


def _of_nothing(before: Measured) -> Iterator[Check]:
    """What is empty is an error, or unknown; it is never 0."""
    raw = exact_raw()
    [name, *_] = raw["classes"]
    classes = {**raw["classes"], name: {**raw["classes"][name], "attributes": []}}
    without = {**raw, "classes": classes}
    yield refused("a class without attributes", lambda: _parsed(without))
    yield refused("the mean of no cells", lambda: mean_interval(np.empty((0, 20))))
    part, scores = before.part, before.scored.scores
    lost = part.items.loc[part.items["class"] == name, "item"]
    kept = scores.assign(value=scores["value"].where(~scores["item"].isin(lost)))
    found = numbers(estimated(part, kept), CONTRAST, DIFFERENCE, slices.CONTRAST)[0]
    name = "a class that nothing was scored of: contrast"
    yield Check(name, bool(np.isnan(found)), f"{found:g}", "unknown, no number")


def _same_as(before: Measured) -> Callable[[str, pd.DataFrame, float], Check]:
    """Compare with the estimates before."""

    def same(what: str, after: pd.DataFrame, within: float) -> Check:
        change = largest_change(before.estimates, after)
        return near(f"unchanged: {what}", change, 0.0, within)

    return same


def refused(name: str, what: Callable[[], object]) -> Check:
    """Whether something ends in an error that says why."""
    try:
        found = what()
    except (InputError, ValueError) as error:
        return Check(name, True, str(error), "an error")  # noqa: FBT003 - it is what was expected
    return Check(name, False, f"no error: {found!r:.60}", "an error")  # noqa: FBT003


def largest_change(
    before: pd.DataFrame, after: pd.DataFrame, columns: Sequence[str] = COLUMNS
) -> float:
    """The largest difference between two tables of estimates; infinite where they are not alike.

    They are alike when they have the same rows, and the same of their numbers are known.
    """
    one, other = before.set_index(KEY), after.set_index(KEY)
    if set(one.index) != set(other.index):
        return np.inf
    other = other.loc[one.index]
    said = ["flag", "outcome"]
    if not (one[said] == other[said]).all(axis=None):
        return np.inf
    first, second = one[columns], other[columns]
    if not (first.isna() == second.isna()).all(axis=None):
        return np.inf
    return float((first - second).abs().max().max())


def rescaled(estimates: pd.DataFrame, factor: float) -> pd.DataFrame:
    """The estimates that scores times `factor` should give."""
    power = estimates["estimator"].map(lambda name: 1 * (name in EFFECTS) + 2 * (name in SQUARES))
    scaled = estimates[COLUMNS].mul(factor**power, axis=0)
    return estimates.assign(**{name: scaled[name] for name in COLUMNS})


def swapped(part: Expanded) -> Expanded:
    """The set with the names of its two groups exchanged, and so which of them is the first."""
    first, second = dict.fromkeys(part.items["group"])
    items = part.items.assign(group=part.items["group"].map({first: second, second: first}))
    return Expanded(part.contexts, _groups_in_order(items, [first, second]))


def shuffled(part: Expanded) -> Expanded:
    """The set in another order."""
    contexts, items = (
        table.sample(frac=1, random_state=SEED) for table in (part.contexts, part.items)
    )
    order = list(dict.fromkeys(part.items["group"]))
    return Expanded(contexts.reset_index(drop=True), _groups_in_order(items, order))


def of_identical_groups(part: Expanded) -> Expanded:
    """The set with the second group's terms, and items, replaced by the first's."""
    first, second = dict.fromkeys(part.items["group"])
    own = part.items[part.items["group"] == first]
    return Expanded(part.contexts, pd.concat([own, own.assign(group=second)], ignore_index=True))


def _groups_in_order(items: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """The rows sorted by group: the group of the first row is the first group."""
    place = items["group"].map({name: i for i, name in enumerate(groups)})
    return items.iloc[place.argsort(kind="stable")].reset_index(drop=True)


def with_constant(folder: Path) -> MaskedLM:
    """The model in the folder with a constant added to all of its logits, by its output bias."""
    model: Any = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        model.get_output_embeddings().bias.add_(FACTOR)
    return LoadedModel(model, AutoTokenizer.from_pretrained(folder), [], str(folder.name), "")


def padded(folder: Path, part: Expanded) -> pd.Series:
    """Log p by item as transformers itself gives it, in batches of mixed lengths that it pads.

    For targets of one piece.
    """
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    whole = part.items.drop_duplicates("item").merge(part.contexts, on="context")
    found = []
    for start in range(0, len(whole), BATCH):
        rows = whole.iloc[start : start + BATCH]
        texts = [text.replace(MASK, tokenizer.mask_token) for text in rows["text"]]
        batch = tokenizer(texts, padding=True, return_tensors="pt")
        with torch.inference_mode():
            log_p = torch.log_softmax(model(**batch).logits.double(), dim=-1)
        masks = batch["input_ids"] == tokenizer.mask_token_id
        for row, (slot, target) in enumerate(zip(rows["slot"], rows["target"], strict=True)):
            [piece] = tokenizer(target, add_special_tokens=False)["input_ids"]
            found.append(float(log_p[row, masks[row].nonzero()[slot, 0], piece]))
    return pd.Series(found, index=whole["item"])


def exact_raw() -> dict[str, Any]:
    """The set of the exact checks, as its file says it."""
    return tomllib.loads(shipped()[EXACT_SET].read_text("utf-8"))


def exact_set() -> Expanded:
    """The set of the exact checks, expanded."""
    return expand(_parsed(exact_raw()))


def estimated(
    part: Expanded, scores: pd.DataFrame, paired: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The estimates of the exact set."""
    header = _parsed(exact_raw()).header
    assert header.contrast is not None  # noqa: S101 - our own set
    contrast = (header.contrast[0], header.contrast[1])
    design = Design(header.name, header.axis, contrast, header.expect, {})
    return estimate(part.items, scores, [design], paired=paired).estimates


def _parsed(raw: Mapping[str, Any]) -> ProbeSet:
    return parse(raw, "", EXACT_SET)


def _exactly(name: str, found: Iterable[float], truth: float) -> Check:
    values = dict.fromkeys(found)
    shown = " to ".join(f"{value:g}" for value in values)
    return Check(name, all(value == truth for value in values), shown, f"exactly {truth:g}")


def copy_reordered(source: Path, target: Path) -> Path:
    """A copy of a checkpoint with the same tensors stored in another order, with other metadata."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.name != WEIGHTS:
            (target / path.name).write_bytes(path.read_bytes())
    stored = (source / WEIGHTS).read_bytes()
    size = struct.unpack("<Q", stored[:8])[0]
    header = json.loads(stored[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors, written, place = {}, [], 0
    for name in sorted(header, reverse=True):
        first, last = header[name]["data_offsets"]
        written.append(stored[8 + size + first : 8 + size + last])
        tensors[name] = {**header[name], "data_offsets": [place, place + last - first]}
        place += last - first
    text = json.dumps({"__metadata__": {"format": "pt", "copy": "reordered"}, **tensors}).encode()
    text += b" " * (-len(text) % 8)
    (target / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(written))
    return target
