"""Tables for a terminal: they fit its width, and nothing in them is lost or broken."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rich.cells import cell_len

from maskaudit.reports.terminal import layout
from maskaudit.reports.terminal.layout import Cell, Span, Table
from maskaudit.reports.words import wording

NUMBER = "−0.31 (−0.52 to −0.10)"
TITLES = ("set, nats", "difference (95 % interval)", "shown")


def table(*heads, number=NUMBER):
    """Return a table with a row for each head."""
    rows = tuple(
        (Cell(head), Cell(number), Cell("not shown: at most 0.17 nats apart", "not shown"))
        for head in heads
    )
    return Table(TITLES, rows, frozenset({1}))


def printed(tables, width):
    """Return the lines of tables as plain text."""
    return [layout.text_of([line]) for laid in layout.lines(tables, width) for line in laid]


@pytest.mark.parametrize("width", [1, 39, 40, 52, 80, 81, 120, 200, layout.UNLIMITED])
@pytest.mark.parametrize(
    "head",
    [
        "Jobs",
        "Pronoun by occupation, " * 8,
        "x" * 300,
        "职业与代词" * 20,
        "e\u0301" * 90,
        "",
        "\x1b[31m\nb",
    ],
)
def test_no_line_is_wider_than_the_terminal_and_numbers_stay_whole(width, head):
    """Whatever the title of a set is; a terminal narrower than 40 columns counts as 40."""
    lines = printed([table("Jobs", head)], width)
    assert max(map(cell_len, lines)) <= max(width, layout.NARROWEST)
    text = "\n".join(lines)
    assert text.count("−0.31") == text.count("(−0.52 to −0.10)") == 2
    assert text.replace("\n", "").isprintable()
    for title in TITLES:
        assert title in text


def test_the_forms_follow_one_another_as_the_terminal_narrows():
    """Whole, shortened, the head above, a line a cell; heights computed by hand."""
    long = "Pronoun by occupation in five styles"
    tables = [table(long, "Jobs")]
    whole = 36 + 2 + 26 + 2 + 34
    assert len(printed(tables, whole)) == 3
    assert "at most 0.17" in printed(tables, whole)[1]
    short = 36 + 2 + 26 + 2 + 9
    assert len(printed(tables, whole - 1)) == len(printed(tables, short)) == 3
    assert "at most 0.17" not in "".join(printed(tables, short))
    # Two lines of titles, then two lines a row.
    folded = 2 + 26 + 2 + 9
    assert len(printed(tables, short - 1)) == len(printed(tables, max(folded, 40))) == 6


def test_in_the_narrowest_form_a_wide_number_is_parted_from_its_interval_alone():
    """A title of its column, the number, its interval."""
    wide = "−1,234,567.25 (−2,345,678.50 to −1,000,000.25)"
    lines = printed([table("Jobs", number=wide)], 40)
    assert lines[:5] == [
        "set, nats", "Jobs", "  difference (95 % interval)", "    −1,234,567.25",
        "    (−2,345,678.50 to −1,000,000.25)",
    ]  # fmt: skip


def test_tables_that_are_printed_together_have_one_form():
    """One that would fit alone is folded with the other."""
    assert len(printed([table("a")], 80)) == 2
    assert len(printed([table("a"), table("b" * 70)], 80)) == 2 * 4


@given(st.text(st.characters(exclude_categories=["C"]), max_size=120), st.integers(40, 90))
def test_wrapped_text_keeps_its_words_in_order(text, width):
    """Without spaces and isolates, the lines together are the text again."""
    assume(text.strip() and wording.visible(text, None).strip("\u2068\u2069") == text)
    kept = "".join(layout.text_of([line]) for line in layout.wrapped(text, width))
    spaces = {ord(c): None for c in " \u00a0\u2068\u2069"}
    assert kept.translate(spaces) == text.translate(spaces)


def test_a_number_is_not_parted_from_its_unit():
    """The line ends before both."""
    lines = list(layout.wrapped("x" * 36 + " 95 % interval", 40))
    assert lines == [(Span("x" * 36),), (Span("95 % interval"),)]
