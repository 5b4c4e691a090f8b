"""What the files of a checkpoint say of it, in the words that claims of model cards use."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from maskaudit.audit.claims.card import read_card
from maskaudit.audit.claims.checking.facts import Facts
from maskaudit.audit.claims.kinds import Head
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.checkpoint import weight_files
from maskaudit.audit.measuring.checkpoints.digests import dtypes, shapes
from maskaudit.audit.measuring.checkpoints.tokenizer import PANEL, Tokenizer, load_tokenizer
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.texts import bounded

# By head, how its tensors are named in any architecture.
_HEADS: Mapping[Head, re.Pattern[str]] = {
    "next_sentence": re.compile(r"seq_relationship"),
    "sentence_order": re.compile(r"sop_classifier"),
    "masked_lm": re.compile(
        r"^(cls\.predictions|predictions|vocab_\w+|lm_head|generator_\w+|pred_layer|mlm\w*)\."
    ),
}
_SEGMENTS = re.compile(r"token_type_embeddings\.weight$")
# Types of numbers that are trained; places and masks that are stored beside them are whole numbers.
_FLOATS = re.compile(r"B?F\d+")
_CAPITAL = re.compile(r"[A-Z]")
_CARD = "README.md"
_LICENCES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE")
# What the licence itself begins with, by its name on the Hub.
_TITLES = {
    "apache-2.0": re.compile(r"\s*Apache License\s+Version 2\.0"),
    "mit": re.compile(r"\s*(The )?MIT License"),
}


def facts(folder: Path, model: MaskedLM, card: Path | None = None) -> Facts:
    """What a checkpoint that was loaded as `model` is; `card` is no evidence of itself.

    Raises `InputError` if its tokenizer or its metadata cannot be read.
    """
    name = model.identity.name
    files = weight_files(folder, name)
    types = dtypes(files)
    trained = {key: shape for key, shape in shapes(files).items() if _FLOATS.match(types[key])}
    tokenizer = load_tokenizer(folder, name)
    licence, licence_of = _licence(folder, card)
    return Facts(
        name,
        weights=model.identity.weights,
        tokenizer=model.identity.tokenizer,
        casing="uncased" if _is_lowering(tokenizer) else "cased",
        capitals=_capitals(tokenizer),
        vocabulary_size=model.identity.vocabulary_size,
        longest=model.longest,
        heads=stored_heads(trained),
        segments=segments(trained),
        mask_token=model.mask_token,
        parameters={
            "with the masked-LM head": model.identity.parameters,
            **counted(trained),
        },
        licence=licence,
        licence_of=licence_of,
    )


def stored_heads(tensors: Mapping[str, Sequence[int]]) -> frozenset[Head]:
    """The heads among tensors, by their names."""
    return frozenset(
        head for head, form in _HEADS.items() if any(form.search(name) for name in tensors)
    )


def segments(tensors: Mapping[str, Sequence[int]]) -> int:
    """How many kinds of segment have an embedding; 1 if no two are told apart."""
    rows = (shape[0] for name, shape in tensors.items() if _SEGMENTS.search(name))
    return max(rows, default=1)


def counted(tensors: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """The numbers in all tensors, and in those of no head, by the name of the way of counting."""
    of_heads = {name for name in tensors if any(form.search(name) for form in _HEADS.values())}
    inside = sum(math.prod(shape) for name, shape in tensors.items() if name not in of_heads)
    return {
        "without heads": inside,
        "in the file": sum(map(math.prod, tensors.values())),
    }


def _is_lowering(tokenizer: Tokenizer) -> bool:
    text = PANEL[0]
    written, small = tokenizer.encode([text, text.lower()])
    return written.ids == small.ids


def _capitals(tokenizer: Tokenizer) -> int:
    """How many pieces have a capital letter from A to Z, special ones aside."""
    # Special pieces have capitals in every vocabulary.
    special = set(tokenizer.built.all_special_tokens)
    return sum(
        1
        for piece in tokenizer.built.get_vocab()
        if piece not in special and _CAPITAL.search(piece)
    )


def _licence(folder: Path, card: Path | None) -> tuple[str, str]:
    """The licence that the folder states, and the file that does; two empty texts without one."""
    own = folder / _CARD
    # A card that is checked against itself would confirm whatever it says.
    if own.is_file() and not (card is not None and card.exists() and own.samefile(card)):
        stated = read_card(own).metadata.get("license")
        if isinstance(stated, str) and stated:
            return stated, _CARD
    for path in (folder / name for name in _LICENCES):
        if path.is_file():
            try:
                text = bounded.content(path, bounded.TEXT).decode("utf-8", "replace")
            except OSError as error:
                raise InputError(f"{path}: cannot be read ({error.strerror})") from error
            for name, title in _TITLES.items():
                if title.match(text):
                    return name, path.name
    return "", ""
