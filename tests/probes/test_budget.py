"""The budget of a set: the arithmetic is that of its expansion, and is done before it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.not_given import of_set
from maskaudit.probes.checking.budget import check_budget, excerpt, items_of
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped
from maskaudit.probes.schema import ImportedSet, ProbeSet

GENDER = load(shipped()["gender-occupation"])
WEEKLY = Path(__file__).resolve().parents[2] / "examples" / "weekly" / "gender_occupation.toml"
HEADER = {
    "name": "a", "version": "1", "kind": "association", "axis": "gender", "title": "T",
    "question": "Q", "how_to_read": "H", "limits": "L", "licence": "MIT", "sources": ["s"],
}  # fmt: skip


@st.composite
def sets(draw):
    """A set of any of the shapes that an association set may have."""
    at_mask = draw(st.booleans())
    counts = st.integers(1, 3)
    text = "[MASK] is {attribute}" if at_mask else "The {term} is a [MASK]"
    terms = iter(f"term{n}" for n in range(99))
    words = iter(f"word{n}" for n in range(99))
    frames = [
        {
            "id": f"f{n}",
            "text": f"{text} {n}.",
            "variants": [f"{text} {n} {v}." for v in range(draw(counts) - 1)],
        }
        for n in range(draw(counts))
    ]
    return ProbeSet.checked(
        {
            "set": HEADER | draw(st.sampled_from([{}, {"neutral": "person"}])),
            "groups": {f"g{n}": {"terms": [next(terms) for _ in range(draw(counts))]}
                       for n in range(draw(st.integers(2, 3)))},
            "classes": {f"c{n}": {"attributes": [next(words) for _ in range(draw(counts))]}
                        for n in range(draw(counts))},
            "controls": draw(st.sampled_from([None, {"attributes": ["zebra", "yak"]}])),
            "frames": frames,
        }
    )  # fmt: skip


@settings(max_examples=30)
@given(probe_set=sets())
def test_the_arithmetic_is_that_of_the_expansion(probe_set):
    """Against the rows that it makes."""
    assert items_of(probe_set) == len(expand(probe_set).items)


def test_a_grammar_counts_as_many_frames_as_it_draws():
    """And none is drawn for it."""
    weekly = load(WEEKLY)
    assert items_of(weekly) == len(expand(weekly.drawn(3)).items)


def test_an_import_has_an_item_for_each_row_and_a_word_one_for_each_sentence():
    """As it is expanded."""
    header = GENDER.header.model_copy(update={"kind": "words"})
    row = {"frame": "f", "attribute": "", "group": "X", "term": "nurse", "text": "", "slot": None,
           "target": ""}  # fmt: skip
    words = ImportedSet.model_construct(header=header, rows=[row] * 3)
    assert items_of(words) == len(expand(words).items) == 12
    pairs = words.model_copy(update={"header": header.model_copy(update={"kind": "pairs"})})
    assert items_of(pairs) == 3


def test_a_fact_has_an_item_for_each_mask_and_each_word_that_is_right_there():
    """A word that is named twice is one; the negated sentence has as many."""
    facts = [
        {"id": "a", "relation": "r", "text": "[MASK] lies in [MASK].",
         "answers": ["Paris | Rome | Paris", "France | Italy"]},
        {"id": "b", "relation": "r", "text": "Its capital is [MASK].", "answers": ["Oslo", "Bonn"],
         "negated": "Its capital is not [MASK]."},
    ]  # fmt: skip
    probe_set = ProbeSet.checked({"set": HEADER | {"kind": "cloze"}, "facts": facts})
    assert items_of(probe_set) == len(expand(probe_set).items) == 2 + 2 + 2 * 2


def test_a_set_beyond_its_budget_is_refused_with_its_own_arithmetic():
    """And with the number to type."""
    probe_set = ProbeSet.checked(
        {
            "set": HEADER | {"neutral": "person"},
            "groups": {"women": {"terms": ["she"]}, "men": {"terms": ["he"]}},
            "classes": {"one": {"attributes": [f"word{n}" for n in range(4000)]}},
            "controls": {"attributes": ["zebra"]},
            "frames": [{"id": f"f{n}", "text": f"[MASK] is {{attribute}} {n}."} for n in range(7)],
        }
    )
    whole = (4000 * 3 + 1) * 7 * 2
    check_budget(probe_set, whole, "set.toml")
    with pytest.raises(InputError) as caught:
        check_budget(probe_set, whole - 1, "set.toml")
    assert str(caught.value) == (
        "set.toml: (4,000 attributes x 3 versions (each once more without the attribute, and with "
        "the neutral word) + 1 controls) x 7 frames x 2 groups = 168,014 items; the budget is "
        "168,013: take fewer words or frames, or raise it with --most-items 168014 (most_items "
        "under [run] in AUDIT.toml)"
    )


@pytest.mark.slow
@settings(max_examples=30)
@given(probe_set=sets(), contrast=st.sampled_from([None, ["c0", "c1"], ["c0", "c2"]]))
def test_an_excerpt_lacks_what_the_set_lacks(probe_set, contrast):
    """Whatever cannot be given of the one cannot be given of the other."""
    whole, part = (
        of_set(expand(one).items, contrast, has_lexicon=False)
        for one in (probe_set, excerpt(probe_set, 2))
    )
    assert [reason.asked for reason in whole] == [reason.asked for reason in part]
