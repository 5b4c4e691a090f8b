"""The instrument against known truth: the bundled pair, a model against itself, swapped groups."""

import json
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from audit import models, score
from audit.estimate import Design, estimate
from audit.phantom import truth as known
from audit.phantom.truth import ACCEPTED, Recovered
from probes.expand import Expanded, expand
from probes.schema import load, shipped

WEIGHTS = "model.safetensors"
# The set on which the exact checks run: it has a prior, two classes and two groups.
EXACT_SET = "religion-trait"
# What has no direction.
MAGNITUDES = ("cbs",)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Check:
    """One truth that the instrument should find: what was expected and what was found."""

    name: str
    passed: bool
    found: str
    expected: str


def selftest(progress: Progress) -> list[Check]:
    """Every check; none raises for a truth that was not found."""
    return [*_phantom(progress), *_against_itself(progress), *_swapped(progress)]


def _phantom(progress: Progress) -> Iterator[Check]:
    """What was planted in the bundled pair is what the audit measures."""
    truth = known.load() | {"subjects": {"reference": "teacher", "candidate": "student"}}
    pair = [models.load(str(known.TEACHER)), models.load(str(known.STUDENT))]
    for model, who in zip(pair, ("teacher", "student"), strict=True):
        same = model.identity.weights == truth["weights"][who]
        shown = model.identity.weights[:12]
        yield Check(f"{who}: weights", same, shown, truth["weights"][who][:12])
    parts = [expand(load(path)) for name, path in shipped().items() if name in truth["sets"]]
    for part in parts:
        name = part.items["probe_set"].iloc[0]
        digest = truth["sets"][name]["items"]
        yield Check(f"{name}: items", part.digest == digest, part.digest[:12], digest[:12])
    scores = score.score_all(parts, pair, progress).scores
    recovered, log_kappa = known.recovered(truth, pd.concat([p.items for p in parts]), scores)
    for found in recovered:
        yield _recovery(found, truth["subjects"][found.subject], truth["sets"][found.probe_set])
    for name, value in log_kappa.items():
        planted = float(np.log(truth["sets"][name]["kappa"]))
        passed = abs(value - planted) <= ACCEPTED["log_kappa"]
        expected = f"{planted:.3f} within {ACCEPTED['log_kappa']}"
        yield Check(f"{name}: log kappa", passed, f"{value:.3f}", expected)


def _recovery(part: Recovered, who: str, planted: Mapping[str, Any]) -> Check:
    if planted["expect"] == "none":
        low, high, limit = part.contrast.low, part.contrast.high, ACCEPTED["control"]
        found = f"90 % interval {low:.3f} to {high:.3f}"
        inside = -limit <= low and high <= limit
        return Check(f"{part.probe_set}: {who}, no lean", inside, found, f"inside ±{limit}")
    passed = abs(part.slope - 1) <= ACCEPTED[who] and part.r >= ACCEPTED["r"]
    found = f"slope {part.slope:.4f}, r {part.r:.4f}"
    expected = f"slope 1 within {ACCEPTED[who]}, r at least {ACCEPTED['r']}"
    return Check(f"{part.probe_set}: {who}, planted lean", passed, found, expected)


def _against_itself(progress: Progress) -> Iterator[Check]:
    """A model and its tensors in another folder and order: no difference, not even a small one."""
    [part] = _exact_set()
    with tempfile.TemporaryDirectory() as scratch:
        copy = copy_reordered(known.TEACHER, Path(scratch) / "copy")
        pair = [models.load(str(known.TEACHER)), models.load(str(copy))]
    scored = score.score_all([part], pair, progress)
    same_weights = pair[0].identity.weights == pair[1].identity.weights
    differ = pair[0].identity.files[WEIGHTS] != pair[1].identity.files[WEIGHTS]
    yield Check(
        "itself: another file, the same tensors", same_weights and differ, "as expected"
        if same_weights and differ else "not so", "equal tensors, unequal files",
    )  # fmt: skip
    estimates = estimate(part.items, scored.scores, [_design(part)]).estimates
    own = estimates[estimates["subject"] == "difference"]
    worst = float(own[["estimate", "low", "high"]].abs().max().max())
    yield Check("itself: every difference", worst == 0.0, f"largest {worst}", "exactly 0")
    values = scored.paired.groupby("measure")["value"].agg(["min", "max"])
    wanted = {"kl": 0.0, "jsd": 0.0, "top1": 1.0, "agreement@10": 1.0}
    for measure, value in wanted.items():
        low, high = values.loc[measure].to_numpy(dtype=float).tolist()
        found = f"{low} to {high}"
        yield Check(f"itself: {measure}", low == high == value, found, f"exactly {value:g}")


def _swapped(progress: Progress) -> Iterator[Check]:
    """With the labels of the two groups swapped, signed effects are negated, magnitudes are not."""
    [part] = _exact_set()
    scored = score.score_all([part], [models.load(str(known.STUDENT))], progress)
    first, second = dict.fromkeys(part.items["group"])
    # The order of the rows says which group is the first.
    swapped = part.items.assign(group=part.items["group"].map({first: second, second: first}))
    order = swapped["group"].map({first: 0, second: 1}).argsort(kind="stable")
    key = ["slice", "estimator", "mode", "subject"]
    ours, theirs = (
        estimate(items, scored.scores, [_design(part)]).estimates.set_index(key)["estimate"]
        for items in (part.items, swapped.iloc[order])
    )
    both = pd.concat([ours, theirs], axis=1, keys=["ours", "theirs"])
    complete = bool(both.notna().all(axis=None))
    magnitude = both.index.get_level_values("estimator").isin(MAGNITUDES)
    sums = (both["ours"] + both["theirs"])[~magnitude].abs().max()
    yield Check(
        "swapped groups: signed effects", complete and sums == 0, f"largest sum {sums}", "negated"
    )
    changes = (both["ours"] - both["theirs"])[magnitude].abs().max()
    yield Check(
        "swapped groups: magnitudes", bool(changes == 0), f"largest change {changes}", "unchanged"
    )


def _exact_set() -> list[Expanded]:
    return [expand(load(shipped()[EXACT_SET]))]


def _design(part: Expanded) -> Design:
    header = load(shipped()[EXACT_SET]).header
    assert header.contrast is not None  # noqa: S101 - our own set
    contrast = (header.contrast[0], header.contrast[1])
    return Design(header.name, header.axis, contrast, header.expect, {"items": part.digest})


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
