"""A checkpoint's config, read by transformers only if nothing in it runs foreign code."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import transformers
from transformers import AutoConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.checkpoint import CONFIG, WEIGHTS, json_object
from maskaudit.audit.measuring.checkpoints.located import first_line
from maskaudit.audit.measuring.checkpoints.sizes import MOST_LAYERS, check_numbers

# The key of a config that says how weights were quantised.
QUANTISED = "quantization_config"


def load_config(  # noqa: PLR0913 - what is known of the weights, by keyword
    folder: Path,
    files: Sequence[Path],
    name: str,
    *,
    allow_native: bool = False,
    stored: int | None = None,
    may_be_quantised: bool = False,
) -> Any:  # noqa: ANN401 - transformers' own type
    """Load the config of a checkpoint with these files of weights.

    Raises `InputError` unless it is a masked LM of plain weights, or quantised in a way that the
    caller has looked at.

    A checkpoint that brings code of its own is refused, since another class than its own may give
    other numbers; with `allow_native` that of transformers takes its place, where there is one.
    `stored` is how many numbers the weights have, where the files are no safetensors.
    """
    raw = json_object(folder / CONFIG, name)
    _refuse_foreign(name, raw, {QUANTISED} if may_be_quantised else set())
    if not allow_native and own_code(raw):
        raise InputError(
            f"model {name}: config.json asks for its own code ({own_code(raw)}), which is never "
            f"run; to score transformers' own class for {str(raw.get('model_type'))!r} instead: "
            "--allow-native, or allow_native = true under [run]"
        )
    # Before transformers builds anything: a few bytes may ask for a table of any size.
    check_numbers(raw, files, name, stored)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    # Of any class: transformers raises whatever its own code meets in the file of a stranger.
    except Exception as error:
        raise InputError(
            f"model {name}: config.json cannot be used ({first_line(error)})"
        ) from error
    _check_masked(config, name)
    layers = getattr(config, "num_hidden_layers", 1)
    if not isinstance(layers, int) or not 0 < layers <= MOST_LAYERS:
        raise InputError(
            f"model {name}: config.json asks for {str(layers)[:20]} layers; expected 1 to "
            f"{MOST_LAYERS}"
        )
    if getattr(config, "is_decoder", False):
        raise InputError(
            f"model {name}: config.json says is_decoder, and a decoder does not see what follows "
            "the mask; expected a masked LM"
        )
    return config


def own_code(config: dict[str, Any]) -> str:
    """The classes that a raw config asks for in its `auto_map`; empty without one."""
    named = config.get("auto_map") or {}
    values = named.values() if isinstance(named, dict) else [named]
    return ", ".join(str(value) for value in values)


def _refuse_foreign(name: str, config: dict[str, Any], known: set[str]) -> None:
    """Refuse keys that make transformers run foreign code or load other than plain weights.

    Those that are `known` were looked at.
    """
    # A kernel's name with a slash is a hub repository, whose code transformers would download and
    # run.
    for key in ("_attn_implementation", "attn_implementation", "attn_implementation_internal"):
        values = config.get(key)
        for value in values.values() if isinstance(values, dict) else [values]:
            if value is not None and ("/" in str(value) or ":" in str(value)):
                raise InputError(
                    f"model {name}: config.json names the kernel {str(value)!r} under {key}; "
                    "kernels from elsewhere are never run: remove the key"
                )
    # For a kind that transformers knows its own class is loaded, and the code is left alone.
    is_known = str(config.get("model_type")) in transformers.CONFIG_MAPPING
    if not is_known and "auto_map" in config:
        raise InputError(
            f"model {name}: config.json asks for its own code (auto_map); code from a "
            "checkpoint is never run"
        )
    for key in {"transformers_weights", QUANTISED} - known:
        if config.get(key) is not None:
            raise InputError(
                f"model {name}: config.json has the key {key}; expected plain weights in {WEIGHTS}"
            )


def _check_masked(config: Any, name: str) -> None:  # noqa: ANN401
    kind = str(config.model_type)
    if kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        raise InputError(
            f"model {name}: config.json names the model type {kind!r}, which has no "
            "masked LM; expected a masked LM, such as BERT, DistilBERT or RoBERTa"
        )
