"""Coverage where an endpoint gives its likeliest fills alone: bounds of cells, and contrasts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import special

from maskaudit.audit.estimating.statistics import identified
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.proving.validity.simulate import Crossed
from maskaudit.audit.proving.validity.table import (
    Bar,
    Row,
    Table,
    average,
    generator,
    repeat,
    share,
)

# Vectors of other pieces that cells draw from, and tables by which an end is known.
_POOL, _TABLES = 64, 1_000
_NODES = 60
AS_ZERO, ABSENT = "absent words as 0", "words absent"


class Bounds(NamedTuple):
    """The least and the most that p of both words can be in each cell, and p, [attributes, frames].

    A word that is absent has a least of 0.
    """

    low: tuple[Cells, Cells]
    high: tuple[Cells, Cells]
    p: tuple[Cells, Cells]

    @property
    def shares(self) -> tuple[Cells, Cells]:
        """The least and the most that the first word's share can be."""
        return (
            self.low[0] / (self.low[0] + self.high[1]),
            self.high[0] / (self.high[0] + self.low[1]),
        )

    @property
    def hold(self) -> bool:
        """Whether both p lie within their bounds in every cell."""
        return all(
            bool(((low <= p) & (p <= high)).all())
            for low, p, high in zip(self.low, self.p, self.high, strict=True)
        )


@dataclass(frozen=True)
class Served:
    """A model of which `k` fills are given, rounded to `decimals`; None for as they are.

    The log-odds of two words are those of `table`, half of `contrast` up in the first half of the
    attributes and down in the other. Both words together have `mass` in the median cell, which
    varies by `mass_sd` logits; the rest is that of `pieces` others, whose logits vary by `spread`.
    """

    table: Crossed
    k: int
    decimals: int | None
    contrast: float = 1.0
    mass: float = 0.05
    mass_sd: float = 1.5
    pieces: int = 2_000
    spread: float = 2.5

    def __str__(self) -> str:
        """Return the world's name in a row."""
        digits = "not rounded" if self.decimals is None else f"{self.decimals} decimals"
        return f"{self.table}, {self.k} fills, {digits}"

    @property
    def first(self) -> int:
        """The number of attributes of the first class."""
        return self.table.attributes // 2

    @property
    def truth(self) -> float:
        """The contrast of shares of all attributes and frames there are, by quadrature."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        y = np.sqrt(np.square(self.table.sd).sum()) * nodes
        half = self.contrast / 2
        difference = special.expit(y + half) - special.expit(y - half)
        return float((weights * difference).sum() / weights.sum())

    def draw(self, rng: np.random.Generator) -> Bounds:
        """Draw one table, and what the endpoint's answers say of it."""
        odds = self.table.draw(rng)
        odds[: self.first] += self.contrast / 2
        odds[self.first :] -= self.contrast / 2
        logit = special.logit(self.mass) + self.mass_sd * rng.standard_normal(odds.shape)
        mass = special.expit(logit)
        p = (mass * special.expit(odds), mass * special.expit(-odds))
        others = _others(self.pieces, self.spread, self.k)
        rest = others[rng.integers(len(others), size=odds.shape)] * (1 - mass)[..., None]
        is_whole = self.pieces < self.k
        least = np.minimum(rest[..., -1], np.minimum(*p)) if is_whole else _least_given(p, rest)
        # One in the last place, by which the audit widens what was given.
        unit = 0.0 if self.decimals is None else 10.0**-self.decimals
        both = [self._rounded(own) for own in p]
        is_given = [own >= least for own in p]
        given = [
            *(np.where(is_there, own, 0.0) for is_there, own in zip(is_given, both, strict=True)),
            *np.moveaxis(np.where(rest >= least[..., None], self._rounded(rest), 0.0), -1, 0),
        ]
        left = 1 - np.maximum(np.stack(given) - unit, 0).sum(0)
        absent = np.minimum(self._rounded(least) + unit, left)
        low = [
            np.where(own, np.maximum(s - unit, 0), 0.0)
            for own, s in zip(is_given, both, strict=True)
        ]
        high = [
            np.where(own, np.minimum(s + unit, 1), absent)
            for own, s in zip(is_given, both, strict=True)
        ]
        return Bounds((low[0], low[1]), (high[0], high[1]), p)

    def _rounded(self, p: Cells) -> Cells:
        return p if self.decimals is None else p.round(self.decimals)

    def interval(self, shares: tuple[Cells, Cells]) -> tuple[float, float]:
        """The limits of the contrast's interval, as the audit makes it."""
        least, most = shares
        ends = identified.between(
            crossed_means.contrast_interval(least[: self.first], most[self.first :]),
            crossed_means.contrast_interval(most[: self.first], least[self.first :]),
        )
        return ends[0].low, ends[1].high


_TABLE = Crossed(60, 20, (0.5, 0.5, 1.0))
WORLDS = (
    Served(_TABLE, 5, 4),
    Served(_TABLE, 20, 4),
    Served(_TABLE, 100, 4),
    Served(_TABLE, 20, None),
    Served(_TABLE, 200, None, pieces=198),
    Served(Crossed(60, 10, (0.5, 0.5, 1.0)), 20, 4),
    Served(Crossed(24, 8, (0.5, 0.5, 0.5)), 20, 4),
    Served(Crossed(40, 30, (0.5, 0.3, 1.0)), 20, 2),
    Served(_TABLE, 20, 4, contrast=0.0),
    Served(_TABLE, 20, 4, mass=0.005),
)


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    rows: list[Row] = []
    cells: list[Row] = []
    for world in WORLDS:
        name = _named(world)
        held, covered, low, high, naive, absent = repeat(
            _trial(world, seed), repetitions, seed, name
        )
        missing = {ABSENT: average(absent)}
        cells.append(Row(name, share(held), Bar(1.0, 1.0), missing))
        beside = {AS_ZERO: share(naive)}
        # Where every word is given nothing is censored, and the plain interval's bar holds.
        bar = Bar(low=0.94 if world.pieces < world.k else 0.95)
        rows.append(Row(f"{name}: the truth", share(covered), bar, beside))
        rows += [
            Row(f"{name}: were all at the least", share(low), Bar(low=0.94)),
            Row(f"{name}: were all at the most", share(high), Bar(low=0.94)),
        ]
    shared = (
        "The log-odds of two words are drawn as in the tables of contrasts, 1 nat apart between "
        "two classes of attributes where nothing else is said; the likeliest fills among them and "
        "2,000 other pieces are given, rounded. "
    )
    return [
        Table(
            "Bounds of cells in censored grade",
            f"{shared}How often both probabilities lie within their bounds in every cell of a "
            "table: a bound that fails once is none.",
            tuple(cells),
        ),
        Table(
            "95 % intervals in censored grade",
            f"{shared}How often the interval of the contrast of shares, between its two ends, "
            "holds the truth; and how often it would, were the truth at either end, as where every "
            "absent word has nothing, or all that it can have, on the side that matters. Beside: "
            "a plain interval that takes an absent word's p as 0.",
            tuple(rows),
        ),
    ]


def _named(world: Served) -> str:
    differs = [f"contrast {world.contrast:g}"] if world.contrast != 1.0 else []
    differs += ["all that there are"] if world.pieces < world.k else []
    differs += [f"both words {world.mass:g}"] if world.mass != Served.mass else []
    return ", ".join([str(world), *differs])


def _trial(world: Served, seed: int) -> Callable[[np.random.Generator], Sequence[float]]:
    truth, (least, most) = world.truth, ends(world, seed)

    def trial(rng: np.random.Generator) -> Sequence[float]:
        drawn = world.draw(rng)
        low, high = world.interval(drawn.shares)
        zero = np.nan_to_num(
            drawn.low[0] / np.maximum(drawn.low[0] + drawn.low[1], 1e-300), nan=0.5
        )
        naive = crossed_means.contrast_interval(zero[: world.first], zero[world.first :])
        absent = np.mean([(own == 0).mean() for own in drawn.low])
        return (
            drawn.hold,
            low <= truth <= high,
            low <= least,
            most <= high,
            naive.low <= truth <= naive.high,
            absent,
        )

    return trial


def ends(world: Served, seed: int) -> tuple[float, float]:
    """The two ends of the contrast of all attributes and frames there are, by many tables."""
    rng = generator(seed, f"{_named(world)}: ends")
    found = np.zeros(2)
    for _ in range(_TABLES):
        least, most = world.draw(rng).shares
        n = world.first
        found += least[:n].mean() - most[n:].mean(), most[:n].mean() - least[n:].mean()
    low, high = found / _TABLES
    return float(low), float(high)


def _least_given(p: tuple[Cells, Cells], rest: Cells) -> Cells:
    """The least of the k likeliest of both words and the rest, which are in order, [..., k]."""
    larger, smaller = np.maximum(*p), np.minimum(*p)
    # With one word among them it is the last but one of the rest that may be the last, and so on.
    k = rest.shape[-1]
    found: Cells = np.maximum(rest[..., k - 1], np.minimum(rest[..., k - 2], larger))
    return np.maximum(found, np.minimum(rest[..., k - 3], smaller))


@cache
def _others(pieces: int, spread: float, k: int) -> Cells:
    """The k largest shares of the other pieces, in many sentences, [sentences, k]."""
    weights = np.exp(spread * np.random.default_rng(0).standard_normal((_POOL, pieces)))
    shares: Cells = -np.sort(-weights / weights.sum(-1, keepdims=True), axis=-1)[:, :k]
    return shares
