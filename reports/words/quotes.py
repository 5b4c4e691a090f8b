"""How a sentence words a number that the data chose: its interval, its likely size, its power."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from maskaudit.audit.estimating.quoted import Family, Quoted, family
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.estimating.statistics.interval import LEVEL
from maskaudit.reports.effects import Effect, Effects
from maskaudit.reports.words import wording

HEADLINE_RULE = (
    "The headline is about the set with the clearest result, that is the one with the smallest p. "
    "All other sets follow, whatever they show."
)
CHOSEN_RULE = (
    "A number that is quoted because the data chose it, as the headline’s and those of sets said "
    "to lean, has an interval that allows for it: at the level 1 − .05 R/m, where R of m tested "
    "sets are shown, and 1 − .05/m where none is (Benjamini and Yekutieli 2005); the tables have "
    "plain 95 % intervals. What was chosen "
    "for being large is likely smaller: “likely nearer” has the part of it that chance is not "
    "expected to have added."
)


Quotes = Callable[[Mapping[str, Effect]], dict[str, Quoted]]


def of_subjects(estimates: Effects, subjects: Sequence[str], adjust: str) -> Quotes:
    """A function from one contrast's effects by subject to what a sentence quotes of each.

    What was not tested has no entry.
    """
    # One family a subject, as p values are adjusted within one subject (decision 9).
    families = {subject: family_of(estimates, subject, adjust) for subject in subjects}

    def quotes(by_subject: Mapping[str, Effect]) -> dict[str, Quoted]:
        found = {}
        for subject, effect in by_subject.items():
            tested = families[subject]
            if tested is not None and not math.isnan(effect.p_adjusted):
                found[subject] = tested.quote(effect.estimate, effect.std_error, effect.df)
        return found

    return quotes


def family_of(estimates: Effects, subject: str, adjust: str = "bh") -> Family | None:
    """The family of a subject among these estimates; None where nothing was tested."""
    tested = [
        row.effect
        for row in estimates.all
        if row.estimator == CONTRAST
        and row.subject == subject
        and not math.isnan(row.effect.p_adjusted)
    ]
    if not tested:
        return None
    names = ("estimate", "std_error", "df", "p_adjusted")
    columns = (np.array([getattr(effect, name) for effect in tested]) for name in names)
    return family(*columns, adjust=adjust)


def chosen(effect: Effect, quote: Quoted | None) -> Effect:
    """The effect with the limits that a sentence quotes; itself where there is no quote."""
    if quote is None or quote.n_tested == 1:
        return effect
    return replace(effect, low=quote.low, high=quote.high)


def interval(effect: Effect, shown: Callable[[Effect], str], quote: Quoted | None) -> str:
    """An interval with its level, and the reason for another level than 95 %."""
    name, why = because(LEVEL if quote is None else quote.level, quote.n_tested if quote else 1)
    return f"{name} interval {shown(effect)}{why}"


def because(level: float, count: int, noun: str = "set") -> tuple[str, str]:
    """The level of an interval in words, and after the interval why it is not 95 %."""
    if math.isclose(level, LEVEL):
        return wording.level(level), ""
    return wording.level(level), f", because it was chosen from {wording.counted(count, noun)}"


def likely(effect: Effect, quote: Quoted | None, shown: Callable[[float], str]) -> str:
    """The size that a chosen number is likely nearer to; empty where both read the same."""
    if quote is None or math.isnan(quote.likely):
        return ""
    # Where both round to the same text, the number would be said to be nearer to itself.
    text = shown(quote.likely)
    return "" if text == shown(effect.estimate) else f", likely nearer {text}"


def adjusted(effect: Effect, quote: Quoted | None) -> str:
    """The adjusted p of a contrast, and for how many it was adjusted."""
    shown = wording.p_value(effect.p_adjusted)
    if quote is None or quote.n_tested == 1:
        return shown
    return f"{shown}, adjusted for {quote.n_tested} tested sets"
