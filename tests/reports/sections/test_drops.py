"""The table of what kinds of sentences cost, on the page of a record."""

import pytest

from maskaudit.reports.blocks import Table
from tests.reports import records
from tests.reports.test_lint import faults
from tests.reports.test_page import parts, said


@pytest.mark.slow
def test_a_page_shows_what_each_kind_costs_and_against_which() -> None:
    """Each model fills as many facts right in both kinds, but not the same ones."""
    whole = records.facts("limitations")
    plain = [{**fact, "of": fact["id"], "relation": "as-written"} for fact in whole["facts"]]
    other = [
        {**fact, "id": f"fact-{(i + 1) % 10}-x", "of": fact["id"], "relation": "all_capitals",
         "text": fact["text"].upper().replace("SAYS", "TELLS"), "negated": None}
        for i, fact in enumerate(whole["facts"])
    ]  # fmt: skip
    other = [{key: value for key, value in fact.items() if value} for fact in other]
    header = {**whole["set"], "plain": "as-written"}
    found = records.record([{**whole, "set": header, "facts": plain + other}])
    assert found.manifest.probe_sets["facts"].plain == ["as-written"]
    made = records.page(found)
    [table] = [table for table in parts(made, Table) if table.name.startswith("accuracy_drop@1")]
    assert "in the plain kind (“as written”)" in table.caption
    [line] = table.groups[0].rows
    assert line[:2] == ("all capitals", "10")
    row = records.estimate_of(
        found, "facts", "reference", "accuracy_drop@1", "relation=all_capitals"
    )
    # One fact is lost in the plain kind, and another in capitals: -1, +1 and eight zeros.
    assert (row["estimate"], row["p"]) == (0, 1)
    assert row["std_error"] == pytest.approx((2 / 9 / 10) ** 0.5)
    assert [fault for fault in faults(made) if table.name in fault] == []
    assert "How much smaller the share of facts filled right is" in said(made)
