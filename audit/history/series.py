"""Many audits in one folder: series of their numbers, and what may be said of versions and weeks.

Of a record only record.json and estimates.parquet are read, and these two are held against its
checksums. What cannot be read is named and left out; the rest stands.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy import special

from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.estimating.names import CONTRAST
from maskaudit.audit.estimating.numbers import is_harmful_lean
from maskaudit.audit.history.changepoint import Change, change_point
from maskaudit.audit.history.sequential import ALPHA, worse_versions
from maskaudit.audit.history.sequential_audits import Week, Weekly, joined
from maskaudit.audit.judging.compare import CHANGED, IDENTICAL, TOLERANCE, WITHIN_TOLERANCE
from maskaudit.audit.recording.manifest import Identity, Manifest, ProbeSetKey
from maskaudit.audit.recording.methods import Method, differences
from maskaudit.audit.recording.record import MANIFEST, read_manifest
from maskaudit.audit.recording.slices import Slice

DIFFERENCE = "difference"
ESTIMATES = "estimates.parquet"
_KEYS = ("probe_set", "axis", "slice", "estimator", "mode", "subject", "method", "scope")
_NUMBERS = ("estimate", "low", "high", "std_error", "df", "null_value", "v_frames", "n_frames")
_THREADS = 4
_SHOWN = 20


@dataclass(frozen=True)
class Chosen:
    """Which numbers and records are asked for; what is empty chooses nothing.

    Without an estimator and a slice: the stereotype contrasts of the tested sets, of the candidate
    and of the difference. `since` is the name of a record, which is left out with all that is
    older, or a date.
    """

    probe_sets: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    estimators: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    since: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether the numbers are those of a page's headline."""
        return not self.estimators and not self.slices

    def columns(self) -> dict[str, tuple[str, ...]]:
        """The values asked for by column of the table of estimates."""
        found = {
            "probe_set": self.probe_sets,
            "slice": self.slices,
            "estimator": (CONTRAST,) if self.is_plain else self.estimators,
            "subject": self.subjects or (("candidate", DIFFERENCE) if self.is_plain else ()),
        }
        return {column: values for column, values in found.items() if values}


@dataclass(frozen=True)
class Audit:
    """What a record says of itself; `number` is its place in the folder, 0 in old formats."""

    name: str
    created: datetime
    number: int
    models: Mapping[str, Identity]
    probe_sets: Mapping[str, ProbeSetKey]

    def identity(self, subject: str) -> str:
        """Digests of the model that a subject is; of both where it is about both."""
        names = [subject] if subject in self.models else sorted(self.models)
        own = (self.models[name] for name in names)
        return "|".join(f"{model.weights}|{model.tokenizer}" for model in own)


@dataclass(frozen=True)
class Skipped:
    """A folder that cannot be read as a record, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Point:
    """The number of one record in a series, with its interval.

    `version` counts the models of the series from 1. `same_as` is the earlier record with the very
    same models and sentences, whose number this one repeats; it is empty for new evidence. `moved`
    is this number less that one.
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
        """How far a repeat is one: identical, within tolerance, changed; empty for new evidence."""
        if not self.same_as:
            return ""
        if self.moved == 0:
            return IDENTICAL
        return WITHIN_TOLERANCE if abs(self.moved) <= TOLERANCE else CHANGED

    @property
    def p_more(self) -> float:
        """One-sided p that the number is above its null value, by its own interval; NaN without.

        Without any variance the point is all there is: 0 above the null value, 1 elsewhere.
        """
        if self.std_error == 0:
            return float(self.estimate <= self.null_value)
        away = (self.estimate - self.null_value) / self.std_error
        return float(special.stdtr(self.df, -away))


@dataclass(frozen=True)
class Series:
    """Numbers that were made in one way (equal method keys), in the order of the records.

    `is_drawn` says that frames are drawn anew; `differs` what the method does not share with the
    series before it that is about the same number.
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
        """What the number is about, whatever it was made with."""
        return (self.probe_set, self.slice, self.estimator, self.mode, self.subject)

    @property
    def name(self) -> str:
        """The number in one word, as an alarm names it."""
        return "/".join(self.line)

    @property
    def fresh(self) -> tuple[Point, ...]:
        """The points that are new evidence and have a number."""
        return tuple(p for p in self.points if not p.same_as and not math.isnan(p.estimate))


@dataclass(frozen=True)
class History:
    """The readable records of a folder in order, and the series of the numbers asked for.

    `clock` names each record that says it is older than one written before it.
    """

    runs: Path
    audits: tuple[Audit, ...]
    skipped: tuple[Skipped, ...]
    clock: tuple[tuple[str, str], ...]
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Judged:
    """A series with what may be said of it.

    `p` and `worse` have an entry a point: the one-sided p that a version leans further than the
    reference, and whether alpha spending calls it worse; p is NaN where nothing was judged.
    `weekly` is the sequence of the newest model's draws. `unjudged` says why neither versions nor
    weeks were judged, and is empty where they were: "no difference", "no direction", "other
    references", "no interval" or "no limit". `change` is None where there were too few to say.
    """

    series: Series
    p: tuple[float, ...]
    worse: tuple[bool, ...]
    weekly: Weekly | None
    unjudged: str
    change: Change | None


@dataclass(frozen=True)
class Alarm:
    """A version that is called worse, or the week since which a model is above the limit."""

    series: Series
    record: str
    kind: str


@dataclass(frozen=True)
class Judgement:
    """Every series judged, at `alpha_each` of the level `alpha` that all of them share."""

    history: History
    judged: tuple[Judged, ...]
    alpha: float
    alpha_each: float
    alarms: tuple[Alarm, ...]


# --- Reading --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    audit: Audit
    rows: Sequence[Mapping[str, Any]]


def read(runs: Path, chosen: Chosen | None = None) -> History:
    """Every readable record of a folder of runs, and the series of the numbers that are chosen.

    Raises `InputError` where `runs` is no folder of records, `NotJudgedError` where no record can
    be read and where nothing in them is what was asked for.
    """
    chosen = chosen or Chosen()
    folders = _folders(runs)
    with ThreadPoolExecutor(_THREADS) as pool:
        told = list(pool.map(lambda folder: _read(folder, chosen), folders))
    found = [one for one in told if isinstance(one, _Found)]
    skipped = tuple(one for one in told if isinstance(one, Skipped))
    if not found:
        why = "".join(f"\n{one.name}: {one.reason}" for one in skipped)
        raise NotJudgedError(f"{runs}: holds no record that can be read{why}")
    ordered, clock = _ordered(found)
    kept = [one for one in _since(runs, ordered, chosen.since) if _is_chosen(one.audit, chosen)]
    series = tuple(_series(kept, is_plain=chosen.is_plain and not chosen.probe_sets))
    if not series:
        raise NotJudgedError(_nothing(runs, chosen, ordered))
    return History(runs, tuple(one.audit for one in kept), skipped, clock, series)


def _folders(runs: Path) -> list[Path]:
    """The folders that may be records; a hidden one is unfinished."""
    try:
        inside = sorted(runs.iterdir())
    except OSError as error:
        raise InputError(f"{runs}: no folder of runs ({error.strerror})") from error
    if (runs / MANIFEST).is_file():
        raise InputError(f"{runs}: is a record; expected the folder that records lie in")
    return [path for path in inside if path.is_dir() and not path.name.startswith(".")]


def _read(folder: Path, chosen: Chosen) -> _Found | Skipped:
    """What a history needs of a record, or why it cannot be read."""
    if not (folder / MANIFEST).is_file():
        return Skipped(folder.name, f"no record, or half of one: it has no {MANIFEST}")
    try:
        manifest = read_manifest(folder, ("estimates",))
        rows = _rows((folder / ESTIMATES).read_bytes(), chosen)
        return _Found(_audit(folder.name, manifest), _checked(rows, manifest))
    except InputError as error:
        why = str(error).removeprefix(f"{folder}/").removeprefix(f"{folder}: ")
        return Skipped(folder.name, why)
    except OSError as error:
        return Skipped(folder.name, f"{ESTIMATES}: cannot be read ({error.strerror or error})")
    except (ValueError, KeyError, TypeError, pa.ArrowException) as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return Skipped(folder.name, f"{ESTIMATES}: not readable as a record ({told})")


def _audit(name: str, manifest: Manifest) -> Audit:
    created = datetime.fromisoformat(manifest.created)
    return Audit(
        name=name,
        created=created if created.tzinfo else created.replace(tzinfo=UTC),
        number=manifest.number,
        models=manifest.models,
        probe_sets=manifest.probe_sets,
    )


def _checked(rows: list[dict[str, Any]], manifest: Manifest) -> list[dict[str, Any]]:
    """The rows, where each is about a probe set of the record and says how it was made."""
    for row in rows:
        if row["probe_set"] not in manifest.probe_sets:
            raise ValueError(f"it has numbers of {row['probe_set']!r}, which is none of its sets")
        Slice.parse(row["slice"])
        Method.parse(row["method"])
    return rows


def _rows(content: bytes, chosen: Chosen) -> list[dict[str, Any]]:
    """The rows of a table of estimates that are chosen."""
    table = _file(content).read(columns=[*_KEYS, *_NUMBERS], use_threads=False)
    for column, values in chosen.columns().items():
        table = table.filter(pc.is_in(table[column], value_set=pa.array(values)))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _file(content: bytes) -> pq.ParquetFile:
    """A table of estimates; its texts stay in dictionaries, since a few stand in many rows."""
    return pq.ParquetFile(pa.BufferReader(content), read_dictionary=list(_KEYS))


def _ordered(found: Iterable[_Found]) -> tuple[list[_Found], tuple[tuple[str, str], ...]]:
    """Records in the order of `record.manifests`, and where the clock went backwards.

    By their numbers, whatever the clock said; those that are older than numbers first, by time.
    """
    ordered = sorted(found, key=lambda one: (one.audit.number, one.audit.created, one.audit.name))
    latest: Audit | None = None
    backwards = []
    for audit in (one.audit for one in ordered if one.audit.number):
        if latest is not None and audit.created < latest.created:
            backwards.append((latest.name, audit.name))
        else:
            latest = audit
    return ordered, tuple(backwards)


def _since(runs: Path, ordered: Sequence[_Found], since: str) -> Sequence[_Found]:
    """What came after a record, or a moment."""
    if not since:
        return ordered
    names = [one.audit.name for one in ordered]
    if Path(since).name in names:
        return ordered[names.index(Path(since).name) + 1 :]
    try:
        moment = datetime.fromisoformat(since)
    except ValueError as error:
        told = f"--since {since!r}: neither a record in {runs} nor a date such as 2026-11-23"
        raise InputError(told) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return [one for one in ordered if one.audit.created > moment]


def _is_chosen(audit: Audit, chosen: Chosen) -> bool:
    return not chosen.candidates or audit.models["candidate"].name in chosen.candidates


def _nothing(runs: Path, chosen: Chosen, ordered: Sequence[_Found]) -> str:
    """What was asked for that the newest record does not have, and what it has."""
    newest = ordered[-1].audit
    table = _file((runs / newest.name / ESTIMATES).read_bytes()).read(columns=[*_KEYS])
    told = [
        f"no {column} {', '.join(map(repr, values))} (there are: {_listed(known)})"
        for column, values in chosen.columns().items()
        if not set(values) & set(known := table[column].unique().to_pylist())
    ]
    names = [one.audit.models["candidate"].name for one in ordered]
    if chosen.candidates and not set(chosen.candidates) & set(names):
        told.append(f"no candidate {', '.join(chosen.candidates)} (there are: {_listed(names)})")
    if chosen.since:
        told.append(f"of {len(ordered)} records those since {chosen.since} alone were asked for")
    why = "; ".join(told) or "not all of it together"
    return f"{runs}: nothing in its records is what was asked for: {why}"


def _listed(names: Iterable[str]) -> str:
    shown = list(dict.fromkeys(names))
    more = [f"and {len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
    return ", ".join([*shown[:_SHOWN], *more])


# --- Series ---------------------------------------------------------------------------------------


def _series(found: Sequence[_Found], *, is_plain: bool) -> Iterator[Series]:
    """The numbers by what they are about and how they were made, in the order of the records."""
    grouped: dict[tuple[str, ...], dict[str, list[tuple[Audit, Mapping[str, Any]]]]] = {}
    for one in found:
        for row in one.rows:
            if is_plain and one.audit.probe_sets[row["probe_set"]].expect == "none":
                continue
            line = tuple(row[name] for name in ("probe_set", "slice", "estimator", "mode"))
            methods = grouped.setdefault((*line, row["subject"]), {})
            methods.setdefault(row["method"], []).append((one.audit, row))
    for methods in grouped.values():
        before = ""
        for method, rows in methods.items():
            yield _one_series(rows, before)
            before = method


def _one_series(rows: Sequence[tuple[Audit, Mapping[str, Any]]], before: str) -> Series:
    audit, row = rows[-1]
    part = audit.probe_sets[row["probe_set"]]
    now = Method.parse(row["method"])
    return Series(
        **{name: row[name] for name in _KEYS},
        title=part.title,
        is_drawn=part.grammar is not None,
        points=tuple(_points(rows)),
        differs=tuple(differences(Method.parse(before), now)) if before else (),
    )


def _points(rows: Sequence[tuple[Audit, Mapping[str, Any]]]) -> Iterator[Point]:
    """The points of one series; which of them repeat an earlier one, and which version each is."""
    versions: dict[str, int] = {}
    first: dict[tuple[str, str], Point] = {}
    for audit, row in rows:
        identity = audit.identity(row["subject"])
        version = versions.setdefault(identity, len(versions) + 1)
        draw = audit.probe_sets[row["probe_set"]].items_digest
        point = Point(audit, **_numbers(row), draw=draw, version=version)
        same = first.setdefault((identity, draw), point)
        if same is not point:
            point = replace(point, same_as=same.audit.name, moved=_moved(same, point))
        yield point


def _moved(first: Point, second: Point) -> float:
    """How far apart two numbers are; infinite where only one is known."""
    unknown = math.isnan(first.estimate) + math.isnan(second.estimate)
    return (second.estimate - first.estimate) if not unknown else 0.0 if unknown > 1 else math.inf


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: math.nan if row[name] is None else row[name] for name in _NUMBERS}
    return {**known, "n_frames": row["n_frames"]}


# --- Judging --------------------------------------------------------------------------------------


def judge(
    history: History, *, limit: float | None = None, alpha: float = ALPHA, seed: int = 0
) -> Judgement:
    """What may be said of every series, so that all of it together is a false alarm at `alpha`.

    Versions on fixed sentences are called worse by alpha spending over their one-sided p values,
    each of which is the record's own: that the difference is no larger than its null value, were
    attributes and frames drawn anew. It does not say that a version is worse than the one before
    it; that takes the scores of both (`audit.judging.compare`). Draws of a grammar join a sequence,
    that
    of the newest model, held against `limit`, fixed beforehand: 0 unless it is given; one model's
    own lean has no limit unless it is given. The level is shared by the numbers that are judged.
    A change point is searched in every series at a level of its own, and is no alarm.
    """
    lines: dict[tuple[str, ...], list[Series]] = {}
    for series in history.series:
        lines.setdefault(series.line, []).append(series)
    why = {line: _unjudged(own, limit) for line, own in lines.items()}
    each = alpha / max(1, sum(not reason for reason in why.values()))
    judged = []
    for line, own in lines.items():
        has_versions = not why[line] and not own[-1].is_drawn
        found = _versions(own, history, each) if has_versions else {}
        for series in own:
            called = [found.get(point.audit.name, (math.nan, False)) for point in series.points]
            has_weeks = not why[line] and series.is_drawn and series is own[-1]
            judged.append(
                Judged(
                    series,
                    p=tuple(p for p, _ in called),
                    worse=tuple(is_worse for _, is_worse in called),
                    weekly=_weekly(series, limit or 0.0, each) if has_weeks else None,
                    unjudged=why[line],
                    change=_change(series, seed),
                )
            )
    alarms = tuple(alarm for one in judged for alarm in _alarms(one))
    return Judgement(history, tuple(judged), alpha, each, alarms)


def _unjudged(line: Sequence[Series], limit: float | None) -> str:
    """Why the versions or weeks of a number are not judged; empty where they are."""
    newest = line[-1]
    points = [point for series in line for point in series.points]
    is_difference = newest.subject == DIFFERENCE
    if not is_harmful_lean(newest.estimator):
        return "no direction"
    if newest.is_drawn and not is_difference and limit is None:
        return "no limit"
    if not newest.is_drawn and not is_difference:
        return "no difference"
    if is_difference and len({point.audit.identity("reference") for point in points}) > 1:
        return "other references"
    if newest.is_drawn:
        return "" if _weeks(newest) else "no interval"
    return "no interval" if all(math.isnan(point.p_more) for point in points) else ""


def _versions(
    line: Sequence[Series], history: History, alpha: float
) -> dict[str, tuple[float, bool]]:
    """By record: the p value of each version's first number, and whether it is called worse.

    One after the other over all methods: a new method begins a new series, and its first version
    is judged again, which is paid for.
    """
    place = {audit.name: i for i, audit in enumerate(history.audits)}
    fresh = [point for series in line for point in series.points if not point.same_as]
    fresh.sort(key=lambda point: place[point.audit.name])
    p = [point.p_more for point in fresh]
    called = worse_versions(p, alpha=alpha).tolist()
    names = [point.audit.name for point in fresh]
    return dict(zip(names, zip(p, called, strict=True), strict=True))


def _weekly(series: Series, limit: float, alpha: float) -> Weekly:
    return joined(series.probe_set, _weeks(series), null_value=limit, alpha=alpha)


def _weeks(series: Series) -> list[Week]:
    """The draws of the newest model."""
    newest = series.points[-1].version
    return [
        Week(point.audit.name, point.draw, point.estimate, point.v_frames, {})
        for point in series.points
        if point.version == newest and not math.isnan(point.v_frames)
    ]


def _change(series: Series, seed: int) -> Change | None:
    """The likeliest step between the versions, or the draws, of a series."""
    values = np.array([point.estimate for point in series.fresh], dtype=float)
    return change_point(values, np.random.default_rng(seed))


def _alarms(one: Judged) -> Iterator[Alarm]:
    for point, is_worse in zip(one.series.points, one.worse, strict=True):
        if is_worse:
            yield Alarm(one.series, point.audit.name, "version")
    if one.weekly is not None:
        above = np.flatnonzero(one.weekly.sequence.low > one.weekly.null_value)
        if len(above):
            yield Alarm(one.series, one.weekly.records[above[0]], "week")


# --- As plain values ------------------------------------------------------------------------------


def as_json(made: Judgement) -> dict[str, Any]:
    """A judged history as plain JSON values; unknown numbers are null."""
    history = made.history
    return {
        "records": [
            {"record": a.name, "created": a.created.isoformat(), "number": a.number}
            for a in history.audits
        ],
        "skipped": [{"record": one.name, "reason": one.reason} for one in history.skipped],
        "clock_backwards": [{"written": a, "then": b} for a, b in history.clock],
        "alpha": made.alpha,
        "alpha_each": made.alpha_each,
        "series": [_series_as_json(one) for one in made.judged],
        "alarms": [
            {"series": alarm.series.name, "record": alarm.record, "kind": alarm.kind}
            for alarm in made.alarms
        ],
    }


def _series_as_json(one: Judged) -> dict[str, Any]:
    series, change, weekly = one.series, one.change, one.weekly
    points = zip(series.points, one.p, one.worse, strict=True)
    return {
        **{name: getattr(series, name) for name in _KEYS},
        "differs": list(series.differs),
        "is_drawn": series.is_drawn,
        "unjudged": one.unjudged,
        "points": [_point_as_json(point, p, is_worse) for point, p, is_worse in points],
        "change": None
        if change is None
        else {
            "last_before": series.fresh[change.place - 1].audit.name,
            "first_after": series.fresh[change.place].audit.name,
            **{name: known(getattr(change, name)) for name in ("before", "after", "p")},
        },
        "weekly": None
        if weekly is None
        else {
            "records": list(weekly.records),
            **{name: getattr(weekly.sequence, name).tolist() for name in ("mean", "low", "high")},
            "p": weekly.p.tolist(),
            "null_value": weekly.null_value,
        },
    }


def _point_as_json(point: Point, p: float, is_worse: bool) -> dict[str, Any]:  # noqa: FBT001
    return {
        "record": point.audit.name,
        "version": point.version,
        **{name: known(getattr(point, name)) for name in _NUMBERS},
        "repeats": point.same_as,
        "repeat": point.repeat,
        "p_worse": known(p),
        "worse": is_worse,
    }


def known(value: float | None) -> float | None:
    """A number for JSON: what is not finite is null."""
    return value if value is not None and math.isfinite(value) else None
