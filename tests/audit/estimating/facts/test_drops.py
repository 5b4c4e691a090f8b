"""What a kind of sentence costs: against loops over facts, scipy and statsmodels."""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from maskaudit.audit.estimating.estimate import Estimated, estimate
from maskaudit.audit.estimating.statistics import proportions
from maskaudit.audit.recording import tables
from tests.estimate_oracles import PAIR, design, row_of

# By model, kind and fact: whether each sentence of the fact in that kind is filled right.
Hits = Mapping[str, Mapping[str, Mapping[str, Sequence[bool]]]]


def estimated(hits: Hits, *plain: str) -> Estimated:
    """Return the estimates of facts that are asked in several kinds."""
    items, scores = {}, []
    for model, by_kind in hits.items():
        for kind, by_fact in by_kind.items():
            for fact, rights in by_fact.items():
                for number, right in enumerate(rights):
                    name = f"{fact}-{kind}-{number}"
                    items[name] = {
                        "probe_set": "kinds", "kind": "cloze", "axis": "limitations",
                        "frame": name, "class": kind, "cluster": fact, "role": "probe",
                        "label": "right", "context": name, "item": name,
                    }  # fmt: skip
                    scores.append(
                        {"item": name, "model": model, "measure": "logp", "value": -1.0,
                         "rank": 1 if right else 2, "pieces": 1, "status": "ok"}
                    )  # fmt: skip
    return estimate(
        tables.table("items", list(items.values())),
        tables.table("scores", scores),
        [design("kinds", axis="limitations", contrast=None, plain=plain)],
    )


def drawn(seed: int, n_facts: int = 14) -> Hits:
    """Return two models that agree on most facts, in a plain kind and two others."""
    rng = np.random.default_rng(seed)
    chances = {"plain": 0.8, "typo": 0.5, "upper": 0.7}
    return {
        model: {
            kind: {f"f{n}": [bool(rng.random() < chance)] for n in range(n_facts)}
            for kind, chance in chances.items()
        }
        for model in PAIR
    }


@pytest.mark.parametrize("seed", range(3))
def test_the_drop_of_a_kind_is_paired_by_fact(seed: int) -> None:
    """Student's t over facts and McNemar's exact p, as scipy and statsmodels have them."""
    hits = drawn(seed)
    found = estimated(hits, "plain")
    for kind in ("typo", "upper"):
        by_model = {}
        for model in PAIR:
            pairs = [(hits[model]["plain"][f][0], hits[model][kind][f][0]) for f in
                     hits[model]["plain"]]  # fmt: skip
            by_model[model] = [int(a) - int(b) for a, b in pairs]
            row = row_of(found, model, f"relation={kind}", "accuracy_drop@1")
            assert row["estimate"] == pytest.approx(sum(by_model[model]) / len(pairs))
            known = stats.ttest_1samp(by_model[model], 0).confidence_interval()
            assert (row["low"], row["high"]) == pytest.approx(tuple(known))
            table = [[pairs.count((a, b)) for b in (True, False)] for a in (True, False)]
            assert row["p"] == pytest.approx(min(1.0, mcnemar(table, exact=True).pvalue))
            assert row["n_frames"] == len(pairs)
        row = row_of(found, "difference", f"relation={kind}", "accuracy_drop@1")
        change = np.subtract(by_model["candidate"], by_model["reference"])
        assert row["estimate"] == pytest.approx(change.mean())
        known = stats.ttest_1samp(change, 0).confidence_interval()
        assert (row["low"], row["high"]) == pytest.approx(tuple(known))
        assert row["p"] == pytest.approx(by_enumeration(change.tolist()))
        assert "estimator:accuracy_drop@1:plain" in row["method"]
    of_plain = found.estimates["slice"] == "relation=plain"
    assert "accuracy_drop@1" not in set(found.estimates.loc[of_plain, "estimator"])


def by_enumeration(changes: Sequence[int]) -> float:
    """Return the share of all choices of signs whose sum is as far from 0."""
    signs = itertools.product((-1, 1), repeat=len(changes))
    sums = [abs(sum(s * c for s, c in zip(row, changes, strict=True))) for row in signs]
    return sum(total >= abs(sum(changes)) for total in sums) / len(sums)


@pytest.mark.parametrize("changes", [[], [0, 0], [2, -1, 0, 1, 1], [3, 3, 3, -2, 1, 0, 1]])
def test_the_exact_p_is_that_of_all_choices_of_signs(changes: Sequence[int]) -> None:
    """Counted one by one; with changes of one it is McNemar's."""
    p = proportions.sign_flips(np.array(changes, dtype=int))
    assert p == pytest.approx(by_enumeration(changes))
    ones = np.sign(np.array(changes, dtype=int))
    assert proportions.sign_flips(ones) == pytest.approx(proportions.mcnemar(ones < 0, ones > 0))


def test_a_fact_that_a_kind_asks_several_times_counts_by_its_mean() -> None:
    """Two sentences in the one kind and three in the other: halves less thirds."""
    plain = {f"f{n}": [True, n % 2 == 0] for n in range(8)}
    typo = {f"f{n}": [n % 3 == 0, False, True] for n in range(8)}
    found = estimated({"candidate": {"plain": plain, "typo": typo}}, "plain")
    row = row_of(found, "candidate", "relation=typo", "accuracy_drop@1")
    drops = [sum(plain[f]) / 2 - sum(typo[f]) / 3 for f in plain]
    assert row["estimate"] == pytest.approx(np.mean(drops))
    assert row["std_error"] == pytest.approx(np.std(drops, ddof=1) / math.sqrt(8))
    assert row["p"] == pytest.approx(by_enumeration([round(6 * d) for d in drops]))


def test_a_kind_is_held_against_the_plain_kind_that_it_shares_facts_with() -> None:
    """And on those facts alone that both ask."""
    names = {f"n{i}": [i != 0] for i in range(8)}
    words = {f"w{i}": [True] for i in range(7)}
    rare = {f"n{i}": [i > 3] for i in range(10)}
    odd = {f"w{i}": [i > 1] for i in range(7)}
    kinds = {"names": names, "words": words, "rare": rare, "odd": odd}
    found = estimated({"candidate": kinds}, "names", "words")
    row = row_of(found, "candidate", "relation=rare", "accuracy_drop@1")
    assert (row["estimate"], row["n_frames"]) == (pytest.approx(3 / 8), 8)
    row = row_of(found, "candidate", "relation=odd", "accuracy_drop@1")
    assert (row["estimate"], row["n_frames"]) == (pytest.approx(2 / 7), 7)


def test_a_model_and_its_copy_lose_exactly_the_same() -> None:
    """The difference is 0 in every kind, and certain."""
    one = drawn(5)["candidate"]
    found = estimated(dict.fromkeys(PAIR, one), "plain")
    for kind in ("typo", "upper"):
        row = row_of(found, "difference", f"relation={kind}", "accuracy_drop@1")
        assert [row[part] for part in ("estimate", "low", "high", "p")] == [0, 0, 0, 1]


def test_a_kind_that_cost_nothing_in_the_sample_is_not_thereby_shown_to_cost_nothing() -> None:
    """A drop of 0 of every fact has no interval."""
    alike = {kind: {f"f{n}": [n > 2] for n in range(9)} for kind in ("plain", "typo")}
    row = row_of(estimated({"candidate": alike}, "plain"), "candidate", "relation=typo",
                 "accuracy_drop@1")  # fmt: skip
    assert (row["estimate"], row["p"], row["flag"]) == (0, 1, "nothing_varied")
    assert math.isnan(row["low"])


def test_models_that_change_places_turn_the_sign() -> None:
    """Of the difference, and of its interval; p stays."""
    hits = drawn(7)
    swapped = {"reference": hits["candidate"], "candidate": hits["reference"]}
    one, other = (
        row_of(estimated(h, "plain"), "difference", "relation=typo", "accuracy_drop@1")
        for h in (hits, swapped)
    )
    assert other["estimate"] == -one["estimate"]
    assert (other["low"], other["high"]) == pytest.approx((-one["high"], -one["low"]))
    assert other["p"] == one["p"]


def test_facts_are_the_sample_and_not_their_sentences() -> None:
    """Of twelve facts in three kinds, Wilson's interval is that of twelve trials."""
    one = drawn(3, 12)["candidate"]
    found = estimated({"candidate": one})
    hits = [right for by_fact in one.values() for rights in by_fact.values() for right in rights]
    row = row_of(found, "candidate", "all", "accuracy@1")
    share = sum(hits) / 36
    assert (row["estimate"], row["n_frames"]) == (pytest.approx(share), 36)
    assert (row["low"], row["high"]) == pytest.approx(
        proportion_confint(12 * share, 12, method="wilson")
    )
    row = row_of(found, "candidate", "relation=typo", "accuracy@1")
    own = sum(right for [right] in one["typo"].values())
    assert (row["low"], row["high"]) == pytest.approx(proportion_confint(own, 12, method="wilson"))
    assert "accuracy_drop@1" not in set(found.estimates["estimator"])


def test_the_order_of_rows_changes_nothing() -> None:
    """Shuffled hits, equal estimates to the last bit."""
    hits = drawn(11)
    turned = {
        m: {k: dict(reversed(facts.items())) for k, facts in reversed(kinds.items())}
        for m, kinds in hits.items()
    }
    keys = ["slice", "estimator", "subject"]
    one, other = (
        estimated(h, "plain").estimates.query("estimator == 'accuracy_drop@1'").sort_values(keys)
        for h in (hits, turned)
    )
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), other.reset_index(drop=True), check_exact=True
    )
