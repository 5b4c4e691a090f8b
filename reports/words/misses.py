"""How many of a page's 95 % intervals miss by chance, counted from the intervals that it prints."""

from collections.abc import Iterable, Iterator, Sequence

from maskaudit.audit.estimating.quoted import expected_misses
from maskaudit.reports.blocks import Block, Cell, Folded, Part, Section, Table, Text
from maskaudit.reports.words import wording
from maskaudit.reports.words.wording import Interval

# With fewer intervals than this, none is expected to miss.
_FEWEST = 20
Limits = tuple[float, float]


def note(sections: Sequence[Section]) -> tuple[Text, ...]:
    """How many different intervals the tables print, and how many miss; empty where few do."""
    count = len(printed(block for section in sections for block in section.blocks))
    if count < _FEWEST:
        return ()
    missing = wording.number(round(expected_misses(count)))
    text = (
        f"Of the {wording.number(count)} different 95 % intervals in the tables of this page about "
        f"{missing} miss what they speak of, by chance alone, and nothing tells which. It may be "
        "more or fewer, since many rest on the same sentences; what stands out after a search "
        "through the tables may well be one of these."
    )
    return (Text(text, "small"),)


def printed(blocks: Iterable[Block]) -> set[Limits]:
    """The limits of all intervals in the tables of these blocks; one printed twice counts once.

    Charts show numbers of the tables. The intervals of the largest leans are wider than 95 %, by
    so much that of those chosen as many miss.
    """
    # An interval of no width, of a model against its copy, holds what it speaks of.
    return {limits for limits in _limits(blocks) if limits[0] < limits[1]}


def _limits(blocks: Iterable[Block]) -> Iterator[Limits]:
    for block in blocks:
        if isinstance(block, (Part, Folded)):
            yield from _limits(block.blocks)
        elif isinstance(block, Table):
            for rows in block.groups:
                for cell in (cell for row in rows.rows for cell in row):
                    if isinstance(cell, Interval):
                        yield cell.limits
                    elif isinstance(cell, Cell):
                        yield from cell.intervals
