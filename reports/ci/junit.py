"""A judgement as JUnit XML."""

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.reports.words import verdicts as gates
from maskaudit.reports.words import wording
from maskaudit.reports.words.verdicts import FAIL, INCONCLUSIVE, NOT_MEASURED, WAIVED


def junit(judgement: Judgement) -> str:
    """JUnit XML with one test case per verdict.

    A fail or an inconclusive verdict is a `failure` of that type, a verdict without a measurement
    an `error`, and a waived one `skipped`. A warning is a passing case with its text in
    `system-out`.
    """
    statuses = Counter(gates.status(verdict) for verdict in judgement.verdicts)
    counts = {
        "tests": len(judgement.verdicts),
        "failures": statuses[FAIL] + statuses[INCONCLUSIVE],
        "errors": statuses[NOT_MEASURED],
        "skipped": statuses[WAIVED],
    }
    root = ET.Element("testsuites", name="maskaudit")
    totals = {name: str(count) for name, count in counts.items()}
    suite = ET.SubElement(root, "testsuite", {"name": "maskaudit", **totals, "time": "0.000"})
    sources = {"record": judgement.record, "policy": judgement.policy}
    # XML 1.0 forbids most control characters, escaped or not; `visible` leaves none of them.
    _properties(suite, [(name, wording.visible(text, None)) for name, text in sources.items()])
    for verdict in judgement.verdicts:
        _case(suite, verdict)
    if judgement.notes:
        ET.SubElement(suite, "system-out").text = "\n".join(gates.notes(judgement))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, verdict: Verdict) -> None:
    row = gates.row(verdict)
    named = {"classname": gates.name(verdict.gate), "name": gates.name(verdict.name)}
    case = ET.SubElement(suite, "testcase", {**named, "time": "0.000"})
    _properties(case, gates.properties(verdict))
    text = gates.as_text(verdict)
    message = " ".join(part for part in (row.numbers, row.reason) if part)
    if row.status in {FAIL, INCONCLUSIVE}:
        ET.SubElement(case, "failure", type=row.status, message=message).text = text
    elif row.status == NOT_MEASURED:
        ET.SubElement(case, "error", type="not_measured", message=message).text = text
    elif row.status == WAIVED:
        ET.SubElement(case, "skipped", type=WAIVED, message=" ".join(row.more)).text = text
    else:
        ET.SubElement(case, "system-out").text = text


def _properties(parent: ET.Element, named: Sequence[tuple[str, str | float | int]]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in named:
        ET.SubElement(properties, "property", name=name, value=str(value))
