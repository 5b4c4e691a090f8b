"""Sentences drawn at random from a grammar: texts with parts, and the alternatives of each part.

A text is a list of steps, each a list of alternatives; literal text between two parts is a step
with one. Every sentence must have exactly one derivation: then uniform choices give uniform
sentences, and sentences can be counted without being written out.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

Steps = Sequence[Sequence[str]]
# A text by number, the step that it takes next, and what is left of the alternative it took last.
_Place = tuple[int, int, str]
# So many places are looked at before every pair of texts is compared by itself.
_MOST_PLACES = 20_000_000


def steps(text: str, parts: Mapping[str, Sequence[str]]) -> Steps:
    """Split a text into its steps; placeholders that name no part stay literal text."""
    split: list[Sequence[str]] = []
    start = 0
    for part in _placeholders(tuple(parts)).finditer(text):
        split += [[text[start : part.start()]], parts[part.group()[1:-1]]]
        start = part.end()
    return [*split, [text[start:]]]


@cache
def _placeholders(names: tuple[str, ...]) -> re.Pattern[str]:
    # `(?!)` matches nothing, where an empty pattern would match everywhere.
    return re.compile("|".join(rf"\{{{re.escape(name)}\}}" for name in names) or "(?!)")


def count(texts: Sequence[Steps]) -> int:
    """Return the number of sentences that the texts can generate."""
    return sum(math.prod(len(step) for step in text) for text in texts)


def draw(texts: Sequence[Steps], n: int, rng: "Generator") -> list[str]:
    """Draw `n` different sentences uniformly at random, in random order.

    `n` must not exceed `count(texts)`, or this never returns. The sentences are not listed, since
    there may be very many.
    """
    n_sentences = count(texts)
    numbers: dict[int, None] = {}  # a set that keeps the order of drawing
    while len(numbers) < n:
        numbers[_below(n_sentences, rng)] = None
    return [_sentence(texts, number) for number in numbers]


def sharing(texts: Sequence[Steps], most: int = _MOST_PLACES) -> list[tuple[int, int]]:
    """Return the pairs of texts that can generate the same sentence, ignoring case, by number.

    All texts are read at once, so that the many that take the same part together cost one step, and
    those that differ are told apart by their first different letter: it takes no comparison of each
    text with each. A grammar that gains nothing by it (`most` places) is compared pair by pair.
    """
    folded = [_folded(text) for text in texts]
    pairs: set[tuple[int, int]] = set()
    todo = [frozenset((number, 0, "") for number in range(len(texts)))]
    seen: set[frozenset[_Place]] = set()
    n_places = 0
    while todo:
        places = todo.pop()
        if places in seen:
            continue
        seen.add(places)
        n_places += len(places)
        if n_places > most:
            return [
                (i, j)
                for (i, first), (j, second) in combinations(enumerate(folded), 2)
                if _meet(first, 0, second, 0, "")
            ]
        ahead = [place for at in places for place in _ahead(at, folded)]
        ended = {number for number, _, rest in ahead if not rest}
        pairs.update(combinations(sorted(ended), 2))
        todo += _by_first_letter(ahead)
    return sorted(pairs)


def _ahead(place: _Place, texts: Sequence[Steps]) -> Iterator[_Place]:
    """Yield where a text may stand with a letter to come, or at its end with nothing left."""
    number, step, rest = place
    if rest or step == len(texts[number]):
        yield place
    else:
        for piece in texts[number][step]:
            yield from _ahead((number, step + 1, piece), texts)


def _by_first_letter(places: Sequence[_Place]) -> Iterator[frozenset[_Place]]:
    """Yield where texts stand that go on alike, after all that each such group has in common."""
    groups: dict[str, list[_Place]] = {}
    for place in places:
        groups.setdefault(place[2][:1], []).append(place)
    groups.pop("", None)  # those that have ended
    for group in groups.values():
        # A single text meets no other.
        if any(number != group[0][0] for number, _, _ in group):
            length = _in_common([rest for _, _, rest in group])
            yield frozenset((number, step, rest[length:]) for number, step, rest in group)


def _in_common(texts: Sequence[str]) -> int:
    """Return the length of what all texts begin with."""
    # What the first and the last in order have in common, all between them have.
    first, last = min(texts), max(texts)
    unequal = (n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return next(unequal, len(first))


def ambiguous(text: Steps) -> bool:
    """Whether two different choices in one text generate the same sentence, ignoring case."""
    folded = _folded(text)
    # Two choices that first differ in one step can only meet if one alternative begins with the
    # other; what is left of the longer must then be matched by the next steps.
    return any(
        _meet(folded, after, folded, after, overhang)
        for after, step in enumerate(folded, start=1)
        for overhang in _overhangs(tuple(step))
    )


@cache
def _overhangs(step: tuple[str, ...]) -> list[str]:
    """Return what is left of an alternative after another that it begins with, for each such two.

    The empty text is left of two that are equal. Parts are shared by texts, hence the cache.
    """
    overhangs = []
    open_: list[str] = []  # those that the next one may begin with
    # In order, all that begin with a text follow it directly, so that one pass finds them.
    for piece in sorted(step):
        while open_ and not piece.startswith(open_[-1]):
            open_.pop()
        overhangs += [piece[len(shorter) :] for shorter in open_]
        open_.append(piece)
    return overhangs


def _below(bound: int, rng: "Generator") -> int:
    """Draw an integer uniformly from 0 to `bound` - 1; numpy's own stop at 2^64."""
    size = (bound - 1).bit_length()
    while True:
        number = int.from_bytes(rng.bytes((size + 7) // 8), "little") & ((1 << size) - 1)
        # Drawn again beyond the bound: a remainder would make small numbers likelier.
        if number < bound:
            return number


def _sentence(texts: Sequence[Steps], number: int) -> str:
    """Return the sentence with this number: texts in order, the last step varying fastest."""
    for text in texts:
        if number < (size := count([text])):
            break
        number -= size
    chosen = []
    for step in reversed(text):
        number, choice = divmod(number, len(step))
        chosen.append(step[choice])
    return "".join(reversed(chosen))


def _meet(first: Steps, i: int, second: Steps, j: int, overhang: str) -> bool:
    """Whether two partly written sentences can be completed to the same sentence.

    The first continues with its steps from `i`, the second with its own from `j`; the second is
    ahead by the text `overhang`. Each combination of places and overhang is visited once.
    """
    todo = [(first, i, second, j, overhang)]
    seen = set()
    while todo:
        behind, i, ahead, j, overhang = todo.pop()
        if (state := (behind is first, i, j, overhang)) in seen:
            continue
        seen.add(state)
        if i < len(behind):
            # The texts change roles when the one behind overtakes the other.
            todo += [
                (behind, i + 1, ahead, j, overhang[len(piece) :])
                if overhang.startswith(piece)
                else (ahead, j, behind, i + 1, piece[len(overhang) :])
                for piece in behind[i]
                if overhang.startswith(piece) or piece.startswith(overhang)
            ]
        elif not overhang and j < len(ahead):
            todo.append((ahead, j, behind, i, overhang))
        elif not overhang:
            return True
    return False


def _folded(text: Steps) -> Steps:
    return [[piece.casefold() for piece in step] for step in text]
