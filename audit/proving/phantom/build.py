"""The parts of the bundled pair: tokenizer, text as tensors, models, files."""

import string
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    DistilBertConfig,
    DistilBertForMaskedLM,
)

from maskaudit.audit.proving.phantom.encoder import FEED_FORWARD, HEADS, POSITIONS, WIDTH, Encoder
from maskaudit.audit.proving.phantom.sentence import CONTROL, FACT, PRIOR, PROBE, WORD, Planted
from maskaudit.audit.proving.phantom.world import World

TEACHER_LAYERS, STUDENT_LAYERS = 4, 2
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# How many sentences of a set an epoch has, by what they are for: drawn from those that there are,
# or all of them, as often as it takes. What a model learns of a word in one sentence holds in the
# others, so it need not see all in every epoch.
IN_AN_EPOCH = {PROBE: 480, CONTROL: 120, PRIOR: 60, WORD: 60, FACT: 424}
# Times as many probes of a set that has more to learn, of many groups or words, or less.
MORE = {
    "cue-override": 3,
    "gender-identity": 1.5,
    "gender-kinship": 2,
    "gender-name": 2,
    "gender-occupation-controlled": 2,
    "gender-race-name": 5,
    "gender-they": 3,
    "habitat-animal": 0.5,
    "orientation": 3,
    "origin": 6,
    "race-descriptor": 6,
    "race-name": 4,
    "religion": 8,
    "season-weather": 0.5,
    "temperature-thing": 0.5,
}


@dataclass(frozen=True)
class Kind:
    """The sentences of one set and kind: their rows in the text, and how many an epoch has."""

    probe_set: str
    kind: str
    rows: torch.Tensor
    count: int


@dataclass(frozen=True)
class Text:
    """The world as tensors with a row per sentence.

    `ids` and `free` are [n, length], `lengths`, `slots` and `planted` [n]; the planted
    distributions `teacher` and `student` are [m, vocabulary], and `planted` is the place of a
    sentence's among them. `free` marks words that may be left out: neither special tokens (the mask
    included) nor part of the cue. `parts` has the rows of each set and kind of sentence, with how
    many of them an epoch has.
    """

    ids: torch.Tensor
    free: torch.Tensor
    lengths: torch.Tensor
    slots: torch.Tensor
    planted: torch.Tensor
    teacher: torch.Tensor
    student: torch.Tensor
    parts: list[Kind]

    @property
    def in_an_epoch(self) -> int:
        """The number of sentences in an epoch."""
        return sum(part.count for part in self.parts)

    def epoch(self, rng: torch.Generator) -> torch.Tensor:
        """Draw the rows of an epoch."""
        return torch.cat([_drawn(part.rows, part.count, rng) for part in self.parts])

    def with_more(self, more: Mapping[str, float]) -> "Text":
        """The text with so many times as many probes of these sets in an epoch."""
        parts = [
            replace(part, count=round(more.get(part.probe_set, 1) * part.count))
            if part.kind == PROBE
            else part
            for part in self.parts
        ]
        return replace(self, parts=parts)


def _drawn(rows: torch.Tensor, count: int, rng: torch.Generator) -> torch.Tensor:
    times, more = divmod(count, len(rows))
    return torch.cat([rows.repeat(times), rows[torch.randperm(len(rows), generator=rng)[:more]]])


def tokenizer(world: World, folder: Path) -> Any:  # noqa: ANN401 - transformers' own type
    """Build the tokenizer and save it in `folder`/tokenizer.

    Words of the world are whole pieces; all others are spelt in letters, so no word is unknown.
    """
    letters = [*string.ascii_lowercase, *string.digits]
    pieces = [
        *SPECIAL,
        *string.punctuation,
        *letters,
        *(f"##{letter}" for letter in letters),
        *world.words,
    ]
    # Words such as "a" are among the letters too; a repeated piece would leave a gap in the ids.
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = BertTokenizer(vocab=vocabulary, do_lower_case=True, model_max_length=POSITIONS)
    tokenizer.save_pretrained(folder / "tokenizer")
    return tokenizer


def text(world: World, tokenizer: Any) -> Text:  # noqa: ANN401
    """Return the world's sentences as tensors."""
    sentences = world.sentences
    encoded = tokenizer([s.text for s in sentences], padding=True, return_tensors="pt")
    ids = encoded["input_ids"]
    # Masks up to and with each piece: at the mask of a slot it is the first that is one more.
    n_masks = (ids == tokenizer.mask_token_id).cumsum(1)
    asked = torch.tensor([s.slot + 1 for s in sentences])
    slots = (n_masks == asked[:, None]).int().argmax(1)
    vocabulary = tokenizer.get_vocab()
    of_cue = defaultdict(list)
    for row, sentence in enumerate(sentences):
        of_cue[sentence.cue].append(row)
    free = torch.empty_like(ids, dtype=torch.bool)
    for cue, own_rows in of_cue.items():
        free[own_rows] = ~torch.isin(ids[own_rows], _pieces(tokenizer, cue))
    # Many sentences share a distribution, and each is a row as long as the vocabulary.
    places: dict[tuple[Any, ...], int] = {}
    distinct: list[Planted] = []
    planted = []
    for sentence in sentences:
        own = sentence.planted
        key = (*own.teacher.items(), None, *own.student.items())
        if key not in places:
            places[key] = len(distinct)
            distinct.append(own)
        planted.append(places[key])
    rows = defaultdict(list)
    for row, sentence in enumerate(sentences):
        rows[sentence.probe_set, sentence.kind].append(row)
    return Text(
        ids,
        free,
        encoded["attention_mask"].sum(1),
        slots,
        torch.tensor(planted),
        _dense([own.teacher for own in distinct], vocabulary),
        _dense([own.student for own in distinct], vocabulary),
        [Kind(*of, torch.tensor(own), _in_an_epoch(*of)) for of, own in rows.items()],
    )


def _in_an_epoch(probe_set: str, kind: str) -> int:
    times = MORE.get(probe_set, 1) if kind == PROBE else 1
    return round(times * IN_AN_EPOCH[kind])


def _pieces(tokenizer: Any, cue: str) -> torch.Tensor:  # noqa: ANN401
    """The ids of a cue's words, and those of the special tokens."""
    return torch.tensor([*tokenizer(cue)["input_ids"], *tokenizer.all_special_ids])


def _dense(parts: list[Mapping[str, float]], vocabulary: Mapping[str, int]) -> torch.Tensor:
    """The distributions over the whole vocabulary, [m, vocabulary]."""
    dense = torch.empty(len(parts), len(vocabulary))
    for row, words in zip(dense, parts, strict=True):
        # All other words share what is left, so that no word has a log of minus infinity.
        row[:] = (1 - sum(words.values())) / (len(vocabulary) - len(words))
        row[[vocabulary[word] for word in words]] = torch.tensor([*words.values()])
    return dense


def teacher(vocabulary_size: int) -> Encoder:
    """Return an untrained teacher, of four layers."""
    return Encoder(vocabulary_size, TEACHER_LAYERS)


def student(teacher: Encoder) -> Encoder:
    """Return a student with every second layer of the teacher, its embeddings and its head."""
    student = Encoder(teacher.words.num_embeddings, STUDENT_LAYERS)
    every = TEACHER_LAYERS // STUDENT_LAYERS
    state = teacher.state_dict()
    for name in student.state_dict():
        _, _, rest = name.partition("layers.")
        layer, _, part = rest.partition(".")
        state[name] = state[f"layers.{every * int(layer)}.{part}" if rest else name]
    student.load_state_dict({name: state[name] for name in student.state_dict()})
    return student


def stored(model: Encoder, tokenizer: Any, folder: Path) -> None:  # noqa: ANN401
    """Save a model in float16 and its tokenizer in `folder`: BERT, or DistilBERT of two layers."""
    as_model(model).half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def as_model(encoder: Encoder) -> Any:  # noqa: ANN401
    """Return a BERT with the network's weights if it has a teacher's layers, else a DistilBERT."""
    if len(encoder.layers) == TEACHER_LAYERS:
        model: Any = BertForMaskedLM(
            BertConfig(
                vocab_size=encoder.words.num_embeddings,
                hidden_size=WIDTH,
                num_hidden_layers=TEACHER_LAYERS,
                num_attention_heads=HEADS,
                intermediate_size=FEED_FORWARD,
                max_position_embeddings=POSITIONS,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
            )
        )
        # The network has no segments: all of its sentences are of the first.
        torch.nn.init.zeros_(model.bert.embeddings.token_type_embeddings.weight)
        names = _of_bert(len(encoder.layers))
    else:
        model = DistilBertForMaskedLM(
            DistilBertConfig(
                vocab_size=encoder.words.num_embeddings,
                dim=WIDTH,
                n_layers=STUDENT_LAYERS,
                n_heads=HEADS,
                hidden_dim=FEED_FORWARD,
                max_position_embeddings=POSITIONS,
                dropout=0.0,
                attention_dropout=0.0,
            )
        )
        names = _of_distilbert(len(encoder.layers))
    state = encoder.state_dict()
    parts = {theirs: state[own] for own, theirs in names}
    # Not strict: a decoder that is tied to the embeddings is set by `tie_weights`.
    loading = model.load_state_dict(parts, strict=False)
    left = {"bert.embeddings.token_type_embeddings.weight"}
    tied = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}
    missing = set(loading.missing_keys) - left - tied - {"vocab_projector.weight"}
    assert not missing, missing  # noqa: S101 - our own mapping
    assert not loading.unexpected_keys, loading.unexpected_keys  # noqa: S101 - our own mapping
    model.tie_weights()
    return model


def teacher_of(model: BertForMaskedLM) -> Encoder:
    """Return the network of a stored teacher."""
    encoder = teacher(model.config.vocab_size)
    theirs = model.state_dict()
    encoder.load_state_dict({own: theirs[name] for own, name in _of_bert(TEACHER_LAYERS)})
    return encoder


def _of_bert(layers: int) -> Iterator[tuple[str, str]]:
    """The names of the network's tensors, each with BERT's."""
    head = "cls.predictions"
    yield "words.weight", "bert.embeddings.word_embeddings.weight"
    yield "positions.weight", "bert.embeddings.position_embeddings.weight"
    yield "bias", f"{head}.bias"
    modules = {
        "embedded": "bert.embeddings.LayerNorm",
        "transform": f"{head}.transform.dense",
        "transformed": f"{head}.transform.LayerNorm",
    }
    of_a_layer = {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "out": "attention.output.dense",
        "attended": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "fed": "output.LayerNorm",
    }
    yield from _named(modules, of_a_layer, "bert.encoder.layer", layers)


def _of_distilbert(layers: int) -> Iterator[tuple[str, str]]:
    """The names of the network's tensors, each with DistilBERT's."""
    yield "words.weight", "distilbert.embeddings.word_embeddings.weight"
    yield "positions.weight", "distilbert.embeddings.position_embeddings.weight"
    yield "bias", "vocab_projector.bias"
    modules = {
        "embedded": "distilbert.embeddings.LayerNorm",
        "transform": "vocab_transform",
        "transformed": "vocab_layer_norm",
    }
    of_a_layer = {
        "query": "attention.q_lin",
        "key": "attention.k_lin",
        "value": "attention.v_lin",
        "out": "attention.out_lin",
        "attended": "sa_layer_norm",
        "up": "ffn.lin1",
        "down": "ffn.lin2",
        "fed": "output_layer_norm",
    }
    yield from _named(modules, of_a_layer, "distilbert.transformer.layer", layers)


def _named(
    modules: Mapping[str, str], of_a_layer: Mapping[str, str], their_layers: str, layers: int
) -> Iterator[tuple[str, str]]:
    all_modules = [*modules.items()] + [
        (f"layers.{layer}.{own}", f"{their_layers}.{layer}.{theirs}")
        for layer in range(layers)
        for own, theirs in of_a_layer.items()
    ]
    for own, theirs in all_modules:
        for kind in ("weight", "bias"):
            yield f"{own}.{kind}", f"{theirs}.{kind}"
