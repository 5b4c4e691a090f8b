"""The likeliest fillings of several masks at once, and the rank of a target among them.

A filling is one piece for each mask. Its log p is that of a target of as many pieces: from left to
right, each piece read with those before it written and those after it masked. This is the
order-based decoding of X-FACTR (Jiang et al. 2020), with a beam instead of one hypothesis and with
as many masks as the target has pieces.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maskaudit.audit.measuring.model import Ids, MaskedLM
from maskaudit.audit.measuring.planning.reads import TOP_FILLING, Reads

# Fillings that are kept at every step; a rank is known up to this number.
WIDTH = 20

Filling = tuple[Ids, float]


def likeliest(
    model: MaskedLM, masked: Ids, places: Sequence[int], width: int = WIDTH
) -> list[Filling]:
    """The likeliest fillings that a beam of `width` finds, with their log p in nats, best first.

    `masked` is a sentence with masks at `places`, from left to right. The search is exact where
    the vocabulary's size to the power of the number of masks but one is at most `width`; else a
    filling that begins with an unlikely piece may be missed. At most `width` are returned.
    """
    beam: list[Filling] = [((), 0.0)]
    for n_filled, place in enumerate(places):
        sentences = [_filled(masked, places, pieces) for pieces, _ in beam]
        log_p = model.log_probs(sentences, [(row, place) for row in range(len(sentences))])
        totals = (np.array([total for _, total in beam])[:, None] + log_p).ravel()
        best = _largest(totals, width)
        rows, pieces = np.divmod(best, log_p.shape[1])
        beam = [
            ((*beam[row][0][:n_filled], piece), total)
            for row, piece, total in zip(
                rows.tolist(), pieces.tolist(), totals[best].tolist(), strict=True
            )
        ]
    return beam


def rank_among(fillings: Sequence[Filling], target: Filling, width: int = WIDTH) -> int | None:
    """The rank of a target among the fillings found, from 1; None beyond the `width` that are kept.

    The target counts even if the beam missed it; likelier fillings that it missed do not.
    """
    pieces, log_p = target
    # Its own log p of the same pass, where it was found: another batch may differ in the last bits.
    log_p = dict(fillings).get(pieces, log_p)
    likelier = sum(total > log_p for other, total in fillings if other != pieces)
    return None if likelier >= width else likelier + 1


class Fillings:
    """The searches of one model, each run once for all targets of its masks."""

    def __init__(self, model: MaskedLM) -> None:
        self._model = model
        self._found: dict[tuple[Ids, tuple[int, ...]], list[Filling]] = {}

    def rows(self, reads: Reads, log_p: float) -> list[dict[str, Any]]:
        """The row of a target's rank among fillings; none for one piece, whose rank is exact.

        `reads` are those of its pieces, of which the first has all of its masks; `log_p` is its
        score. `value` is the log p of the likeliest filling known, in nats; `rank` is missing where
        the target is not among the `WIDTH` likeliest.
        """
        if len(reads) < 2:  # noqa: PLR2004 - several pieces
            return []
        masks = (reads[0][0].ids, tuple(read.place for read, _ in reads))
        if masks not in self._found:
            self._found[masks] = likeliest(self._model, *masks)
        target = (tuple(piece for _, piece in reads), log_p)
        fillings = self._found[masks]
        value = max(log_p, fillings[0][1])
        return [
            {"measure": TOP_FILLING, "value": value, "rank": rank_among(fillings, target)},
        ]


def _filled(masked: Ids, places: Sequence[int], pieces: Ids) -> Ids:
    """The sentence with the first places filled."""
    ids = list(masked)
    # Not strict: the places that are left keep their masks.
    for place, piece in zip(places, pieces, strict=False):
        ids[place] = piece
    return tuple(ids)


def _largest(values: np.ndarray[Any, np.dtype[np.float64]], most: int) -> Any:  # noqa: ANN401
    """The indices of the largest values, largest first; equal ones by index."""
    most = min(most, len(values))
    # A threshold first: sorting 20 vocabularies for 20 values would cost more than the model.
    threshold = np.partition(values, len(values) - most)[len(values) - most]
    candidates = np.flatnonzero(values >= threshold)
    order = np.lexsort((candidates, -values[candidates]))
    return candidates[order][:most]
