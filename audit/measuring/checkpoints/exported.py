"""A folder with a model that was exported for another library, and which file of it is taken."""

from collections.abc import Iterable
from pathlib import Path

from maskaudit.audit.errors import InputError

# What is taken first, as optimum and optimum-intel write it; and where else a file may lie.
_USUAL = {
    "onnx": ("model.onnx", "onnx/model.onnx"),
    "openvino": ("openvino_model.xml", "openvino/openvino_model.xml"),
}
_OTHERS = {"onnx": ("*.onnx", "onnx/*.onnx"), "openvino": ()}
# With weights of its own a folder is a checkpoint, whatever else was exported into it.
_WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin*")
_NAMES = {"onnx": "ONNX Runtime", "openvino": "OpenVINO"}


def engines_of(model: str) -> list[str]:
    """The engines whose files are in the folder of this name; none for a checkpoint or the hub."""
    try:
        folder = Path(model.strip()).expanduser()
        if not folder.is_dir() or any(_there(folder, _WEIGHTS)):
            return []
        return [engine for engine in _USUAL if _there(folder, (*_USUAL[engine], *_OTHERS[engine]))]
    except (OSError, RuntimeError):
        return []


def chosen(model: str, name: str, engine: str) -> str:
    """Which engine runs a folder of exported files, when the settings ask for `engine`.

    Raises `InputError` if the folder has no file for it, or files for two.
    """
    found = engines_of(model)
    if engine == "auto" and len(found) == 1:
        return found[0]
    if engine in found:
        return engine
    files = " and ".join(f"a file for {_NAMES[own]}" for own in found)
    options = " or ".join(f"--engine {own}" for own in found)
    if engine == "auto":
        raise InputError(f"model {name}: the folder has {files}; say which: {options}")
    raise InputError(
        f"model {name}: the folder has {files} and no weights that --engine {engine} runs; leave "
        f"it out, or give {options}"
    )


def file_of(folder: Path, name: str, engine: str) -> Path:
    """The file of a model in a folder. Raises `InputError` if it could be one of several."""
    usual = [folder / file for file in _USUAL[engine] if (folder / file).is_file()]
    found = usual[:1] or sorted(_there(folder, _OTHERS[engine]))
    if len(found) == 1:
        return found[0]
    names = ", ".join(str(path.relative_to(folder)) for path in found[:4])
    raise InputError(
        f"model {name}: found {len(found)} files for {_NAMES[engine]} ({names}"
        f"{', …' if found[4:] else ''}); put the one to audit into a folder of its own as "
        f"{_USUAL[engine][0]}, with config.json and the tokenizer"
    )


def _there(folder: Path, patterns: Iterable[str]) -> list[Path]:
    return [path for pattern in patterns for path in folder.glob(pattern) if path.is_file()]
