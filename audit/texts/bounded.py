"""The one reader of files that come from outside: regular files of a bounded size.

A named pipe would be waited for without end, and a device read without end. A file is looked at
before it is opened, and again when it is open, for it may have been replaced.
"""

import errno
import json
import os
import stat
from collections.abc import Collection
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30

# The most bytes that a file may have, by its kind.
SUMS = 64 * _KIB
SETTINGS = 16 * _MIB  # AUDIT.toml, gates.toml, a baseline's TOML, verdicts
CONFIG = 16 * _MIB  # config.json and other JSON of a checkpoint
CARD = 4 * _MIB  # a model card, which is searched for what it says
TEXT = 64 * _MIB  # a lexicon, the sentences of `fill`
PROBES = 256 * _MIB
MANIFEST = 256 * _MIB
TOKENIZER = 256 * _MIB
HEADER = 100 * _MIB  # of a safetensors file, as its own library has it
PUBLISHED = 512 * _MIB
TABLE = 4 * _GIB
WEIGHTS = 1024 * _GIB

# The deepest that tables and lists of JSON or TOML may be nested in each other.
DEEPEST = 64

_KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}
# Not there on every system; a regular file is read the same with them and without.
# O_NONBLOCK: a pipe that has taken the place of a file is opened at once, and then refused.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY"))


class UnfitFileError(OSError):
    """What is named is no regular file, or has more bytes than files of its kind may have."""

    def __init__(self, path: str | Path, fault: str) -> None:
        super().__init__(errno.EINVAL, fault, str(path))


def opened(path: str | Path, most: int) -> BufferedReader:
    """Open a regular file of at most `most` bytes, to be closed by the caller.

    Raises `UnfitFileError` for anything else, and `OSError` where there is none to be read. The
    reason for people is the error's `strerror`.
    """
    _check(os.stat(path), path, most)  # noqa: PTH116 - a path of any kind
    file = open(  # noqa: SIM115 - with flags; closed by the caller
        path, "rb", opener=lambda name, _flags: os.open(name, _FLAGS)
    )
    try:
        _check(os.fstat(file.fileno()), path, most)
    # Of any kind: an interruption here must not leave the file open either.
    except BaseException:
        file.close()
        raise
    return file


def content(path: str | Path, most: int) -> bytes:
    """The bytes of a regular file of at most `most` bytes. Raises the errors of `opened`."""
    with opened(path, most) as file:
        # A file may grow while it is read, and those of /proc have no size.
        size = os.fstat(file.fileno()).st_size
        read = file.read(size + 1)
    if len(read) > size:
        raise UnfitFileError(path, f"has more than the {size:,} bytes that it had when opened")
    return read


def stream(source: BinaryIO, most: int) -> bytes:
    """All bytes of a stream; raises `UnfitFileError` if there are more than `most`."""
    # A byte more than is allowed tells that there are more, without reading them all.
    read = source.read(most + 1)
    if len(read) > most:
        raise UnfitFileError("", f"has more than {shown(most)}")
    return read


def check_regular(path: str | Path, most: int) -> None:
    """Raise the errors of `opened` for a file that another library is going to open."""
    _check(os.stat(path), path, most)  # noqa: PTH116 - a path of any kind


def json_value(text: str | bytes) -> Any:  # noqa: ANN401 - JSON may hold any value
    """The value of a JSON text. Raises `ValueError` if it is none, or nested too deeply."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise _too_deep() from error
    check_depth(value)
    return value


def check_depth(value: object) -> None:
    """Raise `ValueError` if lists and tables are nested in each other more than `DEEPEST` deep.

    Later steps walk a value by calling themselves, and would exhaust the stack.
    """
    # Level by level and not by recursion, which is what a deep value would break.
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(DEEPEST):
        if not level:
            return
        level = [part for whole in level for part in _parts(whole) if isinstance(part, list | dict)]
    if level:
        raise _too_deep()


def _parts(whole: list[Any] | dict[str, Any]) -> Collection[Any]:
    return whole.values() if isinstance(whole, dict) else whole


def shown(size: int) -> str:
    """A size in bytes for people, such as `16 MiB`."""
    for unit, name in ((_GIB, "GiB"), (_MIB, "MiB"), (_KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:,.1f}".removesuffix(".0") + f" {name}"
    return f"{size} bytes"


def _check(status: os.stat_result, path: str | Path, most: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = next(
            (name for is_kind, name in _KINDS.items() if is_kind(status.st_mode)), "no file"
        )
        raise UnfitFileError(path, f"is {kind}, not a regular file")
    if status.st_size > most:
        raise UnfitFileError(path, f"has {shown(status.st_size)}, more than {shown(most)}")


def _too_deep() -> ValueError:
    return ValueError(f"lists and tables are nested more than {DEEPEST} deep")
