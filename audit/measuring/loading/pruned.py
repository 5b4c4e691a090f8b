"""Pruned checkpoints: masks that a pruning left beside the weights, and the share of zeros.

`torch.nn.utils.prune` keeps a weight as `weight_orig` and what is left of it as `weight_mask` until
`prune.remove` is called; a model that is saved before has no `weight`. What is run is the product
of the two, which is exact, so it is taken for the weight.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import nn

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.digests import shapes

_WHOLE, _MASK = "_orig", "_mask"
# The share of zeros from which on they are no chance: float16 has some of its own.
PRUNED = 0.01


def masks(files: Sequence[Path], name: str) -> dict[str, str]:
    """The stored mask of each weight that has one, by the stored name of the weight.

    Raises `InputError` for a mask without its weight, of another shape, or the other way round.
    """
    try:
        stored = shapes(files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # a file that cannot be read is refused when it is loaded
    wholes = {key.removesuffix(_WHOLE) for key in stored if key.endswith(_WHOLE)}
    found = {}
    for key in sorted(wholes):
        whole, mask = f"{key}{_WHOLE}", f"{key}{_MASK}"
        if stored.get(mask) != stored[whole] or key in stored:
            fault = f"also {key}" if key in stored else f"no {mask} of its shape"
            raise InputError(
                f"model {name}: the weights hold {whole}, as a pruning leaves them, and {fault}; "
                "call torch.nn.utils.prune.remove(module, 'weight') for each pruned module, and "
                "save the model again"
            )
        found[whole] = mask
    return found


def folded(files: Sequence[Path], masks_of: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """All stored tensors by name, each weight that has a mask multiplied by it."""
    stored: dict[str, torch.Tensor] = {}
    for path in files:
        with safe_open(path, framework="pt") as tensors:
            stored |= {key: tensors.get_tensor(key) for key in tensors.keys()}  # noqa: SIM118 - it is no dict
    for whole, mask in masks_of.items():
        weight = stored.pop(whole)
        stored[whole.removesuffix(_WHOLE)] = weight * stored.pop(mask).to(weight.dtype)
    return stored


def described(model: nn.Module, masks_of: Mapping[str, str]) -> dict[str, Any]:
    """What is told of a model that may be pruned: its `derived`, and the share of `zeros`.

    The share is that of the weights of its linear modules; empty if fewer than `PRUNED` are 0.
    """
    weights = {
        id(part.weight): part.weight for part in model.modules() if isinstance(part, nn.Linear)
    }
    n_zeros = sum(weight.numel() - int(torch.count_nonzero(weight)) for weight in weights.values())
    share = n_zeros / max(1, sum(weight.numel() for weight in weights.values()))
    told: dict[str, Any] = {"zeros": share} if share >= PRUNED else {}
    if masks_of:
        told["derived"] = f"pruned: {len(masks_of)} weights with their masks"
    return told


__all__ = ["PRUNED", "described", "folded", "masks"]
