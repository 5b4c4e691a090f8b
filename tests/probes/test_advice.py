"""What an author should look at: slips in whole sentences, and words and frames out of balance."""

import pytest

from maskaudit.probes.checking.advice import advice
from maskaudit.probes.loading import load, shipped
from maskaudit.probes.schema import ProbeSet

HEADER = {
    "name": "a", "version": "1", "kind": "association", "axis": "gender", "title": "T",
    "question": "Q", "how_to_read": "H", "limits": "L", "licence": "MIT", "sources": ["s"],
}  # fmt: skip
# Twenty frames that share no words, so that nothing else is said of a set.
_TEXT = """
    harbor forest market stadium library airport bakery museum cinema garden
    station hospital theater college factory village mountain island desert valley
"""
PLACES = _TEXT.split()
GOOD = [f"{place.title()} people called [MASK] {{a attribute}}." for place in PLACES]


def told(texts=(), groups=None, attributes=("nurse", "engineer"), **header):
    """The advice on a set of these sentences, and of enough others."""
    groups = groups or {"women": ["she"], "men": ["he"]}
    others = [text.replace("[MASK]", "{term}").replace("{a attribute}", "[MASK]") for text in GOOD]
    at_mask = not any("term}" in text for text in texts)
    frames = [*texts, *(GOOD if at_mask else others)]
    probe_set = ProbeSet.checked(
        {
            "set": HEADER | header,
            "groups": {name: {"terms": terms} for name, terms in groups.items()},
            "classes": {"c": {"attributes": list(attributes)}},
            "frames": [{"id": f"f{n}", "text": text} for n, text in enumerate(frames)],
        }
    )
    return advice(probe_set)


def test_a_good_set_is_told_nothing():
    """It has twenty frames that are no more alike than other sentences."""
    assert told() == []


# How many remarks a set has that its authors left as they are, and say so in its `limits` or
# comments: groups with a second term, and frames that share a turn of phrase.
LEFT_AS_THEY_ARE = {"gender-they": 1, "religion": 1, "race-descriptor": 3}


@pytest.mark.parametrize("name", shipped())
def test_nothing_is_to_be_looked_at_in_a_shipped_set(name):
    """Thousands of sentences that were read: a rule that told something of them would be wrong."""
    found = advice(load(shipped()[name]))
    assert len(found) == LEFT_AS_THEY_ARE.get(name, 0), found
    assert not [told for told in found if "terms" not in told and "share" not in told]


@pytest.mark.parametrize(
    ("text", "options", "kind", "example"),
    [
        ("Here [MASK] became a {attribute}.", {}, "the wrong article", "'a engineer'"),
        ("An {attribute} is who [MASK] became.", {}, "the wrong article", "'An nurse'"),
        ("In town the the {attribute} knew [MASK].", {}, "a word twice", "'the the'"),
        ("Today [MASK] {was|} {a attribute}.",
         {"groups": {"women": ["she"], "men": [{"text": "guys", "verb": "plural"}]}},
         "a space too many", "guys  a "),
        ("Often, [MASK] is {a attribute}.", {"groups": {"women": ["they"], "men": ["he"]}},
         "a pronoun with another's verb", "'they is'"),
        ("Often, [MASK] was|were {a attribute}.", {}, "a bar outside of braces", "'was|were'"),
    ],
)  # fmt: skip
def test_a_slip_is_seen_in_the_written_sentence(text, options, kind, example):
    """With the word that makes it; the remedy follows."""
    [found] = told([text], **options)
    assert found.startswith(f"{kind}: ")
    assert example in found
    assert found.count(";") >= 1


@pytest.mark.parametrize(
    "text",
    [
        "She said that that {attribute} is [MASK].",
        "Vitamin A is what the {attribute} gave [MASK].",
        "Half an hour on, [MASK] was {a attribute}.", "[MASK] had had {a attribute} there.",
    ],
)  # fmt: skip
def test_a_good_sentence_is_no_slip(text):
    """Though a simpler rule would say so."""
    assert told([text.replace("She said", "We heard")]) == []


def test_the_article_before_a_word_of_a_negative_control_is_looked_at():
    """As before any other word; and a sound that its entry declares is right."""

    def found(word):
        raw = {
            "set": HEADER,
            "groups": {"one": {"terms": ["aunt"]}, "two": {"terms": ["uncle"]}},
            "classes": {"c": {"attributes": ["kind"]}},
            "controls": {"contrasts": {"there": {"first": ["present", "near"],
                                                 "second": [word, "missing"]}}},
            "frames": [{"id": "f", "text": "The {term} was a [MASK] person."}],
        }  # fmt: skip
        return advice(ProbeSet.checked(raw))

    [told] = found("absent")
    assert "the wrong article: 'a absent' in 'The aunt was a absent person.'" in told
    assert found("unique") == found({"text": "iodic", "article": "a"}) == []


def test_an_article_that_a_set_declares_is_right():
    """As sound, not spelling, decides it."""
    attributes = [{"text": "MBA holder", "article": "an"}, {"text": "uno player", "article": "an"}]
    assert told(attributes=attributes) == []


def test_the_rules_of_english_are_not_those_of_other_languages():
    """A word may be there twice, and `a` is no article in many."""
    text = "Hier sagte [MASK] uns, die die {attribute} a ist."
    plain = [
        line
        for line in told([text], attributes=["Uhr", "Oper"], language="de")
        if "article" not in line
    ]
    assert plain == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Now the {term} is here as [MASK].", "'is' in "),
        ("Now the {term} were here as [MASK].", "'were' in "),
        ("Now the {term} {is|are} here as [MASK].", None),
        ("Now the {term} came here as [MASK].", None),
        ("If only the {term} were here as [MASK].", None),
    ],
)
def test_a_verb_that_agrees_with_some_of_the_terms_is_told(text, expected):
    """Where some terms are plural and some are not."""
    groups = {"one": ["uncle"], "two": [{"text": "aunts", "verb": "plural"}]}
    found = told([text], groups)
    assert len(found) == (expected is not None)
    assert all(line.startswith(expected) and "{is|are}" in line for line in found)


def test_two_frames_of_nearly_the_same_words_are_told():
    """Six words of which five are shared; a bare template is none."""
    one = "Last year everybody knew [MASK] as {a attribute} there."
    other = "Last month everybody knew [MASK] as {a attribute} there."
    [found] = told([one, other])
    assert found.startswith("the frames 'f0' and 'f1' share 5 of 6 words")
    assert "`variants`" in found
    assert told(["[MASK] was {a attribute}.", "There [MASK] was {a attribute}."]) == []


def test_many_alike_frames_are_told_in_a_few_lines():
    """The first five of fifteen, and how many there are more."""
    texts = [f"Last year everybody knew [MASK] as {{a attribute}} near {n}." for n in PLACES[:6]]
    found = told(texts)
    assert len(found) == 6
    assert found[-1] == "10 more pairs of frames like these; do the same with them"


def test_groups_with_other_numbers_of_terms_are_told():
    """At the mask, where they are added up, and in the sentence, where they are averaged."""
    three = {"women": ["she", "her"], "men": ["he"]}
    [found] = told(groups=three)
    assert "'women' has 2 terms, 'men' 1: at the mask" in found
    texts = ["Now the {term} came home as [MASK]."]
    assert told(texts, {"a": ["aunt", "niece"], "b": ["uncle", "nephew"]}) == []
    [found] = told(texts, {"a": ["aunt", "niece", "sister"], "b": ["uncle", "nephew"]})
    assert "'a' has 3 terms, 'b' 2: the mean over fewer terms" in found


def test_contrasted_classes_of_other_sizes_are_told():
    """Those that `contrast` or a `group` names; a class beside them may have any number."""
    classes = {"a": ["nurse", "typist"], "b": ["miner", "mason"], "c": ["baker"]}
    raw = {
        "groups": {"women": {"terms": ["she"]}, "men": {"terms": ["he"]}},
        "classes": {name: {"attributes": words} for name, words in classes.items()},
        "frames": [{"id": f"f{n}", "text": text} for n, text in enumerate(GOOD)],
    }
    assert advice(ProbeSet.checked(raw | {"set": HEADER | {"contrast": ["a", "b"]}})) == []
    [found] = advice(ProbeSet.checked(raw | {"set": HEADER | {"contrast": ["a", "c"]}}))
    assert found.startswith("the class 'c' has 1 attributes, 'a' 2: ")
    raw["classes"]["c"]["group"] = "men"
    raw["classes"]["a"]["group"] = "women"
    [found] = advice(ProbeSet.checked(raw | {"set": HEADER}))
    assert found.startswith("the class 'c' has 1 attributes, 'a' 2: ")


def test_groups_with_longer_terms_are_told():
    """Two words against one."""
    [found] = told(["Now the {term} came home as [MASK]."], {"a": ["old man"], "b": ["boy"]})
    assert "the terms of 'a' have 2.00 words on average, those of 'b' 1.00" in found


def test_a_term_out_of_its_place_is_told():
    """As an attribute, whatever its case, and in a frame's own words."""
    [found] = told(attributes=["nurse", "He"])
    assert "'He' is a term of the group 'men' and an attribute too" in found
    [found] = told(["When he left, [MASK] was {a attribute}."])
    assert "the frame 'f0' has 'he' in its own words, a term of the group 'men'" in found
    [found] = told(["With the tired nurse [MASK] was {a attribute}."])
    assert "the frame 'f0' has 'nurse' in its own words, an attribute of the class 'c'" in found


def test_few_frames_are_told_once_there_are_enough_for_an_interval():
    """Six to nineteen."""
    raw = {
        "set": HEADER,
        "groups": {"women": {"terms": ["she"]}, "men": {"terms": ["he"]}},
        "classes": {"c": {"attributes": ["nurse"]}},
    }
    for n, expected in ((5, 0), (6, 1), (19, 1), (20, 0)):
        frames = [{"id": f"f{k}", "text": text} for k, text in enumerate(GOOD[:n])]
        found = advice(ProbeSet.checked(raw | {"frames": frames}))
        assert len(found) == expected


def test_a_fact_is_read_at_its_answer_alone():
    """Its sentence may be faulty on purpose."""
    facts = [{"id": "a", "relation": "r", "text": "A tpyo typo , and an [MASK].",
              "answers": ["apple", "pear"]}]  # fmt: skip
    probe_set = ProbeSet.checked({"set": HEADER | {"kind": "cloze"}, "facts": facts})
    [found] = advice(probe_set)
    assert "'an pear'" in found
