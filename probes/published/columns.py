"""The names of a file's columns, and those that an importer asks for."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.toml_files import did_you_mean

# How a file names columns that it calls otherwise: its name by ours.
Columns = Mapping[str, str]
NO_COLUMNS: Columns = MappingProxyType({})


def check_columns(columns: Columns, known: Sequence[str]) -> None:
    """Raise `InputError` for a column of ours that a set does not have: it would change nothing."""
    for ours, theirs in columns.items():
        if ours not in known:
            raise InputError(
                f"--column {ours}={theirs}: {ours!r} is no column of this set"
                f"{did_you_mean(ours, known)}"
            )


def as_wanted(names: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    """Map the names of a file's columns to those wanted where only case or blanks differ.

    A name that the file has as it is wanted is that column, and so is none of two that are alike.
    """
    alike: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        alike.setdefault(name.strip().casefold(), []).append(name)
    spelt = {name: name for name in names}
    for name in wanted:
        found = alike.get(name.casefold(), [])
        if name not in names and len(found) == 1:
            spelt[found[0]] = name
    return spelt


def renamed(record: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """Return a record under our names; a column that has another's name is left out."""
    ours = {theirs: name for name, theirs in columns.items()}
    return {
        ours.get(name, name): value
        for name, value in record.items()
        if name in ours or name not in columns
    }
