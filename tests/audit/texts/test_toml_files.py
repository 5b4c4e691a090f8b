"""One reader for the TOML files that people write, and the line of each fault."""

import tomllib

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import toml_files
from maskaudit.audit.texts.printable import printable
from maskaudit.audit.texts.text_files import decoded
from maskaudit.audit.texts.toml_lines import line_of, lines

MARKED = '''\
# [not.a.table]
a = 1 #2
"b.c" = """x
[y] = "z"
"""  #3
[set] #6
l = [ #7
  "one", #8
  { text = "t]{", n = [1, #9
    2] }, #10
  'x#', # [
]
d.e = 3 #13
[[gate]] #14
id = 'y' #15
[gate.select] #16
at = 1979-05-27 07:32:00 #17
[[gate]] #18
margin = 1.5 #19
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("a",), 2),
        (("b.c",), 3),
        (("set",), 6),
        (("set", "l"), 7),
        (("set", "l", 0), 8),
        (("set", "l", 1, "n"), 9),
        (("set", "l", 1, "n", 1), 10),
        (("set", "l", 2), 11),
        (("set", "d", "e"), 13),
        (("gate",), 14),
        (("gate", 0, "id"), 15),
        (("gate", 0, "select"), 16),
        (("gate", 0, "select", "at"), 17),
        (("gate", 1), 18),
        (("gate", 1, "margin"), 19),
        (("gate", 1, "reason"), 18),  # what is missing is missing from the table
        (("nothing",), None),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_place_has_the_line_that_it_stands_on(place, line, end):
    """Through strings, comments and dates that look like tables, and with either end of line."""
    assert line_of(place, lines(MARKED.replace("\n", end))) == line


PLAIN = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8)
VALUES = st.recursive(
    PLAIN.filter(lambda value: value is not None),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


def places(value, place=()):
    """Every key and entry of a value, by walking through it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inner:
        yield (*place, key)
        if isinstance(part, dict | list):
            yield from places(part, (*place, key))


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5), st.booleans())
def test_every_place_of_any_file_is_found(value, multiline):
    """Whatever a writer makes of the values, the scan meets the places that the reader does."""
    source = tomli_w.dumps(value, multiline_strings=multiline)
    assert set(lines(source)) == set(places(tomllib.loads(source)))


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5))
def test_what_is_written_is_read_again_and_shows_all(value):
    """Characters that a terminal would obey or hide are written as escapes."""
    text = toml_files.dumps(value)
    assert tomllib.loads(text) == value
    assert all(c.isprintable() or c == "\n" for c in text)


def test_what_is_not_printable_is_written_as_asked():
    """As a code point, unless told otherwise; what is kept is kept."""
    assert printable("a\x1b[31m\n") == "a<U+001B>[31m<U+000A>"
    assert printable("a\x1bb\n", lambda _c: "?", keep="\n") == "a?b\n"


@pytest.mark.parametrize("text", ["", "plain", "Él 漢", "a\nb"])
def test_utf_8_is_read_with_and_without_a_mark(text):
    """Some editors write one."""
    assert decoded(text.encode(), "x") == decoded(text.encode("utf-8-sig"), "x") == text


@given(st.binary(max_size=40))
def test_bytes_are_text_or_one_line(content):
    """Which names the file and says what was expected."""
    try:
        text = decoded(content, "a file")
    except InputError as error:
        [line] = str(error).splitlines()
        assert line.startswith("a file: ")
        assert line.endswith("expected a file saved as UTF-8")
        assert line.isprintable()
    else:
        assert text.encode() == content.removeprefix(b"\xef\xbb\xbf")
