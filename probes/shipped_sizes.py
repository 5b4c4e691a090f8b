"""The sizes of the shipped sets, stored beside them, since to write all of them out takes long.

Run as a program, it writes them anew.
"""

import hashlib
from dataclasses import asdict
from pathlib import Path

from maskaudit.audit.texts.toml_files import document
from maskaudit.probes.checking.size import Size
from maskaudit.probes.loading import load, shipped

STORED = Path(__file__).parent / "sizes.toml"
_HEAD = "# Written by `make sizes`: the size of each shipped set, and the digest of its file.\n"


def shipped_sizes() -> dict[str, Size]:
    """The size of every shipped set, by its name.

    A stored size counts only while the file that it was made of is the same to the byte.
    """
    stored = document(STORED).raw
    return {name: _stored(path, stored.get(name, {})) for name, path in shipped().items()}


def _stored(path: Path, said: dict[str, str | int]) -> Size:
    if said.get("sha256") != _digest(path):
        return Size.of(load(path))
    return Size(*(int(said[name]) for name in ("styles", "frames", "sentences")))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _written() -> str:
    parts = [_HEAD]
    for name, path in shipped().items():
        size = asdict(Size.of(load(path)))
        numbers = "".join(f"{key} = {value}\n" for key, value in size.items())
        parts.append(f'[{name}]\nsha256 = "{_digest(path)}"\n{numbers}')
    return "\n".join(parts)


if __name__ == "__main__":
    STORED.write_text(_written(), "utf-8")
