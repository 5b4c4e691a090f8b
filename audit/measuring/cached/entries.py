"""An entry of the cache as bytes: its tables, what they were made with, and who says so.

Layout: a mark, the id of the key, the HMAC-SHA256 of the entry's name and all that follows, the
length of the description (4 bytes), the description as JSON, and three Arrow streams.
"""

import contextlib
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from maskaudit.audit.measuring.cached import trust
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.texts import bounded

TABLES = ("scores", "paired", "fills")
_MARK = b"maskaudit scores 2\n"
_ID_BYTES, _MAC_BYTES, _LENGTH_BYTES = 16, 32, 4
_HEAD = len(_MARK) + _ID_BYTES + _MAC_BYTES + _LENGTH_BYTES
# The most bytes of a description that are read.
_MOST_ABOUT = 4096

Entry = Mapping[str, pd.DataFrame]


class DamagedError(Exception):
    """The bytes are no entry, or were changed after they were written."""


class OtherKeyError(Exception):
    """The entry was made with another key than the user's."""


@dataclass(frozen=True)
class About:
    """What decided the bits of an entry's scores, besides the code that asks for them.

    `part` is a digest of what is scored and by which models, `software` one of our code and the
    libraries; `processor` is the set of instructions that torch uses.
    """

    part: str = ""
    threads: int = 0
    processor: str = ""
    software: str = ""

    def differences(self, here: "About") -> list[str]:
        """Why the scores are not those of this machine and software, a few words each."""
        if self == About():  # it does not say
            return []
        reasons = []
        if self.threads != here.threads:
            reasons.append(f"{self.threads} threads (here {here.threads})")
        if self.processor != here.processor:
            reasons.append(f"a processor with {self.processor} (here {here.processor})")
        if self.software != here.software:
            reasons.append("other versions of maskaudit or its libraries")
        return reasons


def packed(name: str, entry: Entry, about: About, key: bytes) -> bytes:
    """The bytes of an entry under a name."""
    description = json.dumps(asdict(about)).encode()
    length = len(description).to_bytes(_LENGTH_BYTES, "little")
    return sealed(name, length + description + _payload(entry), key)


def unpacked(name: str, data: bytes, key: bytes) -> dict[str, pd.DataFrame]:
    """The tables of an entry under a name. Raises `DamagedError` and `OtherKeyError`."""
    # Before anything is parsed: what a stranger wrote must not reach Arrow.
    rest = unsealed(name, data, key)
    length = int.from_bytes(rest[:_LENGTH_BYTES], "little")
    try:
        return _tables(rest[_LENGTH_BYTES + length :])
    except Exception as error:
        raise DamagedError from error


def sealed(name: str, rest: bytes, key: bytes) -> bytes:
    """Bytes under a name, authenticated with the user's key."""
    return _MARK + trust.key_id(key) + _mac(name, rest, key) + rest


def unsealed(name: str, data: bytes, key: bytes) -> bytes:
    """What was `sealed` under a name. Raises `DamagedError` and `OtherKeyError`."""
    if len(data) < _HEAD - _LENGTH_BYTES or not data.startswith(_MARK):
        raise DamagedError
    after_id = len(_MARK) + _ID_BYTES
    if data[len(_MARK) : after_id] != trust.key_id(key):
        raise OtherKeyError
    mac, rest = data[after_id : after_id + _MAC_BYTES], data[after_id + _MAC_BYTES :]
    if not hmac.compare_digest(mac, _mac(name, rest, key)):
        raise DamagedError
    return rest


def about(path: Path) -> tuple[bytes, About] | None:
    """The id of an entry's key and what it was made with, not authenticated; None if damaged."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        with bounded.opened(path, bounded.TABLE) as file:
            head = file.read(_HEAD)
            # Nothing here is authenticated: a length that is made up must not fill memory.
            length = int.from_bytes(head[-_LENGTH_BYTES:], "little")
            description = file.read(min(length, _MOST_ABOUT))
        if head.startswith(_MARK) and len(head) == _HEAD:
            key_id = head[len(_MARK) : len(_MARK) + _ID_BYTES]
            return key_id, About(**bounded.json_value(description))
    return None


def _mac(name: str, rest: bytes, key: bytes) -> bytes:
    # With its name, so that no entry can stand in the place of another.
    made = hmac.new(key, name.encode() + b"\0", hashlib.sha256)
    # Apart: an exported model is of hundreds of megabytes, which need not be there twice.
    made.update(rest)
    return made.digest()


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
