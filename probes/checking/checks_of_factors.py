"""Checks of `factors`: the groups that have them fill a crossed table, each cell once."""

from collections.abc import Iterator
from itertools import product
from math import prod

from maskaudit.audit.texts.toml_lines import Place
from maskaudit.probes.checking.checks_of_language import Fault
from maskaudit.probes.schema import ProbeSet

_LEAST = 2


def faults_of_factors(probe_set: ProbeSet) -> Iterator[Fault]:
    """Yield each fault of the table that the factors of groups span.

    A main effect is a mean over the other factors, and an interaction a difference of differences:
    neither is known of a table with a cell missing or filled twice. Groups without factors stand
    outside of the table.
    """
    crossed = {name: part.factors for name, part in probe_set.groups.items() if part.factors}
    if not crossed:
        return
    factors = sorted(next(iter(crossed.values())))
    # Groups that name other factors span no table, and nothing can be said of its cells.
    if strays := [name for name, own in crossed.items() if sorted(own) != factors]:
        yield Fault(
            _at(strays[0]),
            f"groups.{strays[0]}.factors: names {_and(sorted(crossed[strays[0]]))}; expected "
            f"{_and(factors)}, as the first group with factors has them",
        )
        return
    levels = [sorted({own[factor] for own in crossed.values()}) for factor in factors]
    short = [factor for factor, own in zip(factors, levels, strict=True) if len(own) < _LEAST]
    if len(factors) < _LEAST or short:
        told = f"only {_and(factors)}" if len(factors) < _LEAST else f"one level of {short[0]!r}"
        yield Fault(
            _at(next(iter(crossed))),
            f"groups: their factors have {told}; expected at least {_LEAST} factors of at least "
            f"{_LEAST} levels each",
        )
        return
    yield from _faults_of_cells(crossed, factors, levels)


def _faults_of_cells(
    crossed: dict[str, dict[str, str]], factors: list[str], levels: list[list[str]]
) -> Iterator[Fault]:
    """Yield a fault at each group whose cell is taken, and one where cells are empty."""
    group_of: dict[tuple[str, ...], str] = {}
    for name, own in crossed.items():
        cell = tuple(own[factor] for factor in factors)
        if cell in group_of:
            yield Fault(
                _at(name),
                f"groups.{name}.factors: are those of {group_of[cell]!r} too; expected one group "
                "for each combination of levels",
            )
        # The first keeps the cell, so that every later one is told of it.
        group_of.setdefault(cell, name)
    if empty := [cell for cell in product(*levels) if cell not in group_of]:
        yield Fault(
            _at(next(iter(crossed))),
            f"groups: no group has the factors {' and '.join(empty[0])}; expected one for each of "
            f"the {prod(map(len, levels))} combinations of levels",
        )


def _at(group: str) -> Place:
    return ("groups", group, "factors")


def _and(names: list[str]) -> str:
    return " and ".join(map(repr, names))
