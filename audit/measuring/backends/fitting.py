"""A batch that does not fit into a device's memory: run in halves once, or refused with numbers."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from maskaudit.audit.errors import DeviceMemoryError
from maskaudit.audit.measuring.checkpoints.located import first_line
from maskaudit.audit.measuring.model import Ids, Numbers

_LESS = "run less at once (--batch-tokens), or on the processor (--device cpu)"
Reads = Sequence[tuple[int, int]]


def fitting(
    log_probs: Callable[[Sequence[Ids], Reads], Numbers],
    sentences: Sequence[Ids],
    reads: Reads,
    device: str,
    note: Callable[[str], None],
) -> Numbers:
    """Log p at each read, [n, vocabulary], of all sentences at once; of each half if that is full.

    `note` is told of halves. Raises `DeviceMemoryError` if a half does not fit either.
    """
    try:
        return log_probs(sentences, reads)
    except torch.OutOfMemoryError as error:
        said = first_line(error)
    # Out of the `except`: there the error would still hold the tensors of the batch that failed.
    pieces = sum(map(len, sentences))
    where = (
        f"out of memory on {device} with {pieces:,} pieces in {len(sentences)} sentences, "
        f"{len(reads)} places read"
    )
    half = len(sentences) // 2
    if not half:
        raise DeviceMemoryError(f"{where} ({said}); {_LESS}")
    note(f"{where}: the batch is run in halves; to have none so large, {_LESS}")
    _give_back(device)
    try:
        parts = [
            (own, log_probs(some, [(reads[n][0] - start, reads[n][1]) for n in own]))
            for start, some in ((0, sentences[:half]), (half, sentences[half:]))
            if (own := [n for n, (row, _) in enumerate(reads) if 0 <= row - start < len(some)])
        ]
    except torch.OutOfMemoryError as error:
        raise DeviceMemoryError(
            f"{where}, and with half of them ({first_line(error)}); {_LESS}"
        ) from error
    # By number, since the reads of a half need not stand together among all reads.
    together = np.empty((len(reads), parts[0][1].shape[1]))
    for own, rows in parts:
        together[own] = rows
    return together


def _give_back(device: str) -> None:
    """Give the memory that a failed batch has left back to the device."""
    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
