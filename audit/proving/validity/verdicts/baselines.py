"""Verdicts against a baseline that was picked as the best of several by its own score."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.crossed.means import contrast_interval
from maskaudit.audit.estimating.statistics.interval import Interval
from maskaudit.audit.judging.decision import FAIL, PASS
from maskaudit.audit.proving.validity.simulate import Crossed
from maskaudit.audit.proving.validity.table import Bar, Row, Table, generator, share
from maskaudit.audit.proving.validity.verdicts.gates import DESIGNS, verdicts

CANDIDATES = (1, 3, 5, 10)
# The SD of the candidates' true contrasts, in standard errors of a change.
SPREADS = (0.0, 1.0)
# Margin over the true standard error of a change.
RATIO = 3.0
_ERROR = Bar(high=0.06)


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    rows = [
        row
        for design in DESIGNS
        for spread in SPREADS
        for candidates in CANDIDATES
        # One candidate cannot be picked for its true contrast.
        if candidates > 1 or not spread
        for row in _rows(design, spread, candidates, repetitions, seed)
    ]
    return [
        Table(
            "A baseline that is the best of several",
            "The baseline is the candidate with the lowest contrast of K that were measured on the "
            "same cells (60 × 20 and 24 × 10), and was accepted with `--best-of K`. What follows "
            "leans exactly as the picked one truly does, or further by the margin of 3 standard "
            "errors of a change. The candidates truly lean alike, or their true "
            "contrasts have an SD of one standard error. Beside: the verdict where the number of "
            "candidates is not told.",
            tuple(rows),
        )
    ]


def _rows(
    design: Crossed, spread: float, candidates: int, repetitions: int, seed: int
) -> Sequence[Row]:
    """Return the verdicts on successors of the best of so many candidates."""
    error = _std_error(design)
    world = f"{design}, best of {candidates}" + (f", true SD {spread:g} SE" if spread else "")
    rng = generator(seed, f"baselines, {world}")
    intervals = [_change(design, spread * error, candidates, rng) for _ in range(repetitions)]
    margin = RATIO * error

    def given(change: float, best_of: int = candidates) -> NDArray[np.str_]:
        return verdicts(intervals, change * margin, margin, best_of=best_of)

    unchanged, untold, at_margin = given(0.0), given(0.0, best_of=1), given(1.0)
    return (
        Row(
            f"{world}, unchanged: fail",
            share(unchanged == FAIL),
            _ERROR,
            {"not told": share(untold == FAIL)},
        ),
        Row(
            f"{world}, unchanged: pass",
            share(unchanged == PASS),
            None,
            {"not told": share(untold == PASS)},
        ),
        Row(f"{world}, worse by the margin: pass", share(at_margin == PASS), _ERROR),
    )


def _change(design: Crossed, spread: float, candidates: int, rng: np.random.Generator) -> Interval:
    """Return the interval of the change from the best candidate to a successor that leans alike.

    What all models share cancels in the change, so each has only what is its own: half of the
    variance of the design, which is that of a change.
    """
    half = design.attributes // 2
    models = [
        [cells / np.sqrt(2) for cells in design.classes(rng, half)] for _ in range(candidates + 1)
    ]
    *measured, successor = models
    true_contrasts = spread * rng.standard_normal(candidates)
    contrasts = [first.mean() - second.mean() for first, second in measured]
    best = measured[int(np.argmin(contrasts + true_contrasts))]
    # Both lean as the picked one truly does, so its true contrast cancels too.
    return contrast_interval(successor[0] - best[0], successor[1] - best[1])


def _std_error(design: Crossed) -> float:
    """Return the true standard error of a change between two models that were not picked."""
    attribute, frame, residual = design.sd
    half = design.attributes // 2
    variance = attribute**2 / half + frame**2 / design.frames + residual**2 / half / design.frames
    return float(np.sqrt(2 * variance))
