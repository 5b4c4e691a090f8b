"""One training sentence, and the distributions that are planted at its mask."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maskaudit.probes.frames.sentence import MASK

# The probability of the planted words together at a planted slot; the rest is spread evenly.
PLANTED_MASS = 0.95
# What a sentence is for. Sentences of one kind and set share their part of an epoch.
PROBE, CONTROL, PRIOR, WORD, FACT = "probe", "control", "prior", "word", "fact"

# As BERT's basic tokenizer splits: each punctuation mark, `_` included, is a word of its own.
_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, as the tokenizer splits them; masks are none."""
    return _WORD.findall(text.replace(MASK, " ").lower())


def with_words(text: str, slot: int, words: Sequence[str], masks: int) -> str:
    """The text with these words and then so many masks in place of the mask at `slot`."""
    parts = text.split(MASK)
    before, after = parts[: slot + 1], parts[slot + 1 :]
    return f"{MASK.join(before)}{' '.join([*words, *[MASK] * masks])}{MASK.join(after)}"


@dataclass(frozen=True, eq=False)
class Planted:
    """The teacher's and the student's distribution at a slot, which many sentences may share.

    Lower-case word to probability; the rest of 1 is spread evenly over the other words. The
    student's differs by the planted amplification or by a forgotten fact.
    """

    teacher: Mapping[str, float]
    student: Mapping[str, float]


@dataclass(frozen=True)
class Sentence:
    """A training sentence; it may hold several masks, of which the one at `slot` is trained.

    `kind` is what it is for, and `cue` the words of the text that determine what is planted.
    """

    probe_set: str
    kind: str
    text: str
    slot: int
    cue: str
    planted: Planted
