"""Sentences of a batch in runs of one length, each with the places that are read in it."""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch

from maskaudit.audit.measuring.model import Ids


@dataclass(frozen=True)
class Run:
    """Sentences of one length that follow each other, `ids` [n, length], and their reads.

    Read `numbers[i]` of the batch is at `places[i]` of sentence `rows[i]` of the run, and is the
    read `columns[i]` of that sentence, from 0. `most` is the most reads of one sentence, known here
    so that no device has to be asked for it.
    """

    ids: torch.Tensor
    numbers: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor
    places: torch.Tensor
    most: int

    @property
    def n(self) -> int:
        """The number of sentences."""
        return self.ids.shape[0]

    @property
    def length(self) -> int:
        """The number of pieces of each."""
        return self.ids.shape[1]


def runs(
    sentences: Sequence[Ids], reads: Sequence[tuple[int, int]], device: torch.device
) -> list[Run]:
    """The runs of a batch, in its order; a read is (index of sentence, place in it)."""
    asked: list[list[tuple[int, int]]] = [[] for _ in sentences]
    for number, (index, place) in enumerate(reads):
        asked[index].append((number, place))
    found, start = [], 0
    # Neighbours are enough: a batch is ordered by length. Another order would only make more runs.
    for _, run in groupby(sentences, key=len):
        own = list(run)
        of_run = [
            (number, row, column, place)
            for row, of_sentence in enumerate(asked[start : start + len(own)])
            for column, (number, place) in enumerate(of_sentence)
        ]
        # All four in one tensor: an accelerator waits for each copy by itself.
        told = _on(device, torch.tensor(of_run, dtype=torch.long).view(-1, 4).T.contiguous())
        numbers, rows, columns, places = told
        most = max((column + 1 for _, _, column, _ in of_run), default=0)
        found.append(Run(_on(device, torch.tensor(own)), numbers, rows, columns, places, most))
        start += len(own)
    return found


def _on(device: torch.device, numbers: torch.Tensor) -> torch.Tensor:
    """The numbers on a device; from pinned memory to CUDA, so that nothing waits for the copy."""
    if device.type == "cuda":
        return numbers.pin_memory().to(device, non_blocking=True)
    return numbers.to(device)


def in_order(parts: Sequence[torch.Tensor], of: Sequence[Run]) -> torch.Tensor:
    """Rows that follow the reads of each run in turn, in the order of the reads of the batch."""
    together = torch.cat(list(parts))
    ordered = torch.empty_like(together)
    ordered[torch.cat([run.numbers for run in of])] = together
    return ordered


@contextmanager
def gathered(encoder: Any, rows: torch.Tensor, places: torch.Tensor) -> Any:  # noqa: ANN401
    """Pass only the states at (row, place) to the head, which is costly for a large vocabulary."""

    def gather(_module: object, _inputs: object, output: Any) -> Any:  # noqa: ANN401
        # [n sentences, length, width] becomes [n reads, width]; heads act on each state alone,
        # which `_check_head` verifies.
        output.last_hidden_state = output.last_hidden_state[rows, places]
        return output

    handle = encoder.register_forward_hook(gather)
    try:
        yield
    finally:
        handle.remove()
