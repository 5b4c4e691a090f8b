"""Read text files that people write: UTF-8, with or without a byte order mark."""

import codecs
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded

# The longer marks first: little-endian UTF-32's starts with little-endian UTF-16's.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

_EXPECTED = "expected a file saved as UTF-8"


def read_text(path: str | Path, expected: str = "a text file", most: int = bounded.TEXT) -> str:
    """The text of a UTF-8 file of at most `most` bytes, without an editor's byte order mark.

    Raises `InputError` if it is no regular file, too large, unreadable or not UTF-8; the message
    names the other encoding or the offending byte.
    """
    try:
        content = bounded.content(path, most)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: cannot be read ({reason}); expected {expected}") from error
    except ValueError as error:  # a zero byte in the path
        raise InputError(f"{path!r}: is not a path ({error}); expected {expected}") from error
    return decoded(content, str(path))


def decoded(content: bytes, where: str) -> str:
    """Decode UTF-8; raises `InputError`, whose message starts with `where`, for anything else."""
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
    if encoding:
        raise InputError(f"{where}: is {encoding} (byte order mark at byte 0); {_EXPECTED}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        fault = f"byte {error.start} (0x{content[error.start]:02x}) is not UTF-8"
        guess = _guess(content, error.start)
        raise InputError(f"{where}: line {line}: {fault}{guess}; {_EXPECTED}") from error
    # ASCII text in UTF-16 is valid UTF-8 with a zero byte beside each letter.
    if text.startswith("\0") or text[1:2] == "\0":
        raise InputError(
            f"{where}: byte 0 or 1 is zero, as in UTF-16 without a byte order mark; {_EXPECTED}"
        )
    return text


def _guess(content: bytes, start: int) -> str:
    """The letter that the byte is in the encoding of Windows and older editors, if it is one."""
    letter = content[start : start + 1].decode("cp1252", "replace")
    return f" (in Windows-1252 or Latin-1 it is {letter!r})" if letter.isalpha() else ""
