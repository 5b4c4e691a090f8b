"""GitHub's annotations: at the lines of their gates, few enough, and harmless."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.reports.ci.github import annotations, lines_of
from maskaudit.reports.words import verdicts
from tests.reports.verdicts import every, judgement, verdict

COMMAND = re.compile(r"::(error|warning) title=([^,:]*),file=([^,:]*),line=(\d+)::([^\r\n]*)")


def unescaped(text):
    """Read an annotation's text as GitHub's runner does."""
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


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
    found = [COMMAND.fullmatch(line) for line in annotations(every(), policy)]
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
    found = annotations(every(), Path("gates.toml"), tmp_path / "repository")
    match = COMMAND.fullmatch(found[0])
    assert (unescaped(match[3]), int(match[4])) == ("models/gates.toml", 3)
    outside = annotations(every(), Path("gates.toml"), tmp_path / "elsewhere")
    assert unescaped(COMMAND.fullmatch(outside[0])[3]) == "gates.toml"


@pytest.mark.parametrize(("count", "shown"), [(9, 9), (10, 10), (11, 10), (500, 10)])
@pytest.mark.parametrize("severity", ["fail", "warn"])
def test_of_many_the_nine_worst_are_shown_and_the_rest_counted(policy, count, shown, severity):
    """GitHub drops what is beyond ten of a kind without a word."""
    many = [verdict(name=f"{i}", estimate=i / 10, severity=severity) for i in range(1, count + 1)]
    found = annotations(judgement(*many), policy)
    assert len(found) == shown
    assert f"[{count}]" in unescaped(found[0])
    left = [line for line in found if line.endswith("::" + f"{count - 9} more in the summary")]
    assert len(left) == (count > 10)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_breaks_out_of_an_annotation(text):
    """Neither another command nor another property can be made of a name or a reason."""
    one = verdict(name=text, reason=text, gate=text)
    (line,) = annotations(judgement(one), Path("dir,a:b/gates.toml"))
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
    assert lines_of(file) == expected
