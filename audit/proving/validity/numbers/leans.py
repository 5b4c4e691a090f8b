"""False coverage rate of a set's largest leans, whose selection biases them upwards."""

from collections.abc import Callable, Sequence

import numpy as np

from maskaudit.audit.estimating.crossed.one_subject import LARGEST_SHOWN
from maskaudit.audit.estimating.statistics.crossed import anova
from maskaudit.audit.estimating.statistics.interval import LEVEL, Cells, Interval
from maskaudit.audit.estimating.statistics.multiplicity import selected_level
from maskaudit.audit.proving.validity.numbers.intervals import covers
from maskaudit.audit.proving.validity.simulate import Crossed
from maskaudit.audit.proving.validity.table import Bar, Row, Table, average, repeat

ATTRIBUTES = 60
DESIGNS = tuple(
    Crossed(ATTRIBUTES, frames, (sd, 0.5, 1.0)) for sd in (0.1, 0.3, 0.5) for frames in (10, 20, 40)
)
MOST = Bar(high=0.06)


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    return [largest(repetitions, seed)]


def largest(repetitions: int, seed: int, designs: Sequence[Crossed] = DESIGNS) -> Table:
    """Tabulate misses of the ten largest leans' intervals, adjusted for selection and plain."""
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
    """Return the attributes with the largest shrunken leans, and intervals of their raw leans.

    The default level accounts for selecting that many out of all attributes (`selected_level`).
    """
    shrunken, leans = anova.shrunken(cells), anova.centred(cells)
    # Stable, so that of equal leans the first is taken on every machine.
    largest_ = np.argsort(-np.abs(shrunken), kind="stable")[:LARGEST_SHOWN].tolist()
    level = selected_level(LARGEST_SHOWN, len(cells)) if level is None else level
    return largest_, [anova.frame_interval(leans[i], level=level) for i in largest_]


def _trial(design: Crossed) -> Callable[[np.random.Generator], Sequence[float]]:
    """Return a trial with four results.

    The shares of intervals that miss, adjusted for selection and plain; the total size of the
    shrunken and of the raw leans over that of the true ones.
    """

    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells, leans = design.draw_with_truth(rng)
        selected, adjusted = chosen(cells)
        _, plain = chosen(cells, level=LEVEL)
        # The page shows leans against the set's average, so the truth is centred too.
        truth = (leans - leans.mean())[selected]
        size = np.abs(truth).sum()
        return (
            _missed(adjusted, truth),
            _missed(plain, truth),
            np.abs(anova.shrunken(cells)[selected]).sum() / size,
            np.abs([interval.estimate for interval in adjusted]).sum() / size,
        )

    return trial


def _missed(intervals: Sequence[Interval], truth: Cells) -> float:
    """Return the share of intervals that miss their truth."""
    held = [
        covers(interval, lean) for interval, lean in zip(intervals, truth.tolist(), strict=True)
    ]
    return 1 - sum(held) / len(held)
