"""Whether leans grew, or the candidate is only surer of itself, in a sentence or two."""

import math
from collections.abc import Mapping

from maskaudit.audit.estimating.registry.names import LOG_KAPPA_BENIGN, LOG_KAPPA_BEYOND
from maskaudit.reports import caveats, wording
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effect, Names


def sharpness_of(relations: Mapping[str, Effect], names: Names) -> str:
    """How sure the candidate is against the reference, and what is left of its leans beyond that.

    Empty for a record without benign sets.
    """
    known = relations.get(LOG_KAPPA_BENIGN)
    if known is None:
        return ""
    if math.isnan(known.estimate):
        return (
            "Whether the candidate is only surer of itself could not be told from the benign sets "
            f"({caveats.refusal(known)})."
        )
    # Exactly 0 on purpose: only a copy of the reference gets here, and no rounding noise.
    if known.std_error == 0 and known.estimate == 0:
        return ""
    ways = {True: "surer of itself", False: "less sure of itself"}
    told = f"{names.the(CANDIDATE)} is {ways[known.estimate > 0]} than {names.the(REFERENCE)}"
    if not known.is_shown:
        told = "neither model could be shown to be surer of itself"
    text = (
        "Associations that are not about people are "
        f"{wording.odds(known.estimate)} times as large in the candidate "
        f"({_details(known)}): {told}."
    )
    beyond = relations.get(LOG_KAPPA_BEYOND)
    if beyond is None or math.isnan(beyond.estimate):
        return text
    if beyond.is_shown:
        way = "amplified" if beyond.estimate > 0 else "attenuated"
        return (
            f"{text} Beyond that its leans here are {way}, "
            f"{wording.odds(beyond.estimate)} times as large ({_details(beyond)})."
        )
    return (
        f"{text} Beyond that neither amplification nor attenuation could be shown here: its leans "
        f"are {wording.odds(beyond.estimate)} times as large ({_details(beyond)})."
    )


def _details(effect: Effect) -> str:
    limits = f"{wording.odds(effect.low)} to {wording.odds(effect.high)}"
    return f"95 % interval {limits}; {wording.p_value(effect.p)}"
