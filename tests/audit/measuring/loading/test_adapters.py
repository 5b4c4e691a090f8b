"""Adapters are merged onto the base that they name, and score as peft runs them beside it."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from maskaudit.audit.measuring.backends.torch_model import load
from tests import derived, tiny

pytestmark = pytest.mark.usefixtures("one_thread")
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
# The products of a layer by architecture: one of the attention, one of the feed-forward pass.
MODULES = {"bert": ["query", "output.dense"], "distilbert": ["q_lin", "lin2"]}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model of each of two architectures."""
    root = tmp_path_factory.mktemp("models")
    return {name: tiny.build(root / name, name) for name in MODULES}


@pytest.fixture(scope="module")
def lora(bases: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA on the tiny BERT."""
    peft = pytest.importorskip("peft", reason="adapters are merged by peft")
    folder = tmp_path_factory.mktemp("models") / "lora"
    settings = peft.LoraConfig(target_modules=MODULES["bert"], r=4)
    return derived.adapted(bases["bert"], folder, settings)


# What is scored


KINDS: dict[str, Callable[[Any, list[str]], Any]] = {
    "LoRA": lambda peft, names: peft.LoraConfig(target_modules=names, r=4, lora_alpha=8),
    "rsLoRA on all": lambda peft, _: peft.LoraConfig(target_modules="all-linear", use_rslora=True),
    "DoRA": lambda peft, names: peft.LoraConfig(target_modules=names, use_dora=True),
    "LoRA and biases": lambda peft, names: peft.LoraConfig(target_modules=names, bias="all"),
    "IA3": lambda peft, names: peft.IA3Config(target_modules=names, feedforward_modules=names[1:]),
    "LoHa": lambda peft, names: peft.LoHaConfig(target_modules=names),
    "LoKr": lambda peft, names: peft.LoKrConfig(target_modules=names),
}


@pytest.mark.parametrize(
    ("architecture", "kind"), [*(("bert", kind) for kind in KINDS), ("distilbert", "LoRA")]
)
def test_a_merged_adapter_scores_as_peft_runs_it_beside_its_base(
    bases: dict[str, Path], tmp_path: Path, architecture: str, kind: str
) -> None:
    """To 1e-4 nats at every piece; and not as its base does."""
    peft = pytest.importorskip("peft", reason="adapters are merged by peft")
    base = bases[architecture]
    settings = KINDS[kind](peft, MODULES[architecture])
    folder = derived.adapted(base, tmp_path / "adapter", settings)
    model = load(folder)
    assert derived.largest_difference(model, derived.beside(base, folder)) <= derived.ALIKE
    assert derived.largest_difference(load(base), derived.beside(base, folder)) > derived.ALIKE
    assert (
        kind.split(maxsplit=1)[0].removeprefix("rs").replace("DoRA", "LoRA")
        in model.identity.derived
    )
    assert model.identity.encoder == "packed"  # as fast as any other


def test_an_adapter_is_known_by_the_digests_of_both_and_by_its_settings(
    bases: dict[str, Path], lora: Path, tmp_path: Path
) -> None:
    """Neither its folder nor the order of its keys counts; the base and each setting do."""
    here = load(lora).identity
    base = load(bases["bert"]).identity
    assert here.files.keys() == {tiny.WEIGHTS_FILE, WEIGHTS}
    assert here.files[tiny.WEIGHTS_FILE] == base.files[tiny.WEIGHTS_FILE]
    assert here.weights != base.weights
    assert here.tokenizer == base.tokenizer

    copy = shutil.copytree(lora, tmp_path / "copy")
    settings = json.loads((copy / CONFIG).read_text())
    (copy / CONFIG).write_text(json.dumps(dict(reversed(settings.items()))))
    assert load(copy).identity.without_names() == here.without_names()
    (copy / CONFIG).write_text(json.dumps(settings | {"lora_alpha": 99}))
    assert load(copy).identity.weights != here.weights
    other = tiny.build(tmp_path / "other", "bert", seed=5)
    (copy / CONFIG).write_text(json.dumps(settings | {"base_model_name_or_path": str(other)}))
    assert load(copy).identity.weights != here.weights


def test_a_base_is_found_beside_its_adapter(
    bases: dict[str, Path], lora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path is taken from the adapter's folder first, then from where one is."""
    shutil.copytree(bases["bert"], tmp_path / "base")
    adapter = shutil.copytree(lora, tmp_path / "adapters" / "one")
    for written, folder in (("../../base", "/"), ("base", str(tmp_path))):
        monkeypatch.chdir(folder)
        tiny._edit_json(adapter / CONFIG, {"base_model_name_or_path": written})
        assert load(adapter).identity.weights == load(lora).identity.weights


# What is refused before peft is asked


def edited(**changes: Any) -> Callable[[Path], None]:
    """Return a function that changes keys of the adapter's settings."""
    return lambda folder: tiny._edit_json(folder / CONFIG, changes)


def pickled(folder: Path) -> None:
    """Leave a pickle where the tensors were."""
    (folder / WEIGHTS).rename(folder / "adapter_model.bin")


def beside_a_model(folder: Path) -> None:
    """Put a config of a model into the folder."""
    (folder / "config.json").write_text('{"model_type": "bert"}')


PLAINLY_BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "a classifier": (edited(task_type="SEQ_CLS"), "trained with a classifier of sentences"),
    "a causal model": (edited(task_type="CAUSAL_LM"), "trained with a causal language model"),
    "a prompt": (edited(peft_type="PROMPT_TUNING"), "of the kind 'PROMPT_TUNING'; expected LORA"),
    "no kind": (edited(peft_type=None), "of the kind 'None'"),
    "code": (edited(megatron_config={"a": 1}), "has 'megatron_config' = \"{'a': 1}\", which"),
    "a newer peft": (edited(from_the_future=True), "has 'from_the_future' = 'True', which is not"),
    "a changed base": (
        edited(init_lora_weights="pissa_niter_1000000000"),
        "'pissa_niter_1000000000', which begins from other weights than its base has",
    ),
    "a huge rank": (edited(r=10**9), "has 'r' = '1000000000', but no side of its tensors is"),
    "a huge rank of one": (edited(rank_pattern={"query": 10**9}), "has 'rank_pattern' = '1000"),
    "a rank in words": (edited(r="many"), "has 'r' = 'many', but no side"),
    "layers again": (edited(layer_replication=[[0, 10**9]]), "has 'layer_replication' = "),
    "a pattern": (edited(target_modules="(.*)*x"), "has a pattern under target_modules"),
    "many names": (edited(target_modules=["query"] * 10_001), "has 10,001 entries under 'target"),
    "many layers": (edited(layers_to_transform=[0] * 20_000), "has 20,000 entries under 'layers"),
    "a pattern of ranks": (edited(rank_pattern={"(a+)+b": 3}), "a pattern under rank_pattern"),
    "no base": (edited(base_model_name_or_path=None), "names no base"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "an adapter with no weights"),
    "a pickle": (pickled, "adapter_model.bin, pickled weights that can run code; expected"),
    "a model too": (beside_a_model, "and a model of its own"),
    "no such base": (
        edited(base_model_name_or_path="org/nowhere", revision="abc"),
        f"that its {CONFIG} names cannot be used: model org/nowhere@abc: not in the local cache",
    ),
    "no folder": (
        edited(base_model_name_or_path="./gone"),
        "model ./gone: the path does not exist",
    ),
}


@pytest.mark.parametrize("kind", PLAINLY_BAD)
def test_a_folder_that_is_no_adapter_of_a_masked_lm_is_one_line(tmp_path: Path, kind: str) -> None:
    """What was found, and what to do; peft need not be there."""
    folder = tmp_path / "adapter"
    folder.mkdir()
    settings = {"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 4}
    (folder / CONFIG).write_text(json.dumps(settings))
    save_file({"a": torch.zeros(4)}, folder / WEIGHTS)
    spoil, expected = PLAINLY_BAD[kind]
    spoil(folder)
    assert expected in derived.refused(folder)


def test_without_peft_the_line_says_what_to_install(
    bases: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra."""
    folder = tmp_path / "adapter"
    folder.mkdir()
    settings = {"peft_type": "LORA", "base_model_name_or_path": str(bases["bert"])}
    (folder / CONFIG).write_text(json.dumps(settings))
    save_file({"a": torch.zeros(4)}, folder / WEIGHTS)
    monkeypatch.setitem(sys.modules, "peft", None)
    assert 'pip install "maskaudit[adapters]"' in derived.refused(folder)


# What is refused when it is merged


def changed(change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Any:
    """Return a function that changes the adapter's tensors."""

    def spoil(folder: Path) -> None:
        save_file(change(load_file(folder / WEIGHTS)), folder / WEIGHTS)

    return spoil


def first(tensors: dict[str, torch.Tensor]) -> str:
    """The name of the first tensor."""
    return min(tensors)


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "one lacks": (
        changed(lambda t: {key: own for key, own in t.items() if key != first(t)}),
        "lacks 'base_model.model.bert.encoder.layer.0.",
    ),
    "one more": (
        changed(lambda t: {**t, "base_model.model.bert.nowhere.lora_A.weight": torch.ones(1)}),
        "has 'base_model.model.bert.nowhere.lora_A.weight', which the base has no place for",
    ),
    "NaN": (
        changed(lambda t: {key: own * torch.nan for key, own in t.items()}),
        "peft cannot merge the adapter into its base",
    ),
    "another shape": (
        changed(lambda t: {key: own[:1] for key, own in t.items()}),
        "peft cannot merge the adapter into its base",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_an_adapter_that_does_not_fit_is_one_line(lora: Path, tmp_path: Path, kind: str) -> None:
    """Nothing is left random, and nothing is left out."""
    folder = shutil.copytree(lora, tmp_path / "adapter")
    spoil, expected = BAD[kind]
    spoil(folder)
    assert expected in derived.refused(folder)


def test_an_adapter_of_another_architecture_or_of_an_adapter_is_one_line(
    bases: dict[str, Path], lora: Path, tmp_path: Path
) -> None:
    """The base is another than it was trained on."""
    folder = shutil.copytree(lora, tmp_path / "adapter")
    edited(base_model_name_or_path=str(bases["distilbert"]))(folder)
    assert "peft cannot merge the adapter into its base" in derived.refused(folder)
    edited(base_model_name_or_path=str(lora))(folder)
    assert "cannot be used" in derived.refused(folder)


def test_an_adapter_of_a_shared_matrix_is_one_line(bases: dict[str, Path], tmp_path: Path) -> None:
    """Merged into the head it would change the embeddings too, which it does not beside them."""
    peft = pytest.importorskip("peft", reason="adapters are merged by peft")
    settings = peft.LoraConfig(target_modules=["vocab_projector"])
    folder = derived.adapted(bases["distilbert"], tmp_path / "adapter", settings)
    assert "nats apart from what it gives beside it" in derived.refused(folder)
