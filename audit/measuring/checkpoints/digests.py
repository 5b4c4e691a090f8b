"""SHA-256 digests of a checkpoint's tensors, files, config and tokenizer."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskaudit.audit.texts import bounded

# Config keys that change no score, or that a model's identity records elsewhere.
_NO_SETTING = {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version"}
_PLACES = {"name_or_path", "is_local", "local_files_only"}
_CHUNK = 1 << 22
# A tensor has no more sides, and none is longer: they are numbers of 64 bits.
_SIDES, _LONGEST = 64, 1 << 63
_METADATA = "__metadata__"


def tokenizer_digest(tokenizer: Any) -> str:  # noqa: ANN401 - transformers' own type
    """SHA-256 of everything that determines how a text is split, special tokens included."""
    state = _fast_state(tokenizer) if tokenizer.is_fast else _slow_state(tokenizer)
    # Which piece is the mask is a setting beside tokenizer.json.
    state["special"] = tokenizer.special_tokens_map
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _fast_state(tokenizer: Any) -> dict[str, Any]:  # noqa: ANN401
    state: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    # Each call of the tokenizer sets these two anew.
    state.pop("padding", None)
    state.pop("truncation", None)
    return state


def _slow_state(tokenizer: Any) -> dict[str, Any]:  # noqa: ANN401
    """The class, vocabulary, settings, and the bytes of the files that it was read from."""
    files = (Path(str(getattr(tokenizer, key, ""))) for key in tokenizer.vocab_files_names)
    return {
        "class": type(tokenizer).__name__,
        "vocabulary": tokenizer.get_vocab(),
        "files": {path.name: file_digest(path) for path in files if path.is_file()},
        "settings": {
            key: str(value)
            for key, value in tokenizer.init_kwargs.items()
            # A path, or whether there is one, differs from machine to machine.
            if key not in _PLACES and not key.endswith("_file")
        },
    }


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with bounded.opened(path, bounded.WEIGHTS) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _headers(files: Sequence[Path]) -> list[tuple[str, dict[str, Any], Path, int]]:
    """(name, header entry, file, offset of the file's data) of each tensor, sorted by name."""
    entries = []
    for path in files:
        header, size = _header(path)
        entries += [
            (name, entry, path, size) for name, entry in header.items() if name != _METADATA
        ]
    return sorted(entries, key=lambda entry: entry[0])


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The header of a safetensors file, and the offset at which its data begin."""
    with bounded.opened(path, bounded.WEIGHTS) as file:
        # The safetensors format: eight bytes with the header's size, the header as JSON, the
        # tensors. Offsets in the header start after it.
        size = int.from_bytes(file.read(8), "little")
        return bounded.json_value(file.read(min(size, bounded.HEADER))), 8 + size


def metadata(path: Path) -> dict[str, str]:
    """The texts that a safetensors file has beside its tensors, by name."""
    found = _header(path)[0].get(_METADATA)
    return found if isinstance(found, dict) else {}


def tensor_digest(files: Sequence[Path]) -> str:
    """SHA-256 over the name, dtype, shape and bytes of each tensor, sorted by name."""
    digest = hashlib.sha256()
    # In chunks, so that a tensor need not fit in memory.
    for name, entry, path, start in _headers(files):
        digest.update(json.dumps([name, entry["dtype"], entry["shape"]]).encode())
        first, last = entry["data_offsets"]
        with bounded.opened(path, bounded.WEIGHTS) as file:
            file.seek(start + first)
            left = last - first
            while left:
                chunk = file.read(min(_CHUNK, left))
                digest.update(chunk)
                left -= len(chunk)
    return digest.hexdigest()


def config_digest(config: Any) -> str:  # noqa: ANN401 - transformers' own type
    """SHA-256 of a config, without names, dtypes and the version of the software that wrote it."""
    settings = {k: v for k, v in config.to_dict().items() if k not in _NO_SETTING}
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()


def shapes(files: Sequence[Path]) -> dict[str, list[int]]:
    """The shape of each stored tensor by its name; raises `ValueError` for one that none has."""
    found = {name: list(entry["shape"]) for name, entry, _, _ in _headers(files)}
    for name, shape in found.items():
        # Products of sides of any length would take hours.
        if len(shape) > _SIDES or not all(type(n) is int and 0 <= n < _LONGEST for n in shape):
            raise ValueError(f"the tensor {name[:60]!r} has no shape")
    return found


def stored_dtype(files: Sequence[Path]) -> str:
    """The dtypes of the stored tensors, joined by `+`, such as `F16` or `F16+F32`."""
    return "+".join(sorted(set(dtypes(files).values())))


def dtypes(files: Sequence[Path]) -> dict[str, str]:
    """The dtype of each stored tensor by its name, as safetensors calls it (`F32`, `I64`)."""
    return {name: str(entry["dtype"]) for name, entry, _, _ in _headers(files)}
