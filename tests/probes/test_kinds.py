"""Facts that are asked in several kinds of sentence: `of`, and the plain kind of a set."""

from typing import Any

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import parse
from tests.probes.test_expand import HEADER


def kinds(*facts: tuple[str, str, str | None], **header: Any) -> Any:
    """Return a set of facts by id, relation and `of`."""
    entries = [
        {"id": name, "relation": relation, "text": f"{name} is [MASK].", "answers": ["so"],
         **({"of": of} if of else {})}
        for name, relation, of in facts
    ]  # fmt: skip
    return parse({"set": {**HEADER, "kind": "cloze", **header}, "facts": entries}, "", "here")


WHOLE = (
    ("a1", "alone", "a"), ("b1", "alone", "b"), ("a2", "typo", "a"), ("b2", "typo", "b"),
)  # fmt: skip


def test_the_fact_is_the_cluster_of_its_sentences() -> None:
    """In every kind; a sentence of no fact stays by itself."""
    items = expand(kinds(*WHOLE, ("c", "typo", None), plain="alone")).items
    clusters = dict(zip(items["frame"], items["cluster"], strict=True))
    assert clusters == {"a1": "a", "b1": "b", "a2": "a", "b2": "b", "c": ""}


def test_masks_of_one_sentence_are_of_its_fact() -> None:
    """A fact takes the place of the sentence."""
    facts = [
        {"id": f"f{n}", "relation": "r", "of": "one", "text": f"{n} [MASK] is [MASK].",
         "answers": ["it", "so"]}
        for n in range(2)
    ]  # fmt: skip
    items = expand(parse({"set": {**HEADER, "kind": "cloze"}, "facts": facts}, "", "here")).items
    assert items["frame"].tolist() == ["f0.1", "f0.2", "f1.1", "f1.2"]
    assert set(items["cluster"]) == {"one"}


@pytest.mark.parametrize(
    ("facts", "header", "said"),
    [
        ((*WHOLE, ("c", "typo", "aa")), {}, "no other fact is of 'aa'"),
        (WHOLE, {"plain": "alon"}, "no fact has the relation 'alon'; did you mean 'alone'"),
        ((*WHOLE, ("c", "upper", None)), {"plain": "alone"},
         "the relation 'upper' shares facts with no plain kind"),
        ((*WHOLE, ("a3", "upper", "a")), {"plain": ["alone", "typo"]},
         "the relation 'upper' shares facts with 'alone' and 'typo'"),
    ],
)  # fmt: skip
def test_a_kind_that_has_nothing_to_be_held_against_is_refused(
    facts: Any, header: Any, said: str
) -> None:
    """With the relation or the fact by name."""
    with pytest.raises(InputError) as caught:
        kinds(*facts, **header)
    assert said in str(caught.value)


def test_a_set_without_kinds_has_none() -> None:
    """Its relations are what they were."""
    assert kinds(("a1", "alone", None), ("a2", "typo", None)).header.plain == []


def test_a_slip_in_a_fact_is_told_beside_one_elsewhere() -> None:
    """Both at once, and neither because of the other."""
    facts = [
        {"id": "a1", "relation": "alone", "of": "a", "text": "A is [MASK].", "answers": ["so"]},
        {"id": "a2", "relation": "typo", "of": "b", "text": "a is [MASK]!", "answers": []},
        {"id": "a3", "relation": "typo", "of": "a", "text": "So is [MASK].", "answers": ["so"]},
    ]
    header = {**HEADER, "kind": "cloze", "plain": "alone"}
    with pytest.raises(InputError) as caught:
        parse({"set": header, "facts": facts}, "", "here")
    said = str(caught.value)
    assert "no other fact is of 'b'" in said
    assert "answers" in said
    assert "plain" not in said


def fact(**said: Any) -> Any:
    """Return a set of one fact."""
    whole = {"id": "key", "relation": "plain", "text": "The key [MASK] here.", **said}
    return parse({"set": {**HEADER, "kind": "cloze"}, "facts": [whole]}, "", "here")


def test_words_to_choose_from_are_read_where_the_answers_are() -> None:
    """Right ones first, each once; the negated sentence has the answers alone."""
    found = fact(
        answers=["is", "was"],
        choices=["are", "is", "was", "were"],
        negated="The key [MASK] not here.",
    )
    items = expand(found).items
    assert list(zip(items["target"], items["label"], strict=True)) == [
        ("is", "right"), ("was", "right"), ("are", "wrong"), ("were", "wrong"),
        ("is", "changed"), ("was", "changed"),
    ]  # fmt: skip
    assert items["context"].nunique() == 2


def test_a_choice_that_opens_a_sentence_is_capitalised() -> None:
    """As an answer is."""
    items = expand(fact(text="[MASK] keys.", answers=["two"], choices=["two", "three"])).items
    assert items["target"].tolist() == ["Two", "Three"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"answers": ["is"], "choices": ["are", "were"]}, "the answer 'is' is not among them"),
        ({"answers": ["is"], "choices": ["is"]}, "every one of them is right"),
        ({"answers": ["is"], "choices": ["is", "are", "Are"]}, "'are' appears twice"),
        ({"answers": ["is", "it"], "choices": ["is", "it", "so"], "text": "[MASK] [MASK]."},
         "not allowed with several masks"),
    ],
)  # fmt: skip
def test_a_choice_that_is_none_is_refused(said: Any, told: str) -> None:
    """In words that say what to write."""
    with pytest.raises(InputError) as caught:
        fact(**said)
    assert told in str(caught.value)


def cased(*facts: tuple[str, str | None, str]) -> Any:
    """Return a set of facts by relation, `of` and text."""
    entries = [
        {"id": f"f{n}", "relation": relation, "text": text, "answers": ["so", "SO"],
         **({"of": of} if of else {})}
        for n, (relation, of, text) in enumerate(facts)
    ]  # fmt: skip
    return parse({"set": {**HEADER, "kind": "cloze"}, "facts": entries}, "", "here")


LOWER, UPPER = "all is [MASK].", "ALL IS [MASK]."


def test_sentences_of_one_fact_may_differ_in_case_alone() -> None:
    """Each is a context of its own, as it is written."""
    found = expand(cased(("small", "a", LOWER), ("large", "a", UPPER)))
    assert found.contexts["text"].tolist() == [LOWER, UPPER]


@pytest.mark.parametrize(
    "facts",
    [
        [("small", "a", LOWER), ("large", "a", LOWER)],
        [("small", None, LOWER), ("large", None, UPPER)],
        [("small", "a", LOWER), ("small", "a", UPPER)],
        [
            ("small", "a", LOWER),
            ("large", "b", UPPER),
            ("x", "a", "A [MASK]"),
            ("y", "b", "B [MASK]"),
        ],
    ],
    ids=["the same", "no fact", "one kind", "another fact"],
)
def test_any_other_sentence_that_differs_in_case_alone_is_refused(facts: Any) -> None:
    """It would count one sentence twice."""
    with pytest.raises(InputError, match="appears twice"):
        cased(*facts)
