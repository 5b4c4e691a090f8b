"""How near rank correlations with the noise taken out come to those of the true leans."""

from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.statistics.convergence import convergence, halves
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.proving.validity.numbers.intervals import covers
from maskaudit.audit.proving.validity.table import Bar, Row, Table, average, repeat, share

_COVERS, _NEAR = Bar(0.925, 0.975), Bar(-0.05, 0.05)


@dataclass(frozen=True)
class Measures:
    """Two measures of `attributes`, whose true leans have a correlation `r`.

    The leans' SD is `lean`, that of the noise of a cell 1. In the same frames (`shared` is not
    None) the noise of the two has this correlation; else the frames are others. Frames are of
    `styles`, each of which adds to each attribute with the SD `apart`, to both measures with the
    correlation `r` too.
    """

    attributes: int
    frames: int
    r: float
    lean: float
    shared: float | None = None
    styles: int = 1
    apart: float = 0.0

    def __str__(self) -> str:
        """Return the world's name in a row."""
        frames = "frames of their own" if self.shared is None else "the same frames"
        true = f"true {self.truth:.2f}"
        apart = f", {self.styles} styles apart by SD {self.apart:g}" if self.styles > 1 else ""
        size = f"{self.attributes} × {self.frames}, {frames}{apart}"
        return f"{size}, leans of SD {self.lean:g}, {true}"

    @property
    def truth(self) -> float:
        """Spearman's rho of normal values with the correlation `r` (Pearson 1907)."""
        return float(6 / np.pi * np.arcsin(self.r / 2))

    @property
    def names(self) -> list[str]:
        """The style of each frame; they take turns."""
        return [f"style {place % self.styles}" for place in range(self.frames)]

    def draw(self, rng: np.random.Generator) -> tuple[Cells, Cells]:
        """Draw the cells of both measures, [attributes, frames] each."""
        shape = (self.attributes, self.frames)
        leans = rng.standard_normal((2, self.attributes))
        leans[1] = self.r * leans[0] + np.sqrt(1 - self.r**2) * leans[1]
        first, second = rng.standard_normal((2, *shape))
        if self.shared is not None:
            second = self.shared * first + np.sqrt(1 - self.shared**2) * second
        of_frames = rng.standard_normal((2, self.frames))
        both = self.lean * leans[:, :, None] + np.stack([first, second]) + of_frames[:, None, :]
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
)


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    cover, near = [], []
    for world in WORLDS:

        def trial(rng: np.random.Generator, world: Measures = world) -> tuple[float, ...]:
            first, second = world.draw(rng)
            names = world.names
            ways = None if world.shared is None else halves(names, world.frames)
            found = convergence(first, second, ways, (names, names))
            plain = float(np.corrcoef(first.mean(1), second.mean(1))[0, 1])
            return covers(found, world.truth), found.estimate, plain

        hits, estimates, plain = repeat(trial, repetitions, seed, f"convergence, {world}")
        cover.append(Row(str(world), share(hits), _COVERS))
        beside = {"noise left in": average(plain - world.r)}
        near.append(Row(str(world), average(estimates - world.truth), _NEAR, beside))
    explained = (
        "Attributes by frames, noise of SD 1 in every cell; in the same frames the noise of the "
        "two has a correlation of .8."
    )
    return [
        Table(
            "95 % intervals of how alike two measures rank attributes",
            f"`convergence_sets` and `convergence_estimators`. {explained}",
            tuple(cover),
        ),
        Table(
            "How far off they are",
            f"The average distance from the truth. {explained} Beside: the correlation of the "
            "averages as they are.",
            tuple(near),
            is_share=False,
        ),
    ]
