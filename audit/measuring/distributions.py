"""Distributions over a vocabulary: likeliest pieces, ranks and distances."""

from typing import Any

import torch

from maskaudit.audit.measuring.model import MaskedLM, Numbers

AGREEMENT = 10
FEW = 8
# Nats times this are bits.
BITS = 1 / torch.log(torch.tensor(2.0, dtype=torch.float64))


def likeliest(log_p: Numbers, model: MaskedLM, most: int) -> list[dict[str, Any]]:
    """Rank, token and probability of the `most` likeliest pieces; `log_p` is [vocabulary], nats."""
    values, indices = torch.from_numpy(log_p).topk(min(most, len(log_p)))
    pairs = zip(indices.tolist(), values.exp().tolist(), strict=True)
    return [
        {"rank": rank, "token": model.token(index), "probability": p}
        for rank, (index, p) in enumerate(pairs, start=1)
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
