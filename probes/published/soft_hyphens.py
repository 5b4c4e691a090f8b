"""Soft hyphens of published texts: where lines may break, and so of no word's spelling."""

import re
from collections.abc import Iterable

from maskaudit.audit.texts.characters import SOFT_HYPHEN

_NAMED_AT_MOST = 20
# The character, or as JSON and Python write it in a string.
_WRITTEN = re.compile(rf"{SOFT_HYPHEN}|\\u00ad|\\xad", re.IGNORECASE)


def without(text: str) -> str:
    """The text without its soft hyphens."""
    return text.replace(SOFT_HYPHEN, "")


def note(rows: Iterable[tuple[int, object]]) -> list[str]:
    """A note on the lines or records that have soft hyphens, which are removed; else none."""
    found = [number for number, content in rows if _WRITTEN.search(str(content))]
    if not found:
        return []
    numbers = ", ".join(map(str, found[:_NAMED_AT_MOST]))
    more = f" and {len(found) - _NAMED_AT_MOST} more" if len(found) > _NAMED_AT_MOST else ""
    return [f"soft hyphens are removed (line {numbers}{more})"]
