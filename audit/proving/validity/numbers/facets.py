"""Intervals over styles of sentence and families of attributes, and frames that behave as one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.crossed.alike import alike
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.proving.validity.numbers.intervals import covers
from maskaudit.audit.proving.validity.table import Bar, Row, Table, repeat, share

Trial = Callable[[np.random.Generator], Sequence[float]]
TWO_SIDED, DECLARED, FALSE_ALARM = Bar(0.93, 0.97), Bar(low=0.93), Bar(high=0.06)
ALPHA = 0.05
# The standard deviation of the contrast over styles, in standard errors of the contrast for these
# styles.
SPREADS = (0.0, 0.5, 1.0, 2.0)
# As measured in the difference of a natural pair, among occupations mostly of women (four
# families).
CORRELATION = 0.47
PATTERN = 0.7
COPY = 0.8
STRETCH = 0.5


@dataclass(frozen=True)
class Styles:
    """Two classes of `attributes` in `styles` of `frames` each, without a contrast on average.

    `sd` is that of attributes, of frames by class and of the residual, in nats.
    """

    attributes: int
    styles: int
    frames: int
    sd: tuple[float, float, float] = (0.5, 0.3, 1.0)

    def __str__(self) -> str:
        """Return the design's name in a row."""
        return f"{self.attributes} + {self.attributes} × {self.styles} styles of {self.frames}"

    @property
    def names(self) -> list[str]:
        """The style of each frame."""
        return [f"style {style}" for style in range(self.styles) for _ in range(self.frames)]

    @property
    def std_error(self) -> float:
        """The true standard error of the contrast for these styles."""
        attribute, frame, residual = self.sd
        n_frames = self.styles * self.frames
        # A frame moves each class by an effect of its own, so the frames' part counts twice as
        # well.
        by_class = attribute**2 / self.attributes + frame**2 / n_frames
        return float(np.sqrt(2 * (by_class + residual**2 / self.attributes / n_frames)))

    def draw(self, rng: np.random.Generator, spread: float) -> tuple[Cells, Cells, float]:
        """Draw both classes, and return the true contrast in the styles drawn.

        `spread` is the SD of the contrast over styles; over all styles there could be, it is 0.
        """
        attribute, frame, residual = self.sd
        n_frames = self.styles * self.frames
        effects = spread * rng.standard_normal(self.styles)
        first, second = (
            attribute * rng.standard_normal((self.attributes, 1))
            + frame * rng.standard_normal(n_frames)
            + residual * rng.standard_normal((self.attributes, n_frames))
            for _ in range(2)
        )
        # In one class alone: a style that moved both alike would cancel in the contrast.
        return first + np.repeat(effects, self.frames), second, float(effects.mean())


@dataclass(frozen=True)
class Families:
    """Two classes of `attributes` in `families` each, of which attributes behave alike.

    `correlation` is that of two attributes of one family; `frames` are of one style.
    """

    attributes: int = 22
    families: tuple[int, int] = (4, 5)
    correlation: float = CORRELATION
    frames: int = 12

    @property
    def names(self) -> tuple[list[str], list[str]]:
        """The family of each attribute of both classes."""
        first, second = (
            [f"family {place % n}" for place in range(self.attributes)] for n in self.families
        )
        return first, second

    def draw(self, rng: np.random.Generator) -> tuple[Cells, Cells]:
        """Draw both classes; the true contrast is 0."""
        first, second = (self._class(rng, n) for n in self.families)
        return first, second

    def _class(self, rng: np.random.Generator, families: int) -> Cells:
        # The two parts have a variance of 1 together, so that `correlation` is the intraclass one.
        shared = np.sqrt(self.correlation) * rng.standard_normal(families)
        own = np.sqrt(1 - self.correlation) * rng.standard_normal(self.attributes)
        leans = shared[np.arange(self.attributes) % families] + own
        cells: Cells = leans[:, None] + 0.3 * rng.standard_normal(self.frames)
        return cells + 0.5 * rng.standard_normal((self.attributes, self.frames))


@dataclass(frozen=True)
class Rows:
    """Frames by attributes without likeness, or with `pattern` or `copy`.

    Attributes differ in how noisy they are: their SDs are the exponentials of normal ones of SD
    `uneven`. `pattern` is the SD of what a third of the frames share, `copy` the correlation of
    two frames, `stretch` the SD of how far a frame lets attributes lean (1 on average).
    """

    frames: int
    attributes: int
    styles: int = 1
    uneven: float = 0.0
    pattern: float = 0.0
    copy: float = 0.0
    stretch: float = 0.0
    lean: float = 0.5

    @property
    def places(self) -> list[np.ndarray]:
        """The places of the frames of each style."""
        return np.array_split(np.arange(self.frames), self.styles)

    def draw(self, rng: np.random.Generator) -> Cells:
        """Draw one table, [frames, attributes]."""
        shape = (self.frames, self.attributes)
        residuals = rng.standard_normal(shape)
        if self.copy:
            # The copy is as noisy as any frame: its likeness alone has to give it away.
            residuals[-1] = self.copy * residuals[0] + np.sqrt(1 - self.copy**2) * residuals[-1]
        residuals[: self.frames // 3] += self.pattern * rng.standard_normal(self.attributes)
        residuals *= np.exp(self.uneven * rng.standard_normal(self.attributes))
        attributes = self.lean * rng.standard_normal((self.styles, self.attributes))
        cells: Cells = residuals + 0.5 * rng.standard_normal((self.frames, 1))
        for place, own in enumerate(self.places):
            far = 1 + self.stretch * rng.standard_normal((len(own), 1))
            cells[own] += far * attributes[place]
        return cells


DESIGNS = (Styles(20, 5, 10), Styles(20, 8, 8))


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    return [styles(repetitions, seed), families(repetitions, seed), likeness(repetitions, seed)]


def styles(repetitions: int, seed: int) -> Table:
    """Tabulate the coverage of both intervals of a contrast over styles."""
    rows = []
    for design in DESIGNS:
        for spread in SPREADS:
            name = f"{design}, style SD {spread:g} SE"
            trial = _styles(design, spread * design.std_error)
            these, others, plain = map(share, repeat(trial, repetitions, seed, name))
            rows.append(Row(f"{name}: these styles", these, TWO_SIDED))
            beside = {"these styles, held against all": plain}
            rows.append(Row(f"{name}: other styles", others, TWO_SIDED, beside))
    return Table(
        "95 % intervals over styles of sentence",
        "*These styles*: how often `contrast_interval` with `styles` holds the average contrast in "
        "the very styles that were drawn. *Other styles*: how often `other_styles` holds the "
        "average over all styles there could be. The contrast of a style differs from that "
        "average by a normal effect, independent of other styles', whose standard deviation is "
        "given in standard errors of the contrast for these styles, 2 at most; within a class "
        "all attributes have it alike. Attributes, frames (of each class) and residual have the "
        "standard deviations .5, .3 and 1. Beside: how often the interval for these styles holds "
        "the average over all, which is what it would be read for without its qualification.",
        tuple(rows),
    )


def families(repetitions: int, seed: int) -> Table:
    """Tabulate the coverage of a contrast of attributes that come in families."""
    design = Families()
    first, second = design.families
    name = f"{first} + {second} families of {design.attributes} + {design.attributes}, "
    name += f"ICC {design.correlation:g}"
    declared, undeclared = map(share, repeat(_families(design), repetitions, seed, name))
    return Table(
        "95 % intervals where attributes come in families",
        "Attributes of one family lean alike; the intraclass correlation is theirs. *Declared* is "
        "`contrast_interval` with `families`, for other families as well; *undeclared* takes every "
        "attribute for one of its own, as the interval of a set does whose author did not say.",
        (
            Row(f"{name}, declared", declared, DECLARED),
            Row(f"{name}, undeclared", undeclared),
        ),
    )


def likeness(repetitions: int, seed: int) -> Table:
    """Tabulate how often frames are said to behave as one."""
    far = f"scaling leans by 1 with SD {STRETCH:g}"
    nothing: dict[str, Rows] = {
        "16 frames × 24 attributes": Rows(16, 24),
        "16 frames × 24 attributes, unevenly noisy": Rows(16, 24, uneven=0.3),
        "20 frames of 5 styles × 24 attributes, unevenly noisy": Rows(20, 24, 5, uneven=0.3),
        f"16 frames × 24 attributes, {far}": Rows(16, 24, stretch=STRETCH, lean=1.0),
        f"20 frames of 5 styles × 24 attributes, {far}": Rows(20, 24, 5, stretch=STRETCH, lean=1.0),
    }
    something: dict[str, Rows] = {
        f"16 frames × 24 attributes, two of correlation {COPY:g}": Rows(16, 24, copy=COPY),
        f"16 frames × 24 attributes, {far}, two of correlation {COPY:g}": Rows(
            16, 24, copy=COPY, stretch=STRETCH, lean=1.0
        ),
        f"24 frames × 40 attributes, a third with a pattern of SD {PATTERN:g}": Rows(
            24, 40, pattern=PATTERN
        ),
    }
    rows = []
    for name, world in {**nothing, **something}.items():
        found = map(share, repeat(_alike(world), repetitions, seed, name))
        bar = FALSE_ALARM if name in nothing else None
        rows += [
            Row(f"{name}: {what}", measured, bar)
            for what, measured in zip(("one pattern", "any pair"), found, strict=True)
        ]
    return Table(
        "Frames that behave as one",
        "How often `alike` finds one pattern in what attributes and frames do not explain (p at "
        "most .05), and how often it names a pair of frames. Where frames are independent both are "
        "false alarms. Attributes that are unevenly noisy have residuals whose standard deviations "
        "are the exponentials of normal ones of SD .3; attributes differ from style to style. "
        "Leans have the standard deviation 1 where frames scale them, and otherwise .5.",
        tuple(rows),
    )


def _styles(design: Styles, spread: float) -> Trial:
    names = design.names

    def trial(rng: np.random.Generator) -> Sequence[float]:
        first, second, truth = design.draw(rng, spread)
        these = crossed_means.contrast_interval(first, second, styles=names)
        others = crossed_means.other_styles(first, second, styles=names)
        # The average over the styles drawn first; over all there could be the true contrast is 0.
        return covers(these, truth), covers(others), covers(these)

    return trial


def _families(design: Families) -> Trial:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        first, second = design.draw(rng)
        declared = crossed_means.contrast_interval(first, second, families=design.names)
        return covers(declared), covers(crossed_means.contrast_interval(first, second))

    return trial


def _alike(world: Rows) -> Trial:
    columns = [np.arange(world.attributes)]

    def trial(rng: np.random.Generator) -> Sequence[float]:
        found = alike(world.draw(rng), world.places, columns, rng, "rows")
        if found is None:
            message = "frames that do not vary were drawn"
            raise ValueError(message)
        return found.p <= ALPHA, bool(found.pairs)

    return trial
