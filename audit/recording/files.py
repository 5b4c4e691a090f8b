"""Write files and folders whole or not at all, and lock a folder for one writer."""

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

from maskaudit.audit.errors import CannotWriteError, LockedError
from maskaudit.audit.texts import bounded

# The prefix of files and folders that are not whole yet; killed runs leave them behind.
UNFINISHED = ".unfinished-"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Lock a folder for one writer, and delete what killed runs left unfinished in it.

    Unfinished files are deleted in the folder and one level below. Raises `LockedError`, which
    names the holder, if another process holds the folder; `CannotWriteError` if it cannot be made.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=0)
        holder = folder / ".holder"
        try:
            lock.acquire()
        except Timeout as error:
            owner = _holder(holder)
            raise LockedError(
                f"{folder}: held by {owner}; wait for it to end, or choose another --out"
            ) from error
    try:
        with writing(folder):
            since = datetime.now(UTC).isoformat(timespec="seconds")
            holder.write_text(f"process {os.getpid()} since {since}", "utf-8")
        # Safe under the lock: no other run is writing here, so these come from killed runs.
        for path in (*folder.glob(f"{UNFINISHED}*"), *folder.glob(f"*/{UNFINISHED}*")):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        yield
    finally:
        # Still under the lock: once it is released, the file may be that of the next run.
        holder.unlink(missing_ok=True)
        lock.release()


def _holder(path: Path) -> str:
    try:
        return bounded.content(path, bounded.SUMS).decode("utf-8", "replace")
    except OSError:
        return "an unknown process"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an `OSError`, as of a full disk, into a one-line `CannotWriteError` with the path."""
    try:
        yield
    except OSError as error:
        # Not every OSError has an errno: those of pyarrow have none.
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
        raise CannotWriteError(f"{path}: cannot write ({reason}); nothing was saved") from error


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

    Links are followed; devices and pipes are written directly. Raises `CannotWriteError` if the
    disk is full or read-only.
    """
    with writing(path):
        if path.exists() and not path.is_file():  # renaming would replace a device or a pipe
            path.write_text(text, "utf-8", newline="\n")
        else:
            # Resolved, since renaming onto a link would replace the link and not its target.
            replace_whole(path.resolve(), text.encode())
    return path


def replace_whole(path: Path, content: bytes, *, is_private: bool = False) -> None:
    """Write a file under a temporary name and rename it, keeping the mode of a file it replaces.

    A private file is its owner's alone from its first byte on, whatever it replaces. Raises
    `OSError` if it cannot be written, and leaves nothing behind.
    """
    temporary = path.with_name(f"{UNFINISHED}{path.name}.{os.getpid()}")
    mode = 0o600 if is_private else 0o666  # less what the user's umask takes
    try:
        # A killed process that had the same id may have left one behind.
        temporary.unlink(missing_ok=True)
        # "x": the write must not go through a link that someone placed under this name.
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
        if path.exists() and not is_private:
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
