"""Type I error of tests under null hypotheses: label swaps, sign flips, paired answers."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from scipy import stats

from maskaudit.audit.estimating.statistics import permutation, proportions
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.interval import Interval
from maskaudit.audit.proving.validity.numbers.intervals import covers
from maskaudit.audit.proving.validity.simulate import Crossed
from maskaudit.audit.proving.validity.table import (
    Bar,
    Measured,
    Row,
    Table,
    generator,
    repeat,
    share,
)

ALPHA = 0.05
WORLD = Crossed(40, 20, (0.5, 0.5, 1.0))
# Label swaps of 20 frames are sampled; those of 8 frames are few enough to be enumerated.
SWAPPED = (WORLD, Crossed(40, 8, (0.5, 0.5, 1.0)))
RESAMPLES = 499
ITEMS = (60, 262, 1508)
SHARES = (0.5, 0.6, 0.9)
DISAGREE = 0.1
# Counts less probable than this cannot change the sum of `_coverage`, and are skipped to save time.
_NEVER = 1e-12
Trial = Callable[[np.random.Generator], Sequence[float]]


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    return [swaps(repetitions, seed), shares(), answers(repetitions, seed)]


def swaps(repetitions: int, seed: int) -> Table:
    """Tabulate rejections: label swaps under the sharp null, mean tests under the weak null."""
    rows = []
    for world in SWAPPED:
        name = f"sharp null, {world}: label swaps"
        (rejected,) = map(share, repeat(_swap_trial(world), repetitions, seed, name))
        rows.append(Row(name, rejected, Bar(high=0.06)))
    results = repeat(_flip_trial(WORLD, seed), repetitions, seed, "weak null")
    two_way, flips = map(share, results)
    name = f"mean zero, {WORLD}: two-way interval"
    rows.append(Row(name, two_way, Bar(0.04, 0.06), {"flips of cells": flips}))
    return Table(
        "Tests at .05 where there is nothing to find",
        "How often they reject. Under the sharp null each frame's cells change sign together at "
        "random, as when the labels of the two groups mean nothing; `permutation.label_swap` tests "
        "the association. Under the weak null attributes and frames do lean, and zero on average; "
        "the test is that of `mean_interval`. Beside: random signs of single cells, which "
        "suppose that cells are independent.",
        tuple(rows),
    )


def shares() -> Table:
    """Tabulate the exact coverage of both intervals of a share, summed over all outcomes."""
    return Table(
        "95 % intervals of a share of independent pairs",
        "Coverage of `proportions.wilson`, beside that of `proportions.exact`, by the sum over all "
        "that can be observed: no number was drawn.",
        tuple(
            Row(
                f"n = {n}, share {100 * p:g} %",
                Measured(_coverage(proportions.wilson, n, p)),
                beside={"exact": Measured(_coverage(proportions.exact, n, p))},
            )
            for n, p in product(ITEMS, SHARES)
        ),
    )


def answers(repetitions: int, seed: int) -> Table:
    """Tabulate rejections for two equally good models on the same items."""
    rows = []
    for n in ITEMS:
        name = f"n = {n}"
        results = repeat(_answers_trial(n), repetitions, seed, f"answers, {name}")
        exact, unpaired = map(share, results)
        rows.append(Row(name, exact, beside={"unpaired z": unpaired}))
    return Table(
        "Two models that answer equally well",
        "How often a test at .05 finds a difference where the two disagree on "
        f"{100 * DISAGREE:g} % of the items, by chance: `proportions.mcnemar`. Beside: the z test "
        "of two samples, which does not know that the items are the same, and hardly ever would "
        "find a difference.",
        tuple(rows),
    )


def _swap_trial(world: Crossed) -> Trial:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells = world.draw(rng) * rng.choice([-1.0, 1.0], world.frames)
        return (permutation.label_swap(cells, rng, resamples=RESAMPLES) <= ALPHA,)

    return trial


def _flip_trial(world: Crossed, seed: int) -> Trial:
    """Return a trial of two tests of a zero mean: the two-way interval and random signs of cells.

    The signs are the same in all repetitions, to save time.
    """
    shape = (RESAMPLES, world.attributes * world.frames)
    signs = generator(seed, "signs").choice(np.array([-1.0, 1.0]), shape)

    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells = world.draw(rng)
        flipped = np.abs(signs @ cells.ravel())
        # The observed signs count as one of the resamples, so p is never 0.
        p = (1 + (flipped >= abs(cells.sum())).sum()) / (1 + RESAMPLES)
        return crossed_means.mean_interval(cells, null_value=0.0).p <= ALPHA, p <= ALPHA

    return trial


def _answers_trial(n: int) -> Trial:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        first = rng.random(n) < 0.5  # noqa: PLR2004 - right half of the time
        # Flipped answers turn right and wrong alike, so both models remain right half of the time.
        second = first ^ (rng.random(n) < DISAGREE)
        difference, p = first.mean() - second.mean(), (first.mean() + second.mean()) / 2
        z = abs(difference) / np.sqrt(2 * p * (1 - p) / n)
        return proportions.mcnemar(first, second) <= ALPHA, 2 * stats.norm.sf(z) <= ALPHA

    return trial


def _coverage(method: Callable[[int, int], Interval], n: int, p: float) -> float:
    """Return the total probability of the counts whose interval contains the share `p`."""
    chances = stats.binom.pmf(np.arange(n + 1), n, p)
    likely = np.flatnonzero(chances > _NEVER)
    return float(sum(chances[k] for k in likely if covers(method(int(k), n), p)))
