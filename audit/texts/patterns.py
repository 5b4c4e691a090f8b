"""Find the files that a pattern names, walking a bounded part of the tree."""

import fnmatch
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from maskaudit.audit.errors import InputError

MOST_ENTRIES = 100_000
_ANY_DEPTH = "**"


def matches(pattern: str, folder: Path, most: int = MOST_ENTRIES) -> list[Path]:
    """The sorted paths that a pattern matches: `*`, `?`, `[...]`, and `**` for any depth.

    A relative pattern starts at `folder`. Hidden names match only where the pattern names the dot;
    `**` goes through no links. Raises `InputError` if it takes a look at more than `most` entries.
    """
    first, *rest = Path(pattern).parts or ("",)
    is_absolute = Path(pattern).is_absolute()
    walk = _Walk(pattern, most)
    parts = rest if is_absolute else [first, *rest]
    # A set: a pattern with `**` twice reaches the same path in several ways.
    return sorted(set(walk.below(Path(first) if is_absolute else folder, parts)))


class _Walk:
    """One search, which counts what it has looked at."""

    def __init__(self, pattern: str, most: int) -> None:
        self._pattern, self._most = pattern, most
        self._seen = 0

    def below(self, folder: Path, parts: Sequence[str]) -> Iterator[Path]:
        if not parts:
            yield folder
            return
        name, *rest = parts
        if name == _ANY_DEPTH:
            # At the end of a pattern it stands for all that lies below.
            yield from self.below(folder, rest or ["*"])
            for entry in self._entries(folder):
                # A link may lead to a folder above, and the walk would not end.
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    yield from self.below(Path(entry.path), parts)
        elif not any(mark in name for mark in "*?["):
            # Also a link to nothing: who reads it refuses it, and a set does not go missing unseen.
            if os.path.lexists(folder / name):
                yield from self.below(folder / name, rest)
        else:
            for entry in self._entries(folder):
                is_shown = name.startswith(".") or not entry.name.startswith(".")
                if is_shown and fnmatch.fnmatch(entry.name, name):
                    yield from self.below(Path(entry.path), rest)

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        entries = []
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    self._seen += 1
                    if self._seen > self._most:
                        raise InputError(
                            f"{self._pattern!r}: more than {self._most:,} files and folders would "
                            "have to be looked at; start the pattern in the folder of the sets"
                        )
                    entries.append(entry)
        except OSError:  # no folder, or none that may be read: nothing in it matches
            return entries
        return entries
