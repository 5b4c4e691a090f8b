"""The verdict on each claim of a card with its line of evidence, and one exit code for all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Verdict = Literal["confirmed", "contradicted", "not_checkable"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
CONFIRMED, CONTRADICTED, NOT_CHECKABLE = VERDICTS


@dataclass(frozen=True)
class Found:
    """What was found of one statement: a verdict, and the evidence as a clause."""

    verdict: Verdict
    evidence: str


@dataclass(frozen=True)
class Checked:
    """A claim with its verdict: what it `says`, in our words, and its `quote`, in the card's."""

    id: str
    kind: str
    says: str
    quote: str
    verdict: Verdict
    evidence: str


def confirmed(evidence: str) -> Found:
    """What is as the card says."""
    return Found(CONFIRMED, evidence)


def contradicted(evidence: str) -> Found:
    """What is not as the card says."""
    return Found(CONTRADICTED, evidence)


def not_checkable(why: str) -> Found:
    """What nothing that was named can show."""
    return Found(NOT_CHECKABLE, why)


def of_either(evidence: str, *, holds: bool) -> Found:
    """Confirmed if it holds, else contradicted."""
    return confirmed(evidence) if holds else contradicted(evidence)


def together(found: Iterable[Found]) -> Found:
    """Several statements as one claim: contradicted if one is, confirmed only if all are."""
    parts = list(found)
    words = {part.verdict for part in parts}
    verdict = next((word for word in (CONTRADICTED, NOT_CHECKABLE) if word in words), CONFIRMED)
    return Found(verdict, "; ".join(part.evidence for part in parts))


def exit_code(checked: Sequence[Checked]) -> int:
    """1 if a claim is contradicted, 3 if none could be checked, else 0."""
    words = {claim.verdict for claim in checked}
    if CONTRADICTED in words:
        return 1
    # What was not looked at did not hold.
    return 0 if CONFIRMED in words else 3
