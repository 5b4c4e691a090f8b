"""What a part of a probe set asks of an endpoint: sentences with a slot, and words at it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from maskaudit.audit.measuring.endpoints.endpoint import Ask
from maskaudit.audit.measuring.endpoints.words import apart, form
from maskaudit.probes.expand import Expanded

# Characters of the digest that says what was read for an item.
ID_LENGTH = 16
# Words of one request: more would make a body that services refuse.
_MOST_WORDS = 500


@dataclass(frozen=True)
class Wanted:
    """What a part asks of an endpoint: sentences with a slot by context, and words by item.

    `targets` has the context and the word, as it is asked for, of each item with a target at a
    slot; `open` are the items at a slot without a target, `whole` those of whole sentences.
    """

    texts: Mapping[str, tuple[str, int]]
    targets: Mapping[str, tuple[str, str]]
    open: frozenset[str]
    whole: frozenset[str]

    @classmethod
    def of(cls, part: Expanded) -> Self:
        """What the items of a part ask."""
        slots = part.contexts[part.contexts["slot"].notna()]
        rows = (slots[column].tolist() for column in ("context", "text", "slot"))
        texts = {context: (text, int(slot)) for context, text, slot in zip(*rows, strict=True)}
        items = part.items.drop_duplicates("item")
        targets, open_, whole = {}, set(), set()
        columns = (items[column].tolist() for column in ("item", "context", "target"))
        for item, context, target in zip(*columns, strict=True):
            if context not in texts:
                whole.add(item)
            elif not target:
                open_.add(item)
            else:
                targets[item] = context, form(*texts[context], target)
        return cls(texts, targets, frozenset(open_), frozenset(whole))

    def forms(self) -> set[str]:
        """The distinct words that are asked for."""
        return {word for _, word in self.targets.values()}

    def asks(self, words: Mapping[str, object]) -> dict[tuple[str, str], Ask]:
        """The question for each context and word, of those words that the endpoint has."""
        by_context: dict[str, set[str]] = {}
        for context, word in self.targets.values():
            if word in words:
                by_context.setdefault(context, set()).add(word)
        return {
            (context, word): Ask(self.texts[context][0], group)
            for context, own in by_context.items()
            # Sorted, so that a later run asks the same questions, whose answers are kept.
            for group in apart(sorted(own), _MOST_WORDS)
            for word in group
        }


def shares_of(total: int, tell: Callable[[float], None]) -> Callable[[int], None]:
    """Tells the share that is done where the number is told, 0 to 1."""
    return lambda done: tell(done / total if total else 1.0)
