"""The place of a record among those of its folder, and what later records need of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeGuard

import pydantic_core

from maskaudit.audit.recording.manifest import LARGEST_NUMBER
from maskaudit.audit.texts import bounded


@dataclass(frozen=True)
class Entry:
    """The place of a record among those of its folder, read from any format, even a newer one.

    Thus new numbers continue from all existing ones. Missing or invalid values are empty or 0.
    `rules` has the first date of each rule that its run read, by digest.
    """

    key: str
    number: int
    created: str
    rules: Mapping[str, str] = field(default_factory=dict)


def entry(path: Path) -> Entry | None:
    """Read the entry of a `record.json`; None if the file cannot be read as a JSON object."""
    try:
        raw = pydantic_core.from_json(bounded.content(path, bounded.MANIFEST))
    except (OSError, ValueError):
        return None
    if not isinstance(raw, dict):
        return None
    number: Any = raw.get("number")
    # Not `isinstance`: True and False are integers too in Python.
    is_number = type(number) is int and 0 <= number < LARGEST_NUMBER
    return Entry(
        key=str(raw.get("key", "")),
        number=number if is_number else 0,
        created=str(raw.get("created", "")),
        rules=_first_dates(raw.get("rules")),
    )


def _first_dates(rules: object) -> dict[str, str]:
    """The first date of each rule of a manifest that was not validated; invalid ones left out."""
    if not isinstance(rules, dict):
        return {}
    dates = {
        str(digest): rule.get("first") for digest, rule in rules.items() if isinstance(rule, dict)
    }
    return {digest: first for digest, first in dates.items() if _is_moment(first)}


def _is_moment(first: object) -> TypeGuard[str]:
    try:
        datetime.fromisoformat(first if isinstance(first, str) else "")
    except ValueError:
        return False
    return True
