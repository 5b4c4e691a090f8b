"""A slice is its parts, and its text is the one that records, gates and commands have."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.recording.rows.slices import (
    ALL,
    CONTRAST,
    CONTROLS,
    Slice,
    of_attribute,
    of_class,
    of_relation,
)

GROUPS = st.from_regex(r"[a-z0-9]+([-_][a-z0-9]+)*", fullmatch=True)
SLICES = st.builds(
    lambda own, groups: own.of_groups(*groups),
    st.sampled_from([ALL, CONTRAST, CONTROLS])
    | st.builds(of_attribute, st.text())
    | st.builds(of_class, st.text())
    | st.builds(of_relation, st.text()),
    st.just(()) | st.tuples(GROUPS, GROUPS),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("all", Slice("all")),
        ("contrast", Slice("contrast")),
        ("controls", Slice("controls")),
        ("attribute=nurse", Slice("attribute", "nurse")),
        ("class=mostly_women", Slice("class", "mostly_women")),
        ("relation=place-of-birth", Slice("relation", "place-of-birth")),
        ("women/men: all", Slice("all", "", ("women", "men"))),
        ("women/non-binary: attribute=nurse", Slice("attribute", "nurse", ("women", "non-binary"))),
        ("attribute=one/other: all", Slice("attribute", "one/other: all")),
        ("attribute=class=a", Slice("attribute", "class=a")),
        ("a/b: attribute=c/d: contrast", Slice("attribute", "c/d: contrast", ("a", "b"))),
        ("attribute=", Slice("attribute")),
        ("attribute=two\nlines", Slice("attribute", "two\nlines")),
    ],
)
def test_a_text_stands_for_one_slice_and_a_slice_for_one_text(text, found):
    """As they were written by hand before there was a value, words with signs in them too."""
    assert Slice.parse(text) == found
    assert str(found) == text


@given(SLICES)
def test_what_is_written_is_read_as_it_was(own):
    """Whatever attributes and classes are called."""
    assert Slice.parse(str(own)) == own


@given(SLICES, SLICES)
def test_two_slices_have_two_texts(one, other):
    """So a gate that names a text means one slice."""
    assert (one == other) == (str(one) == str(other))


@pytest.mark.parametrize(
    "text",
    ["", "nurse", "attribute", "All", "all ", "contrasts", "women: all", "women/men:all", "kind=x"],
)
def test_another_text_is_refused(text):
    """And named; nothing is taken for a slice that is none."""
    with pytest.raises(ValueError, match="is not a slice"):
        Slice.parse(text)


def test_the_headline_is_the_whole_or_the_contrast_of_a_set_of_two_groups():
    """Which need no word of their own in a name."""
    kinds = (ALL, CONTRAST, CONTROLS, of_attribute("a"), of_class("a"), of_relation("a"))
    every = [*kinds, *(own.of_groups("a", "b") for own in kinds)]
    assert [own for own in every if own.is_headline] == [ALL, CONTRAST]


def test_a_part_is_a_class_or_a_relation_whatever_the_groups():
    """They stand in tables of their own."""
    for own, groups in product((of_class("a"), of_relation("a")), ((), ("a", "b"))):
        assert own.of_groups(*groups).is_part
    assert not any(own.is_part for own in (ALL, CONTRAST, CONTROLS, of_attribute("class=a")))
