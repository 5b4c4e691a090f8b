"""A folder that plainly holds something else than a masked LM is said to, with what to do."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import T5Config

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.torch_model import load
from tests import tiny

WEIGHTS = tiny.WEIGHTS_FILE
Spoil = Callable[[Path], None]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny BERT."""
    return tiny.build(tmp_path_factory.mktemp("tiny") / "bert", "bert")


def emptied(folder: Path) -> None:
    """Leave nothing in the folder."""
    for path in folder.iterdir():
        path.unlink()


def trained(folder: Path) -> None:
    """Leave what a Trainer writes: each checkpoint with all its files, and none in the folder."""
    files = list(folder.iterdir())
    for name in ("checkpoint-500", "checkpoint-1000", "checkpoint-best"):
        (folder / name).mkdir()
        for file in files:
            shutil.copy(file, folder / name)
    for file in files:
        file.unlink()


def adapted(folder: Path) -> None:
    """Leave what peft writes for a prompt that was learnt."""
    emptied(folder)
    settings = '{"base_model_name_or_path": "org/base", "peft_type": "PROMPT_TUNING"}'
    (folder / "adapter_config.json").write_text(settings)
    save_file({"prompt_embeddings": torch.zeros(2, 4)}, folder / "adapter_model.safetensors")


def without(*names: str) -> Spoil:
    """Return a function that deletes these files."""

    def spoil(folder: Path) -> None:
        for name in names:
            (folder / name).unlink(missing_ok=True)

    return spoil


def instead_of_weights(name: str) -> Spoil:
    """Return a function that leaves a file of this name where the weights were."""

    def spoil(folder: Path) -> None:
        (folder / WEIGHTS).unlink()
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()

    return spoil


def of_class(name: str, model_type: str = "bert") -> Spoil:
    """Return a function that writes another class into the configuration."""
    return lambda folder: tiny._edit_json(
        folder / "config.json", {"architectures": [name], "model_type": model_type}
    )


def text_to_text(folder: Path) -> None:
    """Write the configuration of a T5."""
    T5Config(architectures=["T5ForConditionalGeneration"]).to_json_file(folder / "config.json")


def classifier(name: str, head: str) -> Spoil:
    """Return a function that puts a classifier's head in the place of the masked LM's."""

    def spoil(folder: Path) -> None:
        of_class(name)(folder)
        prefixes = tiny.HEAD_PREFIXES["bert"]
        tiny._edit_weights(
            folder,
            lambda tensors: {
                **{key: value for key, value in tensors.items() if not key.startswith(prefixes)},
                f"{head}.weight": torch.zeros(2, 2),
            },
        )

    return spoil


def sentence_transformer(folder: Path) -> None:
    """Add what sentence-transformers writes beside a headless encoder."""
    of_class("BertModel")(folder)
    (folder / "modules.json").write_text("[]")


def old_sentence_transformer(folder: Path) -> None:
    """Leave the layout with the encoder in a folder of its own."""
    files = list(folder.iterdir())
    (folder / "0_Transformer").mkdir()
    for file in files:
        file.rename(folder / "0_Transformer" / file.name)
    of_class("BertModel")(folder / "0_Transformer")
    (folder / "modules.json").write_text("[]")


KINDS: dict[str, tuple[Spoil, str, str]] = {
    "empty": (emptied, "the folder is empty; expected config.json, model.safeten", "FOLDER"),
    "Trainer": (
        trained,
        "the folder holds the checkpoints of a training run (2, the last is checkpoint-1000)",
        "name FOLDER/checkpoint-1000",
    ),
    "adapter": (
        adapted,
        "the folder holds an adapter of the kind 'PROMPT_TUNING'",
        "save the whole model",
    ),
    "sentence-transformers": (
        sentence_transformer,
        "holds a sentence-transformers model (modules.json)",
        "name the masked LM that it was trained from",
    ),
    "old sentence-transformers": (
        old_sentence_transformer,
        "holds a sentence-transformers model (modules.json)",
        "name the masked LM that it was trained from",
    ),
    "classifier": (
        classifier("BertForSequenceClassification", "classifier"),
        "holds a classifier (BertForSequenceClassification)",
        "name the masked LM that it was fine-tuned from",
    ),
    "tagger": (
        classifier("BertForTokenClassification", "classifier"),
        "holds a classifier (BertForTokenClassification)",
        "name the masked LM that it was fine-tuned from",
    ),
    "answers": (
        classifier("BertForQuestionAnswering", "qa_outputs"),
        "holds a classifier (BertForQuestionAnswering)",
        "name the masked LM that it was fine-tuned from",
    ),
    "causal": (
        of_class("GPT2LMHeadModel", "gpt2"),
        "holds a causal language model (GPT2LMHeadModel)",
        "expected a masked LM, such as BERT",
    ),
    "causal of today": (
        of_class("LlamaForCausalLM", "llama"),
        "holds a causal language model (LlamaForCausalLM)",
        "expected a masked LM, such as BERT",
    ),
    "text to text": (
        text_to_text,
        "names the model type 't5', which has no masked LM",
        "expected a masked LM, such as BERT",
    ),
    "no tokenizer": (
        without("tokenizer.json", "tokenizer_config.json", "vocab.txt"),
        "the folder has no tokenizer (no tokenizer.json, vocab.txt or *.model)",
        "save_pretrained(FOLDER)",
    ),
    "no config": (without("config.json"), "config.json is missing or cannot be read", ""),
    "ONNX": (
        instead_of_weights("model_int8.onnx"),
        "found model_int8.onnx, weights for ONNX Runtime; expected model.safetensors",
        "name the model that they were exported from",
    ),
    "ONNX in a folder": (
        instead_of_weights("onnx/model.onnx"),
        "found onnx/model.onnx, weights for ONNX Runtime",
        "name the model that they were exported from",
    ),
    "OpenVINO": (
        instead_of_weights("openvino_model.xml"),
        "found openvino_model.xml, weights for OpenVINO",
        "name the model that they were exported from",
    ),
    "TensorFlow": (
        instead_of_weights("tf_model.h5"),
        "found tf_model.h5, weights for TensorFlow",
        "from_pretrained(FOLDER, from_tf=True), then save_pretrained",
    ),
    "Flax": (
        instead_of_weights("flax_model.msgpack"),
        "found flax_model.msgpack, weights for Flax",
        "from_pretrained(FOLDER, from_flax=True), then save_pretrained",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_another_kind_is_one_line_with_what_to_do(
    sound: Path, tmp_path: Path, kind: str
) -> None:
    """What was found and what to do, by the short name of the folder."""
    spoil, found, remedy = KINDS[kind]
    folder = shutil.copytree(sound, tmp_path / "copy")
    spoil(folder)
    with pytest.raises(InputError) as caught:
        load(folder)
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"model {tmp_path.name}/copy: ")
    assert found in line
    assert remedy in line


def test_a_checkpoint_of_a_training_is_loaded(sound: Path, tmp_path: Path) -> None:
    """What the line says to name is a model; so is the folder once it has weights of its own."""
    folder = shutil.copytree(sound, tmp_path / "copy")
    trained(folder)
    named = load(folder / "checkpoint-1000").identity
    for file in (folder / "checkpoint-500").iterdir():
        shutil.copy(file, folder)
    assert load(folder).identity.weights == named.weights


@pytest.mark.parametrize("name", ["BertForSequenceClassification", "BertLMHeadModel"])
def test_a_config_that_names_another_class_than_the_weights_are_of_is_loaded(
    sound: Path, tmp_path: Path, name: str
) -> None:
    """What is in the file decides: the head is there, and nothing of it would be made up."""
    folder = shutil.copytree(sound, tmp_path / "copy")
    of_class(name)(folder)
    assert load(folder).identity.weights == load(sound).identity.weights


def test_a_sparse_encoder_that_keeps_its_head_is_loaded(sound: Path, tmp_path: Path) -> None:
    """sentence-transformers saves some masked LMs as what they are."""
    folder = shutil.copytree(sound, tmp_path / "copy")
    (folder / "modules.json").write_text("[]")
    assert load(str(folder)).identity.weights == load(sound).identity.weights


def test_a_misspelt_path_is_told_with_the_one_that_is_there(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside it, and by its name alone."""
    shutil.copytree(sound, tmp_path / "my-model")
    monkeypatch.chdir(tmp_path)
    for name in ("./my-modle", Path("my-modle")):
        with pytest.raises(InputError, match=r"does not exist; .*; did you mean 'my-model'\?"):
            load(name)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://huggingface.co/org/name", "write the hub id 'org/name'"),
        ("https://huggingface.co/org/name/tree/main", "write the hub id 'org/name'"),
        ("https://huggingface.co/bert-base-cased", "write the hub id 'bert-base-cased'"),
        (
            "https://example.org/org/name",
            (
                "expected a folder or a hub id; an endpoint is audited by `maskaudit run "
                "--candidate URL` and checked by `maskaudit verify-endpoint URL RECORD`"
            ),
        ),
    ],
)
def test_an_address_of_the_hub_is_told_with_the_id(address: str, expected: str) -> None:
    """People copy it from the browser."""
    with pytest.raises(InputError) as caught:
        load(address)
    assert str(caught.value).endswith(expected)
