"""Scores that were made before, kept by content: what a run that was ended goes on from.

An entry is one part of a probe set as models of one vocabulary scored it; its key is a digest of
all that went into it. An entry is written under another name and renamed when it is whole, and it
has its own checksum: one that is damaged is deleted, and its part is scored again. Whatever is
wrong with the cache, an audit does not fail for it.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording import tables
from maskaudit.audit.recording.files import UNFINISHED, replace_whole

# The place of the cache, where the user says one.
VARIABLE = "MASKAUDIT_CACHE"
MIB = 1 << 20
TABLES = ("scores", "paired", "fills")
SUFFIX = ".maskaudit-scores"
_DIGEST_BYTES = 32
# Where there is no more room, so much of it is freed at once.
_FREED = 0.1
# An unfinished entry this old, in seconds, belongs to a run that was killed.
_ABANDONED = 24 * 3600.0

Found = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Contents:
    """What a cache holds: where, how many entries, and how many bytes they take."""

    folder: Path
    entries: int
    size: int


class Cache:
    """Entries in a folder, up to `most` bytes; those that were not used for longest go first.

    `note` is told, in a sentence, what a user would want to know: that nothing can be kept (once),
    or that an entry was damaged. `asked` and `taken` count the entries looked for and found.
    """

    def __init__(self, folder: Path, most: int, note: Callable[[str], None]) -> None:
        self.asked = self.taken = 0
        self._folder, self._most, self._note = folder, most, note
        self._size: int | None = None
        self._is_shut = False

    def read(self, key: str) -> dict[str, pd.DataFrame] | None:
        """The tables of an entry, or None where there is none."""
        self.asked += 1
        path = self._place(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._shut(error)
            return None
        digest, payload = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        try:
            found = _tables(payload) if hashlib.sha256(payload).digest() == digest else None
        except Exception:  # noqa: BLE001 - whatever is wrong with an entry, it is scored again
            found = None
        if found is None:
            self._note(f"{path}: this cache entry is damaged; its sentences are scored again")
            _remove(path)
            return None
        # The time of last use decides what goes when room is needed.
        with contextlib.suppress(OSError):
            os.utime(path)
        self.taken += 1
        return found

    def write(self, key: str, found: Found) -> None:
        """Keep the tables of an entry; where they cannot be kept, that is told and no error."""
        if self._is_shut:
            return
        payload = _payload(found)
        data = hashlib.sha256(payload).digest() + payload
        # It would push out everything else and still not fit.
        if len(data) > self._most:
            return
        try:
            self._make_room(len(data))
            replace_whole(self._place(key), data)
        except OSError as error:
            self._shut(error)

    def _place(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"

    def _make_room(self, needed: int) -> None:
        """Delete what was not used for longest, if it takes that."""
        if self._size is None:
            _open(self._folder)
            self._size = contents(self._folder).size
        self._size += needed
        if self._size <= self._most:
            return
        # Others may have written and deleted meanwhile.
        held = sorted(_entries(self._folder), key=lambda entry: (entry[1].st_mtime_ns, entry[0]))
        self._size = needed + sum(stat.st_size for _, stat in held)
        for path, stat in held:
            # More is freed than is needed, so that the next entry does not list the folder again.
            if self._size <= self._most * (1 - _FREED):
                break
            _remove(path)
            self._size -= stat.st_size

    def _shut(self, error: OSError) -> None:
        if not self._is_shut:
            reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
            self._note(
                f"{self._folder}: scores cannot be kept ({reason}), so a run that is ended cannot "
                f"be resumed; {VARIABLE} names another folder"
            )
        self._is_shut = True


def place() -> Path:
    """The folder of the cache: $MASKAUDIT_CACHE, or `maskaudit/scores` in the user's own caches.

    Raises `InputError` where the user has no home.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    try:
        if said := os.environ.get(VARIABLE):
            return Path(said).expanduser().absolute()
        caches = Path(home) if Path(home).is_absolute() else Path.home().absolute() / ".cache"
    except RuntimeError as error:
        raise InputError(f"there is no home folder for a cache; set {VARIABLE}") from error
    return caches / "maskaudit" / "scores"


@contextmanager
def opened(mib: int, note: Callable[[str], None]) -> Iterator[Cache | None]:
    """The user's cache of at most so many MiB; None where that is 0 or there is no place for it.

    At the end it is noted how much of what was looked for was there.
    """
    cache = None
    try:
        cache = Cache(place(), mib * MIB, note) if mib else None
    except InputError as error:
        note(f"scores cannot be kept, so a run that is ended cannot be resumed: {error}")
    yield cache
    if cache is not None and cache.taken:
        note(
            f"{cache.taken} of {cache.asked} parts were scored before and taken from the cache "
            "(maskaudit cache info)"
        )


def contents(folder: Path) -> Contents:
    """What a cache holds; nothing where there is no folder."""
    sizes = [stat.st_size for _, stat in _entries(folder)]
    return Contents(folder, len(sizes), sum(sizes))


def clear(folder: Path) -> Contents:
    """Delete all entries, and return what there was; files of others stay.

    Raises `OSError` where they cannot be deleted.
    """
    found = contents(folder)
    for path, _ in list(_entries(folder)):
        path.unlink(missing_ok=True)
    for path in folder.glob(f"{UNFINISHED}*"):
        path.unlink(missing_ok=True)
    return found


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Each entry of a folder; one that goes meanwhile is left out."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for path in folder.iterdir():
            if path.suffix == SUFFIX and not path.name.startswith(".") and path.is_file():
                with contextlib.suppress(FileNotFoundError):
                    yield path, path.stat()


def _open(folder: Path) -> None:
    """Make the folder, for its owner alone, and sweep what killed runs left in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _payload(found: Found) -> bytes:
    """The tables as streams of Arrow, one behind the other."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    for name in TABLES:
        whole = pa.Table.from_pandas(tables.check(name, found[name]), preserve_index=False)
        with pa.ipc.new_stream(sink, whole.schema, options=options) as stream:
            stream.write_table(whole)
    return bytes(sink.getvalue())


def _tables(payload: bytes) -> dict[str, pd.DataFrame]:
    source = pa.BufferReader(payload)
    found = {}
    for name in TABLES:
        with pa.ipc.open_stream(source) as stream:
            found[name] = tables.conform(name, stream.read_pandas())
    return found
