"""Text that Markdown shows literally, and in which GitHub links and replaces nothing."""

import re
from collections.abc import Iterator
from itertools import count

from maskaudit.audit.texts import printable
from maskaudit.reports.words import wording

# A word with the brackets, quotation marks and stops around it; none of these is read as anything
# else. The two marks are those by which `wording.visible` sets right-to-left text apart.
_WORD = re.compile(
    r"""(?P<before>["'(“\u2018\u2068]*)(?P<word>.*?)(?P<after>[.,;:!?)"'”’…\u2069]*)""", re.DOTALL
)
# What no rule of Markdown or of GitHub reads as anything else: letters with their accents, in parts
# joined by an apostrophe or a hyphen, or a number.
_LETTERS = r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*"
_PLAIN = re.compile(
    rf"(?:{_LETTERS}(?:['’-]{_LETTERS})*|[+−-]?\d{{1,3}}(?:,\d{{3}})*(?:\.\d{{1,6}})?|\d{{4}}"
    r"|\.\d{1,6}|[–%<=])?"
)
# GitHub takes seven and more such digits for the name of a commit.
_COMMIT = re.compile(r"[0-9a-f]{7,}", re.IGNORECASE)
# What opens a list at the beginning of a line: a number with its stop.
_OPENS_LIST = re.compile(r"\d{1,9}[.)]")
# What marks a name: two characters that are nobody's, which are shown as unseen in foreign text.
_NAME, _NAME_END = "\ue000", "\ue001"
_NAMED = re.compile(f"{_NAME}([^{_NAME}{_NAME_END}]*){_NAME_END}")
# A name in a sentence: with a genitive, or with what may stand around a word.
_AROUND_NAME = re.compile(
    rf"""(?P<before>["'(“]*){_NAME}(?P<after>(?:’s)?[.,;:!?)"'”’…]*)""", re.DOTALL
)


def named(name: str) -> str:
    """A name that `inert` shows as one, in a code span of its own.

    Any words may be a name, and would otherwise be read as a part of our sentence.
    """
    return f"{_NAME}{name}{_NAME_END}"


def inert(text: str) -> str:
    """A line of text that Markdown shows literally, and in which nothing is linked or replaced.

    GitHub links addresses, e-mails, issues, commits and names in text, and replaces emoji codes and
    formulas. It does so after entities are resolved, so escaping does not stop it; it leaves code
    alone. So every word that is not plainly a word or a number stands in a code span.
    """
    # Foreign text is visible already, in one line; this is the door that none gets past.
    line = text.replace("\n", " ")
    parts = [printable.inert(part, wording.code_point) for part in _NAMED.split(line)]
    names = iter(parts[1::2])
    words = [word for word in _NAME.join(parts[::2]).split(" ") if word]
    shown = [_with_name(word, names) if _NAME in word else _word(word) for word in words]
    if words and _OPENS_LIST.fullmatch(words[0]):
        shown[0] = code(words[0])
    return " ".join(shown)


def _with_name(word: str, names: Iterator[str]) -> str:
    """A word that holds the next of these names, or several of them."""
    if around := _AROUND_NAME.fullmatch(word):
        return f"{around['before']}{code(next(names))}{around['after']}"
    return code(re.sub(_NAME, lambda _: next(names), word))


def cell(text: str) -> str:
    """The same for a cell of a table."""
    # A bar ends a cell even in a code span, unless it is escaped.
    return inert(text).replace("|", r"\|")


def _word(text: str) -> str:
    match = _WORD.fullmatch(text)
    assert match  # noqa: S101 - each of its parts may be empty, and the second be anything
    before, word, after = match.groups()
    is_plain = _PLAIN.fullmatch(word) and not _COMMIT.fullmatch(word)
    return text if is_plain else f"{before}{code(word)}{after}"


def code(text: str) -> str:
    """Text as a code span: between more backticks than stand together in it."""
    runs = {len(run) for run in re.findall("`+", text)}
    fence = "`" * next(length for length in count(1) if length not in runs)
    # One space inside is taken away at both ends; without it a backtick there would join the fence.
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"
