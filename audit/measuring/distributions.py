"""Distributions over a vocabulary: likeliest pieces, ranks and distances."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from maskaudit.audit.measuring.model import MaskedLM, Numbers
from maskaudit.audit.measuring.planning.reads import Read
from maskaudit.audit.recording.rows.group_pairs import GroupPair

AGREEMENT = 10
FEW = 8
# Nats times this are bits.
BITS = 1 / torch.log(torch.tensor(2.0, dtype=torch.float64))


def top(log_p: Numbers, most: int) -> list[tuple[int, float]]:
    """Index and probability of the `most` likeliest, in order; `log_p` is [n], in nats."""
    values, indices = torch.from_numpy(log_p).topk(min(most, len(log_p)))
    return list(zip(indices.tolist(), values.exp().tolist(), strict=True))


def likeliest(log_p: Numbers, model: MaskedLM, most: int) -> list[dict[str, Any]]:
    """Rank, token and probability of the `most` likeliest pieces; `log_p` is [vocabulary], nats."""
    return [
        {"rank": rank, "token": model.token(index), "probability": p}
        for rank, (index, p) in enumerate(top(log_p, most), start=1)
    ]


def jsd_bits(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Jensen-Shannon divergence of two distributions along the last axis, in bits, 0 to 1."""
    middle = (p + q) / 2
    parts = torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)
    # Where p and q are both 0, their ratio to the middle is NaN.
    return parts.nan_to_num().sum(-1) / 2 * BITS


def compared(first: torch.Tensor, second: torch.Tensor) -> dict[str, torch.Tensor]:
    """Distances, [n] each, between two models' log p at the same places, [n, vocabulary].

    `kl` is the Kullback-Leibler divergence KL(first || second) in nats, `jsd` the Jensen-Shannon
    divergence in bits (0 to 1), `tv` the total variation (0 to 1), `top1` 1 where both have the
    same likeliest piece, else 0, `agreement@10` the share of the ten likeliest pieces in common.
    """
    p, q = first.exp(), second.exp()
    most = min(AGREEMENT, p.shape[-1])
    top, other = first.topk(most)[1], second.topk(most)[1]
    # [n, most, 1] against [n, 1, most]: each piece of one list with each of the other.
    shared = (top[:, :, None] == other[:, None, :]).any(-1).sum(-1) / most
    return {
        "kl": (p * (first - second)).sum(-1),
        "jsd": jsd_bits(p, q),
        "tv": (p - q).abs().sum(-1) / 2,
        "top1": (top[:, 0] == other[:, 0]).double(),
        f"agreement@{AGREEMENT}": shared.double(),
    }


def above(log_p: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The number of pieces likelier than each value, [n]; `log_p` is [vocabulary]."""
    # Sorting the vocabulary pays only for many values.
    if len(values) <= FEW:
        return (log_p[None, :] > values[:, None]).sum(1)
    order, _ = log_p.sort()
    # `right=True`: a piece that is exactly as likely is not counted as likelier, as above.
    return len(log_p) - torch.searchsorted(order, values, right=True)


class GroupDistances:
    """Distances between the groups of each pair in one model, as its contexts are read.

    `pairs` are the pairs of each context, `reads` what is read of each context.
    """

    def __init__(self, pairs: Mapping[str, Sequence[GroupPair]], reads: Mapping[str, Read]) -> None:
        self._pairs, self._reads = pairs, reads
        # In float64 the 1,000 contexts of a part of BERT's are 244 MB: each goes when it can.
        self._waiting: dict[str, torch.Tensor] = {}
        self._done: set[GroupPair] = set()

    def add(self, context: str, log_p: torch.Tensor) -> list[dict[str, Any]]:
        """Rows of the distances of each pair that this context, [vocabulary], completes."""
        if context not in self._pairs:
            return []
        self._waiting[context] = log_p.exp()
        rows = []
        for pair in self._pairs[context]:
            if not all(other in self._waiting for own in pair.contexts for other in own):
                continue
            p, q = (self._mean(own) for own in pair.contexts)
            values = {"jsd_groups": jsd_bits(p, q), "tv_groups": (p - q).abs().sum() / 2}
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
