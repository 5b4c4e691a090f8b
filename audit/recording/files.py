"""Write files and folders whole or not at all, and lock a folder for one writer.

Records, baselines and folders of runs may come from others, for instance with a pull request: what
is written into them never goes through a link (`write_inside`). Only the place that users name
themselves may be one (`write_whole`).
"""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from maskaudit.audit.errors import CannotWriteError, InputError, LockedError

# The prefix of files and folders that are not whole yet; killed runs leave them behind.
UNFINISHED = ".unfinished-"
# The most of a holder's line that is read.
_HOLDER_BYTES = 200


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Lock a folder for one writer, and delete what killed runs left unfinished in it.

    Unfinished files are deleted in the folder and one level below. Raises `LockedError`, which
    names the holder, if another process holds the folder; `CannotWriteError` if it cannot be made.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(_no_link(folder / ".lock"), timeout=0)
        holder = folder / ".holder"
        try:
            lock.acquire()
        except Timeout as error:
            raise LockedError(
                f"{folder}: held by {_owner(holder)}; wait for it to end, or choose another --out"
            ) from error
    try:
        with writing(folder):
            since = datetime.now(UTC).isoformat(timespec="seconds")
            replace_whole(holder, f"process {os.getpid()} since {since}".encode())
        _sweep(folder)
        yield
    finally:
        # Still under the lock: once it is released, the file may be that of the next run.
        holder.unlink(missing_ok=True)
        lock.release()


def _no_link(path: Path) -> Path:
    """The path, if it is no link. Raises `InputError`, since what is written would go elsewhere."""
    if path.is_symlink():
        raise InputError(f"{path}: is a link, and none is followed for writing here; remove it")
    return path


def check_no_links(folder: Path) -> None:
    """Raise `InputError` if something in a folder is a link to a file elsewhere."""
    # Sorted, so that the same link is named on every machine.
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            raise InputError(
                f"{path}: is a link; a record holds its files itself. Remove the link, or put the "
                "file in its place"
            )


def _owner(holder: Path) -> str:
    """Who holds a folder, as the holder wrote it; no link is followed."""
    try:
        with open(holder, "rb", opener=_opened_here) as file:
            return file.read(_HOLDER_BYTES).decode("utf-8", "replace") or "an unknown process"
    except OSError:
        return "an unknown process"


def _opened_here(name: str, flags: int) -> int:
    """Open a file that is no link, without waiting for the writer of a pipe."""
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _sweep(folder: Path) -> None:
    """Delete what killed runs left unfinished in a folder and one level below, behind no link.

    Safe under the lock: no other run is writing here.
    """
    below = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    for path in [path for place in (folder, *below) for path in place.glob(f"{UNFINISHED}*")]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an `OSError`, as of a full disk, into a one-line `CannotWriteError` with the path."""
    try:
        yield
    except OSError as error:
        # Not every OSError has an errno: those of pyarrow have none.
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
        raise CannotWriteError(f"{path}: cannot write ({reason})", "nothing was saved") from error


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Make a hidden folder inside `folder` to write into, and delete it afterwards.

    Rename finished files out of it. Raises `CannotWriteError` if the folder cannot be made.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Inside `folder`, since renaming is atomic only within one file system.
        scratch = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_whole(path: Path, text: str) -> Path:
    """Write a text whole or not at all, and return `path`; on failure an earlier file is kept.

    For a place that the user named: links are followed, and devices and pipes are written directly.
    Raises `CannotWriteError` if the disk is full or read-only.
    """
    with writing(path):
        if path.exists() and not path.is_file():  # renaming would replace a device or a pipe
            path.write_text(text, "utf-8", newline="\n")
        else:
            # Resolved, since renaming onto a link would replace the link and not its target.
            replace_whole(path.resolve(), text.encode())
    return path


def write_inside(path: Path, text: str) -> Path:
    """Write a text into a record or a folder of runs, and return `path`.

    As `write_whole`, but a link, a device or a pipe at `path` is replaced, and never written to.
    """
    with writing(path):
        replace_whole(path, text.encode())
    return path


def replace_whole(path: Path, content: bytes, *, is_private: bool = False) -> None:
    """Write a file under a temporary name and rename it, keeping the mode of a file it replaces.

    A link is replaced, not followed. A private file is its owner's alone from its first byte on,
    whatever it replaces. Raises `OSError` if it cannot be written, and leaves nothing behind.
    """
    temporary = path.with_name(f"{UNFINISHED}{path.name}.{os.getpid()}")
    mode = 0o600 if is_private else 0o666  # less what the user's umask takes
    try:
        # A killed process that had the same id may have left one behind.
        temporary.unlink(missing_ok=True)
        # "x": the write must not go through a link that someone placed under this name.
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            # Of a link itself: it is replaced, and the mode of what it leads to is of another file.
            earlier = path.lstat() if os.path.lexists(path) else None
            if earlier is not None and stat.S_ISREG(earlier.st_mode) and not is_private:
                temporary.chmod(stat.S_IMODE(earlier.st_mode))
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
