"""The size and direction of a contrast, its interval and its basis, as a sentence has them."""

from collections.abc import Mapping

from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, REFERENCE, Effect
from maskaudit.reports.words import wording


def signed_interval(effect: Effect) -> str:
    """The interval with signs: −0.02 to +0.17."""
    return wording.between(effect.low, effect.high, with_sign=True)


def interval(effect: Effect) -> str:
    """The interval; where it lies wholly below zero, as positive numbers followed by "lower"."""
    if effect.high < 0:
        return f"{wording.between(-effect.high, -effect.low)} lower"
    return wording.between(effect.low, effect.high)


def factor_interval(effect: Effect) -> str:
    """The interval as factors on the odds: 1.20 to 2.31."""
    return f"{wording.odds(effect.low)} to {wording.odds(effect.high)}"


def higher(main: Effect) -> str:
    """The difference in words: its size and its direction."""
    # By what will be printed: a difference that is rounded to 0.00 has no direction in a sentence.
    if wording.size(main.estimate) == wording.size(0):
        return "the same to two decimals"
    way = "higher" if main.estimate > 0 else "lower"
    return f"{wording.size(main.estimate)} nats {way}"


def direction(subjects: Mapping[str, Effect]) -> str:
    """Which of two models leans further, by the difference and by where both contrasts lie.

    It ends where the name of the reference follows; of one model, where "the stereotype" does.
    """
    if DIFFERENCE not in subjects:
        return f"leans {'with' if subjects[CANDIDATE].estimate > 0 else 'against'}"
    candidate, reference = (subjects[name].estimate for name in (CANDIDATE, REFERENCE))
    # A difference above zero means "further" only for a candidate on the side of the stereotype;
    # one on the other side has come nearer to zero.
    if subjects[DIFFERENCE].estimate > 0:
        return "leans further than" if candidate > 0 else "leans less against the stereotype than"
    # A reference on the side of the stereotype is left by a difference below zero; one that is
    # crossed to the other side, and farther out there, is no model that leans less far.
    is_nearer = reference > 0 and -candidate <= reference
    return "leans less far than" if is_nearer else "leans further against the stereotype than"


def basis(main: Effect) -> str:
    """The attributes and frames behind a contrast."""
    attributes = wording.counted(main.n_attributes, "attribute")
    return f"{attributes} in {wording.counted(main.n_frames, 'frame')}"
