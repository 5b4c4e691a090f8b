"""A judgement as Markdown: every verdict or how many are left out, and no markup of others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.reports import verdicts
from maskaudit.reports.ci.markdown import MARKER, comment, summary
from tests.reports.verdicts import HOSTILE, every, judgement, verdict


def cells(markdown):
    """Return the rows of all tables, each as its cells, without their heads."""
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    split = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return [row for row in split if row[0] != "Verdict" and set(row) != {"---"}]


def test_the_summary_has_a_row_for_every_verdict_the_worst_first():
    """With the heading, what was judged and what the exit code means."""
    text = summary(every())
    assert text.startswith("## maskaudit: 2 gates with 6 verdicts: 1 fail")
    assert [row[0].strip("*") for row in cells(text)] == list(verdicts.STATUSES)
    assert "Exit code 1: a gate failed." in text
    assert "Note: a record stands for the baseline" in text


@pytest.mark.parametrize("make", [summary, comment])
@pytest.mark.slow
def test_no_markdown_is_longer_than_the_place_takes(make):
    """Thousands of verdicts, in characters of four bytes: the worst are kept, the rest counted."""
    limit = {summary: 1024 * 1024, comment: 65_536}[make]
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
    text = comment(every())
    assert text.startswith("<!-- maskaudit -->\n")
    before, _, after = text.partition("<details>")
    assert [row[0] for row in cells(after)] == ["pass"]
    assert len(cells(before)) == 5
    assert "<summary>1 pass</summary>" in text
    assert "maskaudit gate RECORD" in text


def test_the_comment_of_passes_alone_has_no_empty_table():
    """All that there is to see is folded."""
    text = comment(judgement(verdict("pass"), verdict("pass", name="b")))
    assert text.count("| Verdict |") == 1
    assert "<summary>2 passes</summary>" in text


@pytest.mark.parametrize("make", [summary, comment])
@given(text=st.text(max_size=40))
def test_foreign_text_stays_in_its_cell_and_is_no_markup(make, text):
    """No row is torn, no HTML is made, nobody is called by name."""
    one = verdict(name=text + HOSTILE, reason=f"@octocat {text}", against=text)
    made = make(judgement(one, notes=[text]))
    assert {len(row) for row in cells(made)} == {6}
    tags = set(re.findall(r"<[^>]*>", made))
    assert tags <= {"<!-- -->", MARKER}
    assert not re.search(r"@\w", made)
    # A backtick that is not escaped is one of our own, around a command.
    assert re.findall(r"(?<!\\)`[^`]*`", made.replace("\\`", "")) == (
        ["`maskaudit gate RECORD`"] if make is comment else []
    )
