"""Files found by their names: what is absent, what cannot be read, and what is nearly ours."""

import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.text_files import read_text

_EDITS = 2
# Two edits make any other word of so few letters.
_EXACT = 3


def is_there(path: Path) -> bool:
    """Whether anything has this name: a file, a folder, or a link that leads nowhere.

    What is there and is no readable file has to be refused by whoever reads it, and not taken for
    absent. Raises `InputError` where nobody can tell, as in a folder that may not be searched.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:  # a ValueError: a zero byte in the path
        raise _unknown(path, error) from error
    return True


def in_any_case(folder: Path, name: str) -> list[Path]:
    """The entries of a folder with this name in any case, the exact one last; [] without a folder.

    Raises `InputError` for a folder that cannot be listed.
    """
    try:
        # Listed, because a system that ignores case says yes to every spelling of a name.
        entries = [path for path in folder.iterdir() if path.name.casefold() == name.casefold()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        raise _unknown(folder / name, error) from error
    return sorted(entries, key=lambda path: (path.name == name, path.name))


def has_keys_like(path: Path, words: Collection[str]) -> bool:
    """Whether a TOML file has a key, at any depth, that is one of the words but for two edits.

    Words of up to three letters count only as they are. True where the file cannot be read as
    TOML: nobody knows then whose it is.
    """
    try:
        content = tomllib.loads(read_text(path))
    except (InputError, ValueError, RecursionError):
        return True
    known = {word.casefold() for word in words}
    return any(
        key in known or any(_is_near(key, word) for word in known if len(word) > _EXACT)
        for key in {key.casefold() for key in _keys(content)}
    )


def _keys(content: object) -> Iterator[str]:
    """All keys of tables in tables and lists."""
    left = [content]  # a list and no recursion: a file may be deeper than the stack
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield from value
            left += value.values()
        elif isinstance(value, list):
            left += value


def _is_near(word: str, other: str) -> bool:
    """Whether two edits or fewer make one word of the other; an edit is of one letter, or a swap.

    Optimal string alignment: rows of the table of distances, one for each letter of `word`.
    """
    if abs(len(word) - len(other)) > _EDITS:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, start=1):
        older, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            costs = [before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted)]
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == wanted:
                costs.append(older[j - 2] + 1)
            row.append(min(costs))
    return row[-1] <= _EDITS


def _unknown(path: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or error
    return InputError(f"{path}: nobody can tell whether it is there ({reason})")
