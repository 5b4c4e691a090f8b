"""Intervals with the systematic error of negative controls in them, held against the controls."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from maskaudit.audit.estimating.statistics.crossed.calibration import calibrated
from maskaudit.audit.estimating.statistics.crossed.means import contrast_interval
from maskaudit.audit.estimating.statistics.interval import Interval, student
from maskaudit.audit.proving.validity.numbers.intervals import covers
from maskaudit.audit.proving.validity.table import Bar, Row, Table, repeat, share

_COVERS = Bar(0.94, 0.97)
# The standard deviation of the systematic error, in true standard errors of a control.
SPREADS = (0.0, 0.5, 1.0, 2.0, 4.0)
_OWN = 24
# Degrees of freedom of a contrast, about those of a shipped set.
_DF = 25.0


@dataclass(frozen=True)
class Controls:
    """Contrasts of controls with `attributes` on each side, all of them in the same `frames`.

    What a side moves in a frame is its own. `sd` is that of attributes, frames and residual.
    """

    controls: int = 20
    attributes: int = 6
    frames: int = 20
    sd: tuple[float, float, float] = (0.5, 0.3, 1.0)

    def __str__(self) -> str:
        """Return the design's name in a row."""
        return f"{self.controls} controls of {self.attributes} + {self.attributes} × {self.frames}"

    @property
    def std_error(self) -> float:
        """The true standard error of a control."""
        attribute, frame, residual = self.sd
        by_side = attribute**2 / self.attributes + frame**2 / self.frames
        return float(np.sqrt(2 * (by_side + residual**2 / self.attributes / self.frames)))

    def contrast(self, rng: np.random.Generator, attributes: int, error: float) -> Interval:
        """Draw a contrast of so many attributes a side, whose true value is 0, and its interval.

        `error` is the systematic error that this contrast has.
        """
        attribute, frame, residual = self.sd
        first, second = (
            attribute * rng.standard_normal((attributes, 1))
            + frame * rng.standard_normal(self.frames)
            + residual * rng.standard_normal((attributes, self.frames))
            for _ in range(2)
        )
        return contrast_interval(first + error, second)

    def audit(self, rng: np.random.Generator, spread: float) -> tuple[Interval, list[Interval]]:
        """Draw the set's own contrast and its controls, with errors of so many SEs of a control."""
        errors = spread * self.std_error * rng.standard_normal(self.controls + 1)
        controls = [self.contrast(rng, self.attributes, error) for error in errors[:-1]]
        return self.contrast(rng, _OWN, errors[-1]), controls


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return the one table of this topic."""
    design, rows = Controls(), []
    for spread in SPREADS:
        name = f"{design.controls} controls, SD {spread:g} SE"
        trial = partial(_by_themselves, spread=spread, n=design.controls)
        hits, plain = map(share, repeat(trial, repetitions, seed, name))
        what = f"{name}, {_DF:g} degrees of freedom: a control by the others"
        rows.append(Row(what, hits, _COVERS, {"plain 95 %": plain}))
    for spread in SPREADS:
        name = f"{design}, SD {spread:g} SE"
        trial = partial(_in_tables, spread=spread, design=design)
        held_out, plain, of_set, own = map(share, repeat(trial, repetitions, seed, name))
        rows += [
            Row(f"{name}: a control by the others", held_out, None, {"plain 95 %": plain}),
            Row(f"{name}: the set’s own contrast", of_set, None, {"plain 95 %": own}),
        ]
    text = (
        "How often `calibrated` holds the true contrast, which is 0, where contrasts have a "
        "systematic error whose standard deviation is given in standard errors of a control. *A "
        "control by the others*: one is left out, and calibrated by the rest. First of contrasts "
        "whose plain interval is exact, Student’s t; then, as information, of tables of cells with "
        f"{design.attributes} attributes a side, and of the set’s own contrast, which has {_OWN} a "
        "side, and so a smaller standard error, and an error from the same distribution. "
        "Attributes, frames (of each side) and residual have the standard deviations .5, .3 and 1. "
        "Where there is no systematic error the interval is wider than it need be, since some is "
        "found by chance and none is taken off. Beside: the interval that does not "
        "know of controls."
    )
    return [Table("95 % intervals that hold the controls’ systematic error", text, tuple(rows))]


def _by_themselves(rng: np.random.Generator, spread: float, n: int) -> Sequence[float]:
    drawn = np.hypot(spread, 1.0) * rng.standard_normal(n)
    variances = rng.chisquare(_DF, n) / _DF
    out, *others = [
        student(float(x), float(v), _DF, null_value=0.0)
        for x, v in zip(drawn, variances, strict=True)
    ]
    return covers(calibrated(out, others)), covers(out)


def _in_tables(rng: np.random.Generator, spread: float, design: Controls) -> Sequence[float]:
    own, controls = design.audit(rng, spread)
    out, *others = controls
    of_set = calibrated(own, controls)
    return covers(calibrated(out, others)), covers(out), covers(of_set), covers(own)
