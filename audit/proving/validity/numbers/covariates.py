"""Coverage and bias of contrasts with covariates held equal, beside those of the plain contrast."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskaudit.audit.estimating.crossed.adjusted import matched
from maskaudit.audit.estimating.statistics.crossed import covariance
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.interval import Cells, Interval
from maskaudit.audit.proving.validity.simulate import without
from maskaudit.audit.proving.validity.table import Bar, Row, Table, average, repeat, share

COVERAGE, BIAS = Bar(0.93, 0.97), Bar(-0.015, 0.015)
PLAIN = "the plain contrast"
Trial = Callable[[np.random.Generator], Sequence[float]]
_Pair = tuple[Cells, Cells]


@dataclass(frozen=True)
class World:
    """Two classes without a true contrast, whose attributes differ in pieces and in words.

    The first class has 1 + Poisson(1.2) pieces and two words three times in ten, the second 1 +
    Poisson(.6) and one in ten. A piece moves the lean by `slope` nats, or any further piece by so
    much in all with `is_step`. `sd` is that of attributes, frames and residual, in nats;
    `class_sd` multiplies that of the first class's attributes. `families` of so many attributes
    share `icc` of the attributes' variance; `styles` of equally many frames differ by .3 (SD) in
    the contrast, and an average over them is what is estimated. `by_frame` is the SD of the slope
    over frames; `missing` the share of cells that are gone.
    """

    name: str
    sizes: tuple[int, int] = (22, 22)
    frames: int = 20
    slope: float = 0.3
    sd: tuple[float, float, float] = (0.5, 0.3, 0.7)
    is_step: bool = False
    class_sd: float = 1.0
    families: int = 0
    icc: float = 0.0
    styles: int = 0
    by_frame: float = 0.0
    missing: float = 0.0

    def draw(self, rng: np.random.Generator) -> tuple[_Pair, _Pair, float]:
        """Cells of the two classes, [I, J], their pieces and words, [I, 2], and the contrast."""
        cells, covariates = [], []
        slopes = self.slope + self.by_frame * rng.standard_normal(self.frames)
        for number, size in enumerate(self.sizes):
            pieces = 1 + rng.poisson((1.2, 0.6)[number], size)
            words = 1 + (rng.random(size) < (0.3, 0.1)[number])
            told = np.minimum(pieces, 2) if self.is_step else pieces
            lean = self._leans(rng, size) * (self.class_sd if number == 0 else 1.0)
            own = np.outer(told, slopes) + lean[:, None]
            own += self.sd[1] * rng.standard_normal(self.frames)
            cells.append(own + self.sd[2] * rng.standard_normal((size, self.frames)))
            covariates.append(np.stack([pieces, words], axis=1).astype(float))
        truth = 0.0
        if self.styles:
            # The styles are taken as they are: their average is the truth, and not the 0 of all
            # styles.
            shifts = 0.3 * rng.standard_normal(self.styles)
            cells[0] += np.repeat(shifts, self.frames // self.styles)
            truth = float(shifts.mean())
        if self.missing:
            gone = round(self.missing * cells[0].size)
            cells = [without(own, gone, rng) for own in cells]
        return (cells[0], cells[1]), (covariates[0], covariates[1]), truth

    def _leans(self, rng: np.random.Generator, size: int) -> Cells:
        own: Cells = self.sd[0] * np.sqrt(1 - self.icc) * rng.standard_normal(size)
        if not self.families:
            return own
        effects = self.sd[0] * np.sqrt(self.icc) * rng.standard_normal(size)
        shared: Cells = own + effects[np.arange(size) // self.families]
        return shared

    @property
    def options(self) -> dict[str, Any]:
        """What an interval is told of the design."""
        found: dict[str, Any] = {}
        if self.styles:
            size = self.frames // self.styles
            found["styles"] = [f"s{n}" for n in range(self.styles) for _ in range(size)]
        if self.families:
            numbers = ([i // self.families for i in range(n)] for n in self.sizes)
            found["families"] = tuple([f"f{number}" for number in own] for own in numbers)
        return found


ADJUSTED = (
    World("22 + 22 × 20"),
    World("22 + 22 × 20, pieces move nothing", slope=0.0),
    World("30 + 14 × 20", sizes=(30, 14)),
    World("10 + 10 × 10", sizes=(10, 10), frames=10),
    World("5 styles of 8 frames, 22 + 22", frames=40, styles=5),
    World("families of 4, ICC .47, 24 + 24 × 20", sizes=(24, 24), families=4, icc=0.47),
    World("14 + 30 × 20, the small class twice as spread", sizes=(14, 30), class_sd=2.0),
    World("the slope differs from frame to frame (SD .2)", by_frame=0.2),
    World("3 % of the cells missing", missing=0.03),
)
MATCHED = (
    World("22 + 22 × 20", slope=0.5, is_step=True),
    World("30 + 14 × 20", slope=0.5, is_step=True, sizes=(30, 14)),
    World("5 styles of 8 frames, 22 + 22", slope=0.5, is_step=True, frames=40, styles=5),
)


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    covered, biases = [], []
    trials = [("adjusted", world, _adjusted) for world in ADJUSTED]
    trials += [("matched", world, _matched) for world in MATCHED]
    for kind, world, interval in trials:
        name = f"{kind}, {world.name}"
        held, plain_held, error, plain_error = repeat(
            _trial(world, interval), repetitions, seed, name
        )
        covered.append(Row(name, share(held), COVERAGE, {PLAIN: share(plain_held)}))
        biases.append(Row(name, average(error), BIAS, {PLAIN: average(plain_error)}))
    return [
        Table(
            "95 % intervals with pieces and words held equal",
            "How often `adjusted_interval` of `covariance` holds the true contrast where the "
            "attributes of the first class have more pieces (1.2 beyond the first, against .6) and "
            "more often two words (.3, .1). In the rows of the adjusted contrast a piece moves the "
            "lean by .3 nats; in those on matched attributes (`adjusted.matched`) all pieces but "
            "the first move it by .5 together, which no straight line tells. Attributes, frames "
            "and residual have the standard deviations .5, .3 and .7. Beside: the interval of the "
            "contrast that knows nothing of pieces.",
            tuple(covered),
        ),
        Table(
            "How far off contrasts are where pieces move the lean",
            "The estimate less the truth, in nats, in the same worlds.",
            tuple(biases),
            is_share=False,
        ),
    ]


def _trial(world: World, interval: Callable[[World, _Pair, _Pair], Interval]) -> Trial:
    """Return a trial: whether each interval holds the truth, and how far each estimate is off."""

    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells, covariates, truth = world.draw(rng)
        found = interval(world, cells, covariates)
        plain = crossed_means.contrast_interval(*cells, **world.options)
        results = (found, plain)
        return (
            *(own.low <= truth <= own.high for own in results),
            *(own.estimate - truth for own in results),
        )

    return trial


def _adjusted(world: World, cells: _Pair, covariates: _Pair) -> Interval:
    return covariance.adjusted_interval(*cells, covariance.fit(*covariates), **world.options)


def _matched(world: World, cells: _Pair, covariates: _Pair) -> Interval:
    # As the audit does it: a slope over pieces would suppose the straight line that is not there.
    strata = matched(*covariates)
    n = max(own.max() for own in strata) + 1
    first, second = (np.eye(n)[own[own >= 0]] for own in strata)
    kept = (cells[0][strata[0] >= 0], cells[1][strata[1] >= 0])
    return covariance.adjusted_interval(*kept, covariance.fit(first, second), **world.options)
