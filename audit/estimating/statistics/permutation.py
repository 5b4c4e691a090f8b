"""The sharp null, that the groups' labels may be exchanged inside every frame, by permutation."""

import numpy as np

from maskaudit.audit.estimating.statistics.anova import centred
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.estimating.statistics.ustatistics import complete

RESAMPLES = 9999


def label_swap(cells: Cells, rng: np.random.Generator, *, resamples: int = RESAMPLES) -> float:
    """Test the association by swaps of the two groups' labels, frame by frame: its p.

    Where labels may be exchanged in a frame, all of its cells change their sign together; the
    association, a sum over pairs of different frames, is large only where frames agree on which
    attributes lean. One-sided, for no association at all; exact where 2^(J - 1) is at most
    `resamples`, otherwise (1 + b)/(1 + B). It says nothing of an average lean, whose null labels do
    not fulfil. Raises ValueError as `association`.
    """
    complete(cells)
    own = centred(cells)
    products = own.T @ own
    np.fill_diagonal(products, 0.0)
    n_frames = cells.shape[1]
    # Turning every sign leaves the sum as it is, so the last frame's may stay.
    exact = 2 ** (n_frames - 1) <= resamples
    if exact:
        turned = (np.arange(2 ** (n_frames - 1))[:, None] >> np.arange(n_frames)) & 1
    else:
        turned = rng.integers(0, 2, (resamples, n_frames))
    signs = 1.0 - 2.0 * turned
    found = ((signs @ products) * signs).sum(1)
    observed = products.sum()
    # What is equal but for rounding is as large.
    as_large = int((found >= observed - 1e-9 * np.abs(products).sum()).sum())
    return as_large / len(found) if exact else (1 + as_large) / (1 + resamples)
