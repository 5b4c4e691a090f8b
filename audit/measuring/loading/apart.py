"""Run the sentences of a batch one by one, for a model whose scores depend on what is beside them.

Where activations are rounded to whole numbers while a model runs, a last bit that another batch
would change can tip a rounding over, and the scores with it.
"""

from typing import Any

import torch
from transformers.utils.generic import ModelOutput


def run_apart(model: Any) -> None:  # noqa: ANN401 - a transformers model has no useful static type
    """Let the encoder of a masked LM run each sentence by itself, whatever it is given."""
    encoder = model.base_model
    # The method of its class: an attribute of the instance would be what takes its place below.
    whole = encoder.forward

    def apart(
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        **how: Any,  # noqa: ANN401 - as the encoder's own
    ) -> ModelOutput:
        masks = [None] * len(input_ids) if attention_mask is None else attention_mask.split(1)
        outputs = [
            whole(input_ids=own, attention_mask=mask, **how)
            for own, mask in zip(input_ids.split(1), masks, strict=True)
        ]
        parts = {name: [output[name] for output in outputs] for name in outputs[0]}
        joined: ModelOutput = type(outputs[0])(
            **{name: _joined(own) for name, own in parts.items()}
        )
        return joined

    encoder.forward = apart


def _joined(parts: list[Any]) -> Any:  # noqa: ANN401 - a tensor, or a tensor a layer
    """The tensors of all sentences, below each other; a tuple of them for a tuple of tensors."""
    if isinstance(parts[0], tuple):
        return tuple(torch.cat(of_layer) for of_layer in zip(*parts, strict=True))
    return torch.cat(parts)
