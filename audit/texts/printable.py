"""Replace characters in a text that a terminal would obey or not show."""

from collections.abc import Callable

from maskaudit.audit.texts.characters import unseen


def code_point(character: str) -> str:
    """A character's code point for people to read, such as `<U+001B>` for the escape character."""
    return f"<U+{ord(character):04X}>"


def printable(text: str, escape: Callable[[str], str] = code_point, *, keep: str = "") -> str:
    """Replace what cannot be seen or printed, except characters in `keep`, by what `escape` says.

    That is every unseen character (`characters.unseen`), and any space but the plain one.
    """
    if text.isascii() and text.isprintable():
        return text  # the common case
    return "".join(
        c if c in keep or (c.isprintable() and not unseen(c)) else escape(c) for c in text
    )
