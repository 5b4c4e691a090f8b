"""Changes that must not matter: order, batches, a constant on all logits, renamed frames."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.checkpoints.located import Located
from maskaudit.audit.measuring.checkpoints.tokenizer import Tokenizer
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.phantom import truth as phantom_truth
from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.selftest import exact
from maskaudit.audit.proving.selftest.check import near, refused
from maskaudit.audit.proving.selftest.wrapped import OneByOne
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.frames.sentence import MASK

# Tolerance between forward passes in different batches, in nats.
NUMERIC = 1e-5
# Added to every logit.
CONSTANT = 2.5
BATCH = 64


def of_scoring(
    before: exact.Measured, pair: Sequence[MaskedLM], progress_by_run: dict[str, Progress]
) -> Iterator[Check]:
    """Check the order of probes, batching, padding, and a constant added to every logit."""
    part = before.part
    same = _same_as(before)
    after = exact.Measured.of(exact.shuffled(part), pair, progress_by_run["in another order"])
    yield same("probes in another order", after.estimates, 0.0)
    log_p = _log_p(before.scored.scores)
    reference = log_p.xs("reference", level="model")
    yield _alike(
        "log p of sentences in padded batches", reference, padded(phantom_truth.TEACHER, part)
    )
    variants: dict[str, Sequence[MaskedLM]] = {
        "sentences one by one": [OneByOne(model) for model in pair],
        "a constant added to all logits": [
            with_constant(path) for path in (phantom_truth.TEACHER, phantom_truth.STUDENT)
        ],
    }
    for name, models in variants.items():
        after = exact.Measured.of(part, models, progress_by_run[name])
        yield _alike(f"log p, {name}", log_p, _log_p(after.scored.scores))
        # Effects only: a ratio of numbers near zero can move by more than the tolerance.
        old, new = (
            measured.estimates[measured.estimates["estimator"].isin(exact.EFFECTS)]
            for measured in (before, after)
        )
        yield near(f"unchanged: effects, {name}", exact.largest_change(old, new), 0.0, NUMERIC)


def of_the_set(before: exact.Measured) -> Iterator[Check]:
    """Check frames repeated as their own variants, and renamed frames."""
    raw = exact.exact_raw()
    scored = before.scored
    probe_set = exact.parsed(raw)
    doubled = [f.model_copy(update={"variants": [*f.variants, *f.texts]}) for f in probe_set.frames]
    part = expand(probe_set.model_copy(update={"frames": doubled}))
    same = _same_as(before)
    estimates = exact.estimated(part, scored.scores, scored.paired)
    yield same("every frame a variant of itself", estimates, exact.ROUNDING)
    with_repetition = {**raw, "frames": [*raw["frames"], {**raw["frames"][0], "id": "again"}]}
    yield refused("a frame given twice", lambda: exact.parsed(with_repetition))
    frames = [{**f, "id": f"n{len(raw['frames']) - i}"} for i, f in enumerate(raw["frames"])]
    part = expand(exact.parsed({**raw, "frames": frames}))
    renamed = exact.estimated(part, scored.scores, scored.paired)
    yield same("frames by another name", renamed, exact.ROUNDING)
    digests = part.digest, before.part.digest
    shown = [digest[:12] for digest in digests]
    yield Check("frames by another name: digest", digests[0] == digests[1], *shown)


def _log_p(scores: pd.DataFrame) -> pd.Series:
    log_p = scores[scores["measure"] == "logp"]
    return log_p.set_index(["item", "model"])["value"]


def _alike(name: str, expected: pd.Series, found: pd.Series) -> Check:
    """Check that two series of log p agree, in nats; a missing value fails."""
    worst = float((expected - found.reindex(expected.index)).abs().max(skipna=False))
    return near(f"unchanged: {name}", worst, 0.0, NUMERIC)


def _same_as(before: exact.Measured) -> Callable[[str, pd.DataFrame, float], Check]:
    """Return a check that compares new estimates with those of `before`."""

    def same(name: str, after: pd.DataFrame, within: float) -> Check:
        change = exact.largest_change(before.estimates, after)
        return near(f"unchanged: {name}", change, 0.0, within)

    return same


def with_constant(folder: Path) -> MaskedLM:
    """Load a model and add `CONSTANT` to all of its logits through the output bias."""
    model: Any = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        model.get_output_embeddings().bias.add_(CONSTANT)
    located = Located(folder, str(folder.name), "")
    tokenizer = Tokenizer(AutoTokenizer.from_pretrained(folder))
    return LoadedModel(model, tokenizer, [], located)


def padded(folder: Path, part: Expanded) -> pd.Series:
    """Return log p by item from transformers alone, in padded batches of mixed lengths.

    Only for targets of one piece.
    """
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    items = part.items.drop_duplicates("item").merge(part.contexts, on="context")
    values = []
    for start in range(0, len(items), BATCH):
        rows = items.iloc[start : start + BATCH]
        texts = [text.replace(MASK, tokenizer.mask_token) for text in rows["text"]]
        batch = tokenizer(texts, padding=True, return_tensors="pt")
        with torch.inference_mode():
            # In double precision, like the audit's own scores.
            log_p = torch.log_softmax(model(**batch).logits.double(), dim=-1)
        masks = batch["input_ids"] == tokenizer.mask_token_id
        for row, (slot, target) in enumerate(zip(rows["slot"], rows["target"], strict=True)):
            [piece] = tokenizer(target, add_special_tokens=False)["input_ids"]
            values.append(float(log_p[row, masks[row].nonzero()[slot, 0], piece]))
    return pd.Series(values, index=items["item"])
