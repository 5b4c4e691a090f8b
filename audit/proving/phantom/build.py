"""The parts of the bundled pair: tokenizer, text as tensors, models, files."""

import string
from collections.abc import Mapping
from dataclasses import dataclass
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

from maskaudit.audit.proving.phantom.world import World

WIDTH, HEADS, FEED_FORWARD, POSITIONS = 128, 4, 512, 64
TEACHER_LAYERS, STUDENT_LAYERS = 4, 2
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# Repetitions of a set's sentences in an epoch; small sets with faint leans need more.
REPEATED = {"age-trait": 5, "religion-trait": 4, "occupation-person": 2, "facts": 2}


@dataclass(frozen=True)
class Text:
    """The world as tensors with a row per sentence.

    `ids` and `free` are [n, length]; `lengths` and `slots` [n]; `teacher` and `student` are the
    planted distributions and `shift` the logit shift, [n, vocabulary]. `free` marks words that may
    be replaced: neither special tokens (the mask included) nor part of the cue.
    """

    ids: torch.Tensor
    free: torch.Tensor
    lengths: torch.Tensor
    slots: torch.Tensor
    teacher: torch.Tensor
    student: torch.Tensor
    shift: torch.Tensor


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
    """Return the world's sentences as tensors, repeated as in an epoch."""
    sentences = [s for s in world.sentences for _ in range(REPEATED.get(s.probe_set, 1))]
    encoded = tokenizer([s.text for s in sentences], padding=True, return_tensors="pt")
    ids = encoded["input_ids"]
    masks = [torch.nonzero(row == tokenizer.mask_token_id).flatten() for row in ids]
    slots = torch.tensor([int(m[s.slot]) for m, s in zip(masks, sentences, strict=True)])
    vocabulary = tokenizer.get_vocab()

    def dense(words: Mapping[str, float], *, rest: float) -> torch.Tensor:
        row = torch.full((len(vocabulary),), rest)
        for word, value in words.items():
            row[vocabulary[word]] = value
        return row

    def distributions(model_name: str) -> torch.Tensor:
        rows = []
        for sentence in sentences:
            words: Mapping[str, float] = getattr(sentence, model_name)
            rest = (1 - sum(words.values())) / (len(vocabulary) - len(words))
            rows.append(dense(words, rest=rest))
        return torch.stack(rows)

    cues = [set(tokenizer(s.cue)["input_ids"]) for s in sentences]
    special = set(tokenizer.all_special_ids)
    free = torch.tensor(
        [
            [piece not in cue and piece not in special for piece in row]
            for row, cue in zip(ids.tolist(), cues, strict=True)
        ]
    )
    shift = torch.stack([dense(s.shift, rest=0.0) for s in sentences])
    lengths = encoded["attention_mask"].sum(1)
    return Text(
        ids, free, lengths, slots, distributions("teacher"), distributions("student"), shift
    )


def teacher(vocabulary_size: int) -> BertForMaskedLM:
    """Return an untrained BERT of four layers."""
    return BertForMaskedLM(
        BertConfig(
            vocab_size=vocabulary_size,
            hidden_size=WIDTH,
            num_hidden_layers=TEACHER_LAYERS,
            num_attention_heads=HEADS,
            intermediate_size=FEED_FORWARD,
            max_position_embeddings=POSITIONS,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
    )


def student(teacher: BertForMaskedLM) -> DistilBertForMaskedLM:
    """Return a DistilBERT with every second layer of the teacher, its embeddings and its head."""
    student = DistilBertForMaskedLM(
        DistilBertConfig(
            vocab_size=teacher.config.vocab_size,
            dim=WIDTH,
            n_layers=STUDENT_LAYERS,
            n_heads=HEADS,
            hidden_dim=FEED_FORWARD,
            max_position_embeddings=POSITIONS,
            dropout=0.0,
            attention_dropout=0.0,
        )
    )
    teacher_state = teacher.state_dict()
    embeddings = "bert.embeddings."
    # DistilBERT has no segment embeddings: add that of the first segment to every position.
    segment = teacher_state[f"{embeddings}token_type_embeddings.weight"][0]
    student_state = {
        "distilbert.embeddings.word_embeddings.weight": teacher_state[
            f"{embeddings}word_embeddings.weight"
        ],
        "distilbert.embeddings.position_embeddings.weight": teacher_state[
            f"{embeddings}position_embeddings.weight"
        ]
        + segment,
    }
    names = {f"{embeddings}LayerNorm.": "distilbert.embeddings.LayerNorm."}
    head = "cls.predictions."
    names |= {
        f"{head}transform.dense.": "vocab_transform.",
        f"{head}transform.LayerNorm.": "vocab_layer_norm.",
    }
    student_state["vocab_projector.bias"] = teacher_state[f"{head}bias"]
    for layer in range(STUDENT_LAYERS):
        source = layer * (TEACHER_LAYERS // STUDENT_LAYERS)
        pairs = {
            "attention.self.query": "attention.q_lin",
            "attention.self.key": "attention.k_lin",
            "attention.self.value": "attention.v_lin",
            "attention.output.dense": "attention.out_lin",
            "attention.output.LayerNorm": "sa_layer_norm",
            "intermediate.dense": "ffn.lin1",
            "output.dense": "ffn.lin2",
            "output.LayerNorm": "output_layer_norm",
        }
        names |= {
            f"bert.encoder.layer.{source}.{a}.": f"distilbert.transformer.layer.{layer}.{b}."
            for a, b in pairs.items()
        }
    for old, new in names.items():
        for kind in ("weight", "bias"):
            student_state[new + kind] = teacher_state[old + kind]
    # Not strict, because the projector's weight is tied to the word embeddings: `tie_weights` sets
    # it.
    loading = student.load_state_dict(student_state, strict=False)
    missing = set(loading.missing_keys) - {"vocab_projector.weight"}
    assert not missing, missing  # noqa: S101 - our own mapping
    student.tie_weights()
    return student


def store(model: Any, tokenizer: Any, folder: Path) -> None:  # noqa: ANN401
    """Save a model in float16 and its tokenizer in `folder`; this converts `model` in place."""
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
