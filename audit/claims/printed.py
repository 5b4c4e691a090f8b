"""Numbers as cards print them: `66M`, `40%`, `0.0529`, and whether another number rounds to one."""

import re
from dataclasses import dataclass

_PRINTED = re.compile(
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*(?P<unit>%|[A-Za-z]*)"
)
_UNITS = {
    "": 1.0, "%": 0.01, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9,
    "billion": 1e9,
}  # fmt: skip
# More digits are no number that a card prints.
_LONGEST = 40
# What is left of a half after it was computed in floating point.
_SLACK = 1e-9


@dataclass(frozen=True)
class Printed:
    """A number as it is printed: its value, and the unit of its last digit that says something.

    Zeros at the end of a whole number say nothing: `110M` is any number from 105 to 115 million.
    """

    text: str
    value: float
    last_digit: float

    def is_of(self, number: float, least: float = 0.0) -> bool:
        """Whether a number is printed so: it is at most half a unit of the last digit away.

        `least` is the distance that is always allowed, in the unit of `number`.
        """
        half = max(self.last_digit / 2, least)
        return abs(number - self.value) <= half * (1 + _SLACK)


def printed(text: str) -> Printed:
    """Read a number as it is printed, with a unit: %, k, M, B, thousand, million, billion.

    Raises `ValueError` for anything else.
    """
    found = _PRINTED.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    scale = None if found is None else _UNITS.get(found["unit"].casefold())
    if found is None or scale is None:
        message = "expected a number as it is printed, such as 66M, 65,190,912, 40% or 0.0529"
        raise ValueError(message)
    digits = found["digits"].replace(",", "")
    whole, _, decimals = digits.partition(".")
    zeros = 0 if decimals else len(whole) - len(whole.rstrip("0"))
    # Of 0 every digit says something.
    unit = 10.0 ** (-len(decimals) if decimals or not whole.strip("0") else zeros)
    return Printed(text.strip(), float(digits) * scale, unit * scale)


def check(text: str) -> str:
    """The text, if it is a printed number; for fields of files. Raises as `printed` does."""
    printed(text)
    return text
