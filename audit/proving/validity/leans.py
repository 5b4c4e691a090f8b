"""False coverage of the largest leans of a set, which were chosen because they are large."""

from collections.abc import Callable, Sequence

import numpy as np

from maskaudit.audit.estimating.crossed import LARGEST_SHOWN
from maskaudit.audit.estimating.statistics import anova
from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells, Interval
from maskaudit.audit.estimating.statistics.multiplicity import selected_level
from maskaudit.audit.proving.validity.intervals import covers
from maskaudit.audit.proving.validity.simulate import Crossed
from maskaudit.audit.proving.validity.table import Bar, Row, Table, average, repeat

ATTRIBUTES = 60
DESIGNS = tuple(
    Crossed(ATTRIBUTES, frames, (sd, 0.5, 1.0)) for sd in (0.1, 0.3, 0.5) for frames in (10, 20, 40)
)
MOST = Bar(high=0.06)


def tables(repetitions: int, seed: int) -> list[Table]:
    """Every table of this topic."""
    return [largest(repetitions, seed)]


def largest(repetitions: int, seed: int, designs: Sequence[Crossed] = DESIGNS) -> Table:
    """The intervals of the ten largest leans, against those that were not told of the choice."""
    rows = []
    for design in designs:
        name = f"{design}, attribute SD {design.sd[0]:g}"
        missed, missed_plain, shown, raw = map(
            average, repeat(_trial(design), repetitions, seed, f"leans, {name}")
        )
        beside = {"plain 95 % intervals": missed_plain, "size, shown": shown, "size, raw": raw}
        rows.append(Row(name, missed, MOST, beside))
    return Table(
        f"The {LARGEST_SHOWN} largest leans of {ATTRIBUTES}",
        "Mean share of the ten intervals that miss the attribute's true lean. The ten are those "
        "with the largest shrunken leans, as the page has them; the interval is that of the raw "
        f"lean at level 1 − .05 × {LARGEST_SHOWN}/{ATTRIBUTES} (Benjamini & Yekutieli 2005). "
        "Frames have SD .5, the residual 1. Beside: 95 % intervals of the same leans; the size of "
        "the number that is shown, and of the raw one, in per cent of the true size.",
        tuple(rows),
    )


def chosen(cells: Cells, *, level: float | None = None) -> tuple[list[int], list[Interval]]:
    """The attributes with the largest shrunken leans, and intervals of their raw ones.

    Their level is that of so many out of all, unless another is given.
    """
    points, beyond = anova.shrunken(cells), anova.centred(cells)
    largest_ = np.argsort(-np.abs(points), kind="stable")[:LARGEST_SHOWN].tolist()
    level = selected_level(LARGEST_SHOWN, len(cells)) if level is None else level
    return largest_, [anova.frame_interval(beyond[i], level=level) for i in largest_]


def _trial(design: Crossed) -> Callable[[np.random.Generator], Sequence[float]]:
    """Shares of missed leans, told and not told of the choice; sizes, shown and raw, by true."""

    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells, leans = design.draw_with_truth(rng)
        own, told = chosen(cells)
        _, plain = chosen(cells, level=LEVEL)
        truth = (leans - leans.mean())[own]
        size = np.abs(truth).sum()
        return (
            _missed(told, truth),
            _missed(plain, truth),
            np.abs(anova.shrunken(cells)[own]).sum() / size,
            np.abs([found.estimate for found in told]).sum() / size,
        )

    return trial


def _missed(intervals: Sequence[Interval], truth: Cells) -> float:
    """The share of intervals that do not hold their truth."""
    held = [covers(found, own) for found, own in zip(intervals, truth.tolist(), strict=True)]
    return 1 - sum(held) / len(held)
