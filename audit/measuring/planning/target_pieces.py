"""Find the pieces of a word in its sentence, and the pieces around them.

The context of a word is the sentence as it is written, with exactly the word's own pieces masked:
that is what training showed the model. Writing the mask's text into the sentence instead may give
the word other neighbours, such as a mark of white space that no word would leave there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from maskaudit.audit.measuring.model import Encoded, Ids, Speller
from maskaudit.audit.measuring.planning.reads import Read
from maskaudit.probes.frames.sentence import MASK

# How many words are tried at a mask whose word is not known.
N_FILLERS = 5


@dataclass(frozen=True)
class Context:
    """The pieces before and after a slot, special tokens included."""

    before: Ids
    after: Ids

    def read(self, mask: int) -> Read:
        """The read of the slot with a single mask in it."""
        return Read((*self.before, mask, *self.after), len(self.before))

    @property
    def pieces(self) -> Ids:
        """All pieces but those at the slot."""
        return (*self.before, *self.after)


@dataclass(frozen=True)
class WrittenTarget:
    """A target in its sentence: its own pieces, and the context they stand in."""

    pieces: Ids
    context: Context


class Writer:
    """Writes words into masked sentences, and finds their pieces there."""

    def __init__(self, model: Speller) -> None:
        self._model = model
        self._fillers = tuple(_fillers(model))
        # Set first, because `_owned` reads it while the next line computes it.
        self._owns_space = False
        self._owns_space = self._words_hold_their_space()

    def write(self, asked: Sequence[tuple[str, int, str]]) -> list[WrittenTarget | None]:
        """Find each target's pieces, from its masked sentence, its slot and the target.

        Another mask of the sentence is written as an ordinary word and then masked, with one mask.
        None where a piece holds both a part of the target and of what stands beside it.
        """
        results: list[WrittenTarget | None] = [None] * len(asked)
        left = list(range(len(asked)))
        # Where the vocabulary has no filler, sentences of a single mask can be written all the
        # same.
        for filler in self._fillers or ("",):
            sentences = [_filled(*asked[index], filler) for index in left]
            encoded = self._model.encode([text for text, _ in sentences])
            for index, sentence, pieces in zip(left, sentences, encoded, strict=True):
                results[index] = self._cut(pieces, *sentence, asked[index][1])
            # Another filler helps only where there is another mask.
            left = [i for i in left if results[i] is None and asked[i][0].count(MASK) > 1]
            if not left:
                break
        return results

    def around(self, asked: Sequence[tuple[str, int]]) -> list[Context | None]:
        """The context of each slot when an ordinary word stands there; None if none fits."""
        rows = [(text, slot, filler) for text, slot in asked for filler in self._fillers]
        written = iter(self.write(rows))
        results: list[Context | None] = []
        for _ in asked:
            found = [next(written) for _ in self._fillers]
            results.append(commonest(found, self._model.special_ids))
        return results

    def _cut(
        self, encoded: Encoded, text: str, spans: Sequence[tuple[int, int]], slot: int
    ) -> WrittenTarget | None:
        owned = [self._owned(encoded, text, span) for span in spans]
        pieces: Ids = ()
        sides: tuple[list[int], list[int]] = ([], [])
        reached = 0
        for index, own in enumerate(owned):
            # Two words that share a piece cannot be masked apart.
            if own is None or own[0] < reached:
                return None
            side = sides[index > slot]
            side += encoded.ids[reached : own[0]]
            if index == slot:
                pieces = encoded.ids[own[0] : own[1]]
            else:
                side.append(self._model.mask_id)
            reached = own[1]
        sides[1].extend(encoded.ids[reached:])
        return WrittenTarget(pieces, Context(tuple(sides[0]), tuple(sides[1])))

    def _owned(self, encoded: Encoded, text: str, span: tuple[int, int]) -> tuple[int, int] | None:
        """The first piece of the word at these characters, and the one after its last.

        None if a piece holds more than the word. A mark of white space that stands alone before the
        word is the word's where other words hold theirs in their first piece.
        """
        start, end = span
        inside = [
            index
            for index, (first, last) in enumerate(encoded.spans)
            if first < end and last > start and encoded.words[index] is not None
        ]
        if not inside:
            return None
        first, last = inside[0], inside[-1]
        outside = text[encoded.spans[first][0] : start] + text[end : encoded.spans[last][1]]
        if outside.strip() or inside != list(range(first, last + 1)):
            return None
        while self._owns_space and first > 0 and self._is_mark(encoded, first - 1):
            if text[encoded.spans[first - 1][0] : start].strip():
                break
            first -= 1
        return first, last + 1

    def _words_hold_their_space(self) -> bool:
        """Whether the space before a word is in its first piece, for some word at least.

        Otherwise (pieces of single characters) it is a piece of its own before every word, and so a
        part of what stands around a word.
        """
        # The second of two, since most tokenizers write the first word of a text without a space.
        texts = [f"{filler} {filler}" for filler in self._fillers]
        for text, filler, encoded in zip(
            texts, self._fillers, self._model.encode(texts), strict=True
        ):
            owned = self._owned(encoded, text, (len(filler) + 1, len(text)))
            if owned is not None and not self._is_mark(encoded, owned[0] - 1):
                return True
        return not texts

    def _is_mark(self, encoded: Encoded, index: int) -> bool:
        """Whether a piece is white space alone."""
        piece = encoded.ids[index]
        return (
            encoded.words[index] is not None
            and piece not in self._model.special_ids
            and not self._model.token(piece)
        )


def commonest(words: Iterable[WrittenTarget | None], special_ids: frozenset[int]) -> Context | None:
    """The context that most words stand in; of equally common ones that with the smaller ids.

    A word that cannot be written, as a special token shows, is ignored. None without any other.
    """
    counts = Counter(
        word.context for word in words if word and not special_ids.intersection(word.pieces)
    )
    # The tie is broken by content, so that the order of the words decides nothing.
    ranked = sorted(counts, key=lambda c: (-counts[c], c.before, c.after))
    return ranked[0] if ranked else None


def _filled(text: str, slot: int, target: str, filler: str) -> tuple[str, list[tuple[int, int]]]:
    """The sentence with the target at its slot and the filler at other masks, and their spans."""
    parts = text.split(MASK)
    written, spans = parts[0], []
    for index, part in enumerate(parts[1:]):
        word = target if index == slot else filler
        spans.append((len(written), len(written) + len(word)))
        written += word + part
    return written, spans


def _fillers(model: Speller) -> Iterator[str]:
    """Ordinary words of the vocabulary: its first pieces of letters; of one letter if it must be.

    They are written only to see what stands around a word, so any word does.
    """
    pieces = (
        model.token(index)
        for index in range(model.identity.vocabulary_size)
        if index not in model.special_ids
    )
    words: list[str] = []
    letters: list[str] = []
    for piece in pieces:
        if piece.isalpha():
            (words if len(piece) > 1 else letters).append(piece)
        if len(words) == N_FILLERS:
            break
    # Each once: pieces with a mark of white space are spelled as those without.
    yield from dict.fromkeys([*words, *letters][:N_FILLERS])
