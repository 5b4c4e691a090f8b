"""What the page calls shown, among many tested sets, is false in at most one of twenty cases."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from maskaudit.audit.proving.validity.numbers import stars

pytestmark = pytest.mark.slow

REPETITIONS, SEED = 300, 1
WORLDS = [
    f"{correlation}, {where}"
    for correlation in (
        "independent",
        "all correlated by .5",
        "correlated by .5 in each family",
    )
    for where in ("spread", "bunched")
]


@pytest.fixture(scope="module")
def table():
    """False ones and found ones in all worlds."""
    return stars.discoveries(REPETITIONS, SEED)


@pytest.fixture(scope="module")
def sets():
    """A record of tested sets."""
    return stars.Sets()


def pages(n):
    """Yield the p values of so many pages, with 20 leaning sets each."""
    rng = np.random.default_rng(7)
    for noise in (stars.independent, stars.equicorrelated, stars.in_families):
        for _ in range(n):
            yield 2 * stars.special.ndtr(-np.abs(noise(rng) + 3 * stars.SPREAD))


@pytest.mark.parametrize("world", WORLDS)
def test_at_most_1_in_20_of_what_is_shown_is_false(table, world):
    """The bar is 5 %, and a point for chance."""
    assert table[f"false: {world}"].measured.value <= 0.06


@pytest.mark.parametrize("world", WORLDS)
def test_each_p_below_05_alone_would_be_false_in_about_a_third(table, world):
    """What the adjustment is for."""
    assert table[f"false: {world}"].beside["p < .05, each alone"].value > 0.2


@pytest.mark.parametrize("world", WORLDS)
def test_what_leans_is_shown_as_often_as_the_procedure_alone_finds_it(table, world):
    """At least .95 of it."""
    row = table[f"found: {world}"]
    assert row.measured.value >= 0.95 * row.beside["step-up alone"].value
    assert row.measured.value > 0.4


def test_the_procedure_alone_is_that_of_statsmodels():
    """The same sets on the same pages."""
    for p in pages(20):
        expected = multipletests(p, 0.05, method="fdr_bh")[0]
        assert (stars.step_up(p) == expected).all()


def test_what_is_shown_here_is_what_a_page_shows_and_statsmodels_finds(sets):
    """The contrasts that a page makes of the record, made anew for every page."""
    for p in pages(1):
        whole = [contrast.is_shown for contrast in sets.contrasts(p)]
        assert sets.shown(p) == whole
        assert whole == multipletests(p, 0.05, method="fdr_bh")[0].tolist()


def test_correlated_errors_are_correlated_as_they_say():
    """Of variance 1, with .5 between any two sets or between those of a family."""
    rng = np.random.default_rng(3)
    for noise, near, far in (
        (stars.independent, 0, 0),
        (stars.equicorrelated, 0.5, 0.5),
        (stars.in_families, 0.5, 0),
    ):
        z = np.array([noise(rng) for _ in range(4000)])
        found = [np.mean(z[:, 0] * z[:, i]) for i in (0, 9, 10)]
        assert found == pytest.approx([1, near, far], abs=0.08)


def test_20_of_200_sets_lean_in_either_place():
    """One in each family of ten, or all of two families."""
    families = [where.reshape(20, 10).sum(1).tolist() for where in (stars.SPREAD, stars.BUNCHED)]
    assert families == [[1] * 20, [10] * 2 + [0] * 18]
