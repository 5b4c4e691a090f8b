"""A judgement as JUnit XML: what other programs read is whole, true and harmless."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.reports.ci.junit import junit
from tests.reports.verdicts import HOSTILE, WAIVER, every, judgement, verdict

# What the schema of JUnit files that Jenkins checks (junit-10) lets stand in what; pytest's own
# files have `error` and a test case's `properties` beside it.
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase", "system-out"},
    "properties": {"property"},
    "testcase": {"properties", "failure", "error", "skipped", "system-out"},
}
ATTRIBUTES = {
    "testsuites": {"name"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"classname", "name", "time"},
    "property": {"name", "value"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
}


def cases(told):
    """Return the test cases of the JUnit file by name."""
    suite = ET.fromstring(junit(told)).find("testsuite")  # noqa: S314 - our own
    return suite, {f"{c.get('classname')}[{c.get('name')}]": c for c in suite.iter("testcase")}


def test_junit_has_a_case_for_every_verdict_with_its_outcome():
    """Failures, errors and skips are counted as they stand; a warning passes."""
    told = every()
    suite, found = cases(told)
    outcome = {
        name: next((c.tag for c in case if c.tag in {"failure", "error", "skipped"}), "passed")
        for name, case in found.items()
    }
    assert outcome == {
        "no-regression[a/pass]": "passed", "no-regression[b/waived]": "skipped",
        "careful[c/warned]": "passed", "no-regression[d/open]": "failure",
        "no-regression[nothing/x]": "error", "no-regression[e/failed]": "failure",
    }  # fmt: skip
    assert found["no-regression[d/open]"].find("failure").get("type") == "inconclusive"
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(name)) == len(list(suite.iter(tag)))
    assert int(suite.get("tests")) == len(told.verdicts)


def test_junit_is_red_exactly_where_the_exit_code_is_not_zero():
    """Two ways to learn the same must not differ."""
    one = ["fail", "inconclusive", "not_measured", "pass"]
    for told in (
        judgement(verdict(word, severity=severity, waiver=waiver))
        for word in one
        for severity in ("fail", "warn")
        for waiver in (None, WAIVER)
    ):
        suite, _ = cases(told)
        is_red = int(suite.get("failures")) + int(suite.get("errors")) > 0
        assert is_red == (told.exit_code != 0)


@given(st.text(), st.text(), st.text())
@pytest.mark.slow
def test_junit_is_xml_of_the_known_shape_whatever_the_texts(name, reason, note):
    """Any character may come from a probe set; what XML cannot hold is named by its code point."""
    one = verdict(name=name, reason=reason, gate=name, against=note)
    text = junit(judgement(one, verdict("inconclusive", name=HOSTILE), notes=[note]))
    root = ET.fromstring(text.encode())  # noqa: S314 - our own
    for element in root.iter():
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        assert set(element.keys()) == ATTRIBUTES.get(element.tag, set())


def test_junit_carries_estimate_bounds_margin_and_mde():
    """As numbers that other programs can read."""
    _, found = cases(judgement(verdict("inconclusive", frames_needed=36)))
    (case,) = found.values()
    named = {p.get("name"): p.get("value") for p in case.iter("property")}
    wanted = {"estimate": 0.31, "low": 0.22, "high": 0.4, "margin": 0.2, "mde": 0.13}
    assert {name: float(named[name]) for name in wanted} == wanted
    assert named["frames_needed"] == "36"
