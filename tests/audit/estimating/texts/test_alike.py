"""Two models that find the same words: copies of one another, or not."""

import math
from pathlib import Path

import pytest

from tests.audit.estimating.texts import drawn


@pytest.mark.parametrize("alike", ["ranks", "copy"])
def test_a_difference_of_nothing_is_certain_of_a_copy_alone(tmp_path: Path, alike: str) -> None:
    """Other models may well differ in other text, though they find the same words in this one."""
    table = drawn.estimated(tmp_path, alike=alike)
    rows = table.set_index(["estimator", "slice", "subject"])
    found = rows.loc["exact@5", "all", "difference"]
    assert found["estimate"] == 0
    if alike == "copy":
        assert (found["low"], found["high"], found["flag"]) == (0, 0, "")
    else:
        assert math.isnan(found["low"])
        assert found["flag"] == "nothing_varied"


def test_models_that_find_other_words_differ_with_an_interval(tmp_path: Path) -> None:
    """And each of them has Wilson's limits, which stay inside 0 and 1."""
    rows = drawn.estimated(tmp_path).set_index(["estimator", "slice", "subject"])
    assert rows.loc["exact@5", "all", "difference"]["low"] < 0
    for subject in ("reference", "candidate"):
        found = rows.loc["exact@1", "all", subject]
        assert 0 < found["low"] < found["estimate"] < found["high"] < 1
