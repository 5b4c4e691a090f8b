"""The method key of an estimate, which says how it was made, as a value and as text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

# The resampled unit where units are clustered in two ways that cross.
CROSSED_CLUSTERS = "cluster+cluster_2"
# Some values are digests of 64 characters; twelve are enough to tell two of them apart.
_SHOWN = 12


@dataclass(frozen=True)
class Method(Mapping[str, str]):
    """The parts of a method key by name, in order: estimator, mode, resampled unit, torch...

    Numbers with unequal keys are not compared.
    """

    parts: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, parts: Mapping[str, str]) -> Self:
        """Make the key with these parts in this order."""
        return cls(tuple(parts.items()))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a text of the column `method`. Raises `ValueError` if it is not a method key."""
        pairs = [part.partition(":") for part in text.split("|")]
        if not all(colon for _, colon, _ in pairs):
            message = f"{text!r} is not a method key; expected name:value|name:value"
            raise ValueError(message)
        return cls.of({name: value for name, _, value in pairs})

    def __str__(self) -> str:
        """The text of the column `method`: "probe_set:jobs|version:1.0|..."."""
        return "|".join(f"{name}:{value}" for name, value in self.parts)

    def __getitem__(self, name: str) -> str:
        """The value of a part. Raises `KeyError` if the key has no part of that name."""
        for part, value in self.parts:
            if part == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """The names of the parts."""
        return (name for name, _ in self.parts)

    def __len__(self) -> int:
        """The number of parts."""
        return len(self.parts)


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """Yield each part in which two methods differ, such as "torch: 1, then 2"; values are cut."""
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name, "none"), new.get(name, "none")
        if before != after:
            yield f"{name}: {before[:_SHOWN]}, then {after[:_SHOWN]}"
