"""Classes of attributes by the method's sentences, signs by BH, and the flips that noise makes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from maskaudit.audit.estimating.statistics import inheritance

MARGIN = 0.5
# What can be known of a lean, as estimate and error, with 19 degrees of freedom: large; credible
# and within the margin; within the margin and not credible; neither.
STATES = {"large": (1.0, 0.01), "small": (0.1, 0.01), "none": (1e-9, 0.01), "unknown": (0.1, 1.0)}
CREDIBLE, INSIDE = {"large", "small"}, {"small", "none"}
EVERY = list(itertools.product(itertools.product(STATES, (1, -1)), repeat=3))


def leans(states):
    """Return the leans of attributes in these states, each with its sign."""
    estimates, errors = np.array([STATES[state] for state, _ in states]).T
    estimates = estimates * [sign for _, sign in states]
    df = np.full(len(states), 19.0)
    p = 2 * stats.t.sf(np.abs(estimates) / errors, df)
    return inheritance.Leans(estimates, errors, df, p)


def fates(states, margin=MARGIN):
    """Return the class of each attribute, from its states in teacher, student and change."""
    return inheritance.fates(*(leans(own) for own in zip(*states, strict=True)), margin)


def slow_fate(teacher, student, change):
    """Return the class of one attribute by the sentences of the method, one after the other."""
    (of_t, t), (of_s, s), (of_c, c) = teacher, student, change
    both = of_t in CREDIBLE and of_s in CREDIBLE
    if both and t != s:
        return "flipped"
    if both and of_c in CREDIBLE and c == s:
        return "amplified"
    if both and of_c in CREDIBLE:
        return "attenuated"
    if of_t in CREDIBLE and of_c in CREDIBLE and c == -t and of_s in INSIDE:
        return "lost"
    if of_s in CREDIBLE and of_c in CREDIBLE and c == s and of_t in INSIDE:
        return "new"
    return "inherited" if both and of_c in INSIDE else "undecided"


def test_classes_are_those_of_the_method_s_sentences():
    """Whatever is known of teacher, student and change, 512 attributes side by side."""
    expected = [slow_fate(*states) for states in EVERY]
    assert fates(EVERY) == expected
    assert set(expected) == set(inheritance.CLASSES)
    assert len(inheritance.CLASSES) == 7


def test_no_class_is_said_for_want_of_a_result():
    """What is known of nothing is undecided, and so is one lean alone, whatever the margin."""
    nothing = [(("unknown", t), ("unknown", s), ("unknown", c)) for t in (1, -1) for s in (1, -1)
               for c in (1, -1)]  # fmt: skip
    one = [(("large", 1), ("unknown", 1), ("unknown", -1)), (("unknown", 1), ("large", 1),
           ("unknown", 1)), (("large", 1), ("large", 1), ("unknown", 1))]  # fmt: skip
    for margin in (0.0, 0.5):
        assert set(fates(nothing + one, margin)) == {"undecided"}


def test_without_a_margin_nothing_is_lost_new_or_inherited():
    """All else is as it is with one."""
    found = fates(EVERY, 0.0)
    within = {"lost", "new", "inherited"}
    for one, other in zip(found, fates(EVERY), strict=True):
        assert one == ("undecided" if other in within else other)


def test_a_copy_is_inherited_without_a_margin():
    """What is exactly the same is the same within nothing at all."""
    lean = leans([("large", 1), ("none", 1)])
    nothing = inheritance.Leans(np.zeros(2), np.zeros(2), np.full(2, np.nan), np.ones(2))
    assert inheritance.fates(lean, lean, nothing) == ["inherited", "undecided"]


@given(st.permutations(EVERY[::7]))
def test_groups_and_order_change_no_class(states):
    """Which group is first is a convention, and so is the order of attributes."""
    swapped = [tuple((state, -sign) for state, sign in own) for own in states]
    assert fates(swapped) == fates(states)
    by_state = dict(zip(EVERY[::7], fates(EVERY[::7]), strict=True))
    assert fates(states) == [by_state[own] for own in states]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40))
def test_two_leans_are_shown_where_statsmodels_rejects_by_the_larger_p(p):
    """BH over all attributes; an attribute without one of both counts for nothing."""
    one, other = np.array(p).T
    same = np.zeros(len(p))
    pair = [inheritance.Leans(same, same, same, own) for own in (one, other)]
    known = multipletests([max(pair) for pair in p], method="fdr_bh")[1]
    assert inheritance.shown(*pair).tolist() == (known < 0.05).tolist()
    assert inheritance.shown(*pair, level=0.025).tolist() == (known < 0.025).tolist()
    gap = np.append(other, np.nan)
    same = np.zeros(len(gap))
    pair = [inheritance.Leans(same, same, same, own) for own in (np.append(one, 0.0), gap)]
    assert inheritance.shown(*pair).tolist() == [*(known < 0.05).tolist(), False]


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
