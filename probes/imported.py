"""What every importer hands back: a header, item rows, and what could not be used."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maskaudit.audit.printable import printable
from maskaudit.probes.published_files import Source
from maskaudit.probes.sentence import MASK

# The columns of an item row, and what stands in one that does not apply.
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
_LONGEST_SHOWN = 200
_NAMED_AT_MOST = 20
_MOST_NOTES = 200
_SOFT_HYPHEN = "\u00ad"
# Zero-width joiners are letters' business in Persian and the Indic scripts.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Unusable:
    """A row of the file that makes no item: its line (or place in a list), why, what it says."""

    line: int
    reason: str
    text: str = ""


@dataclass(frozen=True)
class Imported:
    """A published set as item rows; `header` is what the set says of itself."""

    header: dict[str, Any]
    rows: list[dict[str, Any]]
    unusable: list[Unusable]
    notes: list[str]
    files: list[dict[str, str]] = field(default_factory=list)


class Report:
    """What is found while a set is read: rows left out, and remarks that the record keeps."""

    def __init__(self, *sources: Source) -> None:
        self.sources = list(sources)
        self.unusable: list[Unusable] = []
        self.notes: list[str] = []

    def refuse(self, line: int, reason: str, text: object = "") -> None:
        """A row that makes no item."""
        self.unusable.append(Unusable(line, reason, shown(text)))

    def note(self, what: str, lines: Iterable[object] = ()) -> None:
        """A remark, with the lines it is about."""
        places = [str(line) for line in lines]
        named = ", ".join(places[:_NAMED_AT_MOST])
        more = len(places) - _NAMED_AT_MOST
        tail = f" (line {named}{f' and {more} more' if more > 0 else ''})" if places else ""
        self.notes.append(what + tail)

    def imported(self, header: dict[str, Any], rows: list[dict[str, Any]]) -> Imported:
        """All of it together."""
        notes = [*(note for source in self.sources for note in source.notes), *self.notes]
        if len(notes) > _MOST_NOTES:
            more = len(notes) - _MOST_NOTES
            notes = [*notes[:_MOST_NOTES], f"and {more} more remarks of this kind"]
        files = [{"name": source.name, "sha256": source.sha256} for source in self.sources]
        unusable = sorted(self.unusable, key=lambda one: one.line)
        return Imported(header, rows, unusable, notes, files)


def row(**columns: object) -> dict[str, Any]:
    """An item row; `class_` stands for the column `class`, what is left out does not apply."""
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
    """What a set says of itself; its version is the digest of the files it was read from."""
    digest = "+".join(source.sha256[:12] for source in files) or "unknown"
    told = {"share_alike": False, "non_commercial": False, "cite": "", **words}
    return {"name": name, "version": f"as published, {digest}", "kind": kind, "axis": axis, **told}


def shown(value: object) -> str:
    """A short, printable form of what a file says, for lists that people read."""
    text = value if isinstance(value, str) else repr(value)
    cut = text[:_LONGEST_SHOWN] + ("…" if len(text) > _LONGEST_SHOWN else "")
    return printable(cut, lambda c: c.encode("unicode_escape").decode())


def fault(value: object, *, sentence: bool = False, masks: int = 0) -> str:
    """Why a cell of a file cannot be used, or nothing; a sentence may hold tabs and line breaks."""
    if not isinstance(value, str):
        return f"holds {shown(value)}; expected text"
    if not value.strip():
        return "is empty"
    if len(value) > LONGEST_TEXT:
        return f"has {len(value)} characters; expected at most {LONGEST_TEXT}"
    for character in value:
        allowed = _JOINERS + _SOFT_HYPHEN + ("\t\n\r" if sentence else "")
        if unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character not in allowed:
            return f"holds the invisible character U+{ord(character):04X}"
    if sentence and value.count(MASK) != masks:
        return f"holds {MASK} {value.count(MASK)} times; expected {masks}"
    return ""


def faults(cells: Mapping[str, object], *sentences: str) -> str:
    """The first cell that cannot be used and why, or nothing; those named hold sentences."""
    for name, value in cells.items():
        if why := fault(value, sentence=name in sentences):
            return f"{name} {why}"
    return ""


def name_or(value: object, otherwise: str) -> str:
    """A name the file gives to a row, or another where that is none."""
    text = str(value).strip() if isinstance(value, str | int) else ""
    return otherwise if fault(text) else text


def repeated(keys: Iterable[tuple[int, object]]) -> list[tuple[int, int]]:
    """Lines that say what an earlier line said, with the first line that did."""
    first: dict[object, int] = {}
    found = []
    for line, key in keys:
        if key in first:
            found.append((first[key], line))
        else:
            first[key] = line
    return found
