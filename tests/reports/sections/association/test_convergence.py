"""The page and the terminal say how alike attributes lean in other sets, or why it is unknown."""

import re

import pytest

from maskaudit.reports.terminal import robustness
from tests.reports import records

pytestmark = pytest.mark.slow


def two_sets(n):
    """Return a record of two sets that share so many attributes of each class."""
    whole = records.jobs()
    words = {name: [f"{name[0]}worker{place}" for place in range(n)] for name in whole["classes"]}
    sets = []
    for title in ("jobs", "more-jobs"):
        classes = {
            name: {**own, "attributes": [*words[name], f"{title[0]}{name[0]}else"]}
            for name, own in whole["classes"].items()
        }
        sets.append({**whole, "set": {**whole["set"], "name": title}, "classes": classes})
    return records.record(sets, noise=0.3)


def answers(record):
    """Return what is printed for each model beside the question on the other set."""
    lines = robustness.as_text(record).splitlines()
    [line] = [line for line in lines if "lean as in the set “more-jobs”" in line]
    return line


def test_two_sets_that_share_many_attributes_have_a_number_with_an_interval():
    """Their models lean by class alone, so that they lean alike in both sets but for noise."""
    record = two_sets(12)
    assert re.search(r"noise taken out\) +\+?\d\.\d+ \(", answers(record))
    told = [
        row
        for row in robustness.as_json(record)["questions"]
        if row["estimator"] == "convergence_sets"
    ]
    assert [row["slice"] for row in told] == ["set=more-jobs", "set=jobs"]
    one, other = (row["subjects"]["candidate"] for row in told)
    assert one["estimate"] == pytest.approx(other["estimate"])
    assert (one["n_attributes"], one["flag"]) == (24, "")
    assert one["low"] < one["estimate"] < one["high"]


def test_too_few_shared_attributes_are_said_in_words():
    """With their number, and that an interval takes more."""
    line = answers(two_sets(5))
    assert "no interval: 10 attributes are in both, and an interval takes 20" in line
    assert "not computed: 2 attributes are in both" in answers(two_sets(1))


def test_a_page_says_it_in_the_part_on_robustness():
    """As a row of the same table."""
    made = records.page(two_sets(12))
    assert "lean as in the set “more-jobs”" in str(made)
