"""Series of numbers from many records, each of one method, with its versions and repeats."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

# Not scipy.stats, which takes more than a second to import.
from scipy import special

from maskaudit.audit.judging.comparing.repeat import CHANGED, IDENTICAL, TOLERANCE, WITHIN_TOLERANCE
from maskaudit.audit.recording.manifest import Identity, ProbeSetKey
from maskaudit.audit.recording.rows.methods import Method, differences

DIFFERENCE = "difference"
# Columns of the estimates: what a number is about and how it was made; and the number itself.
KEYS = ("probe_set", "axis", "slice", "estimator", "mode", "subject", "method", "scope")
NUMBERS = ("estimate", "low", "high", "std_error", "df", "null_value", "v_frames", "n_frames")


@dataclass(frozen=True)
class Audit:
    """A record's description; `number` is its place in the folder, 0 in formats without one."""

    name: str
    created: datetime
    number: int
    models: Mapping[str, Identity]
    probe_sets: Mapping[str, ProbeSetKey]

    def identity(self, subject: str) -> str:
        """The digests of the subject's model; of all models if the subject is about both."""
        names = [subject] if subject in self.models else sorted(self.models)
        identities = (self.models[name] for name in names)
        return "|".join(f"{model.weights}|{model.tokenizer}" for model in identities)


@dataclass(frozen=True)
class Skipped:
    """A folder that cannot be read as a record, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class RecordRows:
    """A record and the chosen rows of its table of estimates."""

    audit: Audit
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Point:
    """The number of one record in a series, with its interval.

    `version` numbers the models of the series from 1. `same_as` is the first record with the same
    models and sentences, whose number this one repeats; it is empty for new evidence. `moved` is
    this number minus that one: infinite if only one of them is known. `draw` is the digest of the
    set's items.
    """

    audit: Audit
    estimate: float
    low: float
    high: float
    std_error: float
    df: float
    null_value: float
    v_frames: float
    n_frames: int | None
    draw: str
    version: int
    same_as: str = ""
    moved: float = 0.0

    @property
    def repeat(self) -> str:
        """Whether a repeat is identical, within tolerance or changed; empty for new evidence."""
        if not self.same_as:
            return ""
        if self.moved == 0:
            return IDENTICAL
        return WITHIN_TOLERANCE if abs(self.moved) <= TOLERANCE else CHANGED

    @property
    def p_more(self) -> float:
        """The one-sided p value against a number at or below its null value.

        It is NaN without a standard error. With a standard error of 0 it is 0 above the null value
        and 1 elsewhere.
        """
        if self.std_error == 0:
            return float(self.estimate <= self.null_value)
        # The lower tail of -t keeps its digits where 1 - cdf(t) would round to 0.
        away = (self.estimate - self.null_value) / self.std_error
        return float(special.stdtr(self.df, -away))


@dataclass(frozen=True)
class Series:
    """Numbers of one method (equal method keys), in the order of the records.

    `is_drawn` says that the frames are drawn from a grammar. `differs` lists how the method differs
    from that of the previous series of the same number.
    """

    probe_set: str
    axis: str
    slice: str
    estimator: str
    mode: str
    subject: str
    method: str
    scope: str
    title: str
    is_drawn: bool
    points: tuple[Point, ...]
    differs: tuple[str, ...] = ()

    @property
    def line(self) -> tuple[str, ...]:
        """What the number is about, whatever its method."""
        return (self.probe_set, self.slice, self.estimator, self.mode, self.subject)

    @property
    def name(self) -> str:
        """The name of the number in an alarm: the parts of `line`, joined by slashes."""
        return "/".join(self.line)

    @property
    def fresh(self) -> tuple[Point, ...]:
        """The points that are new evidence and have a number."""
        return tuple(p for p in self.points if not p.same_as and not math.isnan(p.estimate))


@dataclass(frozen=True)
class History:
    """The chosen readable records of a folder in order, and the series of the chosen numbers.

    `clock` has the names (written, then) of each record whose time is earlier than that of a record
    written before it; `skipped` are the folders that cannot be read, or do not hold.
    """

    runs: Path
    audits: tuple[Audit, ...]
    skipped: tuple[Skipped, ...]
    clock: tuple[tuple[str, str], ...]
    series: tuple[Series, ...]


def series_of(records: Sequence[RecordRows], *, is_plain: bool) -> Iterator[Series]:
    """Yield a series for each number and method, in the order of the records."""
    grouped: dict[tuple[str, ...], dict[str, list[tuple[Audit, Mapping[str, Any]]]]] = {}
    for record in records:
        for row in record.rows:
            # A control set is expected not to lean, so it has no place in a headline.
            if is_plain and record.audit.probe_sets[row["probe_set"]].expect == "none":
                continue
            line = tuple(row[name] for name in ("probe_set", "slice", "estimator", "mode"))
            methods = grouped.setdefault((*line, row["subject"]), {})
            methods.setdefault(row["method"], []).append((record.audit, row))
    for methods in grouped.values():
        before = ""
        for method, rows in methods.items():
            yield _one_series(rows, before)
            before = method


def _one_series(rows: Sequence[tuple[Audit, Mapping[str, Any]]], before: str) -> Series:
    # Titles may be reworded under the same method; the newest record has the current ones.
    audit, row = rows[-1]
    part = audit.probe_sets[row["probe_set"]]
    method = Method.parse(row["method"])
    return Series(
        **{name: row[name] for name in KEYS},
        title=part.title,
        is_drawn=part.grammar is not None,
        points=tuple(_points(rows)),
        differs=tuple(differences(Method.parse(before), method)) if before else (),
    )


def _points(rows: Sequence[tuple[Audit, Mapping[str, Any]]]) -> Iterator[Point]:
    """Yield the points of one series, with their versions and the points that they repeat."""
    versions: dict[str, int] = {}
    earliest: dict[tuple[str, str], Point] = {}
    for audit, row in rows:
        # Digests and not names: a model or a set may change under the same name.
        identity = audit.identity(row["subject"])
        version = versions.setdefault(identity, len(versions) + 1)
        draw = audit.probe_sets[row["probe_set"]].items_digest
        point = Point(audit, **_numbers(row), draw=draw, version=version)
        earlier = earliest.setdefault((identity, draw), point)
        if earlier is not point:
            point = replace(point, same_as=earlier.audit.name, moved=_moved(earlier, point))
        yield point


def _moved(first: Point, second: Point) -> float:
    """The second number minus the first: 0 if both are unknown, infinite if only one is known."""
    unknown = math.isnan(first.estimate) + math.isnan(second.estimate)
    return (second.estimate - first.estimate) if not unknown else 0.0 if unknown > 1 else math.inf


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: math.nan if row[name] is None else row[name] for name in NUMBERS}
    return {**numbers, "n_frames": row["n_frames"]}
