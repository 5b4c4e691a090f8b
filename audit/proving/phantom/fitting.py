"""The training of one model: its batches, its learning rate and its steps."""

import time
from collections.abc import Iterator
from typing import Any

import torch

from maskaudit.audit.proving.phantom.build import Text
from maskaudit.audit.proving.phantom.losses import Loss
from maskaudit.audit.proving.phantom.world import SEED

BATCH = 96
LEARNING_RATE = 1.5e-3
# The share of sentences with some free words replaced, so that the model learns from the cue and
# does not memorise each frame. The share falls with the learning rate, so that training ends on
# unchanged sentences.
CORRUPTED = 0.3
# The share of a batch's sentences that also enter the plain masked-LM loss, with random masks.
PLAIN_SHARE = 0.15


def train(  # noqa: PLR0913, PLR0917 - the settings of one training
    model: Any,  # noqa: ANN401
    text: Text,
    epochs: tuple[int, int],
    loss: Loss,
    name: str,
    start: float,
    seed: int = SEED,
) -> None:
    """Train `model` in place with AdamW.

    `epochs` are those at the full rate, the first with linear warm-up, and those of linear decay to
    zero. `start` is the `time.perf_counter()` from which printed minutes count.
    """
    optimiser = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=0.01, fused=True)
    per_epoch = -(-len(text.ids) // BATCH)
    full, decay = (n * per_epoch for n in epochs)
    warm_up = per_epoch

    def rate(step: int) -> float:
        return min(1.0, (step + 1) / warm_up, max(0.0, (full + decay - step) / decay))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    rng = torch.Generator().manual_seed(seed)
    for epoch in range(sum(epochs)):
        total = 0.0
        for rows in _batches(text, rng):
            optimiser.zero_grad()
            batch_loss = loss(
                rows,
                text,
                _plain(rows, rng),
                CORRUPTED * float(schedule.get_last_lr()[0]) / LEARNING_RATE,
            )
            batch_loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(batch_loss.detach())
        if epoch % 5 == 4:  # noqa: PLR2004 - progress every five epochs
            minutes = (time.perf_counter() - start) / 60
            print(f"{name}: epoch {epoch + 1}, loss {total / per_epoch:.4f}, {minutes:.1f} min",
                  flush=True)  # fmt: skip


def _batches(text: Text, rng: torch.Generator) -> Iterator[torch.Tensor]:
    """Yield batches of row numbers in random order, each of similar lengths to save padding."""
    # Lengths are whole numbers, so a fraction only shuffles sentences of the same length.
    order = torch.argsort(text.lengths + torch.rand(len(text.lengths), generator=rng))
    chunks = order.split(BATCH)
    for i in torch.randperm(len(chunks), generator=rng):
        yield chunks[i]


def _plain(rows: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Draw the batch's rows that also enter the plain masked-LM loss; at least one."""
    count = max(1, int(PLAIN_SHARE * len(rows)))
    return rows[torch.randperm(len(rows), generator=rng)[:count]]
