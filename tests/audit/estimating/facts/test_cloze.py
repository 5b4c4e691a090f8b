"""Facts: shares of right first fills, against statsmodels, and which facts are left out."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.recording.rows import tables
from tests.estimate_oracles import PAIR, design, items_of, row_of, scores_of


def facts_of(ranks: Mapping[str, Mapping[str, Sequence[int | None]]]) -> tuple[Any, Any]:
    """Return items and scores of facts: by model and fact, the ranks of its answers."""
    items, scores = {}, []
    for model, by_fact in ranks.items():
        for fact, of_answers in by_fact.items():
            for number, rank in enumerate(of_answers):
                item = f"{fact}>{number}"
                label = "changed" if fact.startswith("not ") else "right"
                items[item] = {
                    "probe_set": "facts",
                    "kind": "cloze",
                    "frame": fact.removeprefix("not "),
                    "attribute": f"answer{number}",
                    "class": fact.removeprefix("not ").rstrip("0123456789"),
                    "role": "probe",
                    "label": label,
                    "context": fact,
                    "item": item,
                }
                scores.append(
                    {
                        "item": item,
                        "model": model,
                        "measure": "logp",
                        "value": -1.0,
                        "rank": rank,
                        "pieces": 1 if rank else 2,
                        "status": "ok",
                    }
                )
    return tables.table("items", list(items.values())), tables.table("scores", scores)


FACTS = design("facts", contrast=None)


@settings(max_examples=6)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["capital", "colour"]),
            *[st.lists(st.integers(1, 3), min_size=2, max_size=2)] * 2,
        ),
        min_size=2,
        max_size=20,
    )
)
@pytest.mark.slow
def test_accuracy_is_the_share_of_facts_whose_likeliest_word_is_an_answer(rows):
    """Wilson's interval and McNemar's exact test, as statsmodels has them."""
    ranks = {
        model: {f"{row[0]}{n}": row[1 + m] for n, row in enumerate(rows)}
        for m, model in enumerate(PAIR)
    }
    found = estimate(*facts_of(ranks), [FACTS])
    for slice_ in ("all", *(f"relation={name}" for name in {row[0] for row in rows})):
        chosen = [row for row in rows if slice_ in {"all", f"relation={row[0]}"}]
        hits = [[1 in row[1 + m] for row in chosen] for m in range(2)]
        for model, right in zip(PAIR, hits, strict=True):
            row = row_of(found, model, slice_, "accuracy@1")
            assert row["estimate"] == pytest.approx(sum(right) / len(right))
            interval = proportion_confint(sum(right), len(right), method="wilson")
            assert (row["low"], row["high"]) == pytest.approx(interval)
            assert row["n_frames"] == len(chosen)
        if len(chosen) < 2:
            continue
        pairs = list(zip(*hits, strict=True))
        table = [[pairs.count((a, b)) for b in (True, False)] for a in (True, False)]
        row = row_of(found, "difference", slice_, "accuracy@1")
        assert row["estimate"] == pytest.approx((sum(hits[1]) - sum(hits[0])) / len(chosen))
        assert row["p"] == pytest.approx(min(1.0, mcnemar(table, exact=True).pvalue))
        if len(chosen) < 6:
            assert math.isnan(row["low"])
            assert row["flag"] == "too_few_frames"
            continue
        change = [float(b) - float(a) for a, b in pairs]
        if len(set(change)) > 1:
            known = stats.ttest_1samp(change, 0).confidence_interval()
            assert (row["low"], row["high"]) == pytest.approx(tuple(known))
            assert row["flag"] == ""


def test_a_negated_fact_is_counted_by_itself():
    """The share of negated sentences whose likeliest word is still the answer."""
    right = {"capital1": [1], "not capital1": [1], "capital2": [1], "not capital2": [4]}
    found = estimate(*facts_of({"candidate": right}), [FACTS])
    assert row_of(found, "candidate", "all", "accuracy@1")["estimate"] == 1
    assert row_of(found, "candidate", "all", "negated_still@1")["estimate"] == 0.5


def test_a_fact_that_one_model_cannot_be_asked_is_left_out_for_both():
    """An answer that one could not write has no rank; the fact is listed."""
    ranks = {
        "reference": {"capital1": [1], "capital2": [1], "capital3": [2]},
        "candidate": {"capital1": [1], "capital2": [None], "capital3": [2]},
    }
    found = estimate(*facts_of(ranks), [FACTS])
    assert found.left_out == [{"probe_set": "facts", "attribute": "capital", "frame": "capital2"}]
    for model in PAIR:
        row = row_of(found, model, "all", "accuracy@1")
        assert (row["estimate"], row["n_frames"]) == (0.5, 2)


def test_a_fact_that_one_model_has_no_row_of_is_left_out_for_both():
    """However it came to be lost."""
    ranks = {m: {"capital1": [1], "capital2": [1], "capital3": [2]} for m in PAIR}
    items, scores = facts_of(ranks)
    lost = (scores["model"] == "candidate") & scores["item"].str.startswith("capital2")
    found = estimate(items, scores[~lost], [FACTS])
    assert found.left_out == [{"probe_set": "facts", "attribute": "capital", "frame": "capital2"}]
    for model in PAIR:
        row = row_of(found, model, "all", "accuracy@1")
        assert (row["estimate"], row["n_frames"]) == (0.5, 2)


def test_a_fact_that_no_model_has_a_row_of_is_listed_too():
    """It is in the set, so it does not vanish."""
    items, scores = facts_of({m: {"capital1": [1], "capital2": [1]} for m in PAIR})
    found = estimate(items, scores[~scores["item"].str.startswith("capital2")], [FACTS])
    assert found.left_out == [{"probe_set": "facts", "attribute": "capital", "frame": "capital2"}]


def test_an_answer_of_several_pieces_counts_by_its_rank_among_fillings():
    """Found first, found later, and not found: all three facts are read, one is right."""
    ranks = {"candidate": {"capital1": [None], "capital2": [None], "capital3": [None]}}
    items, scores = facts_of(ranks)
    searched = scores.assign(measure="top_filling", rank=[1, 3, None])
    found = estimate(items, tables.table("scores", pd.concat([scores, searched])), [FACTS])
    row = row_of(found, "candidate", "all", "accuracy@1")
    assert (row["estimate"], row["n_frames"]) == (pytest.approx(1 / 3), 3)
    assert found.left_out == []


def test_two_models_that_differ_alike_on_every_fact_are_not_thereby_certain():
    """One fills none of twenty, the other all: a difference of 1, and no interval around it."""
    facts = [f"capital{n}" for n in range(20)]
    ranks = {m: {fact: [rank] for fact in facts} for m, rank in zip(PAIR, (2, 1), strict=True)}
    row = row_of(estimate(*facts_of(ranks), [FACTS]), "difference", "all", "accuracy@1")
    assert row["estimate"] == 1
    assert math.isnan(row["low"])
    assert row["flag"] == "nothing_varied"
    assert row["p"] == pytest.approx(2 / 2**20)


def test_a_model_and_its_copy_differ_by_exactly_nothing():
    """On every fact the same answer."""
    answers = {f"capital{n}": [1 + n % 3] for n in range(9)}
    found = estimate(*facts_of(dict.fromkeys(PAIR, answers)), [FACTS])
    row = row_of(found, "difference", "all", "accuracy@1")
    assert [row[part] for part in ("estimate", "low", "high", "p")] == [0, 0, 0, 1]
    assert row["flag"] == ""


def test_one_fact_of_two_models_is_no_comparison():
    """Each has its share; there is nothing that varies between them."""
    ranks = {model: {"capital1": [1]} for model in PAIR}
    found = estimate(*facts_of(ranks), [FACTS]).estimates
    of_accuracy = found[found["estimator"] == "accuracy@1"]
    assert set(of_accuracy["subject"]) == set(PAIR)


@pytest.mark.slow
def test_facts_and_frames_stand_in_one_table():
    """One record holds sets of both kinds; the facts' p is not among the tested ones."""
    items = items_of()
    own, ranks = facts_of({m: {"capital1": [1], "capital2": [2]} for m in PAIR})
    found = estimate(
        pd.concat([items, own]), pd.concat([scores_of(items), ranks]), [design(), FACTS]
    )
    tables.check("estimates", found.estimates)
    assert set(found.estimates["probe_set"]) == {"one", "facts"}
    only = estimate(items, scores_of(items), [design()]).estimates
    both = found.estimates[found.estimates["probe_set"] == "one"]
    pd.testing.assert_frame_equal(only, both.reset_index(drop=True))
