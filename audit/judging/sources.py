"""The estimates that gates judge: a record's own, and those against older versions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property, partial

import pandas as pd

from maskaudit.audit.errors import NotJudgedError
from maskaudit.audit.estimating.across_sets import beyond_in_styles
from maskaudit.audit.estimating.crossed.cells import REFERENCE
from maskaudit.audit.estimating.design import design
from maskaudit.audit.estimating.registry.names import ACCURACY, STYLE_CONTRAST
from maskaudit.audit.estimating.sharpness import LEAST_BENIGN, Sharpness, sharpness
from maskaudit.audit.estimating.statistics.interval import Interval
from maskaudit.audit.judging.accepting import baseline as accepted
from maskaudit.audit.judging.comparing.pairing import Version, version
from maskaudit.audit.judging.comparing.versions import lost_share, versions
from maskaudit.audit.judging.deciding.in_styles import Numbers
from maskaudit.audit.judging.policy import Gate, Policy
from maskaudit.audit.judging.rules import RULES, of_numbers
from maskaudit.audit.recording.manifest import ProbeSetKey
from maskaudit.audit.recording.parts import LeftOut
from maskaudit.audit.recording.record import Record
from maskaudit.audit.verifying import recomputed

ANCHOR = "anchor"


@dataclass(frozen=True)
class Source:
    """Estimates that gates select from, and what the numbers are compared with."""

    estimates: pd.DataFrame
    sets: Mapping[str, ProbeSetKey]
    against: str
    part: str = ""
    # By probe set, why it has no estimates; the key "" stands for all sets.
    refused: Mapping[str, str] = field(default_factory=dict)
    # Cells that no number uses, because a model could not score them.
    left_out: Sequence[LeftOut] = ()
    # By probe set, the share (0 to 1) of the reference's or older version's scores that the
    # candidate is missing.
    lost_share: Mapping[str, float] = field(default_factory=dict)
    # The probe sets as the older version describes them.
    before: Mapping[str, ProbeSetKey] = field(default_factory=dict)
    # How many candidates the older version was picked from.
    best_of: int = 1
    # The record's items, whose clusters say how sure a share of pairs is.
    items: pd.DataFrame | None = None
    # Every number, made when asked: where only those that gates name were made for `estimates`.
    every: Callable[[], pd.DataFrame] | None = None
    # What the record's benign sets say of how sure its two models are; None if it has too few.
    sharpness: Sharpness | None = None
    # Of a set and two of its groups, () if it has no more, at this sharpness: the contrast in each
    # style were the candidate as sure as the reference. Made when asked, since no record keeps it.
    beyond_in_styles: Callable[[str, Sequence[str], Interval], list[Numbers]] | None = None

    def is_selected_by(self, gate: Gate, name: str) -> bool:
        """Whether a gate selects a probe set by its present or its older description."""
        descriptions = [part[name] for part in (self.sets, self.before) if name in part]
        return any(selects(gate, name, part) for part in descriptions)


def selects(gate: Gate, name: str, described: ProbeSetKey) -> bool:
    """Whether a gate selects a set; without a set or axis it selects those that expect a lean."""
    if gate.select.probe_set is None and gate.select.axis is None:
        return described.expect == "lean"
    values = {"probe_set": name, "axis": described.axis}
    return all(
        any(fnmatchcase(values[column], word) for word in words)
        for column, words in gate.filters()
        if column in values
    )


def judged_names(gate: Gate) -> frozenset[str]:
    """The names of the numbers that a gate judges; `*` in them stands for any text."""
    rule = RULES[gate.rule]
    names = {rule.judged_estimator(word) for word in dict(gate.filters())["estimator"]}
    return frozenset(names | ({STYLE_CONTRAST} if gate.holds_in is not None else set()))


class OlderVersions:
    """The record compared with older versions, each comparison made once for all gates."""

    def __init__(self, record: Record, policy: Policy, baseline: Record | None) -> None:
        self._record, self._policy, self._baseline = record, policy, baseline
        self._by_baseline: dict[str, list[Source]] = {}
        self.notes: list[str] = []

    @cached_property
    def _new(self) -> Version:
        return version(self._record)

    def sources(self, gate: Gate) -> Iterator[tuple[Source, float | None]]:
        """Yield each source of the gate with its margin: the baseline, then the anchor."""
        if gate.baseline not in self._by_baseline:
            self._by_baseline[gate.baseline] = list(self._compared(gate.baseline))
        margins = (gate.margin, gate.total_margin or gate.margin)
        # Not strict: there is no anchor if a record replaces the baseline, if the baseline is its
        # own anchor, or if the baseline could not be loaded.
        yield from zip(self._by_baseline[gate.baseline], margins, strict=False)

    def _compared(self, name: str) -> Iterator[Source]:
        """Yield the rolling baseline and its anchor; a record given as baseline replaces both."""
        if self._baseline is not None:
            yield self._source(version(self._baseline), "", "")
            if any(gate.total_margin for gate in self._policy.gates):
                self.notes.append(
                    "a record replaces the baseline, so the change since the anchor was not judged"
                )
            return
        compared_scores = ""
        for load, part in ((accepted.load, ""), (accepted.load_anchor, ANCHOR)):
            against = f"{part or 'baseline'} {name}"
            try:
                old = load(self._policy.baselines, name)
            except NotJudgedError as error:
                # Without rows, but with the columns that gates select by.
                no_estimates = self._record.estimates.iloc[:0]
                yield Source(no_estimates, {}, against, part, refused={"": str(error)})
                return
            if old.about.scores != compared_scores:  # the baseline accepted first is its own anchor
                compared_scores = old.about.scores
                yield self._source(old.version, against, part, old.about.best_of)

    def _source(self, old: Version, against: str, part: str, best_of: int = 1) -> Source:
        # The newer description wins; a set that is gone keeps its older one.
        sets = {**old.probe_sets, **self._record.manifest.probe_sets}
        no_estimates = self._record.estimates.iloc[:0]
        name = against or old.name
        # Part of the name, because every verdict says what it is held against.
        against = f"{name} (the best of {best_of})" if best_of > 1 else name
        empty = Source(no_estimates, sets, against, part, before=old.probe_sets, best_of=best_of)
        # All gates that compare versions, since they share this one comparison.
        gates = [
            gate for gate in of_numbers(self._policy.gates) if RULES[gate.rule].compares_versions
        ]
        selected = {
            name for name in sets if any(empty.is_selected_by(gate, name) for gate in gates)
        }
        if not selected:
            return empty
        names = frozenset[str]().union(*map(judged_names, gates))
        if any(sets[name].kind == "cloze" for name in selected):
            names |= {ACCURACY}  # what is left out of a set of facts is known by it alone
        compare = partial(versions, old, self._new, probe_sets=selected)
        try:
            # Only these: all numbers of a set take many times longer than its contrast.
            comparison = compare(wanted=recomputed.Numbers(names=names).wanted)
        except NotJudgedError as error:
            return replace(empty, refused={"": str(error)})
        if self._baseline is not None and comparison.same_model:
            self.notes.append(f"{comparison.old} is of the same model, so nothing can have changed")
        return replace(
            empty,
            estimates=comparison.estimates,
            refused=comparison.refused,
            left_out=comparison.left_out,
            lost_share=comparison.lost_share,
            every=lambda: compare().estimates,
        )


def own_source(record: Record, rule: str) -> Source:
    """The record's own estimates, and what the rule compares them with.

    All of them are refused if the rule needs a reference and the record has none.
    """
    refused, share = {}, {}
    manifest = record.manifest
    if RULES[rule].needs_reference:
        if REFERENCE not in manifest.models:
            reason = "the record has only one model, so there is no reference to compare it with"
            refused = {"": reason}
        else:
            share = lost_share(record)
    return Source(
        record.estimates,
        manifest.probe_sets,
        RULES[rule].against,
        refused=refused,
        left_out=manifest.left_out,
        lost_share=share,
        items=record.items,
        sharpness=_sharpness(record) if REFERENCE in manifest.models else None,
        beyond_in_styles=partial(_beyond_in_styles, record),
    )


def _beyond_in_styles(
    record: Record, name: str, groups: Sequence[str], known: Interval
) -> list[Numbers]:
    manifest = record.manifest
    described = design(name, manifest.probe_sets[name], manifest.method)
    items = record.items[record.items["probe_set"] == name]
    found = beyond_in_styles(items, record.scores, described, groups, known)
    return [(own.estimate, own.std_error, own.df) for own in (n.interval for n in found)]


def _sharpness(record: Record) -> Sharpness | None:
    sets = record.manifest.probe_sets
    benign = [name for name, part in sets.items() if part.expect == "benign"]
    return sharpness(record.estimates, benign) if len(benign) >= LEAST_BENIGN else None
