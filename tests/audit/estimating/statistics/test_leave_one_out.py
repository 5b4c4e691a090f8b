"""Contrasts without each frame and each attribute, against contrasts of what is left."""

import math
from itertools import chain

import numpy as np
import pytest

from maskaudit.audit.estimating.statistics.crossed.leave_one_out import (
    without_attributes,
    without_frames,
)
from maskaudit.audit.estimating.statistics.crossed.means import contrast_interval
from tests import statistics_oracles as oracles
from tests.audit.estimating.statistics.test_styles_and_families import contrast_by_loops

NAMES = [(0.05, 4.0), (0.02, 6.0)]


def classes_of(seed, *, styles=1, share_missing=0.0):
    """Return cells of two classes of seven and five words, and the style of each of their frames.

    Words and frames have effects of their own, small, alike or large.
    """
    rng = np.random.default_rng(seed)
    own = [f"style {place % styles}" for place in range(4 * styles + 3)]
    rng.shuffle(own)
    of_frames = rng.normal(0, 3, len(own))
    pair = []
    for n in (7, 5):
        cells = rng.normal(0, 1, (n, len(own))) + rng.normal(0, rng.choice([0, 0.3, 2]), (n, 1))
        cells += of_frames + rng.normal(0, rng.choice([0, 0.5]), len(own))
        cells[rng.random(cells.shape) < share_missing] = np.nan
        pair.append(cells)
    return (*pair, own if styles > 1 else None)


def families_of(seed):
    """Return families of both classes, some of one word; no class is of one family."""
    rng = np.random.default_rng(seed)
    return tuple(
        [*"abc", *rng.choice(["a", "b", "c", "d", ""], n - 4).tolist(), "b"] for n in (7, 5)
    )


def without_each(first, second, styles, families=(None, None), names=()):
    """Return the contrasts without each frame, and those without each word, made one by one."""

    def contrast(one, other, own_styles, own_families):
        return contrast_interval(
            one, other, styles=own_styles, families=own_families, names=list(names)
        )

    def less(labels, place):
        return labels and [label for own, label in enumerate(labels) if own != place]

    of_first, of_second = families
    frames = [
        contrast(np.delete(first, j, 1), np.delete(second, j, 1), less(styles, j), families)
        for j in range(first.shape[1])
    ]
    words = chain(
        (
            contrast(np.delete(first, i, 0), second, styles, (less(of_first, i), of_second))
            for i in range(len(first))
        ),
        (
            contrast(first, np.delete(second, i, 0), styles, (of_first, less(of_second, i)))
            for i in range(len(second))
        ),
    )
    return frames, list(words)


def assert_are(found, expected):
    """Both limits of each interval are those expected, to rounding."""
    for own, name in ((found.low, "low"), (found.high, "high")):
        limits = [getattr(interval, name) for interval in expected]
        np.testing.assert_allclose(own, limits, rtol=1e-12, atol=1e-12)
    excluded = [interval.low > 0 or interval.high < 0 for interval in expected]
    assert found.leave_zero_out.tolist() == excluded


@pytest.mark.parametrize("share_missing", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("styles", [1, 3])
@pytest.mark.parametrize("has_families", [False, True])
def test_limits_are_those_of_what_is_left(styles, has_families, share_missing):
    """Of complete tables, of such with gaps that are filled, and of such with too many."""
    for seed in range(4):
        *cells, own = classes_of(seed, styles=styles, share_missing=share_missing)
        families = families_of(seed) if has_families else (None, None)
        names = NAMES if seed % 2 else []
        frames, words = without_each(*cells, own, families, names)
        more = {"styles": own, "families": families}
        assert_are(without_frames(*cells, **more, names=names), frames)
        assert_are(without_attributes(*cells, **more, names=[names] * 12), words)


@pytest.mark.parametrize("styles", [1, 3])
def test_limits_are_those_of_loops_over_what_is_left(styles):
    """Term by term, and nothing of the program."""
    first, second, own = classes_of(7, styles=styles)
    own = own or ["one"] * first.shape[1]
    found = without_frames(first, second, styles=own)
    for j in range(len(own)):
        left = [style for place, style in enumerate(own) if place != j]
        value, variance, df = contrast_by_loops(
            np.delete(first, j, 1), np.delete(second, j, 1), left
        )
        limits = oracles.limits(value, oracles.Spread(variance, df), 0.0)
        assert found.low[j] == pytest.approx(limits["low"], rel=1e-12)
        assert found.high[j] == pytest.approx(limits["high"], rel=1e-12)
    found = without_attributes(first, second, styles=own)
    for i in range(len(second)):
        value, variance, df = contrast_by_loops(first, np.delete(second, i, 0), own)
        limits = oracles.limits(value, oracles.Spread(variance, df), 0.0)
        assert found.low[len(first) + i] == pytest.approx(limits["low"], rel=1e-12)


def test_the_names_of_each_word_that_is_left_out_are_its_own():
    """A word has names of its own, so that each of these intervals has another part of names."""
    first, second, _ = classes_of(3)
    names = [[(0.01 * i, 4.0 + i)] for i in range(1, 13)]
    found = without_attributes(first, second, names=names)
    for i, own in enumerate(names):
        pair = (np.delete(first, i, 0), second) if i < 7 else (first, np.delete(second, i - 7, 0))
        expected = contrast_interval(*pair, names=own)
        assert found.low[i] == pytest.approx(expected.low, rel=1e-12)


def test_classes_without_any_difference_have_limits_of_exactly_0():
    """A model against itself differs in nothing, whatever is left out of it."""
    same = np.tile(np.array([0.1, 0.7, -1.3, 2.2, 0.3]), (4, 1))
    for found in (without_frames(same, same), without_attributes(same, same)):
        assert not found.low.any()
        assert not found.high.any()
        assert not found.leave_zero_out.any()
    apart = without_frames(same + 0.5, same)
    np.testing.assert_allclose(apart.low, 0.5, rtol=1e-7)
    assert apart.leave_zero_out.all()


def test_what_is_left_has_to_have_an_interval():
    """A style of one frame has none, whether there are gaps or not."""
    first, second, _ = classes_of(1)
    styles = ["talk", "talk", *["tale"] * (first.shape[1] - 2)]
    second_with_gap = second.copy()
    second_with_gap[0, 0] = np.nan
    for own in (second, second_with_gap):
        with pytest.raises(ValueError, match="expected at least 2 of each"):
            without_frames(first, own, styles=styles)
    assert math.isfinite(without_attributes(first, second, styles=styles).low[0])
