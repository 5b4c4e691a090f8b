"""The weights of a checkpoint, loaded by transformers and proved to be all there and finite."""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from transformers import MODEL_FOR_MASKED_LM_MAPPING, AutoModelForMaskedLM
from transformers.utils import logging as transformers_logging

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.digests import dtypes
from maskaudit.audit.measuring.checkpoints.located import first_line
from maskaudit.audit.measuring.checkpoints.sizes import check_whole
from maskaudit.audit.measuring.loading.pruned import folded

# The dtypes of safetensors that hold a weight as it is. Others are scaled or quantised numbers, the
# meaning of which is elsewhere, and transformers would take them for weights all the same.
WEIGHTS = ("F64", "F32", "F16", "BF16")


def loaded_weights(  # noqa: PLR0913 - what is stored, and what of it is no plain weight
    folder: Path,
    files: Sequence[Path],
    name: str,
    config: Any,  # noqa: ANN401 - transformers' own type
    *,
    masks: Mapping[str, str] = MappingProxyType({}),
    quantised: Collection[str] = (),
) -> Any:  # noqa: ANN401 - a transformers model has no useful static type
    """Load a masked LM in float32.

    `masks` names the mask of a stored weight by which it was pruned, `quantised` the tensors that
    are parts of quantised weights, which the library that made them puts together.

    Raises `InputError` if a weight is missing, not finite, or stored as other than a number with a
    fraction.
    """
    # Otherwise transformers may ask the hub, in the background, to convert a model's weights.
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    verbosity = transformers_logging.get_verbosity()
    # transformers would warn of missing weights first; the error below says what to do.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        check_whole(_numbers_of(config), files, name)
        model, loading = _built(folder, config, folded(files, masks) if masks else None)
    except InputError:
        raise
    except Exception as error:
        reason = first_line(error)
        if "ignore_mismatched_sizes" in reason:
            reason = "its tensors do not have the shapes that config.json asks for"
        raise InputError(f"model {name}: the weights cannot be loaded ({reason})") from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    if left_out := sorted(k for k in loading["unexpected_keys"] if _in_a_layer(k, model)):
        raise InputError(
            f"model {name}: config.json asks for fewer layers than the checkpoint has: "
            f"{left_out[0]} is left out"
        )
    _check_dtypes(files, name, model, {*loading["unexpected_keys"], *masks.values(), *quantised})
    missing = sorted({*loading["missing_keys"], *(str(k) for k in loading["mismatched_keys"])})
    if missing:
        names = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if missing[4:] else "")
        raise InputError(
            f"model {name}: the checkpoint lacks {names}; these weights would be random. "
            f"Expected a model saved with its masked-LM head{_switch(config, loading)}"
        )
    for key, tensor in model.named_parameters():
        is_plain = type(tensor) is torch.nn.Parameter
        try:
            values = tensor if is_plain else tensor.dequantize()
        except RuntimeError as error:
            raise InputError(
                f"model {name}: the parts of {key} do not fit each other ({first_line(error)})"
            ) from error
        if not torch.isfinite(values).all():
            raise InputError(f"model {name}: {key} holds values that are not finite (NaN)")
        # Copy to fresh memory: kernels may round differently on an unaligned mapped file.
        tensor.data = tensor.data.clone()
    return model


def _built(folder: Path, config: Any, tensors: dict[str, torch.Tensor] | None) -> Any:  # noqa: ANN401
    """The model of a folder, or of these tensors, and what transformers says of its loading."""
    how = {"trust_remote_code": False, "dtype": torch.float32, "output_loading_info": True}
    if tensors is None:
        return AutoModelForMaskedLM.from_pretrained(
            folder, config=config, use_safetensors=True, **how
        )
    kind: Any = MODEL_FOR_MASKED_LM_MAPPING[type(config)]
    return kind.from_pretrained(None, config=config, state_dict=tensors, **how)


def _numbers_of(config: Any) -> int:  # noqa: ANN401 - transformers' own type
    """How many numbers the weights and tables of a model have, which is not built for it."""
    with torch.device("meta"):
        model = AutoModelForMaskedLM.from_config(deepcopy(config))
    return sum(part.numel() for part in (*model.parameters(), *model.buffers()))


def _check_dtypes(files: Sequence[Path], name: str, model: Any, unused: Collection[str]) -> None:  # noqa: ANN401
    """Refuse a stored tensor of another dtype that is used as it is, unless it is a buffer."""
    no_weights = {*unused, *(key for key, _ in model.named_buffers())}
    for key, dtype in dtypes(files).items():
        # A file may name a tensor with or without the model's prefix.
        is_weight = not any(
            f".{key}".endswith(f".{other}") or f".{other}".endswith(f".{key}")
            for other in no_weights
        )
        if dtype not in WEIGHTS and is_weight:
            raise InputError(
                f"model {name}: {key} is stored as {dtype}, which is no weight; expected "
                f"{', '.join(WEIGHTS)}: save the model as it was before it was quantised"
            )


def _switch(config: Any, loading: dict[str, Any]) -> str:  # noqa: ANN401
    """What else may be wrong where a config chooses between an old and a new head, as DeBERTa's."""
    heads = sorted(loading["unexpected_keys"])
    if not heads or not isinstance(getattr(config, "legacy", None), bool):
        return ""
    other = str(not config.legacy).lower()
    return f"; it has {heads[0]} instead, which may be the head of legacy = {other} in config.json"


def _in_a_layer(key: str, model: Any) -> bool:  # noqa: ANN401
    """Whether a tensor belongs to a numbered encoder layer, unlike a pooler or another head."""
    return key.startswith(f"{model.base_model_prefix}.") and bool(re.search(r"\.\d+\.", key))
