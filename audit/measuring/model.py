"""The interface of a model for scoring; it needs no library that runs models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.recording.manifest import Identity

Ids = tuple[int, ...]
Numbers = NDArray[np.float64]
# What a measure may need besides log p.
Need = Literal["attention", "states", "distributions"]


@dataclass(frozen=True)
class Encoded:
    """A tokenised sentence: piece ids, and the character span and word index of each piece.

    `words` numbers the tokenizer's words from 0; it is None for special tokens.
    """

    ids: Ids
    spans: tuple[tuple[int, int], ...]
    words: tuple[int | None, ...]


class HasVocabulary(Protocol):
    """What has a vocabulary of so many pieces."""

    @property
    def vocabulary_size(self) -> int:
        """The number of pieces."""
        ...


class MayLack(Protocol):
    """What may be unable to give what a measure needs."""

    def lacks(self, need: Need) -> str:
        """Why it cannot give it; empty if it can."""
        ...


class Speller(Protocol):
    """The part of the interface that tells how words are written; a tokenizer alone has it too."""

    mask_id: int
    special_ids: frozenset[int]

    @property
    def identity(self) -> HasVocabulary:
        """How large its vocabulary is."""
        ...

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise each text as a sentence."""
        ...

    def token(self, index: int) -> str:
        """The vocabulary piece with this id, as text."""
        ...


class MaskedLM(Protocol):
    """The interface of a model for scoring.

    `longest` is the largest number of pieces in a sentence, special tokens included; `unknown_id`
    is None if the tokenizer has no unknown piece. `batch_tokens` is the most pieces that it is
    given at once, None for the usual number.
    """

    identity: Identity
    mask_token: str
    mask_id: int
    unknown_id: int | None
    special_ids: frozenset[int]
    longest: int
    batch_tokens: int | None

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise each text as a sentence; the texts contain the tokenizer's own mask token."""
        ...

    def token(self, index: int) -> str:
        """The vocabulary piece with this id, as text."""
        ...

    def text(self, ids: Sequence[int]) -> str:
        """The pieces as text, without white space around; "" for a mark of white space alone."""
        ...

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Log p over the whole vocabulary at each read, [n, vocabulary], float64, nats.

        `sentences` are piece ids, those of one length together; a read is (index of sentence, place
        in it).
        """
        ...

    def attention(self, sentences: Sequence[Ids]) -> Numbers:
        """Mean attention to each piece over layers, heads and queries, [n, length], float64."""
        ...

    def states(self, sentences: Sequence[Ids]) -> Numbers:
        """The encoder's last hidden states, [n, length, width], float64; all of one length."""
        ...

    def lacks(self, need: Need) -> str:
        """Why the model cannot give its attention, states or distributions; empty if it can.

        Measures that need it are then not measured for this model; all others are.
        """
        ...
