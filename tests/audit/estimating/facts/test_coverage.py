"""How often the intervals on facts in several kinds hold the truth, in worlds that are made up."""

from itertools import combinations

import numpy as np
import pytest

from maskaudit.audit.estimating.estimators import per_unit
from maskaudit.audit.estimating.statistics import anova, clusters, proportions

N_WORLDS, N_FACTS, N_KINDS = 1000, 36, 7


def right(rng: np.random.Generator, n_facts: int, cost: float) -> np.ndarray:
    """Return which facts are filled right in a plain kind and in six that cost some logits.

    Facts are easy or hard, with a standard deviation of 1.5 logits.
    """
    easy = rng.normal(0.8, 1.5, n_facts)[:, None] - np.array([0.0] + [cost] * (N_KINDS - 1))
    return rng.random((n_facts, N_KINDS)) < 1 / (1 + np.exp(-easy))


@pytest.mark.slow
def test_a_drop_is_in_its_interval_nineteen_times_of_twenty() -> None:
    """And a kind that costs nothing is called costly in at most one of twenty."""
    rng = np.random.default_rng(0)
    for cost in (0.0, 0.5, 1.5):
        many = right(np.random.default_rng(1), 400_000, cost)
        truth = many[:, 0].mean() - many[:, 1].mean()
        held, called = 0, 0
        for _ in range(N_WORLDS):
            hits = right(rng, N_FACTS, cost)
            changes = hits[:, 0].astype(int) - hits[:, 1]
            found = anova.frame_interval(changes.astype(float), null_value=0.0)
            held += bool(found.low <= truth <= found.high)
            called += proportions.sign_flips(changes) < 0.05
        assert 0.93 <= held / N_WORLDS <= 0.97
        assert cost or called / N_WORLDS <= 0.05


@pytest.mark.slow
def test_all_kinds_together_are_worth_their_facts_and_not_their_sentences() -> None:
    """Counted as sentences, the interval of seven kinds holds the truth three times of four."""
    rng = np.random.default_rng(2)
    truth = right(np.random.default_rng(1), 400_000, 0.5).mean()
    facts = np.repeat(np.arange(N_FACTS).astype(str), N_KINDS)
    held = {"facts": 0, "sentences": 0}
    for _ in range(N_WORLDS):
        hits = right(rng, N_FACTS, 0.5).ravel()
        for name, found in (
            ("facts", proportions.wilson_of_clusters(hits, facts)),
            ("sentences", proportions.wilson(int(hits.sum()), len(hits))),
        ):
            held[name] += bool(found.low <= truth <= found.high)
    assert held["facts"] / N_WORLDS >= 0.95
    assert held["sentences"] / N_WORLDS <= 0.85


@pytest.mark.slow
def test_consistency_is_in_its_interval_as_often_as_the_method_says() -> None:
    """.95 with 36 facts; .91 where most facts are filled otherwise in each of five wordings."""
    rng = np.random.default_rng(3)
    for shape, least in (((1, 1), 0.93), ((2, 5), 0.88)):
        own = np.random.default_rng(1).beta(*shape, 1_000_000)
        truth = (own**2).mean()
        held = 0
        for _ in range(N_WORLDS):
            sure = rng.beta(*shape, N_FACTS)[:, None]
            # A fact has its own word in a wording with its own chance, else one of no other's.
            words = np.where(rng.random((N_FACTS, 5)) < sure, 0, 1 + np.arange(5))
            same = sum(words[:, i] == words[:, j] for i, j in combinations(range(5), 2))
            columns = np.column_stack([same, np.full(N_FACTS, 10.0)])
            found = clusters.jackknife(columns, per_unit)
            held += bool(found.low <= truth <= found.high)
        assert least <= held / N_WORLDS <= 0.97
