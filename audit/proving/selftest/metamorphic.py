"""Metamorphic checks: changes of the input whose effect on the results is known.

A model compared with itself shows no difference, swapping the groups negates signed effects,
scaling the scores scales the effects, and empty input gives an error or no number.
"""

import json
import struct
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed.cells import DIFFERENCE, RELATION
from maskaudit.audit.estimating.registry.names import (
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
from maskaudit.audit.estimating.statistics.crossed.means import mean_interval
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.phantom import truth as phantom_truth
from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.selftest import exact, unchanged
from maskaudit.audit.proving.selftest.check import near, numbers, refused, stages
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.vocabulary import Progress

WEIGHTS = "model.safetensors"
# No power of 2: products with one are exact, and rounding would not be tried.
FACTOR = 2.5


def checks(progress: Progress, *, full: bool = False) -> Iterator[Check]:
    """Check a model against itself, and swapped groups; with `full` every other relation."""
    yield from _against_itself(progress, full=full)
    yield from _swapped(progress, full=full)
    if full:
        yield from _unchanged(progress)


def _against_itself(progress: Progress, *, full: bool) -> Iterator[Check]:
    """Compare a model with a copy whose tensors are stored in another order: exactly equal."""
    part = exact.exact_set()
    with tempfile.TemporaryDirectory() as scratch:
        copy = copy_reordered(phantom_truth.TEACHER, Path(scratch) / "copy")
        pair = [load(str(phantom_truth.TEACHER)), load(str(copy))]
    measured = exact.Measured.of(part, pair, progress)
    same_weights = pair[0].identity.weights == pair[1].identity.weights
    files_differ = pair[0].identity.files[WEIGHTS] != pair[1].identity.files[WEIGHTS]
    found = "as expected" if same_weights and files_differ else "not as expected"
    name, expected = "itself: same tensors in another file", "equal tensors, unequal files"
    yield Check(name, same_weights and files_differ, found, expected)
    rows = measured.estimates[measured.estimates["subject"] == DIFFERENCE]
    # Without tolerance: the same tensors pass through the same operations.
    worst = float(rows[["estimate", "low", "high"]].abs().max().max())
    yield Check("itself: every difference", worst == 0.0, f"largest {worst}", "exactly 0")
    values = measured.scored.paired.groupby("measure")["value"].agg(["min", "max"])
    truths = {"kl": 0.0, "jsd": 0.0, "top1": 1.0, "agreement@10": 1.0}
    for measure, truth in truths.items():
        yield _exactly(f"itself: {measure}", values.loc[measure].to_numpy(dtype=float), truth)
    if full:
        yield from _inherited_whole(measured.estimates)


def _inherited_whole(estimates: pd.DataFrame) -> Iterator[Check]:
    """Check slope 1, correlation 1, log ratios 0 and no flips of a model against itself."""
    truths = {SLOPE: 1.0, CORRELATION: 1.0, LOG_KAPPA: 0.0, LOG_MAGNITUDE_RATIO: 0.0}
    for name, truth in truths.items():
        yield _exactly(f"itself: {name}", numbers(estimates, name, RELATION), truth)
    for name in (FLIPS, SIGN_CHANGES):
        # Counts of attributes have no interval.
        yield _exactly(f"itself: {name}", numbers(estimates, name, RELATION)[:1], 0.0)


def _swapped(progress: Progress, *, full: bool) -> Iterator[Check]:
    """Swap the group labels: signed effects are negated, all other estimates do not change."""
    part = exact.exact_set()
    folders = [phantom_truth.TEACHER, phantom_truth.STUDENT] if full else [phantom_truth.STUDENT]
    scored = scoring.score_all([part], [load(str(path)) for path in folders], progress)
    paired = scored.paired if full else None
    original, swapped = (
        exact.estimated(items_of, scored.scores, paired).set_index(exact.KEY)
        for items_of in (part, exact.swapped(part))
    )
    complete = set(original.index) == set(swapped.index)
    swapped = swapped.reindex(original.index)
    signed = original.index.get_level_values("estimator").isin(exact.EFFECTS)
    # Negation exchanges the limits: the lower one becomes minus the upper one.
    negated = swapped[signed][["estimate", "high", "low"]].to_numpy()
    sums = float((original[signed][["estimate", "low", "high"]] + negated).abs().max().max())
    same_missing = bool((original["estimate"].isna() == swapped["estimate"].isna()).all())
    passed = complete and same_missing and sums == 0
    yield Check("swapped groups: signed effects", passed, f"largest sum {sums}", "negated")
    changes = exact.largest_change(original[~signed].reset_index(), swapped[~signed].reset_index())
    name = "swapped groups: unsigned estimates"
    yield Check(name, changes == 0, f"largest change {changes}", "unchanged")


def _unchanged(progress: Progress) -> Iterator[Check]:
    """Apply changes that should not matter to a set and to the two bundled models."""
    part = exact.exact_set()
    pair = [load(str(path)) for path in (phantom_truth.TEACHER, phantom_truth.STUDENT)]
    runs = [
        *("as it is", "in another order", "sentences one by one"),
        "a constant added to all logits",
    ]
    progress_by_run = stages(progress, "metamorphic", runs)
    before = exact.Measured.of(part, pair, progress_by_run["as it is"])
    yield from unchanged.of_scoring(before, pair, progress_by_run)
    yield from _of_estimating(before)
    yield from unchanged.of_the_set(before)
    yield from _of_nothing(before)


def _of_estimating(before: exact.Measured) -> Iterator[Check]:
    """Check groups with the same terms, and scores on another scale."""
    part, scores = before.part, before.scored.scores
    identical = exact.estimated(exact.of_identical_groups(part), scores)
    # A relation of two models without leans is 0/0; only their effects must be 0.
    is_model = identical["subject"] != RELATION
    effects = identical[
        is_model & identical["estimator"].isin(exact.EFFECTS | {ASSOCIATION, MAGNITUDE})
    ]
    worst = float(effects[["estimate", "low", "high"]].abs().max().max())
    yield Check("identical groups: effects", worst == 0, f"largest {worst}", "exactly 0")
    _, low, high = numbers(identical, CONTRAST, DIFFERENCE, slices.CONTRAST)
    inside = low <= 0 <= high
    yield Check("identical groups: interval", inside, f"{low:g} to {high:g}", "0 inside")
    slopes = identical[identical["estimator"] == SLOPE]
    not_estimable = slopes["estimate"].isna().all() and set(slopes["flag"]) == {"not_estimable"}
    found = ", ".join(f"{value:g}" for value in slopes["estimate"])
    yield Check(
        "identical groups: slope without leans", bool(not_estimable), found, "not estimable"
    )
    logp = scores["value"].where(scores["measure"] != "logp", FACTOR * scores["value"])
    unscaled = exact.estimated(part, scores)
    scaled = exact.estimated(part, scores.assign(value=logp))
    change = exact.largest_change(rescaled(unscaled, FACTOR), scaled)
    yield near(f"scores times {FACTOR:g}: effects, kappa", change, 0.0, exact.ROUNDING)
    change = exact.largest_change(unscaled, scaled, ["p"])
    yield near(f"scores times {FACTOR:g}: p", change, 0.0, exact.ROUNDING)


def _of_nothing(before: exact.Measured) -> Iterator[Check]:
    """Empty input gives an error or NaN, never 0."""
    raw = exact.exact_raw()
    [name, *_] = raw["classes"]
    classes = {**raw["classes"], name: {**raw["classes"][name], "attributes": []}}
    emptied = {**raw, "classes": classes}
    yield refused("a class without attributes", lambda: exact.parsed(emptied))
    yield refused("the mean of no cells", lambda: mean_interval(np.empty((0, 20))))
    part, scores = before.part, before.scored.scores
    lost_items = part.items.loc[part.items["class"] == name, "item"]
    partial = scores.assign(value=scores["value"].where(~scores["item"].isin(lost_items)))
    found = numbers(exact.estimated(part, partial), CONTRAST, DIFFERENCE, slices.CONTRAST)[0]
    name = "a class without scores: contrast"
    yield Check(name, bool(np.isnan(found)), f"{found:g}", "nan")


def rescaled(estimates: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Return the estimates expected when all scores are multiplied by `factor`."""
    # Effects are in nats, associations in their square; ratios and p have neither.
    power = estimates["estimator"].map(
        lambda name: 1 * (name in exact.EFFECTS) + 2 * (name in exact.SQUARES)
    )
    scaled = estimates[exact.COLUMNS].mul(factor**power, axis=0)
    return estimates.assign(**{name: scaled[name] for name in exact.COLUMNS})


def _exactly(name: str, found: Iterable[float], truth: float) -> Check:
    values = dict.fromkeys(found)
    shown = " to ".join(f"{value:g}" for value in values)
    return Check(name, all(value == truth for value in values), shown, f"exactly {truth:g}")


def copy_reordered(source: Path, target: Path) -> Path:
    """Copy a checkpoint into the new folder `target`; return `target`.

    The tensors are the same, but stored in another order and with other metadata.
    """
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.name != WEIGHTS:
            (target / path.name).write_bytes(path.read_bytes())
    # The format of safetensors: the header's length in 8 bytes, little-endian; the header as JSON,
    # with each tensor's offsets into what follows; the tensors.
    stored = (source / WEIGHTS).read_bytes()
    size = struct.unpack("<Q", stored[:8])[0]
    header = json.loads(stored[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors, chunks, offset = {}, [], 0
    for name in sorted(header, reverse=True):
        start, end = header[name]["data_offsets"]
        chunks.append(stored[8 + size + start : 8 + size + end])
        tensors[name] = {**header[name], "data_offsets": [offset, offset + end - start]}
        offset += end - start
    new_header = json.dumps(
        {"__metadata__": {"format": "pt", "copy": "reordered"}, **tensors}
    ).encode()
    new_header += b" " * (-len(new_header) % 8)  # safetensors headers are padded to 8 bytes
    (target / WEIGHTS).write_bytes(
        struct.pack("<Q", len(new_header)) + new_header + b"".join(chunks)
    )
    return target
