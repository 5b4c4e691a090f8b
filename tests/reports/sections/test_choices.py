"""Choices among given words, on the page of a record."""

import pytest

from maskaudit.reports.blocks import Table
from tests.reports import records
from tests.reports.test_lint import faults
from tests.reports.test_page import parts, said


@pytest.mark.slow
def test_a_page_sets_choices_beside_what_a_choice_by_lot_has_right() -> None:
    """Of two words, and of one right one among three; facts that have none do not count."""
    whole = records.facts("limitations")
    words = [["yes", "no"]] * 4 + [["yes", "no", "perhaps"]] * 4 + [[]] * 2
    entries = [
        {**fact, **({"choices": own} if own else {})}
        for fact, own in zip(whole["facts"], words, strict=True)
    ]
    made = records.page(records.record([{**whole, "facts": entries}]))
    [table] = [table for table in parts(made, Table) if table.name.startswith("choice_accuracy-")]
    assert [column.title for column in table.columns][:3] == ["Kind", "Sentences", "By lot"]
    # The mean of four halves and four thirds.
    assert table.groups[0].rows[0][:3] == ("All", "8", "42 %")
    assert "finds a right one likeliest in" in said(made)
    assert "by lot it would be 42 %" in said(made)
    assert [fault for fault in faults(made) if table.name in fault] == []
