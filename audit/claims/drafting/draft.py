"""A first file of claims from a card: what its text and metadata are seen to say, with comments."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from maskaudit.audit.claims.card import Card
from maskaudit.audit.claims.drafting.finders import Seen, model_of, reference_of, seen
from maskaudit.audit.texts import toml_files

_NAMELESS = "NAME-OF-THE-MODEL"
_HEAD = """\
# What {card} says of its model, a claim each, as it was seen in the card's text and metadata.
# Check each against the card: what is meant ironically, of another model, or in other words is not
# seen. `quote` is the card's own words and has to stand there; what a kind of claim may say, and
# how it is checked, is in docs/claims.md.
#
#   maskaudit claims {card} --model MODEL --reference MODEL --record RECORD
"""


def draft(card: Card) -> str:
    """The file as TOML: the same card makes the same text. A card that says nothing has no claim.

    Every quotation in it stands in the card.
    """
    model, reference = model_of(card), reference_of(card)
    lines = [_HEAD.format(card=card.path.name), "[card]"]
    if model is None:
        lines.append("# The card does not name its model: write its hub id or the folder's name.")
    lines.append(f"model = {_text(model or _NAMELESS)}")
    if reference is None:
        lines.append('# reference = "..."         # the model that it is compared with')
    else:
        lines.append(f"reference = {_text(reference)}")
    n_of_kind: Counter[str] = Counter()
    for found in seen(card):
        n_of_kind[found.kind] += 1
        n = n_of_kind[found.kind]
        lines += ["", *_claim(found, found.kind if n == 1 else f"{found.kind}-{n}")]
    if not n_of_kind:
        lines += ["", *_EXAMPLE]
    return "\n".join(lines) + "\n"


_HOW = {
    "casing": "Whether the tokenizer reads a text and its small letters alike.",
    "vocabulary": "To the piece; about = true lets it be rounded.",
    "length": 'Pieces, special tokens included; below = true where the card says "less than".',
    "heads": "By the tensors in the file: masked_lm, next_sentence, sentence_order.",
    "inputs": "Kinds of segment that have an embedding (1: none are told apart); the mask token.",
    "parameters": "With or without heads, or all that are stored; the reference is counted alike.",
    "sample": 'The likeliest fills in order, with p as it is printed: { token = "..", p = ".." }.',
    "languages": "By the facts of a record in that language; mostly not checkable.",
    "licence": "By README.md or LICENSE in the model's folder.",
    "inheritance": 'By words of a record: inherited, amplified, attenuated, lost; axis = "..".',
    "benchmark": "Whose row it is among those that are known; no benchmark is run.",
}
_EXAMPLE = [
    "# Nothing was seen that could be checked. A claim looks like this:",
    "# [[claim]]",
    '# id = "vocabulary"',
    '# kind = "vocabulary"',
    '# quote = "a vocabulary size of 30,000"',
    "# size = 30000",
]


def _claim(found: Seen, name: str) -> list[str]:
    # How it is checked is said once, above the first of its kind.
    lines = [f"# {_HOW[found.kind]}"] if name == found.kind else []
    lines += ["[[claim]]", f"id = {_text(name)}", f"kind = {_text(found.kind)}"]
    lines.append(f"quote = {_text(found.quote)}")
    return lines + [f"{key} = {_value(value)}" for key, value in found.says.items()]


def _value(value: Any) -> str:  # noqa: ANN401 - a value of TOML
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {_value(part)}" for key, part in value.items())
        return f"{{ {pairs} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else str(value)


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else _text(key)


def _text(text: str) -> str:
    # With the escapes of the one writer of TOML: a quotation may hold any character.
    return toml_files.dumps({"x": text}).removeprefix("x = ").rstrip("\n")
