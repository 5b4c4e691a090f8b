"""The size of a contrast and its interval, as they stand in a sentence."""

from maskaudit.reports.effects import Effect
from maskaudit.reports.words import wording


def signed_interval(effect: Effect) -> str:
    """The interval with signs: −0.02 to +0.17."""
    return wording.between(effect.low, effect.high, with_sign=True)


def interval(effect: Effect) -> str:
    """The interval; where it lies wholly below zero, as positive numbers followed by "lower"."""
    if effect.high < 0:
        return f"{wording.between(-effect.high, -effect.low)} lower"
    return wording.between(effect.low, effect.high)


def higher(main: Effect) -> str:
    """The difference in words: its size and its direction."""
    # By what will be printed: a difference that is rounded to 0.00 has no direction in a sentence.
    if wording.size(main.estimate) == wording.size(0):
        return "the same to two decimals"
    way = "higher" if main.estimate > 0 else "lower"
    return f"{wording.size(main.estimate)} nats {way}"
