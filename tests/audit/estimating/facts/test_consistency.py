"""Whether one fact is filled alike however it is asked: against loops over pairs of sentences."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from maskaudit.audit.estimating.estimate import Estimated, estimate
from maskaudit.audit.recording import tables
from tests.estimate_oracles import PAIR, design, row_of

# By model, the likeliest word of each kind and fact.
Words = Mapping[str, Mapping[str, Mapping[str, str]]]


def estimated(words: Words, answers: Mapping[tuple[str, str], list[str]]) -> Estimated:
    """Return the estimates of facts whose likeliest words are given."""
    items, scores, fills = {}, [], []
    for model, by_kind in words.items():
        for kind, by_fact in by_kind.items():
            for fact, word in by_fact.items():
                context = f"{fact}-{kind}"
                fills += [
                    {"context": context, "model": model, "rank": rank, "token": token,
                     "probability": 0.5 / rank}
                    for rank, token in ((2, "the"), (1, word))
                ]  # fmt: skip
                for answer in answers[kind, fact]:
                    item = f"{context}>{answer}"
                    items[item] = {
                        "probe_set": "kinds", "kind": "cloze", "axis": "limitations",
                        "frame": context, "class": kind, "cluster": fact, "role": "probe",
                        "label": "right", "context": context, "target": answer, "item": item,
                    }  # fmt: skip
                    scores.append(
                        {"item": item, "model": model, "measure": "logp", "value": -1.0,
                         "rank": 1, "pieces": 1, "status": "ok"}
                    )  # fmt: skip
    return estimate(
        tables.table("items", list(items.values())),
        tables.table("scores", scores),
        [design("kinds", axis="limitations", contrast=None)],
        tables.table("fills", fills),
    )


def drawn(seed: int, n_facts: int = 9) -> tuple[Words, dict[tuple[str, str], list[str]]]:
    """Return the words of two models in four kinds, and answers that some kinds share."""
    rng = np.random.default_rng(seed)
    kinds, facts = ["plain", "asked", "told", "turned"], [f"f{n}" for n in range(n_facts)]
    words = {
        model: {kind: {f: str(rng.choice(["Yes", "yes", "no"])) for f in facts} for kind in kinds}
        for model in PAIR
    }
    # In the last kind a third of the facts have another answer, so that they are no pair with it.
    answers = {
        (kind, f): ["other"] if kind == "turned" and n % 3 == 0 else ["Yes", f]
        for kind in kinds
        for n, f in enumerate(facts)
    }
    return words, answers


@pytest.mark.parametrize("seed", range(2))
def test_consistency_is_the_share_of_pairs_filled_alike(seed: int) -> None:
    """A jackknife over facts by hand, of each model and of the difference."""
    words, answers = drawn(seed)
    found = estimated(words, answers)
    facts = sorted({fact for _, fact in answers})
    counts = {
        model: {
            f: [
                by_kind[one][f].lower() == by_kind[other][f].lower()
                for one, other in itertools.combinations(by_kind, 2)
                if {*map(str.lower, answers[one, f])} & {*map(str.lower, answers[other, f])}
            ]
            for f in facts
        }
        for model, by_kind in words.items()
    }

    def share(model: str, without: str = "") -> float:
        pairs = [alike for f in facts if f != without for alike in counts[model][f]]
        return sum(pairs) / len(pairs)

    for subject in (*PAIR, "difference"):
        row = row_of(found, subject, "all", "consistency")
        of = {f: share(subject, f) for f in ("", *facts)} if subject in PAIR else {
            f: share("candidate", f) - share("reference", f) for f in ("", *facts)
        }  # fmt: skip
        assert row["estimate"] == pytest.approx(of[""])
        rest = np.array([of[f] for f in facts])
        variance = (len(facts) - 1) / len(facts) * ((rest - rest.mean()) ** 2).sum()
        half = stats.t.ppf(0.975, len(facts) - 1) * variance**0.5
        assert (row["low"], row["high"]) == pytest.approx((of[""] - half, of[""] + half))
        assert (row["n_attributes"], row["n_frames"]) == (9, 6 * 6 + 3 * 3)


def test_a_right_word_and_a_wrong_one_are_no_more_consistent_than_two_wrong_ones() -> None:
    """It is the likeness that counts; a model that always gives one word has a share of one."""
    words, answers = drawn(0)
    always = {kind: dict.fromkeys(own, "the") for kind, own in words["candidate"].items()}
    row = row_of(estimated({"candidate": always}, answers), "candidate", "all", "consistency")
    assert row["estimate"] == 1
    assert row["flag"] == "nothing_varied"


def test_a_model_and_its_copy_are_equally_consistent() -> None:
    """Exactly, and so is the interval; models that change places turn its sign."""
    words, answers = drawn(1)
    same = estimated(dict.fromkeys(PAIR, words["candidate"]), answers)
    row = row_of(same, "difference", "all", "consistency")
    assert [row[part] for part in ("estimate", "low", "high")] == [0, 0, 0]
    turned = {"reference": words["candidate"], "candidate": words["reference"]}
    one, other = (
        row_of(estimated(own, answers), "difference", "all", "consistency")
        for own in (words, turned)
    )
    assert other["estimate"] == -one["estimate"]


def test_a_pair_that_one_model_did_not_fill_counts_for_neither() -> None:
    """Of a text that is too long for one, say."""
    words, answers = drawn(2)
    short = {**words["candidate"], "told": {**words["candidate"]["told"]}}
    del short["told"]["f1"]
    both = estimated({"reference": words["reference"], "candidate": short}, answers)
    rows = {subject: row_of(both, subject, "all", "consistency") for subject in PAIR}
    # The sentence stood in three pairs.
    assert {row["n_frames"] for row in rows.values()} == {6 * 6 + 3 * 3 - 3}


def test_facts_in_one_kind_each_have_no_consistency() -> None:
    """Nor have masks of one sentence, which are no ways to ask for one fact."""
    words = {"candidate": {"plain": {f"f{n}": "yes" for n in range(8)}}}
    found = estimated(words, {("plain", f"f{n}"): ["yes"] for n in range(8)}).estimates
    assert "consistency" not in set(pd.unique(found["estimator"]))
