"""Definitions of named numbers, as terms of a page: meaning, limits and source."""

from collections.abc import Iterable

from maskaudit.audit.estimating import numbers
from maskaudit.reports.blocks import Term
from maskaudit.reports.effects import Effects

# A record that a newer version wrote may hold numbers that this one does not know.
_UNKNOWN = "This version of maskaudit has no definition of this number."


def meaning(name: str) -> tuple[str, ...]:
    """The definition of a number, what it does not show, and its source, as separate texts."""
    entry = numbers.defined_under(name)
    if entry is None:
        return (_UNKNOWN,)
    unit = f" Unit: {entry.unit}." if entry.unit else ""
    hidden = f"{entry.does_not_show[:1].lower()}{entry.does_not_show[1:]}"
    source = (f"Source: {entry.source}.",) if entry.source else ()
    return (f"{entry.definition}{unit}", f"Does not show: {hidden}", *source)


def title_of(name: str) -> str:
    """The name under which a number is defined: that of its estimator, or else its own."""
    entry = numbers.defined_under(name)
    return entry.name if entry else name


def by_estimator(estimates: Effects) -> dict[str, list[str]]:
    """The names of the numbers among these estimates, grouped by `title_of`."""
    by_title: dict[str, list[str]] = {}
    for name in estimates.estimators:
        by_title.setdefault(title_of(name), []).append(name)
    return by_title


def terms(names: Iterable[str]) -> tuple[Term, ...]:
    """The numbers with their definitions, what they do not show, and their source; each once."""
    texts = {name: meaning(name) for name in dict.fromkeys(map(title_of, names))}
    return tuple(Term(name, (t[0], " ".join(t[1:])), name) for name, t in texts.items())
