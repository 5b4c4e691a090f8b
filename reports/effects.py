"""The estimates of a record as typed values with an index; the table is read once."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import pandas as pd

from maskaudit.audit.estimating.estimators import CORRECTED, PUBLISHED
from maskaudit.audit.estimating.registry.names import OF_ROBUSTNESS
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.audit.recording.rows.values import SUBJECTS, Flag, Outcome
from maskaudit.audit.verifying.recomputed import rests_on
from maskaudit.reports.blocks import Named

REFERENCE, CANDIDATE, DIFFERENCE, RELATION = SUBJECTS
# A result counts as shown where its p is below this.
SHOWN = 0.05
_ABOUT = ("probe_set", "slice", "estimator", "mode", "subject", "method")
_READ = ("scope", "flag", "outcome")
_NUMBERS = (
    "estimate", "low", "high", "std_error", "df", "p", "p_adjusted", "mde", "null_value",
)  # fmt: skip
_COUNTS = ("n_attributes", "n_frames", "n_styles")


@dataclass(frozen=True)
class Names:
    """Display names of the models; `reference` is empty where one model is audited alone.

    `by_name` is for texts that leave the page, whose readers know the models by their names and not
    by their roles in an audit. Such names are marked as what they are (`words.markdown.named`), for
    any words may be a name.
    """

    candidate: str
    reference: str = ""
    by_name: bool = False

    @property
    def paired(self) -> bool:
        """Whether the record has two models."""
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
        """The label of a subject in a table or chart."""
        if subject == DIFFERENCE:
            return "difference"
        if self.by_name or not self.paired:
            return str(getattr(self, subject))
        return f"{getattr(self, subject)} ({subject})"

    def head(self, subject: str) -> Named:
        """The label of a subject as the head of a row, whose address has the subject's word."""
        return Named(self.label(subject), address=subject)

    def the(self, subject: str) -> str:
        """The name of a model in a sentence."""
        if self.by_name:
            return str(getattr(self, subject))
        role = subject if self.paired else "model"
        return f"the {role} ({getattr(self, subject)})"

    def opening(self, subject: str) -> str:
        """The name of a model at the start of a sentence; a name keeps its own letters."""
        return self.the(subject) if self.by_name else f"T{self.the(subject).removeprefix('t')}"

    @property
    def in_order(self) -> str:
        """The two models in the order of a table, where a sentence lists numbers of both."""
        return ", ".join(self.the(model) if self.by_name else model for model in self.models)

    def short(self, subject: str) -> str:
        """A model in a sentence that follows one with its name."""
        if self.by_name:
            return str(getattr(self, subject))
        return f"the {subject if self.paired else 'model'}"


@dataclass(frozen=True)
class Effect:
    """The numbers of one estimate, with its scope, flag and outcome."""

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
    n_styles: int = 0
    df: float = math.nan

    @property
    def chance(self) -> float:
        """The adjusted p where there is one, otherwise the raw p; NaN if nothing was tested."""
        return self.p if math.isnan(self.p_adjusted) else self.p_adjusted

    @property
    def is_shown(self) -> bool:
        """Whether the test is significant: `chance` is below `SHOWN`."""
        # NaN compares false, so what was not tested is never shown.
        return self.chance < SHOWN

    @property
    def leaves_zero_out(self) -> bool:
        """Whether the interval excludes zero."""
        return self.leaves_out(0.0)

    def leaves_out(self, value: float) -> bool:
        """Whether the interval excludes `value`; False where there is no interval."""
        return self.low > value or self.high < value

    @property
    def numbers(self) -> tuple[float, float, float]:
        """The estimate and the low and high limits of its interval."""
        return self.estimate, self.low, self.high


@dataclass(frozen=True)
class Estimate:
    """One row of the table of estimates: what it is about, its method key, and its numbers."""

    probe_set: str
    slice: Slice
    estimator: str
    mode: str
    subject: str
    method: str
    effect: Effect


class Effects:
    """Estimates in the order of their table, indexed by estimator, slice and subject."""

    def __init__(self, estimates: Sequence[Estimate]) -> None:
        self.all = tuple(estimates)
        # Many sections ask for the same subset, and each filter walks all rows.
        self._of_set: dict[str, Effects] = {}
        self._in_mode: dict[str, Effects] = {}

    @classmethod
    def of(cls, table: pd.DataFrame) -> Self:
        """Read the estimates from a record's table."""
        return cls(tuple(_rows(table)))

    def __bool__(self) -> bool:
        """Whether there are any estimates."""
        return bool(self.all)

    @cached_property
    def _index(self) -> dict[str, dict[Slice, dict[str, Effect]]]:
        """Effects by estimator, slice and subject.

        Modes share a key, and the later row wins: that of the corrected mode.
        """
        index: dict[str, dict[Slice, dict[str, Effect]]] = {}
        for row in self.all:
            of_slice = index.setdefault(row.estimator, {}).setdefault(row.slice, {})
            of_slice[row.subject] = row.effect
        return index

    @property
    def estimators(self) -> list[str]:
        """The names of the numbers, in the order of the table."""
        return list(self._index)

    @property
    def sets(self) -> list[str]:
        """The names of the sets, in the order of the table."""
        return list(dict.fromkeys(row.probe_set for row in self.all))

    @property
    def slices(self) -> list[Slice]:
        """The slices, in the order of the table."""
        return list(dict.fromkeys(row.slice for row in self.all))

    @property
    def modes(self) -> list[str]:
        """The modes among these estimates, the published one first."""
        present = {row.mode for row in self.all}
        return [mode for mode in (PUBLISHED, CORRECTED) if mode in present]

    @property
    def scopes(self) -> set[str]:
        """The scopes of the intervals."""
        return {row.effect.scope for row in self.all}

    def at(self, estimator: str, slice_: Slice, subjects: Collection[str]) -> dict[str, Effect]:
        """The effects of one slice by subject; subjects without an estimate are omitted."""
        by_subject = self._index.get(estimator, {}).get(slice_, {})
        return {subject: by_subject[subject] for subject in subjects if subject in by_subject}

    def by_attribute(
        self, estimator: str, groups: tuple[str, ...], subject: str
    ) -> dict[str, Effect]:
        """The effects of one estimator and subject between two groups, by attribute."""
        return {
            slice_.value: by_subject[subject]
            for slice_, by_subject in self._index.get(estimator, {}).items()
            if slice_.kind == "attribute" and slice_.groups == groups and subject in by_subject
        }

    def of_set(self, probe_set: str) -> "Effects":
        """The estimates of one probe set."""
        if probe_set not in self._of_set:
            self._of_set[probe_set] = self.where(lambda row: row.probe_set == probe_set)
        return self._of_set[probe_set]

    def in_mode(self, mode: str) -> "Effects":
        """The estimates of one mode."""
        if mode not in self._in_mode:
            self._in_mode[mode] = self.where(lambda row: row.mode == mode)
        return self._in_mode[mode]

    def main_mode(self) -> "Effects":
        """The estimates that sentences report: the corrected mode where it exists."""
        modes = self.modes
        return self.in_mode(modes[-1]) if modes else self

    def where(self, is_wanted: Callable[[Estimate], bool]) -> "Effects":
        """The estimates for which `is_wanted` is true."""
        return Effects([row for row in self.all if is_wanted(row)])

    def of_estimators(self, names: Collection[str]) -> "Effects":
        """The estimates of the named numbers."""
        return self.where(lambda row: row.estimator in names)


def _rows(table: pd.DataFrame) -> Iterator[Estimate]:
    columns = {name: table[name].tolist() for name in (*_ABOUT, *_READ)}
    # Whole columns, since reading a DataFrame row by row is slow; `dtype=float` turns missing
    # numbers into NaN.
    columns |= {name: table[name].to_numpy(dtype=float).tolist() for name in _NUMBERS}
    columns |= {name: table[name].fillna(0).astype(int).tolist() for name in _COUNTS}
    of_effect = [columns[field.name] for field in fields(Effect)]
    effects = (Effect(*values) for values in zip(*of_effect, strict=True))
    about = zip(*(columns[name] for name in _ABOUT), strict=True)
    for (probe_set, slice_, estimator, mode, subject, method), effect in zip(
        about, effects, strict=True
    ):
        yield Estimate(probe_set, Slice.parse(slice_), estimator, mode, subject, method, effect)


@dataclass(frozen=True)
class Tables:
    """The parts of a record that a page reads: estimates as values, and the other tables."""

    contexts: pd.DataFrame
    items: pd.DataFrame
    scores: pd.DataFrame
    paired: pd.DataFrame
    fills: pd.DataFrame
    effects: Effects

    def of_set(self, probe_set: str) -> "Tables":
        """The same tables, with the items and estimates of one probe set; the others stay whole."""
        items = self.items[self.items["probe_set"] == probe_set]
        effects = self.effects.of_set(probe_set)
        return Tables(self.contexts, items, self.scores, self.paired, self.fills, effects)


def tables_of(
    record: Record,
    probe_sets: Collection[str] | None = None,
    names: Collection[str] = OF_ROBUSTNESS,
) -> Tables:
    """The tables of a record, with what its contrasts rest on among the estimates.

    Of that only some sets and numbers, where no more is asked for (`rests_on`): it takes a second.
    """
    return Tables(
        record.contexts,
        record.items,
        record.scores,
        record.paired,
        record.fills,
        Effects([*Effects.of(record.estimates).all, *_rests_on(record, probe_sets, names)]),
    )


def _rests_on(
    record: Record, probe_sets: Collection[str] | None, names: Collection[str]
) -> Sequence[Estimate]:
    """What the record's contrasts rest on; nothing for one whose tables do not belong together."""
    try:
        return Effects.of(rests_on(record, probe_sets, names)).all
    except (ArithmeticError, LookupError, TypeError, ValueError):
        # Such a record does not hold, and its page is written for those who trust it all the same.
        return ()
