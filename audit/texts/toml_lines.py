"""Find the line of each value in a TOML file that `tomllib` has read without an error."""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping

Place = tuple[str | int, ...]

_TOKEN = re.compile(
    # Strings of several lines come first: otherwise the opening quotes would match as an empty
    # string. TOML allows up to two quotes just before the closing three.
    r'"""(?:\\.|(?!""")[^\\])*"{3,5}'
    r"|'''(?:(?!''').)*'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*|\n|[\[\]{},=.]|[^\S\n]+|[^\s\[\]{},=.\"'#]+",
    re.DOTALL,
)
_ENDS = {"\n", ",", "]", "}"}


def lines(source: str) -> Mapping[Place, int]:
    """The line, from 1, of each key and entry by its place, such as `("gate", 0, "margin")`."""
    try:
        # tomllib reads \r\n as \n, too.
        return _Scan(source.replace("\r\n", "\n")).line_by_place
    except (IndexError, RecursionError):  # messages lack line numbers, but none is lost
        return {}


def line_of(place: Place, known_lines: Mapping[Place, int]) -> int | None:
    """The line of the place, or of the nearest table or list around it; None if unknown."""
    for length in range(len(place), 0, -1):
        if place[:length] in known_lines:
            return known_lines[place[:length]]
    return None


class _Scan:
    """One pass over the tokens; a value's place consists of its header, keys and indices."""

    def __init__(self, source: str) -> None:
        self.line_by_place: dict[Place, int] = {}
        self._tokens: list[tuple[str, int]] = []
        line = 1
        for match in _TOKEN.finditer(source):
            text = match[0]
            # Comments and spaces are dropped, but a newline ends a value.
            if not text.startswith("#") and (text == "\n" or not text.isspace()):
                self._tokens.append((text, line))
            line += text.count("\n")
        # A file may end without a newline, and every value is read up to one.
        self._tokens.append(("\n", line))
        self._at = 0
        self._entries: Counter[Place] = Counter()
        self._document()

    @property
    def _text(self) -> str:
        return self._tokens[self._at][0]

    def _document(self) -> None:
        table: Place = ()
        while self._at < len(self._tokens):
            if self._text == "\n":
                self._at += 1
            elif self._text == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Place:
        line = self._tokens[self._at][1]
        is_entry = self._tokens[self._at + 1][0] == "["
        self._at += 2 if is_entry else 1
        *outer, last = self._keys("]")
        self._at += 2 if is_entry else 1
        place: Place = ()
        for key in outer:
            # `setdefault`: a table is where it is first named, even if only as the parent of
            # another.
            self.line_by_place.setdefault((*place, key), line)
            place = self._last_entry((*place, key))
        place = (*place, last)
        if is_entry:
            self.line_by_place.setdefault(place, line)
            self._entries[place] += 1
        place = self._last_entry(place)
        self.line_by_place.setdefault(place, line)
        return place

    def _last_entry(self, place: Place) -> Place:
        """The last table of the place if it is a list of tables, else the place itself."""
        number = self._entries[place]
        return (*place, number - 1) if number else place

    def _keys(self, end: str) -> list[str]:
        """The keys of a dotted name, up to the token that ends it."""
        start = self._at
        while self._text != end:
            self._at += 1
        # tomllib resolves quotes and escapes in the keys.
        nested = tomllib.loads("".join(text for text, _ in self._tokens[start : self._at]) + " = 0")
        keys = []
        inner: object = nested
        while isinstance(inner, dict):
            [(key, inner)] = inner.items()
            keys.append(key)
        return keys

    def _pair(self, table: Place) -> None:
        line = self._tokens[self._at][1]
        place = table
        for key in self._keys("="):
            place = (*place, key)
            self.line_by_place.setdefault(place, line)
        self._at += 1
        self._value(place)

    def _value(self, place: Place) -> None:
        self.line_by_place.setdefault(place, self._tokens[self._at][1])
        if self._text == "[":
            self._inside("]", place)
        elif self._text == "{":
            self._inside("}", place)
        else:
            # A number or a date may be several tokens, parted at its dots or its space.
            while self._text not in _ENDS:
                self._at += 1

    def _inside(self, end: str, place: Place) -> None:
        """Scan a list or an inline table, from its opening bracket past its closing one."""
        self._at += 1
        number = 0
        while self._text != end:
            if self._text in {"\n", ","}:
                self._at += 1
            elif end == "}":
                self._pair(place)
            else:
                self._value((*place, number))
                number += 1
        self._at += 1
