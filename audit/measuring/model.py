"""What scoring asks of a model, and what identifies one; no library that runs models is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.recording.manifest import Identity

Ids = tuple[int, ...]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Encoded:
    """A tokenised sentence: piece ids, and for each its span of characters and its word.

    `words` counts the tokenizer's words from 0; it is None for special tokens.
    """

    ids: Ids
    spans: tuple[tuple[int, int], ...]
    words: tuple[int | None, ...]


class MaskedLM(Protocol):
    """What scoring needs of a model."""

    identity: Identity
    mask_token: str
    mask_id: int
    unknown_id: int | None
    special_ids: frozenset[int]
    longest: int

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise each text as a sentence; masks are written as the tokenizer's own."""
        ...

    def token(self, index: int) -> str:
        """The piece of vocabulary with this id, as text."""
        ...

    def bare(self, ids: Sequence[int]) -> str:
        """The pieces in a row, without the marks that stand for white space."""
        ...

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Log p in nats over the whole vocabulary at each read; float64, [n, vocabulary].

        `sentences` are piece ids, all of one length; a read is (sentence, place in it).
        """
        ...

    def attention(self, sentences: Sequence[Ids]) -> Numbers:
        """How much each piece is attended to, [n, length]: mean over layers, heads and queries."""
        ...

    def states(self, sentences: Sequence[Ids]) -> Numbers:
        """The encoder's last states, [n, length, width], float64; sentences of one length."""
        ...
