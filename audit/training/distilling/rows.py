"""Rows of a text, and batches of them that are masked anew each time, by a seed and a step."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.text_files import read_text

Pieces = NDArray[np.int64]
# Devlin et al. 2019: of the pieces that are to be told, so many are masked, and so many replaced.
MASKED, REPLACED = 0.8, 0.1
SHARE = 0.15
# Rows of about one length are batched together, so that little is padded.
_WINDOW = 50
# For the loss: pieces that are not to be told.
IGNORED = -100
# Streams of random numbers of their own, beside the seed.
_ORDER, _MASKS, _DROPOUT = range(3)
_LINES_AT_ONCE = 1000


@dataclass(frozen=True)
class Batch:
    """Rows that are masked: piece ids, which of them are no padding, and what is to be told.

    All are [rows, length]; `labels` is `IGNORED` wherever nothing is to be told.
    """

    ids: torch.Tensor
    seen: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a text as a tokenizer writes them, special pieces included, in its order.

    `digest` is the SHA-256 of the text. `free` are the pieces that are no special ones, by which
    others are replaced.
    """

    rows: Sequence[Pieces]
    digest: str
    free: Pieces
    mask: int
    padding: int

    def batch(self, step: int, size: int, seed: int) -> Batch:
        """The batch of one step, from 0: the same for the same seed, whatever was drawn before."""
        batches = -(-len(self.rows) // size)
        epoch, place = divmod(step, batches)
        chosen = [self.rows[i] for i in _order(self, epoch, size, seed)[place]]
        ids = np.full((len(chosen), max(map(len, chosen))), self.padding)
        seen = np.zeros(ids.shape, dtype=bool)
        for row, pieces in enumerate(chosen):
            ids[row, : len(pieces)], seen[row, : len(pieces)] = pieces, True
        rng = np.random.default_rng((seed, _MASKS, step))
        return _masked(self, ids, seen, rng)


def read(path: Path, tokenizer: Any, length: int) -> Rows:  # noqa: ANN401 - transformers' own type
    """The rows of a UTF-8 text: each line that is not blank, in parts of at most `length` pieces.

    Raises `InputError` for a file that cannot be read, and one without a word.
    """
    text = read_text(path, "a text to distil on", bounded.PUBLISHED)
    lines = [line for line in text.splitlines() if line.strip()]
    rows = list(_rows(lines, tokenizer, length))
    if not rows:
        raise InputError(f"{path}: has no text; expected sentences or paragraphs, one a line")
    special = sorted(tokenizer.all_special_ids)
    return Rows(
        rows,
        hashlib.sha256(text.encode()).hexdigest(),
        np.setdiff1d(np.arange(len(tokenizer)), special),
        tokenizer.mask_token_id,
        tokenizer.pad_token_id,
    )


def _rows(lines: Sequence[str], tokenizer: Any, length: int) -> Iterator[Pieces]:  # noqa: ANN401
    begin, end = (np.array([p]) for p in (tokenizer.cls_token_id, tokenizer.sep_token_id))
    # A mask that somebody wrote about is no mask to be filled.
    marks = [i for i in tokenizer.all_special_ids if i != tokenizer.unk_token_id]
    for first in range(0, len(lines), _LINES_AT_ONCE):
        part = list(lines[first : first + _LINES_AT_ONCE])
        for ids in tokenizer(part, add_special_tokens=False, verbose=False)["input_ids"]:
            pieces = np.array(ids, dtype=np.int64)
            pieces = pieces[~np.isin(pieces, marks)]
            for start in range(0, len(pieces), length - 2):
                yield np.concatenate([begin, pieces[start : start + length - 2], end])


@lru_cache(maxsize=2)
def _order(rows: Rows, epoch: int, size: int, seed: int) -> list[Pieces]:
    """The rows of each batch of an epoch: shuffled, those of about one length together."""
    rng = np.random.default_rng((seed, _ORDER, epoch))
    lengths = np.array([len(row) for row in rows.rows])
    batches: list[Pieces] = []
    order = rng.permutation(len(lengths))
    for start in range(0, len(order), size * _WINDOW):
        window = order[start : start + size * _WINDOW]
        # Stable: rows of one length stay in the drawn order, the same on every machine.
        window = window[np.argsort(lengths[window], kind="stable")]
        batches += [window[i : i + size] for i in range(0, len(window), size)]
    # Shuffled again, or each window would go from short rows to long ones.
    return [batches[i] for i in rng.permutation(len(batches))]


def _masked(rows: Rows, ids: Pieces, seen: NDArray[np.bool_], rng: np.random.Generator) -> Batch:
    """The batch with some of its pieces masked, some replaced and some left, all to be told."""
    may = seen & np.isin(ids, rows.free)
    told = may & (rng.random(ids.shape) < SHARE)
    if not told.any():  # a loss over nothing has no mean
        places = np.argwhere(may if may.any() else seen)
        told[tuple(places[rng.integers(len(places))])] = True
    labels = np.where(told, ids, IGNORED)
    drawn = rng.random(ids.shape)
    masked = np.where(told & (drawn < MASKED), rows.mask, ids)
    replaced = told & (drawn >= MASKED) & (drawn < MASKED + REPLACED)
    masked[replaced] = rng.choice(rows.free, int(replaced.sum()))
    return Batch(torch.from_numpy(masked), torch.from_numpy(seen), torch.from_numpy(labels))


def seed_of_dropout(seed: int, step: int) -> int:
    """What torch draws a step's dropout from."""
    return int(np.random.default_rng((seed, _DROPOUT, step)).integers(2**63))
