"""Recognise or refuse what a folder contains, before a library opens any of its files."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as _MASKED

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.located import FETCHED, first_line
from maskaudit.audit.texts import bounded

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
# Systems have no longer names of files, and say so by an error of their own.
_LONGEST_NAME = 200
# What peft writes for an adapter, in a folder of its own.
ADAPTER, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_SENTENCE_TRANSFORMERS = ("modules.json", "config_sentence_transformers.json")
# A tokenizer needs one of these; its other files contain only settings.
_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model", "bpe.codes")
# Files that are read whole, as a tokenizer's are.
_READ_WHOLE = {".json", ".txt", ".model", ".codes", ".jinja", ".vocab", ".tiktoken"}
_PICKLED = {".bin", ".pt", ".pth", ".ckpt"}
# File patterns of weights for other programs, with the program that runs them.
_FOREIGN = {
    "*.onnx": "ONNX Runtime",
    "onnx/*.onnx": "ONNX Runtime",
    "openvino_model.xml": "OpenVINO",
    "openvino/*.xml": "OpenVINO",
    "*.gguf": "llama.cpp",
    "tf_model*.h5": "TensorFlow",
    "flax_model*.msgpack": "Flax",
    "rust_model.ot": "rust-bert",
}
# Older versions of transformers can convert these two, which contain the whole model.
_CONVERTED = {"TensorFlow": "from_tf", "Flax": "from_flax"}
_CLASSIFIER = re.compile(r"For(Sequence|Token|Image|Next|Multiple|Question)\w+$")
_OTHER_HEADS = {"classifier", "pre_classifier", "qa_outputs", "score", "summary"}
# XLM's and FlauBERT's masked LMs are called ...WithLMHeadModel.
_CAUSAL = re.compile(r"(ForCausalLM|(?<!With)LMHeadModel)$")


def recognise(folder: Path, name: str) -> None:
    """Refuse a folder that clearly contains something other than a masked LM.

    The `InputError` is one line: what the folder contains, what was expected, what to do.
    """
    kinds = (_empty, _adapter, _sentence_transformer, _trainer_output, _other_model)
    check_readable(folder, name)
    _refuse(folder, name, kinds)


def check_readable(folder: Path, name: str) -> None:
    """Refuse a folder with a file that a library would wait for, or a link that leads nowhere."""
    _refuse(folder, name, (_unfit, _dangling))


def _refuse(folder: Path, name: str, kinds: Iterable[Callable[[Path], str]]) -> None:
    try:
        fault = next((fault for kind in kinds if (fault := kind(folder))), "")
    except OSError as error:
        raise InputError(f"model {name}: the folder cannot be read ({error.strerror})") from error
    if fault:
        raise InputError(f"model {name}: {fault}")


def has_vocabulary(folder: Path) -> bool:
    """Whether a tokenizer can be read from the folder."""
    return any(_matching(folder, *_VOCABULARIES))


def check_tokenizer(folder: Path, name: str) -> None:
    """Refuse a folder without a vocabulary: transformers would invent one of five pieces."""
    if not has_vocabulary(folder):
        raise InputError(
            f"model {name}: the folder has no tokenizer (no tokenizer.json, vocab.txt or *.model); "
            "save the tokenizer of the model it was trained from into the same folder: "
            "AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER)"
        )


def weight_files(folder: Path, name: str) -> list[Path]:
    """The files that contain the weights: a single file, or the shards that an index lists.

    Raises `InputError` if there are no safetensors, or the index lists a file that is missing.
    """
    single, index = folder / WEIGHTS, folder / f"{WEIGHTS}.index.json"
    if single.is_file():
        return [single]
    if not index.is_file():
        raise InputError(f"model {name}: found {_other_weights(folder)}")
    file_of = json_object(index, name).get("weight_map")
    shards = sorted({str(file) for file in file_of.values()}) if isinstance(file_of, dict) else []
    if not shards or any(Path(file).suffix != ".safetensors" for file in shards):
        raise InputError(
            f"model {name}: {index.name} lists no shards; expected *.safetensors files"
        )
    for file in shards:
        # A name with a folder in it could point anywhere on the disk.
        if Path(file).name != file or len(file) > _LONGEST_NAME or not (folder / file).is_file():
            fault = f"lists {file[:100]!r}, which is not a file in the folder"
            raise InputError(f"model {name}: {index.name} {fault}; fetch the model again")
    return [folder / file for file in shards]


def json_object(path: Path, name: str, most: int = bounded.CONFIG) -> dict[str, Any]:
    """Read a JSON file of the model's folder; raises `InputError` if it is not a JSON object."""
    try:
        value = bounded.json_value(bounded.content(path, most))
    except bounded.UnfitFileError as error:
        raise InputError(f"model {name}: {path.name} {error.strerror}") from error
    except OSError as error:
        raise InputError(f"model {name}: {path.name} is missing or cannot be read") from error
    except ValueError as error:
        fault = f"{path.name} is not valid JSON ({first_line(error)})"
        raise InputError(f"model {name}: {fault}") from error
    if not isinstance(value, dict):
        raise InputError(f"model {name}: {path.name} is not a JSON object")
    return value


def _unfit(folder: Path) -> str:
    """Name a file that a library would wait for, or fill memory with."""
    for path in sorted(folder.iterdir()):
        # Not `is_file`, which is false of a pipe: a library would wait for what comes out of it.
        if path.exists() and not path.is_dir():
            most = bounded.TOKENIZER if path.suffix in _READ_WHOLE else bounded.WEIGHTS
            try:
                bounded.check_regular(path, most)
            except bounded.UnfitFileError as error:
                return f"{path.name} {error.strerror}"
    return ""


def _empty(folder: Path) -> str:
    if any(folder.iterdir()):
        return ""
    return (
        f"the folder is empty; expected {CONFIG}, {WEIGHTS} and a tokenizer's files, as "
        "save_pretrained(FOLDER) of the model and of its tokenizer writes them"
    )


def _dangling(folder: Path) -> str:
    """Name a file of the model that is a link to nothing, which libraries take for absent."""
    links = sorted(
        path.name
        for path in folder.iterdir()
        if any(path.match(pattern) for pattern in FETCHED) and not path.exists()
    )
    return f"{links[0]} is a link that leads nowhere; fetch the model again" if links else ""


def _adapter(folder: Path) -> str:
    path = folder / ADAPTER
    if not path.exists():
        return ""
    base = _settings(path).get("base_model_name_or_path")
    of_base = f" of {base[:100]!r}" if isinstance(base, str) else ""
    return (
        f"the folder holds an adapter{of_base} ({ADAPTER}), which names another model to load; "
        "merge it (merge_and_unload) and save the whole model"
    )


def _sentence_transformer(folder: Path) -> str:
    named = [name for name in _SENTENCE_TRANSFORMERS if (folder / name).exists()]
    inner = folder / "0_Transformer"
    config = folder / CONFIG if (folder / CONFIG).exists() else inner / CONFIG
    # A sparse encoder is saved with its masked-LM head, and can be audited.
    if not named or any("MaskedLM" in name for name in _architectures(config)):
        return ""
    return (
        f"the folder holds a sentence-transformers model ({named[0]}), which has no masked-LM "
        "head; name the masked LM that it was trained from"
    )


def _trainer_output(folder: Path) -> str:
    checkpoints = {
        int(path.name.removeprefix("checkpoint-")): path.name
        for path in folder.glob("checkpoint-*")
        if path.is_dir() and path.name.removeprefix("checkpoint-").isdecimal()
    }
    if not checkpoints or _matching(folder, "*.safetensors", f"{WEIGHTS}.index.json"):
        return ""
    # By number: as text, checkpoint-500 would come after checkpoint-1000.
    last = checkpoints[max(checkpoints)]
    return (
        f"the folder holds the checkpoints of a training run ({len(checkpoints)}, the last is "
        f"{last}) and no weights of its own; expected one checkpoint: name FOLDER/{last}"
    )


def _other_model(folder: Path) -> str:
    """Describe a classifier or a causal LM, unless its weights or model type suggest a masked LM.

    The class in config.json alone does not decide: a masked LM may carry another class's name.
    """
    may_be_masked = str(_settings(folder / CONFIG).get("model_type")) in _MASKED
    for name in _architectures(folder / CONFIG):
        if _CLASSIFIER.search(name) and _has_other_head(folder):
            return (
                f"the folder holds a classifier ({name}), whose masked-LM head was replaced when "
                "it was fine-tuned; name the masked LM that it was fine-tuned from"
            )
        if _CAUSAL.search(name) and not may_be_masked:
            return (
                f"the folder holds a causal language model ({name}), which does not read what "
                "follows a word; expected a masked LM, such as BERT, DistilBERT or RoBERTa"
            )
    return ""


def _has_other_head(folder: Path) -> bool:
    """Whether the weights include a classifier's head; True if they cannot be read."""
    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as tensors:
            return any(str(key).partition(".")[0] in _OTHER_HEADS for key in tensors.keys())  # noqa: SIM118 - it is no dict
    except (OSError, SafetensorError):
        return True


def _other_weights(folder: Path) -> str:
    """Describe what the folder contains instead of safetensors, and what to do about it."""
    for pattern, program in _FOREIGN.items():
        if files := _matching(folder, pattern):
            found = f"{files[0].relative_to(folder)}, weights for {program}; expected {WEIGHTS}"
            if program in _CONVERTED:
                return (
                    f"{found}: convert them with transformers 4 (from_pretrained(FOLDER, "
                    f"{_CONVERTED[program]}=True), then save_pretrained)"
                )
            return f"{found}: name the model that they were exported from"
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLED)
    found = f"{pickled[0]}, pickled weights that can run code" if pickled else "no weights"
    return f"{found}; expected {WEIGHTS} (convert with save_pretrained)"


def _architectures(config: Path) -> list[str]:
    """The classes that a config names; empty if it cannot be read, which is refused later."""
    named = _settings(config).get("architectures")
    names = named if isinstance(named, list) else []
    # Cut, because the names are printed and a config may come from a stranger.
    return [name[:100] for name in names if isinstance(name, str)]


def _settings(path: Path) -> dict[str, Any]:
    # For what a folder seems to hold; a config that cannot be read is refused when it is loaded.
    try:
        return json_object(path, "")
    except InputError:
        return {}


def _matching(folder: Path, *patterns: str) -> list[Path]:
    """The folder's files that match a pattern, sorted; dangling links are left out."""
    return sorted(path for pattern in patterns for path in folder.glob(pattern) if path.is_file())
