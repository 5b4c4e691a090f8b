"""Products with weights, which are laid out once for the processor's kernel where that is faster.

oneDNN arranges weights in its own order before it multiplies with them. Done once for a model, and
not at every product, that and its kernel save a sixth of the time of float32 on AMD's processors,
for which MKL, torch's usual library, has no kernels of their full width; a small product takes
half. On Intel's, MKL is as fast. It takes memory for a second copy of the weights.
"""

from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

# Half of the rows of a batch of the usual size: the layout is made for about so many.
_ROWS = 512
# Where Linux tells whose processor it is.
_PROCESSOR = Path("/proc/cpuinfo")
# The rows of a vocabulary's weights that are multiplied at once.
_SLICE = 1024


class Product:
    """The product with weights, [outputs, inputs], and a bias, as `nn.Linear` has it."""

    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor | None, *, is_plain: bool = False
    ) -> None:
        self.weight, self.bias, self._is_plain = weight, bias, is_plain

    @cached_property
    def _laid_out(self) -> Any:  # noqa: ANN401 - a tensor that only oneDNN can read
        """The weights for the kernel, made when they are first needed; None for torch's own."""
        if self._is_plain or not is_laid_out(self.weight):
            return None
        reorder = torch.ops.mkldnn._reorder_linear_weight  # noqa: SLF001 - no public name
        return reorder(self.weight.contiguous(), _ROWS)

    @property
    def is_fused(self) -> bool:
        """Whether GELU can be computed within the product."""
        return self._laid_out is not None

    def __call__(self, states: torch.Tensor, *, gelu: bool = False) -> torch.Tensor:
        """The product, [n, outputs], with GELU of it where asked (see `is_fused`)."""
        if self._laid_out is None:
            return functional.linear(states, self.weight, self.bias)
        # Of GELU's forms the exact one, which has no other name here.
        after: tuple[str, list[float], str] = ("gelu", [], "none") if gelu else ("none", [], "")
        multiplied = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001 - no public name
        product: torch.Tensor = multiplied(states, self._laid_out, self.bias, *after)
        return product

    def part(self, start: int, end: int) -> "Product":
        """The product for some of the outputs."""
        bias = None if self.bias is None else self.bias[start:end]
        return Product(self.weight[start:end], bias, is_plain=self._is_plain)

    def cast(self, dtype: torch.dtype) -> "Product":
        """A copy in another precision."""
        return Product(self.weight.to(dtype), None if self.bias is None else self.bias.to(dtype))

    def plain(self) -> "Product":
        """The same by torch's own kernel."""
        return Product(self.weight, self.bias, is_plain=True)


class InSlices:
    """The product with a vocabulary's weights by torch's own kernel, a slice at a time.

    A few states times 30,000 rows at once would take half as long again: the library arranges the
    weights for each product anew, and a slice of them stays in the processor's cache. oneDNN would
    be a little faster, and rounds log p of a trained model by half as much again as all layers.
    """

    def __init__(self, output: nn.Linear) -> None:
        self._weights = output.weight.split(_SLICE)
        bias: torch.Tensor | None = output.bias
        self._biases = [None] * len(self._weights) if bias is None else bias.split(_SLICE)

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """The product with all rows, [n, vocabulary]."""
        states_of_each = [states] * len(self._weights)
        products = map(functional.linear, states_of_each, self._weights, self._biases)
        return torch.cat(list(products), dim=-1)


def is_gelu(activation: nn.Module) -> bool:
    """Whether a module computes the exact GELU, by the error function, and no approximation."""
    if type(activation) is nn.GELU:
        return activation.approximate == "none"
    return getattr(activation, "act", None) is functional.gelu


def is_laid_out(weight: torch.Tensor) -> bool:
    """Whether products with these weights are faster where they are laid out for oneDNN.

    By what the processor is, and not by trying: a kernel that was chosen by a clock would let the
    last bits of a score depend on what else the machine did.
    """
    if weight.device.type != "cpu" or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    if not torch.backends.mkldnn.is_available():
        return False
    if weight.dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 - no public name
    return weight.dtype == torch.float32 and _is_amd()


@cache
def _is_amd() -> bool:
    """Whether the processor is one of AMD's; False where the system does not tell."""
    try:
        return "AuthenticAMD" in _PROCESSOR.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
