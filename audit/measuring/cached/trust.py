"""Whom the cache of scores believes: a folder that is its user's alone, and the user's own key.

An entry is authenticated by a key (HMAC-SHA256) in the user's configuration folder. Whoever has a
copy of the key believes the entries made with it, so a folder may be read by many.
"""

import contextlib
import hashlib
import os
import secrets
import shlex
import stat
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded

KEY_FILE = "cache.key"
_KEY_BYTES = 32
_ID_BYTES = 16


def check_folder(folder: Path) -> None:
    """Refuse a folder that others may write to. Raises `InputError`, which says what to type."""
    status = _status(folder)
    if status is not None and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(
            f"{folder}: others may write to this cache (mode {stat.S_IMODE(status.st_mode):04o}), "
            f"and so decide the numbers that are taken from it; type  chmod go-w "
            f"{shlex.quote(str(folder))}  or give --no-cache"
        )


def is_foreign(folder: Path) -> bool:
    """Whether a folder exists and is another user's."""
    status = _status(folder)
    return status is not None and status.st_uid != os.getuid()


def check_own(folder: Path) -> None:
    """Refuse a folder of another user. Raises `InputError`, which says what to type."""
    if is_foreign(folder):
        raise InputError(
            f"{folder}: this cache belongs to another user, and no entry was signed with your key "
            f"({key_file()}); put its owner's key there, or set MASKAUDIT_CACHE to a folder of "
            "your own, or give --no-cache"
        )


def _status(folder: Path) -> os.stat_result | None:
    """The status of a folder; None if there is none, or no users and modes as on Unix."""
    if not hasattr(os, "getuid"):
        return None
    with contextlib.suppress(OSError):
        return folder.stat()
    return None


def key_file() -> Path:
    """The file of the user's key: `maskaudit/cache.key` in the user's configuration folder.

    Raises `InputError` if the user has no home folder.
    """
    xdg_config = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        # The XDG specification says to ignore a relative path.
        configurations = (
            Path(xdg_config)
            if Path(xdg_config).is_absolute()
            else Path.home().absolute() / ".config"
        )
    except RuntimeError as error:
        raise InputError(
            "there is no home folder for the key of the cache; set XDG_CONFIG_HOME to a folder"
        ) from error
    return configurations / "maskaudit" / KEY_FILE


def user_key() -> bytes:
    """The user's key, made on first use.

    Raises `InputError` if the file is not a key, or not its user's alone, and `OSError` if it
    cannot be read or made.
    """
    file = key_file()
    if not file.exists():
        _make(file)
    # Read even if just made: where two processes make a key at once, only one of them stays.
    return _read(file)


def key_id(key: bytes) -> bytes:
    """What tells keys apart without giving them away."""
    return hashlib.sha256(b"maskaudit cache key" + key).digest()[:_ID_BYTES]


def _make(file: Path) -> None:
    """Make a key, whole or not at all; one that another process made meanwhile is kept."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_name(f".{KEY_FILE}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as new:
            new.write(secrets.token_hex(_KEY_BYTES) + "\n")
        # A link, since renaming would replace the key of the other process.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _read(file: Path) -> bytes:
    try:
        # Checked on the open file: between a check by name and the reading it could be exchanged.
        opened = bounded.opened(file, bounded.SUMS)
    except bounded.UnfitFileError as error:
        raise InputError(f"{file}: {error.strerror}; expected the key of the cache") from error
    with opened:
        status = os.fstat(opened.fileno())
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            raise InputError(f"{file}: this key is another user's; remove it, or copy its content")
        if hasattr(os, "getuid") and status.st_mode & 0o077:
            raise InputError(
                f"{file}: others may use this key (mode {stat.S_IMODE(status.st_mode):04o}); type  "
                f"chmod 600 {shlex.quote(str(file))}"
            )
        # A key, its line end and one more, so that of a longer file it is no key that is read.
        text = opened.read(2 * _KEY_BYTES + 2)
    with contextlib.suppress(ValueError):
        key = bytes.fromhex(text.decode("ascii"))
        if len(key) == _KEY_BYTES:
            return key
    raise InputError(
        f"{file}: is no key; expected {2 * _KEY_BYTES} hexadecimal digits. Remove it to have a new "
        "one made"
    )
