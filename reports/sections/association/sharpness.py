"""Whether leans grew, or the candidate is only surer of itself, in a sentence or two."""

import math
from collections.abc import Mapping

from maskaudit.audit.estimating.registry.names import (
    BENIGN_Q,
    ENTROPY_BENIGN,
    LOG_KAPPA_BENIGN,
    LOG_KAPPA_BEYOND,
)
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effect, Names
from maskaudit.reports.words import caveats, wording


def sharpness_of(relations: Mapping[str, Effect], names: Names) -> str:
    """How sure the candidate is against the reference, and what is left of its leans beyond that.

    Empty for a record without benign sets.
    """
    known = relations.get(LOG_KAPPA_BENIGN)
    # Exactly 0 on purpose: only a copy of the reference gets here, and no rounding noise.
    if known is None or known.std_error == known.estimate == 0:
        return ""
    # Before the estimate, which is NaN here too: the reason would be lost.
    if known.flag == "benign_sets_disagree":
        return _disagreeing(relations)
    if math.isnan(known.estimate):
        return (
            "Whether the candidate is only surer of itself could not be told from the benign sets "
            f"({caveats.refusal(known)})."
        )
    beyond = relations.get(LOG_KAPPA_BEYOND)
    if beyond is not None and beyond.flag == "benign_entropy_unmoved":
        return _unmoved(known, relations[ENTROPY_BENIGN], names)
    text = _of_factor(known, names)
    return text if beyond is None or math.isnan(beyond.estimate) else f"{text} {_beyond(beyond)}"


def numbers_of(relations: Mapping[str, Effect]) -> tuple[str, ...]:
    """The numbers that the sentences name and the table of both models has not."""
    known, beyond = relations.get(LOG_KAPPA_BENIGN), relations.get(LOG_KAPPA_BEYOND)
    disagree = known is not None and known.flag == "benign_sets_disagree"
    unmoved = beyond is not None and beyond.flag == "benign_entropy_unmoved"
    named = (BENIGN_Q, disagree), (ENTROPY_BENIGN, disagree or unmoved)
    return tuple(name for name, is_named in named if is_named and name in relations)


def _of_factor(known: Effect, names: Names) -> str:
    """How many times as large benign associations are, and who is surer of itself."""
    ways = {True: "surer of itself", False: "less sure of itself"}
    told = f"{names.the(CANDIDATE)} is {ways[known.estimate > 0]} than {names.the(REFERENCE)}"
    if not known.is_shown:
        told = "neither model could be shown to be surer of itself"
    return (
        "Associations that are not about people are "
        f"{wording.odds(known.estimate)} times as large in the candidate "
        f"({_details(known)}): {told}."
    )


def _beyond(beyond: Effect) -> str:
    """What is left of the candidate's leans beyond its sharpness."""
    if beyond.is_shown:
        way = "amplified" if beyond.estimate > 0 else "attenuated"
        return (
            f"Beyond that its leans here are {way}, "
            f"{wording.odds(beyond.estimate)} times as large ({_details(beyond)})."
        )
    return (
        "Beyond that neither amplification nor attenuation could be shown here: its leans "
        f"are {wording.odds(beyond.estimate)} times as large ({_details(beyond)})."
    )


def _disagreeing(relations: Mapping[str, Effect]) -> str:
    """That no one factor is the candidate's sharpness, and what is known of its entropies."""
    q, entropy = relations[BENIGN_Q], relations.get(ENTROPY_BENIGN)
    text = (
        "The benign sets disagree about how sure of itself the candidate is "
        f"(Q = {wording.fixed(q.estimate, 1)}, {wording.p_value(q.p)}): no one factor describes "
        "it, and what its leans are beyond sharpness is not said."
    )
    return text if entropy is None else f"{text} {_entropies(entropy)}"


def _unmoved(known: Effect, entropy: Effect, names: Names) -> str:
    """That benign associations changed where the candidate is as sure of itself as before."""
    knows = "less" if known.estimate < 0 else "more"
    return (
        "Associations that are not about people are "
        f"{wording.odds(known.estimate)} times as large in the candidate ({_details(known)}). "
        f"{_entropies(entropy)} So {names.the(CANDIDATE)} knows {knows} of these associations "
        f"than {names.the(REFERENCE)}, and that is no sharpness: what its leans are beyond it is "
        "not said."
    )


def _entropies(entropy: Effect) -> str:
    """How open the candidate finds the slots of the benign sets."""
    shown = wording.with_interval(entropy.estimate, entropy.low, entropy.high)
    way = "more open" if entropy.estimate > 0 else "less open"
    told = f"are {way}" if entropy.is_shown else "could not be shown to be more or less open"
    return (
        f"The places of their words {told} to the candidate (entropy {shown} nats; "
        f"{wording.p_value(entropy.p)})."
    )


def _details(effect: Effect) -> str:
    limits = f"{wording.odds(effect.low)} to {wording.odds(effect.high)}"
    return f"95 % interval {limits}; {wording.p_value(effect.p)}"
