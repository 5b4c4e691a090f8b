"""The line of leans on a yardstick: least squares frame by frame, statsmodels and properties."""

import csv
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from maskaudit.audit.estimating.statistics import yardstick
from tests import statistics_oracles as oracles


def _world(n_attributes, n_frames, seed, spreads=(0.5, 0.3, 0.4)):
    """Yardstick logits x, and cells whose slope on them varies from frame to frame.

    `spreads` are the standard deviations of attributes, of the frames' lines, and of noise.
    """
    attributes, frames, noise = spreads
    rng = np.random.default_rng(seed)
    x = rng.normal(-0.5, 1.5, n_attributes)
    slopes, intercepts = rng.normal(0.8, frames, n_frames), rng.normal(0.2, frames, n_frames)
    off = rng.normal(0, attributes, (n_attributes, 1)) + rng.normal(
        0, noise, (n_attributes, n_frames)
    )
    return x, np.outer(x, slopes) + intercepts + off


def _own_lines(x, cells):
    """Least squares of an attribute's mean and, in every frame, a line; by statsmodels.

    The first frame's line is the attributes' own, so the other frames have theirs beside it.
    """
    i, j = np.indices(cells.shape).reshape(2, -1)
    others = j[:, None] == np.arange(1, cells.shape[1])
    design = np.column_stack([i[:, None] == np.arange(len(x)), others, others * x[i][:, None]])
    return sm.OLS(cells.ravel(), design.astype(float)).fit()


def _by_frames(x, cells, level=0.95, null=1.0):
    """Each frame's line by numpy.polyfit; residuals by statsmodels' least squares."""
    n_attributes, n_frames = cells.shape
    lines = [np.polyfit(x, cells[:, j], 1) for j in range(n_frames)]
    whole = _own_lines(x, cells)
    means = smf.ols("y ~ x", pd.DataFrame({"x": x, "y": cells.mean(1)})).fit()
    found = {}
    for name, which, column in (("slope", 0, "x"), ("intercept", 1, "Intercept")):
        by_frame = [one[which] for one in lines]
        weight = means.normalized_cov_params.loc[column, column]
        own = means.bse[column] ** 2
        frames = np.var(by_frame, ddof=1) / n_frames
        both = whole.mse_resid * weight / n_frames
        if own + frames - both < max(own, frames):
            spread = oracles.Spread(*max((own, n_attributes - 2), (frames, n_frames - 1)))
        else:
            below = (
                own**2 / (n_attributes - 2)
                + frames**2 / (n_frames - 1)
                + both**2 / ((n_attributes - 2) * (n_frames - 1))
            )
            variance = own + frames - both
            spread = oracles.Spread(variance, variance**2 / below)
        found[name] = oracles.limits(
            float(np.mean(by_frame)), spread, null if name == "slope" else math.nan, level
        )
    return found


@pytest.mark.parametrize("world", [(0.5, 0.3, 0.4), (0.5, 0.0, 0.4), (0.0, 0.3, 0.4), (0, 0, 1)])
@pytest.mark.parametrize("shape", [(3, 2), (6, 4), (12, 7), (30, 10)])
@pytest.mark.parametrize("seed", range(2))
def test_the_line_agrees_with_least_squares_frame_by_frame(shape, world, seed):
    """Slope and intercept with limits, degrees of freedom and p; floored in some worlds."""
    x, cells = _world(*shape, seed, world)
    expected = _by_frames(x, cells, level=0.9, null=0.4)

    found = yardstick.line(x, cells, level=0.9, null_slope=0.4)

    assert oracles.told(found.slope) == pytest.approx(expected["slope"], rel=1e-6)
    assert oracles.told(found.intercept) == pytest.approx(
        expected["intercept"], rel=1e-6, nan_ok=True
    )


@pytest.mark.parametrize("shape", [(6, 4), (12, 7)])
def test_the_residual_s_degrees_of_freedom_are_those_of_the_fit(shape):
    """An attribute's mean and a line in every frame leave (I - 2)(J - 1), says statsmodels."""
    fit = _own_lines(*_world(*shape, 0))

    assert fit.df_resid == (shape[0] - 2) * (shape[1] - 1)


def test_without_noise_the_line_is_that_of_the_attributes():
    """Every frame the same: scipy's regression of one value an attribute."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=15), rng.normal(size=15)
    expected = stats.linregress(x, y)

    found = yardstick.line(x, np.tile(y[:, None], (1, 4)), null_slope=0.0)

    assert found.slope.estimate == pytest.approx(expected.slope, rel=1e-9)
    assert found.slope.std_error == pytest.approx(expected.stderr, rel=1e-6)
    assert found.slope.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert found.slope.df == pytest.approx(13, rel=1e-6)
    assert found.intercept.estimate == pytest.approx(expected.intercept, rel=1e-9)
    assert found.intercept.std_error == pytest.approx(expected.intercept_stderr, rel=1e-6)


def test_the_text_s_shares_follow_the_world_s_with_the_published_slope(shared):
    """Winogender's occupations: shares of women in text against the Bureau of Labor Statistics'."""
    path = shared / "data" / "winogender" / "occupations-stats.tsv"
    if not path.is_file():
        pytest.skip("there is no winogender data beside the project")
    with path.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    text, world = (
        np.array([float(row[name]) for row in rows]) / 100
        for name in ("bergsma_pct_female", "bls_pct_female")
    )

    found = yardstick.line(
        yardstick.logit(world), np.tile(yardstick.logit(text)[:, None], (1, 2)), null_slope=1.0
    )

    assert len(rows) == 60
    assert found.slope.estimate == pytest.approx(0.619, abs=5e-4)
    assert found.intercept.estimate == pytest.approx(-1.544, abs=5e-4)
    assert (text - world).mean() == pytest.approx(-0.255, abs=5e-4)


def test_logits_are_scipy_s_and_the_ends_are_moved():
    """Log-odds, with shares of 0 and 1 where a two-hundredth is; unknown stays unknown."""
    shares = np.array([0.0, 0.004, 0.005, 0.3, 0.5, 0.995, 1.0, np.nan])

    found = yardstick.logit(shares)

    end = math.log(0.995 / 0.005)
    expected = [-end, -end, -end, special.logit(0.3), 0.0, end, end, np.nan]
    assert found == pytest.approx(np.array(expected), rel=1e-12, abs=1e-15, nan_ok=True)


def test_a_model_that_is_its_yardstick_is_the_identity_line():
    """Slope 1 and intercept 0, without doubt as far as arithmetic goes."""
    x = np.array([-1.5, -0.25, 0.5, 2.0, 3.25])

    found = yardstick.line(x, np.tile(x[:, None], (1, 4)))

    assert (found.slope.estimate, found.intercept.estimate) == pytest.approx((1, 0), abs=1e-14)
    assert (found.slope.std_error, found.intercept.std_error) == pytest.approx((0, 0), abs=1e-14)


@given(oracles.SEEDS, st.integers(3, 9), st.integers(2, 7), st.floats(0.01, 100))
def test_units_and_signs_of_the_leans_pass_through(seed, n_attributes, n_frames, scale):
    """From y to cy and to -y scale slope and intercept; p is that of the scaled null value."""
    x, cells = _world(n_attributes, n_frames, seed)
    ours = yardstick.line(x, cells, null_slope=0.0)

    for factor in (scale, -scale):
        theirs = yardstick.line(x, factor * cells, null_slope=0.0)
        for a, b in ((ours.slope, theirs.slope), (ours.intercept, theirs.intercept)):
            assert b.estimate == pytest.approx(factor * a.estimate, rel=1e-7, abs=1e-9 * scale)
            assert b.std_error == pytest.approx(scale * a.std_error, rel=1e-6)
            assert b.df == pytest.approx(a.df, rel=1e-6)
        assert theirs.slope.p == pytest.approx(ours.slope.p, rel=1e-5, abs=1e-9)


@given(oracles.SEEDS, st.floats(-5, 5))
def test_moving_the_yardstick_leaves_the_slope_and_moves_the_intercept(seed, shift):
    """The intercept is the lean where the yardstick is 0."""
    x, cells = _world(7, 5, seed)
    ours, moved = yardstick.line(x, cells), yardstick.line(x + shift, cells)

    assert oracles.told(moved.slope) == pytest.approx(oracles.told(ours.slope), rel=1e-7)
    expected = ours.intercept.estimate - shift * ours.slope.estimate
    assert moved.intercept.estimate == pytest.approx(expected, abs=1e-10)


@given(oracles.SEEDS)
def test_the_order_of_attributes_and_frames_is_nothing(seed):
    """Rows and columns are names, not places."""
    x, cells = _world(7, 5, seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(7), rng.permutation(5)

    moved = yardstick.line(x[rows], cells[rows][:, columns])
    ours = yardstick.line(x, cells)

    assert oracles.told(moved.slope) == pytest.approx(oracles.told(ours.slope), rel=1e-9)
    assert oracles.told(moved.intercept) == pytest.approx(
        oracles.told(ours.intercept), rel=1e-9, abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize(
    ("x", "cells"),
    [
        (np.arange(2.0), np.ones((2, 5))),
        (np.arange(5.0), np.ones((5, 1))),
        (np.ones(5), np.ones((5, 4))),
        (np.arange(5.0), np.where(np.eye(5) > 0, np.nan, 1.0)),
    ],
)
def test_what_has_no_line_is_refused(x, cells):
    """Two attributes, one frame, a yardstick that does not vary, a missing cell."""
    with pytest.raises(ValueError, match="cannot be regressed"):
        yardstick.line(x, cells)


def test_an_unknown_yardstick_is_an_unknown_line():
    """NaN in, NaN out, or refused; never a line through the rest."""
    x, cells = _world(6, 4, 0)
    x[2] = np.nan

    try:
        found = yardstick.line(x, cells)
    except ValueError:
        return
    assert math.isnan(found.slope.estimate)
    assert math.isnan(found.slope.p)
    assert math.isnan(found.intercept.low)
