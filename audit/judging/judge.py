"""Turn rules and estimates into verdicts: a pure function of records that runs no model.

A gate passes only if its numbers were measured and decided: neither NOT_MEASURED nor INCONCLUSIVE
is a pass.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, cast

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.numbers import share_of
from maskaudit.audit.estimating.registry.names import ends_of
from maskaudit.audit.judging import surer
from maskaudit.audit.judging.both_ends import NOTE, on_both_ends
from maskaudit.audit.judging.deciding import in_styles
from maskaudit.audit.judging.deciding.effective import effective_clusters
from maskaudit.audit.judging.decision import FAIL, NOT_MEASURED, PASS
from maskaudit.audit.judging.one_verdict import Judged, judged, judged_in_styles, settled
from maskaudit.audit.judging.policy import CLAIMS, IGNORE, NON_INFERIORITY, Gate, Policy, Waiver
from maskaudit.audit.judging.rule_dates import dated
from maskaudit.audit.judging.rules import RULES, of_numbers
from maskaudit.audit.judging.select import gaps, name_of, selected, why_nothing
from maskaudit.audit.judging.sources import OlderVersions, Source, own_source
from maskaudit.audit.judging.verdicts import NOTHING, Judgement, Verdict
from maskaudit.audit.recording.record import Record

# The record tables from which verdicts are computed.
READ = ("items", "scores", "estimates")


def judge(
    record: Record, policy: Policy, *, baseline: Record | None = None, today: date
) -> Judgement:
    """Return every verdict of a policy on a record.

    `baseline` is a record that `versus_baseline` compares with, instead of the accepted baselines
    beside the policy. `today` decides which waivers are in force. Raises `InputError` if a gate
    selects a number with no harmful direction of its own and does not set `harm`, or for a
    `baseline` that is a trial.
    """
    if baseline is not None and baseline.manifest.limit is not None:
        raise InputError(
            f"{baseline.name}: is a trial (--limit), which is never a baseline; name the record of "
            "a whole audit"
        )
    all_judged: list[Judged] = []
    # A dict as an ordered set: several gates judge the same probe set and repeat its note.
    lost_notes: dict[str, None] = {}
    versions = OlderVersions(record, policy, baseline)
    rules = {
        gate.rule for gate in of_numbers(policy.gates) if not RULES[gate.rule].compares_versions
    }
    # Once a rule and not once a gate: what is lost is counted over all scores of the record.
    own_sources: dict[str, Source] = {rule: own_source(record, rule) for rule in rules}
    for gate in policy.gates:
        if gate.rule == CLAIMS:
            # Only here: reading a model card takes YAML, and few gates ask for one.
            from maskaudit.audit.judging.deciding.card import on_card

            of_card = on_card(gate, policy.path.parent, record)
            all_judged += map(Judged, of_card.verdicts)
            lost_notes |= dict.fromkeys(of_card.notes)
            continue
        sources = (
            [(own_sources[gate.rule], gate.margin)]
            if gate.rule in own_sources
            else versions.sources(gate)
        )
        # Two for accepted versions: the change since the last has `margin`, and that since the
        # first has `total_margin`, so that many small steps cannot add up.
        for source, margin in sources:
            judged_of_source = list(_by_gate(gate, source, margin))
            lost_notes |= dict.fromkeys(_lost(source, judged_of_source))
            all_judged += judged_of_source
    # Before `settled`, which counts waived failures in Holm's family all the same.
    waived = [_waived(number, policy.waivers, today) for number in all_judged]
    gates = {gate.id: gate for gate in policy.gates}
    verdicts = tuple(dated(verdict, gates, record.manifest) for verdict in settled(waived))
    notes = [*versions.notes, *lost_notes]
    notes += [
        f"the waiver of {waiver.owner} for {waiver.gate} is for {waiver.slice!r}, which matches no "
        "verdict"
        for waiver in policy.waivers
        if not any(waiver.covers(verdict.gate, verdict.name) for verdict in verdicts)
    ]
    notes += _unmeasured_sharpness(gates, verdicts, own_sources.get(NON_INFERIORITY))
    if record.manifest.limit is not None:
        notes.append(
            f"this is a trial of {record.manifest.limit} frames of each set: its verdicts decide "
            "nothing about the whole sets"
        )
    if record.manifest.is_censored:
        notes.append(NOTE)
    # Scores from a cache are as good as the cache: who reads the verdicts has to know.
    use = record.manifest.provenance.cache
    if use is not None and use.sentence:
        notes.append(use.sentence)
    return Judgement(record.name, str(policy.path), verdicts, tuple(notes), today)


def _by_gate(gate: Gate, source: Source, margin: float | None) -> Iterator[Judged]:
    """Yield the verdict on every number that a gate selects, NOT_MEASURED for missing numbers."""
    if "" in source.refused:
        yield Judged(_unmeasured(gate, source, NOTHING, source.refused[""]))
        return
    # Everything that the gate asks for and that has no number gets a verdict of its own: a gap
    # without one would look like a pass.
    refused = {
        name: reason for name, reason in source.refused.items() if source.is_selected_by(gate, name)
    }
    for name, reason in refused.items():
        set_name = f"{source.sets[name].axis}/{name}"
        yield Judged(
            _unmeasured(gate, source, set_name, f"the probe set {name} is {_as_clause(reason)}")
        )
    rows, missing = selected(gate, source)
    missing = [(column, word) for column, word in missing if word not in refused]
    for column, word in missing:
        reason = why_nothing(source, column, word)
        yield Judged(_unmeasured(gate, source, f"{NOTHING}/{word}", reason))
    # A missing word has its verdict by now; `gaps` would report it again for each set.
    if not missing:
        for name, reason in gaps(gate, source, rows):
            if name not in refused:
                yield Judged(_unmeasured(gate, source, f"{NOTHING}/{name}", reason))
    if rows.empty and not missing and not refused:
        reason = "no number of the record matches all that the gate selects"
        yield Judged(_unmeasured(gate, source, NOTHING, reason))
    # A name is as short as it can be: people write it in waivers and after `pytest -k`.
    several = len(rows["estimator"].unique()) > 1
    modes = len(rows["mode"].unique()) > 1
    for plain in rows.to_dict("records"):
        row = {**cast("Mapping[str, Any]", plain), **_clusters(plain, source)}
        name = name_of(row, source.part, several=several, modes=modes)
        yield _one(gate, source, row, name, margin)


def _one(
    gate: Gate, source: Source, row: Mapping[str, Any], name: str, margin: float | None
) -> Judged:
    """The verdict on one number: on the average of styles, or on how many of them it holds in."""
    described = source.sets.get(row["probe_set"])

    def decide(one: Mapping[str, Any]) -> Judged:
        return judged(gate, one, source.against, name, margin, described, source.best_of)

    number = (
        decide(row)
        if ends_of(row["estimator"]) is None
        else on_both_ends(decide, row, source.estimates)
    )
    if gate.holds_in is not None:
        styles = in_styles.rows_of(row, source.estimates)
        if why := in_styles.unfit(gate, len(styles)):
            return Judged(_unmeasured(gate, source, name, why))
        number = judged_in_styles(number, gate, in_styles.numbers_of(styles))
    lost = source.lost_share.get(row["probe_set"], 0.0)
    return replace(number, lost=lost, sharpness=_standing(gate, number, source))


def _standing(gate: Gate, number: Judged, source: Source) -> surer.Standing | None:
    """How a pass stands to the models' sharpness; None if it does not matter or is not known."""
    if source.sharpness is None or not surer.is_asked(gate, number.verdict.estimator):
        return None
    # What is beyond sharpness in each style is not kept: it is made where a pass may rest on it.
    if number.decided is None or number.decided.word != PASS:
        return None
    return surer.standing(gate, number.verdict, source, source.sharpness)


def _unmeasured_sharpness(
    gates: Mapping[str, Gate], verdicts: Sequence[Verdict], source: Source | None
) -> list[str]:
    """A note that sharpness was not measured, if a verdict depends on it."""
    if source is None or source.refused or source.sharpness is not None:
        return []
    asked = any(
        gates[verdict.gate].sharpness != IGNORE
        and surer.is_asked(gates[verdict.gate], verdict.estimator)
        for verdict in verdicts
    )
    return [surer.NOT_MEASURED] if asked else []


def _clusters(row: Mapping[Any, Any], source: Source) -> dict[str, float | None]:
    """How many clusters of one size a share of pairs has; nothing for other numbers."""
    if source.items is None or share_of(row["estimator"]) is None:
        return {}
    effective = effective_clusters(source.items, row["probe_set"], row["slice"])
    return {"effective_clusters": effective}


def _as_clause(reason: str) -> str:
    """The reason why a set is not compared, worded to follow "is"."""
    return reason if reason.startswith("only in") else f"not compared: {reason}"


def _lost(source: Source, numbers: Sequence[Judged]) -> Iterator[str]:
    """Yield a note for each judged set on how many cells are left out of its numbers."""
    n_left_out = Counter(cell.probe_set for cell in source.left_out)
    for name in dict.fromkeys(number.verdict.probe_set for number in numbers):
        if n_left_out[name]:
            against = f" against {source.against}" if source.against else ""
            yield (
                f"{name}{against}: {n_left_out[name]} cells (a word in a sentence each) are left "
                "out, because a model could not score them"
            )


def _waived(number: Judged, waivers: Sequence[Waiver], today: date) -> Judged:
    """Apply the covering waiver with the latest date; once expired it makes the verdict FAIL."""
    verdict = number.verdict
    covering = [waiver for waiver in waivers if waiver.covers(verdict.gate, verdict.name)]
    if not covering:
        return number
    latest = max(covering, key=lambda waiver: waiver.until)
    if latest.until >= today:
        return replace(number, verdict=replace(verdict, waiver=latest))
    # Without `decided` the verdict is final: Holm's adjustment cannot soften it to INCONCLUSIVE.
    reason = f"the waiver of {latest.owner} expired on {latest.until}: renew or remove it"
    return replace(number, verdict=replace(verdict, verdict=FAIL, reason=reason), decided=None)


def _unmeasured(gate: Gate, source: Source, name: str, reason: str) -> Verdict:
    return Verdict(
        gate=gate.id,
        name="/".join(filter(None, (name, source.part))),
        rule=gate.rule,
        severity=gate.severity,
        verdict=NOT_MEASURED,
        reason=reason,
        against=source.against,
    )
