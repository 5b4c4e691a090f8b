"""The training of one model: its learning rate and its steps."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from maskaudit.audit.proving.phantom import batches
from maskaudit.audit.proving.phantom.batches import Batch
from maskaudit.audit.proving.phantom.build import Text
from maskaudit.audit.proving.phantom.encoder import Encoder
from maskaudit.audit.proving.phantom.leans import SEED
from maskaudit.audit.proving.phantom.losses import Loss

LEARNING_RATE = 1e-3
# Of Adam's two means. The gradients of the first hundred steps are a hundred times those of the
# last; at torch's .999 they would still hold these back when training ends.
BETAS = (0.9, 0.98)
# Steps until the full rate.
WARM_UP = 100
# Half of a batch on each of two cores: matrices this small gain little from threads of torch's.
# More than two would add up gradients in an order that differs from run to run.
HALVES = 2


def train(  # noqa: PLR0913, PLR0917 - the settings of one training
    model: Encoder,
    text: Text,
    epochs: tuple[int, int],
    loss: Loss,
    name: str,
    start: float,
    seed: int = SEED,
    highest: float = LEARNING_RATE,
) -> None:
    """Train `model` in place with Adam; a decay of weights would make every lean too small.

    `epochs` are those at the full rate, at first with linear warm-up, and those of linear decay to
    zero. In the course of the former, whole sentences take the place of thinned ones, and plain
    text ends; without the former there is neither. `highest` is the full rate. `start` is the
    `time.perf_counter()` from which printed minutes count.
    """
    optimiser = torch.optim.Adam(model.parameters(), highest, BETAS, fused=True)
    per_epoch = -(-text.in_an_epoch // batches.SIZE)
    full, decay = (n * per_epoch for n in epochs)

    def rate(step: int) -> float:
        return max(0.0, min((step + 1) / WARM_UP, (full + decay - step) / decay, 1.0))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    rng = torch.Generator().manual_seed(seed)
    with (
        _one_thread(),
        ThreadPoolExecutor(HALVES, initializer=use_one_thread) as cores,
    ):
        drawn = _drawn(text, sum(epochs), full, rng)
        halves = next(drawn)
        for epoch in range(sum(epochs)):
            total = 0.0
            for _ in range(per_epoch):
                optimiser.zero_grad()
                size = sum(map(len, halves))
                learnt = [cores.submit(_learnt, loss, size, half) for half in halves]
                # The next are drawn while these are learnt, and by one thread alone: what is drawn
                # does not hang on which core is first.
                halves = next(drawn, [])
                total += sum(own.result() for own in learnt)
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
            if epoch % 5 == 4:  # noqa: PLR2004 - progress every five epochs
                minutes = (time.perf_counter() - start) / 60
                print(f"{name}: epoch {epoch + 1}, loss {total / per_epoch:.4f}, {minutes:.1f} min",
                      flush=True)  # fmt: skip


def use_one_thread() -> None:
    """Let torch use one thread from here on, where as many run as there are cores."""
    torch.set_num_threads(1)


def _drawn(text: Text, epochs: int, full: int, rng: torch.Generator) -> Iterator[list[Batch]]:
    """Yield the parts of each batch of all epochs; `full` are the steps at the full rate."""
    step = 0
    for _ in range(epochs):
        for rows in batches.rows(text, rng):
            thinned = 1 - step / full if full else 0.0
            yield [
                batches.batch(text, half, thinned, rng)
                for half in rows.tensor_split(HALVES)
                if len(half)
            ]
            step += 1


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread here: for a step of Adam two spend their time on waiting."""
    usual = torch.get_num_threads()
    use_one_thread()
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def _learnt(loss: Loss, size: int, half: Batch) -> float:
    """Add the gradients of a part of a batch of so many sentences; returns its part of the loss."""
    own = loss(half) * (len(half) / size)
    own.backward()
    return float(own.detach())
