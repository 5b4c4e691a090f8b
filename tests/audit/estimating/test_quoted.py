"""What is quoted of a chosen contrast: against integrals, scipy's t, Bayes by draws, and trials."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from maskaudit.audit.estimating import quoted
from maskaudit.audit.estimating.statistics.interval import student
from maskaudit.audit.recording.rows import tables
from maskaudit.reports.effects import Effects
from maskaudit.reports.words import quotes

MANY = st.integers(1, 12).flatmap(
    lambda m: st.lists(st.floats(-8, 8), min_size=m, max_size=m).map(np.array)
)


def family(t, df=25.0, *, adjust="bh", std_error=1.0):
    """Return the family of contrasts with these t, adjusted as statsmodels does."""
    t = np.asarray(t, dtype=float)
    p = 2 * stats.t.sf(np.abs(t), df)
    costs = sum(1 / k for k in range(1, len(t) + 1)) if adjust == "by" else 1.0
    # The least over all thresholds at which a p would be rejected.
    adjusted = [
        min(1.0, *(q * len(p) * costs / (p <= q).sum() for q in p if q >= own)) for own in p
    ]
    sizes = np.full(len(t), std_error)
    dfs = np.full(len(t), df)
    return quoted.family(t * sizes, sizes, dfs, np.array(adjusted), adjust=adjust), adjusted


def by_integration(t, df):
    """Return the share that is no noise as a mean over all shares of noise, by quadrature."""
    total = (np.asarray(t) ** 2 * (1 - 2 / df)).sum()

    def weighed(power):
        def density(share):
            return share ** (len(t) / 2 + power) * math.exp(-share * total / 2)

        return integrate.quad(density, 0, 1, points=[min(1.0, len(t) / max(total, 1e-9))])[0]

    return 1 - weighed(1) / weighed(0)


@pytest.mark.parametrize("df", [5, 25, 1e6])
@pytest.mark.parametrize(
    "t", [[2.9, 0.4, -1.2, 0.1], [0.3, 0.2], [6.0], [1.0] * 20, [1e-5, 0.0, 0.0, 0.0]]
)
def test_the_share_kept_is_the_mean_over_all_shares_of_noise(t, df):
    """Each share weighed by how likely it makes these t, by numerical integration."""
    found = quoted.kept(np.array(t), np.full(len(t), float(df)))
    assert found == pytest.approx(by_integration(t, df), abs=1e-6)


def test_what_is_likely_is_right_on_average_whichever_number_was_chosen():
    """Draws of the share of noise, of effects and of estimates: chosen sizes have no bias left."""
    rng = np.random.default_rng(11)
    off, off_plain = [], []
    for _ in range(20_000):
        spread = math.sqrt(1 / rng.uniform(0.001, 1) - 1)
        effects = spread * rng.standard_normal(4)
        z = effects + rng.standard_normal(4)
        largest = np.abs(z).argmax()
        sign = np.sign(z[largest])
        share = quoted.kept(z, np.full(4, math.inf))
        off.append(sign * (share * z[largest] - effects[largest]))
        off_plain.append(sign * (z[largest] - effects[largest]))
    # Other shares of noise, from 0 to .001, are one draw in a thousand.
    assert np.mean(off) == pytest.approx(0, abs=4 * np.std(off) / math.sqrt(len(off)))
    assert np.mean(off_plain) > 0.4


@given(t=MANY)
def test_the_share_kept_lies_between_0_and_1_and_nothing_depends_on_sign_or_order(t):
    """A property of any t."""
    df = np.full(len(t), 25.0)
    share = quoted.kept(t, df)
    assert 0 < share < 1
    assert quoted.kept(-t[::-1], df) == pytest.approx(share, rel=1e-9)
    assert quoted.kept(2 * t, df) >= share - 1e-12


def test_more_than_noise_keeps_more_and_no_noise_at_all_keeps_everything():
    """From the mean of the prior, with nothing seen, up to 1."""
    df = np.full(4, 25.0)
    shares = [quoted.kept(np.full(4, t), df) for t in (0.0, 1.0, 3.0, 10.0, 1000.0)]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(2 / 8)
    assert shares[-1] == pytest.approx(1, abs=1e-5)
    without_noise = quoted.kept(np.array([math.inf, 1.0]), np.array([math.nan, 25.0]))
    assert without_noise == 1


def test_a_t_of_few_degrees_of_freedom_says_nothing_of_the_others():
    """With two or fewer the average square of pure noise is infinite."""
    for df in (1.0, 2.0):
        found = quoted.kept(np.array([50.0, 50.0]), np.full(2, df))
        assert found == pytest.approx(2 / (2 + 4))


@pytest.mark.parametrize(
    ("t", "n_shown", "level"),
    [
        ([5.0, 0.1, 0.2, 0.3], 1, 0.9875),
        ([5.0, 5.0, 0.2, 0.3], 2, 0.975),
        ([5.0, 5.0, 5.0, 5.0], 4, 0.95),
        ([1.0, 0.1, 0.2, 0.3], 0, 0.9875),
        ([5.0], 1, 0.95),
        ([0.1], 0, 0.95),
    ],
)
def test_the_level_pays_for_how_many_are_shown_of_how_many(t, n_shown, level):
    """1 - .05 R/m, worked out by hand; 1 - .05/m where none is."""
    found, _ = family(t)
    assert (found.n_tested, found.n_shown) == (len(t), n_shown)
    assert found.level == pytest.approx(level)


@pytest.mark.parametrize("adjust", ["bh", "by"])
@given(t=MANY)
def test_a_quoted_interval_leaves_zero_out_exactly_where_the_contrast_is_shown(t, adjust):
    """Claim, interval and likely size never contradict each other."""
    found, adjusted = family(t, adjust=adjust, std_error=0.07)
    for own, p in zip(t, adjusted, strict=True):
        quote = found.quote(0.07 * own, 0.07, 25.0)
        if abs(p - 0.05) > 1e-9:
            assert (quote.low > 0 or quote.high < 0) == (p < 0.05)
        if len(t) > 1:
            assert quote.low <= quote.likely <= quote.high
            assert abs(quote.likely) <= abs(0.07 * own)
            assert quote.likely * own >= 0
        else:
            assert math.isnan(quote.likely)


def test_a_size_is_never_moved_out_of_its_interval():
    """One clear set among 400 that show nothing: the share kept alone would move it too far."""
    t = np.zeros(400)
    t[0] = 20.0
    found, _ = family(t, df=100.0)
    quote = found.quote(20.0, 1.0, 100.0)
    assert found.kept * 20 < quote.low
    assert quote.likely == quote.low


def test_one_tested_set_is_quoted_as_it_stands():
    """Its interval and what it could find are those of the table: nothing was chosen."""
    plain = student(0.2, 0.01, 25, null_value=0)
    quote = family([2.0])[0].quote(0.2, 0.1, 25)
    assert (quote.low, quote.high, quote.could_find) == (plain.low, plain.high, plain.mde)


@pytest.mark.parametrize("m", [2, 4, 8, 20])
@pytest.mark.parametrize("df", [5, 8, 25, 60, 1000])
def test_what_could_be_found_has_power_four_in_five_by_the_noncentral_t(m, df):
    """At level .05/m, solved with scipy's distribution; within 2 % of the standard error's size."""
    quantile = stats.t.ppf(1 - 0.025 / m, df)
    exact = optimize.brentq(lambda size: stats.nct.sf(quantile, df, size) - 0.8, 0.1, 20)
    found = family(np.zeros(m), df)[0].quote(0.0, 0.5, df).could_find
    assert found == pytest.approx(0.5 * exact, rel=0.02 if df < 8 else 0.005)


def test_under_any_dependence_more_is_asked():
    """Benjamini & Yekutieli's harmonic sum: 25/12 for four tests."""
    plain, _ = family([5.0, 0.1, 0.2, 0.3])
    careful, _ = family([5.0, 0.1, 0.2, 0.3], adjust="by")
    assert careful.level == pytest.approx(1 - 0.05 / (4 * 25 / 12))
    assert careful.alone == careful.level
    assert careful.quote(0.0, 1.0, 25.0).could_find > plain.quote(0.0, 1.0, 25.0).could_find


def test_a_model_against_its_copy_has_an_interval_of_nothing():
    """No variance: the limits are the estimate, and any difference would be found."""
    found, _ = family([0.0, 1.0])
    quote = found.quote(0.0, 0.0, math.nan)
    assert (quote.low, quote.high, quote.likely, quote.could_find) == (0, 0, 0, 0)
    alike = quoted.family(*np.zeros((2, 3)), np.full(3, math.nan), np.ones(3))
    assert alike.kept == pytest.approx(2 / 7)


def test_a_family_is_that_of_one_subject_and_of_what_is_tested():
    """Controls have no adjusted p, and other subjects and numbers are other families."""
    rows = [
        {"slice": "contrast", "estimator": name, "subject": subject, "estimate": t,
         "std_error": 1.0, "df": 25.0, "p_adjusted": p}
        for name, subject, t, p in (
            ("stereotype_contrast", "difference", 4.0, 0.001),
            ("stereotype_contrast", "difference", 0.5, 0.6),
            ("stereotype_contrast", "difference", 9.0, math.nan),
            ("stereotype_contrast", "candidate", 9.0, 0.001),
            ("lean", "difference", 9.0, 0.001),
        )
    ]  # fmt: skip
    estimates = Effects.of(tables.table("estimates", rows))
    found = quotes.family_of(estimates, "difference")
    assert (found.n_tested, found.n_shown) == (2, 1)
    assert found.kept == pytest.approx(by_integration([4.0, 0.5], 25))
    assert quotes.family_of(estimates, "reference") is None


def test_five_in_a_hundred_intervals_miss():
    """Of 1,380 about 69."""
    assert quoted.expected_misses(1380) == pytest.approx(69)


def test_the_clearest_of_several_numbers_without_an_adjusted_p_pays_for_their_number():
    """Bonferroni's level, whatever is shown."""
    low, high, least = quoted.chosen_from(3.0, 0.5, 30.0, 5)
    half = stats.t.ppf(1 - 0.025 / 5, 30) * 0.5
    assert (low, high) == pytest.approx((3 - half, 3 + half))
    exact = optimize.brentq(lambda size: stats.nct.sf(half / 0.5, 30, size) - 0.8, 0.1, 20)
    assert least == pytest.approx(0.5 * exact, rel=0.005)
    plain = student(3.0, 0.25, 30.0)
    assert quoted.chosen_from(3.0, 0.5, 30.0, 1) == (plain.low, plain.high, plain.mde)
