"""What a check of the instrument answers with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One truth that the instrument should find: what was expected and what was found."""

    name: str
    passed: bool
    found: str
    expected: str
