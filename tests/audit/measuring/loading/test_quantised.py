"""Checkpoints that torchao quantised score as torchao runs them, and only if they are whole."""

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForMaskedLM

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.measuring.engine import Engine
from maskaudit.audit.measuring.loading import quantised
from tests import derived, oracle, tiny

pytestmark = pytest.mark.usefixtures("one_thread")
WEIGHTS, CONFIG = tiny.WEIGHTS_FILE, "config.json"
QUERY = "bert.encoder.layer.0.attention.self.query"
with_torchao = pytest.mark.skipif(
    find_spec("torchao") is None, reason="quantised weights are run by torchao"
)


def ways() -> dict[str, Any]:
    """The settings of each way of quantising that a processor runs."""
    from torchao import quantization as ao

    return {
        "int8": ao.Int8WeightOnlyConfig(),
        "int4": ao.IntxWeightOnlyConfig(torch.int4, ao.PerGroup(16)),
        "int8, activations too": ao.Int8DynamicActivationInt8WeightConfig(),
        "int4, activations too": ao.Int8DynamicActivationIntxWeightConfig(
            weight_dtype=torch.int4, weight_granularity=ao.PerGroup(16)
        ),
    }


WAYS = ("int8", "int4", "int8, activations too", "int4, activations too")


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model of each of two architectures."""
    root = tmp_path_factory.mktemp("models")
    return {name: tiny.build(root / name, name) for name in ("bert", "distilbert")}


def saved(base: Path, folder: Path, way: str, dtype: torch.dtype = torch.float32) -> Path:
    """Save a checkpoint as transformers and torchao quantise it."""
    from transformers import TorchAoConfig

    model = AutoModelForMaskedLM.from_pretrained(
        base, dtype=dtype, quantization_config=TorchAoConfig(ways()[way])
    )
    model.save_pretrained(folder)
    oracle.load(base)[1].save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def int8(bases: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny BERT with its weights in int8."""
    pytest.importorskip("torchao", reason="quantised weights are run by torchao")
    return saved(bases["bert"], tmp_path_factory.mktemp("models") / "int8", "int8")


# What is scored


@with_torchao
@pytest.mark.parametrize(
    ("architecture", "way"), [*(("bert", way) for way in WAYS), ("distilbert", WAYS[2])]
)
def test_a_quantised_model_scores_as_torchao_runs_it_a_sentence_at_a_time(
    bases: dict[str, Path], tmp_path: Path, architecture: str, way: str
) -> None:
    """To 1e-4 nats at every piece, and not as its parent does; its identity says what it is."""
    base = bases[architecture]
    folder = saved(base, tmp_path / "quantised", way)
    plain, _ = oracle.load(folder)
    model = load(folder)
    assert derived.largest_difference(model, plain) <= derived.ALIKE
    assert derived.largest_difference(load(base), plain) > derived.ALIKE
    bits, _, more = way.partition(", ")
    assert model.identity.derived.startswith(f"weights quantised to {bits} by torchao ")
    assert ("one sentence at a time" in model.identity.derived) == bool(more)
    assert model.identity.stored_dtype == "F32+I8"
    assert model.identity.encoder == "transformers"


@with_torchao
@pytest.mark.parametrize("way", WAYS[2:])
def test_rounded_activations_are_those_of_the_sentence_alone(
    bases: dict[str, Path], tmp_path: Path, way: str
) -> None:
    """What else is in a batch changes no bit, nor the states, nor the attention."""
    model = load(saved(bases["bert"], tmp_path / "quantised", way))
    texts = [f"{word} is a {model.mask_token} ." for word in ("he", "she", "nurse", "Paris", "it")]
    sentences = [one.ids for one in model.encode(texts)]
    place = sentences[0].index(model.mask_id)
    together = model.log_probs(sentences, [(row, place) for row in range(len(sentences))])
    for row, ids in enumerate(sentences):
        # The head's product, in float32, may round its last bit otherwise with more rows.
        alone = model.log_probs([ids], [(0, place)])[0]
        np.testing.assert_allclose(together[row], alone, rtol=0, atol=1e-5)
    states = np.concatenate([model.states([ids]) for ids in sentences])
    assert np.array_equal(model.states(sentences), states)
    attention = np.concatenate([model.attention([ids]) for ids in sentences])
    np.testing.assert_allclose(model.attention(sentences), attention, rtol=0, atol=1e-7)


@with_torchao
def test_a_model_that_was_quantised_from_bfloat16_is_run_in_float32(
    bases: dict[str, Path], tmp_path: Path
) -> None:
    """As transformers runs it where float32 is asked for; its scales stay as they are."""
    folder = saved(bases["bert"], tmp_path / "quantised", "int8", torch.bfloat16)
    plain, _ = oracle.load(folder)
    assert derived.largest_difference(load(folder), plain) <= derived.ALIKE


@with_torchao
def test_what_its_metadata_say_is_part_of_what_a_model_is(int8: Path, tmp_path: Path) -> None:
    """The same tensors that are multiplied otherwise are another model; a copy is the same."""
    copy = shutil.copytree(int8, tmp_path / "copy")
    here = load(int8).identity
    assert load(copy).identity.without_names() == here.without_names()
    dynamic = json.dumps(
        {
            "_type": "QuantizeTensorToInt8Kwargs",
            "_data": {"granularity": {"_type": "PerRow", "_data": {"dim": -1}}},
        }
    )
    described(copy, '"act_quant_kwargs": null', f'"act_quant_kwargs": {dynamic}')
    other = load(copy).identity
    assert other.weights != here.weights
    assert "activations" in other.derived


@with_torchao
def test_a_quantised_model_is_run_in_no_other_precision(int8: Path) -> None:
    """Its products are torchao's."""
    with pytest.raises(InputError, match="leave out --dtype"):
        load(int8, engine=Engine(dtype="bfloat16"))


# What is refused


def described(folder: Path, old: str, new: str) -> None:
    """Replace a text in what the file of weights says of each tensor."""
    with safe_open(folder / WEIGHTS, "pt") as file:
        metadata = {key: text.replace(old, new) for key, text in file.metadata().items()}
    save_file(load_file(folder / WEIGHTS), folder / WEIGHTS, metadata=metadata)


def without(part: str) -> Callable[[Path], None]:
    """Return a function that leaves out one stored part of a weight."""

    def spoil(folder: Path) -> None:
        with safe_open(folder / WEIGHTS, "pt") as file:
            metadata = file.metadata()
        tensors = load_file(folder / WEIGHTS)
        del tensors[f"{QUERY}._weight_{part}"]
        save_file(tensors, folder / WEIGHTS, metadata=metadata)

    return spoil


def nan_scale(folder: Path) -> None:
    """Put a NaN into the scales of a weight."""
    with safe_open(folder / WEIGHTS, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(folder / WEIGHTS)
    tensors[f"{QUERY}._weight_scale"][0] = torch.nan
    save_file(tensors, folder / WEIGHTS, metadata=metadata)


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "no scales": (without("scale"), f"{QUERY}.weight was quantised, and the checkpoint lacks "),
    "no numbers": (without("qdata"), f"lacks {QUERY}._weight_qdata"),
    "no scale named": (
        lambda folder: described(folder, '"qdata", "scale"', '"qdata"'),
        "lacks its scale",
    ),
    "a scale of NaN": (nan_scale, f"{QUERY}.weight holds values that are not finite"),
    "another class": (
        lambda folder: described(folder, '"Int8Tensor"', '"NVFP4Tensor"'),
        "is stored as 'NVFP4Tensor', which is not run on a processor",
    ),
    "a class inside": (
        lambda folder: described(
            folder, '"act_quant_kwargs": null', '"act_quant_kwargs": {"_type": "Other", "_data": 1}'
        ),
        "is stored as 'Int8Tensor', which is not run",
    ),
    "nothing said": (
        lambda folder: described(folder, '"Int8Tensor"', '"Tensor"'),
        "config.json says that torchao quantised its weights, but model.safetensors has none",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_quantised_weights_that_are_not_whole_are_one_line(
    int8: Path, tmp_path: Path, kind: str
) -> None:
    """What is lacking, by its name in the file."""
    folder = shutil.copytree(int8, tmp_path / "broken")
    spoil, expected = BROKEN[kind]
    spoil(folder)
    assert expected in derived.refused(folder)


ELSEWHERE: dict[str, tuple[Any, str]] = {
    "bitsandbytes": (
        {"quant_method": "bitsandbytes", "load_in_8bit": True},
        "needs the library bitsandbytes and a CUDA GPU and is not run here",
    ),
    "bitsandbytes of old": ({"load_in_4bit": True}, "needs the library bitsandbytes and a CUDA"),
    "GPTQ": ({"quant_method": "gptq", "bits": 4}, "needs GPTQ's kernels and a CUDA GPU"),
    "AWQ": ({"quant_method": "awq", "bits": 4}, "needs AWQ's kernels and a CUDA GPU"),
    "another": ({"quant_method": "hqq"}, "with 'hqq', which needs a library of its own for 'hqq'"),
    "no method": ({"bits": 4}, "with 'None'"),
    "no object": ([1], "has a quantization_config that is no object"),
    "an old torchao": (
        {"quant_method": "torchao", "quant_type": "int8_weight_only"},
        "quantised in an old form of torchao, which is not run here",
    ),
    "float8": (
        {"quant_method": "torchao", "quant_type": {"default": {"_type": "Float8WeightOnlyConfig"}}},
        "in the way 'Float8WeightOnlyConfig' of torchao, which is not run here",
    ),
    "a function": (
        {"quant_method": "torchao", "quant_type": {"default": {"_type": "quantize_"}}},
        "in the way 'quantize_' of torchao",
    ),
    "a function inside": (
        {
            "quant_method": "torchao",
            "quant_type": {
                "default": {"_type": "Int8WeightOnlyConfig", "_data": {"a": {"_type": "autoquant"}}}
            },
        },
        "config.json names 'autoquant' under quantization_config",
    ),
    "a pattern": (
        {
            "quant_method": "torchao",
            "quant_type": {"default": {"_type": "Int8WeightOnlyConfig"}},
            "modules_to_not_convert": [r"([\w.]+)+!"],
        },
        "no names of modules under modules_to_not_convert",
    ),
}


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_what_is_not_run_here_is_one_line_with_what_it_needs(
    bases: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    """And with what to do instead; torchao need not be there."""
    folder = shutil.copytree(bases["bert"], tmp_path / "copy")
    said, expected = ELSEWHERE[kind]
    tiny._edit_json(folder / CONFIG, {"quantization_config": said})
    assert expected in derived.refused(folder)


def test_without_torchao_the_line_says_what_to_install(
    int8: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra."""
    monkeypatch.setattr(quantised, "find_spec", lambda _name: None)
    assert 'pip install "maskaudit[quantised]"' in derived.refused(int8)
