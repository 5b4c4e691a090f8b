"""Since when a rule is known, and whether it was there before the numbers that it judges were seen.

A rule that is written once a record was seen can be written so that it passes, or fails. Where it
stands, gates.toml, says nothing of when it was written. So a run reads the rules before it measures
and seals their digests in the record, with the first date of each: that of the earliest record of
the folder that had the rule. No date is taken from the file itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from maskaudit.audit.judging.policy import Gate, Policy
from maskaudit.audit.judging.verdicts import Verdict
from maskaudit.audit.recording.manifest import Manifest, RuleRead
from maskaudit.audit.recording.places import Entry
from maskaudit.audit.recording.record import WITH_RULES


def rules_read(
    policy: Policy | None, earlier: Iterable[Entry], key: str, now: str
) -> dict[str, RuleRead]:
    """The rules of a policy as a record tells of them, by digest; none without a policy.

    `earlier` are the records of the folder in the order in which they were made, of which those
    with the same `key` have the very numbers that are about to be measured; `now` is the time
    before the measurement, ISO 8601 in UTC.
    """
    records = list(earlier)
    with_numbers = _first([entry.key == key for entry in records])
    rules = {}
    for gate in () if policy is None else policy.gates:
        # The order decides and not the clock, which may go backwards; a run reads its rules before
        # it measures, so the record that first had the numbers may be the one with the rule.
        with_rule = _first([gate.digest in entry.rules for entry in records])
        first = records[with_rule].rules[gate.digest] if with_rule < len(records) else now
        rules[gate.digest] = RuleRead(first=first, before=with_rule <= with_numbers)
    return rules


def _first(wanted: Sequence[bool]) -> int:
    """The place of the first record that is wanted; that of the record to be made without one."""
    return wanted.index(True) if True in wanted else len(wanted)


def dated(verdict: Verdict, gates: Mapping[str, Gate], manifest: Manifest) -> Verdict:
    """The verdict with the digest of its rule and what the record tells of that."""
    digest = gates[verdict.gate].digest
    rule = manifest.rules.get(digest)
    if rule is not None:
        return replace(
            verdict, rule_digest=digest, rule_first=rule.first[:10], rule_before=rule.before
        )
    # A record of an older format does not know; a newer one did not read this rule.
    before = False if manifest.format >= WITH_RULES else None
    return replace(verdict, rule_digest=digest, rule_before=before)
