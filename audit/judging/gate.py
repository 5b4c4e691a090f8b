"""Rules and estimates become verdicts: a pure function of records, without models.

A gate that measured nothing did not pass, and what could not be decided is no pass either.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import product
from typing import Any, cast

import numpy as np
import pandas as pd

from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.estimating.cells import CANDIDATE, DIFFERENCE, REFERENCE, RELATION
from maskaudit.audit.estimating.entries import DERIVED
from maskaudit.audit.estimating.entry import Harm
from maskaudit.audit.estimating.names import CONTRAST, WORLD_SLOPE
from maskaudit.audit.estimating.numbers import LOG_RATIO
from maskaudit.audit.estimating.statistics import multiplicity
from maskaudit.audit.judging import baseline as accepted
from maskaudit.audit.judging import compare, decision
from maskaudit.audit.judging.decision import (
    ALPHA,
    FAIL,
    INCONCLUSIVE,
    NOT_MEASURED,
    PASS,
    Decision,
    Word,
)
from maskaudit.audit.judging.policy import (
    BOUND,
    NON_INFERIORITY,
    VERSUS_BASELINE,
    WORLD,
    Gate,
    Policy,
    Waiver,
)
from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.audit.recording.manifest import LeftOut, ProbeSetKey
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.slices import Slice
from maskaudit.audit.toml_files import did_you_mean

CHANGES = (NON_INFERIORITY, VERSUS_BASELINE)
# The slope of a model that holds the world's shares.
_AS_WORLD = DERIVED[WORLD_SLOPE].null
NOTHING = "nothing"
_NAMED = ("probe_set", "estimator", "slice")
# The tables of a record that verdicts are made of.
READ = ("items", "scores", "estimates")
ANCHOR = "anchor"
# What kept a number from an interval, as a clause after "there is no interval: ".
_REFUSED = {
    "too_few_frames": "it has too few frames",
    "too_few_attributes": "it has too few attributes",
    "too_few_clusters": "it has too few clusters",
    "nothing_varied": "nothing varied",
    "not_estimable": "it cannot be estimated from these cells",
}


@dataclass(frozen=True)
class _Source:
    """Estimates that gates select from, and what the numbers are held against."""

    estimates: pd.DataFrame
    sets: Mapping[str, ProbeSetKey]
    against: str
    part: str = ""
    # Probe sets that should be there, and why they are not; "" for all of them.
    refused: Mapping[str, str] = field(default_factory=dict)
    # Cells that no number is made of, since a model could not score them.
    left_out: Sequence[LeftOut] = ()
    # By probe set, the share of the scores of what it is held against that the candidate lacks.
    lost_share: Mapping[str, float] = field(default_factory=dict)
    # What an older version says of its sets.
    before: Mapping[str, ProbeSetKey] = field(default_factory=dict)

    def asked(self, gate: Gate, name: str) -> bool:
        """Whether a gate is about a probe set, as it is described now or was before."""
        said = [part[name] for part in (self.sets, self.before) if name in part]
        return any(_asks(gate, name, part) for part in said)


def _asks(gate: Gate, name: str, described: ProbeSetKey) -> bool:
    """Whether a gate selects a set: those in which a lean is expected, where it names none."""
    if gate.select.probe_set is None and gate.select.axis is None:
        return described.expect == "lean"
    place = {"probe_set": name, "axis": described.axis}
    return all(
        any(fnmatchcase(place[column], word) for word in words)
        for column, words in gate.wanted()
        if column in place
    )


@dataclass(frozen=True)
class Judged:
    """A number as it is judged: with its decision, unless there is none and a reason instead."""

    verdict: Verdict
    decided: Decision | None = None
    v_frames: float = math.nan
    # The share of the scores of what it is held against that the candidate lacks.
    lost: float = 0.0


def judge(
    record: Record, policy: Policy, *, baseline: Record | None = None, today: date
) -> Judgement:
    """Every verdict of a policy on a record.

    `baseline` is a record to hold `versus_baseline` against, instead of the accepted baselines
    beside the policy. `today` decides which waivers are in force. Raises `InputError` where a gate
    selects a number without a harmful direction of its own and does not say which way harm lies.
    """
    found: list[Judged] = []
    lost: dict[str, None] = {}
    versions = _Versions(record, policy, baseline)
    rules = {gate.rule for gate in policy.gates} - {VERSUS_BASELINE}
    own = {rule: _own(record, rule) for rule in rules}
    for gate in policy.gates:
        sources = [(own[gate.rule], gate.margin)] if gate.rule in own else versions.of(gate)
        for source, margin in sources:
            judged_here = list(_by_gate(gate, source, margin))
            lost |= dict.fromkeys(_lost(source, judged_here))
            found += judged_here
    waived = [_waived(one, policy.waivers, today) for one in found]
    verdicts = tuple(settled(waived))
    notes = [*versions.notes, *lost]
    notes += [
        f"the waiver of {waiver.owner} for {waiver.gate} is for {waiver.slice!r}, which nothing is"
        for waiver in policy.waivers
        if not any(waiver.covers(verdict.gate, verdict.name) for verdict in verdicts)
    ]
    return Judgement(record.name, str(policy.path), verdicts, tuple(notes), today)


class _Versions:
    """The record against older versions, each compared once for all gates that ask for it."""

    def __init__(self, record: Record, policy: Policy, baseline: Record | None) -> None:
        self._record, self._policy, self._baseline = record, policy, baseline
        self._known: dict[str, list[_Source]] = {}
        self.notes: list[str] = []

    @cached_property
    def _new(self) -> compare.Version:
        return compare.version(self._record)

    def of(self, gate: Gate) -> Iterator[tuple[_Source, float | None]]:
        """What the gate is judged from, and with which margin: the baseline, and the anchor."""
        if gate.baseline not in self._known:
            self._known[gate.baseline] = list(self._compared(gate.baseline))
        margins = (gate.margin, gate.total_margin or gate.margin)
        # A record that stands for the baseline has no anchor.
        yield from zip(self._known[gate.baseline], margins, strict=False)

    def _compared(self, name: str) -> Iterator[_Source]:
        """The rolling baseline and its anchor; a record that is named stands for both."""
        if self._baseline is not None:
            yield self._source(compare.version(self._baseline), "", "")
            if any(gate.total_margin for gate in self._policy.gates):
                self.notes.append(
                    "a record stands for the baseline: change since the anchor was not judged"
                )
            return
        known = ""
        for load, part in ((accepted.load, ""), (accepted.load_anchor, ANCHOR)):
            against = f"{part or 'baseline'} {name}"
            try:
                old = load(self._policy.baselines, name)
            except NotJudgedError as error:
                nothing = self._record.estimates.iloc[:0]
                yield _Source(nothing, {}, against, part, refused={"": str(error)})
                return
            if old.about.scores != known:  # until the baseline moves on it is its own anchor
                known = old.about.scores
                yield self._source(old.version, against, part)

    def _source(self, old: compare.Version, against: str, part: str) -> _Source:
        sets = {**old.probe_sets, **self._record.manifest.probe_sets}
        nothing = self._record.estimates.iloc[:0]
        empty = _Source(nothing, sets, against or old.name, part, before=old.probe_sets)
        gates = [gate for gate in self._policy.gates if gate.rule == VERSUS_BASELINE]
        wanted = {name for name in sets if any(empty.asked(gate, name) for gate in gates)}
        if not wanted:
            return empty
        try:
            found = compare.versions(old, self._new, probe_sets=wanted)
        except NotJudgedError as error:
            return replace(empty, refused={"": str(error)})
        if self._baseline is not None and found.same_model:
            self.notes.append(f"{found.old} is of the same model, which cannot have changed")
        return replace(
            empty,
            estimates=found.estimates,
            refused=found.refused,
            left_out=found.left_out,
            lost_share=found.lost_share,
        )


def _own(record: Record, rule: str) -> _Source:
    """The record's own estimates, and what the rule holds them against."""
    against = {BOUND: "", NON_INFERIORITY: "reference", WORLD: "the world's shares"}[rule]
    refused, share = {}, {}
    manifest = record.manifest
    if rule == NON_INFERIORITY:
        if REFERENCE not in manifest.models:
            why = "the record has one model alone: there is no reference to hold it against"
            refused = {"": why}
        else:
            share = compare.lost_share(record)
    return _Source(
        record.estimates,
        manifest.probe_sets,
        against,
        refused=refused,
        left_out=manifest.left_out,
        lost_share=share,
    )


def _by_gate(gate: Gate, source: _Source, margin: float | None) -> Iterator[Judged]:
    """The verdict on every number that a gate selects; NOT_MEASURED where there is none."""
    if "" in source.refused:
        yield Judged(_unmeasured(gate, source, NOTHING, source.refused[""]))
        return
    refused = {name: why for name, why in source.refused.items() if source.asked(gate, name)}
    for name, why in refused.items():
        place = f"{source.sets[name].axis}/{name}"
        yield Judged(_unmeasured(gate, source, place, f"the probe set {name} is {_as_clause(why)}"))
    rows, missing = _selected(gate, source)
    missing = [(column, word) for column, word in missing if word not in refused]
    for column, word in missing:
        why = _why_nothing(source, column, word)
        yield Judged(_unmeasured(gate, source, f"{NOTHING}/{word}", why))
    if not missing:
        for name, why in _gaps(gate, source, rows):
            if name not in refused:
                yield Judged(_unmeasured(gate, source, f"{NOTHING}/{name}", why))
    if rows.empty and not missing and not refused:
        why = "no number of the record has all that the gate selects"
        yield Judged(_unmeasured(gate, source, NOTHING, why))
    several = len(rows["estimator"].unique()) > 1
    modes = len(rows["mode"].unique()) > 1
    for row in rows.to_dict("records"):
        name = _name(cast("Mapping[str, Any]", row), source.part, several=several, modes=modes)
        one = judged(gate, cast("Mapping[str, Any]", row), source.against, name, margin)
        yield replace(one, lost=source.lost_share.get(row["probe_set"], 0.0))


def _as_clause(why: str) -> str:
    """Why a set is not compared, so that it can follow "is"."""
    return why if why.startswith("only in") else f"not compared: {why}"


def _gaps(gate: Gate, source: _Source, rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """What a gate names and has no number: sets that it is about, and words of it in each."""
    words = dict(gate.wanted())
    named = {
        column: [word for word in words.get(column, []) if "*" not in word] for column in _NAMED
    }
    change = gate.rule in CHANGES
    for name in dict.fromkeys([*source.sets, *source.before]):
        own = rows[rows["probe_set"] == name]
        is_named = name in named["probe_set"]
        if not source.asked(gate, name) or (not is_named and not _has(gate, source.sets[name])):
            continue
        if own.empty:
            yield name, f"no number of {name!r} has all that the gate selects"
            continue
        if not is_named:
            continue
        there = set(zip(own["estimator"], own["slice"], strict=True))
        for estimator, slice_ in product(named["estimator"] or [""], named["slice"] or [""]):
            shown = LOG_RATIO.get(estimator, estimator) if change else estimator
            if not any(shown in {"", part[0]} and slice_ in {"", part[1]} for part in there):
                what = "/".join(filter(None, (name, slice_, estimator)))
                yield what, f"{name!r} has no number of this slice and estimator"


def _has(gate: Gate, described: ProbeSetKey) -> bool:
    """Whether a set that a gate does not name is expected to have the number it asks for."""
    asked = dict(gate.wanted())["estimator"]
    return asked == [CONTRAST] and bool(described.contrast)


def _lost(source: _Source, found: Sequence[Judged]) -> Iterator[str]:
    """How much of each set that was judged is not in its numbers."""
    there = Counter(cell.probe_set for cell in source.left_out)
    for name in dict.fromkeys(one.verdict.probe_set for one in found):
        if there[name]:
            against = f" against {source.against}" if source.against else ""
            yield (
                f"{name}{against}: {there[name]} cells, a word in a sentence each, are left out, "
                "since a model could not score them"
            )


def _selected(gate: Gate, source: _Source) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The rows that a gate selects; and each column and word of it that nothing is left for."""
    rows = source.estimates
    if gate.select.probe_set is None and gate.select.axis is None:
        asked = [name for name in rows["probe_set"].unique() if source.asked(gate, name)]
        rows = rows[rows["probe_set"].isin(asked)]
    if gate.rule in CHANGES:
        rows = _changes(rows)
    else:
        rows = rows[rows["subject"] == (gate.select.subject or CANDIDATE)]
    missing = []
    for column, words in gate.wanted():
        own = LOG_RATIO if gate.rule in CHANGES and column == "estimator" else {}
        fits = {word: _fits(rows[column], own.get(word, word)) for word in words}
        missing += [(column, word) for word, chosen in fits.items() if not chosen.any()]
        rows = rows[np.logical_or.reduce(list(fits.values()))]
        if rows.empty:
            break
    return rows, missing


def _changes(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that are a change: differences, and log ratios where a number is judged by its own."""
    of_relation = (rows["subject"] == RELATION) & rows["estimator"].isin([*LOG_RATIO.values()])
    difference = (rows["subject"] == DIFFERENCE) & ~rows["estimator"].isin([*LOG_RATIO])
    return rows[of_relation | difference]


def _fits(column: pd.Series, word: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which entries are the word; `*` in it stands for any text."""
    known = {text: fnmatchcase(text, word) for text in column.unique()}
    return column.map(known).to_numpy(dtype=bool)


def judged(
    gate: Gate, row: Mapping[str, Any], against: str, name: str, margin: float | None
) -> Judged:
    """One number, decided; or the reason why it cannot be."""
    harm = gate.harm_of(row["estimator"])
    if harm is None:
        raise InputError(
            f"gate {gate.id!r}: {row['estimator']!r} has no harmful direction of its own; "
            'say harm = "up", "down" or "either"'
        )
    limit = gate.bound if gate.rule == BOUND else margin
    assert limit is not None  # noqa: S101 - a policy without it is refused when it is read
    offset = _AS_WORLD if gate.rule == WORLD else 0.0
    verdict = Verdict(
        gate=gate.id,
        name=name,
        rule=gate.rule,
        severity=gate.severity,
        verdict=NOT_MEASURED,
        reason="",
        against=against,
        harm=harm,
        margin=limit,
        estimate=row["estimate"] - offset,
        std_error=row["std_error"],
        df=row["df"],
        n_frames=None if pd.isna(row["n_frames"]) else int(row["n_frames"]),
        scale="log" if row["estimator"] in LOG_RATIO.values() else "",
        **{
            key: row[key]
            for key in ("probe_set", "axis", "slice", "estimator", "mode", "subject", "method")
        },
    )
    known = math.isfinite(row["std_error"]) and (row["std_error"] == 0 or not math.isnan(row["df"]))
    if not known or not math.isfinite(row["estimate"]):
        return Judged(_refused(verdict, row))
    decided = decide(gate.rule, row["estimator"], verdict, harm)
    told = replace(verdict, low=decided.low, high=decided.high, p=decided.p, mde=decided.mde)
    return Judged(told, decided, row["v_frames"])


def decide(rule: str, estimator: str, number: Verdict, harm: Harm) -> Decision:
    """The decision on one number, by the rule of its gate."""
    numbers = (number.estimate, number.std_error, number.df, number.margin)
    if rule in CHANGES:
        return decision.change(*numbers, harm)
    if estimator not in LOG_RATIO:
        return decision.level(*numbers, harm)
    harm = "down" if harm == "down" else "up"  # a magnitude has one side
    # Where it is not credibly above zero its logarithm says nothing.
    credible = decision.bounds(number.estimate, number.std_error, number.df)[0] > 0
    if credible and number.margin > 0:
        return _magnitude(*numbers, harm)
    return decision.level(*numbers, harm)


def _magnitude(estimate: float, std_error: float, df: float, bound: float, harm: Harm) -> Decision:
    """A bound on a magnitude U, judged on half its log, where its upper bound covers .92 to .94."""
    half_log = math.log(estimate) / 2
    found = decision.level(half_log, std_error / (2 * estimate), df, math.log(bound) / 2, harm)
    return replace(
        found,
        low=math.exp(2 * found.low),
        high=math.exp(2 * found.high),
        mde=estimate * math.expm1(2 * found.mde),
    )


def _refused(verdict: Verdict, row: Mapping[str, Any]) -> Verdict:
    """A number without an interval: undecided where that was refused, unmeasured without a word."""
    if math.isnan(row["estimate"]) and row["flag"] not in _REFUSED:
        return replace(verdict, reason="nothing of it was measured")
    if row["flag"] in _REFUSED:
        why = f"there is no interval: {_REFUSED[row['flag']]}"
    else:
        why = "there is no standard error to judge it by"
    return replace(verdict, verdict=INCONCLUSIVE, reason=why)


def _waived(one: Judged, waivers: Sequence[Waiver], today: date) -> Judged:
    """The same with the waiver that covers it: one in force before one that has expired."""
    verdict = one.verdict
    own = [waiver for waiver in waivers if waiver.covers(verdict.gate, verdict.name)]
    if not own:
        return one
    latest = max(own, key=lambda waiver: waiver.until)
    if latest.until >= today:
        return replace(one, verdict=replace(verdict, waiver=latest))
    why = f"the waiver of {latest.owner} expired on {latest.until}: renew or remove it"
    return replace(one, verdict=replace(verdict, verdict=FAIL, reason=why), decided=None)


def settled(found: Sequence[Judged]) -> Iterator[Verdict]:
    """The verdicts, with failures that hold after Holm's adjustment over the whole policy."""
    family = [
        place for place, one in enumerate(found) if one.decided is not None and one.verdict.counts
    ]
    adjusted = multiplicity.holm(np.array([found[place].verdict.p for place in family]))
    p_of = dict(zip(family, adjusted.tolist(), strict=True))
    for place, one in enumerate(found):
        if one.decided is None:
            yield one.verdict
            continue
        p = p_of.get(place, one.verdict.p)
        decided = one.decided.settled(p)
        told = replace(one.verdict, p_adjusted=p, verdict=decided.word)
        if decided.word == PASS and one.lost > compare.MOST_LOST:
            why = f"{one.lost:.0%} of the scores it is held against are lost, so what is left"
            yield replace(told, verdict=INCONCLUSIVE, reason=f"{why} shows no pass")
            continue
        needed = _frames_needed(told, one.v_frames) if decided.word == INCONCLUSIVE else None
        told = replace(told, frames_needed=needed)
        yield replace(told, reason=_reason(told, one.decided.word))


def _frames_needed(verdict: Verdict, v_frames: float) -> int | None:
    """The frames with which a change of the margin, or the distance to a bound, would be found."""
    if verdict.n_frames is None or math.isnan(v_frames) or verdict.std_error == 0:
        return None
    numbers = (verdict.std_error, v_frames, verdict.n_frames, verdict.df)
    if verdict.rule in CHANGES:
        return decision.frames_needed(*numbers, verdict.margin, cast("Harm", verdict.harm))
    if verdict.estimator in LOG_RATIO:  # its bounds are those of a logarithm
        return None
    return decision.frames_needed(*numbers, abs(verdict.margin - verdict.estimate))


def _reason(verdict: Verdict, before: Word) -> str:
    """Why this verdict, as a clause."""
    is_level = verdict.rule in {BOUND, WORLD}
    approximate = (
        " (approximate: the bounds of a magnitude cover a little less than they say)"
        if verdict.estimator in LOG_RATIO
        else ""
    )
    if verdict.verdict == PASS:
        inside = "within the bound" if verdict.rule == BOUND else "below the margin"
        return f"credibly {inside}{approximate}"
    if verdict.verdict == FAIL:
        return _failure(verdict, is_level=is_level) + approximate
    if before == FAIL:
        return f"harm alone (p < {ALPHA}), not among all that this policy judges (Holm)"
    shown = "which side of the bound it is on" if is_level else "neither no harm nor none so large"
    return (
        f"does not show {shown}{approximate}"
        if is_level
        else f"shows {shown} as the margin{approximate}"
    )


def _failure(verdict: Verdict, *, is_level: bool) -> str:
    if is_level:
        return "credibly beyond the bound" if verdict.rule == BOUND else "credibly beyond the world"
    sizes = {"up": verdict.low, "down": -verdict.high}
    least = sizes.get(verdict.harm, max(verdict.low, -verdict.high))
    if least > verdict.margin:
        return "worse, credibly by more than the margin"
    if verdict.harm == "either":
        return "changed, and a change as large as the margin is not ruled out"
    return "worse, and a change as large as the margin is not ruled out"


def _unmeasured(gate: Gate, source: _Source, name: str, why: str) -> Verdict:
    return Verdict(
        gate=gate.id,
        name="/".join(filter(None, (name, source.part))),
        rule=gate.rule,
        severity=gate.severity,
        verdict=NOT_MEASURED,
        reason=why,
        against=source.against,
    )


def _why_nothing(source: _Source, column: str, word: str) -> str:
    known = set(source.estimates[column].unique())
    if column == "probe_set":
        known |= set(source.sets)
    if word in known:
        return f"no number with {column} {word!r} has all else that the gate selects"
    return (
        f"no number of the record has {column} {word!r}{did_you_mean(word, sorted(known - {''}))}"
    )


def _name(row: Mapping[str, Any], part: str, *, several: bool, modes: bool) -> str:
    """`gender/gender-occupation`, with more parts where a gate judges more than one of a set."""
    slice_ = "" if Slice.parse(row["slice"]).is_headline else row["slice"]
    parts = (
        row["axis"],
        row["probe_set"],
        slice_,
        row["estimator"] if several else "",
        row["mode"] if modes else "",
        part,
    )
    return "/".join(filter(None, parts))
