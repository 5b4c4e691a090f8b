"""What a model can read, found by trying it once when it is loaded."""

from collections.abc import Callable, Collection, Sequence
from itertools import cycle, islice

from maskaudit.audit.measuring.model import Ids

# The most pieces that are tried, and so the most that a sentence may have. Models without a limit
# of their own, or with one of many thousands, would take minutes at it on a processor, and no
# sentence of an audit comes near.
MOST_PIECES = 1024


def usable_length(claimed: int | None, can_read: Callable[[int], bool]) -> int:
    """The largest number of pieces, up to the claimed and `MOST_PIECES`, that `can_read` accepts.

    It is 0 if not even one piece can be read. What is too long usually fails at once, when a
    position is looked up, so the lengths just below the claimed one cost little to try.
    """
    first = min(claimed or MOST_PIECES, MOST_PIECES)
    if can_read(first):
        return first
    # Twice as far below at each step, until a length can be read: a limit is usually off by two.
    failed, step = first, 1
    while (tried := first - step) > 0 and not can_read(tried):
        failed, step = tried, 2 * step
    works = max(tried, 0)
    while failed - works > 1:
        middle = (failed + works) // 2
        if can_read(middle):
            works = middle
        else:
            failed = middle
    return works


def sentence_of(length: int, known: Ids, special: Collection[int], mask: int) -> Ids:
    """A sentence of this many pieces: a `known` one, its words repeated or cut."""
    first, *inside, last = known
    words = [piece for piece in inside if piece not in special] or [mask]
    if length < 2:  # noqa: PLR2004 - the two pieces at the ends
        return (first,) * length
    return (first, *islice(cycle(words), length - 2), last)


def at_ends(sentences: Sequence[Ids]) -> list[tuple[int, int]]:
    """Reads of each sentence at both its ends and in its middle, as (index, place)."""
    return [
        (row, place)
        for row, ids in enumerate(sentences)
        for place in sorted({0, len(ids) // 2, len(ids) - 1})
    ]
