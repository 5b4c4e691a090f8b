"""Rows of masked text, in the shape of `rcds/wikipedia-for-mask-filling`, from a table."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.characters import composed
from maskaudit.probes.published.published_files import Record
from maskaudit.probes.published.soft_hyphens import without
from maskaudit.probes.texts.masked import LONGEST_TEXT, Losses, MaskedText, masked_text

# Where the data names no column of documents: what the rows of one article share.
_DOCUMENT = "id"
_LONGEST_NAME = 100


def of_records(
    records: Iterable[Record], named: Mapping[str, str], losses: Losses
) -> Iterator[MaskedText]:
    """Yield the texts of rows under our names (`source.COLUMNS`), each text once.

    A column of groups counts only where it is among those that the user `named`.
    """
    seen: set[str] = set()
    for number, record in records:
        text = record.get("texts")
        text = composed(without(text)) if isinstance(text, str) else text
        found = masked_text(
            number,
            _label(record.get("document", record.get(_DOCUMENT))) or f"row {number}",
            text,
            _answers(record.get("masks")),
            _groups(record.get("group") if "group" in named else None),
            losses,
        )
        if found is None:
            continue
        if found.text in seen:
            losses.row(number, "an earlier row has the same text")
            continue
        seen.add(found.text)
        yield found


def _answers(cell: object) -> list[object]:
    """The answers in a cell: a list, a list written as text, or a text that is the only one."""
    if isinstance(cell, list | tuple):
        return [_clean(answer) for answer in cell]
    if not isinstance(cell, str):
        return []
    listed = _written_list(cell)
    return [_clean(cell)] if listed is None else [_clean(answer) for answer in listed]


def _written_list(text: str) -> list[Any] | None:
    """The list that a cell of a CSV file holds, as JSON or as Python writes it; None for none."""
    # Longer than any text: Python's own reader has no bound on how deep a list is nested.
    if not text.lstrip().startswith("[") or len(text) > LONGEST_TEXT:
        return None
    try:
        value = bounded.json_value(text)
    except ValueError:
        try:
            value = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return value if isinstance(value, list) else None


def _groups(cell: object) -> list[str]:
    """The group of all masks of a row, or of each."""
    if isinstance(cell, list | tuple):
        return [_label(group) for group in cell]
    return [_label(cell)]


def _label(value: object) -> str:
    """The name of a group or a document, on one line and without bars; "" for none."""
    if not isinstance(value, str | int | float) or value != value:  # noqa: PLR0124 - NaN is none
        return ""
    # A method key has bars between its parts.
    return " ".join(composed(str(value)).replace("|", "/").split())[:_LONGEST_NAME]


def _clean(answer: object) -> object:
    return composed(without(answer)) if isinstance(answer, str) else answer
