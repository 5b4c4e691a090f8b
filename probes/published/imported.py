"""The result of every importer: a header, item rows, and the rows that could not be used."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maskaudit.audit.texts.characters import composed, invisible
from maskaudit.audit.texts.printable import printable
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.languages import ENGLISH
from maskaudit.probes.published.published_files import MISSING, Source

# The columns of an item row, with the value of a column that does not apply.
EMPTY: Mapping[str, Any] = {
    "frame": "",
    "variant": 0,
    "attribute": "",
    "class": "",
    "share": None,
    "group": "",
    "term": "",
    "role": "probe",
    "label": "",
    "pair": "",
    "cluster": "",
    "cluster_2": "",
    "text": "",
    "slot": None,
    "partner": "",
    "target": "",
}
LONGEST_TEXT = 5_000
# A sentence may have tabs, and breaks of lines and paragraphs.
_BREAKS = "\t\n\r\u2028\u2029"
_LONGEST_SHOWN = 200
_NAMED_AT_MOST = 20
_MOST_NOTES = 200


@dataclass(frozen=True)
class Unusable:
    """A row of the file that makes no item: its line (or place in a list), reason and content."""

    line: int
    reason: str
    text: str = ""


@dataclass(frozen=True)
class Imported:
    """A published set as item rows.

    `header` describes the set; `files` gives name and SHA-256 of each file read.
    """

    header: dict[str, Any]
    rows: list[dict[str, Any]]
    unusable: list[Unusable]
    notes: list[str]
    files: list[dict[str, str]] = field(default_factory=list)


class Report:
    """Collects rows left out and remarks while a set is read."""

    def __init__(self, *sources: Source) -> None:
        self.sources = list(sources)
        self.unusable: list[Unusable] = []
        self.notes: list[str] = []

    def refuse(self, line: int, reason: str, text: object = "") -> None:
        """Add a row that makes no item."""
        self.unusable.append(Unusable(line, reason, shown(text)))

    def note(self, remark: str, lines: Iterable[object] = ()) -> None:
        """Add a remark, with the lines it is about; only the first 20 are listed."""
        line_numbers = [str(line) for line in lines]
        listed = ", ".join(line_numbers[:_NAMED_AT_MOST])
        more = len(line_numbers) - _NAMED_AT_MOST
        tail = f" (line {listed}{f' and {more} more' if more > 0 else ''})" if line_numbers else ""
        self.notes.append(remark + tail)

    def imported(self, header: dict[str, Any], rows: list[dict[str, Any]]) -> Imported:
        """Return the set with everything collected; at most 200 remarks are kept."""
        notes = [*(note for source in self.sources for note in source.notes), *self.notes]
        if len(notes) > _MOST_NOTES:
            more = len(notes) - _MOST_NOTES
            notes = [*notes[:_MOST_NOTES], f"and {more} more remarks of this kind"]
        files = [{"name": source.name, "sha256": source.sha256} for source in self.sources]
        unusable = sorted(self.unusable, key=lambda refused: refused.line)
        return Imported(header, rows, unusable, notes, files)


def row(**columns: object) -> dict[str, Any]:
    """Return an item row; `class_` sets the column `class`, omitted columns do not apply."""
    named = {"class" if name == "class_" else name: value for name, value in columns.items()}
    unknown = set(named) - set(EMPTY)
    assert not unknown, f"item rows have no columns {unknown}"  # noqa: S101 - our mistake
    return {**EMPTY, **named}


def header(
    name: str,
    kind: str,
    axis: str,
    files: Sequence[Source],
    **words: object,
) -> dict[str, Any]:
    """Return a set's header; its version contains the digests of the files it was read from.

    `words` are the header's other keys; without `language` it is English.
    """
    digest = "+".join(source.sha256[:12] for source in files) or "unknown"
    defaults = {"share_alike": False, "non_commercial": False, "cite": "", "language": ENGLISH}
    return {
        "name": name,
        "version": f"as published, {digest}",
        "kind": kind,
        "axis": axis,
        **defaults,
        **words,
    }


def licensed(licence: str) -> dict[str, object]:
    """Return what a header says of a licence, with the conditions that an SPDX name has in it."""
    parts = set(re.split(r"[-\s]", licence.upper()))
    return {"licence": licence, "share_alike": "SA" in parts, "non_commercial": "NC" in parts}


def shown(value: object) -> str:
    """Return a short, printable form of a value from a file, for lists that people read."""
    text = value if isinstance(value, str) else "" if value is MISSING else repr(value)
    cut = text[:_LONGEST_SHOWN] + ("…" if len(text) > _LONGEST_SHOWN else "")
    # A file may hold characters that a terminal obeys, so they are escaped.
    return printable(cut, lambda c: c.encode("unicode_escape").decode())


def fault(value: object, *, sentence: bool = False, masks: int = 0) -> str:
    """Return why a cell of a file cannot be used, or "".

    A `sentence` may contain tabs and line breaks, and must contain [MASK] exactly `masks` times.
    """
    if not isinstance(value, str):
        return "is missing" if value is MISSING else f"contains {shown(value)}; expected text"
    if not value.strip():
        return "is empty"
    if len(value) > LONGEST_TEXT:
        return f"has {len(value)} characters; expected at most {LONGEST_TEXT}"
    if found := invisible(value, allowed=_BREAKS if sentence else ""):
        return f"contains the invisible character {found}"
    if sentence and value.count(MASK) != masks:
        return f"contains {MASK} {value.count(MASK)} times; expected {masks}"
    return ""


def faults(cells: Mapping[str, object], *sentences: str) -> str:
    """Return the first unusable cell and why, or ""; `sentences` names the cells with sentences."""
    for name, value in cells.items():
        if why := fault(value, sentence=name in sentences):
            return f"{name} {why}"
    return ""


def name_or(value: object, otherwise: str) -> str:
    """Return the name that the file gives to a row, or `otherwise` if it is not usable."""
    text = str(value).strip() if isinstance(value, str | int) else ""
    return otherwise if fault(text) else composed(text)


def repeated(keys: Iterable[tuple[int, object]]) -> list[tuple[int, int]]:
    """Return (first line, repeating line) for each line whose key occurred before."""
    first: dict[object, int] = {}
    pairs = []
    for line, key in keys:
        if key in first:
            pairs.append((first[key], line))
        else:
            first[key] = line
    return pairs
