"""One audit on disk: a sealed folder with its format number, identity, method and tables.

A record is written under a temporary name and renamed when it is whole; it is never changed
afterwards. Pages are derived from it and may be replaced.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording import manifest, tables
from maskaudit.audit.recording.files import writing
from maskaudit.audit.recording.manifest import Entry, Manifest

# The format number rises whenever the content of a record changes; one entry for each format.
#   1: record.json with models, probe_sets, lost, truth; contexts, items, scores, paired, fills
#      and estimates as Parquet; SHA256SUMS.
#   2: estimates have `reading`, and rows about student and teacher together; paired has entropies.
#   3: record.json has `key` (a digest of all that decides the numbers), `number` (the order of the
#      records in a folder) and `notes`.
#   4: in estimates, `flag` and `outcome` replace `reading`: why an interval or a number is missing,
#      and what became of an attribute's lean.
FORMAT = 4
# The first format whose estimates have `flag` and `outcome`.
_WITH_OUTCOMES = 4
MANIFEST = "record.json"
SUMS = "SHA256SUMS"
# Limits on a table that is read (rows, unpacked bytes), so that a forged file cannot fill memory.
_MOST_ROWS, _MOST_BYTES = 50_000_000, 1 << 32
TABLES = ("contexts", "items", "scores", "paired", "fills", "estimates")


@dataclass(frozen=True)
class Record:
    """One audit: `manifest` says what was audited and how; the tables hold what was measured."""

    manifest: Manifest
    contexts: pd.DataFrame
    items: pd.DataFrame
    scores: pd.DataFrame
    paired: pd.DataFrame
    fills: pd.DataFrame
    estimates: pd.DataFrame
    path: Path | None = None

    @property
    def name(self) -> str:
        """The name of the record's folder, or its creation time if it has no folder."""
        return self.path.name if self.path else self.manifest.created


def seal(record: Record, folder: Path, final: Path) -> Record:
    """Write a record into an unfinished folder and rename that to `final`, whole or not at all.

    Returns the record with its path. Raises `CannotWriteError` if the disk is full or read-only.
    """
    with writing(final.parent):
        folder.mkdir(exist_ok=True)
        for name in TABLES:
            _write_table(name, getattr(record, name), folder / f"{name}.parquet")
        text = json.dumps(record.manifest.as_json(), indent=1, ensure_ascii=False, allow_nan=False)
        (folder / MANIFEST).write_text(text + "\n", "utf-8")
        sums = [f"{_digest(path)}  {path.name}" for path in sorted(folder.iterdir())]
        (folder / SUMS).write_text("\n".join(sums) + "\n", "utf-8")
        folder.chmod(0o755)
        folder.rename(final)
    return replace(record, path=final)


def load_record(path: str | Path, wanted: Collection[str] = TABLES) -> Record:
    """Read a record and its tables; works without torch.

    Tables that are not `wanted` are verified by checksum and left empty. Raises `InputError` if the
    record was changed, is half-written or has a newer format.
    """
    folder = Path(path)
    whole = read_manifest(folder)
    read = {
        name: _read_table(name, folder / f"{name}.parquet", whole.format)
        if name in wanted
        else tables.table(name, [])
        for name in TABLES
    }
    return Record(whole, **read, path=folder)


def read_manifest(folder: Path, checked: Collection[str] = TABLES) -> Manifest:
    """Read the manifest of a record, and verify its checksum and those of the tables `checked`.

    Raises the same errors as `load_record`.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(f"{folder}: no record here; expected a folder with {MANIFEST}")
    raw = manifest.read(path, FORMAT)
    _check_sums(folder, (MANIFEST, *(f"{table}.parquet" for table in checked)))
    return manifest.checked(raw, path)


def manifests(runs: Path) -> dict[Path, Entry]:
    """The entry of each record in a folder, by path, in the order in which they were made.

    Records of formats without numbers come first, by time. A record whose `record.json` cannot be
    read is left out. Records are not verified here, only when they are loaded.
    """
    paths = [path for path in sorted(runs.glob(f"[!.]*/{MANIFEST}")) if path.is_file()]
    found = {path.parent: one for path in paths if (one := manifest.entry(path)) is not None}
    return dict(sorted(found.items(), key=lambda one: (one[1].number, one[1].created)))


def newest(found: Mapping[Path, Entry], key: str, note: Callable[[str], None]) -> Record | None:
    """The newest whole record with this key among `found`, or None; `note` reports damaged ones."""
    for path in reversed(list(found)):
        if found[path].key == key:
            try:
                return load_record(path)
            except InputError as error:
                note(f"{error}; it does not count as done")
    return None


def _check_sums(folder: Path, files: Collection[str]) -> None:
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / SUMS}: cannot be read; the record is not whole") from error
    pairs = [line.split("  ", 1) for line in lines if "  " in line]
    listed = {name: digest for digest, name in pairs}
    for name in files:
        if name not in listed or not (folder / name).is_file():
            raise InputError(f"{folder}: {name} is missing; the record is not whole")
        if _digest(folder / name) != listed[name]:
            raise InputError(f"{folder / name}: changed since it was sealed (SHA-256 differs)")


def _write_table(name: str, frame: pd.DataFrame, path: Path) -> None:
    tables.check(name, frame)
    whole = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    # Without this the bytes, and so the checksum, would depend on how the rows were chunked.
    whole = whole.combine_chunks()
    numbers = [field.name for field in whole.schema if pa.types.is_floating(field.type)]
    pq.write_table(
        whole,
        path,
        compression="zstd",
        use_dictionary=[field.name for field in whole.schema if field.name not in numbers],
        use_byte_stream_split=numbers,
    )


def _read_table(name: str, path: Path, written: int) -> pd.DataFrame:
    """Read a table of a record of format `written`, converted to the newest format."""
    try:
        # Opened here because pyarrow does not accept paths that are not UTF-8.
        with path.open("rb") as file:
            about = pq.ParquetFile(file).metadata
            size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
            if about.num_rows > _MOST_ROWS or size > _MOST_BYTES:
                raise InputError(f"{path}: {about.num_rows:,} rows of {size:,} bytes: too large")
            frame = pq.read_table(file).to_pandas()
        if name == "estimates" and written < _WITH_OUTCOMES:
            frame = tables.with_outcomes(frame)
        return tables.check(name, tables.conform(name, frame))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"{path}: not readable as the table {name} ({error})") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
