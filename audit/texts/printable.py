"""Replace characters in a text that a terminal would obey or not show."""

import json
import re
from collections.abc import Callable
from unicodedata import bidirectional

from maskaudit.audit.texts.characters import unseen

_ISOLATED = re.compile("(\u2068[^\u2068\u2069]*\u2069)")


def code_point(character: str) -> str:
    """A character's code point for people to read, such as `<U+001B>` for the escape character."""
    return f"<U+{ord(character):04X}>"


def inert(text: str, escape: Callable[[str], str] = code_point) -> str:
    """Text of several lines with every unseen character replaced by what `escape` returns.

    Kept are spaces, ends of lines, and pairs of isolates around right-to-left text, by which
    `reports.words.wording.visible` sets it apart. It is the last door of what is printed or on a
    page: parts of the text were made visible before, each by itself.
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text  # the common case
    return "".join(
        part if number % 2 and _turns(part) else _without_unseen(part, escape)
        for number, part in enumerate(_ISOLATED.split(text))
    )


def _turns(text: str) -> bool:
    inner = text[1:-1]
    # Other pairs are not ours, and nothing unseen may hide between two that are.
    return any(bidirectional(c) in {"R", "AL", "AN"} for c in inner) and not any(map(unseen, inner))


def _without_unseen(text: str, escape: Callable[[str], str]) -> str:
    return "".join(c if c == "\n" or not unseen(c) else escape(c) for c in text)


def printable(text: str, escape: Callable[[str], str] = code_point, *, keep: str = "") -> str:
    """Replace what cannot be seen or printed, except characters in `keep`, by what `escape` says.

    That is every unseen character (`characters.unseen`), and any space but the plain one.
    """
    if text.isascii() and text.isprintable():
        return text  # the common case
    return "".join(
        c if c in keep or (c.isprintable() and not unseen(c)) else escape(c) for c in text
    )


def json_text(value: object) -> str:
    """A value as JSON in several lines, in which what cannot be seen or printed is a JSON escape.

    Whoever reads the JSON gets every text as it was.
    """
    # Not `ensure_ascii`: letters of every script that can be seen stay readable.
    return printable(json.dumps(value, indent=1, ensure_ascii=False), _json_escape, keep="\n")


def _json_escape(character: str) -> str:
    # By the library, since a character beyond U+FFFF takes two escapes in JSON.
    return json.dumps(character)[1:-1]
