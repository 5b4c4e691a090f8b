"""The estimates of a record as values, found by what they are about: the table is read once."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import pandas as pd

from maskaudit.audit.estimating.estimators import CORRECTED, PUBLISHED
from maskaudit.audit.recording.slices import Slice
from maskaudit.audit.recording.values import SUBJECTS, Flag, Outcome

REFERENCE, CANDIDATE, DIFFERENCE, RELATION = SUBJECTS
# A result is called shown where its p is below this.
SHOWN = 0.05
_ABOUT = ("probe_set", "slice", "estimator", "mode", "subject", "method")
_READ = ("scope", "flag", "outcome")
_NUMBERS = ("estimate", "low", "high", "std_error", "p", "p_adjusted", "mde", "null_value")
_COUNTS = ("n_attributes", "n_frames")


@dataclass(frozen=True)
class Names:
    """What the models are called on the page; `reference` is empty where one is audited alone."""

    candidate: str
    reference: str = ""

    @property
    def paired(self) -> bool:
        """Whether there are two models."""
        return bool(self.reference)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects of the record, in the order of a table."""
        return (REFERENCE, CANDIDATE, DIFFERENCE) if self.paired else (CANDIDATE,)

    @property
    def models(self) -> tuple[str, ...]:
        """The models of the record, in the order of a table."""
        return (REFERENCE, CANDIDATE) if self.paired else (CANDIDATE,)

    def label(self, subject: str) -> str:
        """A subject as a table or a chart names it."""
        if subject == DIFFERENCE:
            return "difference"
        if not self.paired:
            return self.candidate
        return f"{getattr(self, subject)} ({subject})"

    def the(self, subject: str) -> str:
        """A model as a sentence names it."""
        role = subject if self.paired else "model"
        return f"the {role} ({getattr(self, subject)})"


@dataclass(frozen=True)
class Effect:
    """The numbers of one estimate, and how they may be read."""

    estimate: float
    low: float
    high: float
    std_error: float
    p: float
    p_adjusted: float
    mde: float
    n_attributes: int
    n_frames: int
    scope: str
    null_value: float
    flag: Flag = ""
    outcome: Outcome = ""

    @property
    def chance(self) -> float:
        """Its p, adjusted where it is among the tested; NaN where nothing was tested."""
        return self.p if math.isnan(self.p_adjusted) else self.p_adjusted

    @property
    def is_shown(self) -> bool:
        """Whether it was tested and differs from its value of no effect."""
        return self.chance < SHOWN

    @property
    def leaves_zero_out(self) -> bool:
        """Whether the interval says that the number is not zero."""
        return self.leaves_out(0.0)

    def leaves_out(self, value: float) -> bool:
        """Whether the interval says that the number is not this one; not where there is none."""
        return self.low > value or self.high < value

    @property
    def numbers(self) -> tuple[float, float, float]:
        """The estimate and its interval."""
        return self.estimate, self.low, self.high


@dataclass(frozen=True)
class Estimate:
    """One row of the table of estimates: what it is about, how it was made, and its numbers."""

    probe_set: str
    slice: Slice
    estimator: str
    mode: str
    subject: str
    method: str
    effect: Effect


class Effects:
    """Estimates in the order of their table, indexed by number, slice and subject."""

    def __init__(self, estimates: Sequence[Estimate]) -> None:
        self.all = tuple(estimates)
        self._of_set: dict[str, Effects] = {}
        self._in_mode: dict[str, Effects] = {}

    @classmethod
    def of(cls, table: pd.DataFrame) -> Self:
        """The estimates of a record's table."""
        return cls(tuple(_rows(table)))

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.all)

    @cached_property
    def _index(self) -> dict[str, dict[Slice, dict[str, Effect]]]:
        """By estimator, slice and subject; the last of equals, that is the corrected mode."""
        found: dict[str, dict[Slice, dict[str, Effect]]] = {}
        for own in self.all:
            of_slice = found.setdefault(own.estimator, {}).setdefault(own.slice, {})
            of_slice[own.subject] = own.effect
        return found

    @property
    def estimators(self) -> list[str]:
        """The names of the numbers, in the order of the table."""
        return list(self._index)

    @property
    def slices(self) -> list[Slice]:
        """The slices, in the order of the table."""
        return list(dict.fromkeys(own.slice for own in self.all))

    @property
    def modes(self) -> list[str]:
        """The modes, the published one first."""
        found = {own.mode for own in self.all}
        return [mode for mode in (PUBLISHED, CORRECTED) if mode in found]

    @property
    def scopes(self) -> set[str]:
        """The scopes of the intervals."""
        return {own.effect.scope for own in self.all}

    def at(self, estimator: str, slice_: Slice, subjects: Collection[str]) -> dict[str, Effect]:
        """The effects of one slice by subject; a subject without an estimate is not there."""
        found = self._index.get(estimator, {}).get(slice_, {})
        return {subject: found[subject] for subject in subjects if subject in found}

    def by_attribute(
        self, estimator: str, groups: tuple[str, ...], subject: str
    ) -> dict[str, Effect]:
        """The effects of one estimator and subject by attribute, between two groups."""
        return {
            slice_.value: found[subject]
            for slice_, found in self._index.get(estimator, {}).items()
            if slice_.kind == "attribute" and slice_.groups == groups and subject in found
        }

    def of_set(self, probe_set: str) -> "Effects":
        """The estimates of one probe set."""
        if probe_set not in self._of_set:
            self._of_set[probe_set] = self.where(lambda own: own.probe_set == probe_set)
        return self._of_set[probe_set]

    def in_mode(self, mode: str) -> "Effects":
        """The estimates of one mode."""
        if mode not in self._in_mode:
            self._in_mode[mode] = self.where(lambda own: own.mode == mode)
        return self._in_mode[mode]

    def main_mode(self) -> "Effects":
        """The estimates of the mode that a sentence is about: corrected where there is one."""
        modes = self.modes
        return self.in_mode(modes[-1]) if modes else self

    def where(self, is_wanted: Callable[[Estimate], bool]) -> "Effects":
        """Those estimates that are wanted."""
        return Effects([own for own in self.all if is_wanted(own)])

    def of_estimators(self, names: Collection[str]) -> "Effects":
        """The estimates of these numbers."""
        return self.where(lambda own: own.estimator in names)


def _rows(table: pd.DataFrame) -> Iterator[Estimate]:
    columns = {name: table[name].tolist() for name in (*_ABOUT, *_READ)}
    columns |= {name: table[name].to_numpy(dtype=float).tolist() for name in _NUMBERS}
    columns |= {name: table[name].fillna(0).astype(int).tolist() for name in _COUNTS}
    of_effect = [columns[field.name] for field in fields(Effect)]
    effects = (Effect(*own) for own in zip(*of_effect, strict=True))
    about = zip(*(columns[name] for name in _ABOUT), strict=True)
    for (probe_set, slice_, estimator, mode, subject, method), effect in zip(
        about, effects, strict=True
    ):
        yield Estimate(probe_set, Slice.parse(slice_), estimator, mode, subject, method, effect)


@dataclass(frozen=True)
class Tables:
    """What a page reads of a record: its estimates as values, and the tables beside them."""

    contexts: pd.DataFrame
    items: pd.DataFrame
    scores: pd.DataFrame
    paired: pd.DataFrame
    fills: pd.DataFrame
    effects: Effects

    def of_set(self, probe_set: str) -> "Tables":
        """The same with the items and estimates of one probe set; the rest is left whole."""
        own = self.items[self.items["probe_set"] == probe_set]
        effects = self.effects.of_set(probe_set)
        return Tables(self.contexts, own, self.scores, self.paired, self.fills, effects)
