"""Split a text with separators into rows of fields; a fault costs its own row only."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager

# No limit in practice: files are smaller.
_LARGEST_FIELD = 512 * 2**20


def fields(line: str, mark: str) -> list[str]:
    """Return the names that a header has, without the blanks around them."""
    with _long_fields():
        return [name.strip() for name in next(csv.reader([line], delimiter=mark), [])]


@contextmanager
def _long_fields() -> Iterator[None]:
    """Raise the csv module's field limit, so that an overlong field costs only its own row."""
    before = csv.field_size_limit(_LARGEST_FIELD)
    try:
        yield
    finally:
        # The limit is one for the whole process, whose other code must find it as it was.
        csv.field_size_limit(before)


def rows(all_lines: list[str], mark: str, width: int) -> list[tuple[int, list[str]]]:
    """Return the records after the header; an unclosed quotation mark costs only its own line.

    A record over several lines with a wrong number of fields is taken as an unclosed mark: its
    first line is returned as it is, and reading restarts at the next.
    """
    records = []
    start = 1
    with _long_fields():
        while start < len(all_lines):
            reader = csv.reader(_lines_from(all_lines, start), delimiter=mark)
            # Without an unclosed quotation mark the reader takes all lines that are left.
            begin, restart = start, len(all_lines)
            for fields in reader:
                # `line_num` counts the lines of this reader, which began at `start`.
                end = start + reader.line_num
                if end - begin > 1 and len(fields) != width:
                    records.append((begin + 1, [all_lines[begin].rstrip("\r\n")]))
                    restart = begin + 1
                    break
                records.append((begin + 1, fields))
                begin = end
            start = restart
    return records


def _lines_from(all_lines: list[str], start: int) -> Iterator[str]:
    # No slice, which would copy all that is left at every new start.
    for index in range(start, len(all_lines)):
        yield all_lines[index]
