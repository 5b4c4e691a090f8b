"""Generalizability and dependability are pingouin's intraclass correlations, within 0 and 1."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats

from maskaudit.audit.estimating.statistics.crossed.reliability import reliability
from tests import statistics_oracles as oracles
from tests.statistics_oracles import G1, SEEDS, TABLES


@pytest.fixture
def intraclass(monkeypatch):
    """Correlation and limits of ICC(C,k) and ICC(A,k) by pingouin, not rounded to two decimals."""
    import pingouin

    monkeypatch.setitem(pingouin.options, "round.column.CI95", 15)

    def of(cells):
        rows = oracles.long(cells)
        found = pingouin.intraclass_corr(rows, targets="attribute", raters="frame", ratings="y")
        found = found.set_index("Type")
        return [
            (found.loc[kind, "ICC"], *found.loc[kind, "CI95"]) for kind in ("ICC(C,k)", "ICC(A,k)")
        ]

    return of


def _numbers(found):
    both = (found.generalizability, found.dependability)
    return [(own.estimate, own.low, own.high) for own in both]


def _differ(cells):
    """Whether attributes differ by more than noise explains, and by more than rounding decides."""
    a, _, e = oracles.mean_squares(cells)
    return a > 1.001 * e


def test_the_golden_table_has_the_published_reliability(intraclass):
    """G .992083, Phi .937536, and six frames for a Phi of .95."""
    found = reliability(G1)

    assert found.generalizability.estimate == pytest.approx(0.992083, abs=6e-7)
    assert found.dependability.estimate == pytest.approx(0.937536, abs=6e-7)
    assert found.frames_needed == 6
    assert np.array(_numbers(found)) == pytest.approx(np.array(intraclass(G1)), rel=1e-6)


@pytest.mark.parametrize("shape", [(8, 4), (12, 5), (30, 12)])
@pytest.mark.parametrize("frames", [0.0, 0.4, 2.0])
@pytest.mark.parametrize("seed", range(2))
def test_fresh_tables_have_pingouin_s_correlations_and_limits(intraclass, shape, frames, seed):
    """Wherever no variance component is negative."""
    cells = oracles.crossed(*shape, seed, attributes=2.0, frames=frames)
    a, b, e = oracles.mean_squares(cells)
    expected = np.array(intraclass(cells))

    found = reliability(cells)

    if b >= e:
        assert np.array(_numbers(found)) == pytest.approx(expected, rel=1e-6)
    else:  # the frames' component is 0: no correlation of pingouin's
        assert np.array(_numbers(found))[0] == pytest.approx(expected[0], rel=1e-6)
        assert found.dependability.estimate == pytest.approx(1 - e / a, rel=1e-9)


@given(SEEDS, st.integers(3, 12), st.integers(2, 12))
def test_the_frames_needed_are_the_first_that_suffice(seed, n_attributes, n_frames):
    """Phi of J frames, from the variance components, for J = 1, 2, 3 and so on."""
    cells = oracles.crossed(n_attributes, n_frames, seed, attributes=1.5)
    a, b, e = oracles.mean_squares(cells)
    own, by_frame = (a - e) / n_frames, max(0.0, (b - e) / n_attributes)
    assume(own > 0.05)
    first = next(j for j in range(1, 10**6) if own / (own + (by_frame + e) / j) >= 0.95)

    assert reliability(cells).frames_needed == first


def test_attributes_that_do_not_differ_need_no_number_of_frames():
    """A negative component is taken as 0: no reliability, and frames would not help."""
    noise = np.random.default_rng(2).normal(size=(5, 6))
    found = reliability(noise - noise.mean(1, keepdims=True) + 1e-3 * noise[:, :1])

    assert (found.generalizability.estimate, found.dependability.estimate) == (0.0, 0.0)
    assert math.isnan(found.frames_needed)


@pytest.mark.parametrize("cells", [np.zeros((4, 5)), np.tile(np.arange(5.0), (4, 1))])
def test_attributes_that_are_all_alike_have_no_reliability(cells):
    """Nothing to rank: unknown, and not 0."""
    found = reliability(cells)

    assert all(math.isnan(value) for both in _numbers(found) for value in both)
    assert math.isnan(found.frames_needed)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7])
@pytest.mark.parametrize("n", [3, 7, 60])
def test_attributes_that_differ_in_the_last_digit_have_no_reliability(value, n):
    """What the rounding of a mean leaves is nothing to rank either."""
    found = reliability(np.full((n, 12), value))

    assert not found.generalizability.estimate > 0
    assert not found.dependability.estimate > 0


def test_attributes_that_are_the_same_in_every_frame_are_ranked_by_one():
    """Without residual both are 1, and their limits unknown."""
    found = reliability(np.tile(np.array([[0.0], [1.0], [4.0]]), (1, 4)))

    assert (found.generalizability.estimate, found.dependability.estimate) == (1.0, 1.0)
    assert found.frames_needed == 1


@given(st.builds(oracles.crossed, st.integers(2, 9), st.integers(2, 9), SEEDS,
                 attributes=st.sampled_from([0.0, 0.3, 1.0])))  # fmt: skip
@example(oracles.crossed(10, 12, 254, attributes=0.0))
@example(oracles.crossed(3, 3, 231, attributes=0.0))
def test_estimates_are_shares_and_lie_within_their_limits(cells):
    """0 to 1, as the docstring says; limits that leave the estimate out say nothing, NaN would."""
    for estimate, low, high in _numbers(reliability(cells)):
        assert 0 <= estimate <= 1
        assert not low > estimate
        assert not high < estimate
        assert not high > 1


@given(TABLES)
def test_the_absolute_one_is_the_smaller(cells):
    """Phi counts the frames' own differences as noise, G does not."""
    assume(_differ(cells))
    found = reliability(cells)

    assert found.dependability.estimate <= found.generalizability.estimate + 1e-12


@given(TABLES, SEEDS, st.floats(0.01, 100), st.floats(-5, 5))
def test_units_signs_constants_and_order_are_nothing(cells, seed, scale, constant):
    """From y to c - ay, rows and columns in any order."""
    rng = np.random.default_rng(seed)
    rows, columns = (rng.permutation(n) for n in cells.shape)
    assume(_differ(cells))

    moved = reliability(constant - scale * cells[rows][:, columns])

    assert np.array(_numbers(moved)) == pytest.approx(
        np.array(_numbers(reliability(cells))), rel=1e-5, abs=1e-6, nan_ok=True
    )


def test_few_missing_cells_leave_the_residual_fewer_degrees_of_freedom():
    """The limits of G with one gap are F's with (I - 1)(J - 1) - 1."""
    cells = oracles.crossed(8, 6, 1)
    cells[2, 3] = np.nan
    fit = oracles.additive_fit(cells)
    filled = cells.copy()
    filled[2, 3] = fit.predict(pd.DataFrame({"attribute": [2], "frame": [3]})).iloc[0]
    ratio = oracles.mean_squares(filled)[0] / fit.mse_resid

    found = reliability(cells).generalizability

    assert found.estimate == pytest.approx(1 - 1 / ratio, rel=1e-9)
    expected = 1 - stats.f.ppf(0.975, 7, fit.df_resid) / ratio
    assert found.low == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("cells", [np.ones((1, 5)), np.ones((5, 1)), np.full((3, 4), np.nan)])
def test_too_few_or_unknown_cells_are_refused(cells):
    """An error and never a reliability of 0."""
    with pytest.raises(ValueError, match="expected"):
        reliability(cells)
