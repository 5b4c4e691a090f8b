"""The worlds of the headline are those that are told, and their rows say what others computed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from maskaudit.audit.proving.validity.numbers import quoted
from maskaudit.audit.proving.validity.numbers.quoted import Audit, World
from tests.reports import records
from tests.reports.records import page

REPETITIONS, SEED = 2000, 3


@pytest.fixture(scope="module")
def headlines():
    """Coverage in three of the worlds, and in one where no bar is promised."""
    worlds = (World(1, 1.0), World(4, 0.0), World(8, 2.0))
    return quoted.headlines(REPETITIONS, SEED, worlds, (World(8, 2.0, alike=True),))


@pytest.mark.slow
@pytest.mark.parametrize("world", [World(1, 1.0), World(4, 0.0), World(8, 2.0)])
def test_the_headline_s_interval_holds_the_truth(headlines, world):
    """Within the bar, and two points for chance."""
    row = headlines[str(world)]
    assert 0.93 <= row.measured.value <= 0.99
    assert row.bar == quoted.COVERAGE


@pytest.mark.slow
def test_a_plain_interval_of_the_largest_of_four_nulls_holds_as_often_as_four_of_four(headlines):
    """.95 to the fourth power, since the largest t misses where any of the four does."""
    found = headlines[str(World(4, 0.0))].beside["plain 95 %"].value
    assert found == pytest.approx(0.95**4, abs=0.03)


@pytest.mark.slow
def test_where_all_lean_alike_less_is_promised_and_found(headlines):
    """A row without a bar, since the headline is the luckiest of many that are shown."""
    row = headlines[str(World(8, 2.0, alike=True))]
    assert row.bar is None
    assert row.measured.value < 0.94


@pytest.mark.slow
def test_a_size_is_nearer_to_the_truth_than_the_estimate():
    """At most 1.3 of it in the median where the estimate is about twice as large."""
    table = quoted.sizes(REPETITIONS, SEED, (World(4, 1.0),), ())
    for what in ("all", "shown"):
        row = table[f"{World(4, 1.0)}: {what}"]
        assert 0.75 <= row.measured.value <= 1.4
        assert row.beside["the estimate"].value > 1.7


@pytest.mark.slow
def test_what_could_have_been_found_is_found_four_times_in_five():
    """And what one test alone would find is found less often, the more sets there are."""
    table = quoted.found(REPETITIONS, SEED)
    assert all(0.76 <= row.measured.value <= 0.84 for row in table.rows)
    alone = [row.beside["mde of a single test"].value for row in table.rows[:3]]
    assert alone[0] > alone[1] + 0.1 > alone[2] + 0.15


def test_effects_and_errors_are_drawn_as_the_world_says():
    """Their spread, their correlation, and the degrees of freedom of the standard errors."""
    rng = np.random.default_rng(5)
    drawn = [World(3, 2.0, correlation=0.5).draw(rng) for _ in range(6000)]
    effects = np.array([audit.effects for audit in drawn])
    errors = np.array([audit.estimates for audit in drawn]) - effects
    assert effects.std() == pytest.approx(2, abs=0.05)
    assert errors.std() == pytest.approx(1, abs=0.03)
    assert np.corrcoef(errors.T)[0, 1:] == pytest.approx(0.5, abs=0.04)
    squares = np.array([audit.std_errors for audit in drawn]) ** 2
    # A chi-square over its degrees of freedom has mean 1 and variance 2/df.
    assert (squares.mean(), squares.var()) == pytest.approx((1, 2 / 25), abs=0.01)
    assert (World(3, 2.0, alike=True).draw(rng).effects == 2).all()


def test_p_values_are_student_s_adjusted_as_statsmodels_does():
    """Two-sided, by Benjamini & Hochberg."""
    audit = Audit(np.zeros(3), np.array([3.0, -2.0, 0.4]), np.array([1.0, 0.8, 1.2]), 12)
    p = 2 * stats.t.sf([3.0, 2.5, 1 / 3], 12)
    assert audit.p_adjusted == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert audit.clearest == 0


@pytest.mark.slow
def test_what_is_measured_is_what_a_page_says():
    """The same numbers as a record's: level, limits, likely size and what could be found."""
    found = records.record()
    estimates = found.estimates.copy()
    rows = (estimates["estimator"] == "stereotype_contrast") & (
        estimates["subject"] == "difference"
    )
    tested = estimates.index[rows & estimates["p_adjusted"].notna()]
    audit = Audit(np.zeros(2), np.array([0.3, 0.1]), np.array([0.1, 0.2]), 25)
    values = pd.DataFrame(
        {
            "estimate": audit.estimates, "std_error": audit.std_errors, "df": 25.0,
            "low": audit.estimates - 0.2, "high": audit.estimates + 0.2, "p": 0.01,
            "p_adjusted": audit.p_adjusted,
        },
        index=tested,
    )  # fmt: skip
    estimates.loc[tested, values.columns] = values
    evidence = page(replace(found, estimates=estimates)).headline.evidence
    quote, is_shown, _, _ = audit.headline()
    assert is_shown
    assert f"likely nearer {quote.likely:.2f} ({100 * quote.level:g} % interval" in evidence
    assert f"interval {quote.low:.2f} to {quote.high:.2f}, because" in evidence


def test_the_error_of_a_median_is_that_of_many_medians():
    """Of 400 exponential numbers, against the spread of medians over draws."""
    rng = np.random.default_rng(2)
    found = [quoted.median(rng.exponential(size=400)) for _ in range(600)]
    medians = [one.value for one in found]
    assert np.mean(medians) == pytest.approx(np.log(2), abs=0.01)
    assert np.mean([one.error for one in found]) == pytest.approx(np.std(medians), rel=0.1)
