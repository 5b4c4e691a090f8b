"""Read a lexicon of hurtful words from a file of the user's."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.characters import invisible, without_case
from maskaudit.audit.texts.text_files import read_text

_COLUMN = "lemma"
# Characters of the digest in a method key.
_DIGEST_LENGTH = 12


def read(path: Path) -> frozenset[str]:
    """The words of a file without case, in any language (`characters.without_case`).

    The file has a word per line, or is a tab-separated table with a column `lemma`. Raises
    `InputError` if it cannot be read or is empty, and for each line with an invisible character or
    without its column.
    """
    text = read_text(path, "a lexicon with one word per line")
    # Not `splitlines`: it also parts at invisible characters, which `_faults` has to find.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if faults := list(_faults(lines)):
        raise InputError(*(f"{path}: {fault}" for fault in faults))
    column = _column(lines)
    words = lines if column is None else [line.split("\t")[column] for line in lines[1:] if line]
    lexicon = frozenset(without_case(word.strip()) for word in words if word.strip())
    if not lexicon:
        raise InputError(f"{path}: the lexicon is empty; expected one word per line")
    return lexicon


def digest_of(lexicon: frozenset[str]) -> str:
    """The digest that identifies a lexicon in a method key, whatever the order of its words."""
    # Sorted, because the order of a set of strings differs from process to process.
    text = "\n".join(sorted(lexicon))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def _column(lines: list[str]) -> int | None:
    header = lines[0].split("\t")
    return header.index(_COLUMN) if _COLUMN in header else None


def _faults(lines: list[str]) -> Iterator[str]:
    column = _column(lines)
    for number, line in enumerate(lines, start=1):
        if found := invisible(line, allowed="\t"):
            yield f"line {number}: has the invisible character {found}; remove it"
        elif column is not None and line and len(line.split("\t")) <= column:
            yield f"line {number}: has no column {_COLUMN!r}, which the first line names"
