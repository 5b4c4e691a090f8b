"""Which facts depend on each other: the masks of one sentence, the sentences of one fact."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def sentences(frames: Iterable[str], clusters: Iterable[str]) -> NDArray[np.str_]:
    """The cluster of each fact: itself, unless it shares a sentence or a fact with others."""
    pairs = zip(frames, clusters, strict=True)
    # The words keep a fact apart from a sentence of that name.
    return np.array([f"sentence {c}" if c else f"fact {frame}" for frame, c in pairs], dtype=str)
