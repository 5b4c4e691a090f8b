"""One audit on disk: a sealed folder with its format number, identity, method and tables.

A record is written under a temporary name and renamed when it is whole; afterwards it is never
changed. Pages are derived from it and may be replaced.
"""

import contextlib
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from maskaudit.audit.errors import CannotWriteError, InputError, LockedError
from maskaudit.audit.recording import tables

# The format number rises with what a record holds; a line for each.
#   1: record.json with models, probe_sets, lost, truth; contexts, items, scores, paired, fills
#      and estimates as Parquet; SHA256SUMS.
#   2: estimates have `reading`, and rows about student and teacher together; paired has entropies.
#   3: record.json has `key` (of all that decides the numbers), `number` (records of one folder in
#      the order in which they were made) and `notes`.
#   4: of estimates, `flag` and `outcome` are what `reading` was: why there is no interval or no
#      number, and what became of an attribute's lean.
FORMAT = 4
# The first format whose estimates have `flag` and `outcome`.
_WITH_OUTCOMES = 4
MANIFEST = "record.json"
SUMS = "SHA256SUMS"
UNFINISHED = ".unfinished-"
_LARGEST_NUMBER = 2**53
# Of a table more rows, or more bytes when unpacked, are none of ours.
_MOST_ROWS, _MOST_BYTES = 50_000_000, 1 << 32
TABLES = ("contexts", "items", "scores", "paired", "fills", "estimates")


@dataclass(frozen=True)
class Record:
    """One audit: `manifest` says what was audited and how; the tables hold what was measured."""

    manifest: dict[str, Any]
    contexts: pd.DataFrame
    items: pd.DataFrame
    scores: pd.DataFrame
    paired: pd.DataFrame
    fills: pd.DataFrame
    estimates: pd.DataFrame
    path: Path | None = None


@contextmanager
def held(runs: Path) -> Iterator[None]:
    """Hold the folder of runs for one writer; `LockedError` says who has it."""
    with writing(runs):
        runs.mkdir(parents=True, exist_ok=True)
        lock = FileLock(runs / ".lock", timeout=0)
        holder = runs / ".holder"
        try:
            lock.acquire()
        except Timeout as error:
            who = holder.read_text("utf-8") if holder.exists() else "an unknown process"
            raise LockedError(f"{runs}: held by {who}; wait for it or choose --out") from error
    try:
        with writing(runs):
            since = datetime.now(UTC).isoformat(timespec="seconds")
            holder.write_text(f"process {os.getpid()} since {since}", "utf-8")
        # Whoever was killed could not tidy up; nobody else is at work here now.
        for left in (*runs.glob(f"{UNFINISHED}*"), *runs.glob(f"*/{UNFINISHED}*")):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full, read-only or forbidden disk into one line that names the place."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
        raise CannotWriteError(f"{path}: cannot write ({reason}); nothing was kept") from error


def write_whole(path: Path, text: str) -> Path:
    """Write a text under another name and rename it: it is there whole or, as before, not at all.

    Raises `CannotWriteError` where the disk is full or read-only.
    """
    with writing(path):
        if path.exists() and not path.is_file():  # a device or a pipe is written into
            path.write_text(text, "utf-8", newline="\n")
            return path
        final = path.resolve()
        begun = final.with_name(f"{UNFINISHED}{final.name}.{os.getpid()}")
        try:
            begun.write_text(text, "utf-8", newline="\n")
            if final.exists():
                begun.chmod(stat.S_IMODE(final.stat().st_mode))
            begun.replace(final)
        finally:
            with contextlib.suppress(OSError):
                begun.unlink(missing_ok=True)
    return path


@contextmanager
def unfinished(runs: Path) -> Iterator[Path]:
    """A hidden folder to write a record into; it is gone again unless it was sealed."""
    with writing(runs):
        runs.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=runs))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def seal(record: Record, folder: Path, final: Path) -> Record:
    """Write a record into an unfinished folder and give it its name, whole or not at all."""
    with writing(final.parent):
        folder.mkdir(exist_ok=True)
        for name in TABLES:
            _write_table(name, getattr(record, name), folder / f"{name}.parquet")
        text = json.dumps(record.manifest, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / MANIFEST).write_text(text + "\n", "utf-8")
        sums = [f"{_digest(path)}  {path.name}" for path in sorted(folder.iterdir())]
        (folder / SUMS).write_text("\n".join(sums) + "\n", "utf-8")
        folder.chmod(0o755)
        folder.rename(final)
    return replace(record, path=final)


def load_record(path: str | Path, wanted: Collection[str] = TABLES) -> Record:
    """Read a record and its tables; refuse one that is changed, half-written or of a newer format.

    A table that is not wanted is checked and left empty. Raises `InputError`. Works without torch.
    """
    folder = Path(path)
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder}: no record here; expected a folder with {MANIFEST}")
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        found = manifest["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{folder / MANIFEST}: not readable as a record ({error})") from error
    if not isinstance(found, int) or found > FORMAT or found < 1:
        raise InputError(
            f"{folder}: record format {found!r}; this version reads formats 1 to {FORMAT}. "
            "Install a newer maskaudit"
        )
    _check_sums(folder)
    read = {
        name: _read_table(name, folder / f"{name}.parquet", found)
        if name in wanted
        else tables.table(name, [])
        for name in TABLES
    }
    return Record(manifest, **read, path=folder)


def manifests(runs: Path) -> dict[Path, dict[str, Any]]:
    """What the records of a folder say of themselves, in the order in which they were made.

    Those that are older than numbers stand first, by their time. One whose `record.json` cannot be
    read is left out; that the tables are whole is known only when a record is loaded.
    """
    found: dict[Path, dict[str, Any]] = {}
    for path in sorted(runs.glob(f"*/{MANIFEST}")):
        if not path.is_file():
            continue
        with contextlib.suppress(OSError, ValueError, RecursionError):
            said = json.loads(path.read_text("utf-8"))
            if not path.parent.name.startswith(".") and isinstance(said, dict):
                found[path.parent] = said
    return dict(sorted(found.items(), key=lambda entry: (number_of(entry[1]), _made(entry[1]))))


def number_of(manifest: Mapping[str, Any]) -> int:
    """The number of a record in its folder; 0 where it is older than numbers."""
    number = manifest.get("number")
    return number if type(number) is int and 0 <= number < _LARGEST_NUMBER else 0


def newest(
    found: Mapping[Path, Mapping[str, Any]], key: str, note: Callable[[str], None]
) -> Record | None:
    """The newest whole record with this key among `manifests`, or None; damaged ones are told."""
    for path in reversed(list(found)):
        if found[path].get("key") == key:
            try:
                return load_record(path)
            except InputError as error:
                note(f"{error}; it does not count as done")
    return None


def _made(manifest: Mapping[str, Any]) -> str:
    """The time at which a record was made, as text that sorts by time: all are in UTC."""
    return str(manifest.get("created", ""))


def _check_sums(folder: Path) -> None:
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: no readable {SUMS}; the record is not whole") from error
    pairs = [line.split("  ", 1) for line in lines if "  " in line]
    listed = {name: digest for digest, name in pairs}
    for name in (MANIFEST, *(f"{table}.parquet" for table in TABLES)):
        if name not in listed or not (folder / name).is_file():
            raise InputError(f"{folder}: {name} is missing; the record is not whole")
        if _digest(folder / name) != listed[name]:
            raise InputError(f"{folder / name}: changed since it was sealed (SHA-256 differs)")


def _write_table(name: str, frame: pd.DataFrame, path: Path) -> None:
    tables.check(name, frame)
    whole = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    # Rows that came in one piece or in many are written as the same bytes.
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
    """A table of a record of the format `written`, as the newest format has it."""
    try:
        # Opened here: pyarrow takes no name that is not UTF-8.
        with path.open("rb") as file:
            about = pq.ParquetFile(file).metadata
            size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
            if about.num_rows > _MOST_ROWS or size > _MOST_BYTES:
                raise InputError(f"{path}: {about.num_rows:,} rows of {size:,} bytes: too large")
            frame = pq.read_table(file).to_pandas()
        if name == "estimates" and written < _WITH_OUTCOMES:
            frame = tables.with_outcomes(frame)
        return tables.check(name, tables.conform(name, frame))
    except (OSError, ValueError, pa.ArrowException, AssertionError) as error:
        raise InputError(f"{path}: not readable as the table {name} ({error})") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
