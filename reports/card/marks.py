"""The addendum's place in a card: between two marks, which are comments that no reader sees."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maskaudit.audit.errors import InputError

BEGIN, END = "<!-- maskaudit card: begin -->", "<!-- maskaudit card: end -->"
NOTE = (
    "<!-- Written by `maskaudit card apply`, which replaces all between these two marks. What is "
    "above and below them is yours. -->"
)
# Ends of lines as Markdown has them, and no others, as `str.splitlines` would.
_BREAK = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\n|\r|\Z)")
# What is indented further is code.
_MARK = re.compile(rf" {{0,3}}({re.escape(BEGIN)}|{re.escape(END)})[ \t]*")
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}(?=[^`]*\Z)|~{3,})(?P<info>.*)")
_COMMENT = re.compile(r" {0,3}<!--(?!.*-->)")
_HEADING = re.compile(r" {0,3}(?P<level>#{1,6})(?P<title>[ \t].*|)")
_CODE, _IN_COMMENT, _OURS = "a block of code", "a comment", "ours"


@dataclass(frozen=True)
class Place:
    """Where the addendum goes in a text, marks included: from one character to another.

    `is_new` says that there are no marks yet. `inside` is the level of the heading of the section
    that it stands in, 0 where it brings its own.
    """

    start: int
    end: int
    is_new: bool
    inside: int


@dataclass(frozen=True)
class _Line:
    """A line without its end; `hidden` says in what it is no text to a reader, if in anything."""

    number: int
    text: str
    start: int
    hidden: str

    @property
    def end(self) -> int:
        """The place behind its last character."""
        return self.start + len(self.text)


def place(text: str, title: str, name: str, start: int = 0) -> Place:
    """The place of the addendum in a card, whose own section on risks has the heading `title`.

    That is between the marks if there are any; else the end of that section; else the end of the
    card. `start` is where the card's metadata ends. Raises `InputError`, which begins with `name`,
    for marks that are no pair, and for a card at whose end nothing would be seen.
    """
    lines = list(_lines(text, start))
    if pair := _pair([line for line in lines if _MARK.fullmatch(line.text)], name):
        begin, end = pair
        # Without the lines of the addendum, whose headings are not the card's own.
        others = [line for line in lines if not begin.start <= line.start <= end.start]
        level, first, last = _section(others, title, len(text)) or (0, 0, 0)
        inside = level if first < begin.start < last else 0
        return Place(begin.start, end.end, is_new=False, inside=inside)
    if section := _section(lines, title, len(text)):
        level, _, last = section
        return Place(last, last, is_new=True, inside=level)
    if lines[-1].hidden:
        raise InputError(f"{name}: ends in {lines[-1].hidden} that is not closed; close it first")
    return Place(len(text), len(text), is_new=True, inside=0)


def marked(body: str) -> str:
    """The addendum between its marks."""
    return f"{BEGIN}\n{NOTE}\n\n{body}\n{END}"


def placed(text: str, where: Place, block: str, newline: str) -> str:
    """The text with the addendum in its place, and an empty line around it where it is new."""
    before, after = text[: where.start], text[where.end :]
    block = block.replace("\n", newline)
    if not where.is_new:
        return before + block + after
    if before:
        blank = before[len(before.rstrip(" \t\r\n")) :]
        ends, unended = len(_BREAK.findall(blank)), blank.endswith((" ", "\t"))
        # A mark stands on a line of its own, also where the last line is blank and not empty.
        block = newline * max(2 - ends, int(unended)) + block
    return before + block + newline * (2 if after else 1) + after


def _lines(text: str, start: int) -> Iterator[_Line]:
    """The lines of a text from a place on; the last has no character, and is what would follow."""
    first = len(_BREAK.findall(text[:start])) + 1
    state, fence = "", ""
    for number, found in enumerate(_LINE.finditer(text, start), first):
        line, before = found[1], state
        state, fence = _after(line, state, fence)
        hidden = next((word for word in (before, state) if word in {_CODE, _IN_COMMENT}), "")
        yield _Line(number, line, found.start(), hidden)


def _after(line: str, state: str, fence: str) -> tuple[str, str]:
    """In what the next line is, and the fence that ends that if it is code: CommonMark 4.5, 4.6."""
    mark, opening = _MARK.fullmatch(line), _FENCE.fullmatch(line)
    if state == _CODE:
        closes = opening and opening["fence"].startswith(fence) and not opening["info"].strip()
        return ("", "") if closes else (state, fence)
    if state == _IN_COMMENT:
        return ("", "") if "-->" in line else (state, "")
    if state == _OURS:
        # What stands between our marks opens nothing that would hide the end of it.
        return ("", "") if mark and mark[1] == END else (state, "")
    if mark and mark[1] == BEGIN:
        return _OURS, ""
    if opening:
        return _CODE, opening["fence"]
    return (_IN_COMMENT, "") if _COMMENT.match(line) else ("", "")


def _pair(marks: Sequence[_Line], name: str) -> tuple[_Line, _Line] | None:
    """The two marks, None where there are none. Raises `InputError` for anything else."""
    open_: _Line | None = None
    pairs = []
    for line in marks:
        where = f"{name}: line {line.number}"
        if line.hidden:
            raise InputError(
                f"{where}: a mark of the addendum stands in {line.hidden}; move it out of it"
            )
        if BEGIN in line.text:
            if open_ is not None:
                raise InputError(
                    f"{where}: the addendum begins again, and that of line {open_.number} has not "
                    "ended; leave one mark of each kind"
                )
            open_ = line
        elif open_ is None:
            raise InputError(
                f"{where}: the addendum ends and has not begun; put {BEGIN} above it, or remove it"
            )
        else:
            pairs.append((open_, line))
            open_ = None
    if open_ is not None:
        raise InputError(
            f"{name}: line {open_.number}: the addendum has no end; put {END} below it, or remove "
            "the mark"
        )
    if len(pairs) > 1:
        lines = " and ".join(str(begin.number) for begin, _ in pairs[:2])
        raise InputError(f"{name}: has two addenda, at lines {lines}; remove one with its marks")
    return pairs[0] if pairs else None


def _section(lines: Sequence[_Line], title: str, length: int) -> tuple[int, int, int] | None:
    """The level of the first heading with this title, its place, and where its section ends.

    A section ends where the next heading of its level or a higher one begins, else with the text.
    """
    found: tuple[int, int] | None = None
    for line in lines:
        heading = None if line.hidden else _HEADING.fullmatch(line.text)
        if heading is None:
            continue
        level = len(heading["level"])
        if found is not None and level <= found[0]:
            return (*found, line.start)
        if found is None and _words(heading["title"]) == _words(title):
            found = level, line.start
    return None if found is None else (*found, length)


def _words(title: str) -> list[str]:
    """The words of a title, whatever their case and what stands between them."""
    return re.findall(r"\w+", title.lower())
