"""The figures of a page, and the tables that stand in their place if none can be drawn."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from maskaudit.reports.blocks import (
    Block,
    Column,
    Figure,
    Folded,
    Forest,
    Page,
    Part,
    Row,
    Rows,
    Table,
)


def figures(page: Page) -> Iterator[Figure]:
    """Every figure of a page, in order."""
    return _figures(chain(page.findings, *(section.blocks for section in page.sections)))


def with_tables(page: Page) -> Page:
    """The page with a table in place of every figure."""
    sections = (
        replace(section, blocks=_without_figures(section.blocks)) for section in page.sections
    )
    return replace(page, findings=_without_figures(page.findings), sections=tuple(sections))


def _figures(blocks: Iterable[Block]) -> Iterator[Figure]:
    for block in blocks:
        if isinstance(block, Figure):
            yield block
        elif isinstance(block, Row):
            yield from block.figures
        elif isinstance(block, Part | Folded):
            yield from _figures(block.blocks)


def _without_figures(blocks: Iterable[Block]) -> tuple[Block, ...]:
    return tuple(chain.from_iterable(map(_replaced, blocks)))


def _replaced(block: Block) -> Iterable[Block]:
    if isinstance(block, Figure):
        return (_table(block),)
    if isinstance(block, Row):
        return map(_table, block.figures)
    if isinstance(block, Part | Folded):
        return (replace(block, blocks=_without_figures(block.blocks)),)
    return (block,)


def _table(figure: Figure) -> Block:
    """The marks of a figure in numbers, as they are labelled for readers who cannot see it."""
    columns = (Column("What", is_number=False), Column("Value", is_number=False))
    table = Table(f"{figure.name}-as-table", figure.title, columns, tuple(_rows(figure)))
    return Folded(f"{figure.title}, as a table", (table,))


def _rows(figure: Figure) -> Iterator[Rows]:
    if isinstance(figure.chart, Forest):
        for title, marks in figure.chart.groups:
            yield Rows(tuple((mark.row, mark.value) for mark in marks), title)
        return
    # A label is what is shown, a colon, and its numbers.
    labels = (dot.label.rpartition(": ") for dot in figure.chart.dots)
    yield Rows(tuple((what, value) for what, _, value in labels))
