"""What other numbers of frames and attributes would give, against tables that have them."""

import math

import numpy as np
import pytest

from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.d_study import Needed, needed, planned
from maskaudit.audit.estimating.statistics.interval import student


def table(rng: np.random.Generator, attributes: int, frames: int) -> np.ndarray:
    """Return cells with effects of attributes (SD .6), frames (.3) and both (.8)."""
    shape = (attributes, frames)
    effects = rng.normal(0, 0.6, (attributes, 1)) + rng.normal(0, 0.3, (1, frames))
    return effects + rng.normal(0, 0.8, shape)


def mean_variance(attributes: int, frames: int, *, of_frames: bool = False) -> float:
    """Return the average variance of the contrast's estimate, or its frames' part."""
    rng = np.random.default_rng(3)
    found = [
        crossed_means.contrast_interval(
            table(rng, attributes, frames), table(rng, attributes, frames)
        )
        for _ in range(300)
    ]
    values = [one.v_frames if of_frames else one.std_error**2 for one in found]
    return float(np.mean(values))


@pytest.mark.parametrize(("times", "shape"), [("frames", (12, 48)), ("attributes", (48, 12))])
def test_a_larger_table_has_the_error_that_was_planned(times: str, shape: tuple[int, int]) -> None:
    """On average over tables, and from the parts of the small one alone."""
    before, of_frames = mean_variance(12, 12), mean_variance(12, 12, of_frames=True)
    small = student(0.0, before, 1000.0, v_frames=of_frames)
    expected = math.sqrt(mean_variance(*shape))
    half = getattr(planned(small, 4), times)
    quantile = (small.high - small.low) / 2 / small.std_error
    # What frames and attributes share falls with either, and is counted with frames alone: with
    # more attributes the plan is a little too wide, and never too narrow.
    assert 0.97 * expected < half / quantile < 1.12 * expected


def test_what_falls_with_frames_alone_is_halved_by_four_times_as_many() -> None:
    """And four times as many attributes do nothing then."""
    only = student(1.0, 0.04, 20.0, v_frames=0.04)
    half = (only.high - only.low) / 2
    found = planned(only, 4)
    assert found.frames == pytest.approx(half / 2)
    assert found.attributes == pytest.approx(half)
    assert found.both == pytest.approx(half / 2)
    assert found.bottleneck == "frames"


def test_as_many_as_today_give_the_interval_of_today() -> None:
    """Whatever its parts are."""
    today = student(0.3, 0.09, 11.0, v_frames=0.02)
    found = planned(today, 1)
    half = (today.high - today.low) / 2
    assert [found.frames, found.attributes, found.both] == pytest.approx([half] * 3)
    assert found.bottleneck == ""


def test_a_model_against_itself_has_nothing_to_plan() -> None:
    """Its interval is a point, and stays one."""
    assert planned(student(0.0, 0.0, 5.0, v_frames=0.0), 2).both == 0.0


@pytest.mark.parametrize("times", [0, -1])
def test_no_frames_at_all_are_no_plan(times: float) -> None:
    """A refusal, and not an infinite width."""
    with pytest.raises(ValueError, match="expected a number above 0"):
        planned(student(0.0, 1.0, 5.0, v_frames=0.5), times)


@pytest.mark.parametrize("half_width", [0.1, 0.25, 0.45])
@pytest.mark.parametrize("part", ["frames", "attributes", "both"])
def test_as_many_as_are_needed_give_the_width_that_was_asked(half_width: float, part: str) -> None:
    """Found again by halving: the least factor whose plan is no wider; none for what one can't."""
    today = student(0.3, 0.09, 11.0, v_frames=0.02)
    low, high = 1.0, 1e9
    if getattr(planned(today, high), part) > half_width:
        assert getattr(needed(today, half_width), part) == math.inf
        return
    for _ in range(200):
        middle = math.sqrt(low * high)
        is_enough = getattr(planned(today, middle), part) <= half_width
        low, high = (low, middle) if is_enough else (middle, high)
    assert getattr(needed(today, half_width), part) == pytest.approx(high)


def test_what_is_known_well_enough_needs_no_more() -> None:
    """An interval that is narrower already, a point among them."""
    assert needed(student(0.3, 0.09, 11.0, v_frames=0.02), 5.0) == Needed(1, 1, 1)
    assert needed(student(0.0, 0.0, 5.0, v_frames=0.0), 0.1) == Needed(1, 1, 1)
    with pytest.raises(ValueError, match="expected a number above 0"):
        needed(student(0.3, 0.09, 11.0, v_frames=0.02), 0.0)


def test_where_the_frames_part_is_unknown_only_both_are_known() -> None:
    """Clusters of a table with gaps do not say what frames add."""
    found = needed(student(0.3, 0.09, 11.0, v_frames=math.nan), 0.25)
    assert [math.isnan(found.frames), math.isnan(found.attributes)] == [True, True]
    assert found.both > 1
