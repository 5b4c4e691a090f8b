"""Verdicts and findings in SARIF 2.1.0, for the tabs where code scanning shows its results."""

import hashlib
import math
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from maskaudit.audit.judging.policy import BOUND, CLAIMS, NON_INFERIORITY, VERSUS_BASELINE, WORLD
from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.audit.recording.record import Record
from maskaudit.audit.texts.printable import json_text
from maskaudit.audit.vocabulary import GATES_FILE
from maskaudit.reports.ci.github import lines_of, within
from maskaudit.reports.effects import Effects
from maskaudit.reports.exports.audited import Audited, Judged, shown
from maskaudit.reports.page import names_of
from maskaudit.reports.sections.contrasts.claims import finding
from maskaudit.reports.sections.contrasts.tested import contrasts
from maskaudit.reports.words import verdicts
from maskaudit.reports.words.verdicts import PASS, WAIVED, WARNING

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
FURTHER = "lean/further"
# What is not in here stops a run.
_LEVELS = {WARNING: "warning", WAIVED: "note"}
_ASKS = {
    BOUND: "A number of one model must stay within the bound that the gate sets.",
    NON_INFERIORITY: "The candidate must not be worse than the reference of the same audit by as "
    "much as the margin.",
    VERSUS_BASELINE: "The candidate must not be worse than the accepted version by as much as the "
    "margin.",
    WORLD: "The leans of a model must not be steeper than the world's shares by as much as the "
    "margin.",
    CLAIMS: "No claim of the candidate's model card may be contradicted.",
}
_HELP = (
    "A gate passes where harm as large as its limit is ruled out, and fails where there is harm "
    "and harm of that size is not ruled out. What shows neither is inconclusive, and what has no "
    "number is not measured; neither is a pass. The page of the record has every number behind "
    "this one: maskaudit report RECORD. An inconclusive verdict says how many frames would decide "
    "it. Who answers for a failure until a certain day writes a [[waiver]] in gates.toml."
)
_FURTHER_HELP = (
    "The stereotype contrast of the candidate is shown to be farther from zero than that of the "
    "reference, after adjustment for the number of tested sets. That is a finding and no verdict: "
    "how much further is too far, a gate says. The rule non_inferiority in gates.toml holds the "
    "candidate to a margin; maskaudit init writes one to start from."
)


def sarif(audited: Audited) -> str:
    """SARIF with a rule for each gate, and a result for each verdict that is no pass.

    A further rule has a result for each set on which the candidate is shown to lean further than
    the reference. What stops a run is an error, a warning a warning, what is waived a suppressed
    note, a lean a note. Fingerprints are of names alone, so that a result stays the same one while
    its numbers change.
    """
    judged = audited.judged
    places = _Places(None if judged is None else judged.gates)
    rules = [*_gate_rules(judged), _further_rule()]
    results = [*_of_verdicts(judged, places), *_further(audited.record, places)]
    # Each result points to its rule by number too, as readers with many results want it.
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    results = [{**result, "ruleIndex": numbers[result["ruleId"]]} for result in results]
    run: dict[str, Any] = {
        "tool": {
            "driver": {"name": "maskaudit", "version": version("maskaudit"), "rules": rules},
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(audited.judgement)],
        "artifacts": [{"location": places.artifact}],
        "results": results,
        "properties": {"record": shown(audited.record.name)},
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


class _Places:
    """Where results are shown: the lines of gates.toml.

    Without gates it is the first line of the file that would have them, since code scanning shows
    no result without a place.
    """

    def __init__(self, gates: Path | None) -> None:
        file = Path(GATES_FILE) if gates is None else gates
        self._lines = lines_of(file)
        # As in the repository; a path outside it would tell where the user's files are.
        root = Path(os.environ.get("GITHUB_WORKSPACE") or Path())
        path = within(file, root) or Path(file.name)
        uri = quote(path.as_posix().encode("utf-8", "surrogateescape"))
        self.artifact = {"uri": uri, "uriBaseId": "%SRCROOT%"}

    def of(self, gate: str = "") -> list[dict[str, Any]]:
        """The line of a gate, or the first one."""
        region = {"startLine": self._lines.get(gate, 1)}
        location = {"artifactLocation": {**self.artifact, "index": 0}, "region": region}
        return [{"physicalLocation": location}]


def _gate_rules(judged: Judged | None) -> Iterator[dict[str, Any]]:
    """A rule for each gate, in the order of the policy."""
    for gate in () if judged is None else judged.policy.gates:
        rule = _rule(
            _gate_id(gate.id),
            gate.rule.replace("_", " ").title().replace(" ", ""),
            f"Gate {shown(gate.id)}",
            _ASKS[gate.rule],
            f"{_HELP} The reason for this gate: {shown(gate.reason)}",
        )
        level = "warning" if gate.severity == "warn" else "error"
        yield {**rule, "defaultConfiguration": {"level": level}}


def _gate_id(gate: str) -> str:
    # A gate of the name of another rule of ours must not become that rule.
    return f"gate/{shown(gate)}"


def _further_rule() -> dict[str, Any]:
    rule = _rule(
        FURTHER,
        "LeansFurther",
        "The candidate leans further than the reference",
        "On a set of sentences the candidate is shown to lean further than the reference.",
        _FURTHER_HELP,
    )
    return {**rule, "defaultConfiguration": {"level": "note"}}


def _rule(id_: str, name: str, short: str, full: str, help_: str) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "shortDescription": {"text": _unlinked(short)},
        "fullDescription": {"text": full},
        "help": {"text": _unlinked(help_)},
        "properties": {"tags": ["bias", "model audit"]},
    }


def _of_verdicts(judged: Judged | None, places: _Places) -> Iterator[dict[str, Any]]:
    """A result for each verdict that is no pass, the worst first."""
    if judged is None:
        return
    for verdict in verdicts.worst_first(judged.judgement):
        status = verdicts.status(verdict)
        if status != PASS:
            result = _result(
                _gate_id(verdict.gate),
                _LEVELS.get(status, "error"),
                verdicts.as_text(verdict),
                (verdict.gate, verdict.name),
            )
            yield {
                **result,
                "locations": places.of(verdict.gate),
                "properties": _properties(verdict),
                **_suppressed(verdict, status),
            }


def _further(record: Record, places: _Places) -> Iterator[dict[str, Any]]:
    """A result for each contrast on which the candidate is shown to lean further."""
    manifest, effects = record.manifest, Effects.of(record.estimates)
    names = names_of(manifest)
    adjust = manifest.settings.adjust
    for contrast in contrasts(manifest.probe_sets, effects, names, adjust):
        if contrast.leans_further:
            yield {
                **_result(
                    FURTHER,
                    "note",
                    finding(contrast, names).sentence,
                    (contrast.probe_set, *contrast.groups),
                ),
                "locations": places.of(),
                "properties": {"probe_set": shown(contrast.probe_set)},
            }


def _result(rule: str, level: str, text: str, named: tuple[str, ...]) -> dict[str, Any]:
    # Names alone: numbers, models and records change from audit to audit.
    content = "\0".join([rule, *named]).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(content).hexdigest()
    return {
        "ruleId": rule,
        "kind": "fail",
        "level": level,
        "message": {"text": _message(text)},
        # GitHub reads the first alone, and would make one of the line: all verdicts of a gate stand
        # at one line, and would be one alert.
        "partialFingerprints": {"primaryLocationLineHash": digest, "maskaudit/v1": digest},
    }


def _suppressed(verdict: Verdict, status: str) -> dict[str, Any]:
    if status != WAIVED or verdict.waiver is None:
        return {}
    waiver = verdict.waiver
    text = (
        f"Waived by {shown(waiver.owner)} until {waiver.until.isoformat()}: {shown(waiver.reason)}"
    )
    return {
        # Not `inSource`, in SARIF's words: a waiver stands in gates.toml, not in what is judged.
        "suppressions": [
            {"kind": "external", "status": "accepted", "justification": _unlinked(text)}
        ]
    }


def _properties(verdict: Verdict) -> dict[str, Any]:
    """The values of a verdict; a number that JSON has no word for is left out."""
    return {
        name: value
        for name, value in verdicts.properties(verdict)
        if not (isinstance(value, float) and not math.isfinite(value))
    }


def _invocation(judgement: Judgement | None) -> dict[str, Any]:
    """That the audit itself went well, what the gates end with, and the notes on the verdicts."""
    if judgement is None:
        return {"executionSuccessful": True}
    return {
        "executionSuccessful": True,
        "exitCode": judgement.exit_code,
        "exitCodeDescription": verdicts.meaning(judgement),
        "toolExecutionNotifications": [
            {"level": "note", "message": {"text": _message(note)}}
            for note in verdicts.notes(judgement)
        ],
    }


def _message(text: str) -> str:
    # In a message braces stand around the number of an argument, unless they are doubled.
    return _unlinked(text).replace("{", "{{").replace("}", "}}")


def _unlinked(text: str) -> str:
    # `[text](target)` is a link in every text of SARIF. A space breaks it also for readers that do
    # not know of the standard's backslash.
    return text.replace("](", "] (")
