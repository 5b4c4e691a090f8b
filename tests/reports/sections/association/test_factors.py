"""Main effects and interactions on the page of a record."""

import pytest

from maskaudit.reports.blocks import Table
from tests.reports import records
from tests.reports.test_lint import faults
from tests.reports.test_page import parts, said


@pytest.mark.slow
def test_a_page_has_the_effects_of_crossed_groups_in_a_part_of_their_own() -> None:
    """One row each, named by levels, and none among the further measures."""
    whole = records.jobs()
    first, second = whole["groups"]
    groups = {
        f"{age}_{name}": {
            "terms": [f"{age} {term['text']}" for term in whole["groups"][name]["terms"]],
            "factors": {"age_group": age, "gender": name},
        }
        for age in ("old", "new")
        for name in (first, second)
    }
    classes = {
        name: {key: value for key, value in own.items() if key != "group"}
        for name, own in whole["classes"].items()
    }
    found = records.record([{**whole, "groups": groups, "classes": classes}])
    made = records.page(found)
    [table] = [table for table in parts(made, Table) if table.name.startswith("factors-")]
    titles = [row[0] for row in table.groups[0].rows]
    assert titles == [
        "age group: old and new",
        f"gender: {first} and {second}",
        f"age group by gender: old less new, by {first} less {second}",
    ]
    assert [fault for fault in faults(made) if table.name in fault] == []
    assert "The groups cross age group and gender." in said(made)
    others = [t for t in parts(made, Table) if t.name.startswith("further-")]
    firsts = [str(row[0]) for t in others for own in t.groups for row in own.rows]
    assert firsts
    assert not any("main_effect" in first or "interaction" in first for first in firsts)
    row = records.estimate_of(
        found, "jobs", "candidate", "main_effect gender", f"{first}/{second}: contrast"
    )
    assert row["n_frames"] > 0
