"""The weights of a checkpoint, loaded by transformers and proved to be all there and finite."""

import os
import re
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM
from transformers.utils import logging as transformers_logging

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.located import first_line


def loaded_weights(folder: Path, name: str, config: Any) -> Any:  # noqa: ANN401
    """Load a masked LM in float32; raises `InputError` if a weight is missing or not finite."""
    # Otherwise transformers may ask the hub, in the background, to convert a model's weights.
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    verbosity = transformers_logging.get_verbosity()
    # transformers would warn of missing weights first; the error below says what to do.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        model, loading = AutoModelForMaskedLM.from_pretrained(
            folder,
            config=config,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
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
    missing = sorted({*loading["missing_keys"], *(str(k) for k in loading["mismatched_keys"])})
    if missing:
        names = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if missing[4:] else "")
        raise InputError(
            f"model {name}: the checkpoint lacks {names}; these weights would be random. "
            "Expected a model saved with its masked-LM head"
        )
    for key, tensor in model.named_parameters():
        if not torch.isfinite(tensor).all():
            raise InputError(f"model {name}: {key} holds values that are not finite (NaN)")
        # Copy to fresh memory: kernels may round differently on an unaligned mapped file.
        tensor.data = tensor.data.clone()
    return model


def _in_a_layer(key: str, model: Any) -> bool:  # noqa: ANN401
    """Whether a tensor belongs to a numbered encoder layer, unlike a pooler or another head."""
    return key.startswith(f"{model.base_model_prefix}.") and bool(re.search(r"\.\d+\.", key))
