"""Numbers as cards print them: what they are of, by decimal arithmetic and by hand."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.claims.printed import printed


@pytest.mark.parametrize(
    ("text", "number", "is_of"),
    [
        ("66M", 65_812_036, True),
        ("66M", 66_500_001, False),
        ("66 million", 65_500_000, True),
        ("110M", 108_340_804, True),
        ("110M", 104_000_000, False),
        ("30,000", 28_996, True),
        ("28,996", 28_997, False),
        ("40%", 0.3925, True),
        ("39%", 0.3963, False),
        ("0.05600", 0.056004, True),
        ("0.05600", 0.056006, False),
        ("82.2", 82.25, True),
        ("0", 0.4, True),
        ("1.5B", 1_540_000_000, True),
    ],
)
def test_a_number_is_of_what_rounds_to_it(text: str, number: float, is_of: bool) -> None:  # noqa: FBT001
    """Zeros at the end of a whole number say nothing; those after a point do."""
    assert printed(text).is_of(number) is is_of


@given(st.decimals(0, 1, places=7), st.integers(1, 6))
def test_a_number_rounded_to_its_digits_is_of_itself_and_not_of_the_next(
    number: Decimal, digits: int
) -> None:
    """Rounded by the decimal library, which knows no binary fractions."""
    unit = Decimal(1).scaleb(-digits)
    text = str(number.quantize(unit))
    assert printed(text).is_of(float(number))
    assert not printed(text).is_of(float(number + 2 * unit))


def test_a_least_distance_is_always_allowed() -> None:
    """A probability printed with all its digits differs in its last ones between libraries."""
    assert not printed("0.0529285557").is_of(0.0529285597)
    assert printed("0.0529285557").is_of(0.0529285597, 1e-5)
    assert not printed("0.0529285557").is_of(0.05296, 1e-5)


@pytest.mark.parametrize("text", ["", "about 60", "1,00", "6 apples", "-3", "1e5", "0,5", "nan"])
def test_what_is_no_printed_number_is_refused(text: str) -> None:
    """With what was expected."""
    with pytest.raises(ValueError, match="as it is printed, such as 66M"):
        printed(text)
