"""A judgement as Markdown: every verdict or how many are left out, and no markup of others."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from maskaudit.reports.ci.markdown import comment, summary
from maskaudit.reports.words import verdicts
from tests.reports.verdicts import HOSTILE, WAIVER, every, judgement, verdict


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


# --- Foreign text ---------------------------------------------------------------------------------

# What GitHub links, replaces or tells somebody of, wherever it stands in text that is no code: the
# autolinks of its Markdown (GFM 6.9), and the rest as its documentation has it.
LIVE = re.compile(
    r"""
    [a-z][a-z0-9+.-]*://\S                # an address
    | (?<!\w)www\.\S
    | (?:mailto|xmpp):\S
    | [\w.+-]+@[\w-]                     # an e-mail address
    | @[a-z0-9]                          # somebody's name, or a team's
    | \#\d | (?<!\w)GH-\d                # an issue
    | (?<!\w)[0-9a-f]{7,40}(?!\w)        # a commit
    | :[\w+-]+:                          # an emoji
    | \$                                 # a formula
    | (?<!\w)[A-Z]+-\d                   # what a repository may have linked by itself
    """,
    re.IGNORECASE | re.VERBOSE,
)
DEAD = [
    "http://evil.example/a", "https://evil.example", "HTTPS://EVIL.EXAMPLE", "ftp://evil.example",
    "www.evil.example", "(www.evil.example)", "mailto:a@evil.example", "a.b+c@evil.example",
    "xmpp:a@evil.example/x", ":smile:", ":+1:", "a:tada:b", "$x^2$", "$$x$$", "$`x`$", "`$x$`",
    "#1", "(#1)", "GH-1", "gh-12", "octo/cat#1", "octo/cat@deadbeef", "deadbee", "DEADBEEF",
    "a5c3785ed8d6a35868bc169f07e40e889087fd2e", "1234567", "@octocat", "@org/team", "x@octocat",
    "TICKET-12", "<http://evil.example>", "[a](http://evil.example)", "![a](http://evil.example)",
    "<img src=x onerror=1>", "<!-- -->@octocat", "&#64;octocat", "&commat;octocat", "\\@octocat",
    "**b**", "_i_", "~~s~~", "`c`", "``c```d`", "`", "\\`", "\\|", "|", "a|b", "```", "---",
]  # fmt: skip
PARSER = MarkdownIt("commonmark").enable("table")
FOREIGN = st.text(max_size=40) | st.lists(st.sampled_from(DEAD), max_size=4).map(" ".join)


def parsed(markdown):
    """Return the text, the code and the tags of a Markdown text as a parser of others reads it."""
    inlines = [token.children for token in PARSER.parse(markdown) if token.type == "inline"]
    parts = [part for children in inlines for part in children]
    blocks = {token.type for token in PARSER.parse(markdown)}
    return parts, [part.content for part in parts if part.type == "text"], blocks


def words(text):
    """Return a text without the marks and the amount of its spaces."""
    return " ".join(text.split())


@pytest.mark.parametrize("make", [summary, comment])
@given(text=FOREIGN, more=FOREIGN)
def test_foreign_text_stays_in_its_cell_and_is_nothing_but_text(make, text, more):
    """No row is torn, nothing is marked up, linked, replaced, and nobody is called by name."""
    waiver = WAIVER.model_copy(update={"owner": more, "reason": text})
    one = verdict(name=text + HOSTILE, reason=f"{more} {text}", against=text, waiver=waiver)
    made = judgement(one, notes=[text, more])
    made = replace(made, record=more, policy=text)
    parts, texts, blocks = parsed(make(made))
    assert not any(LIVE.search(part) for part in texts)
    # What else there is of ours: bold verdicts and a heading.
    assert {part.type for part in parts} <= {"text", "code_inline", "strong_open", "strong_close"}
    assert not blocks & {"fence", "code_block", "hr", "blockquote_open", "bullet_list_open"}
    row = verdicts.row(one)
    why = " ".join(part for part in (row.reason, *row.more) if part)
    cells_ = (row.status, row.label, row.estimate, row.bounds, row.margin, why)
    [tokens] = [
        [t.children for t in PARSER.parse(make(made))[i:j] if t.type == "inline"]
        for i, j in [table_body(PARSER.parse(make(made)))]
    ]
    read = ["".join(part.content for part in children) for children in tokens]
    assert [words(cell) for cell in read] == [words(cell) for cell in cells_]


def table_body(tokens):
    """Return where the body of the only table begins and ends."""
    kinds = [token.type for token in tokens]
    return kinds.index("tbody_open"), kinds.index("tbody_close")


@pytest.mark.parametrize("text", DEAD)
def test_nothing_that_github_acts_upon_is_left_in_text(text):
    """Each of them alone, in brackets, before a stop, and torn by our own words."""
    for foreign in (text, f"({text})", f"{text}.", f"'{text}':", f"{text}, {text}"):
        note = judgement(verdict(), notes=[f"see {foreign} there"])
        _, texts, _ = parsed(summary(note))
        assert not any(LIVE.search(part) for part in texts)


def test_plain_words_are_no_code():
    """Sentences stay sentences, in any script with accents; only what is no word is set apart."""
    plain = "Worse, credibly by “more” than l’été: +0.31 (95 %) – of 1,234 frames’ in 2030; Ünïted."
    note = summary(judgement(verdict(), notes=[plain, "see gates.toml, and a/b."]))
    assert f"Note: {plain}" in note
    assert "Note: see `gates.toml`, and `a/b`." in note
