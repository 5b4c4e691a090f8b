"""What a release rule lets a number be, and what it holds it against, on the number's own axis."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from maskaudit.audit.judging.policy import BOUND, NON_INFERIORITY, VERSUS_BASELINE
from maskaudit.audit.judging.verdicts import Verdict
from maskaudit.audit.recording.rows.slices import Slice

# The low and the high end, in the number's own unit; None where the rule sets no such end.
Ends = tuple[float | None, float | None]


@dataclass(frozen=True)
class Baseline:
    """An accepted version that a rule holds a number against: its name, and its own number.

    The name is empty where a record stood for the accepted version. The mark of the number has no
    interval: what is judged is the change, and not where each of the two stands.
    """

    name: str
    estimate: float
    low: float = math.nan
    high: float = math.nan


def judged_on(
    verdicts: Iterable[Verdict], probe_set: str, groups: tuple[str, ...]
) -> list[Verdict]:
    """Those of some verdicts that are on a set between these groups."""
    return [
        verdict
        for verdict in verdicts
        if verdict.probe_set == probe_set and _groups(verdict) in {groups, ()}
    ]


def baseline(judged: Iterable[Verdict], estimator: str, estimate: float) -> Baseline | None:
    """What the first of some verdicts on a change from a baseline holds a number against.

    `estimate` is the candidate's. None if there is no such verdict, or it has no number.
    """
    for verdict in judged:
        if verdict.rule != VERSUS_BASELINE or verdict.estimator != estimator or verdict.scale:
            continue
        # A claim in styles is judged in each of them.
        before = estimate - verdict.estimate
        if verdict.holds_in is None and math.isfinite(before):
            kind, _, name = verdict.against.partition(" ")
            return Baseline(name if kind == "baseline" else verdict.against, before)
    return None


def allowed(judged: Iterable[Verdict], subject: str, estimate: float) -> Ends | None:
    """The ends by the first of some verdicts on a number that sets any; None if none does.

    `estimate` is the number of `subject`. Of a rule on a change, from a baseline or from the
    reference, the band begins where that one stands and is as wide as the margin: what is judged is
    the change and not the number, so its interval may reach beyond the band and the rule be met.
    """
    for verdict in judged:
        # A share or a log ratio is judged on a scale of its own, and a claim in styles in each.
        if verdict.scale or verdict.holds_in is not None or not math.isfinite(verdict.margin):
            continue
        if verdict.rule == BOUND and verdict.subject == subject:
            return _ends(0.0, verdict.margin, verdict.harm, is_bound=True)
        start = estimate - verdict.estimate
        if verdict.rule in {VERSUS_BASELINE, NON_INFERIORITY} and math.isfinite(start):
            return _ends(start, verdict.margin, verdict.harm, is_bound=False)
    return None


def _ends(start: float, margin: float, harm: str, *, is_bound: bool) -> Ends:
    """The band from `start` in the harmful direction, or in both; a bound has one end."""
    if harm == "either":
        return start - margin, start + margin
    if is_bound:
        return (margin, None) if harm == "down" else (None, margin)
    return (start - margin, start) if harm == "down" else (start, start + margin)


def _groups(verdict: Verdict) -> tuple[str, ...]:
    try:
        return Slice.parse(verdict.slice).groups
    except ValueError:
        # Verdicts lie beside a record, which is not sealed with them.
        return ()
