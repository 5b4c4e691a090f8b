"""Between what bounds p of a word lies, by the likeliest fills of a mask and how they are rounded.

A word among the fills has its p, give or take one in the last place of decimals, of digits or of
the numbers that the service computes in: whether it rounds or cuts, it does not say. A word that is
not among them has at most the smallest p that was given, and at most what all given ones leave of
1. It may have next to nothing: no answer implies more, since nobody says how many other pieces
share what is left. It is never 0, and never a number.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Self

from maskaudit.audit.payloads.answered import Mask, Served, folded, is_special

# Sums of so many numbers are exact to so much at best.
_LEAST = 1e-15
# How far a softmax over a whole vocabulary is off in float32, of a number: sums of many numbers are
# off by more than one in their last place.
_FLOAT32 = 2.0**-15
# float16 has 11 binary digits, bfloat16 8; below its normal numbers float16 has steps of this size.
_FLOAT16, _FLOAT16_STEP = 11, 2.0**-24


class Bounds(NamedTuple):
    """The least and the most that p of a word can be; of an absent word the least is 0."""

    low: float
    high: float

    @property
    def logs(self) -> tuple[float, float]:
        """The same of log p, in nats: minus infinity is no bound."""
        return math.log(self.low) if self.low > 0 else -math.inf, math.log(self.high)


@dataclass(frozen=True)
class Rounding:
    """How finely a service writes its probabilities: the most decimals, digits and binary digits.

    Seen in many numbers at once: in one alone a last digit that is 0 is not written. Few binary
    digits show numbers of half precision, which have many decimals.
    """

    decimals: int
    digits: int
    bits: int = 53

    @classmethod
    def of(cls, scores: Iterable[float]) -> Self:
        """The rounding of these numbers."""
        known = [score for score in scores if score > 0]
        written = [Decimal(repr(score)).normalize().as_tuple() for score in known]
        return cls(
            max((max(0, -int(one.exponent)) for one in written), default=0),
            max((len(one.digits) for one in written), default=1),
            max(map(_bits, known), default=53),
        )

    def unit(self, score: float) -> float:
        """One in the last place of a number: by decimals, digits or as floats have it.

        Whichever is the coarsest, for a service may have written any of them.
        """
        by_decimals = 10.0**-self.decimals
        if score <= 0:
            return by_decimals
        by_digits = 10.0 ** (math.floor(math.log10(score)) - self.digits + 1)
        by_bits = score * max(_FLOAT32, 2.0 ** (1 - self.bits))
        step = _FLOAT16_STEP if self.bits <= _FLOAT16 else 0.0
        return float(max(by_decimals, by_digits, by_bits, step))

    def bounds(self, score: float) -> Bounds:
        """What was rounded to this number, or cut."""
        unit = self.unit(score)
        return Bounds(max(0.0, score - unit), min(1.0, score + unit))


def _bits(score: float) -> int:
    """How many binary digits a number has, from its first to its last that is not 0."""
    whole = int(math.frexp(score)[0] * 2**53)
    return 54 - (whole & -whole).bit_length()


@dataclass(frozen=True)
class Spelling:
    """How a vocabulary is written in answers: whether case, and a space before a word, matter."""

    is_cased: bool
    has_spaces: bool

    @classmethod
    def of(cls, fills: Sequence[Served], sentence: str) -> Self:
        """The spelling by fills of a sentence that begins with a capital.

        An answer repeats its sentence as the vocabulary writes it; without it the fills decide.
        """
        first = sentence.split(maxsplit=1)[0]
        repeated = [fill.sequence for fill in fills if fill.sequence]
        if repeated:
            is_cased = any(first in text for text in repeated)
        else:
            words = [fill.word for fill in fills if not is_special(fill.word)]
            is_cased = any(character.isupper() for word in words for character in word)
        return cls(is_cased, any(fill.word[:1].isspace() for fill in fills))

    def key(self, word: str) -> str:
        """What two spellings of one piece share.

        Two pieces share it where a vocabulary without case has words that differ in accents alone.
        """
        if not self.is_cased:
            return f" {folded(word)}" if self.has_spaces and word[:1].isspace() else folded(word)
        own = unicodedata.normalize("NFC", word)
        return own if self.has_spaces else own.strip()


@dataclass(frozen=True)
class Likeliest:
    """Reads bounds of words from the likeliest fills that one service gives."""

    rounding: Rounding
    spelling: Spelling

    def of(self, word: str, fills: Mask) -> Bounds:
        """The bounds of a word that is one piece; `fills` are all that were given for a mask."""
        named = self._named(self.spelling.key(word), fills)
        same = [fill for fill in named if _accented(fill.word) == _accented(word)]
        own = [self.rounding.bounds(fill.score) for fill in same or named]
        if same:
            # Two pieces may be written alike, and which is meant is not said.
            return Bounds(min(one.low for one in own), max(one.high for one in own))
        # What differs in accents alone may be the word as the vocabulary has it, or another word.
        return Bounds(0.0, max([self.of_absent(fills), *(one.high for one in own)]))

    def of_absent(self, fills: Mask) -> float:
        """The most that p of a piece can be that is not among the fills."""
        each = [self.rounding.bounds(fill.score) for fill in fills]
        left = 1 - math.fsum(one.low for one in each)
        return max(_LEAST, min(left, *(one.high for one in each)))

    def keys(self, fills: Mask) -> set[str]:
        """What is among the fills, by its key."""
        return {self.spelling.key(fill.word) for fill in fills}

    def _named(self, key: str, fills: Mask) -> list[Served]:
        return [fill for fill in fills if key and self.spelling.key(fill.word) == key]


def _accented(word: str) -> str:
    """A word in small letters, with its accents."""
    return unicodedata.normalize("NFC", word.strip().casefold())
