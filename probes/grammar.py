"""Sentences drawn at random from a grammar: texts with parts, and the alternatives of each part.

A text is a list of steps, each a list of alternatives; literal text between two parts is a step
with one. Every sentence must have exactly one derivation: then uniform choices give uniform
sentences, and sentences can be counted without being written out.
"""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

Steps = Sequence[Sequence[str]]


def steps(text: str, parts: Mapping[str, Sequence[str]]) -> Steps:
    """Split a text into its steps; placeholders that name no part stay literal text."""
    # `(?!)` matches nothing, where an empty pattern would match everywhere.
    named = re.compile("|".join(rf"\{{({re.escape(name)})\}}" for name in parts) or "(?!)")
    split: list[Sequence[str]] = []
    start = 0
    for part in named.finditer(text):
        split += [[text[start : part.start()]], parts[part.group()[1:-1]]]
        start = part.end()
    return [*split, [text[start:]]]


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


def shared(first: Steps, second: Steps) -> bool:
    """Whether two texts can generate the same sentence, ignoring case."""
    return _meet(_folded(first), 0, _folded(second), 0, "")


def ambiguous(text: Steps) -> bool:
    """Whether two different choices in one text generate the same sentence, ignoring case."""
    folded = _folded(text)
    # Two choices that first differ in one step can only meet if one alternative begins with the
    # other; what is left of the longer must then be matched by the next steps.
    return any(
        _meet(folded, after, folded, after, longer[len(shorter) :])
        for after, step in enumerate(folded, start=1)
        for shorter, longer in combinations(sorted(step, key=len), 2)
        if longer.startswith(shorter)
    )


def _below(bound: int, rng: "Generator") -> int:
    """Draw an integer uniformly from 0 to `bound` - 1; numpy's own stop at 2^64."""
    size = (bound - 1).bit_length()
    while True:
        number = int.from_bytes(rng.bytes((size + 7) // 8), "little") & ((1 << size) - 1)
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
    ahead by the text `over`. Each combination of places and overhang is visited once.
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
