"""Operating characteristics of the gates: how often each verdict falls, for changes that are known.

Cells are drawn, estimated as an audit does it, and judged by `audit.judging`, number by number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.cells import DIFFERENCE
from maskaudit.audit.estimating.entry import Harm
from maskaudit.audit.estimating.names import CONTRAST
from maskaudit.audit.estimating.statistics.anova import contrast_interval
from maskaudit.audit.estimating.statistics.interval import Cells, Interval
from maskaudit.audit.judging.decision import FAIL, INCONCLUSIVE, PASS
from maskaudit.audit.judging.number import judged, settled
from maskaudit.audit.judging.policy import BOUND, NON_INFERIORITY, Gate
from maskaudit.audit.proving.validity.simulate import Crossed
from maskaudit.audit.proving.validity.table import Bar, Row, Table, generator, share
from maskaudit.audit.recording import slices

# The change from one version to the next is a contrast of differences, of two classes of half the
# attributes each; attributes, frames and residual move by these, in nats.
DESIGNS = (Crossed(60, 20, (0.3, 0.2, 0.5)), Crossed(24, 10, (0.3, 0.2, 0.5)))
# Margin over true standard error: a margin that was well chosen, the least, and one too small.
RATIOS = (4.0, 3.0, 1.5)
CHANGES = (0.0, 0.5, 1.0, 2.0)
WORDS = (PASS, FAIL, INCONCLUSIVE)
GATES = 10
_LEAST_RATIO = 3.0
_ALPHA = 0.05


@dataclass(frozen=True)
class _Drawn:
    """Contrasts of a design with no true change, and their true standard error."""

    design: Crossed
    intervals: list[Interval]
    std_error: float


def tables(repetitions: int, seed: int) -> list[Table]:
    """Every table of this topic."""
    drawn = [_draw(design, repetitions, seed) for design in DESIGNS]
    return [_one_gate(drawn), _other_rules(drawn[0]), _many_gates(drawn[0])]


def _draw(design: Crossed, repetitions: int, seed: int) -> _Drawn:
    rng = generator(seed, f"gates, {design}")
    half = design.attributes // 2
    intervals = [contrast_interval(*design.classes(rng, half)) for _ in range(repetitions)]
    attribute, frame, residual = design.sd
    variance = attribute**2 / half + frame**2 / design.frames + residual**2 / half / design.frames
    return _Drawn(design, intervals, float(np.sqrt(2 * variance)))


def _one_gate(drawn: Sequence[_Drawn]) -> Table:
    """The verdicts of one gate, by margin and true change."""
    rows = []
    for own in drawn:
        for ratio in RATIOS:
            margin = ratio * own.std_error
            for change in CHANGES:
                found = verdicts(own.intervals, change * margin, margin)
                place = f"{own.design}, margin {ratio:g} SE, change {change:g} margins"
                p = np.array([one.p for one in own.intervals])
                estimates = np.array([one.estimate for one in own.intervals]) + change * margin
                for word in WORDS:
                    beside = {}
                    if word == FAIL:
                        beside["estimate beyond the margin"] = share(estimates > margin)
                    if word == FAIL and change == 0:
                        beside["two-sided p < .05"] = share(p < _ALPHA)
                    bar = _bar(word, ratio, change)
                    rows.append(Row(f"{place}: {word}", share(found == word), bar, beside))
    return Table(
        "Verdicts of a gate on a change",
        "`non_inferiority` on a stereotype contrast, harm up; 60 × 20 and 24 × 10 differences, "
        "half of the attributes in each class. SE is the true standard error of the change. "
        "Whatever the margin, few models without a change fail and few that are worse by the "
        "margin pass; a margin that is small for the probe set is seen in what is inconclusive.",
        tuple(rows),
    )


def _bar(word: str, ratio: float, change: float) -> Bar | None:
    """False alarms and wrong passes are bounded everywhere, power where the margin allows it."""
    if word == FAIL and change == 0:
        return Bar(high=0.06)
    if word == PASS and change == 1:
        return Bar(high=0.06)
    if word == FAIL and change > 1 and ratio >= _LEAST_RATIO:
        return Bar(low=0.99)
    if word == INCONCLUSIVE and change == 0 and ratio < _LEAST_RATIO:
        return Bar(low=0.45)
    return None


def _other_rules(drawn: _Drawn) -> Table:
    """Harm either way, and a level against a bound."""
    margin = _LEAST_RATIO * drawn.std_error
    either = [
        verdicts(drawn.intervals, change * margin, margin, harm="either")
        for change in (0.0, 1.0, -1.0)
    ]
    at_bound = verdicts(drawn.intervals, margin, margin, rule=BOUND)
    rows = (
        Row("either way, no change: fail", share(either[0] == FAIL), Bar(high=0.06)),
        Row("either way, change by the margin: pass", share(either[1] == PASS), Bar(high=0.06)),
        Row(
            "either way, change by minus the margin: pass", share(either[2] == PASS), Bar(high=0.06)
        ),
        Row("bound, level at the bound: fail", share(at_bound == FAIL), Bar(high=0.06)),
        Row("bound, level at the bound: pass", share(at_bound == PASS), Bar(high=0.06)),
    )
    return Table(
        "Other rules",
        f"{drawn.design} cells; the margin, or the bound, is 3 standard errors.",
        rows,
    )


def _many_gates(drawn: _Drawn) -> Table:
    """A policy of ten independent gates, as one family."""
    margin = _LEAST_RATIO * drawn.std_error
    usable = len(drawn.intervals) // GATES * GATES
    changes = np.zeros(usable)
    unchanged = verdicts(drawn.intervals[:usable], changes, margin, GATES).reshape(-1, GATES)
    changes[::GATES] = 2 * margin
    one_worse = verdicts(drawn.intervals[:usable], changes, margin, GATES).reshape(-1, GATES)
    plain = np.array([one.estimate / one.std_error for one in drawn.intervals[:usable]])
    unadjusted = (plain.reshape(-1, GATES) > 1.7).any(1)  # noqa: PLR2004 - t at .95, about 45 df
    rows = (
        Row(
            "no change anywhere: any gate fails",
            share((unchanged == FAIL).any(1)),
            Bar(high=0.06),
            {"each test alone": share(unadjusted)},
        ),
        Row("one is worse by two margins: it fails", share(one_worse[:, 0] == FAIL), Bar(low=0.99)),
        Row("one is worse by two margins: another fails", share((one_worse[:, 1:] == FAIL).any(1))),
    )
    return Table(
        f"A policy of {GATES} gates",
        f"Independent contrasts of {drawn.design} cells, margin 3 standard errors; failures are "
        "held to Holm's adjusted p values over the policy.",
        rows,
    )


def verdicts(  # noqa: PLR0913 - a gate and what it is given
    intervals: Sequence[Interval],
    changes: float | Cells,
    margin: float,
    family: int = 1,
    *,
    rule: str = NON_INFERIORITY,
    harm: Harm = "up",
) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """The verdict on each contrast after it is moved by its change; so many to a policy."""
    limit = {"bound": margin} if rule == BOUND else {"margin": margin}
    gate = Gate.model_validate({"id": "one", "rule": rule, "reason": "-", "harm": harm, **limit})
    moved = np.broadcast_to(np.asarray(changes, dtype=float), len(intervals))
    found = [
        judged(gate, _row(interval, change), "", "one", gate.margin)
        for interval, change in zip(intervals, moved.tolist(), strict=True)
    ]
    policies = (found[start : start + family] for start in range(0, len(found), family))
    return np.array([verdict.verdict for policy in policies for verdict in settled(policy)])


def _row(interval: Interval, change: float) -> dict[str, object]:
    """The contrast as a row of estimates, moved by a change; its interval does not widen by it."""
    return {
        **vars(interval),
        "estimate": interval.estimate + change,
        "probe_set": "simulated",
        "axis": "",
        "slice": str(slices.CONTRAST),
        "estimator": CONTRAST,
        "mode": "",
        "subject": DIFFERENCE,
        "n_frames": 1,
        "flag": "",
        "method": "",
    }
