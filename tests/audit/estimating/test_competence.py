"""Competence before bias: right fills against the majority answer, counted by hand."""

import pytest
from scipy import stats

from maskaudit.audit.estimating.competence import competence
from maskaudit.audit.recording import tables


def facts(answers):
    """Give a cloze set: a relation to the right answers of each of its facts."""
    return tables.table(
        "items",
        [
            {
                "probe_set": "facts",
                "kind": "cloze",
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


def test_a_model_is_competent_when_it_beats_that_guess_by_mcnemar_s_exact_test():
    """Eight facts, one guessed: seven discordant pairs, all for the model, p = 2 / 2^7."""
    items = facts({"capital": [[f"city{i}"] for i in range(8)]})
    found = competence(items, ranks(items, set(items["item"])))["candidate"]
    assert (found.right, found.majority) == (8, 1)
    assert found.p == pytest.approx(stats.binomtest(7, 7).pvalue)
    assert found.competent


def test_a_few_right_fills_are_not_yet_competence():
    """Four of eight against one: three discordant pairs cannot reach .05."""
    items = facts({"capital": [[f"city{i}"] for i in range(8)]})
    found = competence(items, ranks(items, set(items["item"][:4])))["candidate"]
    assert found.right == 4
    assert not found.competent


def test_without_facts_nothing_is_said():
    """An empty answer, never a verdict."""
    none = tables.table("items", [{"kind": "association", "item": "x"}])
    assert competence(none, ranks(none, set())) == {}
