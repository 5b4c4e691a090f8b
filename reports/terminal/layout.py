"""Tables for a terminal of any width: what does not fit is shortened, then folded, never broken.

A table is laid out in the first of four forms that fits:

1. a line a row, every cell as it is;
2. a line a row, each cell in its short form;
3. the head of a row on lines of its own, its short cells in columns below it;
4. the head of a row, and below it a line for each cell, with the title of its column.

Nothing is left out in any of them, and numbers stay whole: only words are wrapped, between words,
and a number is parted from its interval where both are wider than the terminal.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

from maskaudit.audit.texts.printable import inert
from maskaudit.reports.words import wording

# What a text means where a terminal has colours; the words say it too.
Style = Literal["", "title", "bad", "good", "open"]
# Where no limit is, as in a file: a line a row.
UNLIMITED = math.inf
NARROWEST = 40
_GAP = "  "
_ISOLATES = {0x2068: None, 0x2069: None}


@dataclass(frozen=True)
class Span:
    """A text that stands on one line, and what it means."""

    text: str
    style: Style = ""

    @property
    def width(self) -> int:
        """The columns of a terminal that it takes."""
        return cell_len(self.text)


Line = tuple[Span, ...]


@dataclass(frozen=True)
class Cell:
    """A finished text, and a shorter one that says less where `text` does not fit."""

    text: str
    short: str = ""
    style: Style = ""

    def __post_init__(self) -> None:
        # Here, so that what is measured is what is printed: a code point is wider than nothing.
        object.__setattr__(self, "text", _one_line(self.text))
        object.__setattr__(self, "short", _one_line(self.short))

    def span(self, *, is_short: bool) -> Span:
        """The text to print."""
        return Span(self.short if is_short and self.short else self.text, self.style)


@dataclass(frozen=True)
class Table:
    """Rows of cells under titles; the first cell of a row is its head."""

    titles: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: frozenset[int] = frozenset()


def lines(tables: Sequence[Table], width: float) -> list[list[Line]]:
    """The lines of each table, all of them in one form, no wider than `width` columns.

    A terminal narrower than `NARROWEST` counts as that wide.
    """
    width = max(width, NARROWEST)
    for form in (_whole, _short, _folded):
        laid = [list(form(table, width)) for table in tables]
        if all(width_of(line) <= width for table in laid for line in table):
            return laid
    return [list(_listed(table, width)) for table in tables]


def width_of(line: Line) -> int:
    """The columns of a terminal that a line takes."""
    return sum(span.width for span in line)


def wrapped(text: str, width: float, *, indent: str = "", style: Style = "") -> Iterator[Line]:
    """Yield the lines of a text that is wrapped between its words; a longer word is cut.

    A number is not parted from its unit.
    """
    if len(indent) + cell_len(text) <= width:
        yield (Span(indent + text, style),)
        return
    room = int(max(width, NARROWEST)) - len(indent)
    kept = [""]
    # Isolates around right-to-left text would lie on two lines; each line gets its own.
    for word in _words(wording.kept_together(text.translate(_ISOLATES)), room):
        joined = f"{kept[-1]} {word}" if kept[-1] else word
        if cell_len(joined) > room:
            kept.append(word)
        else:
            kept[-1] = joined
    for line in kept:
        yield (Span(indent + wording.visible(line.replace("\u00a0", " "), None), style),)


def _words(text: str, room: int) -> Iterator[str]:
    """Yield the words of a text, those that are wider than `room` in pieces that are not."""
    for word in text.split(" "):
        rest = word
        while cell_len(rest) > room:
            # The most characters that fit: some are two columns wide, some none.
            n = next(n for n in range(len(rest), 0, -1) if cell_len(rest[:n]) <= room)
            yield rest[:n]
            rest = rest[n:]
        yield rest


def _whole(table: Table, _width: float) -> Iterator[Line]:
    return _columns(table, [[cell.span(is_short=False) for cell in row] for row in table.rows])


def _short(table: Table, _width: float) -> Iterator[Line]:
    return _columns(table, [[cell.span(is_short=True) for cell in row] for row in table.rows])


def _columns(table: Table, rows: Sequence[Sequence[Span]]) -> Iterator[Line]:
    """Yield a line of titles and a line for each row."""
    titles = [Span(title, "title") for title in table.titles]
    widths = [max(span.width for span in column) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        yield _aligned(row, widths, table.numbers)


def _folded(table: Table, width: float) -> Iterator[Line]:
    """Yield each row's head on lines of its own, and its other cells in columns below."""
    below = Table(table.titles[1:], (), frozenset(number - 1 for number in table.numbers if number))
    cells = [[cell.span(is_short=True) for cell in row[1:]] for row in table.rows]
    titles, *rows = _columns(below, cells)
    yield from wrapped(table.titles[0], width, style="title")
    yield (Span(_GAP), *titles)
    for row, line in zip(table.rows, rows, strict=True):
        yield from wrapped(row[0].text, width, style=row[0].style)
        yield (Span(_GAP), *line)


def _listed(table: Table, width: float) -> Iterator[Line]:
    """Yield each row's head, and below it a line for each of its other cells."""
    widest = max(cell_len(title) for title in table.titles[1:])
    yield from wrapped(table.titles[0], width, style="title")
    for row in table.rows:
        yield from wrapped(row[0].text, width, style=row[0].style or "title")
        for title, cell in zip(table.titles[1:], row[1:], strict=True):
            span = cell.span(is_short=True)
            start = Span(f"{_GAP}{_padded(title, widest)}{_GAP}", "title")
            if start.width + span.width <= width:
                yield (start, span)
                continue
            yield (Span(_GAP + title, "title"),)
            # A number and its interval in brackets: between them, and nowhere else in a number.
            number, bracket, interval = span.text.partition(" (")
            parts = [number, f"({interval}"] if bracket else [number]
            if len(_GAP * 2) + span.width <= width:
                parts = [span.text]
            for part in parts:
                yield from wrapped(part, width, indent=_GAP * 2, style=span.style)


def _aligned(row: Sequence[Span], widths: Sequence[int], numbers: frozenset[int]) -> Line:
    """One line of a table, without spaces at its end."""
    spans: list[Span] = []
    for place, (span, width) in enumerate(zip(row, widths, strict=True)):
        space = " " * (width - span.width)
        before, after = (space, "") if place in numbers else ("", space)
        spans += [Span((_GAP if place else "") + before), span, Span(after)]
    while spans and not spans[-1].text.strip():
        spans.pop()
    return tuple(span for span in spans if span.text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _one_line(text: str) -> str:
    return inert(text).replace("\n", " ")


def text_of(laid: Sequence[Line]) -> str:
    """Lines as plain text."""
    return "\n".join("".join(span.text for span in line) for line in laid)
