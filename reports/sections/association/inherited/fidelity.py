"""Whether a candidate strays further from its reference where groups are at stake."""

import math
from collections.abc import Mapping

from maskaudit.audit.estimating.registry.names import FIDELITY, FIDELITY_ADJUSTED
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effect, Names
from maskaudit.reports.words import caveats, sameness, wording


def fidelity(effects: Mapping[str, Effect], names: Names) -> list[str]:
    """Whether the candidate strays further in the set's sentences than in neutral ones."""
    plain, adjusted = effects.get(FIDELITY), effects.get(FIDELITY_ADJUSTED)
    if plain is None:
        return []
    candidate, reference = names.opening(CANDIDATE), names.the(REFERENCE)
    where = (
        "in sentences with this set’s attributes than in neutral sentences in the same "
        f"{wording.counted(plain.n_frames, 'frame')}"
    )
    start = f"{candidate} {_strays(plain)} from {reference} {where}"
    distance = (
        "the KL divergence, a distance between the two models’ lists of likely words, differs by "
        f"{_with_p(plain)}"
    )
    text = f"{start}: {distance}."
    if adjusted is not None and _disagree(plain, adjusted):
        text = (
            f"Taken as they are, {start[:1].lower()}{start[1:]}: {distance}. Compared at the same "
            "openness (how many words the reference finds likely: its entropy) the candidate "
            f"{_strays(adjusted)} there: it differs by {_with_p(adjusted)}. The two disagree, so "
            "take it as a hint."
        )
    elif adjusted is not None and not math.isnan(adjusted.estimate):
        text += (
            " With the openness of the sentences held equal (how many words the reference finds "
            f"likely: its entropy) it differs by {_with_p(adjusted)}."
        )
    return [f"{text} {caveats.scopes([plain.scope])}"]


def _strays(effect: Effect) -> str:
    if effect.is_shown:
        return f"strays {'further' if effect.estimate > 0 else 'less far'}"
    return "is not shown to stray further or less far"


def _disagree(plain: Effect, adjusted: Effect) -> bool:
    """Whether only one is shown, or both are shown in opposite directions."""
    # What could not be tested contradicts nothing.
    if math.isnan(plain.p) or math.isnan(adjusted.p):
        return False
    return _strays(plain) != _strays(adjusted)


def _with_p(effect: Effect) -> str:
    least = caveats.could_find(effect)
    details = [
        f"95 % interval {wording.between(effect.low, effect.high, with_sign=True)}"
        if not math.isnan(effect.low)
        else caveats.refusal(effect),
        "" if math.isnan(effect.p) else f"{wording.p_value(effect.p)}, not adjusted",
        least and f"{least.replace('mde', 'the smallest that could have been found is')} nats",
        least and f"{sameness.at_most(effect)} nats either way, 90 % interval",
    ]
    return f"{wording.signed(effect.estimate)} nats ({'; '.join(part for part in details if part)})"
