"""Association, magnitude and what is made of them: loops, derivatives, properties, failures."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from maskaudit.audit.estimating.statistics import ustatistics as u
from tests import statistics_oracles as oracles
from tests.statistics_oracles import G1, PAIRS, SEEDS, TABLES

CHANGES = (u.association_change, u.magnitude_change)
RATIOS = (u.slope, u.log_kappa, u.correlation, u.log_magnitude_ratio)


# The two U-statistics, by loops


@given(TABLES, SEEDS)
def test_association_is_the_mean_covariance_over_pairs_of_different_frames(cells, seed):
    """The closed form against every pair of frames, of one table and of two."""
    other = 0.5 * cells + oracles.crossed(*cells.shape, seed)

    for first, second in ((cells, cells), (cells, other)):
        expected = oracles.association(first, second)
        assert u.association(first, second) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(TABLES)
def test_magnitude_is_the_mean_product_over_pairs_of_different_frames(cells):
    """The closed form against every pair of frames."""
    assert u.magnitude(cells) == pytest.approx(oracles.magnitude(cells), rel=1e-9, abs=1e-12)


def test_the_golden_table_has_the_published_magnitude():
    """And neither the mean of squared means nor the mean square, which noise makes larger."""
    assert u.magnitude(G1) == pytest.approx(0.184761, abs=6e-7)
    assert (G1.mean(1) ** 2).mean() == pytest.approx(0.196477, abs=6e-7)
    assert (G1**2).mean() == pytest.approx(0.231625, abs=6e-7)


def test_the_golden_table_s_association_is_its_attribute_component():
    """For one table it is the analysis of variance's (MSA - MSE)/J."""
    a, _, e = oracles.mean_squares(G1)

    assert u.association(G1, G1) == pytest.approx((a - e) / 4, rel=1e-9)
    assert u.association(G1, G1) == pytest.approx(0.175848, abs=6e-7)


def test_neither_has_a_noise_floor():
    """Pure noise gives zero on average, where the variance of the means gives 1/J."""
    rng = np.random.default_rng(11)
    tables = rng.normal(size=(2000, 40, 8))

    for found in (
        [u.association(cells, cells) for cells in tables],
        [u.magnitude(cells) for cells in tables],
    ):
        assert abs(np.mean(found)) < 4 * stats.sem(found)


# Influence values, by loops and as derivatives


@given(TABLES, SEEDS)
def test_influence_values_are_the_loops_and_their_mean_is_the_number(cells, seed):
    """Each is what a cell has to do with the number."""
    other = 0.5 * cells + oracles.crossed(*cells.shape, seed)

    across = u.association_influence(cells, other)
    own = u.magnitude_influence(cells)

    loops = oracles.association_influence(cells, other)
    assert across == pytest.approx(loops, rel=1e-9, abs=1e-12)
    assert own == pytest.approx(oracles.magnitude_influence(cells), rel=1e-9, abs=1e-12)
    assert across.mean() == pytest.approx(u.association(cells, other), rel=1e-9, abs=1e-12)
    assert own.mean() == pytest.approx(u.magnitude(cells), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_influence_values_of_association_are_its_derivatives(seed):
    """The infinitesimal jackknife.

    Towards an attribute: the attribute's mean influence less U, in the weighted form without
    I/(I - 1). Towards a frame: twice the frame's, for a pair holds two frames.
    """
    first, second = oracles.pair(6, 5, seed)
    rows, frames = oracles.derivatives(
        lambda w, v: oracles.weighted_association(first, second, w, v), first.shape
    )

    influence = u.association_influence(first, second) - u.association(first, second)

    assert influence.mean(1) == pytest.approx(6 / 5 * rows, rel=1e-5, abs=1e-8)
    assert 2 * influence.mean(0) == pytest.approx(6 / 5 * frames, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_influence_values_of_magnitude_are_its_derivatives(seed):
    """The same, without a factor: attributes are not centred."""
    cells = oracles.crossed(6, 5, seed)
    rows, frames = oracles.derivatives(
        lambda w, v: oracles.weighted_magnitude(cells, w, v), cells.shape
    )

    influence = u.magnitude_influence(cells) - u.magnitude(cells)

    assert influence.mean(1) == pytest.approx(rows, rel=1e-5, abs=1e-8)
    assert 2 * influence.mean(0) == pytest.approx(frames, rel=1e-5, abs=1e-8)


def _weighted(name, teacher, student):
    """A number as a function of weights on attributes and frames, in terms of `oracles` alone."""

    def of(w, v):
        ts, tt, ss = (
            oracles.weighted_association(*two, w, v)
            for two in ((teacher, student), (teacher, teacher), (student, student))
        )
        m_t, m_s = (oracles.weighted_magnitude(cells, w, v) for cells in (teacher, student))
        return {
            "slope": ts / tt,
            "log_kappa": math.log(ss / tt) / 2,
            "correlation": ts / math.sqrt(tt * ss),
            "log_magnitude_ratio": math.log(m_s / m_t) / 2,
            "association_change": 9 / 8 * (ss - tt),
            "magnitude_change": m_s - m_t,
        }[name]

    return of


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("function", RATIOS + CHANGES, ids=lambda function: function.__name__)
def test_variances_are_those_of_the_infinitesimal_jackknife(function, seed):
    """No formula of ours: the number is differentiated towards each attribute and each frame.

    The attributes' part is the derivatives' variance over I. The frames' is their variance over J
    less four residual mean squares of the influence values, by loops, over n. Leans are larger in
    some frames than in others, so that the frames have a part.
    """
    rng = np.random.default_rng(seed)
    lean = rng.normal(size=(9, 1))
    teacher, student = (
        slope * lean * (1 + rng.normal(0, 0.5, 7)) + 0.4 + rng.normal(0, 0.1, (9, 7))
        for slope in (1.0, 1.3)
    )
    towards = _weighted(function.__name__, teacher, student)
    rows, frames = oracles.derivatives(towards, teacher.shape)

    found = function(teacher, student)

    assert found.estimate == pytest.approx(towards(np.ones(9) / 9, np.ones(7) / 7), rel=1e-9)
    influence = _expected(teacher, student)[function.__name__][1]
    _, _, residual = oracles.mean_squares(influence)
    own = rows.var(ddof=1) / 9
    beside = frames.var(ddof=1) / 7 - 4 * residual / influence.size
    assert beside > 1e-5  # else it would be floored, and the frames' part not be compared
    assert found.std_error**2 == pytest.approx(own + beside, rel=1e-5)
    assert found.df == pytest.approx((own + beside) ** 2 / (own**2 / 8 + beside**2 / 6), rel=1e-5)


# What is made of them, by loops


def _expected(teacher, student):
    """Each number with its influence values, by loops: (estimate, influence, null value)."""
    pairs = ((teacher, student), (teacher, teacher), (student, student))
    ts, tt, ss = (oracles.association(*two) for two in pairs)
    h_ts, h_tt, h_ss = (oracles.association_influence(*two) for two in pairs)
    m_t, m_s = (oracles.magnitude(cells) for cells in (teacher, student))
    h_t, h_s = (oracles.magnitude_influence(cells) for cells in (teacher, student))
    slope, r = ts / tt, ts / math.sqrt(tt * ss)
    kappa, ratio = math.log(ss / tt) / 2, math.log(m_s / m_t) / 2
    return {
        "slope": (slope, slope + (h_ts - slope * h_tt) / tt, 1.0),
        "log_kappa": (kappa, kappa + (h_ss / ss - h_tt / tt) / 2, 0.0),
        "log_magnitude_ratio": (ratio, ratio + (h_s / m_s - h_t / m_t) / 2, 0.0),
        "association_change": (ss - tt, h_ss - h_tt, 0.0),
        "magnitude_change": (m_s - m_t, h_s - h_t, 0.0),
        "correlation": (
            r,
            r * (1 + h_ts / ts - h_tt / tt / 2 - h_ss / ss / 2),
            math.nan,
        ),
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(4, 5), (12, 6), (5, 12)])
def test_intervals_agree_with_loops_over_their_definitions(shape, seed):
    """Estimate, limits, degrees of freedom and p of all that compares a student and a teacher."""
    teacher, student = oracles.pair(*shape, seed)
    expected = _expected(teacher, student)

    for name, (value, h, null) in expected.items():
        found = getattr(u, name)(teacher, student)
        wanted = oracles.limits(value, oracles.influence_spread(h), null)
        assert oracles.told(found) == pytest.approx(wanted, rel=1e-6, nan_ok=True), name


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("function", RATIOS + CHANGES, ids=lambda function: function.__name__)
def test_the_part_of_the_frames_leaves_the_attributes_own_variance(function, seed):
    """More frames would leave (MSA - MSE)/n of the influence values, and nothing below 0."""
    teacher, student = oracles.pair(9, 7, seed)
    influence = _expected(teacher, student)[function.__name__][1]
    attribute, _, residual = oracles.mean_squares(influence)

    found = function(teacher, student)

    own = max(0.0, attribute - residual) / influence.size
    assert found.v_frames == pytest.approx(found.std_error**2 - own, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("shape", [(6, 4), (4, 9)])
def test_intervals_of_one_model_agree_with_loops(shape):
    """Association and magnitude alone have no null value of their own, and so no p."""
    cells = G1 if shape == (6, 4) else oracles.crossed(*shape, 2)

    for found, value, h in (
        (u.association_interval(cells, level=0.9), oracles.association(cells, cells),
         oracles.association_influence(cells, cells)),
        (u.magnitude_interval(cells, level=0.9), oracles.magnitude(cells),
         oracles.magnitude_influence(cells)),
    ):  # fmt: skip
        wanted = oracles.limits(value, oracles.influence_spread(h), math.nan, level=0.9)
        assert oracles.told(found) == pytest.approx(wanted, rel=1e-6, nan_ok=True)


def test_least_squares_is_flatter_than_the_slope_and_the_slope_is_right():
    """Ten frames of noise beside a true slope of 1: what the means' regression loses."""
    rng = np.random.default_rng(0)
    found, flat = [], []
    for _ in range(300):
        lean = rng.normal(size=(60, 1))
        noise = rng.normal(size=(2, 60, 6))
        teacher, student = lean + noise[0], lean + noise[1]
        found.append(u.slope(teacher, student).estimate)
        flat.append(stats.linregress(teacher.mean(1), student.mean(1)).slope)

    assert abs(np.mean(found) - 1) < 4 * stats.sem(found) + 0.01
    assert np.mean(flat) < 0.9


# Properties


@given(PAIRS)
@pytest.mark.slow
def test_swapping_the_groups_changes_none_of_them(both):
    """From y to -y: products of two keep their sign."""
    teacher, student = both
    for function in RATIOS + CHANGES:
        ours, theirs = function(teacher, student), function(-teacher, -student)
        assert oracles.told(theirs) == pytest.approx(oracles.told(ours), rel=1e-12, nan_ok=True)
    assert u.magnitude(-teacher) == u.magnitude(teacher)
    assert u.association(-teacher, -student) == u.association(teacher, student)
    assert u.association(-teacher, student) == -u.association(teacher, student)


@given(PAIRS)
def test_a_student_with_the_groups_swapped_has_slope_and_r_negated(both):
    """It leans as far, the other way."""
    teacher, student = both
    assume(min(u.association(teacher, other) for other in both) > 0)
    ours, theirs = u.slope(teacher, student), u.slope(teacher, -student)

    assert theirs.estimate == pytest.approx(-ours.estimate, rel=1e-12)
    assert theirs.std_error == pytest.approx(ours.std_error, rel=1e-9)
    ours, theirs = u.correlation(teacher, student), u.correlation(teacher, -student)
    assert theirs.estimate == pytest.approx(-ours.estimate, rel=1e-12, nan_ok=True)
    assert theirs.high == pytest.approx(-ours.low, rel=1e-9, nan_ok=True)
    assert u.log_kappa(teacher, -student) == u.log_kappa(teacher, student)


@given(PAIRS, st.floats(0.01, 100))
def test_another_unit_leaves_the_ratios_and_squares_the_rest(both, scale):
    """From y to cy: slope, log kappa and r have no unit; association and magnitude its square."""
    teacher, student = both
    for function in RATIOS:
        ours, scaled = function(teacher, student), function(scale * teacher, scale * student)
        assert oracles.told(scaled) == pytest.approx(
            oracles.told(ours), rel=1e-7, abs=1e-9, nan_ok=True
        )
    for function in CHANGES:
        ours, scaled = function(teacher, student), function(scale * teacher, scale * student)
        for name in ("estimate", "low", "high", "std_error", "mde"):
            wanted = scale**2 * getattr(ours, name)
            assert getattr(scaled, name) == pytest.approx(wanted, rel=1e-7, abs=1e-9 * scale**2)
        assert (scaled.p, scaled.df) == pytest.approx((ours.p, ours.df), rel=1e-7)


@given(PAIRS, SEEDS)
def test_a_constant_in_every_frame_changes_magnitude_and_not_association(both, seed):
    """What is common to all attributes in a frame is no association with any of them."""
    teacher, student = both
    rng = np.random.default_rng(seed)
    shifted = student + rng.normal(10, 1, (1, student.shape[1]))

    for function in (u.slope, u.log_kappa, u.correlation, u.association_change):
        ours, theirs = function(teacher, student), function(teacher, shifted)
        assert oracles.told(theirs) == pytest.approx(
            oracles.told(ours), rel=1e-8, abs=1e-10, nan_ok=True
        )
    assert u.magnitude(shifted) > u.magnitude(student)


@given(PAIRS, SEEDS)
def test_the_order_of_attributes_and_frames_is_nothing(both, seed):
    """Rows and columns are names, not places."""
    rng = np.random.default_rng(seed)
    rows, columns = (rng.permutation(n) for n in both[0].shape)
    moved = [cells[rows][:, columns] for cells in both]

    assert u.association(*moved) == pytest.approx(u.association(*both), rel=1e-12, abs=1e-13)
    assert u.magnitude(moved[0]) == pytest.approx(u.magnitude(both[0]), rel=1e-12, abs=1e-13)
    for function in RATIOS + CHANGES:
        assert oracles.told(function(*moved)) == pytest.approx(
            oracles.told(function(*both)), rel=1e-8, abs=1e-11, nan_ok=True
        )


@given(PAIRS)
def test_a_teacher_is_its_own_student_exactly(both):
    """Slope and r exactly 1, log kappa and changes exactly 0, and no doubt about it."""
    teacher, _ = both
    assume(u.association(teacher, teacher) > 0)

    for function, value in (
        (u.slope, 1.0), (u.correlation, 1.0), (u.log_kappa, 0.0),
        (u.association_change, 0.0), (u.magnitude_change, 0.0),
    ):  # fmt: skip
        found = function(teacher, teacher.copy())
        assert (found.estimate, found.low, found.high, found.std_error) == (value, value, value, 0)
        if function is not u.correlation:
            assert found.p == 1.0
            assert math.isnan(found.df)


@given(PAIRS)
def test_a_student_twice_its_teacher_is_exactly_that(both):
    """Nothing varies about the ratio: a point, and certain not to be 1."""
    teacher, _ = both
    assume(u.association(teacher, teacher) > 0)

    slope, kappa = u.slope(teacher, 2 * teacher), u.log_kappa(teacher, 2 * teacher)

    assert (slope.estimate, slope.low, slope.high, slope.p) == (2.0, 2.0, 2.0, 0.0)
    assert kappa.estimate == pytest.approx(math.log(2), rel=1e-15)


# What cannot be known


def test_a_teacher_without_signal_makes_every_ratio_unknown():
    """U_TT at or below 0 divides nothing: NaN, and never a large number."""
    student = oracles.crossed(6, 8, 1)
    opposed = np.outer(np.linspace(-1, 1, 6), [1, -1] * 4)
    assert u.association(opposed, opposed) < 0
    assert u.magnitude(opposed) < 0

    for teacher in (opposed, np.zeros((6, 8)), np.ones((6, 8))):
        for function in (u.slope, u.log_kappa, u.correlation):
            found = function(teacher, student)
            assert all(math.isnan(value) for value in oracles.told(found).values())
        assert not u.has_signal(teacher)
    for found in (u.log_kappa(student, opposed), u.correlation(student, opposed),
                  u.log_magnitude_ratio(opposed, student), u.log_magnitude_ratio(student, opposed),
                  u.log_magnitude_ratio(np.zeros((6, 8)), student)):  # fmt: skip
        assert math.isnan(found.estimate)
        assert math.isnan(found.low)


def test_a_student_without_signal_still_has_a_slope():
    """It inherits nothing: an estimate of 0 is a finding, unlike its amplification."""
    teacher = oracles.crossed(12, 8, 1)
    silent = np.zeros((12, 8))

    assert u.slope(teacher, silent).estimate == 0.0
    assert math.isnan(u.log_kappa(teacher, silent).estimate)


@given(st.sampled_from([0.1, 0.3, 0.7, -1.1]), st.integers(3, 12), st.integers(10, 14), SEEDS)
def test_a_teacher_that_does_not_read_the_attribute_has_no_signal(value, n, n_frames, seed):
    """Every attribute has its frame's value: the last binary digit of a mean is no association."""
    rng = np.random.default_rng(seed)
    by_frame = np.repeat(rng.normal(size=(1, n_frames)), n, axis=0)
    student = oracles.crossed(n, n_frames, seed)

    for teacher in (np.full((n, n_frames), value), by_frame):
        assert not u.has_signal(teacher)
        assert not abs(u.slope(teacher, student).estimate) > 100


def test_signal_is_a_lower_limit_above_zero():
    """Attributes that differ in every frame have it, noise has not."""
    assert u.has_signal(oracles.crossed(20, 10, 0, attributes=2.0))
    assert not u.has_signal(oracles.crossed(20, 10, 0, attributes=0.0))


@pytest.mark.parametrize(
    "bad", [np.ones((1, 5)), np.ones((5, 1)), np.where(np.eye(5) > 0, np.nan, 1.0)]
)
def test_missing_cells_and_too_few_of_a_factor_are_refused(bad):
    """Pairs of frames want complete cells: an error, and never a 0 in the place of a NaN."""
    good = oracles.crossed(*bad.shape, 0)
    for function in (u.magnitude, u.magnitude_influence, u.magnitude_interval,
                     u.association_interval, u.has_signal):  # fmt: skip
        with pytest.raises(ValueError, match="expected complete cells"):
            function(bad)
    for function in (u.association, u.association_influence, *RATIOS, *CHANGES):
        for both in ((bad, good), (good, bad)):
            with pytest.raises(ValueError, match="expected complete cells"):
                function(*both)
