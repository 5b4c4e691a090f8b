"""Which words an endpoint can give a probability of: those that are one piece of its vocabulary."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from maskaudit.audit.measuring.endpoints.endpoint import CANARIES, Answer, Ask, Endpoint
from maskaudit.audit.payloads.answered import Served, folded, is_word
from maskaudit.probes.frames.sentence import MASK

# Words that are asked for at once where only their being there is asked.
_AT_ONCE = 50


def form(text: str, slot: int, target: str) -> str:
    """A target as a service is asked for it: with a space where one stands before its mask.

    A vocabulary may have a word twice, with the space before it and without.
    """
    before = text.split(MASK)[slot]
    return f" {target}" if before[-1:].isspace() else target


def known(endpoint: Endpoint, forms: Iterable[str]) -> dict[str, Served]:
    """The forms that are one piece, each with what the endpoint calls its piece.

    A word of several pieces is refused by some services; others answer with its first piece. Each
    form is asked once, in a sentence of the canaries.
    """
    found: dict[str, Served] = {}
    left = [*apart(sorted(set(forms)), _AT_ONCE)]
    while left:
        answers = endpoint.answers([Ask(CANARIES[1], words) for words in left])
        again: list[tuple[str, ...]] = []
        for words, answer in zip(left, answers, strict=True):
            if answer.fills is not None:
                found |= matched(words, answer, 0)
            elif len(words) > 1:
                # One of them is refused, and which is not said.
                half = len(words) // 2
                again += [words[:half], words[half:]]
        left = again
    return found


def matched(words: Sequence[str], answer: Answer, slot: int) -> Mapping[str, Served]:
    """The fill of each word in an answer that has one; the words are `apart`."""
    fills = answer.fills[slot] if answer.fills is not None else ()
    by_word = {folded(fill.word): fill for fill in fills}
    return {
        word: fill for word in words if (fill := by_word.get(folded(word))) and is_word(word, fill)
    }


def apart(words: Sequence[str], most: int) -> Iterator[tuple[str, ...]]:
    """The words in groups of at most `most`, in none of which two differ in case alone.

    An answer does not repeat the words as they were asked, so two such could not be told apart.
    """
    groups: list[dict[str, str]] = []
    for word in words:
        for group in groups:
            if len(group) < most and folded(word) not in group:
                group[folded(word)] = word
                break
        else:
            groups.append({folded(word): word})
    for group in groups:
        yield tuple(group.values())
