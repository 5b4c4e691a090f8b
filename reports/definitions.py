"""Definitions of named numbers, as terms of a page: meaning, limits and source."""

from collections.abc import Iterable

from maskaudit.audit.estimating import numbers
from maskaudit.reports.blocks import Definitions, Term
from maskaudit.reports.effects import Effects

_UNKNOWN = "This version of maskaudit has no definition of this number."


def meaning(name: str) -> tuple[str, ...]:
    """The definition of a number, what it does not show, and its source, as separate texts."""
    known = numbers.defined_under(name)
    if known is None:
        return (_UNKNOWN,)
    unit = f" Unit: {known.unit}." if known.unit else ""
    hidden = f"{known.does_not_show[:1].lower()}{known.does_not_show[1:]}"
    source = (f"Source: {known.source}.",) if known.source else ()
    return (f"{known.definition}{unit}", f"Does not show: {hidden}", *source)


def title_of(name: str) -> str:
    """The name under which a number is defined: that of its estimator, or else its own."""
    known = numbers.defined_under(name)
    return known.name if known else name


def by_estimator(estimates: Effects) -> dict[str, list[str]]:
    """The names of the numbers among these estimates, grouped by `title_of`."""
    found: dict[str, list[str]] = {}
    for name in estimates.estimators:
        found.setdefault(title_of(name), []).append(name)
    return found


def definitions(names: Iterable[str], *, short: bool = False) -> Definitions:
    """The numbers with their definitions; `short` omits what they do not show and their source."""
    told = {name: meaning(name) for name in dict.fromkeys(map(title_of, names))}
    terms = (Term(name, t[:1] if short else (t[0], " ".join(t[1:]))) for name, t in told.items())
    return Definitions(tuple(terms), is_beside=True)
