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

Found = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Contents:
    """A cache's folder, its number of entries, and their total size in bytes."""

    folder: Path
    entries: int
    size: int


class Cache:
    """Entries in a folder, up to `most` bytes; the least recently used are deleted first.

    `note` receives a sentence for the user when nothing can be cached (once) or an entry is
    damaged. `asked` counts the entries looked up, `taken` those returned.
    """

    def __init__(self, folder: Path, most: int, note: Callable[[str], None]) -> None:
        self.asked = self.taken = 0
        self._folder, self._most, self._note = folder, most, note
        self._size: int | None = None
        self._is_shut = False

    def read(self, key: str) -> dict[str, pd.DataFrame] | None:
        """The tables of an entry; None if it is missing, damaged or unreadable."""
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
        except Exception:  # noqa: BLE001 - whatever is wrong with an entry, score its part again
            found = None
        if found is None:
            self._note(f"{path}: this cache entry is damaged; its sentences are scored again")
            _remove(path)
            return None
        # The modification time records the last use, which decides what is deleted first.
        with contextlib.suppress(OSError):
            os.utime(path)
        self.taken += 1
        return found

    def write(self, key: str, found: Found) -> None:
        """Cache the tables of an entry; if that fails, `note` is called and no error is raised."""
        if self._is_shut:
            return
        payload = _payload(found)
        data = hashlib.sha256(payload).digest() + payload
        # It would evict every other entry and still not fit.
        if len(data) > self._most:
            return
        try:
            self._make_room(len(data))
            replace_whole(self._place(key), data, is_private=True)
        except OSError as error:
            self._shut(error)

    def _place(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"

    def _make_room(self, needed: int) -> None:
        """Delete the least recently used entries if `needed` more bytes exceed the limit."""
        if self._size is None:
            _open(self._folder)
            self._size = contents(self._folder).size
        self._size += needed
        if self._size <= self._most:
            return
        # Other runs may have added or deleted entries, so the folder is listed again.
        held = sorted(_entries(self._folder), key=lambda entry: (entry[1].st_mtime_ns, entry[0]))
        self._size = needed + sum(stat.st_size for _, stat in held)
        for path, stat in held:
            # Free more than is needed, so that the next entry does not list the folder again.
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
    """The cache folder: $MASKAUDIT_CACHE, or `maskaudit/scores` in the user's cache folder.

    Raises `InputError` if the user has no home folder.
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
    """The user's cache, limited to `mib` MiB; None if that is 0 or there is no folder for it.

    On exit, `note` receives how many of the parts looked up were cached, if any.
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
    """The contents of a cache; empty if the folder does not exist."""
    sizes = [stat.st_size for _, stat in _entries(folder)]
    return Contents(folder, len(sizes), sum(sizes))


def clear(folder: Path) -> Contents:
    """Delete all entries, unfinished ones included, and return what there was; other files stay.

    Raises `OSError` if an entry cannot be deleted.
    """
    found = contents(folder)
    for path, _ in list(_entries(folder)):
        path.unlink(missing_ok=True)
    for path in folder.glob(f"{UNFINISHED}*"):
        path.unlink(missing_ok=True)
    return found


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
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _payload(found: Found) -> bytes:
    """The tables as consecutive Arrow streams, in the order of `TABLES`."""
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
