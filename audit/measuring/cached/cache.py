"""Cached scores, keyed by content, from which an interrupted run resumes.

An entry is one part of a probe set as scored by models of one vocabulary; its key is a digest of
all its inputs. An entry is written under a temporary name, renamed when complete, and authenticated
with the user's key (`trust`): one that is damaged is deleted and its part scored again, one of
another key is left alone. A faulty cache never makes an audit fail; a folder that others may write
to is refused before anything is scored.
"""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.cached import entries, trust
from maskaudit.audit.measuring.cached.entries import (
    TABLES,
    About,
    DamagedError,
    Entry,
    OtherKeyError,
)
from maskaudit.audit.recording.files import UNFINISHED, replace_whole
from maskaudit.audit.texts import bounded

# The environment variable that sets the cache folder.
VARIABLE = "MASKAUDIT_CACHE"
MIB = 1 << 20
SUFFIX = ".maskaudit-scores"
# What an endpoint answered, in a file for each endpoint.
ANSWERS = ".maskaudit-answers"
# A model as it was exported for another library (`Cache.export`).
EXPORT = ".maskaudit-export"
# The share of the size limit that is freed at once when the cache is full.
_FREED = 0.1
# An unfinished entry older than this, in seconds, was left by a killed run.
_ABANDONED = 24 * 3600.0

OTHER_KEY = "another key than yours"


@dataclass(frozen=True)
class Contents:
    """A cache's folder, its number of entries, and their total size in bytes."""

    folder: Path
    entries: int
    size: int


class Cache:
    """Entries in a folder, up to `most` bytes; the least recently used are deleted first.

    `note` receives a sentence for the user when nothing can be cached (once) or an entry is
    damaged. `lookups` counts the entries looked up, `hits` those returned, and `foreign` those not
    taken because they were made with another key. Nothing is written to another user's folder.
    """

    def __init__(self, folder: Path, most: int, note: Callable[[str], None]) -> None:
        self.lookups = self.hits = self.foreign = 0
        self._folder, self._most, self._note = folder, most, note
        self._size: int | None = None
        self._key: bytes | None = None
        self._is_disabled = False
        self._is_read_only = trust.is_foreign(folder)

    def read(
        self, key: str, fault: Callable[[Entry], str] = lambda _entry: ""
    ) -> dict[str, pd.DataFrame] | None:
        """The tables of an entry; None if it is missing, damaged, unreadable or of another key.

        `fault` says what is wrong with tables that are not those asked for; these are not taken.
        """
        self.lookups += 1
        path = self._path(key)
        try:
            data = bounded.content(path, self._most)
            frames = entries.unpacked(key, data, self._user_key())
            wrong = fault(frames)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._disable(error)
            return None
        except OtherKeyError:
            self.foreign += 1
            return None
        except DamagedError:
            wrong = "is damaged"
        if wrong:
            self._note(f"{path}: this cache entry {wrong}; its sentences are scored again")
            _remove(path)
            return None
        # The modification time records the last use, which decides what is deleted first.
        with contextlib.suppress(OSError):
            os.utime(path)
        self.hits += 1
        return frames

    def export(self, key: str) -> bytes | None:
        """A model that was exported; None if it is missing, damaged or of another key."""
        path = self._folder / f"{key}{EXPORT}"
        try:
            found = entries.unsealed(path.name, bounded.content(path, self._most), self._user_key())
        # Whatever it is: it can be exported again, and where it cannot be kept that is told.
        except (OSError, OtherKeyError, DamagedError):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return found

    def keep_export(self, key: str, exported: bytes) -> None:
        """Keep a model that was exported; where that fails `note` is called."""
        name = f"{key}{EXPORT}"
        if len(exported) > self._most:
            self._note(
                f"a model that was exported has {bounded.shown(len(exported))}, more than the "
                f"cache may ({bounded.shown(self._most)}): it is exported again each time; raise "
                "cache_mib under [run]"
            )
            return
        self._keep(self._folder / name, lambda: entries.sealed(name, exported, self._user_key()))

    def write(self, key: str, entry: Entry, about: About | None = None) -> None:
        """Cache the tables of an entry; if that fails, `note` is called and no error is raised.

        `about` says what the scores were made with.
        """
        made = about or About()
        self._keep(self._path(key), lambda: entries.packed(key, entry, made, self._user_key()))

    def _keep(self, path: Path, packed: Callable[[], bytes]) -> None:
        if self._is_disabled or self._is_read_only:
            return
        try:
            data = packed()
            # It would evict every other entry and still not fit.
            if len(data) > self._most:
                return
            self._make_room(len(data))
            # Private, because scores of a secret model or set are secret too.
            replace_whole(path, data, is_private=True)
        except OSError as error:
            self._disable(error)

    def _user_key(self) -> bytes:
        if self._key is None:
            self._key = trust.user_key()
        return self._key

    def _path(self, key: str) -> Path:
        return path_of(self._folder, key)

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
        # Every later part would fail likewise: one line is enough.
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

    On exit, `note` receives how many of the parts looked up were cached, if any. Raises
    `InputError` if others may write to the folder, or the user's key is not the user's alone.
    """
    cache, folder = None, None
    try:
        if mib:
            trust.key_file()
            folder = default_folder()
    except InputError as error:
        note(f"scores cannot be cached, so an interrupted run cannot be resumed: {error}")
    if folder is not None:
        check(folder)
        with contextlib.suppress(OSError):  # told where an entry is written
            trust.user_key()
        cache = Cache(folder, mib * MIB, note)
    yield cache
    if cache is not None and cache.foreign:
        note(
            f"{cache.foreign} of {cache.lookups} parts in the cache were made with {OTHER_KEY} "
            f"({trust.key_file()}), and were not taken"
        )
    if cache is not None and cache.hits:
        note(
            f"{cache.hits} of {cache.lookups} parts were read from the cache (maskaudit cache info)"
        )


def check(folder: Path) -> None:
    """Refuse a folder that others may write to, or another user's without an entry of our key.

    Raises `InputError`.
    """
    trust.check_folder(folder)
    if trust.is_foreign(folder):
        # Without a key that can be read no entry can be ours.
        with contextlib.suppress(OSError):
            own = trust.key_id(trust.user_key())
            if any(made[0] == own for path, _ in _entries(folder) if (made := entries.about(path))):
                return
        trust.check_own(folder)


def path_of(folder: Path, key: str) -> Path:
    """The file of an entry."""
    return folder / f"{key}{SUFFIX}"


def made_with(folder: Path) -> Iterator[About | None]:
    """What each entry of the user's key was made with; None for one of another key or format.

    Raises `InputError` if the user's key cannot be used.
    """
    try:
        own = trust.key_id(trust.user_key())
    except OSError:
        own = b""
    for path, _ in _entries(folder):
        if path.suffix != SUFFIX:
            continue
        made = entries.about(path)
        yield made[1] if made is not None and made[0] == own else None


def not_taken(folder: Path, here: About) -> Counter[str]:
    """How many entries a run here would not take, by reason: their key, or what made them."""
    reasons: Counter[str] = Counter()
    for about in made_with(folder):
        why = [OTHER_KEY] if about is None else about.differences(here)
        if why:
            reasons[" and ".join(why)] += 1
    return reasons


def contents(folder: Path) -> Contents:
    """The contents of a cache; empty if the folder does not exist."""
    sizes = [stat.st_size for _, stat in _entries(folder)]
    return Contents(folder, len(sizes), sum(sizes))


def clear(folder: Path) -> Contents:
    """Delete all entries, unfinished ones included, and return what there was; other files stay.

    Raises `OSError` if an entry cannot be deleted.
    """
    before = contents(folder)
    # Listed first: a folder need not tell all of its files while some of them are deleted.
    for path, _ in list(_entries(folder)):
        path.unlink(missing_ok=True)
    for path in folder.glob(f"{UNFINISHED}*"):
        path.unlink(missing_ok=True)
    return before


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Each entry of a folder; an entry that is deleted meanwhile is left out."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for path in folder.iterdir():
            if (
                path.suffix in (SUFFIX, ANSWERS, EXPORT)
                and not path.name.startswith(".")
                and path.is_file()
            ):
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


__all__ = [
    "ANSWERS", "EXPORT", "MIB", "OTHER_KEY", "SUFFIX", "TABLES", "VARIABLE", "About", "Cache",
    "Contents", "Entry", "check", "clear", "contents", "default_folder", "made_with", "not_taken",
    "opened", "path_of",
]  # fmt: skip
