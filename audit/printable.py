"""Text without what a terminal would obey or not show, each such character written as asked."""

from collections.abc import Callable


def code_point(character: str) -> str:
    """`<U+001B>` for the escape character: for people."""
    return f"<U+{ord(character):04X}>"


def printable(text: str, written: Callable[[str], str] = code_point, *, keep: str = "") -> str:
    """The text with every character that is not printable written by `written`, but for `keep`."""
    return "".join(c if c.isprintable() or c in keep else written(c) for c in text)
