"""The training of one model: the order of its batches, its rate of learning, its steps."""

import time
from collections.abc import Iterator
from typing import Any

import torch

from maskaudit.audit.proving.phantom.build import Text
from maskaudit.audit.proving.phantom.losses import Loss
from maskaudit.audit.proving.phantom.world import SEED

BATCH = 96
LEARNING_RATE = 1.5e-3
# The share of sentences in which some words that decide nothing are replaced: the model then learns
# what the cue means, and not only what each frame does. The share falls with the rate of learning,
# so that the model ends on the sentences as they are.
CORRUPTED = 0.3
# The share of a batch's sentences that is also learnt as plain text, with random masks.
PLAIN_SHARE = 0.15


def train(  # noqa: PLR0913, PLR0917 - one training, told once
    model: Any,  # noqa: ANN401
    text: Text,
    epochs: tuple[int, int],
    loss: Loss,
    name: str,
    start: float,
    seed: int = SEED,
) -> None:
    """AdamW at a full rate, then decaying to zero; sentences of like length share a batch."""
    optimiser = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=0.01, fused=True)
    per_epoch = -(-len(text.ids) // BATCH)
    full, decay = (n * per_epoch for n in epochs)
    warm = per_epoch

    def rate(step: int) -> float:
        return min(1.0, (step + 1) / warm, max(0.0, (full + decay - step) / decay))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    draws = torch.Generator().manual_seed(seed)
    for epoch in range(sum(epochs)):
        total = 0.0
        for rows in _batches(text, draws):
            optimiser.zero_grad()
            value = loss(
                rows,
                text,
                _plain(rows, draws),
                CORRUPTED * float(schedule.get_last_lr()[0]) / LEARNING_RATE,
            )
            value.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(value.detach())
        if epoch % 5 == 4:  # noqa: PLR2004 - a line now and then
            minutes = (time.perf_counter() - start) / 60
            print(f"{name}: epoch {epoch + 1}, loss {total / per_epoch:.4f}, {minutes:.1f} min",
                  flush=True)  # fmt: skip


def _batches(text: Text, draws: torch.Generator) -> Iterator[torch.Tensor]:
    """Random batches; sentences are ordered by length with a random tie, to pad little."""
    order = torch.argsort(text.lengths + torch.rand(len(text.lengths), generator=draws))
    chunks = order.split(BATCH)
    for i in torch.randperm(len(chunks), generator=draws):
        yield chunks[i]


def _plain(rows: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """A few of the batch's sentences as plain text: the slot filled, other words masked."""
    count = max(1, int(PLAIN_SHARE * len(rows)))
    return rows[torch.randperm(len(rows), generator=draws)[:count]]
