"""Cached scores, keyed by content, from which an interrupted run resumes.

An entry is one part of a probe set as scored by models of one vocabulary; its key is a digest of
all its inputs. An entry is written under a temporary name, renamed when complete, and has a
checksum: a damaged entry is deleted and its part is scored again. A faulty cache never makes an
audit fail.
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
from maskaudit.audit.texts import bounded

# The environment variable that sets the cache folder.
VARIABLE = "MASKAUDIT_CACHE"
MIB = 1 << 20
TABLES = ("scores", "paired", "fills")
SUFFIX = ".maskaudit-scores"
_DIGEST_BYTES = 32
# The share of the size limit that is freed at once when the cache is full.
_FREED = 0.1
# An unfinished entry older than this, in seconds, was left by a killed run.
_ABANDONED = 24 * 3600.0

Entry = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Contents:
    """A cache's folder, its number of entries, and their total size in bytes."""

    folder: Path
    entries: int
    size: int


class Cache:
    """Entries in a folder, up to `most` bytes; the least recently used are deleted first.

    `note` receives a sentence for the user when nothing can be cached (once) or an entry is
    damaged. `lookups` counts the entries looked up, `hits` those returned.
    """

    def __init__(self, folder: Path, most: int, note: Callable[[str], None]) -> None:
        self.lookups = self.hits = 0
        self._folder, self._most, self._note = folder, most, note
        self._size: int | None = None
        self._is_disabled = False

    def read(self, key: str) -> dict[str, pd.DataFrame] | None:
        """The tables of an entry; None if it is missing, damaged or unreadable."""
        self.lookups += 1
        path = self._path(key)
        try:
            data = bounded.content(path, self._most)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._disable(error)
            return None
        digest, payload = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        try:
            frames = _tables(payload) if hashlib.sha256(payload).digest() == digest else None
        except Exception:  # noqa: BLE001 - whatever is wrong with an entry, score its part again
            frames = None
        if frames is None:
            self._note(f"{path}: this cache entry is damaged; its sentences are scored again")
            _remove(path)
            return None
        # The modification time records the last use, which decides what is deleted first.
        with contextlib.suppress(OSError):
            os.utime(path)
        self.hits += 1
        return frames

    def write(self, key: str, entry: Entry) -> None:
        """Cache the tables of an entry; if that fails, `note` is called and no error is raised."""
        if self._is_disabled:
            return
        payload = _payload(entry)
        data = hashlib.sha256(payload).digest() + payload
        # It would evict every other entry and still not fit.
        if len(data) > self._most:
            return
        try:
            self._make_room(len(data))
            # Private, because scores of a secret model or set are secret too, and because whoever
            # can write an entry decides the numbers that are taken from it.
            replace_whole(self._path(key), data, is_private=True)
        except OSError as error:
            self._disable(error)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"

    def _make_room(self, needed: int) -> None:
        """Delete the least recently used entries if `needed` more bytes exceed the limit."""
        if self._size is None:
            _open(self._folder)
            self._size = contents(self._folder).size
        # Counted, and not listed each time: a run adds an entry for every part.
        self._size += needed
        if self._size <= self._most:
            return
        # Other runs may have added or deleted entries, so the folder is listed again.
        entries = sorted(_entries(self._folder), key=lambda item: (item[1].st_mtime_ns, item[0]))
        self._size = needed + sum(stat.st_size for _, stat in entries)
        for path, stat in entries:
            # Free more than is needed, so that the next entry does not list the folder again.
            if self._size <= self._most * (1 - _FREED):
                break
            _remove(path)
            self._size -= stat.st_size

    def _disable(self, error: OSError) -> None:
        if not self._is_disabled:
            reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
            self._note(
                f"{self._folder}: scores cannot be cached ({reason}), so an interrupted run cannot "
                f"be resumed; set {VARIABLE} to another folder"
            )
        self._is_disabled = True


def default_folder() -> Path:
    """The cache folder: $MASKAUDIT_CACHE, or `maskaudit/scores` in the user's cache folder.

    Raises `InputError` if the user has no home folder.
    """
    xdg_cache = os.environ.get("XDG_CACHE_HOME", "")
    try:
        if override := os.environ.get(VARIABLE):
            return Path(override).expanduser().absolute()
        # The XDG specification says to ignore a relative path.
        caches = (
            Path(xdg_cache) if Path(xdg_cache).is_absolute() else Path.home().absolute() / ".cache"
        )
    except RuntimeError as error:
        raise InputError(
            f"there is no home folder for a cache; set {VARIABLE} to a folder"
        ) from error
    return caches / "maskaudit" / "scores"


@contextmanager
def opened(mib: int, note: Callable[[str], None]) -> Iterator[Cache | None]:
    """The user's cache, limited to `mib` MiB; None if that is 0 or there is no folder for it.

    On exit, `note` receives how many of the parts looked up were cached, if any.
    """
    cache = None
    try:
        cache = Cache(default_folder(), mib * MIB, note) if mib else None
    except InputError as error:
        note(f"scores cannot be cached, so an interrupted run cannot be resumed: {error}")
    yield cache
    if cache is not None and cache.hits:
        note(
            f"{cache.hits} of {cache.lookups} parts were read from the cache (maskaudit cache info)"
        )


def contents(folder: Path) -> Contents:
    """The contents of a cache; empty if the folder does not exist."""
    sizes = [stat.st_size for _, stat in _entries(folder)]
    return Contents(folder, len(sizes), sum(sizes))


def clear(folder: Path) -> Contents:
    """Delete all entries, unfinished ones included, and return what there was; other files stay.

    Raises `OSError` if an entry cannot be deleted.
    """
    before = contents(folder)
    for path, _ in list(_entries(folder)):
        path.unlink(missing_ok=True)
    for path in folder.glob(f"{UNFINISHED}*"):
        path.unlink(missing_ok=True)
    return before


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Each entry of a folder; an entry that is deleted meanwhile is left out."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for path in folder.iterdir():
            if path.suffix == SUFFIX and not path.name.startswith(".") and path.is_file():
                with contextlib.suppress(FileNotFoundError):
                    yield path, path.stat()


def _open(folder: Path) -> None:
    """Create the folder, private to its owner, and delete what killed runs left in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(FileNotFoundError):
            # A younger one may be another run's that is still being written.
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _payload(entry: Entry) -> bytes:
    """The tables as consecutive Arrow streams, in the order of `TABLES`."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    for name in TABLES:
        table = pa.Table.from_pandas(tables.check(name, entry[name]), preserve_index=False)
        with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
            stream.write_table(table)
    return bytes(sink.getvalue())


def _tables(payload: bytes) -> dict[str, pd.DataFrame]:
    source = pa.BufferReader(payload)
    frames = {}
    # The streams carry no names: only their order says which table each is.
    for name in TABLES:
        with pa.ipc.open_stream(source) as stream:
            frames[name] = tables.conform(name, stream.read_pandas())
    return frames
