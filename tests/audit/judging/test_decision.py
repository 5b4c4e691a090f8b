"""Verdicts on one number: against other libraries, published multipliers and a simulated table."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from maskaudit.audit.judging import decision
from maskaudit.audit.judging.decision import FAIL, INCONCLUSIVE, PASS, change, level

NUMBERS = st.floats(-5, 5)
ERRORS = st.floats(0.01, 3)
DEGREES = st.floats(1.5, 200)
MARGINS = st.floats(0.01, 3)


def sample(mean, n=12, seed=1):
    """Numbers whose mean is tested, and its standard error."""
    drawn = np.random.default_rng(seed).normal(mean, 1.0, n)
    return drawn, drawn.mean(), drawn.std(ddof=1) / np.sqrt(n)


@pytest.mark.parametrize("mean", [-1.0, -0.2, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("seed", range(5))
def test_a_change_is_tested_as_scipy_and_statsmodels_do(mean, seed):
    """One-sided against 0; and below the margin where the one-sided test against it rejects."""
    drawn, estimate, std_error = sample(mean, seed=seed)
    found = change(estimate, std_error, 11, 0.5, "up")
    p = stats.ttest_1samp(drawn, 0, alternative="greater").pvalue
    below = stats.ttest_1samp(drawn, 0.5, alternative="less").pvalue
    assert found.p == pytest.approx(p, rel=1e-9)
    assert found.word == (PASS if below < 0.05 else FAIL if p < 0.05 else INCONCLUSIVE)


@pytest.mark.parametrize("mean", [-0.9, -0.2, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("seed", range(5))
def test_either_way_is_two_one_sided_tests_and_a_two_sided_one(mean, seed):
    """TOST of statsmodels for a pass, the ordinary t test for a failure."""
    drawn, estimate, std_error = sample(mean, n=30, seed=seed)
    found = change(estimate, std_error, 29, 0.5, "either")
    equivalent = DescrStatsW(drawn).ttost_mean(-0.5, 0.5)[0]
    p = stats.ttest_1samp(drawn, 0).pvalue
    assert found.p == pytest.approx(p, rel=1e-9)
    assert found.word == (PASS if equivalent < 0.05 else FAIL if p < 0.05 else INCONCLUSIVE)


@pytest.mark.parametrize("mean", [0.0, 0.4, 0.6, 1.0, 1.6])
@pytest.mark.parametrize("seed", range(5))
def test_a_level_is_tested_against_its_bound_from_both_sides(mean, seed):
    """Inside where it is credibly less, outside where it is credibly more."""
    drawn, estimate, std_error = sample(mean, seed=seed)
    found = level(estimate, std_error, 11, 0.7, "up")
    more = stats.ttest_1samp(drawn, 0.7, alternative="greater").pvalue
    less = stats.ttest_1samp(drawn, 0.7, alternative="less").pvalue
    assert found.p == pytest.approx(more, rel=1e-9)
    assert found.word == (PASS if less < 0.05 else FAIL if more < 0.05 else INCONCLUSIVE)


@pytest.mark.parametrize(
    ("estimate", "std_error", "margin", "harm", "expected"),
    [
        (0.0, 0.0, 0.1, "up", PASS),  # a model against itself
        (0.0, 0.0, 0.1, "either", PASS),
        (0.05, 0.0, 0.1, "up", PASS),
        (0.1, 0.0, 0.1, "up", FAIL),  # exactly the margin is not below it
        (-0.1, 0.0, 0.1, "up", PASS),
        (-0.1, 0.0, 0.1, "down", FAIL),
        (-0.1, 0.0, 0.1, "either", FAIL),
        (0.2, 1.0, 0.1, "up", INCONCLUSIVE),
        (3.0, 1.0, 0.1, "up", FAIL),
        (-3.0, 1.0, 0.1, "up", PASS),
        (-3.0, 1.0, 0.1, "either", FAIL),
        (1.0, 0.1, 9.0, "up", PASS),  # harm that is real and below the margin
    ],
)
def test_the_edges_of_a_change(estimate, std_error, margin, harm, expected):
    """By hand, with so many degrees of freedom that bounds are 1.65 errors away."""
    assert change(estimate, std_error, 1000, margin, harm).word == expected


@pytest.mark.parametrize(
    ("estimate", "std_error", "bound", "harm", "expected"),
    [
        (0.5, 0.0, 0.5, "up", INCONCLUSIVE),  # exactly at the bound: neither inside nor outside
        (0.5, 0.0, 0.5, "down", INCONCLUSIVE),
        (0.4, 0.0, 0.5, "up", PASS),
        (0.4, 0.0, 0.5, "down", FAIL),
        (-0.6, 0.0, 0.5, "either", FAIL),
        (-0.6, 0.0, 0.5, "up", PASS),
        (0.9, 0.01, 0.8, "down", PASS),  # an accuracy that must not fall below .8
        (0.5, 0.1, 0.5, "up", INCONCLUSIVE),
        (0.9, 0.1, 0.5, "either", FAIL),
        (0.0, 0.1, 0.5, "either", PASS),
        (-0.4, 0.1, -0.5, "up", INCONCLUSIVE),
        (-0.9, 0.1, -0.5, "up", PASS),
    ],
)
def test_the_edges_of_a_level(estimate, std_error, bound, harm, expected):
    """By hand, as for a change."""
    assert level(estimate, std_error, 1000, bound, harm).word == expected


@given(NUMBERS, ERRORS, DEGREES, MARGINS)
def test_down_is_up_of_the_negative(estimate, std_error, df, margin):
    """And either way does not see the sign."""
    up, down = (
        change(estimate, std_error, df, margin, "up"),
        change(-estimate, std_error, df, margin, "down"),
    )
    assert (up.word, up.p, up.low, up.high) == (down.word, down.p, -down.high, -down.low)
    either = [change(sign * estimate, std_error, df, margin, "either").word for sign in (1, -1)]
    assert either[0] == either[1]
    levels = level(estimate, std_error, df, margin, "up").word
    assert levels == level(-estimate, std_error, df, -margin, "down").word


@given(NUMBERS, ERRORS, DEGREES, MARGINS, st.sampled_from(["up", "down", "either"]))
def test_a_larger_margin_never_fails_what_passed(estimate, std_error, df, margin, harm):
    """A pass stays a pass; a failure becomes nothing worse."""
    small = change(estimate, std_error, df, margin, harm).word
    large = change(estimate, std_error, df, 2 * margin, harm).word
    assert not (small == PASS and large != PASS)
    assert not (small == INCONCLUSIVE and large == FAIL)


@given(NUMBERS, ERRORS, DEGREES, MARGINS)
def test_a_failure_is_harm_whose_lower_bound_is_above_zero(estimate, std_error, df, margin):
    """The rule as it is written with bounds: UCB >= margin and LCB > 0."""
    found = change(estimate, std_error, df, margin, "up")
    assume(abs(found.low) > 1e-9)
    assert (found.word == FAIL) == (found.high >= margin and found.low > 0)


def test_a_failure_that_does_not_hold_after_adjustment_is_undecided():
    """And nothing else is touched."""
    failed, passed = change(2.0, 1.0, 50, 0.1, "up"), change(0.0, 0.01, 50, 0.1, "up")
    assert failed.settled(0.049).word == FAIL
    assert failed.settled(0.05).word == INCONCLUSIVE
    assert failed.settled(math.nan).word == INCONCLUSIVE
    assert passed.settled(0.9) == passed


@pytest.mark.parametrize(
    ("df", "multiplier"), [(9, 2.717), (19, 2.590), (39, 2.536), (np.inf, 2.486)]
)
def test_what_can_be_detected_follows_the_published_multipliers(df, multiplier):
    """One-sided .05, power .8."""
    assert decision.detectable(1.0, df) == pytest.approx(multiplier, abs=1e-3)


def test_what_can_be_detected_is_found_with_power_80():
    """By the noncentral t distribution, to its usual approximation."""
    effect = decision.detectable(1.0, 19)
    power = stats.nct.sf(stats.t.ppf(0.95, 19), 19, effect)
    assert power == pytest.approx(0.8, abs=0.01)


@given(st.floats(0.05, 1.0), st.floats(0.1, 0.95), st.integers(6, 60), st.floats(0.1, 2.0))
def test_frames_needed_are_the_fewest_that_suffice(std_error, part, n_frames, room):
    """With one frame less the change could not be detected."""
    v_frames = part * std_error**2
    needed = decision.frames_needed(std_error, v_frames, n_frames, 30, room)
    fixed = std_error**2 - v_frames

    def found(n):
        return decision.detectable(np.sqrt(fixed + v_frames * n_frames / n), 30)

    if needed is None:
        enough = found(n_frames) <= room * (1 + 1e-6)
        assert enough or found(1e9) >= room * (1 - 1e-6)
    else:
        assert found(needed) <= room * (1 + 1e-6)
        assert found(needed - 1) > room * (1 - 1e-6)


@pytest.mark.parametrize(("df", "multiplier"), [(9, 3.146), (19, 2.954), (39, 2.874)])
def test_either_way_follows_the_two_sided_multipliers(df, multiplier):
    """And an unchanged model has to pass on both sides: TOST's multiplier at true 0."""
    assert decision.detectable(1.0, df, "either") == pytest.approx(multiplier, abs=1e-3)
    tost = {9: 3.216, 19: 3.057, 39: 2.989}[df]
    enough = decision.frames_needed(1.0, 1.0, 100, df, tost / 2, "either")
    assert enough == pytest.approx(400, abs=1)


# STATISTICS.md has this table from 40,000 repetitions of another program: PASS and FAIL by margin
# over standard error, degrees of freedom and true change over margin.
PUBLISHED = {
    (4.0, 19): {0.0: (0.987, 0.011), 0.5: (0.609, 0.373), 1.0: (0.049, 0.948), 2.0: (0.0, 1.0)},
    (3.06, 19): {0.0: (0.905, 0.037), 0.5: (0.431, 0.401), 1.0: (0.051, 0.894), 2.0: (0.0, 1.0)},
    (1.5, 9): {0.0: (0.399, 0.049), 0.5: (0.172, 0.170), 1.0: (0.048, 0.400), 2.0: (0.001, 0.870)},
}


@pytest.mark.parametrize(("ratio", "df"), PUBLISHED)
@pytest.mark.slow
def test_operating_characteristics_are_those_of_another_program(ratio, df):
    """20,000 normal estimates with standard errors of so many degrees of freedom."""
    rng = np.random.default_rng(5)
    estimates = rng.standard_normal(20_000)
    errors = np.sqrt(rng.chisquare(df, 20_000) / df)
    for true, expected in PUBLISHED[ratio, df].items():
        moved = estimates + true * ratio
        words = np.array(
            [change(e, s, df, ratio, "up").word for e, s in zip(moved, errors, strict=True)]
        )
        found = ((words == PASS).mean(), (words == FAIL).mean())
        assert found == pytest.approx(expected, abs=0.009)


# --- The best of several --------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize("harm", ["up", "down", "either"])
def test_against_the_best_of_several_a_failure_takes_a_smaller_p(k, harm):
    """By scipy's t: K times the p, and the bound of a failure at .05/K; that of a pass stays."""
    estimate, error, df = (-0.3, 0.1, 30.0) if harm == "down" else (0.3, 0.1, 30.0)
    found = decision.change(estimate, error, df, 0.2, harm, k)
    sides = 2 if harm == "either" else 1
    assert found.p == pytest.approx(min(1, k * sides * stats.t.sf(3.0, df)), rel=1e-9)
    strict, plain = stats.t.isf(0.05 / k, df) * error, stats.t.isf(0.05, df) * error
    widths = {"up": (strict, plain), "down": (plain, strict), "either": (strict, strict)}[harm]
    assert estimate - found.low == pytest.approx(widths[0], rel=1e-9)
    assert found.high - estimate == pytest.approx(widths[1], rel=1e-9)


@pytest.mark.parametrize("k", [3, 10])
def test_what_is_told_of_the_baseline_lets_nothing_pass(k):
    """It turns failures into what is inconclusive, and nothing else."""
    for estimate in np.linspace(-0.5, 0.5, 41):
        told = decision.change(estimate, 0.1, 30.0, 0.2, "up", k).word
        plain = decision.change(estimate, 0.1, 30.0, 0.2, "up").word
        assert told == plain or (plain, told) == ("fail", "inconclusive")
