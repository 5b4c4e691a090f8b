"""Facts with several masks: each is asked by itself, and a sentence is one cluster."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.estimating.facts.competence import LEAST_FACTS, competence
from maskaudit.audit.estimating.not_given import count_facts
from maskaudit.audit.estimating.statistics import proportions
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.recording import tables
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import parse
from tests import oracle, tiny
from tests.estimate_oracles import design
from tests.probes.test_expand import HEADER

pytestmark = pytest.mark.usefixtures("one_thread")

TEXT = "The [MASK] said that [MASK] was a [MASK]."
ANSWERS = ["doctor|nurse", "she", "teacher|painter"]


def set_of(*facts: tuple[str, Sequence[str]], negated: str | None = None) -> Expanded:
    """Return a cloze set of these texts and answers."""
    entries = [
        {"id": f"f{n}", "relation": "people", "text": text, "answers": list(answers)}
        for n, (text, answers) in enumerate(facts)
    ]
    if negated:
        entries[0]["negated"] = negated
    header = {**HEADER, "kind": "cloze", "axis": "facts"}
    return expand(parse({"set": header, "facts": entries}, "", "here"))


def test_each_mask_of_a_fact_is_asked_with_its_own_answers() -> None:
    """In the order of the text, under a name of its own; a fact with one mask stays as it was."""
    rows = set_of((TEXT, ANSWERS), ("She is a [MASK].", ["nurse", "cook"])).items
    asked = list(zip(rows["frame"], rows["target"], rows["cluster"], strict=True))
    assert asked == [
        ("f0.1", "doctor", "f0"),
        ("f0.1", "nurse", "f0"),
        ("f0.2", "she", "f0"),
        ("f0.3", "teacher", "f0"),
        ("f0.3", "painter", "f0"),
        ("f1", "nurse", ""),
        ("f1", "cook", ""),
    ]
    opened = set_of(("Who? [MASK] is a [MASK].", ["she|he", "nurse"])).items
    assert opened["target"].tolist() == ["She", "He", "nurse"]


@pytest.mark.parametrize(
    ("text", "answers", "negated", "fault"),
    [
        (
            TEXT,
            ["doctor", "she"],
            None,
            "text has 3 masks, answers 2 entries; expected one for each",
        ),
        (TEXT, [*ANSWERS, "x"], None, "text has 3 masks, answers 4 entries"),
        (TEXT, ["doctor|", "she", "x"], None, "a bar has no word beside it"),
        (TEXT, ANSWERS, "The [MASK] said no.", "negated 1 times; expected the same number in both"),
        ("No mask.", ["x"], None, "must contain [MASK] exactly once, or once for each word"),
    ],
)
def test_answers_that_do_not_fit_the_masks_are_refused(
    text: str, answers: list[str], negated: str | None, fault: str
) -> None:
    """With both numbers, and what was expected."""
    with pytest.raises(InputError) as caught:
        set_of((text, answers), negated=negated)
    assert fault in str(caught.value)


@pytest.mark.parametrize("architecture", ["bert", "roberta"])
def test_every_mask_is_read_as_the_oracle_reads_it(tmp_path: Path, architecture: str) -> None:
    """Log p and rank with the other masks masked, and the share of right first fills."""
    folder = tiny.build(tmp_path / "model", architecture)
    plain, tokenizer = oracle.load(folder)
    first = oracle.top_k(plain, tokenizer, TEXT, 1, 5)
    # One mask is filled right, whatever the random model says.
    right = next(w for i, _ in first if (w := tokenizer.decode([i]).strip()).isalpha())
    is_first = oracle.rank(plain, tokenizer, TEXT, 1, right) == 1
    part = set_of((TEXT, ["doctor|nurse", right, "teacher|painter"]))
    scored = scoring.score(part, [models.load(str(folder))], measures=needed("cloze"))
    logs = scored.scores[scored.scores["measure"] == "logp"]
    rows = part.items.merge(logs, on="item").merge(part.contexts, on="context")
    assert len(rows) == 5
    hits: dict[int, bool] = {}
    for row in rows.to_dict("records"):
        slot, target = int(row["slot"]), row["target"]
        expected = oracle.log_p(plain, tokenizer, TEXT, slot, target)
        assert row["value"] == pytest.approx(expected, abs=1e-5)
        if row["pieces"] == 1:
            rank = oracle.rank(plain, tokenizer, TEXT, slot, target)
            assert row["rank"] == rank
            hits[slot] = hits.get(slot, False) or rank == 1
    found = estimate(part.items, scored.scores, [design(str(HEADER["name"]), contrast=None)])
    table = found.estimates.set_index(["estimator", "slice"])["estimate"]
    assert table["accuracy@1", "all"] == pytest.approx(sum(hits.values()) / 3)
    assert hits[1] == is_first


def facts_of(hits: dict[str, list[list[bool]]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return items and scores: by model, whether each mask of each sentence is filled right."""
    n_masks = [len(sentence) for sentence in next(iter(hits.values()))]
    part = set_of(
        *(
            (
                f"Number {n} is " + " and ".join(["[MASK]"] * k) + ".",
                [f"w{n}x{i}" for i in range(k)],
            )
            for n, k in enumerate(n_masks)
        )
    )
    rows = [
        {
            "item": item,
            "model": model,
            "measure": "logp",
            "value": -1.0,
            "rank": 1 if hit else 2,
            "pieces": 1,
            "status": "ok",
        }
        for model, sentences in hits.items()
        for item, hit in zip(part.items["item"], [h for s in sentences for h in s], strict=True)
    ]
    return part.items, tables.table("scores", rows)


def test_the_masks_of_a_sentence_are_one_vote_and_one_cluster() -> None:
    """Wilson with the effective number, a jackknife over sentences, and a sign test over them."""
    rng = np.random.default_rng(0)
    sizes = [1, 2, 3, 2, 1, 3, 2, 2, 1, 4]
    hits = {
        model: [(rng.random(k) < p).tolist() for k in sizes]
        for model, p in (("reference", 0.4), ("candidate", 0.7))
    }
    items, scores = facts_of(hits)
    found = estimate(items, scores, [design(str(HEADER["name"]), contrast=None)]).estimates
    table = found[(found["estimator"] == "accuracy@1") & (found["slice"] == "all")]
    table = table.set_index("subject")
    n = sum(sizes) ** 2 / sum(k**2 for k in sizes)
    z = stats.norm.ppf(0.975)
    for model, sentences in hits.items():
        share = sum(map(sum, sentences)) / sum(sizes)
        middle, root = (
            share + z**2 / (2 * n),
            math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2),
        )
        row = table.loc[model]
        assert row["estimate"] == pytest.approx(share)
        assert row["low"] == pytest.approx((middle - z * root) / (1 + z**2 / n))
        assert row["high"] == pytest.approx((middle + z * root) / (1 + z**2 / n))
    changes = [sum(c) - sum(r) for r, c in zip(*hits.values(), strict=True)]
    gained, lost = (sum(sign * change > 0 for change in changes) for sign in (1, -1))
    row = table.loc["difference"]
    assert row["p"] == pytest.approx(stats.binomtest(gained, gained + lost).pvalue)
    without = [
        (sum(changes) - change) / (sum(sizes) - k) for change, k in zip(changes, sizes, strict=True)
    ]
    error = math.sqrt(9 / 10 * sum((one - np.mean(without)) ** 2 for one in without))
    assert row["estimate"] == pytest.approx(sum(changes) / sum(sizes))
    assert row["std_error"] == pytest.approx(error)


def test_independent_facts_have_wilson_s_own_interval() -> None:
    """A cluster of one is a trial."""
    hits = np.array([True, False, True, True, False])
    labels = np.array(list("abcde"))
    assert proportions.wilson_of_clusters(hits, labels) == proportions.wilson(3, 5)


def test_competence_takes_as_many_sentences_as_facts() -> None:
    """Forty masks of ten sentences are no forty facts."""
    for n_sentences, n_masks in ((LEAST_FACTS, 2), (LEAST_FACTS // 2, 4)):
        items, scores = facts_of({"candidate": [[True] * n_masks] * n_sentences})
        [result] = competence(items, scores).values()
        assert result.of == n_sentences * n_masks
        assert result.competent is (True if n_sentences >= LEAST_FACTS else None)
        # What cannot be given is told by the same count.
        assert count_facts(items) == n_sentences
