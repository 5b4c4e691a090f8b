"""What is the same within how much: what follows a sentence that nothing was shown."""

import math
from collections.abc import Iterable

from maskaudit.audit.estimating.statistics import equivalence
from maskaudit.audit.recording.margins import Margin
from maskaudit.reports.effects import Effect
from maskaudit.reports.words import wording

RULE = (
    "What is not shown to differ is not thereby the same. It is the same within a margin where its "
    "90 % interval lies inside it, that is by two one-sided tests at .05 (Schuirmann 1987); where "
    "no margin is declared, or that is not shown, the smallest margin for which it would be is "
    "said, as “at most”. It is the end of that interval that is farther from zero."
)

# Nats up to which a factor is worth two decimals.
_MOST_FACTOR = math.log(100)


def most(effect: Effect, null_value: float = 0.0) -> float:
    """The smallest margin around `null_value` in which a number is shown to be; NaN if unknown."""
    return equivalence.same_within(effect.estimate - null_value, effect.std_error, effect.df)


def is_within(effect: Effect, margin: Margin | None) -> bool:
    """Whether a difference, or one model's lean, is shown to be within a declared margin."""
    # An unknown size is NaN, and within nothing.
    return margin is not None and most(effect) <= margin.nats


def brief(effect: Effect, margin: Margin | None, *, paired: bool, as_factor: bool = False) -> str:
    """What a difference, or one model's lean, is the same within, for a line; empty if unknown.

    In nats, or with `as_factor` as a factor on the odds.
    """
    return brief_of(most(effect), margin, paired=paired, as_factor=as_factor)


def brief_of(
    largest: float, margin: Margin | None, *, paired: bool, as_factor: bool = False
) -> str:
    """The same of the smallest margin for which it is shown, in nats (`most`)."""
    if math.isnan(largest):
        return ""
    if margin is not None and largest <= margin.nats:
        size = wording.odds(margin.nats) if as_factor else wording.plain(margin.nats)
        inside = f"within {_in_unit(size, as_factor=as_factor)}"
        return f"the same {inside}" if paired else f"{inside} of no lean"
    apart = "apart" if paired else "from no lean"
    return f"at most {_size(largest, as_factor=as_factor)} {apart}, 90 % interval"


def sentence(effect: Effect, margin: Margin | None, *, paired: bool) -> str:
    """The same as a sentence with the interval, opened by a space; empty if unknown."""
    largest = most(effect)
    if math.isnan(largest):
        return ""
    low, high = equivalence.limits(effect.estimate, effect.std_error, effect.df)
    interval = f"90 % interval {wording.between(low, high, with_sign=True)}"
    who = "The two are" if paired else "It is"
    if margin is not None and largest <= margin.nats:
        inside = f"within {wording.plain(margin.nats)} nats"
        same = f"the same {inside}" if paired else f"{inside} of no lean"
        return f" {who} {same}, the margin declared for this set ({interval})."
    apart = "apart" if paired else "from no lean"
    beyond = "" if margin is None else f"; the margin of {wording.plain(margin.nats)} is not shown"
    return f" {who} at most {wording.at_most(largest)} nats {apart} ({interval}{beyond})."


def of_all(effects: Iterable[Effect], *, paired: bool, as_factor: bool = False) -> str:
    """What several differences, or leans, are all the same within, for a line; empty if unknown.

    Without an adjustment: that all are inside is shown where each is (docs/validity.md).
    """
    sizes = [most(effect) for effect in effects]
    if not sizes or any(map(math.isnan, sizes)):
        return ""
    apart = "apart" if paired else "from no lean"
    most_ = _size(max(sizes), as_factor=as_factor)
    return f"at most {most_} {apart} on each, 90 % intervals"


def at_most(effect: Effect, null_value: float = 0.0) -> str:
    """The smallest margin around `null_value`, in the number's unit; empty if unknown."""
    largest = most(effect, null_value)
    return "" if math.isnan(largest) else f"at most {wording.at_most(largest)}"


def _size(nats: float, *, as_factor: bool) -> str:
    """A size in nats or as a factor, rounded up so that it stays true."""
    if not as_factor:
        return _in_unit(wording.at_most(nats), as_factor=False)
    # Beyond that no decimals are worth reading, and `exp` ends.
    factor = wording.at_most(math.exp(nats)) if nats < _MOST_FACTOR else wording.odds(nats)
    return _in_unit(factor, as_factor=True)


def _in_unit(size: str, *, as_factor: bool) -> str:
    return f"a factor of {size}" if as_factor else f"{size} nats"
