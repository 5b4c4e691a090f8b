"""Read the chosen numbers of the records in a folder, in the order of writing.

Only record.json and estimates.parquet of each record are read and checked against its checksums.
Records that cannot be read are named and skipped.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.estimating.names import CONTRAST
from maskaudit.audit.history.series import (
    DIFFERENCE,
    KEYS,
    NUMBERS,
    Audit,
    Found,
    History,
    Skipped,
    series_of,
)
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.methods import Method
from maskaudit.audit.recording.record import MANIFEST, read_manifest
from maskaudit.audit.recording.slices import Slice

ESTIMATES = "estimates.parquet"
_THREADS = 4
_SHOWN = 20


@dataclass(frozen=True)
class Chosen:
    """Which numbers and records to read; an empty field does not restrict them.

    Without estimators and slices: the stereotype contrasts of the tested sets, for the candidate
    and the difference. `since` is a date or the name of a record; only later records are read.
    """

    probe_sets: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    estimators: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    since: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether the numbers are those in a page's headline: no estimator or slice is chosen."""
        return not self.estimators and not self.slices

    def columns(self) -> dict[str, tuple[str, ...]]:
        """The chosen values by column of the table of estimates."""
        found = {
            "probe_set": self.probe_sets,
            "slice": self.slices,
            "estimator": (CONTRAST,) if self.is_plain else self.estimators,
            "subject": self.subjects or (("candidate", DIFFERENCE) if self.is_plain else ()),
        }
        return {column: values for column, values in found.items() if values}


def read(runs: Path, chosen: Chosen | None = None) -> History:
    """Read every readable record of a folder of runs, and the series of the chosen numbers.

    Raises `InputError` if `runs` is not a folder of records or `since` is neither a record in it
    nor a date; `NotJudgedError` if no record can be read or no number in them is chosen.
    """
    chosen = chosen or Chosen()
    folders = _folders(runs)
    with ThreadPoolExecutor(_THREADS) as pool:
        told = list(pool.map(lambda folder: _read(folder, chosen), folders))
    found = [one for one in told if isinstance(one, Found)]
    skipped = tuple(one for one in told if isinstance(one, Skipped))
    if not found:
        why = "".join(f"\n{one.name}: {one.reason}" for one in skipped)
        raise NotJudgedError(f"{runs}: holds no record that can be read{why}")
    ordered, clock = _ordered(found)
    kept = [one for one in _since(runs, ordered, chosen.since) if _is_chosen(one.audit, chosen)]
    series = tuple(series_of(kept, is_plain=chosen.is_plain and not chosen.probe_sets))
    if not series:
        raise NotJudgedError(_nothing(runs, chosen, ordered))
    return History(runs, tuple(one.audit for one in kept), skipped, clock, series)


def _folders(runs: Path) -> list[Path]:
    """The folders that may be records, without hidden ones, which are unfinished."""
    try:
        inside = sorted(runs.iterdir())
    except OSError as error:
        raise InputError(f"{runs}: no folder of runs ({error.strerror})") from error
    if (runs / MANIFEST).is_file():
        raise InputError(f"{runs}: is a record; expected the folder that records lie in")
    return [path for path in inside if path.is_dir() and not path.name.startswith(".")]


def _read(folder: Path, chosen: Chosen) -> Found | Skipped:
    """Read what a history needs of a record, or return the reason why it cannot be read."""
    if not (folder / MANIFEST).is_file():
        return Skipped(folder.name, f"no record, or half of one: it has no {MANIFEST}")
    try:
        manifest = read_manifest(folder, ("estimates",))
        rows = _rows((folder / ESTIMATES).read_bytes(), chosen)
        return Found(_audit(folder.name, manifest), _checked(rows, manifest))
    except InputError as error:
        why = str(error).removeprefix(f"{folder}/").removeprefix(f"{folder}: ")
        return Skipped(folder.name, why)
    except OSError as error:
        return Skipped(folder.name, f"{ESTIMATES}: cannot be read ({error.strerror or error})")
    except (ValueError, KeyError, TypeError, pa.ArrowException) as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return Skipped(folder.name, f"{ESTIMATES}: not readable as a record ({told})")


def _audit(name: str, manifest: Manifest) -> Audit:
    created = datetime.fromisoformat(manifest.created)
    return Audit(
        name=name,
        created=created if created.tzinfo else created.replace(tzinfo=UTC),
        number=manifest.number,
        models=manifest.models,
        probe_sets=manifest.probe_sets,
    )


def _checked(rows: list[dict[str, Any]], manifest: Manifest) -> list[dict[str, Any]]:
    """Return the rows. Raises `ValueError` if a probe set is unknown or a text does not parse."""
    for row in rows:
        if row["probe_set"] not in manifest.probe_sets:
            raise ValueError(f"it has numbers of {row['probe_set']!r}, which is none of its sets")
        Slice.parse(row["slice"])
        Method.parse(row["method"])
    return rows


def _rows(content: bytes, chosen: Chosen) -> list[dict[str, Any]]:
    """The chosen rows of a table of estimates."""
    table = _file(content).read(columns=[*KEYS, *NUMBERS], use_threads=False)
    for column, values in chosen.columns().items():
        table = table.filter(pc.is_in(table[column], value_set=pa.array(values)))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _file(content: bytes) -> pq.ParquetFile:
    """Open a table of estimates; texts stay dictionary-encoded, since few occur in many rows."""
    return pq.ParquetFile(pa.BufferReader(content), read_dictionary=list(KEYS))


def _ordered(found: Iterable[Found]) -> tuple[list[Found], tuple[tuple[str, str], ...]]:
    """Return the records in the order of `record.manifests`, and where the clock went backwards.

    They are sorted by number, whatever their times; records of formats without numbers come first,
    by time.
    """
    ordered = sorted(found, key=lambda one: (one.audit.number, one.audit.created, one.audit.name))
    latest: Audit | None = None
    backwards = []
    for audit in (one.audit for one in ordered if one.audit.number):
        if latest is not None and audit.created < latest.created:
            backwards.append((latest.name, audit.name))
        else:
            latest = audit
    return ordered, tuple(backwards)


def _since(runs: Path, ordered: Sequence[Found], since: str) -> Sequence[Found]:
    """The records after a named record, or created after a date. Raises `InputError` for others."""
    if not since:
        return ordered
    names = [one.audit.name for one in ordered]
    if Path(since).name in names:
        return ordered[names.index(Path(since).name) + 1 :]
    try:
        moment = datetime.fromisoformat(since)
    except ValueError as error:
        told = f"--since {since!r}: neither a record in {runs} nor a date such as 2026-11-23"
        raise InputError(told) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return [one for one in ordered if one.audit.created > moment]


def _is_chosen(audit: Audit, chosen: Chosen) -> bool:
    return not chosen.candidates or audit.models["candidate"].name in chosen.candidates


def _nothing(runs: Path, chosen: Chosen, ordered: Sequence[Found]) -> str:
    """The message that nothing matches: what the newest record does not have, and what it has."""
    newest = ordered[-1].audit
    table = _file((runs / newest.name / ESTIMATES).read_bytes()).read(columns=[*KEYS])
    told = [
        f"no {column} {', '.join(map(repr, values))} (there are: {_listed(known)})"
        for column, values in chosen.columns().items()
        if not set(values) & set(known := table[column].unique().to_pylist())
    ]
    names = [one.audit.models["candidate"].name for one in ordered]
    if chosen.candidates and not set(chosen.candidates) & set(names):
        told.append(f"no candidate {', '.join(chosen.candidates)} (there are: {_listed(names)})")
    if chosen.since:
        told.append(f"of {len(ordered)} records those since {chosen.since} alone were asked for")
    why = "; ".join(told) or "not all of it together"
    return f"{runs}: nothing in its records is what was asked for: {why}"


def _listed(names: Iterable[str]) -> str:
    shown = list(dict.fromkeys(names))
    more = [f"and {len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
    return ", ".join([*shown[:_SHOWN], *more])
