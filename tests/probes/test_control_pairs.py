"""A control of pairs has the same sentences, with names of days or months for what differed."""

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.probes.published.control_pairs import UNRELATED, control_of
from maskaudit.probes.published.imported import Imported, header, row

NAMES = {name for pair in UNRELATED for name in pair}


def a_set(*pairs, kind="pairs", **words):
    """Return an import of these pairs, each from both sides."""
    said = {
        "title": "Pairs", "question": "Which?", "how_to_read": "So.", "limits": "Few.",
        "licence": "CC-BY-SA-4.0", "share_alike": True, "sources": ["A. Writer"], **words,
    }  # fmt: skip
    rows = [
        row(pair=str(number), text=text, partner=partner, label=label, cluster="w", group="stereo")
        for number, pair in enumerate(pairs)
        for text, partner, label in ((*pair, "stereotype"), (*pair[::-1], "anti"))
    ]
    return Imported(header("pairs", kind, "several", [], **said), rows, [], [])


def sides(found, pair=0):
    """The two sentences of a pair."""
    rows = [own for own in found.rows if own["pair"] == str(pair)]
    assert rows[0]["text"] == rows[1]["partner"]
    assert rows[0]["partner"] == rows[1]["text"]
    return rows[0]["text"], rows[0]["partner"]


@pytest.mark.parametrize(
    ("first", "second", "frame"),
    [
        ("She was late.", "He was late.", "{} was late."),
        ("He lost his hat.", "She lost her hat.", "{0} lost {0} hat."),
        ("We met an Alean man there.", "We met a Belean man there.", None),
        ("We met an old Alean, again.", "We met an old Belean, again.", "We met an old {}, again."),
        ("It is an Alean habit.", "It is an Ulean habit.", "It is a {} habit."),
        ("All Aleans from afar sing.", "All Beleans from near sing.", "All {0} from {0} sing."),
        ("The Alean's house", "The Belean's house", "The {}'s house"),
    ],
)
def test_each_run_of_words_that_differs_becomes_one_unrelated_word(first, second, frame):
    """All else stays, but for the article of a word that has gone."""
    if frame is None:  # the article is part of what differs
        frame = "We met {} man there."
    found = sides(control_of(a_set((first, second))))
    [pair] = [pair for pair in UNRELATED if {frame.format(name) for name in pair} == set(found)]
    assert found in {
        (frame.format(pair[0]), frame.format(pair[1])),
        (frame.format(pair[1]), frame.format(pair[0])),
    }


def test_one_edit_has_the_same_words_in_all_its_pairs():
    """Whichever side is the stereotype."""
    found = control_of(
        a_set(
            ("Aleans are late.", "Beleans are late."),
            ("Beleans sing loudly.", "Aleans sing loudly."),
        )
    )
    first, second = sides(found, 0), sides(found, 1)
    assert [text.split()[0] for text in first] == [text.split()[0] for text in second[::-1]]


def test_the_label_does_not_decide_which_side_has_which_word():
    """Over many edits the first word of a pair is as often on either side."""
    pairs = [(f"Group{n}a is late.", f"Group{n}b is late.") for n in range(300)]
    rows = [own for own in control_of(a_set(*pairs)).rows if own["label"] == "stereotype"]
    ahead = {pair: place for place, pair in enumerate(UNRELATED)}
    turned = [(own["text"].split()[0], own["partner"].split()[0]) in ahead for own in rows]
    assert 110 < sum(turned) < 190


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("She was very late.", "He was late."),
        ("One two three four five.", "Six seven eight nine ten."),
        ("Some were late.", "Some, were late."),
    ],
)
def test_pairs_that_differ_otherwise_have_no_control_and_are_listed(first, second):
    """A word more on one side, a rewritten sentence, punctuation alone."""
    found = control_of(a_set(("She sang.", "He sang."), (first, second)))
    assert {own["pair"] for own in found.rows} == {"0"}
    assert [bad.text for bad in found.unusable] == [first, second]
    assert found.notes == ["2 of 4 rows have no control"]


def test_the_header_says_what_it_is_the_control_of():
    """Its licence and conditions stay, and nothing is expected of it."""
    made = control_of(a_set(("She sang.", "He sang."))).header
    assert (made["name"], made["control_of"], made["expect"]) == ("pairs-control", "pairs", "none")
    assert (made["licence"], made["share_alike"]) == ("CC-BY-SA-4.0", True)
    assert "A. Writer" in made["sources"]


def test_the_unrelated_words_are_fit_for_any_article():
    """And each two are of one kind."""
    assert not [name for name in NAMES if name[0] in "AEIOU"]
    assert all((first in UNRELATED[0]) <= first.endswith("day") for first, _ in UNRELATED)


@pytest.mark.parametrize(
    ("imported", "told"),
    [
        (a_set(("She sang.", "He sang."), kind="triples"), "is a set of triples; expected pairs"),
        (a_set(("She sang.", "He sang."), language="fr"), "the set's language is 'fr'"),
        (a_set(("She sang well.", "He sang.")), "no pair of pairs differs only in a few words"),
    ],
)
def test_sets_that_can_have_no_control_are_refused_in_one_line(imported, told):
    """Before anything is written."""
    with pytest.raises(InputError, match=told):
        control_of(imported)
