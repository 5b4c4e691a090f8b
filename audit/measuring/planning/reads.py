"""What each measure reads: places of a sentence, the masks they stand under, and their fold.

A read is one place in one sequence of piece ids, paired with the piece whose log p is needed.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from maskaudit.audit.measuring.model import Ids, MayLack, Need
from maskaudit.audit.recording.rows.values import OF_SLOT, OF_TARGET, STATE, TOP_FILLING

# difflib's opcodes for pieces that the two sentences do not share.
CHANGED = {"replace", "delete", "insert"}


class Read(NamedTuple):
    """One place to read: a sentence as piece ids, and the index of a piece in it."""

    ids: Ids
    place: int


Reads = Sequence[tuple[Read, int]]


@dataclass(frozen=True)
class ItemReads:
    """The reads of one measure of one item, and how their log p values are combined.

    `fold` is "sum" or "mean" of log p, "mean_p" (the mean of p), or the mean of log p weighted by
    attention: "attended" normalises the weights to sum to 1 over the reads, "attended_published"
    divides by the number of reads instead.
    """

    reads: Reads
    fold: str


@dataclass(frozen=True)
class Tokens:
    """A sentence as measures of whole sentences read it.

    `places` are the indices of its pieces without special tokens; `words` has the word index of
    each piece, None for special tokens; `mask` is the id of the mask.
    """

    ids: Ids
    places: tuple[int, ...]
    words: tuple[int | None, ...]
    mask: int

    def masked(self, hidden: Sequence[int], place: int) -> tuple[Read, int]:
        """The read of `place` with the places `hidden` masked, and the piece at `place`."""
        chosen = set(hidden)
        ids = tuple(self.mask if i in chosen else piece for i, piece in enumerate(self.ids))
        return Read(ids, place), self.ids[place]


def _each_masked(sentence: Tokens, _partner: Tokens) -> Reads:
    """Each piece, masked one at a time (pseudo-log-likelihood, Salazar et al. 2020)."""
    return [sentence.masked([place], place) for place in sentence.places]


def _rest_of_word_masked(sentence: Tokens, _partner: Tokens) -> Reads:
    """Each piece, masked together with the later pieces of its word (Kauf & Ivanova 2023)."""
    words = sentence.words
    return [
        sentence.masked(
            [p for p in sentence.places if p >= place and words[p] == words[place]], place
        )
        for place in sentence.places
    ]


def _nothing_masked(sentence: Tokens, _partner: Tokens) -> Reads:
    """Each piece of the unmasked sentence (Kaneko & Bollegala 2022)."""
    return [(Read(sentence.ids, place), sentence.ids[place]) for place in sentence.places]


def _unmodified(sentence: Tokens, partner: Tokens) -> Reads:
    """The pieces that both sentences share, masked one at a time (Nangia et al. 2020).

    Shared pieces are difflib's matching blocks over the ids, without the first and the last piece,
    which are the special tokens.
    """
    shared = list(_differing(sentence, partner, {"equal"}))
    return [sentence.masked([place], place) for place in shared[1:-1]]


def _replaced(sentence: Tokens, partner: Tokens) -> Reads:
    """The pieces that replace pieces of the partner, masked one at a time."""
    places = _differing(sentence, partner, {"replace"})
    return [sentence.masked([place], place) for place in places]


def _modified(sentence: Tokens, partner: Tokens) -> Reads:
    """The pieces that the partner does not have, masked one at a time (Meade et al. 2022)."""
    return [sentence.masked([place], place) for place in _differing(sentence, partner, CHANGED)]


def _modified_at_once(sentence: Tokens, partner: Tokens) -> Reads:
    """The pieces that differ, all masked together, each read at its own place."""
    places = list(_differing(sentence, partner, CHANGED))
    return [sentence.masked(places, place) for place in places]


def _differing(sentence: Tokens, partner: Tokens, kinds: set[str]) -> Iterator[int]:
    """The places of a sentence in difflib's blocks of these kinds, compared with its partner.

    difflib's blocks may depend on which sentence comes first. The sentence with the smaller ids
    always does, so that swapping the two sides swaps their scores exactly.
    """
    swapped = partner.ids < sentence.ids
    pair = (partner.ids, sentence.ids) if swapped else (sentence.ids, partner.ids)
    for kind, first, last, other_first, other_last in difflib.SequenceMatcher(
        None, *pair
    ).get_opcodes():
        if kind in kinds:
            yield from range(other_first, other_last) if swapped else range(first, last)


# Measures of a whole sentence: the function that gives the reads, and the fold.
OF_SENTENCE: Mapping[str, tuple[Callable[[Tokens, Tokens], Reads], str]] = {
    "pll": (_each_masked, "sum"),
    "pll_word_l2r": (_rest_of_word_masked, "sum"),
    "crows_nangia": (_unmodified, "sum"),
    "crows_meade": (_replaced, "mean"),
    "crows_meade_published": (_modified, "mean"),
    "aul": (_nothing_masked, "mean"),
    "aula": (_nothing_masked, "attended"),
    "aula_published": (_nothing_masked, "attended_published"),
    "sss": (_modified_at_once, "mean"),
}
# Measures that need more of a model than log p of a word at a mask, and what they need. Log p of
# any piece at any place needs whole distributions.
NEEDS: Mapping[str, Need] = {
    STATE: "states",
    TOP_FILLING: "distributions",
    **{
        measure: "attention" if fold.startswith("attended") else "distributions"
        for measure, (_, fold) in OF_SENTENCE.items()
    },
}


def unavailable(model: MayLack, measures: Iterable[str]) -> dict[str, str]:
    """Which of the measures the model cannot give, each with the reason."""
    # Sorted, since a record lists them, and a set of names has no order of its own.
    reasons = {name: model.lacks(NEEDS[name]) for name in sorted(measures) if name in NEEDS}
    return {name: reason for name, reason in reasons.items() if reason}


__all__ = [
    "NEEDS",
    "OF_SENTENCE",
    "OF_SLOT",
    "OF_TARGET",
    "TOP_FILLING",
    "ItemReads",
    "Read",
    "Reads",
    "Tokens",
    "unavailable",
]
