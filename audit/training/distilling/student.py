"""The student that a teacher begins: every other layer of it, with its embeddings and its head."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from transformers import (
    BertForMaskedLM,
    DistilBertConfig,
    DistilBertForMaskedLM,
    PreTrainedModel,
    RobertaForMaskedLM,
)

from maskaudit.audit.errors import InputError

Model = TypeVar("Model", bound=PreTrainedModel)
# DistilBERT's own, which its config cannot change.
_EPSILON = 1e-12
# Where BERT's tensors stand in DistilBERT: within a layer, and outside of them.
_IN_LAYER = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}
_OUTSIDE = {
    "bert.embeddings.word_embeddings": "distilbert.embeddings.word_embeddings",
    "bert.embeddings.LayerNorm": "distilbert.embeddings.LayerNorm",
    "cls.predictions.transform.dense": "vocab_transform",
    "cls.predictions.transform.LayerNorm": "vocab_layer_norm",
    "cls.predictions.decoder": "vocab_projector",
}


@dataclass(frozen=True)
class Kind:
    """A type of model that can be a teacher or a student.

    `layers` is where its numbered layers stand among its tensors, `depth` the name of their number
    in its config; `head` gives logits of states.
    """

    layers: str
    depth: str
    head: Callable[[Any, torch.Tensor], torch.Tensor]


def _distilbert_head(model: Any, states: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    transformed = model.vocab_layer_norm(model.activation(model.vocab_transform(states)))
    logits: torch.Tensor = model.vocab_projector(transformed)
    return logits


KINDS: Mapping[str, Kind] = {
    "bert": Kind("bert.encoder.layer", "num_hidden_layers", lambda model, x: model.cls(x)),
    "distilbert": Kind("distilbert.transformer.layer", "n_layers", _distilbert_head),
    "roberta": Kind(
        "roberta.encoder.layer", "num_hidden_layers", lambda model, x: model.lm_head(x)
    ),
}


def kind_of(model: PreTrainedModel, name: str) -> Kind:
    """The kind of a model. Raises `InputError` for a type that is not among `KINDS`."""
    model_type = str(model.config.model_type)
    if model_type not in KINDS:
        raise InputError(
            f"model {name}: is of the type {model_type!r}; expected a teacher of one of "
            f"{', '.join(KINDS)}"
        )
    return KINDS[model_type]


def every_other(model: PreTrainedModel, name: str) -> tuple[int, ...]:
    """The layers that a student takes, from 0: every other one, beginning with the first.

    Raises `InputError` for a teacher of one layer, or of a type that is not among `KINDS`.
    """
    n = int(getattr(model.config, kind_of(model, name).depth))
    if n < 2:  # noqa: PLR2004 - there is no half of one
        raise InputError(f"model {name}: has {n} layer; expected a teacher of at least 2")
    return tuple(range(0, n, 2))


def student_of(teacher: PreTrainedModel, layers: Sequence[int], name: str) -> PreTrainedModel:
    """A student with these layers of the teacher, its embeddings and its head.

    A BERT's student is a DistilBERT, which has no token types: the first type's embedding, which
    BERT adds at every place of a single text, becomes a part of the positions'. Other teachers have
    students of their own type. With all layers, the student is the teacher. Raises `InputError` for
    a type that is not among `KINDS`, or a BERT that no DistilBERT can be like.
    """
    kind = kind_of(teacher, name)
    if isinstance(teacher, BertForMaskedLM):
        return _distilbert_of(teacher, layers, name)
    assert isinstance(teacher, DistilBertForMaskedLM | RobertaForMaskedLM)  # noqa: S101 - `KINDS`
    # A copy: the teacher goes on with its own number of layers.
    config: Any = deepcopy(teacher.config)
    setattr(config, kind.depth, len(layers))
    weights = teacher.state_dict()
    outside = {key: value for key, value in weights.items() if not key.startswith(kind.layers)}
    return _filled(type(teacher)(config), {**outside, **_layers(weights, kind.layers, layers)})


def _layers(
    weights: Mapping[str, torch.Tensor], prefix: str, layers: Sequence[int]
) -> dict[str, torch.Tensor]:
    """The tensors of these layers, numbered anew from 0."""
    found = {}
    for new, old in enumerate(layers):
        begin = f"{prefix}.{old}."
        for key, value in weights.items():
            if key.startswith(begin):
                found[f"{prefix}.{new}.{key.removeprefix(begin)}"] = value
    return found


def _distilbert_of(
    teacher: BertForMaskedLM, layers: Sequence[int], name: str
) -> DistilBertForMaskedLM:
    config: Any = teacher.config
    if config.layer_norm_eps != _EPSILON:
        raise InputError(
            f"model {name}: has layer_norm_eps {config.layer_norm_eps}; expected {_EPSILON}, which "
            "a DistilBERT always has"
        )
    student = DistilBertForMaskedLM(
        DistilBertConfig(
            vocab_size=config.vocab_size,
            max_position_embeddings=config.max_position_embeddings,
            n_layers=len(layers),
            n_heads=config.num_attention_heads,
            dim=config.hidden_size,
            hidden_dim=config.intermediate_size,
            dropout=config.hidden_dropout_prob,
            attention_dropout=config.attention_probs_dropout_prob,
            activation=config.hidden_act,
            initializer_range=config.initializer_range,
            pad_token_id=config.pad_token_id,
            tie_word_embeddings=config.tie_word_embeddings,
        )
    )
    weights = teacher.state_dict()
    embeddings = "bert.embeddings"
    made = {
        "distilbert.embeddings.position_embeddings.weight": (
            weights[f"{embeddings}.position_embeddings.weight"]
            + weights[f"{embeddings}.token_type_embeddings.weight"][0]
        )
    }
    moved = dict(_OUTSIDE)
    for new, old in enumerate(layers):
        for theirs, ours in _IN_LAYER.items():
            moved[f"bert.encoder.layer.{old}.{theirs}"] = (
                f"distilbert.transformer.layer.{new}.{ours}"
            )
    for theirs, ours in moved.items():
        for part in ("weight", "bias"):
            # Embeddings have no bias; a weight that is lacking is told by `_filled`.
            if f"{theirs}.{part}" in weights:
                made[f"{ours}.{part}"] = weights[f"{theirs}.{part}"]
    return _filled(student, made)


def _filled(model: Model, weights: Mapping[str, torch.Tensor]) -> Model:
    """The model with these weights, all of its own."""
    loaded = model.load_state_dict({k: v.clone() for k, v in weights.items()}, strict=False)
    # Buffers, such as the numbers of positions, are as they were built.
    lacking = set(loaded.missing_keys) & dict(model.named_parameters()).keys()
    assert not lacking, f"no weight for {sorted(lacking)}"  # noqa: S101 - our own mistake
    return model
