"""Imported sets as folders: written completely or not at all, and read back."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.files import unfinished, writing
from maskaudit.audit.texts import bounded, toml_files
from maskaudit.audit.texts.text_files import read_text
from maskaudit.probes.languages import ENGLISH, EXAMPLES, well_formed
from maskaudit.probes.published.imported import EMPTY, Imported, Unusable

FORMAT = 1  # 1: set.toml, rows.jsonl, unusable.jsonl
_SET, _ROWS, _UNUSABLE = "set.toml", "rows.jsonl", "unusable.jsonl"
_HEADER: Mapping[str, type] = {
    "name": str,
    "version": str,
    "kind": str,
    "axis": str,
    "title": str,
    "question": str,
    "how_to_read": str,
    "limits": str,
    "licence": str,
    "sources": list,
    "share_alike": bool,
    "non_commercial": bool,
    "cite": str,
}
KINDS = ("pairs", "triples", "association", "completions", "words", "sentences")


def write(imported: Imported, folder: str | Path) -> Path:
    """Write a set to a new folder; raises `InputError` if the folder already exists."""
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder}: already exists; choose a new folder")
    unusable = [vars(row) for row in imported.unusable]
    with unfinished(folder.parent) as scratch, writing(folder):
        part = scratch / folder.name
        part.mkdir()
        # LF on every system, so that the same set is the same bytes.
        (part / _ROWS).write_text(_json_lines(imported.rows), "utf-8", newline="\n")
        (part / _UNUSABLE).write_text(_json_lines(unusable), "utf-8", newline="\n")
        (part / _SET).write_text(_toml(imported), "utf-8", newline="\n")
        part.rename(folder)
    return folder


def read(folder: str | Path) -> Imported:
    """Read the set in a folder; raises an `InputError` that names every fault."""
    folder = Path(folder)
    content = _content(folder)
    header = content.get("set")
    faults = list(_header_faults(header))
    rows = []
    for line, value in _values(folder / _ROWS):
        if why := _row_fault(value):
            faults.append(f"{_ROWS}, line {line}: {why}")
        rows.append(value)
    unusable = []
    for line, value in _values(folder / _UNUSABLE):
        try:
            unusable.append(Unusable(**value))
        except TypeError:
            faults.append(f"{_UNUSABLE}, line {line}: expected line, reason and text")
    counts = content.get("counts", {})
    # Every line is checked by itself; only the counts show that lines are missing.
    if not faults and counts != {"rows": len(rows), "unusable": len(unusable)}:
        faults.append(f"{_SET}: counts are {counts}; found {len(rows)} and {len(unusable)} rows")
    if faults:
        raise InputError(*(f"{folder}: {fault}" for fault in faults))
    assert isinstance(header, dict)  # noqa: S101 - no fault of the header was found
    notes = content.get("import", {}).get("notes", [])
    return Imported(header, rows, unusable, notes, content.get("files", []))


def _content(folder: Path) -> Mapping[str, Any]:
    content = toml_files.document(folder / _SET, "the folder of an imported set").raw
    format_ = content.get("format")
    if format_ != FORMAT:
        raise InputError(f"{folder / _SET}: format is {format_!r}; this version reads {FORMAT}")
    for name, kind in (("import", dict), ("counts", dict), ("files", list)):
        if not isinstance(content.get(name, kind()), kind):
            raise InputError(
                f"{folder / _SET}: {name!r} does not have the expected form; import the set again"
            )
    return content


def _header_faults(header: object) -> Iterator[str]:
    if not isinstance(header, dict):
        yield f"{_SET}: [set] is missing"
        return
    language = header.get("language", ENGLISH)
    if not isinstance(language, str) or not well_formed(language):
        yield f"{_SET}: set.language is {language!r}; expected a BCP 47 tag, {EXAMPLES}"
    for name, kind in _HEADER.items():
        if not isinstance(header.get(name), kind):
            yield f"{_SET}: set.{name} is {header.get(name)!r}; expected {kind.__name__}"
    if header.get("kind") not in KINDS:
        yield f"{_SET}: set.kind is {header.get('kind')!r}; expected {', '.join(KINDS)}"


def _row_fault(value: object) -> str:
    """Return why a value is not an item row, or ""."""
    if not isinstance(value, dict) or set(value) != set(EMPTY):
        return f"expected the columns {', '.join(EMPTY)}"
    for name, empty in EMPTY.items():
        cell = value[name]
        # In Python, bool is a subclass of int.
        whole = isinstance(cell, int) and not isinstance(cell, bool)
        if name == "share":
            fits = cell is None or (isinstance(cell, float | int) and math.isfinite(cell))
        elif name == "slot":
            fits = cell is None or (whole and cell >= 0)
        else:
            fits = whole if isinstance(empty, int) else isinstance(cell, str)
        if not fits:
            return f"{name} is {cell!r}"
    return ""


def _values(path: Path) -> Iterator[tuple[int, Any]]:
    source = read_text(path, most=bounded.PUBLISHED)
    for line, text in enumerate(source.splitlines(keepends=False), start=1):
        try:
            yield line, bounded.json_value(text)
        except ValueError as error:
            raise InputError(f"{path}, line {line}: is not valid JSON") from error


def _json_lines(rows: list[dict[str, Any]]) -> str:
    # ASCII, because some readers end a line at U+2028 and similar characters.
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)


def _toml(imported: Imported) -> str:
    """Return the text of set.toml: the header, the remarks, the counts and the source files."""
    counts = {"rows": len(imported.rows), "unusable": len(imported.unusable)}
    return toml_files.dumps(
        {
            "format": FORMAT,
            "set": imported.header,
            "import": {"notes": imported.notes},
            "counts": counts,
            "files": imported.files,
        }
    )
