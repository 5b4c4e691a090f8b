"""Replace characters in a text that a terminal would obey or not show."""

from collections.abc import Callable


def code_point(character: str) -> str:
    """A character's code point for people to read, such as `<U+001B>` for the escape character."""
    return f"<U+{ord(character):04X}>"


def printable(text: str, escape: Callable[[str], str] = code_point, *, keep: str = "") -> str:
    """Replace each unprintable character, except those in `keep`, by what `escape` returns."""
    return "".join(c if c.isprintable() or c in keep else escape(c) for c in text)
