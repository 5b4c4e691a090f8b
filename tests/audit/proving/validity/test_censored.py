"""Where fills are censored, bounds hold the truth and intervals cover it, in known worlds."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from maskaudit.audit.payloads.answered import Served as Fill
from maskaudit.audit.payloads.likeliest import Likeliest, Rounding, Spelling
from maskaudit.audit.proving.validity.numbers import censored
from maskaudit.audit.proving.validity.numbers.censored import AS_ZERO, Served
from maskaudit.audit.proving.validity.simulate import Crossed

SMALL = Crossed(12, 8, (0.5, 0.5, 1.0))


@pytest.mark.parametrize("decimals", [4, None])
@pytest.mark.parametrize("k", [5, 40])
def test_a_world_has_the_bounds_that_the_audit_reads_from_its_answers(
    decimals: int | None, k: int
) -> None:
    """Cell by cell, from a list of fills; both ends hold the truth."""
    world = Served(SMALL, k, decimals, pieces=300)
    drawn = world.draw(np.random.default_rng(2))
    assert drawn.hold
    rest = censored._others(300, 2.5, k)
    rng = np.random.default_rng(2)
    SMALL.draw(rng)
    rng.standard_normal(drawn.p[0].shape)
    chosen = rest[rng.integers(len(rest), size=drawn.p[0].shape)]
    n_absent = 0
    # The audit widens what is given by what a softmax in float32 is off by, and the world does not.
    off = 2**-15
    for place in np.ndindex(drawn.p[0].shape):
        own = [float(p[place]) for p in drawn.p]
        others = chosen[place] * (1 - sum(own))
        named = [*zip(own, ("she", "he"), strict=True)]
        named += [(float(p), f"w{n}") for n, p in enumerate(others)]
        named.sort(reverse=True)
        fills = tuple(
            Fill(p if decimals is None else round(p, decimals), word) for p, word in named[:k]
        )
        rounding = Rounding(18, 17) if decimals is None else Rounding(decimals, decimals)
        read = Likeliest(rounding, Spelling(is_cased=True, has_spaces=False))
        for n, word in enumerate(("she", "he")):
            low, high = read.of(word, fills)
            n_absent += low == 0
            assert drawn.low[n][place] == pytest.approx(low, abs=off)
            assert drawn.high[n][place] == pytest.approx(high, abs=off)
    assert n_absent


@pytest.mark.parametrize("world", censored.WORLDS[:3])
def test_the_truth_is_that_of_all_attributes_and_frames(world: Served) -> None:
    """By an integral in place of a sum over nodes."""
    sd = float(np.sqrt(np.square(world.table.sd).sum()))
    half = world.contrast / 2
    expected, _ = integrate.quad(
        lambda z: (special.expit(sd * z + half) - special.expit(sd * z - half)) * stats.norm.pdf(z),
        -9,
        9,
    )
    assert world.truth == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
def test_every_bound_holds_and_intervals_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    """With few repetitions a window beside the bar of an interval; none of a bound."""
    monkeypatch.setattr(censored, "_TABLES", 200)
    cells, intervals = censored.tables(100, 1)
    assert all(row.measured.value == 1 for row in cells.rows)
    for row in intervals.rows:
        assert row.bar is not None
        assert row.measured.value >= row.bar.low - 3 * row.measured.error - 0.02, row.what
    worst = intervals["60 × 20, 20 fills, 4 decimals, both words 0.005: the truth"]
    assert worst.beside[AS_ZERO].value < 0.5 < worst.measured.value
