"""Read the chosen numbers of the records in a folder, in the order of writing.

Only record.json and estimates.parquet of each record are read and checked against its checksums,
and the digest of the scores, where they are, against `bound`. Estimates are not made again: that
takes seconds a record. Records that cannot be read or do not hold are named and skipped.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.history.series import (
    DIFFERENCE,
    KEYS,
    NUMBERS,
    Audit,
    History,
    RecordRows,
    Skipped,
    series_of,
)
from maskaudit.audit.recording import older
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.named import named
from maskaudit.audit.recording.record import MANIFEST, read_manifest
from maskaudit.audit.recording.rows import parquet_files
from maskaudit.audit.recording.rows.methods import Method
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.audit.texts import bounded
from maskaudit.audit.verifying import sealed

ESTIMATES = "estimates.parquet"
_THREADS = 4
# How many names a message lists.
_SHOWN = 20


@dataclass(frozen=True)
class Chosen:
    """Which numbers and records to read; an empty field does not restrict them.

    Without estimators and slices: the stereotype contrasts of the tested sets, for the candidate
    and the difference. `since` is a date, or means a record (`recording.named`); only later ones
    are read; `records` are the names of those to read.
    """

    probe_sets: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    estimators: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    since: str = ""
    records: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the numbers are those in a page's headline: no estimator or slice is chosen."""
        return not self.estimators and not self.slices

    def columns(self) -> dict[str, tuple[str, ...]]:
        """The chosen values by column of the table of estimates."""
        chosen = {
            "probe_set": self.probe_sets,
            "slice": self.slices,
            "estimator": (CONTRAST,) if self.is_plain else self.estimators,
            "subject": self.subjects or (("candidate", DIFFERENCE) if self.is_plain else ()),
        }
        return {column: values for column, values in chosen.items() if values}


def read(runs: Path, chosen: Chosen | None = None) -> History:
    """Read every readable record of a folder of runs, and the series of the chosen numbers.

    Raises `InputError` if `runs` is not a folder of records or `since` is neither a record in it
    nor a date; `NotJudgedError` if no record can be read or no number in them is chosen.
    """
    chosen = chosen or Chosen()
    found = folders(runs)
    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(pool.map(lambda folder: _read(folder, chosen), found))
    records = [result for result in results if isinstance(result, RecordRows)]
    skipped = tuple(result for result in results if isinstance(result, Skipped))
    if not records:
        reasons = "".join(f"\n{result.name}: {result.reason}" for result in skipped)
        raise NotJudgedError(f"{runs}: holds no record that can be read{reasons}")
    ordered, clock = _ordered(records)
    chosen_records = [
        record for record in _since(runs, ordered, chosen.since) if _is_chosen(record.audit, chosen)
    ]
    series = tuple(series_of(chosen_records, is_plain=chosen.is_plain and not chosen.probe_sets))
    if not series:
        raise NotJudgedError(_nothing_chosen(runs, chosen, ordered))
    return History(runs, tuple(record.audit for record in chosen_records), skipped, clock, series)


def folders(runs: Path) -> list[Path]:
    """What may be a record, without hidden folders, which are unfinished.

    Raises `InputError` if `runs` cannot be listed, or is a record itself.
    """
    try:
        paths = sorted(runs.iterdir())
    except OSError as error:
        raise InputError(
            f"{runs}: cannot be read as a folder of records ({error.strerror})"
        ) from error
    if (runs / MANIFEST).is_file():
        raise InputError(f"{runs}: is a record; expected the folder that contains records")
    # A link to nothing may have been a record; it is named among those that cannot be read.
    folders = [path for path in paths if path.is_dir() or (path.is_symlink() and not path.exists())]
    return [path for path in folders if not path.name.startswith(".")]


def _read(folder: Path, chosen: Chosen) -> RecordRows | Skipped:
    """Read what a history needs of a record, or return the reason why it cannot be read."""
    if not folder.is_dir():
        return Skipped(folder.name, "a link that leads nowhere")
    if not (folder / MANIFEST).is_file():
        return Skipped(folder.name, f"not a complete record: it has no {MANIFEST} that can be read")
    try:
        manifest = read_manifest(folder, ("estimates",))
        _require(manifest, folder)
        # Bytes and no path: pyarrow does not accept paths that are not UTF-8.
        rows = _rows(bounded.content(folder / ESTIMATES, bounded.TABLE), chosen, manifest)
        return RecordRows(_audit(folder.name, manifest), _checked(rows, manifest))
    # One damaged record must not hide the history of the others.
    except InputError as error:
        reason = str(error).removeprefix(f"{folder}/").removeprefix(f"{folder}: ")
        return Skipped(folder.name, reason)
    except OSError as error:
        return Skipped(folder.name, f"{ESTIMATES}: cannot be read ({error.strerror or error})")
    except (ValueError, KeyError, TypeError, pa.ArrowException) as error:
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        return Skipped(folder.name, f"{ESTIMATES}: cannot be read as estimates ({fault})")


def _require(manifest: Manifest, folder: Path) -> None:
    """Raise `InputError` if the manifest and the scores are not of one audit."""
    # The scores tell any two models apart, and are a quarter of what was measured.
    for check in sealed.parts(manifest, folder, ("scores",)):
        if check.differs:
            raise InputError(f"does not hold ({check.name}: {check.text})")


def _audit(name: str, manifest: Manifest) -> Audit:
    created = datetime.fromisoformat(manifest.created)
    return Audit(
        name=name,
        # Times without a zone cannot be compared with those that have one.
        created=created if created.tzinfo else created.replace(tzinfo=UTC),
        number=manifest.number,
        models=manifest.models,
        probe_sets=manifest.probe_sets,
    )


def _checked(rows: list[dict[str, Any]], manifest: Manifest) -> list[dict[str, Any]]:
    """Return the rows. Raises `ValueError` if a probe set is unknown or a text does not parse."""
    for row in rows:
        if row["probe_set"] not in manifest.probe_sets:
            raise ValueError(
                f"it has numbers of {row['probe_set']!r}, which is not one of its probe sets"
            )
        # For the errors alone: here they cost one record, and later the whole history.
        Slice.parse(row["slice"])
        Method.parse(row["method"])
    return rows


def _rows(content: bytes, chosen: Chosen, manifest: Manifest) -> list[dict[str, Any]]:
    """The chosen rows of a table of estimates, with the slices of the newest format."""
    table = parquet_files.read(content, [*KEYS, *NUMBERS], as_dictionaries=True)
    is_older = manifest.format < older.WITH_PARTS
    for column, values in chosen.columns().items():
        # An older record may have another name for a slice.
        if column != "slice" or not is_older:
            table = table.filter(pc.is_in(table[column], value_set=pa.array(values)))
    rows: list[dict[str, Any]] = table.to_pylist()
    if not is_older:
        return rows
    # A row of an unknown set is refused by `_checked`, with a message of its own.
    keys = ((row["slice"], row["subject"], row["probe_set"]) for row in rows)
    slices = older.slices_now(keys, manifest.probe_sets)
    return [
        {**row, "slice": slice_}
        for row, slice_ in zip(rows, slices, strict=True)
        if slice_ is not None and (not chosen.slices or slice_ in chosen.slices)
    ]


def _ordered(records: Iterable[RecordRows]) -> tuple[list[RecordRows], tuple[tuple[str, str], ...]]:
    """Return the records in the order of `record.manifests`, and where the clock went backwards.

    They are sorted by number, whatever their times; records of formats without numbers come first,
    by time.
    """
    ordered = sorted(
        records, key=lambda record: (record.audit.number, record.audit.created, record.audit.name)
    )
    latest: Audit | None = None
    backwards = []
    # Records without numbers were sorted by time, so their clock cannot appear to go backwards.
    for audit in (record.audit for record in ordered if record.audit.number):
        if latest is not None and audit.created < latest.created:
            backwards.append((latest.name, audit.name))
        else:
            latest = audit
    return ordered, tuple(backwards)


def _since(runs: Path, ordered: Sequence[RecordRows], since: str) -> Sequence[RecordRows]:
    """The records after a named record, or created after a date. Raises `InputError` for others."""
    if not since:
        return ordered
    # A path counts as its last part: a shell completes names to paths.
    names = [record.audit.name for record in ordered]
    if Path(since).name in names:
        return ordered[names.index(Path(since).name) + 1 :]
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        return _after(runs, ordered, since)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return [record for record in ordered if record.audit.created > moment]


def _after(runs: Path, ordered: Sequence[RecordRows], since: str) -> Sequence[RecordRows]:
    """The records after the one that a word means (`recording.named`) which is no date."""
    try:
        folder = named(str(runs / Path(since).name), lambda: runs)
    except InputError as error:
        message = f"--since {since!r}: neither a date such as 2026-11-23 nor a record ({error})"
        raise InputError(message) from error
    names = [record.audit.name for record in ordered]
    # It is a record, and yet one that was left out because it cannot be read.
    if folder.name not in names:
        raise InputError(f"--since {since!r}: means {folder}, which cannot be read")
    return ordered[names.index(folder.name) + 1 :]


def _is_chosen(audit: Audit, chosen: Chosen) -> bool:
    is_named = not chosen.records or audit.name in chosen.records
    return is_named and (
        not chosen.candidates or audit.models["candidate"].name in chosen.candidates
    )


def _nothing_chosen(runs: Path, chosen: Chosen, ordered: Sequence[RecordRows]) -> str:
    """The message that nothing matches: what the newest record does not have, and what it has."""
    newest = ordered[-1].audit
    # Read again: of a record only the rows that were chosen are kept, and there are none.
    content = bounded.content(runs / newest.name / ESTIMATES, bounded.TABLE)
    table = parquet_files.read(content, KEYS, as_dictionaries=True)
    misses = [
        f"no {column} {', '.join(map(repr, values))} (available: {_listed(available)})"
        for column, values in chosen.columns().items()
        if not set(values) & set(available := table[column].unique().to_pylist())
    ]
    names = [record.audit.models["candidate"].name for record in ordered]
    if chosen.candidates and not set(chosen.candidates) & set(names):
        misses.append(f"no candidate {', '.join(chosen.candidates)} (available: {_listed(names)})")
    if chosen.since:
        misses.append(f"of {len(ordered)} records, only those after {chosen.since} were chosen")
    reason = "; ".join(misses) or "no number has all that was chosen"
    return f"{runs}: no number in its records matches the choice: {reason}"


def _listed(names: Iterable[str]) -> str:
    distinct = list(dict.fromkeys(names))
    more = [f"and {len(distinct) - _SHOWN} more"] if len(distinct) > _SHOWN else []
    return ", ".join([*distinct[:_SHOWN], *more])
