"""Simulated worlds with a known truth: cells of attributes by frames, of one model or two."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from maskaudit.audit.estimating.statistics.interval import Cells

Draw = Callable[[np.random.Generator, tuple[int, ...]], Cells]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Cells:
    """Draw normal effects of mean 0 and SD 1."""
    return rng.standard_normal(shape)


def lognormal(rng: np.random.Generator, shape: tuple[int, ...]) -> Cells:
    """Draw shifted lognormal effects of mean 0, SD 1 and skewness 6.2: a few are very large."""
    # The exponential of a standard normal has mean e^(1/2) and variance (e - 1) e.
    effects: Cells = (np.exp(rng.standard_normal(shape)) - np.e**0.5) / np.sqrt((np.e - 1) * np.e)
    return effects


@dataclass(frozen=True)
class Crossed:
    """A crossed design: numbers of attributes and frames, and the SDs of the effects in nats.

    `sd` is that of attributes, frames and residual. y = attribute + frame + residual, drawn anew
    for every table: the true mean is 0. `effects` draws attributes and frames, `noise` the
    residual.
    """

    attributes: int
    frames: int
    sd: tuple[float, float, float]
    effects: Draw = normal
    noise: Draw = normal

    def __str__(self) -> str:
        """Return the design's name in a row."""
        return f"{self.attributes} × {self.frames}"

    def draw(self, rng: np.random.Generator) -> Cells:
        """Draw one table, [attributes, frames]."""
        return self.draw_with_truth(rng)[0]

    def draw_with_truth(self, rng: np.random.Generator) -> tuple[Cells, Cells]:
        """Draw one table, [attributes, frames], and return its attribute effects, [attributes]."""
        attribute, frame, residual = self.sd
        leans = attribute * self.effects(rng, (self.attributes,))
        cells = leans[:, None] + residual * self.noise(rng, (self.attributes, self.frames))
        cells += frame * self.effects(rng, (self.frames,))
        return cells, leans

    def classes(
        self, rng: np.random.Generator, first: int, *, alike: bool = False
    ) -> tuple[Cells, Cells]:
        """Draw a table in two classes without a true contrast, `first` attributes in the first.

        A frame has a separate effect on each class, or with `alike` the same effect on both, which
        cancels in a contrast.
        """
        attribute, frame, residual = self.sd
        frame_effects = [
            frame * self.effects(rng, (self.frames,)) for _ in range(1 if alike else 2)
        ]
        cells = attribute * self.effects(rng, (self.attributes, 1))
        cells = cells + residual * self.noise(rng, (self.attributes, self.frames))
        # With `alike` there is one row of effects, which is both the first and the last.
        return cells[:first] + frame_effects[0], cells[first:] + frame_effects[-1]


def without(cells: Cells, missing: int, rng: np.random.Generator) -> Cells:
    """Return a copy of the table with `missing` cells set to NaN at random."""
    gappy = cells.copy()
    gappy.flat[rng.choice(cells.size, missing, replace=False)] = np.nan
    return gappy


class Named(NamedTuple):
    """Cells whose groups are names, and for each group the numbers by name, [names]."""

    cells: Cells
    by_name: tuple[Cells, Cells]


@dataclass(frozen=True)
class Names:
    """A crossed table in which each of two groups consists of `names` names, drawn anew as well.

    The residual belongs to one name in one cell. A name's effect has SD `name_sd` and is the same
    in all cells; in a table of two classes, half of it with opposite signs in the two.
    """

    table: Crossed
    names: int
    name_sd: float

    def mean(self, rng: np.random.Generator) -> Named:
        """Draw one table, and return each name's mean over all of its cells."""
        attributes, frames = self._shared(rng)
        groups = [self._group(rng, np.ones(self.table.attributes)) for _ in range(2)]
        cells = attributes[:, None] + frames + groups[0].mean(2) - groups[1].mean(2)
        return Named(cells, (groups[0].mean((0, 1)), groups[1].mean((0, 1))))

    def contrast(self, rng: np.random.Generator) -> tuple[Named, int]:
        """Draw one table with each name's contrast; return it with the size of the first class.

        The first half of the attributes is the first class.
        """
        half = self.table.attributes // 2
        side = np.where(np.arange(self.table.attributes) < half, 0.5, -0.5)
        attributes, frames = self._shared(rng)
        groups = [self._group(rng, side) for _ in range(2)]
        cells = (
            # Frames move the classes against each other: what moves both alike a contrast does not
            # see.
            attributes[:, None] + 2 * np.outer(side, frames) + groups[0].mean(2) - groups[1].mean(2)
        )
        by_name = [group[:half].mean((0, 1)) - group[half:].mean((0, 1)) for group in groups]
        return Named(cells, (by_name[0], by_name[1])), half

    def _shared(self, rng: np.random.Generator) -> tuple[Cells, Cells]:
        attribute, frame, _ = self.table.sd
        return (
            attribute * self.table.effects(rng, (self.table.attributes,)),
            frame * self.table.effects(rng, (self.table.frames,)),
        )

    def _group(self, rng: np.random.Generator, side: Cells) -> Cells:
        """Draw the contributions of one group's names, [attributes, frames, names]."""
        shape = (self.table.attributes, self.table.frames, self.names)
        name_effects = self.name_sd * rng.standard_normal(self.names)
        contributions: Cells = self.table.sd[2] * rng.standard_normal(shape)
        contributions += side[:, None, None] * name_effects
        return contributions


@dataclass(frozen=True)
class Pair:
    """A teacher and a student whose leans are `kappa` times as large, with correlated noise.

    `attribute_sd` is the SD of the teacher's true leans. The noise of a cell has SD `teacher_sd`
    and `student_sd`, with correlation `shared`. `steeper_sd` is the SD of kappa over frames.
    """

    kappa: float
    attributes: int = 60
    frames: int = 20
    attribute_sd: float = 0.6
    teacher_sd: float = 1.0
    student_sd: float = 1.4
    shared: float = 0.5
    steeper_sd: float = 0.0

    def draw(self, rng: np.random.Generator) -> tuple[Cells, Cells]:
        """Draw the cells of the teacher and of the student, [attributes, frames] each."""
        shape = (self.attributes, self.frames)
        leans = self.attribute_sd * rng.standard_normal((self.attributes, 1))
        teacher_noise = rng.standard_normal(shape)
        # Of SD 1 as the teacher's is, with the correlation `shared` between the two.
        student_noise = self.shared * teacher_noise
        student_noise += np.sqrt(1 - self.shared**2) * rng.standard_normal(shape)
        steepness = self.kappa + self.steeper_sd * rng.standard_normal(self.frames)
        # Common to both models, because they read the same frames.
        frame_effects = 0.5 * rng.standard_normal(self.frames)
        return (
            leans + frame_effects + self.teacher_sd * teacher_noise,
            leans * steepness + frame_effects + self.student_sd * student_noise,
        )
