"""Character spans of pieces, for tokenizers that do not tell them: the text put together again.

A piece is looked for where the one before it ended, as it is spelled or without the marks that
vocabularies write for white space and for the inside of a word. The text must be used up to its
last character, so a wrong mark or a changed character is found, not guessed.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

Span = tuple[int, int]

# Marks that vocabularies write: inside a word before the piece or behind it, at a word's end, and
# for a space.
_BEGINS = ("##", "▁", "Ġ")
_ENDS = ("@@", "</w>")


@dataclass(frozen=True)
class Aligned:
    """The character span of each piece, and the number of its word, from 0."""

    spans: tuple[Span, ...]
    words: tuple[int, ...]


def aligned(
    text: str, pieces: Sequence[str | None], special: Collection[str] = ()
) -> Aligned | None:
    """The spans and words of pieces; None if the text cannot be put together from them.

    An unknown piece, None, stands for what it hides, together with those beside it. Case,
    accents and compatibility forms may differ from the text in one way that holds for all of it
    but the `special` tokens in it, such as a mask, which no tokenizer folds.
    """
    spared = {
        index
        for token in special
        for found in re.finditer(re.escape(token), text)
        for index in range(*found.span())
    }
    for fold in _FOLDS:
        characters = [
            (part, index)
            for index, c in enumerate(text)
            for part in (c if index in spared else fold(c))
        ]
        spans_found = _walk("".join(c for c, _ in characters), pieces)
        if spans_found is not None:
            places = [index for _, index in characters]
            spans = tuple(
                # A piece of no characters has the span that fast tokenizers give a special one.
                (places[start], places[end - 1] + 1) if start < end else (0, 0)
                for start, end in spans_found
            )
            return Aligned(spans, _words(text, pieces, spans))
    return None


def _stripped(character: str) -> str:
    parts = unicodedata.normalize("NFD", character)
    return "".join(part for part in parts if unicodedata.category(part) != "Mn")


def _compatible(character: str) -> str:
    return unicodedata.normalize("NFKC", character)


# What a tokenizer may do to each character, the least first.
_FOLDS: tuple[Callable[[str], str], ...] = (
    lambda c: c,
    str.lower,
    lambda c: _stripped(c.lower()),
    _compatible,
    lambda c: _compatible(c).lower(),
    lambda c: _stripped(_compatible(c).lower()),
)


def _walk(text: str, pieces: Sequence[str | None]) -> list[Span] | None:
    """The span of each piece in order; None if they do not use up the text."""
    tried: set[tuple[int, int]] = set()

    def rest(number: int, place: int) -> list[Span] | None:
        """The spans from this piece on, if the pieces before it end at `place`."""
        spans: list[Span] = []
        while number < len(pieces) and (piece := pieces[number]) is not None:
            start = _after_space(text, place)
            end = next((start + len(b) for b in _bodies(piece) if text.startswith(b, start)), None)
            if end is None:
                return None
            spans.append((start, end))
            number, place = number + 1, end
        start = _after_space(text, place)
        if number == len(pieces):
            return spans if start == len(text) else None
        # The same pieces at the same place fail again, so that no text takes long.
        if (number, start) in tried:
            return None
        tried.add((number, start))
        known = next((i for i in range(number, len(pieces)) if pieces[i] is not None), len(pieces))
        # How long each piece of an unknown stretch is, nobody knows: each stands for all of it.
        for end in range(start + 1, len(text) + 1):
            following = rest(known, end)
            if following is not None:
                hidden = (start, start + len(text[start:end].rstrip()))
                return [*spans, *[hidden] * (known - number), *following]
        return None

    return rest(0, 0)


def _after_space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _bodies(piece: str) -> Iterator[str]:
    """What a piece may stand for in the text: itself, or itself without a mark."""
    yield piece
    # Lower-casing knows the end of a Greek word; folding character by character does not.
    yield piece.replace("\N{GREEK SMALL LETTER FINAL SIGMA}", "\N{GREEK SMALL LETTER SIGMA}")
    yield from (piece.removeprefix(mark) for mark in _BEGINS if piece.startswith(mark))
    yield from (piece.removesuffix(mark) for mark in _ENDS if piece.endswith(mark))


def _words(text: str, pieces: Sequence[str | None], spans: Sequence[Span]) -> tuple[int, ...]:
    """The number of each piece's word.

    A piece continues a word if no white space stands before it and a mark says so: `##` before it,
    `@@` behind the one before it, or no `</w>` there in a vocabulary that has this mark.
    """
    ends_words = any((piece or "").endswith("</w>") for piece in pieces)
    words: list[int] = []
    for number, (piece, (start, _)) in enumerate(zip(pieces, spans, strict=True)):
        before = (pieces[number - 1] or "") if number else ""
        says_so = (
            (piece or "").startswith("##")
            or before.endswith("@@")
            or (ends_words and not before.endswith("</w>"))
        )
        is_joined = bool(words) and not text[spans[number - 1][1] : start]
        words.append(words[-1] if is_joined and says_so else (words[-1] + 1 if words else 0))
    return tuple(words)
