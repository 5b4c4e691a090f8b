"""Intervals of shares of facts hold the truth in worlds whose truth is worked out otherwise."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

from maskaudit.audit.estimating.facts.drops import drops
from maskaudit.audit.estimating.facts.shares import shares
from maskaudit.audit.proving.validity.numbers import facts
from maskaudit.audit.proving.validity.numbers.facts import Facts

pytestmark = pytest.mark.slow

REPETITIONS, SEED = 200, 1


@pytest.fixture(scope="module")
def tables():
    """Both tables, of few repetitions."""
    return facts.tables(REPETITIONS, SEED)


def test_most_intervals_hold_the_truth(tables):
    """The bars are .93 and .97; with so few repetitions a window of three errors beside them."""
    for table in tables:
        for row in table.rows:
            if row.bar is None:
                continue
            slack = 3 * row.measured.error
            assert row.bar.low - slack <= row.measured.value <= row.bar.high + slack, row.what


def test_sentences_of_one_fact_are_no_sample_of_their_own(tables):
    """Counted as independent, they are held to be worth too much."""
    shares, _ = tables
    row = shares["36 facts in 7 kinds: share of a model"]
    assert row.beside["sentences as independent"].value < 0.9 < row.measured.value
    sampled = shares["100 facts in 8 relations, held against all relations"]
    assert sampled.measured.value < 0.9


@pytest.mark.parametrize("world", [Facts(kinds=3, cost=1.5), Facts(easy=2.0, sd=0.5)])
def test_a_world_has_the_shares_that_its_numbers_imply(world):
    """By an integral over the height of a fact in place of draws."""
    drawn = world.draw(np.random.default_rng(3), np.zeros(200_000, dtype=int), own=False)
    spread = float(np.hypot(world.sd, world.own))
    for model, worse in enumerate((0.0, world.worse)):
        for kind in range(world.kinds):
            middle = world.easy - worse - (world.cost if kind else 0.0)
            expected, _ = integrate.quad(
                lambda z, at=middle: special.expit(at + spread * z) * stats.norm.pdf(z), -8, 8
            )
            assert drawn[model, :, kind].mean() == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("shape", "expected"), [((1, 1), Fraction(1, 3)), ((2, 5), Fraction(3, 28))]
)
def test_two_wordings_are_alike_by_the_mean_of_a_squared_chance(shape, expected):
    """Drawn in pairs of words, and by hand: E p² is 1/3 of a uniform, 6/56 of Beta(2, 5)."""
    rng = np.random.default_rng(4)
    chance = rng.beta(*shape, 400_000)
    both = (rng.random((2, 400_000)) < chance).all(axis=0)
    assert both.mean() == pytest.approx(float(expected), abs=0.004)
    table = facts.tables(8, SEED)[1]
    assert any(f"Beta{shape}" in row.what for row in table.rows)


@pytest.mark.parametrize("kinds", [1, 3])
def test_the_intervals_are_those_of_an_audit(kinds):
    """The shares are the rows that an audit writes, and so is what a kind costs."""
    hits = Facts(kinds=kinds).draw(np.random.default_rng(6), np.zeros(40, dtype=int), own=False)
    names = [f"kind {kind}" for kind in range(kinds)]
    keys = [(name, f"{fact} {name}", f"{fact}") for fact in range(40) for name in names]
    index = pd.MultiIndex.from_tuples(keys, names=["class", "frame", "cluster"])
    table = pd.DataFrame(hits.reshape(2, -1).T, index=index, columns=["reference", "candidate"])
    rows = {row["subject"]: row for row in shares(table, "accuracy@1") if row["slice"] == "all"}
    found = facts.intervals_of_shares(hits)
    for row, interval in zip((rows["candidate"], rows["difference"]), found, strict=True):
        expected = [interval.estimate, interval.low, interval.high]
        assert [row["estimate"], row["low"], row["high"]] == pytest.approx(expected, abs=1e-12)
    if kinds > 1:
        rows = {
            row["subject"]: row
            for row in drops(table, ["kind 0"], "accuracy_drop@1")
            if row["slice"] == "relation=kind 1"
        }
        own, more, p = facts.intervals_of_drops(hits[:, :, :2])
        for row, interval in ((rows["candidate"], own), (rows["difference"], more)):
            assert [row["low"], row["high"]] == pytest.approx([interval.low, interval.high])
        assert rows["candidate"]["p"] == p
