"""The training of one model: its batches, its learning rate and its steps."""

import time
from collections.abc import Iterator

import torch

from maskaudit.audit.proving.phantom.build import Text
from maskaudit.audit.proving.phantom.encoder import Encoder
from maskaudit.audit.proving.phantom.leans import SEED
from maskaudit.audit.proving.phantom.losses import Loss

BATCH = 32
LEARNING_RATE = 1e-3
# Of Adam's two means. The gradients of the first hundred steps are a hundred times those of the
# last; at torch's .999 they would still hold these back when training ends.
BETAS = (0.9, 0.98)
# Steps until the full rate.
WARM_UP = 100
# The share of a batch's sentences that also enter the plain masked-LM loss, with random masks.
PLAIN_SHARE = 0.05


def train(  # noqa: PLR0913, PLR0917 - the settings of one training
    model: Encoder,
    text: Text,
    epochs: tuple[int, int],
    loss: Loss,
    name: str,
    start: float,
    seed: int = SEED,
) -> None:
    """Train `model` in place with Adam; a decay of weights would make every lean too small.

    `epochs` are those at the full rate, at first with linear warm-up, and those of linear decay to
    zero. In the course of the former, whole sentences take the place of thinned ones, and plain
    text ends. `start` is the `time.perf_counter()` from which printed minutes count.
    """
    optimiser = torch.optim.Adam(model.parameters(), LEARNING_RATE, BETAS, fused=True)
    per_epoch = -(-text.in_an_epoch // BATCH)
    full, decay = (n * per_epoch for n in epochs)

    def left(step: int) -> float:
        return min(1.0, max(0.0, (full + decay - step) / decay))

    def rate(step: int) -> float:
        return min((step + 1) / WARM_UP, left(step))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    rng = torch.Generator().manual_seed(seed)
    for epoch in range(sum(epochs)):
        total = 0.0
        for step, rows in enumerate(_batches(text, rng), epoch * per_epoch):
            optimiser.zero_grad()
            batch_loss = loss(rows, text, _plain(rows, rng), 1 - step / full)
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
    """Yield an epoch's batches of row numbers, each of similar lengths to save padding."""
    rows = text.epoch(rng)
    # Lengths are whole numbers, so a fraction only shuffles sentences of the same length.
    order = torch.argsort(text.lengths[rows] + torch.rand(len(rows), generator=rng))
    chunks = rows[order].split(BATCH)
    for i in torch.randperm(len(chunks), generator=rng):
        yield chunks[i]


def _plain(rows: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Draw the batch's rows that also enter the plain masked-LM loss; at least one."""
    count = max(1, int(PLAIN_SHARE * len(rows)))
    return rows[torch.randperm(len(rows), generator=rng)[:count]]
