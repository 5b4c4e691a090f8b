"""Differences in differences against scipy and statsmodels."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from maskaudit.audit.estimating.statistics import fidelity
from tests import statistics_oracles as oracles
from tests.statistics_oracles import SEEDS

DEMOGRAPHIC = np.array([0.31, 0.27, 0.44, 0.36, 0.29])
NEUTRAL = np.array([0.22, 0.24, 0.30, 0.28, 0.25])


def test_the_published_difference_has_its_interval():
    """Five frames; scipy's paired test says the same."""
    expected = stats.ttest_rel(DEMOGRAPHIC, NEUTRAL)
    interval = expected.confidence_interval()

    found = fidelity.difference_in_differences(DEMOGRAPHIC, NEUTRAL)

    assert found.estimate == pytest.approx(0.076, abs=1e-9)
    assert found.std_error == pytest.approx(0.019647, abs=6e-7)
    assert found.estimate / found.std_error == pytest.approx(3.868298, abs=6e-7)
    assert found.p == pytest.approx(0.018020, abs=6e-7)
    assert (found.low, found.high) == pytest.approx((0.021452, 0.130548), abs=6e-7)
    assert (found.p, found.df) == pytest.approx((expected.pvalue, expected.df), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


@given(SEEDS, st.integers(2, 30))
def test_the_difference_is_scipy_s_paired_test(seed, n_frames):
    """Frames are the sample; a frame that lacks either side is left out."""
    rng = np.random.default_rng(seed)
    demographic, neutral = rng.gamma(2, 0.2, n_frames), rng.gamma(2, 0.2, n_frames)
    expected = stats.ttest_rel(demographic, neutral)

    found = fidelity.difference_in_differences(
        np.append(demographic, [np.nan, 0.3]), np.append(neutral, [0.2, np.nan])
    )

    assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert found.df == n_frames - 1


def test_a_student_that_is_its_teacher_strays_nowhere():
    """No distance anywhere: exactly 0 and p 1."""
    found = fidelity.difference_in_differences(np.zeros(6), np.zeros(6))

    assert (found.estimate, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("values", [np.array([0.3]), np.array([0.3, np.nan, np.nan])])
def test_one_frame_is_too_few(values):
    """How frames differ cannot be learnt from one."""
    with pytest.raises(ValueError, match="expected"):
        fidelity.difference_in_differences(values, np.zeros(len(values)))


# With the teacher's entropy held equal


def _sentences(seed, n_frames=8):
    """A frame's demographic and neutral sentences, unequal in number; neutral ones more open."""
    rng = np.random.default_rng(seed)
    frames = np.repeat(np.arange(n_frames), rng.integers(4, 9, n_frames))
    is_demographic = rng.random(len(frames)) < 0.5
    entropy = rng.gamma(3, 0.5, len(frames)) + 0.6 * ~is_demographic
    distance = (
        0.1 * is_demographic + 0.15 * entropy
        + rng.normal(0, 0.2, n_frames)[frames]
        + rng.normal(0, 0.1, n_frames)[frames] * is_demographic
        + rng.normal(0, 0.05, len(frames))
    )  # fmt: skip
    return distance, entropy, is_demographic, np.array([f"frame {k}" for k in frames])


@example(199063, 2)
@given(SEEDS, st.integers(2, 12))
def test_the_adjusted_difference_is_statsmodels_regression_with_frames(seed, n_frames):
    """Least squares with an intercept for every frame, in clusters of frames.

    statsmodels also corrects by (n - 1)/(n - k), the frames' intercepts among the k; that is taken
    off in the oracle, which leaves G/(G - 1).
    """
    distance, entropy, is_demographic, frames = _sentences(seed, n_frames)
    names, own = np.unique(frames, return_inverse=True)
    design = np.column_stack([is_demographic, entropy, np.eye(len(names))[own]]).astype(float)
    if np.linalg.matrix_rank(design) < design.shape[1]:  # no frame has both kinds of sentence
        assert np.isnan(fidelity.adjusted(distance, entropy, is_demographic, frames).estimate)
        return
    fit = sm.OLS(distance, design).fit()
    error = oracles.cluster_error(distance, design, [frames], 0, corrected=True)

    found = fidelity.adjusted(distance, entropy, is_demographic, frames)

    expected = oracles.limits(fit.params[0], oracles.Spread(error**2, len(names) - 1), 0.0)
    assert oracles.told(found) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@given(SEEDS)
def test_what_a_frame_adds_is_nothing(seed):
    """A constant in a frame, of distance or of entropy, is that frame's own."""
    distance, entropy, is_demographic, frames = _sentences(seed)
    rng = np.random.default_rng(seed)
    _, own = np.unique(frames, return_inverse=True)
    by_frame = rng.normal(size=(2, own.max() + 1))[:, own]

    ours = fidelity.adjusted(distance, entropy, is_demographic, frames)
    theirs = fidelity.adjusted(
        distance + by_frame[0], entropy + by_frame[1], is_demographic, frames
    )

    assert oracles.told(theirs) == pytest.approx(oracles.told(ours), rel=1e-7, abs=1e-10)


@given(SEEDS)
def test_calling_the_neutral_sentences_demographic_negates_it(seed):
    """The other side of the same difference."""
    distance, entropy, is_demographic, frames = _sentences(seed)
    ours = fidelity.adjusted(distance, entropy, is_demographic, frames)
    theirs = fidelity.adjusted(distance, entropy, ~is_demographic, frames)

    assert theirs.estimate == pytest.approx(-ours.estimate, rel=1e-7, abs=1e-12)
    assert (theirs.std_error, theirs.p) == pytest.approx((ours.std_error, ours.p), rel=1e-6)


@given(SEEDS)
def test_the_order_of_sentences_is_nothing(seed):
    """Rows may come in any order."""
    columns = _sentences(seed)
    order = np.random.default_rng(seed).permutation(len(columns[0]))

    ours, theirs = fidelity.adjusted(*columns), fidelity.adjusted(*(c[order] for c in columns))

    assert oracles.told(theirs) == pytest.approx(oracles.told(ours), rel=1e-8, abs=1e-12)


def test_entropy_that_explains_all_leaves_nothing():
    """A student that strays where sentences are open, and no further where groups are named."""
    _, entropy, is_demographic, frames = _sentences(3)
    plain = 0.2 * entropy
    raw = plain[is_demographic].mean() - plain[~is_demographic].mean()

    found = fidelity.adjusted(plain, entropy, is_demographic, frames)

    assert raw < -0.05
    assert found.estimate == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("alike", ["entropy", "class", "all demographic", "one frame"])
def test_what_cannot_be_told_apart_is_unknown(alike):
    """Entropy that is the class over again, that does not vary, one class, one frame: NaN."""
    distance, entropy, is_demographic, frames = _sentences(1)
    if alike == "entropy":
        entropy = np.ones(len(entropy))
    elif alike == "class":
        entropy = 2.3 - 0.7 * is_demographic
    elif alike == "all demographic":
        is_demographic = np.ones(len(frames), dtype=bool)
    else:
        frames = np.full(len(frames), "only")

    found = fidelity.adjusted(distance, entropy, is_demographic, frames)

    assert all(math.isnan(value) for value in oracles.told(found).values())


@pytest.mark.parametrize("which", [0, 1])
def test_an_unknown_sentence_is_never_one_of_no_distance(which):
    """NaN in a distance or an entropy: unknown, or refused."""
    columns = list(_sentences(2))
    columns[which] = columns[which].copy()
    columns[which][4] = np.nan

    try:
        found = fidelity.adjusted(*columns)
    except ValueError:
        return
    assert all(math.isnan(value) for value in (found.estimate, found.low, found.p))
