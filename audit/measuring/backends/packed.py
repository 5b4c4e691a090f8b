"""The layers of an encoder run over packed sentences, and the last one only where it is read.

transformers runs every layer at every piece of sentences of one length, and the three products of
a layer's queries, keys and values apart. Here sentences of any lengths lie one after the other in
one matrix, without padding, and only attention looks at each length apart; queries, keys and values
are one product; the last layer has queries and a feed-forward pass only at the places that are
read. Embeddings and head stay the model's own.

An encoder is taken by its structure, whatever its name: see `packed`. Whether its layers compute
what this module does is for the caller to prove, by trying (`torch_model`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers.modeling_outputs import BaseModelOutputWithPoolingAndCrossAttentions

from maskaudit.audit.measuring.backends.runs import Run, in_order

# The modules with weights in a layer, in the order in which they are declared: queries, keys,
# values and output of the attention, its norm, the two products of the feed-forward pass, its norm.
_LAYER = (*[nn.Linear] * 4, nn.LayerNorm, nn.Linear, nn.Linear, nn.LayerNorm)
# What is declared in a layer and does nothing when it is evaluated.
_IDLE = (nn.Dropout, nn.Identity)


@dataclass(frozen=True)
class _Layer:
    """The weights of one layer: `inward` is [3 width, width], for queries, keys and values."""

    inward: torch.Tensor
    inward_bias: torch.Tensor
    outward: nn.Linear
    norm: nn.LayerNorm
    wide: nn.Linear
    activation: nn.Module
    narrow: nn.Linear
    last_norm: nn.LayerNorm


class Packed:
    """An encoder whose layers are run over packed sentences."""

    def __init__(self, model: Any, stack: nn.Module, layers: Sequence[_Layer], heads: int) -> None:  # noqa: ANN401
        self._model, self._stack, self._layers, self._heads = model, stack, layers, heads

    def logits(self, batch: Sequence[Run]) -> torch.Tensor:
        """Logits at each read of a batch, [n, vocabulary], in the order of the reads."""
        states = torch.cat([self._embedded(run.ids) for run in batch])
        for layer in self._layers[:-1]:
            states = self._whole(layer, states, batch)
        asked = [run for run in batch if len(run.numbers)]
        return self._head(in_order([self._at_reads(self._layers[-1], states, batch)], asked))

    def _embedded(self, ids: torch.Tensor) -> torch.Tensor:
        """What the first layer would receive, [n * length, width]."""
        with _replaced(self._stack, _unchanged):
            output = self._model.base_model(input_ids=ids, attention_mask=torch.ones_like(ids))
        embedded: torch.Tensor = output.last_hidden_state
        return embedded.flatten(0, 1)

    def _head(self, states: torch.Tensor) -> torch.Tensor:
        """The model's own head on states, [n, width]."""

        def encoded(*_inputs: object, **_named: object) -> Any:  # noqa: ANN401
            return BaseModelOutputWithPoolingAndCrossAttentions(last_hidden_state=states)

        with _replaced(self._model.base_model, encoded):
            # The encoder would have read them; that which stands in its place does not.
            logits: torch.Tensor = self._model(input_ids=None).logits
        return logits

    def _whole(self, layer: _Layer, states: torch.Tensor, batch: Sequence[Run]) -> torch.Tensor:
        """The states after a layer at all pieces, [pieces, width]."""
        inward = functional.linear(states, layer.inward, layer.inward_bias)
        attended = torch.empty_like(states)
        for run, rows, out in zip(
            batch, _split(inward, batch), _split(attended, batch), strict=True
        ):
            queries, keys, values = self._by_head(rows, run)
            found = functional.scaled_dot_product_attention(queries, keys, values)
            out.view(run.n, run.length, self._heads, -1).copy_(found.transpose(1, 2))
        return _after_attention(layer, attended, states)

    def _at_reads(self, layer: _Layer, states: torch.Tensor, batch: Sequence[Run]) -> torch.Tensor:
        """The states after a layer at the reads of each run in turn, [reads, width]."""
        width = states.shape[1]
        inward = functional.linear(states, layer.inward[width:], layer.inward_bias[width:])
        attended, before = [], []
        for run, rows, own in zip(batch, _split(inward, batch), _split(states, batch), strict=True):
            if not len(run.numbers):
                continue
            # As many queries in each sentence as in that with most: its places, filled up with 0.
            places = run.places.new_zeros(run.n, int(run.columns.max()) + 1)
            places[run.rows, run.columns] = run.places
            by_sentence = own.view(run.n, run.length, width)
            asked = by_sentence.gather(1, places[:, :, None].expand(-1, -1, width))
            queries = functional.linear(asked, layer.inward[:width], layer.inward_bias[:width])
            keys, values = self._by_head(rows, run)
            found = functional.scaled_dot_product_attention(
                queries.view(run.n, -1, self._heads, width // self._heads).transpose(1, 2),
                keys,
                values,
            )
            attended.append(found.transpose(1, 2).flatten(2)[run.rows, run.columns])
            before.append(asked[run.rows, run.columns])
        return _after_attention(layer, torch.cat(attended), torch.cat(before))

    def _by_head(self, rows: torch.Tensor, run: Run) -> tuple[torch.Tensor, ...]:
        """Queries, keys and values side by side, each as [n, heads, length, width of a head]."""
        parts = rows.shape[1] // self._layers[0].outward.in_features
        split = rows.view(run.n, run.length, parts, self._heads, -1)
        return split.permute(2, 0, 3, 1, 4).unbind()


def packed(model: Any) -> Packed | None:  # noqa: ANN401 - a transformers model has no useful type
    """The encoder of a masked LM as `Packed`; None if it is built otherwise.

    It has to have one list of layers, and beside it in the same module no weight or table; in each
    layer only the modules of `_LAYER` have weights, in that order and of these types, and beside
    them there is one activation. A layer with positions of its own, an adapter, a projection of
    heads, quantised weights or a norm before the attention is another.
    """
    heads = getattr(model.config.get_text_config(), "num_attention_heads", None)
    stacks = [
        (module, children[0])
        for module in model.base_model.modules()
        if len(children := [c for c in module.children() if isinstance(c, nn.ModuleList)]) == 1
    ]
    if len(stacks) != 1 or not isinstance(heads, int):
        return None
    [(stack, blocks)] = stacks
    layers = [_layer(block, heads) for block in blocks]
    known = [layer for layer in layers if layer is not None]
    if not known or len(known) < len(layers) or _tensors(stack) != _tensors(blocks):
        return None
    return Packed(model, stack, known, heads)


def _layer(module: nn.Module, heads: int) -> _Layer | None:
    """The parts of a layer; None if it is built otherwise."""
    leaves = [leaf for leaf in module.modules() if not [*leaf.children()]]
    weighty = [leaf for leaf in leaves if _tensors(leaf)]
    others = [leaf for leaf in leaves if not _tensors(leaf) and not isinstance(leaf, _IDLE)]
    of_leaves = {tensor for leaf in weighty for tensor in _tensors(leaf)}
    if tuple(map(type, weighty)) != _LAYER or len(others) != 1 or _tensors(module) != of_leaves:
        return None
    query, key, value, outward, norm, wide, narrow, last_norm = weighty
    products: list[Any] = [query, key, value, outward, wide, narrow]
    width, inner = outward.out_features, wide.out_features
    shapes = [(width, width)] * 4 + [(inner, width), (width, inner)]
    if [tuple(product.weight.shape) for product in products] != shapes or width % heads:
        return None
    if any(product.bias is None for product in products):
        return None
    return _Layer(
        _joined([part.weight for part in products[:3]]),
        _joined([part.bias for part in products[:3]]),
        outward,
        norm,
        wide,
        others[0],
        narrow,
        last_norm,
    )


def _joined(parts: Sequence[nn.Parameter]) -> torch.Tensor:
    """The parameters below each other, which become views of it: nothing is held twice."""
    whole = torch.cat([part.data for part in parts])
    for part, own in zip(parts, whole.split([len(part) for part in parts]), strict=True):
        part.data = own
    return whole


def _after_attention(layer: _Layer, attended: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """The rest of a layer, of what was attended and of the states before it, [n, width] each."""
    states = layer.norm(layer.outward(attended).add_(before))
    return layer.last_norm(layer.narrow(layer.activation(layer.wide(states))).add_(states))


def _split(packed_states: torch.Tensor, batch: Sequence[Run]) -> Sequence[torch.Tensor]:
    """The pieces of each run."""
    return packed_states.split([run.n * run.length for run in batch])


def _tensors(module: nn.Module) -> set[int]:
    """The parameters and buffers of a module and all that is in it, by identity."""
    return {id(tensor) for tensor in (*module.parameters(), *module.buffers())}


def _unchanged(hidden_states: torch.Tensor, *_inputs: object, **_named: object) -> Any:  # noqa: ANN401
    return BaseModelOutputWithPoolingAndCrossAttentions(last_hidden_state=hidden_states)


@contextmanager
def _replaced(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Run something else in the place of a module's own forward pass."""
    # As an attribute of the instance, which hides the method of its class.
    module.forward = forward
    try:
        yield
    finally:
        del module.forward


__all__ = ["Packed", "packed"]
