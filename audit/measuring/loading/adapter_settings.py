"""The settings of an adapter, looked at before peft builds anything from them.

They may come from a stranger, and peft imports, allocates and matches what they name. So only what
was tried here is passed on: everything else has to be absent, empty, or as peft sets it by itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from maskaudit.audit.measuring.checkpoints.checkpoint import ADAPTER

# Kinds that peft can merge and that were tried here, with their names in words.
KINDS = {"LORA": "LoRA", "IA3": "IA3", "LOHA": "LoHa", "LOKR": "LoKr"}
# Keys that say where an adapter came from, not what it does.
NAMES = {
    "auto_mapping",
    "base_model_name_or_path",
    "inference_mode",
    "peft_version",
    "revision",
    "task_type",
}
# What an adapter of another task has learnt is read by a head that a masked LM does not have.
_TASKS = {
    "SEQ_CLS": "a classifier of sentences",
    "TOKEN_CLS": "a classifier of words",
    "QUESTION_ANS": "a reader of answers",
    "CAUSAL_LM": "a causal language model",
    "SEQ_2_SEQ_LM": "a text-to-text model",
}
# Keys of which peft takes a text for a pattern, and those whose own keys are patterns. A pattern of
# a stranger can take longer than a life, so only names are matched.
_PATTERNS = ("target_modules", "exclude_modules", "feedforward_modules", "layers_pattern")
_KEYED = ("rank_pattern", "alpha_pattern")
_PLAIN = re.compile(r"\^?[\w.-]*\$?")
_RANKS = ("r", "rank_pattern")
# More than any masked LM has modules: peft holds each of them against each entry.
_MOST_ENTRIES = 10_000
# How the tensors are begun, before those of the file take their place. By a name, other than this
# one, the base may be changed too.
_BEGUN = ("init_lora_weights", "init_weights", "init_ia3_weights")
_USUAL = "gaussian"
_TRIED = {
    *NAMES,
    *_PATTERNS,
    *_KEYED,
    *_RANKS,
    *_BEGUN,
    "alpha",
    "bias",
    "decompose_both",
    "decompose_factor",
    "fan_in_fan_out",
    "layers_to_transform",
    "lora_alpha",
    "lora_bias",
    "lora_dropout",
    "module_dropout",
    "modules_to_save",
    "peft_type",
    "rank_dropout",
    "rank_dropout_scale",
    "use_dora",
    "use_effective_conv2d",
    "use_rslora",
}
# What peft writes under other keys where nothing was asked for.
_DEFAULTS = {
    "megatron_core": "megatron.core",
    "qalora_group_size": 16,
    "runtime_config": {"ephemeral_gpu_offload": False},
}
_MERGE = "merge it (merge_and_unload) where it runs, and save the whole model"


def fault(settings: Mapping[str, Any], largest: int) -> str:
    """What in the settings of an adapter cannot be used; empty if nothing does.

    `largest` is the largest side of its stored tensors, which no rank exceeds.
    """
    base = settings.get("base_model_name_or_path")
    kind, task = str(settings.get("peft_type"))[:100], settings.get("task_type")
    if not isinstance(base, str) or not base.strip():
        return f"{ADAPTER} names no base; expected base_model_name_or_path = a folder or a hub id"
    if isinstance(task, str) and task in _TASKS:
        return (
            f"the adapter is of the task {task}, so it was trained with {_TASKS[task]}; expected "
            f"one of a masked LM: name the base, {base[:100]!r}, instead"
        )
    if kind not in KINDS:
        return (
            f"the folder holds an adapter of the kind {kind!r}; expected {', '.join(KINDS)}: "
            f"{_MERGE}"
        )
    return next(_faults(settings, largest), "")


def _faults(settings: Mapping[str, Any], largest: int) -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, list | dict) and len(value) > _MOST_ENTRIES:
            yield (
                f"{ADAPTER} has {len(value):,} entries under {key[:60]!r}; expected at most "
                f"{_MOST_ENTRIES:,}: fetch the adapter again"
            )
        if key not in _TRIED and value and value != _DEFAULTS.get(key):
            yield f"{ADAPTER} has {_said(key, value)}, which is not merged here: {_MERGE}"
    for key in _BEGUN:
        if not isinstance(settings.get(key), bool | None) and settings[key] != _USUAL:
            yield (
                f"{ADAPTER} has {_said(key, settings[key])}, which begins from other weights than "
                f"its base has; {_MERGE}"
            )
    for key, pattern in _patterns(settings):
        if not _PLAIN.fullmatch(pattern):
            yield (
                f"{ADAPTER} has a pattern under {key} ({pattern[:60]!r}); expected the names of "
                "modules: write them as a list"
            )
    for key, rank in _ranks(settings):
        if not isinstance(rank, int) or rank > largest:
            yield (
                f"{ADAPTER} has {_said(key, rank)}, but no side of its tensors is longer than "
                f"{largest}; fetch the adapter again"
            )


def _said(key: str, value: object) -> str:
    return f"{key[:60]!r} = {str(value)[:60]!r}"


def _patterns(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each text that peft would take for a pattern, with its key."""
    for key in _PATTERNS:
        value = settings.get(key)
        # In a list of modules each is a name; in one of layers each is a pattern.
        several = value if isinstance(value, list) and key == "layers_pattern" else [value]
        yield from ((key, text) for text in several if isinstance(text, str))
    for key in _KEYED:
        value = settings.get(key)
        yield from ((key, str(text)) for text in (value if isinstance(value, dict) else ()))


def _ranks(settings: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Each number of rows that peft would make tensors of, with its key."""
    if settings.get("r") is not None:
        yield "r", settings["r"]
    by_name = settings.get("rank_pattern")
    yield from (
        ("rank_pattern", rank) for rank in (by_name.values() if isinstance(by_name, dict) else ())
    )


__all__ = ["KINDS", "NAMES", "fault"]
