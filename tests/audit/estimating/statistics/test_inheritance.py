"""Classes of inheritance by the method's table, signs by BH, and the flips that noise makes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from maskaudit.audit.estimating.statistics import inheritance

# What an attribute is for the credible signs of teacher, student and student minus teacher,
# written out from the method's text; 0 is "not credible".
TABLE = {
    # Teacher and student lean the same way: what the difference adds decides.
    (1, 1, 1): "amplified",
    (1, 1, 0): "inherited",
    (1, 1, -1): "attenuated",
    (-1, -1, -1): "amplified",
    (-1, -1, 0): "inherited",
    (-1, -1, 1): "attenuated",
    # They lean opposite ways, whatever the difference.
    (1, -1, 1): "flipped",
    (1, -1, 0): "flipped",
    (1, -1, -1): "flipped",
    (-1, 1, 1): "flipped",
    (-1, 1, 0): "flipped",
    (-1, 1, -1): "flipped",
    # Only the teacher leans: lost where the difference is credible and towards zero.
    (1, 0, 1): "undecided",
    (1, 0, 0): "undecided",
    (1, 0, -1): "lost",
    (-1, 0, 1): "lost",
    (-1, 0, 0): "undecided",
    (-1, 0, -1): "undecided",
    # Only the student leans: new where the difference is credible, and the student's way. Where it
    # is not, the teacher would have to lean further the same way, though it was not credible.
    (0, 1, 1): "new",
    (0, 1, 0): "undecided",
    (0, 1, -1): "undecided",
    (0, -1, 1): "undecided",
    (0, -1, 0): "undecided",
    (0, -1, -1): "new",
    # Neither leans.
    (0, 0, 1): "undecided",
    (0, 0, 0): "undecided",
    (0, 0, -1): "undecided",
}


@pytest.mark.parametrize("signs", list(itertools.product((1, 0, -1), repeat=3)))
def test_classes_are_those_of_the_method_s_table(signs):
    """All 27 combinations of credible signs."""
    assert inheritance.classify(*signs) == TABLE[signs]


def test_every_class_has_a_name_and_a_use():
    """The seven names are those of the table and no others."""
    assert set(inheritance.CLASSES) == set(TABLE.values())
    assert len(inheritance.CLASSES) == 7


@pytest.mark.parametrize("signs", list(TABLE))
def test_swapping_the_groups_leaves_the_class(signs):
    """Which group is first is a convention."""
    swapped = tuple(-sign for sign in signs)

    assert inheritance.classify(*swapped) == inheritance.classify(*signs)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_credible_signs_are_those_that_statsmodels_rejects(p, seed):
    """BH over all attributes: the sign of what is rejected, and 0 for the rest."""
    values = np.array(p)
    estimates = np.random.default_rng(seed).normal(size=len(p))
    adjusted = multipletests(values, method="fdr_bh")[1]
    expected = [
        int(np.sign(e)) if a < 0.05 else 0 for e, a in zip(estimates, adjusted, strict=True)
    ]

    assert inheritance.credible_signs(estimates, values).tolist() == expected
    assert inheritance.credible_signs(-estimates, values).tolist() == [-sign for sign in expected]


def test_what_was_not_tested_is_not_credible_and_does_not_count():
    """An unknown p value makes the others no weaker, and an unknown attribute no stronger."""
    p = np.array([0.03, np.nan, np.nan, np.nan])
    estimates = np.array([-1.0, 2.0, np.nan, 3.0])

    assert inheritance.credible_signs(estimates, p).tolist() == [-1, 0, 0, 0]


def test_a_level_may_be_asked_for():
    """The same test at one in a thousand."""
    estimates, p = np.array([1.0, -1.0]), np.array([0.0001, 0.04])

    assert inheritance.credible_signs(estimates, p).tolist() == [1, -1]
    assert inheritance.credible_signs(estimates, p, alpha=0.001).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("reliability", "published"), [(0.5, 0.33), (0.8, 0.20), (0.9, 0.14), (0.95, 0.10)]
)
def test_noise_alone_flips_the_published_share_of_signs(reliability, published):
    """Two measurements of one truth: the orthants where two normal variables disagree, by scipy.

    arccos(.95)/pi is .101.
    """
    normal = stats.multivariate_normal(cov=[[1, reliability], [reliability, 1]])
    disagree = 1 - 2 * normal.cdf([0, 0])

    found = inheritance.expected_sign_changes(reliability)

    assert found == pytest.approx(disagree, rel=1e-6)
    assert found == pytest.approx(published, abs=0.005)


@given(st.floats(0, 1))
def test_the_share_of_flips_is_between_none_and_a_half(correlation):
    """Perfect measurements never flip, pure noise flips a half; unknown is unknown."""
    assert 0 <= inheritance.expected_sign_changes(correlation) <= 0.5 + 1e-12
    assert inheritance.expected_sign_changes(1.0) == 0.0
    assert inheritance.expected_sign_changes(0.0) == pytest.approx(0.5)
    assert np.isnan(inheritance.expected_sign_changes(np.nan))


def test_a_model_against_itself_changes_no_sign():
    """All of its noise is shared."""
    cells = np.random.default_rng(0).normal(size=(12, 9))
    assert inheritance.noise_correlation(cells, cells) == pytest.approx(1, rel=1e-12)


def test_attributes_that_do_not_differ_have_no_correlation():
    """Neither model's measurement says anything of them."""
    cells = np.random.default_rng(0).normal(size=(12, 9))
    assert np.isnan(inheritance.noise_correlation(np.ones((12, 9)), cells))


@pytest.mark.parametrize("shared", [0.0, 0.5, 0.9])
def test_the_expected_share_is_what_the_same_truth_gives_by_noise(shared):
    """Two models of one truth, with so much of their noise in common: 400 tables are counted."""
    rng = np.random.default_rng(5)
    found, counted = [], []
    for _ in range(400):
        truth, common = rng.normal(0, 0.3, (60, 1)), rng.normal(size=(60, 10))
        one, other = (
            truth + np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.normal(size=(60, 10))
            for _ in range(2)
        )
        found.append(inheritance.expected_sign_changes(inheritance.noise_correlation(one, other)))
        counted.append((np.sign(one.mean(1)) != np.sign(other.mean(1))).mean())
    assert np.mean(found) == pytest.approx(np.mean(counted), abs=0.01)
