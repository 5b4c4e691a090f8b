"""One audit on disk: a sealed folder with its format number, identity, method and tables.

A record is written under a temporary name and renamed when it is whole; it is never changed
afterwards. Pages are derived from it and may be replaced.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording import binding, manifest, older
from maskaudit.audit.recording.agreement import disagreement
from maskaudit.audit.recording.files import check_no_links, writing
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.places import Entry, entry
from maskaudit.audit.recording.rows import parquet_files, tables
from maskaudit.audit.texts import bounded

# The format number rises whenever the content of a record changes; one entry for each format.
#   1: record.json with models, probe_sets, lost, truth; contexts, items, scores, paired, fills
#      and estimates as Parquet; SHA256SUMS.
#   2: estimates have `reading`, and rows about student and teacher together; paired has entropies.
#   3: record.json has `key` (a digest of all that decides the numbers), `number` (the order of the
#      records in a folder) and `notes`.
#   4: in estimates, `flag` and `outcome` replace `reading`: why an interval or a number is missing,
#      and what became of an attribute's lean.
#   5: in estimates, every part of a set of facts is `relation=` (some were `class=`); a distance
#      of two models has a class slice only where a context serves that class alone.
#      Probe sets may have `language`; scores have `written` and `read`.
#   6: record.json has `code` (a digest of the code and libraries, which is part of the key) and
#      `bound` (digests of the tables of what was measured, and of all other keys); paired has
#      `joined`: a digest of all contexts of a distance of two groups.
#   7: record.json may have `rules`: the gates that the run read before it measured.
#   8: items have `style`, `family` and `frequency`; estimates have `n_styles` and `n_families`;
#      the table `attributes` has the pieces of each attribute for each model. Probe sets may have
#      `margins`; no class in `outcome` says that nothing was shown. `competence` counts the sets
#      of the axis `facts` alone, sets of facts may have `plain`, crossed groups `factors`, and
#      the truth of a set with more than two groups `others`. record.json may have `extrinsic`.
#   9: probe sets may be of the kind `text`, and have `words` and `place` in items, `entropy` in
#      scores, and numbers of slices by length, position, frequency and group.
#   10: in the method, `endpoint` may be censored: scores have `logp_at_least` and `logp_at_most` in
#      place of `logp`, and estimates the two ends of each number, and no other.
FORMAT = 10
# The first format that binds who was scored to the scores.
BOUND = 6
# The first format that says which rules there were when it was measured.
WITH_RULES = 7
# The first format whose competence is that of plain facts, not of every set of facts.
WITH_PLAIN_FACTS = 8
# The first format whose estimates have `flag` and `outcome`.
_WITH_OUTCOMES = 4
MANIFEST = "record.json"
SUMS = "SHA256SUMS"
# Beside the tables, and no part of what is sealed: they may be replaced.
PAGE, DETAILS = "report.html", "details.html"
# Rows that are written at once: pyarrow's own number, which the bytes of a record depend on.
_ROW_GROUP = 1 << 20
TABLES = ("contexts", "items", "scores", "paired", "fills", "attributes", "estimates")


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
    # Empty in a record of a format that has no such table.
    attributes: pd.DataFrame = field(default_factory=partial(tables.table, "attributes", []))
    path: Path | None = None
    # What its contrasts rest on, where that was made with its numbers: no file holds it.
    rests_on: "RestsOn | None" = field(default=None, compare=False, repr=False)

    @property
    def is_measured(self) -> bool:
        """Whether anything that was asked has a value: a score, or two contexts of one model.

        Fills and distances of models do not count: they need no word of a set.
        """
        # Word sets have no scores of their own: cosines of their words are what is measured.
        joined = (self.paired["other_model"] == "") & (self.paired["other_context"] != "")
        values = (self.scores["value"], self.paired.loc[joined, "value"])
        return any(bool(column.notna().any()) for column in values)

    @property
    def name(self) -> str:
        """The name of the record's folder, or its creation time if it has no folder."""
        return self.path.name if self.path else self.manifest.created


@dataclass(frozen=True)
class RestsOn:
    """What a record's contrasts rest on: all numbers of these names, as rows of `estimates`."""

    rows: pd.DataFrame
    names: frozenset[str]


def tables_in(format_: int) -> tuple[str, ...]:
    """The tables of a record of this format."""
    if format_ < binding.WITH_ATTRIBUTES:
        return tuple(name for name in TABLES if name != "attributes")
    return TABLES


def seal(record: Record, folder: Path, final: Path) -> Record:
    """Write a record into an unfinished folder and rename that to `final`, whole or not at all.

    Returns the record with its path and bound to its tables (`binding.bound`). Raises
    `CannotWriteError` if the disk is full or read-only.
    """
    with writing(final.parent):
        folder.mkdir(exist_ok=True)
        for name in tables_in(record.manifest.format):
            _write_table(name, getattr(record, name), folder / f"{name}.parquet")
        record = replace(record, manifest=_bound(record.manifest, folder))
        text = json.dumps(record.manifest.as_json(), indent=1, ensure_ascii=False, allow_nan=False)
        (folder / MANIFEST).write_text(text + "\n", "utf-8")
        # Written last: it lists every other file of the record, and cannot list itself.
        sums = [f"{_digest(path)}  {path.name}" for path in sorted(folder.iterdir())]
        (folder / SUMS).write_text("\n".join(sums) + "\n", "utf-8")
        # `folder` may come from `mkdtemp`, which lets nobody but its owner in.
        folder.chmod(0o755)
        folder.rename(final)
    return replace(record, path=final)


def load_record(path: str | Path, table_names: Collection[str] = TABLES) -> Record:
    """Read a record and its tables; works without torch.

    Tables that are not in `table_names` are verified by checksum and left empty. Raises
    `InputError` if the record was changed, is half-written, has a newer format, or holds a link.
    """
    folder = Path(path)
    record_manifest = read_manifest(folder)
    kinds = {part.kind for part in record_manifest.probe_sets.values()}
    # From its footer, before any table is read: it says how many rows the others may have.
    n_items = _rows_of(folder / "items.parquet")
    there = set(table_names).intersection(tables_in(record_manifest.format))
    frames = {
        name: _read_table(
            name,
            folder / f"{name}.parquet",
            record_manifest.format,
            tables.most_rows(name, n_items, kinds, parquet_files.MOST_ROWS),
        )
        if name in there
        else tables.table(name, [])
        for name in TABLES
    }
    if record_manifest.format < older.WITH_PARTS:
        frames["estimates"] = older.with_parts(frames["estimates"], record_manifest.probe_sets)
    if record_manifest.format < older.WITH_MARGINS:
        frames["estimates"] = older.with_classes_shown(frames["estimates"])
    if fault := disagreement(record_manifest, frames):
        raise InputError(f"{folder}: {fault}; restore the folder from a backup, or audit again")
    return Record(record_manifest, path=folder, rests_on=None, **frames)


def read_manifest(folder: Path, table_names: Collection[str] = TABLES) -> Manifest:
    """Read the manifest of a record, and verify its checksum and those of the tables named.

    Raises the same errors as `load_record`.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(f"{folder}: no record here; expected a folder with {MANIFEST}")
    check_no_links(folder)
    raw = manifest.read(path, FORMAT)
    names = [name for name in table_names if name in tables_in(raw["format"])]
    # Before the values: a changed file is told as changed, and not by what is odd in it.
    _check_sums(folder, (MANIFEST, *(f"{name}.parquet" for name in names)))
    return manifest.checked(raw, path)


def manifests(runs: Path) -> dict[Path, Entry]:
    """The entry of each record in a folder, by path, in the order in which they were made.

    Records of formats without numbers come first, by time. A record whose `record.json` cannot be
    read is left out. Records are not verified here, only when they are loaded.
    """
    # Hidden folders are records that were never finished.
    paths = [path for path in sorted(runs.glob(f"[!.]*/{MANIFEST}")) if path.is_file()]
    entries = {path.parent: item for path in paths if (item := entry(path)) is not None}
    # By number before time: a machine's clock may go backwards between two audits.
    return dict(sorted(entries.items(), key=lambda item: (item[1].number, item[1].created)))


def newest(
    entries: Mapping[Path, Entry],
    key: str,
    note: Callable[[str], None],
    load: Callable[[Path], Record] | None = None,
) -> Record | None:
    """The newest whole record with this key, or None; `note` receives a line on damaged ones.

    `load` reads a record, or raises `InputError` if it is not to be used; by default `load_record`.
    A link to a record elsewhere does not count: its page and verdicts would be written there.
    """
    for path in reversed(list(entries)):
        if entries[path].key == key and not path.is_symlink():
            try:
                return (load or load_record)(path)
            except InputError as error:
                note(f"{error}; this record is ignored")
    return None


def file_digests(folder: Path, names: Collection[str]) -> dict[str, str]:
    """The SHA-256 of files of a record, by name."""
    return {name: _digest(folder / name) for name in names}


def _bound(record_manifest: Manifest, folder: Path) -> Manifest:
    """The manifest with the digests of its parts and of the tables that lie in `folder`."""
    if record_manifest.format < BOUND:
        return record_manifest
    names = binding.measured(record_manifest.format)
    files = file_digests(folder, [f"{name}.parquet" for name in names])
    return record_manifest.model_copy(update={"bound": binding.bound(record_manifest, files)})


def _check_sums(folder: Path, files: Collection[str]) -> None:
    try:
        lines = bounded.content(folder / SUMS, bounded.SUMS).decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / SUMS}: cannot be read; the record is incomplete") from error
    pairs = [line.split("  ", 1) for line in lines if "  " in line]
    # A digest is a number: some programs write it with capitals.
    listed = {name: digest.lower() for digest, name in pairs}
    if len(listed) < len(pairs):
        raise InputError(f"{folder / SUMS}: has two lines for one file; restore the record")
    # A file without a checksum could not be verified, so it counts as missing.
    for name in files:
        if name not in listed or not (folder / name).is_file():
            raise InputError(f"{folder}: {name} is missing; the record is incomplete")
        if _digest(folder / name) != listed[name]:
            raise InputError(f"{folder / name}: changed since it was sealed (SHA-256 differs)")


def _write_table(name: str, frame: pd.DataFrame, path: Path) -> None:
    tables.check(name, frame)
    first = _arrow(frame.iloc[:_ROW_GROUP])
    schema = first.schema
    numbers = [field.name for field in schema if pa.types.is_floating(field.type)]
    # pyarrow ignores the byte stream split of a column that has a dictionary too.
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=[field.name for field in schema if field.name not in numbers],
        use_byte_stream_split=numbers,
    ) as writer:
        writer.write_table(first, _ROW_GROUP)
        for start in range(_ROW_GROUP, len(frame), _ROW_GROUP):
            writer.write_table(_arrow(frame.iloc[start : start + _ROW_GROUP]), _ROW_GROUP)


def _arrow(rows: pd.DataFrame) -> pa.Table:
    """The rows as they are written, in one piece each column, and texts as texts."""
    # The metadata names the version of pandas: with it, the same table would have other bytes, and
    # so another checksum, after an upgrade of pandas.
    table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata()
    texts = [
        field.with_type(pa.large_string()) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    # Without this the bytes, and so the checksum, would depend on how the rows were chunked.
    return table.cast(pa.schema(texts)).combine_chunks()


def _rows_of(path: Path) -> int:
    """The rows of a table by its footer; 0 if it cannot be read, which is refused later."""
    try:
        with bounded.opened(path, bounded.TABLE) as file:
            return parquet_files.rows_of(file)
    except (OSError, ValueError, pa.ArrowException):
        return 0


def _read_table(name: str, path: Path, format_: int, most_rows: int) -> pd.DataFrame:
    """Read a table of a record of format `format_`, converted to the newest format."""
    try:
        # Opened here because pyarrow does not accept paths that are not UTF-8.
        with bounded.opened(path, bounded.TABLE) as file:
            frame = parquet_files.read(file, most_rows=most_rows).to_pandas()
        # `check` comes last: tables of older formats lack columns until they are converted.
        if name == "estimates" and format_ < _WITH_OUTCOMES:
            frame = tables.with_outcomes(frame)
        return tables.check(name, tables.conform(name, frame))
    except MemoryError:  # pyarrow's own is an `ArrowException` too, and no fault of the file
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as the table {name} ({error})") from error


def _digest(path: Path) -> str:
    with bounded.opened(path, bounded.TABLE) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
