"""Layers in a lower precision, and how far log p by them is from float32 on trial sentences."""

from collections.abc import Callable

import numpy as np
import torch

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.packed import Packed
from maskaudit.audit.measuring.model import Encoded, Ids, Numbers
from maskaudit.probes.frames.sentence import MASK

# Sentences as sets have them, short and long, with the mask at their beginning, within and at the
# end. A model of another language reads them as it can: its arithmetic is the same.
TRIALS = (
    f"{MASK} is a nurse.",
    f"The {MASK} works as an engineer in the city.",
    f"My neighbour, who came from Poland, is very {MASK}.",
    f"Everyone said that the {MASK} had been honest with them.",
    f"The doctor asked the nurse a question, and {MASK} answered at once.",
    f"Paris is the capital of {MASK}.",
    f"They were {MASK}.",
    f"When the meeting was over, the {MASK} who had spoken first went home, for it was late.",
)

# The largest by which layers are taken that are run in a lower precision: how far that is from
# float32 is measured for itself, and a layer that is built otherwise is off by more.
ALIKE = 1e-3


def trials(
    encode: Callable[[list[str]], list[Encoded]], mask: str, mask_id: int
) -> tuple[list[Ids], list[tuple[int, int]]]:
    """The trial sentences with a model's own mask as piece ids, by length, and their masks."""
    encoded = encode([text.replace(MASK, mask) for text in TRIALS])
    sentences = sorted((one.ids for one in encoded), key=len)
    places = [(row, ids.index(mask_id)) for row, ids in enumerate(sentences) if mask_id in ids]
    return sentences, places


def lowered(
    layers: Packed | None,
    exact: Packed | None,
    dtype: str,
    read: Callable[[Packed | None], Numbers],
) -> tuple[Packed, float]:
    """The layers in a precision, and the largest difference by them of log p of any piece, in nats.

    `exact` is what runs the model in float32, None for transformers; `read` gives log p by it at
    the masks of `TRIALS`, [n, vocabulary]. Raises `InputError` if our own pass has no such layers,
    or if log p is not finite in that precision.
    """
    if layers is None:
        raise InputError(
            f"its layers are run by transformers, in float32 alone; {dtype} is for models built "
            "like BERT: leave out --dtype"
        )
    lower = layers.cast(getattr(torch, dtype))
    largest = float(np.abs(read(exact) - read(lower)).max())
    # One NaN makes the largest NaN, so that an overflow at any piece is seen here.
    if not np.isfinite(largest):
        raise InputError(f"its log probabilities are not finite in {dtype}: leave out --dtype")
    return lower, largest
