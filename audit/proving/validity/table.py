"""Tables of measured numbers, each with its Monte-Carlo error and its bar."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike

from maskaudit.audit.estimating.statistics.interval import Cells


@dataclass(frozen=True)
class Bar:
    """The range in which a measured number must lie, ends included."""

    low: float = -np.inf
    high: float = np.inf

    def holds(self, value: float) -> bool:
        """Whether a number is in the range; NaN is not."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Measured:
    """A mean over repetitions and its standard error; 0 for a number computed exactly."""

    value: float
    error: float = 0.0


@dataclass(frozen=True)
class Row:
    """One number of one method in one world; without a bar it is information only.

    `beside` maps names of other methods to their number.
    """

    what: str
    measured: Measured
    bar: Bar | None = None
    beside: Mapping[str, Measured] = field(default_factory=dict)

    @property
    def fails(self) -> bool:
        """Whether the number misses its bar; False without a bar."""
        return self.bar is not None and not self.bar.holds(self.measured.value)


@dataclass(frozen=True)
class Table:
    """Rows of one kind with a title and an explanation; shares are printed in per cent."""

    title: str
    text: str
    rows: tuple[Row, ...]
    is_share: bool = True

    def __getitem__(self, what: str) -> Row:
        """Return the row whose `what` is this; raises `StopIteration` without one."""
        return next(row for row in self.rows if row.what == what)


def share(hits: ArrayLike) -> Measured:
    """Return the share of repetitions with a hit.

    Its standard error is computed with one more hit and one more miss, so that it is above 0 even
    where every repetition gave the same result.
    """
    results = np.asarray(hits, dtype=float)
    p = (results.sum() + 1) / (results.size + 2)
    return Measured(float(results.mean()), float(np.sqrt(p * (1 - p) / results.size)))


def average(values: ArrayLike) -> Measured:
    """Return the mean over repetitions, with its standard error."""
    results = np.asarray(values, dtype=float)
    return Measured(float(results.mean()), float(results.std(ddof=1) / np.sqrt(results.size)))


def repeat(
    trial: Callable[[np.random.Generator], Sequence[float]],
    repetitions: int,
    seed: int,
    name: str,
) -> Cells:
    """Return the results of repeated trials, [numbers, repetitions].

    Random numbers depend only on the seed and the name, so adding or removing other rows does not
    change a row.
    """
    rng = generator(seed, name)
    return np.array([trial(rng) for _ in range(repetitions)], dtype=float).T


def generator(seed: int, name: str) -> np.random.Generator:
    """Return the random generator for the simulation of this name."""
    # Python's `hash` of a text differs between processes; a checksum does not.
    return np.random.default_rng([seed, crc32(name.encode())])
