"""Choices among given words: against loops over facts, scipy and statsmodels."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from maskaudit.audit.estimating.estimate import Estimated, estimate
from maskaudit.audit.estimating.statistics import proportions
from maskaudit.audit.recording import tables
from tests.estimate_oracles import PAIR, design, row_of

# The log p of right words, and of wrong ones.
Words = tuple[Sequence[float], Sequence[float]]
# By model, kind and fact.
Choices = Mapping[str, Mapping[str, Mapping[str, Words]]]


def estimated(choices: Choices, *plain: str, clustered: bool = True) -> Estimated:
    """Return the estimates of facts with words to choose from; none wrong: without a choice."""
    items, scores = {}, []
    for model, by_kind in choices.items():
        for kind, by_fact in by_kind.items():
            for fact, words in by_fact.items():
                for label, values in zip(("right", "wrong"), words, strict=True):
                    for n, value in enumerate(values):
                        name = f"{fact}-{kind}-{label}{n}"
                        items[name] = {
                            "probe_set": "words", "kind": "cloze", "axis": "limitations",
                            "frame": f"{fact}-{kind}", "class": kind, "role": "probe",
                            "cluster": fact if clustered else "", "label": label,
                            "context": f"{fact}-{kind}", "target": name, "item": name,
                        }  # fmt: skip
                        is_lost = math.isnan(value)
                        scores.append(
                            {"item": name, "model": model, "measure": "logp", "value": value,
                             "rank": None if is_lost else 7, "pieces": None if is_lost else 1 + n,
                             "status": "target_unknown" if is_lost else "ok"}
                        )  # fmt: skip
    return estimate(
        tables.table("items", list(items.values())),
        tables.table("scores", scores),
        [design("words", axis="limitations", contrast=None, plain=plain)],
    )


def drawn(seed: int, n_facts: int = 12) -> Choices:
    """Return two models, a plain kind of two words and another of three; two of these are right."""
    rng = np.random.default_rng(seed)
    sizes = {"plain": (1, 1), "other": (2, 1)}
    return {
        model: {
            kind: {
                f"f{n}": (
                    (rng.normal(-2, 1, right)).tolist(), rng.normal(-2.5, 1, wrong).tolist()
                )
                for n in range(n_facts)
            }
            for kind, (right, wrong) in sizes.items()
        }
        for model in PAIR
    }  # fmt: skip


def hits_of(choices: Mapping[str, Words]) -> list[bool]:
    """Return whether the best right word is likelier than the best wrong one."""
    return [max(right) > max(wrong) for right, wrong in choices.values()]


@pytest.mark.parametrize("seed", range(3))
def test_a_choice_is_right_where_a_right_word_is_the_likeliest(seed: int) -> None:
    """Wilson's interval, the binomial tail against a choice by lot, McNemar's exact test."""
    choices = drawn(seed)
    found = estimated(choices, "plain")
    for kind, lot in (("plain", 1 / 2), ("other", 2 / 3)):
        hits = {model: hits_of(choices[model][kind]) for model in PAIR}
        for model, own in hits.items():
            row = row_of(found, model, f"relation={kind}", "choice_accuracy")
            assert row["estimate"] == pytest.approx(sum(own) / 12)
            assert row["null_value"] == pytest.approx(lot)
            limits = proportion_confint(sum(own), 12, method="wilson")
            assert (row["low"], row["high"]) == pytest.approx(limits)
            tails = stats.binom.cdf(sum(own), 12, lot), stats.binom.sf(sum(own) - 1, 12, lot)
            assert row["p"] == pytest.approx(min(1, 2 * min(tails)))
        pairs = list(zip(*hits.values(), strict=True))
        table = [[pairs.count((a, b)) for b in (True, False)] for a in (True, False)]
        row = row_of(found, "difference", f"relation={kind}", "choice_accuracy")
        assert row["estimate"] == pytest.approx((sum(hits[PAIR[1]]) - sum(hits[PAIR[0]])) / 12)
        assert row["p"] == pytest.approx(min(1.0, mcnemar(table, exact=True).pvalue))
    whole = row_of(found, "candidate", "all", "choice_accuracy")
    assert whole["null_value"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    drops = np.subtract(*(np.array(hits_of(own), float) for own in choices["candidate"].values()))
    row = row_of(found, "candidate", "relation=other", "choice_accuracy_drop")
    assert row["estimate"] == pytest.approx(drops.mean())
    assert (row["low"], row["high"]) == pytest.approx(
        tuple(stats.ttest_1samp(drops, 0).confidence_interval())
    )


def test_sentences_of_one_fact_are_worth_one_trial() -> None:
    """In all kinds together, p is that of twelve trials, with as large a share of hits."""
    one = drawn(4)["candidate"]
    row = row_of(estimated({"candidate": one}), "candidate", "all", "choice_accuracy")
    hits = sum(sum(hits_of(own)) for own in one.values()) / 2
    # Whole hits have the binomial's own tails; between them p lies between.
    tails = [
        min(1, 2 * min(stats.binom.cdf(k, 12, 7 / 12), stats.binom.sf(k - 1, 12, 7 / 12)))
        for k in (math.floor(hits), math.ceil(hits))
    ]
    assert min(tails) - 1e-9 <= row["p"] <= max(tails) + 1e-9


@pytest.mark.parametrize(("hits", "chance"), [(0, 0.5), (5, 0.5), (9, 0.5), (3, 0.25), (9, 0.25)])
def test_the_tails_of_independent_trials_are_the_binomial_s(hits: int, chance: float) -> None:
    """Twice the smaller one, at most 1."""
    own = np.arange(9) < hits
    labels = np.array([f"{n}" for n in range(9)])
    tails = stats.binom.cdf(hits, 9, chance), stats.binom.sf(hits - 1, 9, chance)
    p = proportions.exact_of_clusters(own, labels, chance)
    assert p == pytest.approx(min(1, 2 * min(tails)))


def test_a_model_that_finds_all_words_alike_has_chosen_nothing() -> None:
    """A tie is no hit."""
    alike = {"plain": {f"f{n}": ([-3.0], [-3.0]) for n in range(8)}}
    row = row_of(estimated({"candidate": alike}), "candidate", "all", "choice_accuracy")
    assert row["estimate"] == 0


def test_a_word_that_one_model_cannot_read_leaves_the_fact_out_for_both() -> None:
    """Of the choice alone: its answer could be read, and counts in the accuracy."""
    choices = drawn(6)
    lost = {**choices["candidate"], "plain": {**choices["candidate"]["plain"]}}
    lost["plain"]["f3"] = (lost["plain"]["f3"][0], [math.nan])
    found = estimated({"reference": choices["reference"], "candidate": lost})
    for model in PAIR:
        row = row_of(found, model, "relation=plain", "choice_accuracy")
        assert row["n_frames"] == 11
        kept = {f: words for f, words in choices[model]["plain"].items() if f != "f3"}
        assert row["estimate"] == pytest.approx(sum(hits_of(kept)) / 11)
        assert row_of(found, model, "relation=plain", "accuracy@1")["n_frames"] == 12
    assert found.left_out == []


def test_a_model_and_its_copy_choose_alike() -> None:
    """The difference is exactly 0, in shares and in drops; changed places turn its sign."""
    one = drawn(7)
    same = estimated(dict.fromkeys(PAIR, one["candidate"]), "plain")
    for name in ("choice_accuracy", "choice_accuracy_drop"):
        row = row_of(same, "difference", "relation=other", name)
        assert [row[part] for part in ("estimate", "low", "high", "p")] == [0, 0, 0, 1]
        turned = {"reference": one["candidate"], "candidate": one["reference"]}
        values = [
            row_of(estimated(own, "plain"), "difference", "relation=other", name)["estimate"]
            for own in (one, turned)
        ]
        assert values[0] == -values[1]


def test_facts_without_words_to_choose_from_have_no_choice() -> None:
    """Beside those that have them they do not count."""
    one = {"plain": {**drawn(8)["candidate"]["plain"], "open": ([-1.0], [])}}
    row = row_of(estimated({"candidate": one}), "candidate", "all", "choice_accuracy")
    assert row["n_frames"] == 12
    none = {"plain": {f"f{n}": ([-1.0], []) for n in range(8)}}
    found = estimated({"candidate": none}).estimates
    assert "choice_accuracy" not in set(found["estimator"])
