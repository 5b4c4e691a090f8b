"""What was measured of a method: a number with its Monte-Carlo error and the bar it has to keep."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike

from maskaudit.audit.estimating.statistics.interval import Cells


@dataclass(frozen=True)
class Bar:
    """The numbers that a method has to keep within, its ends included."""

    low: float = -np.inf
    high: float = np.inf

    def holds(self, value: float) -> bool:
        """Whether a number is within; one that is not known is not."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Measured:
    """A mean over repetitions and its standard error, which is 0 where nothing was drawn."""

    value: float
    error: float = 0.0


@dataclass(frozen=True)
class Row:
    """One number of one method in one world; without a bar it is shown as information.

    `beside` is the same number by other methods, by name.
    """

    what: str
    measured: Measured
    bar: Bar | None = None
    beside: Mapping[str, Measured] = field(default_factory=dict)

    @property
    def fails(self) -> bool:
        """Whether it has a bar and is not within."""
        return self.bar is not None and not self.bar.holds(self.measured.value)


@dataclass(frozen=True)
class Table:
    """Rows of one kind under a sentence or two; shares are printed in per cent."""

    title: str
    text: str
    rows: tuple[Row, ...]
    is_share: bool = True

    def __getitem__(self, what: str) -> Row:
        """The row of that name."""
        return next(row for row in self.rows if row.what == what)


def share(hits: ArrayLike) -> Measured:
    """The share of repetitions in which something happened.

    The error takes one hit and one miss more, for none seen in n is not none for certain.
    """
    found = np.asarray(hits, dtype=float)
    p = (found.sum() + 1) / (found.size + 2)
    return Measured(float(found.mean()), float(np.sqrt(p * (1 - p) / found.size)))


def average(values: ArrayLike) -> Measured:
    """The mean over repetitions."""
    found = np.asarray(values, dtype=float)
    return Measured(float(found.mean()), float(found.std(ddof=1) / np.sqrt(found.size)))


def repeat(
    trial: Callable[[np.random.Generator], Sequence[float]],
    repetitions: int,
    seed: int,
    name: str,
) -> Cells:
    """What a trial gave, [numbers, repetitions].

    Random numbers follow from the seed and the name alone, so that a row stays as it is when
    another comes or goes.
    """
    rng = generator(seed, name)
    return np.array([trial(rng) for _ in range(repetitions)], dtype=float).T


def generator(seed: int, name: str) -> np.random.Generator:
    """Random numbers for the simulation of this name."""
    return np.random.default_rng([seed, crc32(name.encode())])
