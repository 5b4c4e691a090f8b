"""Whether a change that would pass also passes beyond sharpness.

A candidate that is less sure of itself has smaller leans in nats, as it has smaller associations
of every kind. That is no improvement. So where benign sets show that the models differ in it, a
pass has to hold also for the number that the candidate would have were it as sure as the reference;
and where the plain number shows an improvement, this one has to show it too, as else all that was
seen may be sharpness. Added conditions can never let a worse model pass more often.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pandas as pd

from maskaudit.audit.estimating import sharpness
from maskaudit.audit.estimating.crossed.cells import DIFFERENCE
from maskaudit.audit.estimating.numbers import LOG_RATIO, find
from maskaudit.audit.estimating.registry.names import (
    CONTRAST,
    CONTRAST_AGAINST_REST,
    CONTRAST_BEYOND,
    ENTROPY,
    LOG_KAPPA,
    OF_SHARPNESS,
    REST_BEYOND,
)
from maskaudit.audit.estimating.sharpness import Sharpness
from maskaudit.audit.estimating.statistics.interval import Interval
from maskaudit.audit.judging import decision
from maskaudit.audit.judging.deciding import in_styles
from maskaudit.audit.judging.decision import ALPHA, PASS, Decision
from maskaudit.audit.judging.policy import IGNORE, NON_INFERIORITY, Gate
from maskaudit.audit.judging.sources import Source
from maskaudit.audit.judging.verdicts import Verdict
from maskaudit.audit.recording.rows.slices import Slice

if TYPE_CHECKING:
    from maskaudit.audit.estimating.registry.entry import Harm

# By number that is judged, the one that it would be were the candidate as sure as the reference.
_BEYOND = {CONTRAST: CONTRAST_BEYOND, CONTRAST_AGAINST_REST: REST_BEYOND}
# The numbers that a verdict of this kind rests on, beside the one that is judged.
RESTS_ON = frozenset({*OF_SHARPNESS, LOG_KAPPA, ENTROPY})
NOT_MEASURED = (
    "sharpness was not measured (that takes two benign sets in the record), so a candidate that is "
    "only less sure of itself than the reference passes as well"
)
_UNKNOWN = {
    "too_few_benign_sets": "the benign sets are too small, or too weak, to say how sure they are",
    "benign_sets_disagree": "the benign sets disagree about how sure they are",
    "benign_entropy_unmoved": "benign associations changed by more than how sure they are",
}


@dataclass(frozen=True)
class Standing:
    """Whether a pass stands beside what is known of the models' sharpness.

    `clause` says which number decided, or why none did; it follows what the rule says of a pass.
    """

    stands: bool
    clause: str


def is_asked(gate: Gate, estimator: str) -> bool:
    """Whether a gate holds a pass of this number against the models' sharpness."""
    if gate.rule != NON_INFERIORITY or estimator in OF_SHARPNESS:
        return False
    entry = find(estimator)
    # What scales with the logits; the log ratio of such numbers moves with their sharpness too.
    return estimator in LOG_RATIO.values() or (entry is not None and entry.power != 0)


def standing(gate: Gate, number: Verdict, source: Source, known: Sharpness) -> Standing:
    """Whether a pass of this number stands, and which number decided.

    `source` has the estimates of the record, `known` is what its benign sets say.
    """
    if gate.sharpness == IGNORE:
        return Standing(stands=True, clause="by its own number, since the gate ignores sharpness")
    if known.why_none:
        return Standing(
            stands=False,
            clause=f"how much of it is sharpness is unknown: {_UNKNOWN[known.why_none]}",
        )
    if not known.interval.p < ALPHA:
        return Standing(
            stands=True, clause="by its own number: neither model is shown to be surer of itself"
        )
    way = "surer" if known.interval.estimate > 0 else "less sure"
    times = math.exp(known.interval.estimate)
    told = f"the candidate is {way} of itself (benign associations {times:.2f} times as large)"
    return _beside(number, _decided(gate, number, source, known.interval), told)


def _decided(
    gate: Gate, number: Verdict, source: Source, known: Interval
) -> tuple[float, Decision] | None:
    """The number were the candidate as sure as the reference, and the decision on it.

    None where there is none.
    """
    if gate.holds_in is not None:
        if source.beyond_in_styles is None or number.estimator != CONTRAST:
            return None
        groups = Slice.parse(number.slice).groups
        styles = source.beyond_in_styles(number.probe_set, groups, known)
        # Of fewer styles "in at least k" would be another claim.
        if len(styles) != number.n_styles:
            return None
        found = in_styles.of_styles(number, gate, styles)
        return found.estimate, found.decision
    beyond = _beyond(number, source.estimates, known)
    if beyond is None:
        return None
    return beyond[0], decision.change(*beyond, number.margin, cast("Harm", number.harm))


def _beside(number: Verdict, beyond: tuple[float, Decision] | None, told: str) -> Standing:
    """Whether a pass stands beside the number beyond sharpness; `told` is who is surer."""
    if beyond is None:
        return Standing(stands=False, clause=f"not known to be beyond sharpness: {told}")
    estimate, decided = beyond
    limits = f"{_signed(decided.low)} to {_signed(decided.high)}"
    shown = f"beyond sharpness, {_signed(estimate)} ({limits})"
    if decided.word != PASS:
        return Standing(stands=False, clause=f"{shown}, not shown to be: {told}")
    if _improves(number, number.harm) and not _improves(decided, number.harm):
        return Standing(stands=False, clause=f"{shown}, no improvement is shown: {told}")
    return Standing(stands=True, clause=f"and so is what it is {shown}, which decided: {told}")


def _improves(bounds: Verdict | Decision, harm: str) -> bool:
    """Whether the bounds show a change away from harm; without one direction nothing is that."""
    return {"up": bounds.high < 0, "down": bounds.low > 0}.get(harm, False)


def _signed(value: float) -> str:
    rounded = round(value, 2)
    return "0.00" if rounded == 0 else f"{rounded:+.2f}".replace("-", "\u2212")


def _beyond(
    number: Verdict, estimates: pd.DataFrame, known: Interval
) -> tuple[float, float, float] | None:
    """The number were the candidate as sure as the reference: estimate, standard error and df.

    None if the record has none.
    """
    if number.estimator in LOG_RATIO.values():
        found = sharpness.beyond(number.estimate, (number.std_error**2, number.df), known)
        return found.estimate, found.std_error, found.df
    if number.estimator not in _BEYOND:
        return None
    wanted = {
        "probe_set": number.probe_set,
        "slice": number.slice,
        "mode": number.mode,
        "estimator": _BEYOND[number.estimator],
        "subject": DIFFERENCE,
    }
    rows = estimates[(estimates[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    if len(rows) != 1 or rows["std_error"].isna().any():
        return None
    estimate, std_error, df = rows.iloc[0][["estimate", "std_error", "df"]].astype(float)
    return estimate, std_error, df
