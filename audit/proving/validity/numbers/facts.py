"""Coverage of shares of facts: right answers, choices, costs of a kind of sentence, consistency."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.estimators import per_unit
from maskaudit.audit.estimating.statistics import clusters, proportions
from maskaudit.audit.estimating.statistics.crossed import anova
from maskaudit.audit.estimating.statistics.interval import Interval
from maskaudit.audit.proving.validity.numbers.intervals import Trial, covers
from maskaudit.audit.proving.validity.table import Bar, Row, Table, repeat, share

# What is asked of an interval, of one that is wide on purpose, and of a test at .05.
COVERED, WIDE, FALSE = Bar(0.93, 0.97), Bar(low=0.93), Bar(high=0.06)
WORDS = 4
ALPHA = 0.05
_MANY = 100_000


@dataclass(frozen=True)
class Facts:
    """Facts that are easy or hard, each asked for in some kinds of sentence, of two models.

    In logits: facts have the standard deviation `sd` around `easy`, a model's own difference of a
    fact has `own`, a kind but the first costs `cost`, and the candidate is lower by `worse`.
    `relations` have the standard deviation `apart`; they are the same in every repetition.
    """

    facts: int = 40
    kinds: int = 1
    easy: float = 0.8
    sd: float = 1.5
    own: float = 0.7
    cost: float = 0.5
    worse: float = 0.4
    relations: int = 1
    apart: float = 0.0

    def draw(
        self, rng: np.random.Generator, of: NDArray[np.int_], *, own: bool
    ) -> NDArray[np.bool_]:
        """Whether each model is right, [models, facts, kinds]; `of` has the relation of each fact.

        With `own` the relations are drawn too, as if they were a sample.
        """
        # A seed of its own: the relations are those of the set, the same in every repetition.
        fixed = rng if own else np.random.default_rng(0)
        heights = fixed.normal(0, self.apart, self.relations)[of]
        easy = self.easy + heights + rng.normal(0, self.sd, len(of))
        by_model = easy + rng.normal(0, self.own, (2, len(of))) - [[0.0], [self.worse]]
        costs = np.array([0.0] + [self.cost] * (self.kinds - 1))
        chance = 1 / (1 + np.exp(costs - by_model[:, :, None]))
        return rng.random(chance.shape) < chance

    @property
    def without_relations(self) -> "Facts":
        """The same facts, each as if of a relation of its own."""
        return replace(self, relations=1, apart=0.0, sd=float(np.hypot(self.sd, self.apart)))

    @property
    def relation_of(self) -> NDArray[np.int_]:
        """The relation of each fact, in turn."""
        return np.arange(self.facts) % self.relations


WORLDS = {
    "40 facts": Facts(),
    "100 facts in 8 relations": Facts(facts=100, relations=8, apart=1.0),
    "100 facts, 9 of 10 right": Facts(facts=100, easy=4.0),
    "36 facts in 7 kinds": Facts(facts=36, kinds=7),
}


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    return [_shares(repetitions, seed), _kinds(repetitions, seed)]


def _shares(repetitions: int, seed: int) -> Table:
    """Tabulate the coverage of shares, and of what two models differ by."""
    rows = []
    for name, world in WORLDS.items():
        results = repeat(_share_trial(world), repetitions, seed, f"facts, {name}")
        bar = WIDE if world.kinds > 1 else COVERED
        beside = "sentences as independent"
        rows += [
            Row(f"{name}: share of a model", share(results[0]), bar, {beside: share(results[2])}),
            Row(f"{name}: difference", share(results[1]), COVERED, {beside: share(results[3])}),
        ]
    sampled = Facts(facts=100, relations=8, apart=1.0)
    results = repeat(_share_trial(sampled, own=True), repetitions, seed, "facts, sampled")
    rows.append(Row("100 facts in 8 relations, held against all relations", share(results[0])))
    lot = repeat(_lot_trial(36, 3), repetitions, seed, "facts, lot")
    rows.append(Row(f"a choice of {WORDS} words by lot: p < .05", share(lot[0]), FALSE))
    rows.append(Row(f"a choice of {WORDS} words by lot: coverage", share(lot[1]), WIDE))
    return Table(
        "95 % intervals of shares of facts",
        "`accuracy@1` and `choice_accuracy`. Facts are easy or hard with a standard deviation of "
        "1.5 logits, and .7 for each of two models beside; they are the sample, and relations are "
        "those of the set: held against all relations that might have been asked the interval is "
        "too narrow, and nobody should read it so. Sentences that ask for one fact are one "
        "cluster: the interval of a share then is that of as many facts, the fewest that they can "
        "be worth, and is too wide rather than too narrow. By lot: 36 facts of which a model knows "
        "none, in three kinds, as a model that has one habit for each fact fills them.",
        tuple(rows),
    )


def _kinds(repetitions: int, seed: int) -> Table:
    """Tabulate the coverage of what a kind of sentence costs, and of consistency."""
    rows = []
    for cost in (0.0, 0.5, 1.5):
        world = Facts(facts=36, kinds=2, cost=cost)
        what = f"{world.facts} facts, a kind that costs {cost:g} logits"
        results = repeat(_drop_trial(world), repetitions, seed, f"drops, {what}")
        rows += [
            Row(f"{what}: of a model", share(results[0]), COVERED),
            Row(f"{what}: of the difference", share(results[1]), COVERED),
        ]
        if cost == 0:
            rows.append(Row(f"{what}: p < .05", share(results[2]), FALSE))
    for shape, bar in (((1, 1), COVERED), ((2, 5), None)):
        what = f"consistency of 36 facts in 5 wordings, alike by chances of Beta{shape}"
        results = repeat(_alike_trial(36, 5, shape), repetitions, seed, what)
        rows.append(Row(what, share(results[0]), bar))
    return Table(
        "95 % intervals of what a kind of sentence costs, and of consistency",
        "`accuracy_drop@1` is paired by fact, in the worlds of the table before; the second row of "
        "each is whether it costs one model more. `consistency` has the facts as clusters of pairs "
        "of sentences; where few sentences of a fact are filled alike and facts differ much, 36 "
        "facts are few, and the interval holds the truth less often than it says.",
        tuple(rows),
    )


def intervals_of_shares(hits: NDArray[np.bool_]) -> tuple[Interval, Interval]:
    """The candidate's share and its difference to the reference, as `shares` makes them.

    `hits` is [models, facts, kinds]; the kinds of a fact are one cluster.
    """
    _, n_facts, kinds = hits.shape
    change = (hits[1].astype(float) - hits[0]).sum(axis=1)
    labels = np.repeat(np.arange(n_facts).astype(str), kinds)
    own = proportions.wilson_of_clusters(hits[1].ravel(), labels)
    if kinds == 1:
        return own, anova.frame_interval(change, null_value=0.0)
    columns = np.column_stack([change, np.full(n_facts, float(kinds))])
    return own, clusters.jackknife(columns, per_unit, null_value=0.0)


def intervals_of_drops(hits: NDArray[np.bool_]) -> tuple[Interval, Interval, float]:
    """What the second kind costs the candidate, and more than the reference, as `drops` has them.

    `hits` is [models, facts, 2]; the third is the exact p of the first.
    """
    changes = hits[:, :, 0].astype(int) - hits[:, :, 1]
    own, more = (
        anova.frame_interval(one.astype(float), null_value=0.0)
        for one in (changes[1], changes[1] - changes[0])
    )
    return own, more, proportions.sign_flips(changes[1])


def _share_trial(world: Facts, *, own: bool = False) -> Trial:
    relations = np.arange(_MANY) % world.relations
    # Relations that are a sample have the shares of facts that are each of another one.
    truth = _shares_of(world, relations) if not own else _shares_of(world.without_relations)

    def trial(rng: np.random.Generator) -> Sequence[float]:
        drawn = world.draw(rng, world.relation_of, own=own)
        share_, difference = intervals_of_shares(drawn)
        # The same as if every sentence were a fact of its own.
        flat = drawn.reshape(2, -1, 1)
        one, other = intervals_of_shares(flat)
        apart = truth[1] - truth[0]
        return [
            covers(share_, truth[1]),
            covers(difference, apart),
            covers(one, truth[1]),
            covers(other, apart),
        ]

    return trial


def _shares_of(world: Facts, relations: NDArray[np.int_] | None = None) -> NDArray[np.float64]:
    """Each model's share of many facts."""
    of = np.zeros(_MANY, dtype=int) if relations is None else relations
    means: NDArray[np.float64] = world.draw(np.random.default_rng(1), of, own=False).mean((1, 2))
    return means


def _lot_trial(n_facts: int, kinds: int) -> Trial:
    """A model that knows nothing: the same word by lot in every kind of sentence of a fact."""
    labels = np.repeat(np.arange(n_facts).astype(str), kinds)

    def trial(rng: np.random.Generator) -> Sequence[float]:
        right = np.repeat(rng.random(n_facts) < 1 / WORDS, kinds)
        p = proportions.exact_of_clusters(right, labels, 1 / WORDS)
        return [p < ALPHA, covers(proportions.wilson_of_clusters(right, labels), 1 / WORDS)]

    return trial


def _drop_trial(world: Facts) -> Trial:
    many = world.draw(np.random.default_rng(1), np.zeros(_MANY, dtype=int), own=False)
    costs = (many[:, :, 0].astype(float) - many[:, :, 1]).mean(axis=1)

    def trial(rng: np.random.Generator) -> Sequence[float]:
        own, more, p = intervals_of_drops(world.draw(rng, world.relation_of, own=False))
        return [covers(own, costs[1]), covers(more, costs[1] - costs[0]), p < ALPHA]

    return trial


def _alike_trial(n_facts: int, wordings: int, shape: tuple[int, int]) -> Trial:
    """A fact has its own word in a wording by its own chance, else a word that no other has."""
    first, second = shape
    # The mean of a squared Beta: the chance that two wordings have the fact's own word.
    truth = first * (first + 1) / ((first + second) * (first + second + 1))
    pairs = wordings * (wordings - 1) / 2

    def trial(rng: np.random.Generator) -> Sequence[float]:
        own = rng.binomial(wordings, rng.beta(first, second, n_facts))
        columns = np.column_stack([own * (own - 1) / 2, np.full(n_facts, pairs)])
        return [covers(clusters.jackknife(columns, per_unit), truth)]

    return trial
