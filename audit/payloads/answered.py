"""Read what an endpoint answers: fills of the sentences that were asked, or why they are none."""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from maskaudit.audit.errors import InputError
from maskaudit.probes.frames.sentence import MASK

# Characters of a word and of a repeated sentence, and combining marks in a row: an answer of few
# bytes must not take minutes to compare.
_LONGEST_WORD, _LONGEST, _MOST_MARKS = 200, 50_000, 30
_SHOWN = 60
# What a service's rounding of its probabilities may add to their sum, whatever they are; and at
# most, for many that are each rounded up.
_ROUNDING, _MOST_ROUNDING = 1e-3, 0.05
# A piece that is no word, as a tokenizer writes it: [SEP], <mask>, </s>.
_SPECIAL = re.compile(r"\[[A-Z]+\]|</?[a-z]+>")


@dataclass(frozen=True)
class Served:
    """A fill that an endpoint gave: its probability, its piece as text, and the piece's id.

    The id is -1, and `sequence` (the sentence with the fill in it) empty, where the answer lacks
    them.
    """

    score: float
    word: str
    token: int = -1
    sequence: str = ""


# The fills of a mask; of the masks of a sentence.
Mask = tuple[Served, ...]
Sentence = tuple[Mask, ...]


def fills_of(value: object, n_masks: Sequence[int], where: str) -> list[Sentence]:
    """The fills in an answer of Hugging Face's form, for sentences of so many masks each.

    Raises `InputError`, which says what came and what was expected, for anything else: another
    number of sentences or of masks, a fill without its parts, and what is no probability.
    """
    # The form leaves out a list of one: of sentences, and likewise of masks.
    sentences = [value] if len(n_masks) == 1 else _list(value, len(n_masks), "sentences", where)
    found = []
    for sentence, masks in zip(sentences, n_masks, strict=True):
        each = [sentence] if masks == 1 else _list(sentence, masks, "masks of a sentence", where)
        found.append(tuple(_mask(fills, where) for fills in each))
    return found


def words_of(value: object, n: int, where: str) -> list[str]:
    """The word at the only mask of each of n sentences, in an answer of any documented form.

    `["capital"]` and `[{"0": "capital"}]` are Azure ML's, `{"predictions": ["capital"]}` is
    MLflow's, and lists of fills are Hugging Face's, of which the likeliest counts. Raises
    `InputError` for anything else.
    """
    if isinstance(value, dict) and list(value) == ["predictions"]:
        value = value["predictions"]
    # An empty list is of no form: `fills_of` refuses it, and says what was expected.
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        found = _list(value, n, "sentences", where)
    elif isinstance(value, list) and value and all(_is_row(part) for part in value):
        found = [part["0"] for part in _list(value, n, "sentences", where)]
    else:
        sentences = fills_of(value, [1] * n, where)
        found = [max(mask, key=lambda fill: fill.score).word for (mask,) in sentences]
    return [word.strip() for word in found]


def _is_row(part: object) -> bool:
    return isinstance(part, dict) and list(part) == ["0"] and isinstance(part["0"], str)


def agreement(text: str, slot: int, fill: Served) -> Literal["same", "shorter", "other"]:
    """Whether the sentence that an answer repeats is the one that was asked.

    "shorter" where a part is missing, as words are that a vocabulary cannot write. Case, accents
    and white space do not count: tokenizers change them. "same" where the answer repeats none.
    """
    if not fill.sequence:
        return "same"
    parts = text.split(MASK)
    words = [fill.word if place == slot else " " for place in range(len(parts) - 1)]
    asked = "".join(part + word for part, word in zip(parts, [*words, ""], strict=True))
    whole, given = _bare(asked), _bare(fill.sequence)
    letters, given_letters = (
        "".join(filter(str.isalnum, characters)) for characters in (whole, given)
    )
    if letters != given_letters:
        return "shorter" if _is_within(given_letters, letters) else "other"
    return "shorter" if len(given) < len(whole) and _is_within(given, whole) else "same"


def is_word(word: str, fill: Served) -> bool:
    """Whether a fill is this word, in whatever case and with or without its accents.

    A service asked for a word of several pieces may answer with the first of them.
    """
    return folded(word) == folded(fill.word) != ""


def is_special(word: str) -> bool:
    """Whether a piece is none of a text, as `[SEP]` or `</s>`."""
    return _SPECIAL.fullmatch(word.strip()) is not None


def folded(word: str) -> str:
    """A word as `is_word` compares it."""
    return _bare(word)


def _bare(text: str) -> str:
    """The text without special pieces, case, accents and white space."""
    plain = unicodedata.normalize("NFKD", _SPECIAL.sub(" ", text)).casefold()
    return "".join(c for c in plain if not (c.isspace() or unicodedata.combining(c)))


def _is_within(part: str, whole: str) -> bool:
    """Whether the characters of one text stand in the other in their order."""
    left = iter(whole)
    return all(character in left for character in part)


def _list(value: object, n: int, what: str, where: str) -> list[Any]:
    if not isinstance(value, list) or len(value) != n:
        raise InputError(f"{where}: answered {_kind(value)}; expected a list for {n} {what}")
    return value


def _mask(value: object, where: str) -> Mask:
    if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
        raise InputError(
            f"{where}: answered {_kind(value)} for a mask; expected a list of fills, each "
            '{"score": 0.9, "token": 2364, "token_str": "capital", "sequence": "..."}'
        )
    fills = tuple(_fill(fill, where) for fill in value)
    # Several fills may each be a probability and yet not be of one distribution.
    total = math.fsum(fill.score for fill in fills)
    if total > 1 + _excess([fill.score for fill in fills]):
        raise InputError(
            f"{where}: answered probabilities of one mask that add up to {total:.4g}; expected at "
            "most 1"
        )
    return fills


def _excess(scores: Sequence[float]) -> float:
    """What rounding may have added to the sum of these: half of the last decimal, each."""
    # The shortest text of a number: its decimals are those that were written.
    decimals = [len(f"{score!r}".partition(".")[2]) for score in scores if score and score < 1]
    if any("e" in f"{score!r}" for score in scores):
        return _ROUNDING
    rounded = len(scores) * 0.5 * 10.0 ** -max(decimals, default=_LONGEST_WORD)
    return max(_ROUNDING, min(rounded, _MOST_ROUNDING))


def _fill(fill: dict[str, Any], where: str) -> Served:
    score, word = fill.get("score"), fill.get("token_str")
    # `true` is a number in Python. NaN is refused too, since no comparison with it holds.
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise InputError(
            f"{where}: answered the score {_shown(score)}; expected a probability from 0 to 1"
        )
    if not isinstance(word, str):
        raise InputError(f"{where}: answered the token_str {_shown(word)}; expected a text")
    token, sequence = fill.get("token"), fill.get("sequence")
    sequence = sequence if isinstance(sequence, str) else ""
    for name, text, most in (("token_str", word, _LONGEST_WORD), ("sequence", sequence, _LONGEST)):
        if len(text) > most or _has_heap(text):
            raise InputError(
                f"{where}: answered a {name} of {len(text):,} characters, or with more accents on "
                f"a letter than any language has; expected at most {most:,}, as of the sentence"
            )
    return Served(float(score), word, token if isinstance(token, int) else -1, sequence)


def _has_heap(text: str) -> bool:
    """Whether many combining marks stand in a row: to put them into order takes their square."""
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > _MOST_MARKS:
            return True
    return False


def _kind(value: object) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object with {', '.join(_shown(key) for key in list(value)[:4]) or 'no key'}"
    return _shown(value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
