"""Distributions over a vocabulary at the slots of a batch: likeliest pieces, ranks, distances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from maskaudit.audit.measuring.model import MaskedLM, Numbers
from maskaudit.audit.measuring.planning.reads import Read
from maskaudit.audit.recording.rows.group_pairs import GroupPair

AGREEMENT = 10
# Nats times this are bits.
BITS = 1 / torch.log(torch.tensor(2.0, dtype=torch.float64))
_TINY = torch.finfo(torch.float64).tiny


def top(log_p: Numbers, most: int) -> list[tuple[int, float]]:
    """Index and probability of the `most` likeliest, in order; `log_p` is [n], in nats."""
    values, indices = torch.from_numpy(log_p).topk(min(most, len(log_p)))
    return list(zip(indices.tolist(), values.exp().tolist(), strict=True))


@dataclass(frozen=True)
class Slots:
    """The distributions of one model at slots, each computed once for all that is asked of them.

    `log_p` in nats and `p` are [n, vocabulary]; `top` has the likeliest pieces of each slot,
    [n, most], likeliest first.
    """

    log_p: torch.Tensor
    p: torch.Tensor
    top: torch.Tensor

    @classmethod
    def of(cls, numbers: Numbers, most: int) -> Self:
        """The distributions with this log p, [n, vocabulary], and their `most` likeliest pieces."""
        log_p = torch.from_numpy(numbers)
        return cls(log_p, log_p.exp(), log_p.topk(min(most, log_p.shape[-1]))[1])

    def entropy(self) -> list[float]:
        """The entropy of each slot, in nats: 0 where one piece is certain."""
        # log p is finite, so that p * log p is 0 where p is.
        entropies: list[float] = (-(self.p * self.log_p).sum(-1)).tolist()
        return entropies

    def fills(self, model: MaskedLM) -> dict[str, list[Any]]:
        """Rank, token and probability of the likeliest pieces, by column, slot after slot."""
        n, most = self.top.shape
        return {
            "rank": [*range(1, most + 1)] * n,
            "token": list(map(model.token, self.top.flatten().tolist())),
            "probability": self.p.gather(1, self.top).flatten().tolist(),
        }


def jsd_bits(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Jensen-Shannon divergence of two distributions along the last axis, in bits, 0 to 1."""
    # Where p and q are both 0, their ratio to the middle would be NaN; xlogy(0, 0) is 0.
    middle = ((p + q) / 2).clamp_(min=_TINY)
    parts = torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)
    return parts.sum(-1) / 2 * BITS


def compared(first: Slots, second: Slots) -> dict[str, torch.Tensor]:
    """Distances, [n] each, between two models' distributions at the same slots.

    `kl` is the Kullback-Leibler divergence KL(first || second) in nats, `jsd` the Jensen-Shannon
    divergence in bits (0 to 1), `tv` the total variation (0 to 1), `top1` 1 where both have the
    same likeliest piece, else 0, `agreement@10` the share of the ten likeliest pieces in common.
    """
    top, other = first.top[:, :AGREEMENT], second.top[:, :AGREEMENT]
    # [n, most, 1] against [n, 1, most]: each piece of one list with each of the other.
    shared = (top[:, :, None] == other[:, None, :]).any(-1).sum(-1) / top.shape[1]
    return {
        "kl": (first.p * (first.log_p - second.log_p)).sum(-1),
        "jsd": jsd_bits(first.p, second.p),
        "tv": (first.p - second.p).abs().sum(-1) / 2,
        "top1": (top[:, 0] == other[:, 0]).double(),
        f"agreement@{AGREEMENT}": shared.double(),
    }


def ranks(log_p: Numbers, lines: NDArray[np.int64], pieces: NDArray[np.int64]) -> list[int]:
    """The rank of each piece in its line of log p, [n, vocabulary], from 1: ties have the best."""
    # A piece at a time: one line of doubles stays in the processor's cache, all lines do not.
    return [
        int(np.count_nonzero(log_p[line] > log_p[line, piece])) + 1
        for line, piece in zip(lines.tolist(), pieces.tolist(), strict=True)
    ]


class GroupDistances:
    """Distances between the groups of each pair in one model, as its contexts are read.

    `pairs` are the pairs of each context, `reads` what is read of each context.
    """

    def __init__(self, pairs: Mapping[str, Sequence[GroupPair]], reads: Mapping[str, Read]) -> None:
        self._pairs, self._reads = pairs, reads
        # In float64 the 1,000 contexts of a part of BERT's are 244 MB: each goes when it can.
        self._waiting: dict[str, torch.Tensor] = {}
        self._done: set[GroupPair] = set()

    def add(self, context: str, p: torch.Tensor) -> list[dict[str, Any]]:
        """Rows of the distances of each pair that this context's p, [vocabulary], completes."""
        if context not in self._pairs:
            return []
        # A copy: a view would keep the distributions of the whole batch in memory.
        self._waiting[context] = p.clone()
        rows = []
        for pair in self._pairs[context]:
            if not all(other in self._waiting for own in pair.contexts for other in own):
                continue
            one, other = (self._mean(own) for own in pair.contexts)
            values = {
                "jsd_groups": jsd_bits(one, other),
                "tv_groups": (one - other).abs().sum() / 2,
            }
            (first, *_), (second, *_) = pair.contexts
            rows += [
                {
                    "context": first,
                    "other_context": second,
                    "joined": pair.joined,
                    "measure": measure,
                    "value": float(value),
                }
                for measure, value in values.items()
            ]
            self._done.add(pair)
        self._forget(context)
        return rows

    def _mean(self, contexts: Sequence[str]) -> torch.Tensor:
        """The mean of a group's distributions; sentences that are read alike count once."""
        # Backwards, so that of those that are read alike the first one stays.
        by_read = {self._reads[context]: context for context in reversed(contexts)}
        return torch.stack([self._waiting[context] for context in by_read.values()]).mean(0)

    def _forget(self, context: str) -> None:
        """Drop the distributions that no pair of this context still waits for."""
        together = {c for pair in self._pairs[context] for own in pair.contexts for c in own}
        for other in together:
            if self._done.issuperset(self._pairs[other]):
                self._waiting.pop(other, None)
