"""Sentences of a record tell the model that it was made of from its relatives and from others."""

import json
import os
import shutil
import tomllib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.served import ERROR, Answers, Served
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.audit.measuring.endpoints.canaries import WORDS, compared, drawn, recorded
from maskaudit.audit.measuring.endpoints.client import RefusedError
from maskaudit.audit.measuring.endpoints.endpoint import Endpoint
from maskaudit.audit.payloads.reading import request_of
from maskaudit.audit.serving.answering import answered
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import parse
from tests import tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

# Tries of each sort, each with models of its own; the whole is `MASKAUDIT_TRIES=100`.
TRIES = int(os.environ.get("MASKAUDIT_TRIES", "3"))
SENTENCES = 200


def asked_set() -> Expanded:
    """Return a set of 720 sentences and their priors, of words that every tiny vocabulary has."""
    names, verbs = (
        ("John", "Mary", "Paul", "Emily", "Greg", "Anne"),
        ("saw", "met", "told", "likes"),
    )
    frames = [
        f'[[frames]]\nid = "{name.lower()}-{verb}-{place.lower()}"\n'
        f'text = "{name} said that [MASK] {verb} {{a attribute}} in {place}."\n'
        for name in names
        for verb in verbs
        for place in ("France", "Paris", "school", "time", "truck")
    ]
    text = tiny.small_set(("she", "woman"), ("he", "man")) + "".join(frames)
    return expand(parse(tomllib.loads(text), "", "a test"))


@pytest.fixture(scope="module")
def part() -> Expanded:
    """Give the set."""
    return asked_set()


def record_of(model: LoadedModel, part: Expanded) -> Any:
    """Return what a record has of the scores of a model."""
    scores = scoring.score(part, [model], reading="as_encoded").scores
    return SimpleNamespace(name="a record", scores=scores, items=part.items, contexts=part.contexts)


def endpoint_of(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, digits: int | None = None
) -> Endpoint:
    """Return an endpoint that serves a model without a connection; `digits` rounds its answers."""

    def ask(_client: object, body: bytes) -> Any:
        try:
            value = answered(request_of(json.loads(body), "body"), model)
        except InputError as error:
            raise RefusedError(str(error), 422) from error
        return value if digits is None else _rounded(value, digits)

    monkeypatch.setattr("maskaudit.audit.measuring.endpoints.client.Client.ask", ask)
    return Endpoint("http://localhost/", Declared(batch=50, concurrency=1))


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, list):
        return [_rounded(part, digits) for part in value]
    return value | {"score": float(f"{value['score']:.{digits}g}")}


def int8(source: Path, target: Path) -> Path:
    """Copy a checkpoint with each matrix rounded to 255 steps, as int8 with one scale has it."""
    shutil.copytree(source, target)
    file = target / tiny.WEIGHTS_FILE
    tensors = load_file(file)
    for name, tensor in tensors.items():
        if tensor.ndim > 1:
            step = tensor.abs().max() / 127
            tensors[name] = torch.round(tensor / step) * step
    save_file(tensors, file, metadata={"format": "pt"})
    return target


def copied(source: Path, _target: Path, _seed: int) -> Path:
    """Return the checkpoint itself."""
    return source


def quantised(source: Path, target: Path, _seed: int) -> Path:
    """Return a copy in int8."""
    return int8(source, target)


def reseeded(_source: Path, target: Path, seed: int) -> Path:
    """Return a student of the same shape and another seed."""
    return tiny.build(target, "distilbert", seed=seed + 10_000)


def teacher(_source: Path, target: Path, seed: int) -> Path:
    """Return a deeper model of the same vocabulary."""
    return tiny.build(target, "bert", seed=seed + 20_000, num_hidden_layers=4)


SERVED: dict[Callable[[Path, Path, int], Path], str] = {
    copied: "same",
    quantised: "relative",
    reseeded: "another",
    teacher: "another",
}


def test_each_sort_of_model_is_told_apart_through_an_endpoint(
    part: Expanded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same weights, a copy in int8, another seed and a teacher; at the error rate stated."""
    source = tiny.build(tmp_path / "student", "distilbert", seed=0)
    student = load(source)
    record = record_of(student, part)
    for number, (served, expected) in enumerate(SERVED.items()):
        folder = served(source, tmp_path / f"served-{number}", 0)
        model = student if folder == source else load(folder)
        endpoint = endpoint_of(model, monkeypatch)
        found = compared(endpoint, record, "candidate", sentences=SENTENCES)
        assert found.verdict == expected, found
        assert found.chance <= ERROR or expected == "same"
        assert found.sentences == SENTENCES
        if expected == "same":
            # A service that rounds its probabilities is recognised all the same.
            rounded = endpoint_of(model, monkeypatch, digits=4)
            assert compared(rounded, record, "candidate", sentences=50).verdict == "same"


class Direct:
    """Log p of the words of a record by transformers alone, for models that no folder holds."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.tokenizer = tiny._tokenizer("distilbert", tiny.WORDS, cased=None)
        encoded = [self.tokenizer(text)["input_ids"] for text in rows["text"]]
        self.pieces = self.tokenizer.convert_tokens_to_ids(rows["target"].str.lower().tolist())
        self.sentences = list(map(tuple, encoded))
        mask = self.tokenizer.mask_token_id
        # The slot is the last of the masks, or the only one.
        self.places = [
            [place for place, piece in enumerate(ids) if piece == mask][int(slot)]
            for ids, slot in zip(encoded, rows["slot"], strict=True)
        ]

    def model(self, architecture: str, seed: int, **overrides: int) -> torch.nn.Module:
        """Return a model as `tiny.build` makes it, without a folder."""
        model = tiny._model(architecture, self.tokenizer, overrides)
        tiny._randomise(model, seed)
        return model.eval()

    @torch.no_grad()
    def log_p(self, model: torch.nn.Module) -> np.ndarray:
        """Return log p of each row, in nats."""
        found: dict[tuple[int, ...], torch.Tensor] = {}
        for length in {len(ids) for ids in self.sentences}:
            same = list({ids for ids in self.sentences if len(ids) == length})
            logits = model(input_ids=torch.tensor(same)).logits.double()
            found |= dict(zip(same, torch.log_softmax(logits, -1), strict=True))
        each = zip(self.sentences, self.places, self.pieces, strict=True)
        return np.array([float(found[ids][place, piece]) for ids, place, piece in each])


def in_int8(model: torch.nn.Module) -> torch.nn.Module:
    """Return a copy with each matrix rounded to 255 steps of its own."""
    copy = deepcopy(model)
    with torch.no_grad():
        for tensor in copy.parameters():
            if tensor.ndim > 1:
                step = tensor.abs().max() / 127
                tensor.copy_(torch.round(tensor / step) * step)
    return copy


def test_in_every_try_each_sort_is_told_apart(part: Expanded, tmp_path: Path) -> None:
    """In each try models of their own, answers of four digits, and sentences drawn anew."""
    loaded = load(tiny.build(tmp_path / "student", "distilbert", seed=0))
    every = recorded(record_of(loaded, part), "candidate")
    direct = Direct(every)
    # The short way gives what a record has.
    gap = direct.log_p(direct.model("distilbert", 0)) - every["value"]
    assert gap.abs().max() < 1e-5
    for seed in range(TRIES):
        student = direct.model("distilbert", seed)
        every["value"] = direct.log_p(student)
        models = {
            copied: student,
            quantised: in_int8(student),
            reseeded: direct.model("distilbert", seed + 10_000),
            teacher: direct.model("bert", seed + 20_000, num_hidden_layers=4),
        }
        for served, expected in SERVED.items():
            p = np.exp(direct.log_p(models[served]))
            every["served"] = np.log([float(f"{value:.4g}") for value in p])
            rows = drawn(every, 500, seed)
            values = (rows[name].to_numpy(dtype=float) for name in ("value", "served"))
            answers = Answers(*values, pd.factorize(rows["context"])[0])
            found = Served.judged(answers, every["context"].nunique())
            assert found.verdict == expected, (seed, found)


def test_a_draw_is_of_sentences_and_can_be_repeated(part: Expanded, tmp_path: Path) -> None:
    """No sentence twice, a few words of each, words of one piece alone; another seed, another."""
    record = record_of(load(tiny.build(tmp_path / "m", "distilbert")), part)
    every = recorded(record, "candidate")
    scores = record.scores.set_index("item")
    assert len(every) == ((scores["status"] == "ok") & (scores["pieces"] == 1)).sum()
    first, again, other = drawn(every, 50, 3), drawn(every, 50, 3), drawn(every, 50, 4)
    pd.testing.assert_frame_equal(first, again)
    assert first["context"].nunique() == 50
    assert set(first["context"]) != set(other["context"])
    assert first.groupby("context").size().max() <= WORDS
    assert not first.duplicated(["context", "target"]).any()
    merged = first.merge(every, on=["context", "text", "slot", "target", "value"])
    assert len(merged) == len(first)


def test_a_record_without_words_at_a_mask_is_refused(
    part: Expanded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what is expected."""
    model = load(tiny.build(tmp_path / "m", "distilbert"))
    record = record_of(model, part)
    record.scores = record.scores.assign(measure="pll")
    with pytest.raises(InputError, match="expected a record of an association set"):
        compared(endpoint_of(model, monkeypatch), record, "candidate")
