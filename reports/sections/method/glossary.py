"""The glossary of a page: the definitions of the numbers that it shows, each once."""

from collections.abc import Iterable, Iterator, Sequence

from maskaudit.reports.blocks import (
    Block,
    Cell,
    Defined,
    Definitions,
    Folded,
    Named,
    Part,
    Section,
    Table,
    Term,
    Text,
)
from maskaudit.reports.words import definitions

_NAT = Term(
    "nat",
    (
        (
            "The unit of all leans: the natural logarithm of a ratio. 0 is no difference, 0.69 a "
            "factor of two, 1.1 a factor of three."
        ),
    ),
)


def glossary(sections: Sequence[Section]) -> Section:
    """The definitions of exactly the numbers that these sections name, in alphabetical order."""
    shown = {name for section in sections for name in _numbers(section.blocks)}
    terms = sorted(definitions.terms(shown), key=lambda term: term.term.lower())
    n_terms = f"{len(terms) + 1} definitions"
    return Section(
        "glossary",
        "Glossary",
        (
            Text("The name of a number on this page leads to its definition here.", "small"),
            Folded(f"Every number of this page: {n_terms}", (Definitions((_NAT, *terms)),)),
        ),
    )


def _numbers(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Part | Folded):
            yield from _numbers(block.blocks)
        elif isinstance(block, Defined):
            yield from block.numbers
        elif isinstance(block, Table):
            yield from (column.number for column in block.columns if column.number)
            for group in block.groups:
                heads = [row[0] for row in group.rows]
                texts = (head.text if isinstance(head, Cell) else head for head in heads)
                yield from (t.number for t in texts if isinstance(t, Named) and t.number)
