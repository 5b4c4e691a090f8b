"""How near correlations with the noise taken out come to those of the true leans."""

from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.statistics import ustatistics
from maskaudit.audit.estimating.statistics.convergence import convergence
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.proving.validity.numbers.intervals import covers
from maskaudit.audit.proving.validity.simulate import Draw, lognormal, normal
from maskaudit.audit.proving.validity.table import Bar, Measured, Row, Table, average, repeat, share

_COVERS, _NEAR = Bar(0.925, 0.975), Bar(-0.05, 0.05)
# Leans that are not normal: in parts apart, or where the largest few of 40 decide.
_COVERS_PARTS, _COVERS_TAILS = Bar(low=0.9), Bar(low=0.87)


def cubes(rng: np.random.Generator, shape: tuple[int, ...]) -> Cells:
    """Draw the cubes of normal values, scaled to SD 1: symmetric, with a kurtosis of 46."""
    # The sixth moment of a standard normal is 15.
    effects: Cells = rng.standard_normal(shape) ** 3 / np.sqrt(15)
    return effects


_KINDS: dict[Draw, str] = {normal: "", lognormal: " lognormal", cubes: " cubed"}


@dataclass(frozen=True)
class Measures:
    """Two measures of `attributes`, whose true leans have a correlation `r`.

    The leans' SD is `lean`, that of the noise of a cell 1. In the same frames (`shared` is not
    None) the noise of the two has this correlation; else the frames are others. Frames are of
    `styles`, each of which adds to each attribute with the SD `apart`, to both measures with the
    correlation `r` too. Leans are drawn by `kind`, and a `part` of the attributes leans further by
    `far` in both measures.
    """

    attributes: int
    frames: int
    r: float
    lean: float
    shared: float | None = None
    styles: int = 1
    apart: float = 0.0
    kind: Draw = normal
    part: float = 0.5
    far: float = 0.0

    def __str__(self) -> str:
        """Return the world's name in a row."""
        frames = "frames of their own" if self.shared is None else "the same frames"
        apart = f", {self.styles} styles apart by SD {self.apart:g}" if self.styles > 1 else ""
        size = f"{self.attributes} × {self.frames}, {frames}{apart}"
        far = f", {self.part:g} of them {self.far:g} further" if self.far else ""
        leans = f"{_KINDS[self.kind]} leans of SD {self.lean:g}{far}"
        return f"{size},{leans}, true {self.truth:.2f}"

    @property
    def bar(self) -> Bar:
        """What the interval has to keep."""
        if self.kind is not normal:
            return _COVERS_TAILS
        return _COVERS_PARTS if self.far else _COVERS

    @property
    def truth(self) -> float:
        """The correlation of the true leans: what all share of their variance, and of the rest."""
        of_parts = self.part * (1 - self.part) * self.far**2
        rest = self.lean**2 + self.apart**2 / self.styles
        return (of_parts + self.r * rest) / (of_parts + rest)

    @property
    def names(self) -> list[str]:
        """The style of each frame; they take turns."""
        return [f"style {place % self.styles}" for place in range(self.frames)]

    def draw(self, rng: np.random.Generator) -> tuple[Cells, Cells]:
        """Draw the cells of both measures, [attributes, frames] each."""
        shape = (self.attributes, self.frames)
        leans = self.kind(rng, (2, self.attributes))
        # The root keeps the variance at 1, so that `lean` is the SD of both measures.
        leans[1] = self.r * leans[0] + np.sqrt(1 - self.r**2) * leans[1]
        leans *= self.lean
        leans[:, : round(self.part * self.attributes)] += self.far
        first, second = rng.standard_normal((2, *shape))
        if self.shared is not None:
            second = self.shared * first + np.sqrt(1 - self.shared**2) * second
        of_frames = rng.standard_normal((2, self.frames))
        both = leans[:, :, None] + np.stack([first, second]) + of_frames[:, None, :]
        if self.styles > 1:
            added = rng.standard_normal((2, self.attributes, self.styles))
            added[1] = self.r * added[0] + np.sqrt(1 - self.r**2) * added[1]
            both += self.apart * added[:, :, np.arange(self.frames) % self.styles]
        return both[0], both[1]


WORLDS = (
    Measures(40, 14, 0.9, 1.0),
    Measures(40, 14, 0.5, 1.0),
    Measures(40, 14, 0.0, 1.0),
    Measures(40, 14, 0.9, 0.5),
    Measures(20, 14, 0.9, 1.0),
    Measures(40, 14, 0.9, 1.0, shared=0.8),
    Measures(40, 14, 0.0, 0.5, shared=0.8),
    Measures(40, 20, 0.9, 1.0, styles=5, apart=0.7),
    Measures(40, 20, 0.9, 1.0, shared=0.8, styles=5, apart=0.7),
    Measures(40, 14, 0.9, 1.0, kind=lognormal),
    Measures(40, 14, 0.5, 1.0, kind=lognormal),
    Measures(40, 14, 0.9, 1.0, shared=0.8, kind=lognormal),
    Measures(40, 20, 0.9, 1.0, shared=0.8, styles=5, apart=0.7, kind=lognormal),
    Measures(40, 14, 0.9, 1.0, kind=cubes),
    Measures(40, 14, 0.5, 1.0, kind=cubes),
    Measures(40, 14, 0.9, 0.1, far=2.0),
    Measures(40, 14, 0.0, 0.4, far=1.6),
    Measures(40, 14, 0.9, 0.4, far=1.6),
    Measures(40, 14, 0.9, 0.4, shared=0.8, far=1.6),
    Measures(40, 20, 0.9, 0.4, styles=5, apart=0.7, far=1.6),
    Measures(40, 14, 0.9, 0.1, part=0.2, far=3.0),
    Measures(40, 14, 0.0, 0.5, part=0.2, far=2.0),
    Measures(40, 14, 0.9, 0.1, shared=0.8, part=0.2, far=3.0),
)


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    cover, near = [], []
    for world in WORLDS:

        def trial(rng: np.random.Generator, world: Measures = world) -> tuple[float, ...]:
            first, second, drawn = _shown(rng, world)
            styles = (world.names, world.names)
            found = convergence(first, second, styles, same_frames=world.shared is not None)
            plain = float(np.corrcoef(first.mean(1), second.mean(1))[0, 1])
            return covers(found, world.truth), found.estimate, plain, drawn

        hits, estimates, plain, drawn = repeat(trial, repetitions, seed, f"convergence, {world}")
        of_all = {"shown": Measured(1 / float(drawn.mean()))}
        cover.append(Row(str(world), share(hits), world.bar, of_all))
        beside = {"noise left in": average(plain - world.truth)}
        near.append(Row(str(world), average(estimates - world.truth), _NEAR, beside))
    explained = (
        "Attributes by frames, noise of SD 1 in every cell; in the same frames the noise of the "
        "two has a correlation of .8. Lognormal leans have a skewness of 6.2; cubed ones are the "
        "cubes of normal values. Where a part leans further, it does so in both measures, and the "
        "SD is that of the rest. Counted are the tables that the page shows: both associations "
        "are credibly above 0."
    )
    return [
        Table(
            "95 % intervals of how alike attributes lean by two measures",
            f"`convergence_sets` and `convergence_estimators`. {explained} Beside: the share of "
            "all tables that these are.",
            tuple(cover),
        ),
        Table(
            "How far off they are",
            f"The average distance from the truth. {explained} Beside: that of the "
            "correlation of the averages as they are.",
            tuple(near),
            is_share=False,
        ),
    ]


def _shown(rng: np.random.Generator, world: Measures) -> tuple[Cells, Cells, int]:
    """Draw until the page would show the number; the cells, and how many tables that took."""
    drawn = 0
    while True:
        first, second = world.draw(rng)
        drawn += 1
        if ustatistics.has_signal(first) and ustatistics.has_signal(second):
            return first, second, drawn
