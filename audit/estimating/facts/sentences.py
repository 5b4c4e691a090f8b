"""Which facts depend on each other: the masks of one sentence."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def sentences(frames: Iterable[str], clusters: Iterable[str]) -> NDArray[np.str_]:
    """The sentence of each fact: its cluster, where a sentence has several masks, or itself."""
    pairs = zip(frames, clusters, strict=True)
    # The words keep a fact apart from a sentence of that name.
    return np.array([f"sentence {c}" if c else f"fact {frame}" for frame, c in pairs], dtype=str)
