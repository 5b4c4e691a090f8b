"""The result of one check of the instrument."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One comparison with a known truth; `found` and `expected` are text for the user."""

    name: str
    passed: bool
    found: str
    expected: str
