"""Operating characteristics of the gates: how often each verdict occurs for a known change.

Cells are simulated, estimated as in an audit, and judged by `audit.judging`, number by number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.crossed.cells import DIFFERENCE
from maskaudit.audit.estimating.registry.entry import Harm
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.estimating.statistics.crossed.means import contrast_interval
from maskaudit.audit.estimating.statistics.interval import Cells, Interval
from maskaudit.audit.judging.decision import FAIL, INCONCLUSIVE, PASS
from maskaudit.audit.judging.one_verdict import judged, settled
from maskaudit.audit.judging.policy import BOUND, NON_INFERIORITY, Gate
from maskaudit.audit.proving.validity.simulate import Crossed
from maskaudit.audit.proving.validity.table import Bar, Row, Table, generator, share
from maskaudit.audit.recording.rows import slices

# A change between versions is a contrast of differences between two classes with half of the
# attributes each; `sd` is that of attributes, frames and residual, in nats.
DESIGNS = (Crossed(60, 20, (0.3, 0.2, 0.5)), Crossed(24, 10, (0.3, 0.2, 0.5)))
# Margin over true standard error: well chosen, the smallest usable, and too small.
RATIOS = (4.0, 3.0, 1.5)
CHANGES = (0.0, 0.5, 1.0, 2.0)
VERDICTS = (PASS, FAIL, INCONCLUSIVE)
GATES = 10
_LEAST_RATIO = 3.0
_ALPHA = 0.05


@dataclass(frozen=True)
class _Drawn:
    """Contrast intervals of a design without a true change, and their true standard error."""

    design: Crossed
    intervals: list[Interval]
    std_error: float


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    drawn = [_draw(design, repetitions, seed) for design in DESIGNS]
    return [_one_gate(drawn), _other_rules(drawn[0]), _many_gates(drawn[0])]


def _draw(design: Crossed, repetitions: int, seed: int) -> _Drawn:
    rng = generator(seed, f"gates, {design}")
    half = design.attributes // 2
    intervals = [contrast_interval(*design.classes(rng, half)) for _ in range(repetitions)]
    attribute, frame, residual = design.sd
    # The contrast is a difference of two independent means of this variance: each class has half of
    # the attributes and frame effects of its own.
    variance = attribute**2 / half + frame**2 / design.frames + residual**2 / half / design.frames
    return _Drawn(design, intervals, float(np.sqrt(2 * variance)))


def _one_gate(drawn: Sequence[_Drawn]) -> Table:
    """Tabulate the verdicts of one gate by margin and true change."""
    rows = []
    for sample in drawn:
        for ratio in RATIOS:
            margin = ratio * sample.std_error
            for change in CHANGES:
                # A change moves estimates but not widths, so one set of draws serves all changes.
                given = verdicts(sample.intervals, change * margin, margin)
                world = f"{sample.design}, margin {ratio:g} SE, change {change:g} margins"
                p = np.array([interval.p for interval in sample.intervals])
                estimates = (
                    np.array([interval.estimate for interval in sample.intervals]) + change * margin
                )
                for verdict in VERDICTS:
                    beside = {}
                    if verdict == FAIL:
                        beside["estimate beyond the margin"] = share(estimates > margin)
                    if verdict == FAIL and change == 0:
                        beside["two-sided p < .05"] = share(p < _ALPHA)
                    bar = _bar(verdict, ratio, change)
                    rows.append(Row(f"{world}: {verdict}", share(given == verdict), bar, beside))
    return Table(
        "Verdicts of a gate on a change",
        "`non_inferiority` on a stereotype contrast, harm up; 60 × 20 and 24 × 10 differences, "
        "half of the attributes in each class. Attributes, frames (of each class) and residual "
        "have the standard deviations .3, .2 and .5. SE is the true standard error of the change. "
        "Whatever the margin, few models without a change fail and few that are worse by the "
        "margin pass; a margin that is small for the probe set is seen in what is inconclusive.",
        tuple(rows),
    )


def _bar(verdict: str, ratio: float, change: float) -> Bar | None:
    """Return the bar of a verdict's share, if it has one.

    False alarms and wrong passes are bounded for every margin, power only for one of at least 3 SE;
    with a smaller margin enough verdicts must be inconclusive.
    """
    if verdict == FAIL and change == 0:
        return Bar(high=0.06)
    if verdict == PASS and change == 1:
        return Bar(high=0.06)
    if verdict == FAIL and change > 1 and ratio >= _LEAST_RATIO:
        return Bar(low=0.99)
    if verdict == INCONCLUSIVE and change == 0 and ratio < _LEAST_RATIO:
        return Bar(low=0.45)
    return None


def _other_rules(drawn: _Drawn) -> Table:
    """Tabulate a gate with harm in either direction, and a level against a bound."""
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
        f"{drawn.design} cells as above; the margin, or the bound, is 3 standard errors.",
        rows,
    )


def _many_gates(drawn: _Drawn) -> Table:
    """Tabulate a policy of ten independent gates, adjusted as one family."""
    margin = _LEAST_RATIO * drawn.std_error
    usable = len(drawn.intervals) // GATES * GATES
    changes = np.zeros(usable)
    unchanged = verdicts(drawn.intervals[:usable], changes, margin, GATES).reshape(-1, GATES)
    # In each policy the first gate is now worse; `unchanged` is computed already.
    changes[::GATES] = 2 * margin
    one_worse = verdicts(drawn.intervals[:usable], changes, margin, GATES).reshape(-1, GATES)
    t_values = np.array(
        [interval.estimate / interval.std_error for interval in drawn.intervals[:usable]]
    )
    unadjusted = (t_values.reshape(-1, GATES) > 1.7).any(1)  # noqa: PLR2004 - t at .95, about 45 df
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
        f"Independent contrasts of {drawn.design} cells as above, margin 3 standard errors; "
        "failures are held to Holm's adjusted p values over the policy.",
        rows,
    )


def verdicts(  # noqa: PLR0913 - a gate and its inputs
    intervals: Sequence[Interval],
    changes: float | Cells,
    margin: float,
    family: int = 1,
    *,
    rule: str = NON_INFERIORITY,
    harm: Harm = "up",
    best_of: int = 1,
) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Return the verdict on each contrast after shifting it by its change (nats).

    `margin` is the gate's margin, or its bound under `BOUND`; `family` contrasts in a row form one
    policy, whose p values are adjusted together; `best_of` is how many candidates the older version
    was picked from.
    """
    limit = {"bound": margin} if rule == BOUND else {"margin": margin}
    gate = Gate.model_validate({"id": "one", "rule": rule, "reason": "-", "harm": harm, **limit})
    shifts = np.broadcast_to(np.asarray(changes, dtype=float), len(intervals))
    judgements = [
        judged(gate, _row(interval, change), "", "one", gate.margin, best_of=best_of)
        for interval, change in zip(intervals, shifts.tolist(), strict=True)
    ]
    policies = (judgements[start : start + family] for start in range(0, len(judgements), family))
    return np.array([verdict.verdict for policy in policies for verdict in settled(policy)])


def _row(interval: Interval, change: float) -> dict[str, object]:
    """Return the contrast as a row of estimates, shifted by a change; its width stays the same."""
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
