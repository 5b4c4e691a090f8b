"""The marks of an addendum in a card: what is around them stays, and what is no pair is refused."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from maskaudit.audit.errors import InputError
from maskaudit.reports.card.marks import BEGIN, END, marked, place, placed

TITLE = "Bias, Risks, and Limitations"
BODY = "## A heading\n\nA sentence with `-->` and `<!--` in it.\n"
BLOCK = marked(BODY)
TEMPLATE = """# Model

Some words.

## Bias, risks and limitations

<!-- This section
## Not a heading
is meant to convey. -->

Known ones.

### Recommendations

Take care.

## How to start

```python
# No heading either
```
"""


def put(text, newline="\n"):
    """Return the text with the addendum in its place."""
    return placed(text, place(text, TITLE, "card"), BLOCK, newline)


# Lines of a card, among them what looks like a mark, a heading, code or a comment and is none.
LINE = st.sampled_from([
    "", "words", "# Head", "## Bias, Risks, and Limitations", "## Next", "    " + BEGIN,
    f"> {BEGIN}", f"see {END}", "`<!--`", "- item", "| a | b |", "--- ", "\u2028x\x0cy", "\x85",
    "```\ncode\n```", "~~~\n# x\n~~~", "<!-- one line -->", "<!-- two\nlines -->",
    "#no", "####### 7",
])  # fmt: skip


@given(
    lines=st.lists(LINE, max_size=8),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    ends=st.booleans(),
)
def test_all_around_the_addendum_stays_and_a_second_time_changes_nothing(lines, newline, ends):
    """Whatever the ends of lines are; only ends of lines are added around a new one."""
    text = "\n".join([*lines, *[""] * ends]).replace("\n", newline)
    once = put(text, newline)
    before, after = once.split(BLOCK.replace("\n", newline))
    assert (before + after).replace(newline, "") == text.replace(newline, "")
    assert text.startswith(before.rstrip("\r\n"))
    assert text.endswith(after.lstrip("\r\n"))
    assert put(once, newline) == once
    if newline != "\n":
        assert "\n" not in once.replace(newline, "").replace("\u2028", "")


@given(text=st.text(alphabet="#`~<!->\n\r \tab", max_size=60))
@example(text="\r\r\t")
@example(text="\n\n ")
def test_an_addendum_that_is_put_somewhere_is_found_again(text):
    """In any text of signs that open something; or the text is refused before it is changed."""
    try:
        once = put(text)
    except InputError:
        return
    assert put(once) == once
    assert len(re.findall(rf"(?:\A|(?<=[\r\n])){BEGIN}", once)) == 1


def test_a_new_addendum_goes_to_the_end_of_the_cards_own_section():
    """Below its recommendations, with headings that are one level deeper, before the next one."""
    where = place(TEMPLATE, TITLE, "card")
    assert (where.is_new, where.inside) == (True, 2)
    once = put(TEMPLATE)
    assert once.index("Take care.") < once.index(BEGIN) < once.index("## How to start")
    again = place(once, TITLE, "card")
    assert (again.is_new, again.inside) == (False, 2)


def test_an_addendum_that_was_moved_stays_where_it_is():
    """Out of the section it has a heading of its own."""
    moved = TEMPLATE.replace("Some words.\n", f"Some words.\n\n{BLOCK}\n")
    where = place(moved, TITLE, "card")
    assert (where.is_new, where.inside) == (False, 0)
    assert placed(moved, where, BLOCK, "\n") == moved


@pytest.mark.parametrize("text", ["", "words", "words\n", "words\n\n", "words\n\n\n"])
def test_a_parser_of_markdown_sees_the_addendum_by_itself(text):
    """An empty line is above it, so that it is no part of a paragraph, and none is missing."""
    once = put(text)
    blocks = [token for token in MarkdownIt().parse(once) if token.level == 0]
    comments = [token.content.strip() for token in blocks if token.type == "html_block"]
    assert (comments[0].splitlines()[0], comments[-1]) == (BEGIN, END)
    assert once.endswith(f"{END}\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"a\n{BEGIN}\nb\n", f"line 2: the addendum has no end; put {END}"),
        (f"a\n\n{END}\nb\n", "line 3: the addendum ends and has not begun"),
        (f"{END}\n{BEGIN}\n", "line 1: the addendum ends and has not begun"),
        (f"{BEGIN}\n{BEGIN}\n{END}\n", "line 2: the addendum begins again, and that of line 1"),
        (f"{BEGIN}\n{BEGIN}\n{END}\n{END}\n", "line 2: the addendum begins again"),
        (f"{BEGIN}\n{END}\n{END}\n", "line 3: the addendum ends and has not begun"),
        (f"{BLOCK}\n\n{BLOCK}\n", "has two addenda, at lines 1 and 10"),
        (f"```\n{BEGIN}\n{END}\n```\n", "line 2: a mark of the addendum stands in a block of code"),
        (f"<!--\n{BEGIN}\n{END}\n", "line 2: a mark of the addendum stands in a comment"),
        ("```python\nx\n", "ends in a block of code that is not closed"),
        ("<!-- to do\n", "ends in a comment that is not closed"),
    ],
)
def test_marks_that_are_no_pair_are_refused_with_their_line(text, told):
    """One line each: where, and what to do."""
    for newline in ("\n", "\r\n"):
        with pytest.raises(InputError) as refused:
            place(text.replace("\n", newline), TITLE, "README.md")
        assert str(refused.value).startswith("README.md: ")
        assert told in str(refused.value)
        assert len(str(refused.value).splitlines()) == 1


def test_lines_are_counted_from_the_top_of_the_file():
    """Those of the metadata too."""
    text = "---\na: b\n---\n\n" + BEGIN
    with pytest.raises(InputError, match="line 5: the addendum has no end"):
        place(text, TITLE, "card", start=text.index("\n\n") + 1)
