"""Read published files into rows with their line numbers, without guessing an encoding."""

import codecs
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError, MissingExtraError
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.characters import composed
from maskaudit.audit.texts.names import is_there
from maskaudit.probes.published import soft_hyphens
from maskaudit.probes.published.columns import Columns, as_wanted, renamed
from maskaudit.probes.published.json_rows import rows_of
from maskaudit.probes.published.mixed_encodings import residues
from maskaudit.probes.published.separated_values import fields, rows

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
# A row of a published Parquet file is a table of Python, and takes a kilobyte or more.
_MOST_ROWS = 5_000_000
_NAMED_AT_MOST = 20
# A hub id: owner/name, or owner/name:configuration.
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(:[\w.-]+)?")
_SUFFIXES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet"}
_BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}

Record = tuple[int, Mapping[str, Any]]
# The cell of a row that lacks a key which other rows have.
MISSING = object()


@dataclass(frozen=True)
class Source:
    """A file that was read: its name (without folder), SHA-256, text, and remarks on encoding."""

    name: str
    sha256: str
    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bad:
    """A line that is not a record, and why."""

    line: int
    reason: str
    text: str


def source(path: Path, encoding: str | None = None) -> Source:
    """Read a file as text: the user's encoding, or its byte order mark's, or UTF-8.

    Raises `InputError` where the file cannot be read or decoded.
    """
    data = _bytes(path)
    text, notes = _decoded(data, path, encoding)
    notes += _note_on_residues(text, path, encoding)
    notes += soft_hyphens.note(enumerate(lines(text), start=1))
    text = soft_hyphens.without(text)
    return Source(path.name, hashlib.sha256(data).hexdigest(), text, tuple(notes))


def _as_read(text: str) -> str:
    """Return a cell as every importer reads it: in NFC, without soft hyphens."""
    return composed(soft_hyphens.without(text))


def _note_on_residues(text: str, path: Path, encoding: str | None) -> list[str]:
    mixed = residues(text, encoding or "utf-8")
    if not mixed:
        return []
    line, found, meant = mixed[0]
    numbers = ", ".join(str(number) for number, *_ in mixed[:_NAMED_AT_MOST])
    more = f" and {len(mixed) - _NAMED_AT_MOST} more" if len(mixed) > _NAMED_AT_MOST else ""
    note = (
        f"{path.name} is partly in another encoding: {found!r} in line {line} is probably "
        f"{meant!r}; such sentences are used as they were read (line {numbers}{more})"
    )
    return [note]


def first_existing(folder: Path, *names: str) -> Path | None:
    """Return the first of these names that is in the folder, readable or not; None without one."""
    return next((folder / name for name in names if is_there(folder / name)), None)


def lines(text: str) -> list[str]:
    """Return the lines of a text with their line ends; only LF, CR and CRLF end a line."""
    return list(io.StringIO(text, newline=""))


def table(
    path: Path,
    needed: Sequence[str],
    encoding: str | None = None,
    columns: Columns | None = None,
) -> tuple[Source, list[Record], list[Bad]]:
    """Read the rows of a table: separated values, JSON, JSON Lines, Parquet, or a set of the hub.

    `columns` has the file's names of columns that it calls otherwise, as the user gives them; None
    where the importer has no such option. The separator is the one
    with which the header has the `needed` columns. Raises `InputError` where the source cannot be
    read or lacks a column.
    """
    advice = "" if columns is None else f"; name yours with --column {needed[0]}=NAME"
    columns = columns or {}
    # A name that the user gives has to be the file's own; ours may stand there in capitals.
    wanted = [columns.get(name, name) for name in needed]
    bad: list[Bad] = []
    if from_hub := hub_records(path):
        file, records = from_hub
    else:
        file = source(path, encoding)
        if not file.text.lstrip().startswith(("{", "[")):
            records, bad = separated(file, wanted, advice)
            return file, [(line, renamed(record, columns)) for line, record in records], bad
        records, bad = json_table(file)
    names = dict.fromkeys(name for _, record in records for name in record)
    spelt = as_wanted(list(names), wanted)
    records = [(n, {spelt[k]: value for k, value in record.items()}) for n, record in records]
    names = dict.fromkeys(name for _, record in records for name in record)
    if missing := [repr(name) for name in wanted if name not in names]:
        raise InputError(
            f"{path}: has the columns {', '.join(map(repr, names)) or '(none)'}; "
            f"expected {', '.join(missing)} as well{advice}"
        )
    # A record may lack a key that others have: its cell is missing, and the row is named later.
    absent = dict.fromkeys(needed, MISSING)
    return file, [(n, {**absent, **renamed(record, columns)}) for n, record in records], bad


def separated(
    file: Source, needed: Sequence[str], advice: str = ""
) -> tuple[list[Record], list[Bad]]:
    """Return the rows of a text with a header, each with the line on which it begins.

    Also return the lines with a wrong number of fields. Raises `InputError`, with the `advice`,
    where the header lacks a needed column, and where it has a column twice.
    """
    head = next(iter(lines(file.text)), "")
    cells_by_mark = {mark: fields(head, mark) for mark in SEPARATORS}
    names_by_mark = {
        mark: [*map(as_wanted(cells, needed).__getitem__, cells)]
        for mark, cells in cells_by_mark.items()
    }
    fitting = [mark for mark, names in names_by_mark.items() if set(needed) <= set(names)]
    if not fitting:
        # The separator that gives the most columns is probably the file's.
        most_names = max(names_by_mark.values(), key=len)
        raise InputError(
            f"{file.name}: the first line names {', '.join(map(repr, most_names[:12]))[:300]}; "
            f"expected the columns {', '.join(map(repr, needed))} separated by commas, tabs, "
            f"semicolons or bars{advice}"
        )
    mark = fitting[0]
    names = names_by_mark[mark]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{file.name}: the column {twice[0]!r} appears twice; expected once")
    records: list[Record] = []
    bad: list[Bad] = []
    for line, cells in rows(lines(file.text), mark, len(names)):
        if len(cells) == len(names):
            records.append((line, dict(zip(names, map(_as_read, cells), strict=True))))
        # An empty line has no fields and is no fault.
        elif any(cells):
            reason = f"has {len(cells)} fields; the header has {len(names)}"
            bad.append(Bad(line, reason, mark.join(cells)))
    return records, bad


def json_lines(file: Source) -> tuple[list[Record], list[Bad]]:
    """Return the objects of a JSON Lines text, each with its line, and the lines without one."""
    records: list[Record] = []
    bad: list[Bad] = []
    for number, line in enumerate(lines(file.text), start=1):
        if not line.strip():
            continue
        try:
            value = _composed(bounded.json_value(line))
        except ValueError as error:
            bad.append(Bad(number, f"is not valid JSON: {error}", line))
            continue
        if isinstance(value, dict):
            records.append((number, value))
        else:
            bad.append(Bad(number, "is not a JSON object", line))
    return records, bad


def json_table(file: Source) -> tuple[list[Record], list[Bad]]:
    """Return the objects of a JSON text: rows of a table (`rows_of`), by number, or JSON Lines.

    Raises `InputError` for another form.
    """
    try:
        content = json_whole(file)
    except InputError:
        records, bad = json_lines(file)
        if not records:
            raise
        return records, bad
    values = rows_of(content)
    if values is None:
        raise InputError(
            f"{file.name}: expected a table as JSON: a list of objects, one on each line, or what "
            "pandas writes"
        )
    objects: list[Record] = [
        (n, value) for n, value in enumerate(values, 1) if isinstance(value, dict)
    ]
    others = [(n, value) for n, value in enumerate(values, 1) if not isinstance(value, dict)]
    return objects, [Bad(n, "is not a JSON object", repr(value)) for n, value in others]


def _composed(value: Any) -> Any:  # noqa: ANN401 - JSON may hold any value
    """Return a value with each text as it is read (`_as_read`)."""
    if isinstance(value, str):
        return _as_read(value)
    if isinstance(value, list):
        return [_composed(part) for part in value]
    if isinstance(value, dict):
        return {composed(str(key)): _composed(part) for key, part in value.items()}
    return value


def json_whole(file: Source) -> Any:  # noqa: ANN401 - JSON may hold any value
    """Return the value of a JSON text; raises `InputError` if it is not valid JSON."""
    try:
        return _composed(bounded.json_value(file.text))
    except ValueError as error:
        raise InputError(f"{file.name}: is not valid JSON: {error}") from error


def hub_records(path: Path) -> tuple[Source, list[Record]] | None:
    """Return the rows of a Parquet file or of a data set of the hub; None for any other path."""
    if path.suffix.lower() == ".parquet" and path.is_file():
        return _parquet(path)
    return _hub(path.as_posix()) if _is_hub_id(path) else None


def _bytes(path: Path) -> bytes:
    try:
        return bounded.content(path, bounded.PUBLISHED)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path}: cannot be read ({reason}); expected a published set") from error


def _decoded(data: bytes, path: Path, encoding: str | None) -> tuple[str, list[str]]:
    if encoding is not None:
        try:
            text = codecs.decode(data, encoding)
        except LookupError as error:
            message = (
                f"{path}: {encoding!r} is not an encoding of Python; expected one such as 'cp1252'"
            )
            raise InputError(message) from error
        except ValueError as error:
            raise InputError(f"{path}: cannot be decoded as {encoding}: {error}") from error
        # Some of Python's codecs, such as base64, return bytes.
        if not isinstance(text, str):
            raise InputError(
                f"{path}: {encoding!r} is not a text encoding; expected one such as 'cp1252'"
            )
        note = f"{path.name} was read as {encoding}, because the user named that encoding"
        # A byte order mark would become part of the first column's name.
        return text.removeprefix("\ufeff"), [note]
    for mark, name in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            note = f"{path.name} was read as {name}, because its byte order mark says so"
            return _strict(data, name, path), [note]
    return _strict(data, "utf-8-sig", path), []


def _strict(data: bytes, name: str, path: Path) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}: byte {error.start} (line {line}) is not {name.removesuffix('-sig').upper()}; "
            "give the file's encoding, such as cp1252, latin-1 or mac_roman; it is not guessed"
        ) from error


def _by_name(record: Mapping[str, Any], names: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the record with numbered labels replaced by their names."""
    return {key: _composed(_named(value, names.get(key))) for key, value in record.items()}


def _parquet(path: Path) -> tuple[Source, list[Record]]:
    import pyarrow as pa

    from maskaudit.audit.recording.rows import parquet_files

    data = _bytes(path)
    try:
        # From the bytes that are hashed, so that rows and digest are of one file.
        stored = parquet_files.read(data, most_rows=_MOST_ROWS)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: is not a Parquet file: {error}") from error
    names = _class_names(stored.schema.metadata or {})
    rows = enumerate(stored.to_pylist(), start=1)
    stored_rows = list(rows)
    notes = soft_hyphens.note(stored_rows)
    records = [(number, _by_name(record, names)) for number, record in stored_rows]
    return Source(path.name, hashlib.sha256(data).hexdigest(), "", tuple(notes)), records


def _class_names(metadata: Mapping[bytes, bytes]) -> dict[str, Sequence[str]]:
    """Return the names of numbered labels, which `datasets` stores in the file's metadata."""
    try:
        features = bounded.json_value(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {key: value["names"] for key, value in features.items() if "names" in value}
    # Any program may write metadata; what cannot be read as names leaves the labels as they are.
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _named(value: object, names: Sequence[str] | None) -> object:
    # Data sets write -1 for a label that is not known; Python would take the last name for it.
    if names is not None and isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    return value


def _is_hub_id(path: Path) -> bool:
    """Whether a path is a hub id, and neither a file nor probably a misspelt file name."""
    as_file = path.exists() or path.parent.exists() or path.suffix.lower() in _SUFFIXES
    return not as_file and _HUB_ID.fullmatch(path.as_posix()) is not None


def _hub(hub_id: str) -> tuple[Source, list[Record]]:
    """Read a data set of the hub, with labels by name.

    Raises `InputError` where it cannot be read or does not have exactly one split, and
    `MissingExtraError` without the package `datasets`.
    """
    load = load_dataset_function()
    name, _, configuration = hub_id.partition(":")
    try:
        splits = load(name, configuration or None)
    except Exception as error:  # `datasets` raises many types of error without a network
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{hub_id}: no such file, and it cannot be read from the hub ({reason}); "
            "expected a path, or owner/name or owner/name:configuration of a data set"
        ) from error
    if len(splits) != 1:
        raise InputError(f"{hub_id}: has the splits {', '.join(splits)}; expected exactly one")
    split, rows = next(iter(splits.items()))
    labels = {key: getattr(kind, "names", None) for key, kind in rows.features.items()}
    stored_rows = [(number, dict(record)) for number, record in enumerate(rows, start=1)]
    notes = soft_hyphens.note(stored_rows)
    records = [(number, _by_name(record, labels)) for number, record in stored_rows]
    # No file of the hub's is at hand, so the rows are hashed. A lone surrogate must not stop that:
    # its row is refused later.
    lines_ = (json.dumps(record, sort_keys=True, default=str) for _, record in records)
    digest = hashlib.sha256("\n".join(lines_).encode("utf-8", "surrogatepass")).hexdigest()
    return Source(f"{hub_id} ({split})", digest, "", tuple(notes)), records


def load_dataset_function() -> Callable[..., Any]:
    """`datasets.load_dataset`; raises `MissingExtraError` without the package."""
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise MissingExtraError("datasets") from error
    return load_dataset  # type: ignore[no-any-return]
