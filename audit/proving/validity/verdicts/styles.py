"""How often a gate that has to hold in so many styles is wrong, and how often it decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.statistics.crossed.means import contrast_interval
from maskaudit.audit.estimating.statistics.interval import Cells, Interval
from maskaudit.audit.judging.deciding.in_styles import of_styles
from maskaudit.audit.judging.decision import FAIL, PASS, change
from maskaudit.audit.judging.policy import NON_INFERIORITY, Gate
from maskaudit.audit.judging.verdicts import Verdict
from maskaudit.audit.proving.validity.table import Bar, Row, Table, generator, share

_ERROR, _POWER = Bar(high=0.06), Bar(low=0.8)
# The margin in standard errors of a style's change.
RATIO = 4.0


@dataclass(frozen=True)
class Styles:
    """Changes of two classes of `attributes` in `styles` of `frames` each, none of them true.

    `sd` is that of attributes, of frames by class and of the residual, in nats. An attribute moves
    style s by its effect times `shared[s]`: 1 throughout makes styles alike, signs oppose them.
    """

    attributes: int
    styles: int
    frames: int
    shared: Sequence[float]
    sd: tuple[float, float, float] = (0.3, 0.1, 0.5)

    @property
    def std_error(self) -> float:
        """The true standard error of the change in one style."""
        attribute, frame, residual = self.sd
        by_class = attribute**2 / self.attributes + frame**2 / self.frames
        return float(np.sqrt(2 * (by_class + residual**2 / self.attributes / self.frames)))

    def draw(self, rng: np.random.Generator) -> list[Interval]:
        """Draw both classes in every style; return the interval of each style's contrast."""
        attribute, frame, residual = self.sd
        common = attribute * rng.standard_normal((2, self.attributes))
        found = []
        for weight in self.shared:
            # What an attribute does not share with the other styles it has of this one alone.
            own = attribute * rng.standard_normal((2, self.attributes))
            leans = weight * common + np.sqrt(1 - weight**2) * own
            first, second = (self._class(rng, leans[side], frame, residual) for side in (0, 1))
            found.append(contrast_interval(first, second))
        return found

    def _class(
        self, rng: np.random.Generator, leans: Cells, frame: float, residual: float
    ) -> Cells:
        shape = (self.attributes, self.frames)
        noise: Cells = residual * rng.standard_normal(shape)
        return leans[:, None] + frame * rng.standard_normal(self.frames) + noise


# By how styles stand to one another, and how many of how many have to hold.
WORLDS: Mapping[str, tuple[Styles, int]] = {
    "4 of 5 styles, alike": (Styles(20, 5, 8, (1.0,) * 5), 4),
    "4 of 5 styles, nothing shared": (Styles(20, 5, 8, (0.0,) * 5), 4),
    "4 of 5 styles, opposed": (Styles(20, 5, 8, (1.0, -1.0, 1.0, -1.0, 1.0)), 4),
    "6 of 8 styles, alike": (Styles(20, 8, 8, (1.0,) * 8), 6),
}


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    rows = []
    for name, (design, least) in WORLDS.items():
        rng = generator(seed, f"styles that hold, {name}")
        drawn = [design.draw(rng) for _ in range(repetitions)]
        rows += _rows(name, design, least, drawn)
    return [
        Table(
            "A gate that has to hold in so many styles",
            "`holds_in` on a change, harm up; 20 + 20 attributes in styles of 8 frames, margin 4 "
            "standard errors of a style’s change. A pass is wrong where the change is the margin "
            "in one style more than may be violated, whatever it is in the others (here far below "
            "0); a failure where no more styles than may be violated are worse (here by two "
            "margins). Attributes move all styles alike, or each by itself, or every second one "
            "the other way. Beside: each style by its own verdict, and these counted.",
            tuple(rows),
        )
    ]


def _rows(name: str, design: Styles, least: int, drawn: Sequence[Sequence[Interval]]) -> list[Row]:
    """Return the rows of one world: two that must be rare, and what is decided where it should."""
    margin, n = RATIO * design.std_error, design.styles
    may, worst = n - least, n - least + 1
    none = np.zeros(n)
    at_margin, two_margins, far_below = margin, 2 * margin, -2 * margin
    worse = none.copy()
    worse[:may] = two_margins
    just = np.full(n, far_below)
    just[:worst] = at_margin
    cases = (
        (f"no change in {least}, two margins in {may}: fail", worse, FAIL, _ERROR),
        ("no change in any: fail", none, FAIL, _ERROR),
        (f"the margin in {worst}, far below in {least - 1}: pass", just, PASS, _ERROR),
        ("the margin in every style: pass", none + at_margin, PASS, _ERROR),
        ("no change in any: pass", none, PASS, _POWER),
        (f"two margins in {worst}: fail", np.where(just > 0, two_margins, 0.0), FAIL, _POWER),
    )
    told = {"id": "one", "rule": NON_INFERIORITY, "reason": "-", "margin": margin}
    gate = Gate.model_validate({**told, "holds_in": least})
    number = Verdict("one", "one", gate.rule, FAIL, FAIL, "", harm="up", margin=margin)
    rows = []
    for what, changes, word, bar in cases:
        words = np.array(
            [of_styles(number, gate, _moved(own, changes)).decision.word for own in drawn]
        )
        counted = np.array([_counted(own, changes, margin, least) for own in drawn])
        beside = {"styles counted": share(counted == word)}
        rows.append(Row(f"{name}: {what}", share(words == word), bar, beside))
    return rows


def _counted(drawn: Sequence[Interval], changes: Cells, margin: float, least: int) -> str:
    """Return what would be said by counting the verdicts of single styles."""
    words = [change(*own, margin, "up").word for own in _moved(drawn, changes)]
    if words.count(PASS) >= least:
        return PASS
    return FAIL if words.count(FAIL) > len(words) - least else ""


def _moved(drawn: Sequence[Interval], changes: Cells) -> list[tuple[float, float, float]]:
    return [
        (own.estimate + moved, own.std_error, own.df)
        for own, moved in zip(drawn, changes.tolist(), strict=True)
    ]
