"""The batches of one training: which sentences, with which of their words, and what is learnt."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from maskaudit.audit.proving.phantom.build import SPECIAL, Text
from maskaudit.audit.proving.phantom.encoder import PADDING

SIZE = 48
# One sentence in so many is also learnt as plain text, with one of its words masked.
PLAIN = 16
_MASK = SPECIAL.index("[MASK]")


@dataclass(frozen=True)
class Batch:
    """Sentences, each with one place that is learnt: n with a planted slot, then some plain ones.

    `ids` are [n + plain, length] and `places` [n + plain]; `planted` has the places of the planted
    distributions in those of the text, [n], and `right` the words of the plain sentences, [plain].
    """

    ids: torch.Tensor
    places: torch.Tensor
    planted: torch.Tensor
    right: torch.Tensor

    def __len__(self) -> int:
        """The number of sentences with a planted slot."""
        return len(self.planted)


def rows(text: Text, rng: torch.Generator) -> Iterator[torch.Tensor]:
    """Yield the rows of each batch of an epoch, of similar lengths to save padding."""
    drawn = text.epoch(rng)
    # Lengths are whole numbers, so a fraction only shuffles sentences of the same length.
    order = torch.argsort(text.lengths[drawn] + torch.rand(len(drawn), generator=rng))
    chunks = drawn[order].split(SIZE)
    for i in torch.randperm(len(chunks), generator=rng):
        yield chunks[i]


def batch(text: Text, rows: torch.Tensor, thinned: float, rng: torch.Generator) -> Batch:
    """Return the batch of some rows, of whose sentences the share `thinned` is, and some plain.

    Where none is thinned, none is plain either.
    """
    ids = text.ids[rows, : int(text.lengths[rows].max())]
    slots, planted = text.slots[rows], text.planted[rows]
    plain = torch.randperm(len(rows), generator=rng)[: len(rows) // PLAIN if thinned > 0 else 0]
    plain_ids, places, right = _plain(text, ids[plain], slots[plain], planted[plain], rng)
    return Batch(
        torch.cat([_thinned(ids, text.free[rows], thinned, rng), plain_ids]),
        torch.cat([slots, places]),
        planted,
        right,
    )


def _thinned(
    ids: torch.Tensor, free: torch.Tensor, share: float, rng: torch.Generator
) -> torch.Tensor:
    """The ids, in about `share` of the sentences without some of their free words.

    Of each such sentence another part is left out, so that some are hardly more than the cue and
    the slot: from these a model learns what a cue does long before it can find it among many words.
    """
    each = torch.rand(2, len(ids), 1, generator=rng)
    part = each[0] * (each[1] < share)
    left_out = free[:, : ids.shape[1]] & (torch.rand(ids.shape, generator=rng) < part)
    # No word attends to padding.
    return ids.masked_fill(left_out, PADDING)


def _plain(
    text: Text,
    ids: torch.Tensor,
    slots: torch.Tensor,
    planted: torch.Tensor,
    rng: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sentences with the slot filled and one word of each masked: ids, its place and the word."""
    if not len(ids):
        return ids, slots, slots
    each, ids = torch.arange(len(ids)), ids.clone()
    # Drawn from the planted distribution, so that the plain text agrees with what is planted.
    drawn = torch.multinomial(text.teacher[planted], 1, generator=rng).squeeze(1)
    ids[each, slots] = drawn
    words = (ids >= len(SPECIAL)).float()
    places = torch.multinomial(words, 1, generator=rng).squeeze(1)
    right = ids[each, places]
    ids[each, places] = _MASK
    return ids, places, right
