"""Checkpoints that torchao quantised: the parts of their weights, and how they are run.

transformers stores a quantised weight as its parts (whole numbers, scales) in safetensors, and what
they mean in the file's metadata; torchao puts them together again. Whatever these name is compared
with a list before the libraries see it, since they make objects of it.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.checkpoint import CONFIG, WEIGHTS, json_object
from maskaudit.audit.measuring.checkpoints.config import QUANTISED
from maskaudit.audit.measuring.checkpoints.digests import metadata, shapes
from maskaudit.audit.measuring.loading.apart import run_apart
from maskaudit.audit.measuring.loading.weights import loaded_weights
from maskaudit.audit.texts import bounded

_TORCHAO = "torchao"
_MODULE = re.compile(r"[\w.-]{1,200}")
# What it takes to run a way of quantising that is not run here, by transformers' name of it.
_NEEDS = {
    "awq": "AWQ's kernels and a CUDA GPU",
    "bitsandbytes": "the library bitsandbytes and a CUDA GPU",
    "fp8": "a GPU that multiplies in float8",
    "gptq": "GPTQ's kernels and a CUDA GPU",
}
# The ways of torchao that a processor runs, by the class of their settings. Int4WeightOnlyConfig
# needs a GPU: on a processor int4 is IntxWeightOnlyConfig(torch.int4).
_WAYS = {
    "Int8WeightOnlyConfig",
    "IntxWeightOnlyConfig",
    "Int8DynamicActivationInt8WeightConfig",
    "Int8DynamicActivationIntxWeightConfig",
}
# What else may stand in their settings.
_INSIDE = {
    "Int4ChooseQParamsAlgorithm",
    "Int4PackingFormat",
    "IntxChooseQParamsAlgorithm",
    "IntxPackingFormat",
    "KernelPreference",
    "MappingType",
    "PerAxis",
    "PerGroup",
    "PerRow",
    "PerTensor",
    "PerToken",
    "QuantizeTensorToInt8Kwargs",
    "torch.dtype",
}
# Classes of quantised tensors, and the part that says what their whole numbers stand for.
_TENSORS = {"Int8Tensor", "IntxUnpackedToInt8Tensor"}
_SCALE = "scale"
_PLAIN = "Tensor"
_INSTALL = 'run  pip install "maskaudit[quantised]"'


@dataclass(frozen=True)
class Parts:
    """The parts of a checkpoint's quantised weights, by their stored names, and what they mean.

    `rounds_activations` says that activations are rounded to whole numbers too, while it runs.
    """

    names: frozenset[str]
    settings: str
    bits: str
    rounds_activations: bool

    @property
    def derived(self) -> str:
        """How it was quantised, in words."""
        how = ", activations as it runs: one sentence at a time" * self.rounds_activations
        return f"weights quantised to {self.bits} by torchao {version(_TORCHAO)}{how}"


def parts(folder: Path, files: Sequence[Path], name: str) -> Parts | None:
    """The parts of the quantised weights of a checkpoint; None if its config speaks of none.

    Raises `InputError` for a way of quantising that is not run here, and for weights of which a
    part, such as the scales, is not stored.
    """
    asked = json_object(folder / CONFIG, name).get(QUANTISED)
    if asked is None:
        return None
    described: dict[str, dict[str, Any]] = {}
    texts: dict[str, str] = {}
    stored: set[str] = set()
    # A file that cannot be read says nothing, and so has no weight that is quantised.
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        stored = set(shapes(files))
        # Together, as transformers reads them: what one file lacks another may say.
        for path in files:
            texts |= metadata(path)
        described = _described(texts)
    if fault := _way_fault(asked) or _fault(described, stored):
        raise InputError(f"model {name}: {fault}")
    if find_spec(_TORCHAO) is None:
        raise InputError(f"model {name}: its weights were quantised by torchao; {_INSTALL}")
    quantised = {key: own for key, own in described.items() if own["_type"] != _PLAIN}
    settings = json.dumps(quantised, sort_keys=True)
    return Parts(
        frozenset(part for key, own in quantised.items() for part in _names(key, own)),
        hashlib.sha256(settings.encode()).hexdigest(),
        " and ".join(sorted({_bits(own) for own in quantised.values()})),
        any(_rounds_activations(own) for own in quantised.values()),
    )


def loaded(folder: Path, files: Sequence[Path], name: str, config: Any, found: Parts) -> Any:  # noqa: ANN401
    """The model as torchao runs it.

    Where it rounds activations it runs a sentence at a time, so that no other sentence changes what
    is rounded.
    """
    model = loaded_weights(folder, files, name, config, quantised=found.names)
    if found.rounds_activations:
        run_apart(model)
    return model


def _way_fault(asked: object) -> str:
    """What keeps this way of quantising from being run; empty if nothing does."""
    if not isinstance(asked, dict):
        return f"{CONFIG} has a {QUANTISED} that is no object; expected what torchao writes"
    is_old = asked.get("load_in_8bit") or asked.get("load_in_4bit")
    method = str("bitsandbytes" if is_old else asked.get("quant_method"))
    if method != _TORCHAO:
        needs = _NEEDS.get(method, f"a library of its own for {method[:60]!r}")
        return (
            f"its weights were quantised with {method[:60]!r}, which needs {needs} and is not run "
            "here; expected torchao or plain weights: audit it where it is served (--candidate "
            "https://…), or save it dequantised (model.dequantize(), save_pretrained)"
        )
    kind = asked.get("quant_type")
    way = kind.get("default") if isinstance(kind, dict) and len(kind) == 1 else None
    named = way.get("_type") if isinstance(way, dict) else None
    if not isinstance(named, str) or named not in _WAYS:
        said = f"the way {str(named)[:60]!r} of torchao" if named else "an old form of torchao"
        return (
            f"its weights were quantised in {said}, which is not run here; expected one of "
            f"{', '.join(sorted(_WAYS))}, saved by transformers 5"
        )
    if foreign := sorted(set(_types(asked)) - _WAYS - _INSIDE):
        return f"{CONFIG} names {foreign[0][:60]!r} under {QUANTISED}; expected settings of {named}"
    # transformers takes each for a pattern, and a pattern may need any time.
    kept = asked.get("modules_to_not_convert") or []
    if not isinstance(kept, list) or not all(
        isinstance(own, str) and _MODULE.fullmatch(own) for own in kept
    ):
        return f"{CONFIG} has no names of modules under modules_to_not_convert; expected a list"
    return ""


def _types(value: object) -> Iterator[str]:
    """Every name of a class in the settings."""
    if isinstance(value, Mapping):
        if "_type" in value:
            yield str(value["_type"])
        for own in value.values():
            yield from _types(own)
    elif isinstance(value, list):
        for own in value:
            yield from _types(own)


def _described(texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What a file says of each of its tensors; empty if it does not say it as torchao does."""
    try:
        names = bounded.json_value(texts.get("tensor_names", "[]"))
        found = {str(key): bounded.json_value(texts[key]) for key in names}
    except (KeyError, TypeError, ValueError):
        return {}
    return found if all(isinstance(own, dict) and "_type" in own for own in found.values()) else {}


def _fault(described: Mapping[str, Mapping[str, Any]], stored: set[str]) -> str:
    """What is wrong with the parts of the weights; empty if nothing is."""
    quantised = {key: own for key, own in described.items() if own["_type"] != _PLAIN}
    if not quantised:
        return (
            f"{CONFIG} says that torchao quantised its weights, but {WEIGHTS} has none that are; "
            f"save it again with transformers 5, or remove {QUANTISED}"
        )
    for key, own in quantised.items():
        if str(own["_type"]) not in _TENSORS or _is_foreign(own):
            return (
                f"{key[:100]} is stored as {str(own['_type'])[:60]!r}, which is not run on a "
                f"processor; expected {' or '.join(sorted(_TENSORS))}"
            )
        names = _names(key, own)
        lacking = [part for part in names if part not in stored]
        if lacking or not any(part.endswith(f"_{_SCALE}") for part in names):
            return (
                f"{key[:100]} was quantised, and the checkpoint lacks "
                f"{lacking[0][:100] if lacking else f'its {_SCALE}'}: what its whole numbers stand "
                "for is not known; save or fetch the model again"
            )
    return ""


def _is_foreign(own: Mapping[str, Any]) -> bool:
    """Whether what a file says of a tensor names a class that has no place there."""
    return bool(set(_types(own.get("_data"))) - _INSIDE)


def _names(key: str, own: Mapping[str, Any]) -> list[str]:
    """The stored names of the parts of a weight."""
    named = own.get("_tensor_data_names")
    module, _, weight = key.rpartition(".")
    return [f"{module}._{weight}_{part}" for part in (named if isinstance(named, list) else ())]


def _data(own: Mapping[str, Any]) -> Mapping[str, Any]:
    data = own.get("_data")
    return data if isinstance(data, Mapping) else {}


def _bits(own: Mapping[str, Any]) -> str:
    """The type of a weight's whole numbers: int8, or the fewer bits of which eight hold one."""
    target = _data(own).get("target_dtype")
    return str(target.get("_data"))[:20] if isinstance(target, Mapping) else "int8"


def _rounds_activations(own: Mapping[str, Any]) -> bool:
    """Whether what a weight is multiplied with is rounded to whole numbers first."""
    keys = ("act_quant_kwargs", "activation_quantization")
    return any(_data(own).get(key) is not None for key in keys)
