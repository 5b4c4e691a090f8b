"""A text with masks and the answer of each, checked; what cannot be asked is counted by reason."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from maskaudit.audit.texts.characters import invisible
from maskaudit.probes.frames.sentence import MASK

# What data and services write for a mask.
MASKS = re.compile(r"\[mask\]|<mask>", re.IGNORECASE)
# More is a damaged row; a text of 512 pieces has about 2,500 characters.
LONGEST_TEXT, LONGEST_ANSWER = 20_000, 100
_BREAKS = "\t\n\r\u2028\u2029"
# Scripts that write no space between words: there letters stand on both sides of every word.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


class Losses:
    """Rows and masks that are not asked, counted by reason, with the rows' first numbers."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self.masks: Counter[str] = Counter()
        self._first: dict[str, int] = {}

    def row(self, number: int, reason: str) -> None:
        """Count a row that is not used at all."""
        self.rows[reason] += 1
        self._first.setdefault(reason, number)

    def mask(self, number: int, reason: str) -> None:
        """Count a mask of a row that is not asked."""
        self.masks[reason] += 1
        self._first.setdefault(reason, number)

    def notes(self) -> list[str]:
        """A line for each reason: how many rows or masks, why, and the first row of them."""
        return [
            f"{count:,} {noun if count == 1 else noun + 's'} not asked: {reason} "
            f"(first: row {self._first[reason]})"
            for noun, counts in (("row", self.rows), ("mask", self.masks))
            for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]


@dataclass(frozen=True)
class MaskedText:
    """A text with `[MASK]`s that are asked, each with its answer and its group.

    `row` is its number in the data; `document` is what it belongs to. An answer of "" is not asked:
    its mask stays a mask. `groups` are "" where the data names none.
    """

    row: int
    document: str
    text: str
    answers: tuple[str, ...]
    groups: tuple[str, ...] = field(default=())


def masked_text(  # noqa: PLR0913, PLR0917 - the cells of a row, and where losses are counted
    row: int,
    document: str,
    text: object,
    answers: Sequence[object],
    groups: Sequence[str],
    losses: Losses,
) -> MaskedText | None:
    """The text as it is asked, or None, counted in `losses`, where nothing of it can be.

    `groups` has one group for all masks, or one for each. A mask that is a part of a word is
    written in with its answer: no model's pieces could be told apart there.
    """
    why, written = _fault(text, answers), str(text)
    if not why and len(groups) not in {1, len(answers)}:
        why = "masks and groups do not match in number"
    if why:
        losses.row(row, why)
        return None
    parts = MASKS.split(written)
    each = list(groups) * len(answers) if len(groups) == 1 else list(groups)
    result, kept, own = parts[0], [], []
    for before, after, answer, group in zip(parts, parts[1:], answers, each, strict=False):
        word = str(answer).strip() if isinstance(answer, str) else ""
        fault = _fault_of_answer(answer)
        if not fault and _is_inside_word(before, word, after):
            losses.mask(row, "it is a part of a word, and was written in with its answer")
            result += word + after
            continue
        if fault:
            losses.mask(row, fault)
        result += MASK + after
        kept.append("" if fault else word)
        own.append(group)
    if not any(kept):
        losses.row(row, "none of its masks can be asked")
        return None
    return MaskedText(row, document, result, tuple(kept), tuple(own))


def _fault(text: object, answers: Sequence[object]) -> str:
    """Why a row cannot be used, in words that are the same for all rows of that kind; or ""."""
    if not isinstance(text, str):
        return "its text is missing, or is no text"
    if not text.strip():
        return "its text is empty"
    if len(text) > LONGEST_TEXT:
        return f"its text has more than {LONGEST_TEXT:,} characters"
    if invisible(text, allowed=_BREAKS):
        return "its text has an invisible character"
    count = len(MASKS.findall(text))
    if not count:
        return "its text has no mask"
    return "" if count == len(answers) else "masks and answers do not match in number"


def _fault_of_answer(answer: object) -> str:
    """Why a mask cannot be asked for this answer, or ""."""
    if not isinstance(answer, str):
        return "its answer is no text"
    if not answer.strip():
        return "its answer is empty"
    if len(answer) > LONGEST_ANSWER:
        return f"its answer has more than {LONGEST_ANSWER} characters"
    if MASKS.search(answer):
        return "its answer holds a mask"
    return "its answer has an invisible character" if invisible(answer) else ""


def _is_inside_word(before: str, word: str, after: str) -> bool:
    """Whether a letter of the text stands right beside a letter of the answer."""
    return _are_joined(before[-1:], word[:1]) or _are_joined(word[-1:], after[:1])


def _are_joined(first: str, second: str) -> bool:
    return first.isalnum() and second.isalnum() and not (_is_unspaced(first + second))


def _is_unspaced(letters: str) -> bool:
    return any(unicodedata.name(letter, "").startswith(_UNSPACED) for letter in letters)
