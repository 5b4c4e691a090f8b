"""A judgement for machines that build: what other programs read is whole, true and harmless."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.reports import verdicts
from maskaudit.reports.ci import formats
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
COMMAND = re.compile(r"::(error|warning) title=([^,:]*),file=([^,:]*),line=(\d+)::([^\r\n]*)")


def cases(told):
    """Return the test cases of the JUnit file by name."""
    suite = ET.fromstring(formats.junit(told)).find("testsuite")  # noqa: S314 - our own
    return suite, {f"{c.get('classname')}[{c.get('name')}]": c for c in suite.iter("testcase")}


def unescaped(text):
    """Read an annotation's text as GitHub's runner does."""
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def cells(markdown):
    """Return the rows of all tables, each as its cells, without their heads."""
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    split = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return [row for row in split if row[0] != "Verdict" and set(row) != {"---"}]


# --- JUnit ----------------------------------------------------------------------------------------


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
    text = formats.junit(judgement(one, verdict("inconclusive", name=HOSTILE), notes=[note]))
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


# --- GitHub's annotations -------------------------------------------------------------------------


@pytest.fixture
def policy(tmp_path):
    """Give a gates.toml with two gates."""
    file = tmp_path / "gates.toml"
    file.write_text(
        '# id = "careful"\n[[gate]]\nid = "no-regression"\nrule = "bound"\n\n'
        "[[gate]]\n  'id' = 'careful' # id\nmargin_id = \"other\"\n"
    )
    return file


def test_annotations_stand_at_the_lines_of_their_gates(policy):
    """What stops is an error, a warning is a warning; passes and waivers say nothing here."""
    found = [COMMAND.fullmatch(line) for line in formats.annotations(every(), policy)]
    told = [(m[1], unescaped(m[2]), int(m[4])) for m in found]
    assert told == [
        ("error", "fail: no-regression[e/failed]", 3),
        ("error", "not measured: no-regression[nothing/x]", 3),
        ("error", "inconclusive: no-regression[d/open]", 3),
        ("warning", "warning: careful[c/warned]", 7),
    ]


def test_an_annotation_names_the_file_as_it_is_in_the_repository(tmp_path, policy, monkeypatch):
    """GitHub attaches it there, wherever the command was typed."""
    folder = tmp_path / "repository" / "models"
    folder.mkdir(parents=True)
    (folder / "gates.toml").write_bytes(policy.read_bytes())
    monkeypatch.chdir(folder)
    found = formats.annotations(every(), Path("gates.toml"), tmp_path / "repository")
    match = COMMAND.fullmatch(found[0])
    assert (unescaped(match[3]), int(match[4])) == ("models/gates.toml", 3)
    outside = formats.annotations(every(), Path("gates.toml"), tmp_path / "elsewhere")
    assert unescaped(COMMAND.fullmatch(outside[0])[3]) == "gates.toml"


@pytest.mark.parametrize(("count", "shown"), [(9, 9), (10, 10), (11, 10), (500, 10)])
@pytest.mark.parametrize("severity", ["fail", "warn"])
def test_of_many_the_nine_worst_are_shown_and_the_rest_counted(policy, count, shown, severity):
    """GitHub drops what is beyond ten of a kind without a word."""
    many = [verdict(name=f"{i}", estimate=i / 10, severity=severity) for i in range(1, count + 1)]
    found = formats.annotations(judgement(*many), policy)
    assert len(found) == shown
    assert f"[{count}]" in unescaped(found[0])
    left = [line for line in found if line.endswith("::" + f"{count - 9} more in the summary")]
    assert len(left) == (count > 10)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_breaks_out_of_an_annotation(text):
    """Neither another command nor another property can be made of a name or a reason."""
    one = verdict(name=text, reason=text, gate=text)
    (line,) = formats.annotations(judgement(one), Path("dir,a:b/gates.toml"))
    match = COMMAND.fullmatch(line)
    assert unescaped(match[3]) == "dir,a:b/gates.toml"
    assert unescaped(match[2]) == f"fail: {verdicts.label(one)}"
    assert unescaped(match[5]).splitlines()[0] == verdicts.row(one).numbers


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'[[gate]]\r\nid="a"\r\n', {"a": 2}),
        (b"\xef\xbb\xbfgate = [{ id = 'a' }, { rule = \"x\", id = 'b' }]", {"a": 1, "b": 1}),
        (b'id = "a"\nid = "a"\n', {"a": 1}),
        (b"\xff", {}),
        (None, {}),
    ],
)
def test_the_lines_of_gates_are_found_by_their_ids(tmp_path, content, expected):
    """Inline tables, marks of byte order, and files that are not there."""
    file = tmp_path / "gates.toml"
    if content is not None:
        file.write_bytes(content)
    assert formats.lines_of(file) == expected


# --- Markdown -------------------------------------------------------------------------------------


def test_the_summary_has_a_row_for_every_verdict_the_worst_first():
    """With the heading, what was judged and what the exit code means."""
    text = formats.summary(every())
    assert text.startswith("## maskaudit: 2 gates with 6 verdicts: 1 fail")
    assert [row[0].strip("*") for row in cells(text)] == list(verdicts.STATUSES)
    assert "Exit code 1: a gate failed." in text
    assert "Note: a record stands for the baseline" in text


@pytest.mark.parametrize("make", [formats.summary, formats.comment])
@pytest.mark.slow
def test_no_markdown_is_longer_than_the_place_takes(make):
    """Thousands of verdicts, in characters of four bytes: the worst are kept, the rest counted."""
    limit = {formats.summary: 1024 * 1024, formats.comment: 65_536}[make]
    many = [
        verdict("fail" if i % 3 else "pass", name=f"{i}/{'𝄞' * 300}", reason="𝄞" * 2000)
        for i in range(3000)
    ]
    text = make(judgement(*many))
    assert 0.8 * limit < len(text.encode()) < limit
    rows = cells(text)
    left = sum(
        int(n.replace(",", "")) for n in re.findall(r"^([\d,]+) rows? left out", text, re.MULTILINE)
    )
    assert len(rows) + left == len(many)
    assert "Exit code 1" in text


def test_the_comment_begins_with_a_mark_and_folds_what_passed():
    """A bot finds its own comment by the mark; a reader sees what did not pass."""
    text = formats.comment(every())
    assert text.startswith("<!-- maskaudit -->\n")
    before, _, after = text.partition("<details>")
    assert [row[0] for row in cells(after)] == ["pass"]
    assert len(cells(before)) == 5
    assert "<summary>1 pass</summary>" in text
    assert "maskaudit gate RECORD" in text


def test_the_comment_of_passes_alone_has_no_empty_table():
    """All that there is to see is folded."""
    text = formats.comment(judgement(verdict("pass"), verdict("pass", name="b")))
    assert text.count("| Verdict |") == 1
    assert "<summary>2 passes</summary>" in text


@pytest.mark.parametrize("make", [formats.summary, formats.comment])
@given(text=st.text(max_size=40))
def test_foreign_text_stays_in_its_cell_and_is_no_markup(make, text):
    """No row is torn, no HTML is made, nobody is called by name."""
    one = verdict(name=text + HOSTILE, reason=f"@octocat {text}", against=text)
    made = make(judgement(one, notes=[text]))
    assert {len(row) for row in cells(made)} == {6}
    tags = set(re.findall(r"<[^>]*>", made))
    assert tags <= {"<!-- -->", formats.MARKER}
    assert not re.search(r"@\w", made)
    # A backtick that is not escaped is one of our own, around a command.
    assert re.findall(r"(?<!\\)`[^`]*`", made.replace("\\`", "")) == (
        ["`maskaudit gate RECORD`"] if make is formats.comment else []
    )


def test_json_has_the_sentences_beside_the_values():
    """Whoever reads the JSON need not make the sentences anew."""
    told = every()
    found = formats.as_json(told)
    assert found["heading"] == verdicts.heading(told)
    assert found["meaning"] == "Exit code 1: a gate failed."
    assert {key: found[key] for key in told.as_json()} == told.as_json()
