"""SARIF, held against the part of its schema that is used and read as code scanning reads it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.texts.printable import inert
from maskaudit.reports.effects import Effects
from maskaudit.reports.exports.audited import Audited
from maskaudit.reports.exports.sarif import _message, sarif
from maskaudit.reports.page import names_of
from maskaudit.reports.sections.contrasts.claims import finding
from maskaudit.reports.sections.contrasts.tested import contrasts
from tests.reports import records
from tests.reports.verdicts import HOSTILE, every, judged, judgement, verdict


def a(required, **properties):
    """Return the schema of an object that has these properties, some required, and no others."""
    return {
        "type": "object", "required": required.split(), "properties": properties,
        "additionalProperties": False,
    }  # fmt: skip


def many(of, least=0):
    """Return the schema of a list."""
    return {"type": "array", "items": of, "minItems": least}


# What chapters 3.13 to 3.59 of the standard (SARIF 2.1.0, errata 01) ask of the objects that are
# used here, written from its text: names, types, required properties and words.
TEXT = {"type": "string"}
FILLED = {"type": "string", "minLength": 1}
MESSAGE = a("text", text=FILLED)
LEVEL = {"enum": ["none", "note", "warning", "error"]}
BAG = {"type": "object", "properties": {"tags": many(TEXT)}}
ARTIFACT = a(
    "uri", uri={"type": "string", "pattern": r"^[!#$%&'()*+,\-./0-9:;=?@A-Z_a-z~\[\]]+$"},
    uriBaseId=TEXT, index={"type": "integer", "minimum": 0},
)  # fmt: skip
RULE = a(
    "id name shortDescription fullDescription help defaultConfiguration",
    id=FILLED, name=FILLED, shortDescription=MESSAGE, fullDescription=MESSAGE, help=MESSAGE,
    defaultConfiguration=a("level", level=LEVEL), properties=BAG,
)  # fmt: skip
RESULT = a(
    "ruleId ruleIndex level message locations partialFingerprints",
    ruleId=FILLED, ruleIndex={"type": "integer", "minimum": 0},
    kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
    level=LEVEL, message=MESSAGE,
    locations=many(
        a("physicalLocation", physicalLocation=a(
            "artifactLocation", artifactLocation=ARTIFACT,
            region=a("startLine", startLine={"type": "integer", "minimum": 1}),
        )), 1,
    ),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    suppressions=many(
        a("kind", kind={"enum": ["inSource", "external"]},
          status={"enum": ["accepted", "underReview", "rejected"]}, justification=TEXT)
    ),
    properties=BAG,
)  # fmt: skip
RUN = a(
    "tool results",
    tool=a("driver", driver=a("name version rules", name=FILLED, version=FILLED, rules=many(RULE))),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    invocations=many(
        a("executionSuccessful", executionSuccessful={"type": "boolean"},
          exitCode={"type": "integer"}, exitCodeDescription=TEXT,
          toolExecutionNotifications=many(a("message", message=MESSAGE, level=LEVEL)))
    ),
    artifacts=many(a("location", location=ARTIFACT)),
    results=many(RESULT),
    properties=BAG,
)  # fmt: skip
LOG = a("version runs", **{"$schema": TEXT}, version={"const": "2.1.0"}, runs=many(RUN, 1))
# An embedded link (3.11.6), and a placeholder (3.11.5) where no brace is doubled.
LINK = re.compile(r"(?<!\\)\[(?:[^\]\\]|\\.)*\]\([^)]*\)")
PLACEHOLDER = re.compile(r"(?<!\{)(?:\{\{)*\{(?!\{)|(?<!\})(?:\}\})*\}(?!\})")


def read(audited):
    """Return the one run of a log, after the checks that hold for every log."""
    text = sarif(audited)
    assert inert(text) == text

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    log = json.loads(text, parse_constant=refuse)
    jsonschema.Draft7Validator(LOG).validate(log)
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        # 3.27.10: a level beside "none" is only for what is a failure.
        assert result["kind"] == "fail"
        assert not LINK.search(result["message"]["text"])
        assert not PLACEHOLDER.search(result["message"]["text"])
    return run


@pytest.fixture(scope="module")
def small():
    """Give a record."""
    return records.record()


def of_gates(run):
    """Return the results of gates by the name of the verdict's gate and the level."""
    return [result for result in run["results"] if result["ruleId"].startswith("gate/")]


def test_each_verdict_that_is_no_pass_is_a_result_the_worst_first(small):
    """What stops is an error, a warning a warning, and what is waived a suppressed note."""
    found = of_gates(read(Audited(small, judged(every()))))
    told = [(result["message"]["text"].partition(": ")[0], result["level"]) for result in found]
    assert told == [
        ("fail", "error"), ("not measured", "error"), ("inconclusive", "error"),
        ("warning", "warning"), ("waived", "note"),
    ]  # fmt: skip
    [waived] = [result for result in found if "suppressions" in result]
    [suppression] = waived["suppressions"]
    assert suppression["status"] == "accepted"
    assert suppression["justification"] == "Waived by Ann until 2030-03-01: retrained soon"


def test_each_gate_is_a_rule_with_its_reason_and_passes_have_no_result(small):
    """A gate that passed is a rule without a result."""
    told = judgement(verdict("pass", gate="good"), verdict(gate="bad", severity="warn"))
    run = read(Audited(small, judged(told, reason="twice the noise")))
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert set(rules) == {"gate/good", "gate/bad", "lean/further"}
    assert rules["gate/good"]["defaultConfiguration"]["level"] == "error"
    assert rules["gate/bad"]["defaultConfiguration"]["level"] == "warning"
    assert all(
        "twice the noise" in rules[f"gate/{name}"]["help"]["text"] for name in ("good", "bad")
    )
    assert [result["ruleId"] for result in of_gates(run)] == ["gate/bad"]


def test_the_run_says_what_the_gates_end_with_and_the_notes(small):
    """The audit itself went well, even where a gate failed."""
    [invocation] = read(Audited(small, judged(every())))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)
    [note] = invocation["toolExecutionNotifications"]
    assert note["message"]["text"] == "Note: a record stands for the baseline"
    assert read(Audited(small))["invocations"] == [{"executionSuccessful": True}]


def test_a_result_stands_at_the_line_of_its_gate_in_the_repository(small, tmp_path, monkeypatch):
    """Wherever the command was typed; a path is written as a URI."""
    folder = tmp_path / "my models"
    folder.mkdir()
    (folder / "gates.toml").write_text(
        '[[gate]]\nid = "no-regression"\n\n[[gate]]\nid = "careful"\n'
    )
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    run = read(Audited(small, judged(every())))
    places = [
        (result["ruleId"], result["locations"][0]["physicalLocation"]) for result in of_gates(run)
    ]
    assert {(rule, place["region"]["startLine"]) for rule, place in places} == {
        ("gate/no-regression", 2), ("gate/careful", 5),
    }  # fmt: skip
    uris = {place["artifactLocation"]["uri"] for _, place in places}
    assert uris == {"my%20models/gates.toml"} == {run["artifacts"][0]["location"]["uri"]}


def test_a_file_outside_the_repository_is_named_without_its_folder(small, tmp_path, monkeypatch):
    """Where somebody's files lie is told to nobody."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    told = judged(every(), file=Path("/home/somebody/secret/gates.toml"))
    assert "somebody" not in sarif(Audited(small, told))


def test_a_result_is_the_same_one_while_its_numbers_change_and_no_other(small):
    """By its name; another verdict, and another gate with that verdict, are others."""

    def prints(*told):
        found = of_gates(read(Audited(small, judged(judgement(*told)))))
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in found]

    before = prints(verdict(estimate=0.31))
    assert prints(verdict("inconclusive", estimate=0.9, reason="other", p=0.2)) == before
    several = prints(verdict(), verdict(name="b"), verdict(gate="g"), verdict(gate="g", name="b"))
    assert len(set(several)) == 4
    assert set(before) < set(several)


# --- Leans ----------------------------------------------------------------------------------------


def leaning(*, swapped=False, sign=1, alone=False, shown=True):
    """Return a record whose candidate leans further, or as it is told to.

    `swapped` gives each model the lean of the other, `sign` turns all leans against the stereotype.
    """
    made = records.record()
    rows = made.estimates.copy()
    ours = rows["estimator"] == "stereotype_contrast"
    if swapped:
        names = {"reference": "candidate", "candidate": "reference"}
        rows.loc[ours, "subject"] = rows.loc[ours, "subject"].replace(names)
    is_difference = ours & (rows["subject"] == "difference")
    rows.loc[ours, "estimate"] *= sign
    if swapped:
        rows.loc[is_difference, "estimate"] *= -1
    if not shown:
        rows.loc[ours, "p_adjusted"] = 0.5
    manifest = made.manifest
    if alone:
        models = {"candidate": manifest.models["candidate"]}
        manifest = manifest.model_copy(update={"models": models})
        rows = rows[rows["subject"] == "candidate"]
    return replace(made, manifest=manifest, estimates=rows)


def claims(made):
    """Return what the page of a record claims of each contrast."""
    names = names_of(made.manifest)
    found = contrasts(made.manifest.probe_sets, Effects.of(made.estimates), names)
    return [finding(contrast, names).sentence for contrast in found]


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 2),
        ({"sign": -1}, 2),
        ({"swapped": True}, 0),
        ({"swapped": True, "sign": -1}, 0),
        ({"shown": False}, 0),
        ({"alone": True}, 0),
    ],
)
def test_a_set_has_a_result_where_its_claim_says_that_the_candidate_leans_further(changes, count):
    """In the words of the page; a lean that is less, or not shown, has none, nor has a control."""
    made = leaning(**changes)
    said = [claim for claim in claims(made) if ") leans further " in claim]
    results = read(Audited(made))["results"]
    assert [result["message"]["text"] for result in results] == said
    assert len(said) == count
    assert {result["level"] for result in results} <= {"note"}
    assert len({result["partialFingerprints"]["maskaudit/v1"] for result in results}) == count


def test_without_gates_a_lean_stands_where_they_would_be(tmp_path, monkeypatch):
    """Code scanning shows no result without a place."""
    monkeypatch.chdir(tmp_path)
    results = read(Audited(leaning()))["results"]
    assert results
    for result in results:
        [location] = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "gates.toml"
        assert place["region"]["startLine"] == 1


# --- Foreign text ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE, "[a](http://evil.example)", "a](1)", "{0} {{1}} }{", "w" * 60, "](", "\\](x)",
        "[[a]](b)", "\u2028\ud800", "שלום",
    ],
)  # fmt: skip
def test_no_text_becomes_a_link_or_an_argument_or_breaks_the_log(text):
    """In a name, a reason, an owner, and the names of models."""
    made = records.record(names={"candidate": text})
    waiver = verdict().waiver
    told = judgement(
        verdict(gate=text, name=text, reason=text, against=text, probe_set=text, waiver=waiver),
        notes=[text],
    )
    run = read(Audited(made, judged(told, reason=text)))
    assert len(of_gates(run)) == 1
    for rule in run["tool"]["driver"]["rules"]:
        assert not LINK.search(rule["help"]["text"])


@given(st.text("[](){}\\ax"))
def test_in_a_message_no_brace_and_no_bracket_is_anything_but_itself(text):
    """Whatever they stand beside; undone, it is the text but for a space in each link."""
    message = _message(text)
    assert not LINK.search(message)
    assert not PLACEHOLDER.search(message)
    undone = message.replace("{{", "{").replace("}}", "}")
    assert undone.replace("] (", "](") == text.replace("] (", "](")


def test_a_number_that_json_has_no_word_for_is_left_out(small):
    """An infinite number of degrees of freedom, as of a large sample."""
    told = judgement(replace(verdict(), df=float("inf"), mde=float("nan")))
    [result] = of_gates(read(Audited(small, judged(told))))
    assert not {"df", "mde"} & set(result["properties"])
    assert result["properties"]["estimate"] == 0.31
