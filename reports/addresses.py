"""Addresses on a page of all numbers: of rows and of definitions, the same in every run."""

import re
from collections.abc import Sequence

from maskaudit.reports.blocks import Cell, Named, Words
from maskaudit.reports.words.definitions import title_of

# An address that is longer is no easier to read, and words may be as long as their writers wish.
_LONGEST = 40


class Addresses:
    """The addresses of one page: each is given once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def row(self, table: str, group: str, row: Sequence[str | Cell | Words]) -> str:
        """The address of a row: its table, its group and its head; a number follows if given.

        What it says of models is their role, so that another student has the same addresses.
        """
        first = row[0]
        head = first.text if isinstance(first, Cell) else first
        parts = [part for part in map(word, (group, head)) if part]
        own = address = ".".join([table, *parts])
        count = 1
        while address in self._given:
            count += 1
            address = f"{own}.{count}"
        self._given.add(address)
        return address


def of_number(name: str) -> str:
    """The address of the definition of a number in the glossary."""
    return f"number-{_slug(title_of(name))}"


def word(head: object) -> str:
    """What an address has of a group of rows, of the head of a row, or of that of a column."""
    if isinstance(head, Named) and head.address:
        return head.address
    return _slug(head) if isinstance(head, str) else ""


def _slug(text: str) -> str:
    """Letters and digits of any script, and hyphens: what needs no escape in a page."""
    return re.sub(r"[\W_]+", "-", text).strip("-").lower()[:_LONGEST].rstrip("-")


__all__ = ["Addresses", "of_number", "word"]
