"""Files and folders written whole or not at all, and a folder held for one writer."""

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

# What begins with it is not whole: a run that was killed left it behind.
UNFINISHED = ".unfinished-"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder for one writer; `LockedError` says who has it.

    What a killed run left unfinished in there, or one folder below, is deleted.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=0)
        holder = folder / ".holder"
        try:
            lock.acquire()
        except Timeout as error:
            who = holder.read_text("utf-8") if holder.exists() else "an unknown process"
            raise LockedError(f"{folder}: held by {who}; wait for it or choose --out") from error
    try:
        with writing(folder):
            since = datetime.now(UTC).isoformat(timespec="seconds")
            holder.write_text(f"process {os.getpid()} since {since}", "utf-8")
        # A killed run could not delete its files, and no other run is at work here now.
        for left in (*folder.glob(f"{UNFINISHED}*"), *folder.glob(f"*/{UNFINISHED}*")):
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


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder` to write into; it is deleted with what is still in it.

    What is whole is renamed out of it. Raises `CannotWriteError` where it cannot be made.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_whole(path: Path, text: str) -> Path:
    """Write a text so that it is there whole or, as before, not at all; `path` is returned.

    A link is followed. Raises `CannotWriteError` where the disk is full or read-only.
    """
    with writing(path):
        if path.exists() and not path.is_file():  # a device or a pipe is written into
            path.write_text(text, "utf-8", newline="\n")
        else:
            replace_whole(path.resolve(), text.encode())
    return path


def replace_whole(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it; it keeps the mode of the one it replaces.

    Raises `OSError` where it cannot be written, and leaves nothing behind.
    """
    begun = path.with_name(f"{UNFINISHED}{path.name}.{os.getpid()}")
    try:
        begun.unlink(missing_ok=True)
        # Made anew: nothing is written through a link that somebody laid under this name.
        with begun.open("xb") as file:
            file.write(content)
        if path.exists():
            begun.chmod(stat.S_IMODE(path.stat().st_mode))
        begun.replace(path)
    finally:
        with contextlib.suppress(OSError):
            begun.unlink(missing_ok=True)
