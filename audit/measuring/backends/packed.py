"""The layers of an encoder run over packed sentences, and the last one only where it is read.

transformers runs every layer at every piece of sentences of one length, and the three products of
a layer's queries, keys and values apart. Here sentences of any lengths lie one after the other in
one matrix, without padding, and only attention looks at each length apart; queries, keys and values
are one product; the last layer has queries and a feed-forward pass only at the places that are
read. Embeddings and head stay the model's own.

An encoder is taken by its structure, whatever its name: see `packed`. Whether its layers compute
what this module does is for the caller to prove, by trying (`proof`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers.modeling_outputs import BaseModelOutputWithPoolingAndCrossAttentions

from maskaudit.audit.measuring.backends.products import InSlices, Product, is_gelu
from maskaudit.audit.measuring.backends.runs import Run, in_order

# The modules with weights in a layer, in the order in which they are declared: queries, keys,
# values and output of the attention, its norm, the two products of the feed-forward pass, its norm.
_LAYER = (*[nn.Linear] * 4, nn.LayerNorm, nn.Linear, nn.Linear, nn.LayerNorm)
# Those of them that are products, without queries, keys and values apart; and what each has.
_PRODUCTS = ("inward", "outward", "wide", "narrow")
_PARTS = ("weight", "bias")
# The share of distinct embeddings in a batch above which all are multiplied.
_SHARED = 0.8
# What is declared in a layer and does nothing when it is evaluated.
_IDLE = (nn.Dropout, nn.Identity)


@dataclass(frozen=True)
class _Layer:
    """The weights of one layer: `inward` has three outputs a unit, for queries, keys and values."""

    inward: Product
    outward: Product
    norm: nn.LayerNorm
    wide: Product
    activation: nn.Module
    narrow: Product
    last_norm: nn.LayerNorm

    def each(self, change: Callable[[Product], Product]) -> "_Layer":
        """The layer with its products changed; its norms stay as they are."""
        changed: dict[str, Any] = {name: change(getattr(self, name)) for name in _PRODUCTS}
        return replace(self, **changed)

    def after_attention(self, attended: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """The rest of the layer, of what was attended and of the states before it, [n, width]."""
        states = self.norm(_added(self.outward(attended), before))
        inward = states.to(attended.dtype)
        if self.wide.is_fused and is_gelu(self.activation):
            wide = self.wide(inward, gelu=True)
        else:
            wide = self.activation(self.wide(inward))
        after: torch.Tensor = self.last_norm(_added(self.narrow(wide), states))
        return after


@dataclass(frozen=True)
class _LastLayer:
    """The last layer, whose queries are those of a few pieces."""

    queries: Product
    keys_values: Product
    rest: _Layer

    @classmethod
    def of(cls, layer: _Layer) -> "_LastLayer":
        """A layer with its queries apart from its keys and values."""
        width = layer.outward.weight.shape[0]
        return cls(layer.inward.part(0, width), layer.inward.part(width, 3 * width), layer)


class Packed:
    """An encoder whose layers are run over packed sentences."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - a transformers model has no useful static type
        stack: nn.Module,
        layers: Sequence[_Layer],
        heads: int,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._model, self._stack, self._heads, self._dtype = model, stack, heads, dtype
        self._layers, self._last = [*layers[:-1]], _LastLayer.of(layers[-1])
        output = model.get_output_embeddings()
        self._output = InSlices(output) if type(output) is nn.Linear else None

    def cast(self, dtype: torch.dtype) -> "Packed":
        """The encoder with copies of the products of its layers in another precision.

        States between them are added up and normalised in float32, since what is rounded there is
        rounded in every layer after it too. Embeddings, the last layer and the head are in float32
        as well: nothing after them makes good what they round, and the logits, in the 8 bits of
        bfloat16, would be off by more than all layers together.
        """
        layers = [layer.each(lambda product: product.cast(dtype)) for layer in self._layers]
        return Packed(self._model, self._stack, [*layers, self._last.rest], self._heads, dtype)

    @property
    def is_laid_out(self) -> bool:
        """Whether weights are laid out for a kernel other than torch's own (`products`)."""
        return self._last.queries.is_fused

    def plain(self) -> "Packed":
        """The encoder with all products by torch's own kernels."""
        layers = [layer.each(Product.plain) for layer in (*self._layers, self._last.rest)]
        return Packed(self._model, self._stack, layers, self._heads)

    def logits(self, batch: Sequence[Run]) -> torch.Tensor:
        """Logits at each read of a batch, [n, vocabulary], in the order of the reads."""
        states = torch.cat([self._embedded(run.ids) for run in batch])
        # Whether it pays off is found by looking, for which an accelerator would have to wait.
        distinct = _distinct(states, batch) if states.device.type == "cpu" else None
        for layer in self._layers:
            states = self._whole(layer, states, batch, distinct)
            distinct = None
        asked = [run for run in batch if len(run.numbers)]
        return self._head(in_order([self._at_reads(states, batch)], asked))

    def _embedded(self, ids: torch.Tensor) -> torch.Tensor:
        """What the first layer would receive, [n * length, width]."""
        with replaced(self._stack, _unchanged):
            output = self._model.base_model(input_ids=ids, attention_mask=torch.ones_like(ids))
        embedded: torch.Tensor = output.last_hidden_state
        return embedded.flatten(0, 1)

    def _head(self, states: torch.Tensor) -> torch.Tensor:
        """The model's own head on states, [n, width]."""

        def encoded(*_inputs: object, **_named: object) -> Any:  # noqa: ANN401
            return BaseModelOutputWithPoolingAndCrossAttentions(last_hidden_state=states)

        with ExitStack() as stack:
            stack.enter_context(replaced(self._model.base_model, encoded))
            if self._output is not None:
                stack.enter_context(replaced(self._model.get_output_embeddings(), self._output))
            # The encoder would have read them; that which stands in its place does not.
            logits: torch.Tensor = self._model(input_ids=None).logits
        return logits

    def _whole(
        self,
        layer: _Layer,
        states: torch.Tensor,
        batch: Sequence[Run],
        distinct: tuple[torch.Tensor, torch.Tensor] | None,
    ) -> torch.Tensor:
        """The states after a layer at all pieces, [pieces, width]."""
        if distinct is None:
            inward = layer.inward(states.to(self._dtype))
        else:
            rows, number = distinct
            inward = layer.inward(states[rows].to(self._dtype))[number]
        attended = []
        # In float32 attention to so few pieces is faster on a processor than in bfloat16.
        wide = inward.to(states.dtype) if states.device.type == "cpu" else inward
        for run, rows in zip(batch, _split(wide, batch), strict=True):
            queries, keys, values = self._by_head(rows, run)
            found = functional.scaled_dot_product_attention(queries, keys, values)
            attended.append(found.transpose(1, 2).reshape(run.n * run.length, -1))
        return layer.after_attention(torch.cat(attended).to(self._dtype), states)

    def _at_reads(self, states: torch.Tensor, batch: Sequence[Run]) -> torch.Tensor:
        """The states after the last layer at the reads of each run in turn, [reads, width]."""
        layer, width = self._last, states.shape[1]
        inward = layer.keys_values(states)
        attended, before = [], []
        for run, rows, own in zip(batch, _split(inward, batch), _split(states, batch), strict=True):
            if not len(run.numbers):
                continue
            # As many queries in each sentence as in that with most: its places, filled up with 0.
            places = run.places.new_zeros(run.n, run.most)
            places[run.rows, run.columns] = run.places
            by_sentence = own.view(run.n, run.length, width)
            asked = by_sentence.gather(1, places[:, :, None].expand(-1, -1, width))
            keys, values = self._by_head(rows, run)
            found = functional.scaled_dot_product_attention(
                layer.queries(asked)
                .view(run.n, -1, self._heads, width // self._heads)
                .transpose(1, 2),
                keys,
                values,
            )
            attended.append(found.transpose(1, 2).flatten(2)[run.rows, run.columns])
            before.append(asked[run.rows, run.columns])
        return layer.rest.after_attention(torch.cat(attended), torch.cat(before))

    def _by_head(self, rows: torch.Tensor, run: Run) -> tuple[torch.Tensor, ...]:
        """Queries, keys and values side by side, each as [n, heads, length, width of a head]."""
        parts = rows.shape[1] // self._last.rest.outward.weight.shape[1]
        split = rows.view(run.n, run.length, parts, self._heads, -1)
        return split.permute(2, 0, 3, 1, 4).unbind()


def packed(model: Any) -> Packed | None:  # noqa: ANN401 - a transformers model has no useful type
    """The encoder of a masked LM as `Packed`; None if it is built otherwise.

    It has to have one list of layers, and beside it in the same module no weight or table; in each
    layer only the modules of `_LAYER` have weights, in that order and of these types, and beside
    them there is one activation. A layer with positions of its own, an adapter, a projection of
    heads, quantised weights or a norm before the attention is another.
    """
    # Those of another library multiply in their own way, which a view of their numbers does not.
    if any(type(weight) is not nn.Parameter for weight in model.parameters()):
        return None
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
    # Each is of the type of its place in `_LAYER`, which types cannot tell.
    parts: list[Any] = weighty
    query, key, value, outward, norm, wide, narrow, last_norm = parts
    products = [query, key, value, outward, wide, narrow]
    width, inner = outward.out_features, wide.out_features
    shapes = [(width, width)] * 4 + [(inner, width), (width, inner)]
    if [tuple(product.weight.shape) for product in products] != shapes or width % heads:
        return None
    if any(product.bias is None for product in products):
        return None
    return _Layer(
        inward=Product(*(_joined([getattr(one, n) for one in products[:3]]) for n in _PARTS)),
        outward=Product(outward.weight, outward.bias),
        norm=norm,
        wide=Product(wide.weight, wide.bias),
        activation=others[0],
        narrow=Product(narrow.weight, narrow.bias),
        last_norm=last_norm,
    )


def _joined(parts: Sequence[nn.Parameter]) -> torch.Tensor:
    """The parameters below each other, which become views of it: nothing is held twice."""
    whole = torch.cat([part.data for part in parts])
    for part, own in zip(parts, whole.split([len(part) for part in parts]), strict=True):
        part.data = own
    return whole


def _added(product: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """A product and the states before it, in the precision of these."""
    # In place where that can be: a product is nobody else's.
    return product.add_(before) if product.dtype == before.dtype else product + before


def _distinct(
    states: torch.Tensor, batch: Sequence[Run]
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The first row of each distinct embedding, and for each piece the number of its own.

    A piece at a place is embedded alike in most models, and sentences of a set have many in common:
    the first layer's products are the same for all of them. None where embeddings of one piece at
    one place differ, or where few are shared.
    """
    longest = max(run.length for run in batch)
    keys = [
        (run.ids * longest + torch.arange(run.length, device=states.device)).flatten()
        for run in batch
    ]
    found, number = torch.unique(torch.cat(keys), return_inverse=True)
    if len(found) > _SHARED * len(states):
        return None
    every = torch.arange(len(states), device=states.device)
    # By the smallest: of several writes to one place torch does not say which is the last.
    rows = every.new_full(found.shape, len(states)).scatter_reduce(0, number, every, "amin")
    # Looked at and not supposed: a model may add more to a state than its piece and its place.
    return (rows, number) if torch.equal(states[rows][number], states) else None


def _split(packed_states: torch.Tensor, batch: Sequence[Run]) -> Sequence[torch.Tensor]:
    """The pieces of each run."""
    parts: Sequence[torch.Tensor] = packed_states.split([run.n * run.length for run in batch])
    return parts


def _tensors(module: nn.Module) -> set[int]:
    """The parameters and buffers of a module and all that is in it, by identity."""
    return {id(tensor) for tensor in (*module.parameters(), *module.buffers())}


def _unchanged(hidden_states: torch.Tensor, *_inputs: object, **_named: object) -> Any:  # noqa: ANN401
    return BaseModelOutputWithPoolingAndCrossAttentions(last_hidden_state=hidden_states)


@contextmanager
def replaced(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Run something else in the place of a module's own forward pass."""
    # As an attribute of the instance, which hides the method of its class.
    module.forward = forward
    try:
        yield
    finally:
        del module.forward


__all__ = ["Packed", "packed", "replaced"]
