"""Styles of which the truth is known: how alike they are, and which verdicts they get."""

import numpy as np
import pytest

from maskaudit.audit.proving.validity.verdicts import styles

pytestmark = pytest.mark.slow

ALIKE, APART, OPPOSED = list(styles.WORLDS.values())[:3]


@pytest.mark.parametrize(("world", "sign"), [(ALIKE, 1), (APART, 0), (OPPOSED, -1)])
def test_styles_share_their_attributes_as_they_say(world, sign):
    """By the covariance of two styles' changes, and the standard error of one."""
    design, _ = world
    rng = np.random.default_rng(1)
    found = np.array([[own.estimate for own in design.draw(rng)] for _ in range(400)])
    assert found.std(0).mean() == pytest.approx(design.std_error, rel=0.06)
    shared = 2 * design.sd[0] ** 2 / design.attributes / design.std_error**2
    assert np.corrcoef(found[:, 0], found[:, 1])[0, 1] == pytest.approx(sign * shared, abs=0.13)


def test_counting_styles_passes_a_change_of_the_margin_too_often():
    """The world tells the rule from the count of single verdicts."""
    design, least = APART
    rng = np.random.default_rng(2)
    rows = styles._rows("one", design, least, [design.draw(rng) for _ in range(500)])
    [row] = [row for row in rows if "the margin in 2" in row.what]
    assert row.measured.value <= 0.08 < row.beside["styles counted"].value
    assert not [row.what for row in rows if row.bar and row.bar.low > 0 and row.fails]
