"""Whether our own pass is as exact as transformers' own, held against float64 where they differ.

Two passes in float32 add up in different orders, and so differ by what float32 rounds. For a model
of large logits that is more than 1e-5 nats at the unlikeliest of 30,000 pieces, and neither pass is
then the truth: float64 is.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from maskaudit.audit.measuring.backends.packed import Packed, replaced
from maskaudit.audit.measuring.backends.runs import Run
from maskaudit.audit.measuring.model import Numbers

# The largest difference of log p, in nats, that is asked of float32.
TOLERANCE = 1e-5
# The largest between two passes in float32 that may both be right; one that computes something else
# is off by more.
ROUNDING = 1e-4
# How many times as far from float64 as transformers' own float32 our own may be: both are largest
# of many roundings, and one draw of these is easily half as large again as another.
_AS_FAR = 2.0

# Logits at the reads of a batch, [n, vocabulary].
Logits = Callable[[Sequence[Run]], torch.Tensor]


def is_as_exact(
    layers: Packed,
    own: Logits,
    model: Any,  # noqa: ANN401 - a transformers model has no useful static type
    batch: Sequence[Run],
    trial: Callable[[], Sequence[Run]],
) -> bool:
    """Whether our own pass may take the place of the model's, which `own` runs.

    It may if log p of no piece at any read of `batch` differs by more than `TOLERANCE`. If one
    does, but none by more than `ROUNDING`, both are held against float64 on the `trial` sentences:
    ours may be `TOLERANCE` away, or `_AS_FAR` times as far as the model's own float32 is.
    """
    apart = difference(layers.logits, own(batch), batch)
    if apart <= TOLERANCE:
        return True
    # Asked this way round, since NaN is no more and no less than anything.
    if not apart <= ROUNDING:
        return False
    sentences = trial()
    try:
        with in_float64(model):
            truth = own(sentences)
    except Exception:  # noqa: BLE001 - a device without float64, or a module that has to have float32
        return False
    # A last module that is not known would give float32; one in the middle is not seen. And where
    # no mask was kept in any sentence nothing was read.
    if truth.dtype != torch.float64 or not len(truth):
        return False
    allowed = max(TOLERANCE, _AS_FAR * difference(own, truth, sentences))
    return difference(layers.logits, truth, sentences) <= allowed


def is_same(log_p: Callable[..., Numbers], model: Any) -> bool:  # noqa: ANN401
    """Whether log p of a sentence is the same by the head at its mask and by the full head.

    `log_p` gives it either way, as `at_mask` says. To `TOLERANCE`, in float32 or, where that rounds
    by more, in float64.
    """
    for precision in (nullcontext, in_float64):
        with precision(model):
            full, at_mask = log_p(at_mask=False), log_p(at_mask=True)
        if full.shape != at_mask.shape:
            return False
        apart = float(np.abs(full - at_mask).max())
        if apart <= TOLERANCE or not apart <= ROUNDING:
            return apart <= TOLERANCE
    return False


def difference(logits: Logits, expected: torch.Tensor, batch: Sequence[Run]) -> float:
    """The largest difference, in nats, of log p of any piece at any read from that expected.

    Infinite where the logits cannot be computed, or are of other shapes.
    """
    try:
        found = logits(batch)
    except Exception:  # noqa: BLE001 - layers that need more than states may fail in any way
        return float("inf")
    if found.shape != expected.shape:
        return float("inf")
    ours, theirs = (torch.log_softmax(one.cpu().double(), -1) for one in (found, expected))
    return float((ours - theirs).abs().max())


@contextmanager
def in_float64(model: nn.Module) -> Iterator[None]:
    """Run a model's embeddings, products and norms in float64, one module at a time.

    Its weights are numbers of float32, which float64 holds exactly; of no more than one module are
    they there twice, since a whole copy would take twice the memory of the model.
    """
    with ExitStack() as stack:
        for module in model.modules():
            forward = _FORWARD.get(type(module))
            if forward is not None:
                stack.enter_context(replaced(module, forward(module)))
        yield


def _embedded(module: Any) -> Callable[..., torch.Tensor]:  # noqa: ANN401 - as `nn.Module` has it
    looked_up = module.forward
    return lambda ids: looked_up(ids).double()


def _product(module: Any) -> Callable[..., torch.Tensor]:  # noqa: ANN401
    return lambda x: functional.linear(
        x.double(), module.weight.double(), None if module.bias is None else module.bias.double()
    )


def _norm(module: Any) -> Callable[..., torch.Tensor]:  # noqa: ANN401
    return lambda x: functional.layer_norm(
        x.double(),
        module.normalized_shape,
        module.weight.double(),
        module.bias.double(),
        module.eps,
    )


# Of these types alone: a class derived from one may compute something else.
_FORWARD: dict[type[nn.Module], Callable[[Any], Callable[..., torch.Tensor]]] = {
    nn.Embedding: _embedded,
    nn.Linear: _product,
    nn.LayerNorm: _norm,
}
