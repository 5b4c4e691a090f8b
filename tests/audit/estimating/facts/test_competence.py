"""Competence before bias: right fills against the majority answer, counted by hand."""

import pandas as pd
import pytest
from scipy import stats

from maskaudit.audit.estimating.facts.competence import competence
from maskaudit.audit.recording import tables


def facts(answers):
    """Give a cloze set: a relation to the right answers of each of its facts."""
    return tables.table(
        "items",
        [
            {
                "probe_set": "facts",
                "kind": "cloze",
                "axis": "facts",
                "frame": f"{relation}{i}",
                "class": relation,
                "label": "right",
                "target": answer,
                "item": f"{relation}{i}{answer}",
            }
            for relation, own in answers.items()
            for i, right in enumerate(own)
            for answer in right
        ],
    )


def ranks(items, first):
    """Give scores in which the items named in `first` are the likeliest fill."""
    rows = [
        {"item": item, "model": "candidate", "measure": "logp", "rank": 1 if item in first else 7}
        for item in items["item"]
    ]
    return tables.table("scores", rows)


def test_the_majority_answer_is_the_commonest_right_one_of_each_relation():
    """Of colours red is right twice and guesses two; of sounds each is right once."""
    items = facts(
        {"colour": [["red"], ["blue"], ["Red", "pink"]], "sound": [["moo"], ["oink"], ["baa"]]}
    )
    found = competence(items, ranks(items, set()))["candidate"]
    assert (found.right, found.of, found.majority) == (0, 6, 3)
    assert not found.competent


def capitals(n):
    """Give n facts of one relation, each with an answer of its own."""
    return facts({"capital": [[f"city{i}"] for i in range(n)]})


def test_a_model_is_competent_when_it_beats_that_guess_by_mcnemar_s_exact_test():
    """Twenty facts, one guessed: nineteen discordant pairs, all for the model, p = 2 / 2^19."""
    items = capitals(20)
    found = competence(items, ranks(items, set(items["item"])))["candidate"]
    assert (found.right, found.majority) == (20, 1)
    assert found.p == pytest.approx(stats.binomtest(19, 19).pvalue)
    assert found.competent is True


def test_a_few_right_fills_are_not_yet_competence():
    """Five of twenty against one of them: four discordant pairs cannot reach .05."""
    items = capitals(20)
    found = competence(items, ranks(items, set(items["item"][:5])))["candidate"]
    assert (found.right, found.of) == (5, 20)
    assert found.competent is False


def test_of_few_facts_there_is_no_verdict_however_well_they_are_filled():
    """Nineteen of nineteen: a p far below .05, and no verdict."""
    items = capitals(19)
    found = competence(items, ranks(items, set(items["item"])))["candidate"]
    assert found.p < 0.05
    assert found.competent is None


def test_a_fact_that_could_not_be_read_is_neither_right_nor_wrong():
    """Thirty are asked, five cannot be written: 25 are judged, and the guess is made of these."""
    items = facts({"colour": [["snow"]] * 5 + [["red"]] * 3 + [[f"hue{i}"] for i in range(22)]})
    lost = items["target"] == "snow"
    scores = ranks(items, set(items["item"][~lost][:12]))
    unscored = scores["item"].isin(items["item"][lost])
    scores = scores.assign(rank=scores["rank"].mask(unscored))
    found = competence(items, scores)["candidate"]
    assert (found.asked, found.of, found.right, found.majority) == (30, 25, 12, 3)
    assert found.competent is True


def test_an_answer_of_several_pieces_is_a_first_fill_where_no_filling_is_likelier():
    """By the rank of the search; one that the search did not come to is read, and wrong."""
    items = capitals(22)
    scores = ranks(items, set()).assign(rank=None, value=-1.0, pieces=2)
    searched = scores.assign(measure="top_filling", rank=[1] * 12 + [2] * 5 + [None] * 5)
    typed = tables.table("scores", pd.concat([scores, searched]))
    found = competence(items, typed)["candidate"]
    assert (found.asked, found.of, found.right) == (22, 22, 12)


def test_two_sets_may_have_a_fact_of_one_name():
    """A fact is one of its set."""
    items = capitals(12)
    both = pd.concat([items, items.assign(probe_set="more", item="more " + items["item"])])
    found = competence(both, ranks(both, set(items["item"])))["candidate"]
    assert (found.of, found.right) == (24, 12)


def test_spellings_of_one_answer_are_one():
    """In another case, or with a mark of its own: the guess is right in all three."""
    answers = [["Zürich"], ["zu\N{COMBINING DIAERESIS}rich"], ["ZÜRICH"], ["Bern"]]
    items = facts({"city": answers})
    assert competence(items, ranks(items, set()))["candidate"].majority == 3


def test_what_a_limitation_costs_does_not_count_against_a_model():
    """Right on all plain facts and wrong on as many sums: competent, as without the sums."""
    plain, sums = capitals(20), facts({"sum": [[f"{n}"] for n in range(20)]})
    sums = sums.assign(axis="limitations", probe_set="sums")
    both = pd.concat([plain, sums], ignore_index=True)
    scores = ranks(both, set(plain["item"]))
    [found] = competence(both, scores).values()
    assert found == competence(plain, scores)["candidate"]
    assert (found.right, found.of, found.competent) == (20, 20, True)
    assert competence(sums, scores) == {}


def test_without_facts_nothing_is_said():
    """An empty answer, never a verdict."""
    none = tables.table("items", [{"kind": "association", "item": "x"}])
    assert competence(none, ranks(none, set())) == {}
