"""Numbers and foreign text as they are shown."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.reports.words import wording


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.624, "+0.62"), (-0.625001, "−0.63"), (0.0, "0.00"), (-0.0, "0.00"), (1e-9, "0.00"),
        (-0.0004, "−0.0004"), (0.004, "+0.004"), (12.0, "+12.00"), (math.nan, "–"),
    ],
)  # fmt: skip
def test_nats_have_a_sign_and_two_decimals(value, shown):
    """A small number keeps as many more as tell it from nothing."""
    assert wording.signed(value) == shown


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((0.87, 0.8, 0.9), ["0.87", "0.80", "0.90"]),
        ((1.00002, 0.99, 1.0016), ["1.000", "0.990", "1.002"]),
        ((-0.5, -0.9962, 0.2), ["−0.500", "−0.996", "0.200"]),
    ],
)
def test_a_correlation_near_one_has_three_decimals(values, shown):
    """An interval from 1.00 to 1.00 tells nothing; a number and its limits have the same."""
    assert wording.correlations(values) == shown


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0, "p < .001"), (0.00099, "p < .001"), (0.001, "p = .001"), (0.0123, "p = .012"),
        (0.9996, "p = 1"), (1.0, "p = 1"),
    ],
)  # fmt: skip
def test_p_values_have_three_decimals_and_are_never_zero(p, shown):
    """Below a thousandth the bound is given."""
    assert wording.p_value(p) == shown


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.4123, "41.2 %"), (0.0012, "0.12 %"), (4.2e-5, "1 in 24,000"), (1e-6, "1 in 1,000,000"),
        (1e-13, "below 1 in a billion"), (0.0, "below 1 in a billion"), (math.nan, "–"),
    ],
)  # fmt: skip
def test_probabilities_are_percentages_or_one_in_so_many(p, shown):
    """A row of zeros tells a reader nothing."""
    assert wording.probability(p) == shown


@pytest.mark.parametrize(
    ("nats", "shown"),
    [
        (0.0, "1.00"), (math.log(1.9), "1.90"), (-math.log(2), "0.50"), (math.log(33.46), "33.5"),
        (math.log(1234.6), "1,235"), (50.0, "more than a million"),
    ],
)  # fmt: skip
def test_odds_are_exponentials(nats, shown):
    """And say when a factor is beyond reading."""
    assert wording.odds(nats) == shown


@pytest.mark.parametrize(
    ("nats", "shown"),
    [
        (0.0, "50 %"), (math.log(3), "75 %"), (-5.5, "0.4 %"), (5.5, "99.6 %"), (-800.0, "0.0 %"),
        (math.nan, "–"),
    ],
)  # fmt: skip
def test_log_odds_are_a_share_of_two_groups(nats, shown):
    """With a decimal where none or all would mislead."""
    assert wording.share_of_odds(nats) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0.17, "+17"), (-0.08, "−8"), (0.0, "0"), (0.001, "0")]
)
def test_points_have_a_sign(share, shown):
    """A difference of shares says its direction."""
    assert wording.points(share) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nurse", "nurse"), ("", "(empty)"), ("  ", "(white space)"),
        ("a\u202eb", "a⟨U+202E⟩b"), ("\x00", "⟨U+0000⟩"), ("\u200d", "⟨U+200D⟩"),
        ("\u3164", "⟨U+3164⟩"), ("a\ufe0f", "a⟨U+FE0F⟩"), ("\u0301", "◌\u0301"),
        ("\u05d0", "\u2068\u05d0\u2069"), ("x" * 80, "x" * 59 + "…"),
    ],
)  # fmt: skip
def test_foreign_text_can_be_seen_whole(text, shown):
    """Nothing invisible is left, and a right-to-left word is set apart."""
    assert wording.visible(text) == shown


@given(st.text())
def test_no_foreign_text_turns_what_follows(text):
    """No control of direction is left but the pair that closes what it opens."""
    shown = wording.visible(text, None)
    inside = shown.removeprefix("\u2068").removesuffix("\u2069")
    assert not set(inside) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
    )
    assert shown.startswith("\u2068") == shown.endswith("\u2069")
