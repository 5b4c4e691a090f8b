"""What a release rule lets a number be, as the ends of a band on its axis."""

import math
from collections.abc import Iterable

from maskaudit.audit.judging.policy import BOUND, NON_INFERIORITY, VERSUS_BASELINE
from maskaudit.audit.judging.verdicts import Verdict

# The low and the high end, in the number's own unit; None where the rule sets no such end.
Ends = tuple[float | None, float | None]


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
