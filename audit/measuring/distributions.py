"""Distributions over a vocabulary: the likeliest pieces, ranks, and how far two are apart."""

from typing import Any

import torch

from maskaudit.audit.measuring.model import MaskedLM, Numbers

AGREEMENT = 10
FEW = 8
BITS = 1 / torch.log(torch.tensor(2.0, dtype=torch.float64))


def likeliest(log_p: Numbers, model: MaskedLM, most: int) -> list[dict[str, Any]]:
    """Rank, token and probability of the most probable pieces; log p is [vocabulary], in nats."""
    values, indices = torch.from_numpy(log_p).topk(min(most, len(log_p)))
    pairs = zip(indices.tolist(), values.exp().tolist(), strict=True)
    return [
        {"rank": rank, "token": model.token(index), "probability": p}
        for rank, (index, p) in enumerate(pairs, start=1)
    ]


def jsd_bits(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Jensen-Shannon divergence in bits of two distributions on the last axis, 0 to 1."""
    middle = (p + q) / 2
    parts = torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)
    return parts.nan_to_num().sum(-1) / 2 * BITS


def compared(first: torch.Tensor, second: torch.Tensor) -> dict[str, torch.Tensor]:
    """Two models' log p at the same places, [n, vocabulary]: how far apart they are, [n] each.

    `kl` of first to second in nats, `jsd` in bits and `tv` (0 to 1), `top1` 1 where both have the
    same likeliest piece, `agreement@10` the share of the ten likeliest that both have.
    """
    p, q = first.exp(), second.exp()
    most = min(AGREEMENT, p.shape[-1])
    top, other = first.topk(most)[1], second.topk(most)[1]
    shared = (top[:, :, None] == other[:, None, :]).any(-1).sum(-1) / most
    return {
        "kl": (p * (first - second)).sum(-1),
        "jsd": jsd_bits(p, q),
        "tv": (p - q).abs().sum(-1) / 2,
        "top1": (top[:, 0] == other[:, 0]).double(),
        f"agreement@{AGREEMENT}": shared.double(),
    }


def above(log_p: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """How many of the vocabulary are likelier than each value; sorting pays for many values."""
    if len(values) <= FEW:
        return (log_p[None, :] > values[:, None]).sum(1)
    order, _ = log_p.sort()
    return len(log_p) - torch.searchsorted(order, values, right=True)
