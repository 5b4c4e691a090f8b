"""Gates keep what they promise, through the code that judges a record."""

import numpy as np
import pytest

from maskaudit.audit.estimating.statistics.crossed.means import contrast_interval
from maskaudit.audit.judging.one_verdict import settled
from maskaudit.audit.proving.validity.verdicts import gates

pytestmark = pytest.mark.slow

REPETITIONS, SEED = 500, 1


@pytest.fixture(scope="module")
def tables():
    """One gate, other rules, ten gates."""
    return gates.tables(REPETITIONS, SEED)


@pytest.mark.parametrize("ratio", [4, 3, 1.5])
@pytest.mark.parametrize("design", ["60 × 20", "24 × 10"])
def test_false_alarms_and_wrong_passes_are_few_whatever_the_margin(tables, design, ratio):
    """At most 6 of 100 each."""
    place = f"{design}, margin {ratio:g} SE, change"
    assert tables[0][f"{place} 0 margins: fail"].measured.value <= 0.06
    assert tables[0][f"{place} 1 margins: pass"].measured.value <= 0.06


@pytest.mark.parametrize("ratio", [4, 3])
@pytest.mark.parametrize("design", ["60 × 20", "24 × 10"])
def test_twice_the_margin_is_found_where_the_margin_is_well_chosen(tables, design, ratio):
    """In 99 of 100, and an unchanged model passes in most."""
    place = f"{design}, margin {ratio:g} SE, change"
    assert tables[0][f"{place} 2 margins: fail"].measured.value >= 0.99
    assert tables[0][f"{place} 0 margins: pass"].measured.value >= 0.85


@pytest.mark.parametrize("design", ["60 × 20", "24 × 10"])
def test_too_small_a_margin_is_seen_in_what_is_inconclusive(tables, design):
    """In 45 of 100 and more."""
    row = tables[0][f"{design}, margin 1.5 SE, change 0 margins: inconclusive"]
    assert row.measured.value >= 0.45


def test_every_bar_holds(tables):
    """Of the other rules and of many gates too."""
    failed = [row.what for table in tables for row in table.rows if row.fails]
    assert not failed


def test_the_standard_error_of_a_design_is_that_of_its_contrasts():
    """By their spread."""
    for design in gates.DESIGNS:
        drawn = gates._draw(design, 2000, 3)
        spread = np.std([one.estimate for one in drawn.intervals])
        assert drawn.std_error == pytest.approx(spread, rel=0.05)


def test_a_change_that_is_added_to_a_contrast_is_one_of_its_cells():
    """The interval of a first class that is moved as a whole is as wide and moved as far."""
    design = gates.DESIGNS[1]
    first, second = design.classes(np.random.default_rng(4), 12)
    plain, moved = contrast_interval(first, second), contrast_interval(first + 0.3, second)
    assert moved.estimate == pytest.approx(plain.estimate + 0.3, rel=1e-12)
    assert (moved.std_error, moved.df) == pytest.approx((plain.std_error, plain.df), rel=1e-9)


def test_one_failure_among_many_is_held_to_holms_level():
    """A gate that fails alone does not fail beside nine that show nothing."""
    drawn = gates._draw(gates.DESIGNS[0], 200, 5)
    margin = 0.01
    weak = [one for one in drawn.intervals if 0.01 < one.p < 0.09 and one.estimate > 0][:1]
    others = [one for one in drawn.intervals if one.estimate < 0][:9]
    assert list(gates.verdicts(weak, 0.0, margin)) == ["fail"]
    assert gates.verdicts(weak + others, 0.0, margin, 10)[0] == "inconclusive"
    assert list(settled([])) == []
