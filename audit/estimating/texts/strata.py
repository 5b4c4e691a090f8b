"""The strata of masked text: by group, length, position, and the answer's frequency and pieces."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.estimators import Measured
from maskaudit.audit.recording.rows.slices import Kind, Slice

Mask = NDArray[np.bool_]
# The first number of each stratum after the first: words of a text, how often the data has the
# answer, its pieces; the share of the text before the mask.
_LENGTHS, _FREQUENCIES, _PIECES = (33, 129, 257), (2, 6, 21), (2, 3)
_THIRDS = ("first third", "middle third", "last third")


def strata(measured: Measured, units: pd.Index) -> Iterator[tuple[Slice, Mask]]:
    """Yield each stratum and which units are in it, [units]; those without any are left out.

    Units are masks by frame or by context. Pieces are those of the model that was `measured`.
    """
    items = measured.items[measured.items["label"] == "right"]
    both = [items.set_index(items[key]) for key in ("frame", "context")]
    rows = pd.concat(both)
    # A mask may have several right answers, and a context several masks: the first counts.
    rows = rows[~rows.index.duplicated()].reindex(units)
    for group in sorted(set(rows["group"].dropna()) - {""}):
        yield Slice("group", group), (rows["group"] == group).to_numpy(dtype=bool)
    yield from _cut("length", rows["words"], _LENGTHS, _named(1, _LENGTHS))
    yield from _cut("position", rows["place"], (1 / 3, 2 / 3), _THIRDS)
    yield from _cut("frequency", rows["frequency"], _FREQUENCIES, _named(1, _FREQUENCIES))
    pieces = measured.scores.drop_duplicates("item").set_index("item")["pieces"]
    counts = rows["item"].map(pieces)
    yield from _cut("pieces", counts, _PIECES, _named(1, _PIECES))


def _cut(
    kind: Kind, values: pd.Series, edges: Sequence[float], names: Sequence[str]
) -> Iterator[tuple[Slice, Mask]]:
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    # `searchsorted` takes NaN for the largest number, which would fill the last stratum.
    place = np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="right"))
    for index, name in enumerate(names):
        if (inside := place == index).any():
            yield Slice(kind, name), inside


def _named(first: int, edges: Sequence[int]) -> list[str]:
    """The strata by their smallest and largest number: "1", "2-5", "21+"."""
    starts = [first, *edges]
    ends = [edge - 1 for edge in edges]
    names = [f"{a}-{b}" if b > a else f"{a}" for a, b in zip(starts, ends, strict=False)]
    return [*names, f"{starts[-1]}+"]
