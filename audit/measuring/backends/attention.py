"""Attention weights as a model returns them, turned into weights of pieces, or refused.

Most models return weights by piece, [n, heads, length, length]. Models of local attention return
them by offset, [n, heads, length, width]: column j is the piece j - width // 2 places further.
"""

from collections.abc import Sequence

import torch

from maskaudit.audit.errors import InputError

# The axes of attention weights: sentences, heads, queries and columns.
_AXES = 4
# The largest difference of a row's sum from 1. float32 stays below 1e-5; scores that were not
# normalised differ by far more.
TOLERANCE = 1e-4


class UnavailableError(InputError):
    """A model does not give what a measure needs; the message is the reason, without its name."""


def layers_of(output: object) -> tuple[torch.Tensor, ...]:
    """The weights of each layer; raises `UnavailableError` if the model returned none."""
    layers = getattr(output, "attentions", None)
    if not layers or not all(isinstance(layer, torch.Tensor) for layer in layers):
        raise UnavailableError("it returns no attention weights")
    return tuple(layers)


def local_layers(short: Sequence[torch.Tensor], long: Sequence[torch.Tensor]) -> tuple[bool, ...]:
    """For each layer, whether its columns are offsets, from sentences of two lengths.

    Columns are pieces if there are as many as pieces at both lengths, and offsets if their number
    does not depend on the length. One length cannot tell: the window may be as wide as the
    sentence. Raises `UnavailableError` if a layer is neither.
    """
    return tuple(_is_local(*pair) for pair in zip(short, long, strict=True))


def by_piece(layers: Sequence[torch.Tensor], local: Sequence[bool], length: int) -> torch.Tensor:
    """Weights of pieces, [layers, n, heads, length, length].

    Raises `UnavailableError` if they do not have this shape, or if a row is not a distribution.
    """
    whole = [
        _from_offsets(layer) if is_local else layer
        for layer, is_local in zip(layers, local, strict=True)
    ]
    if any(layer.ndim != _AXES or layer.shape[2:] != (length, length) for layer in whole):
        raise UnavailableError(_shapes(layers, length))
    weights = torch.stack(whole)
    # In double precision, or a long sentence's sum would have an error of its own.
    sums = weights.double().sum(-1)
    if not torch.isfinite(sums).all() or (sums - 1).abs().max() > TOLERANCE or weights.min() < 0:
        raise UnavailableError("its attention weights do not sum to 1 over the pieces")
    return weights


def _is_local(short: torch.Tensor, long: torch.Tensor) -> bool:
    both = (short, long)
    if all(layer.ndim == _AXES and layer.shape[2] == layer.shape[3] for layer in both):
        return False
    # A window has the piece itself in its middle, so that its width is odd.
    if short.shape[-1] == long.shape[-1] and short.shape[-1] % 2:
        return True
    raise UnavailableError(_shapes([long], 0))


def _from_offsets(layer: torch.Tensor) -> torch.Tensor:
    """Weights by offset, [n, heads, length, width], as weights of pieces.

    Offsets that point outside the sentence are dropped; the sum of the rows shows whether they had
    a weight.
    """
    n, heads, length, width = layer.shape
    half = width // 2
    # Half a window wider on both sides, so that no offset is tried for the ends of the sentence.
    padded = layer.new_zeros(n, heads, length, length + 2 * half)
    rows = torch.arange(length, device=layer.device)
    for offset in range(width):
        padded[:, :, rows, rows + offset] = layer[..., offset]
    return padded[..., half : half + length]


def _shapes(layers: Sequence[torch.Tensor], length: int) -> str:
    shapes = " and ".join(dict.fromkeys(str(list(layer.shape)) for layer in layers))
    return (
        f"its attention weights have the shape {shapes}; expected [sentences, heads, pieces, "
        "pieces]" + (f" with {length} pieces" if length else "")
    )
