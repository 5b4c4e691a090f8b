"""A method key is its parts in their order, and its text is the one that records have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.recording.rows.methods import Method, differences

WORDS = st.text(st.characters(exclude_characters="|:"))
PARTS = st.dictionaries(WORDS, st.text(st.characters(exclude_characters="|")), min_size=1)


@given(PARTS)
def test_what_is_written_is_read_as_it_was(parts):
    """In the same order; a value may hold a colon, as `stereotype_contrast:log_odds` does."""
    method = Method.of(parts)
    assert Method.parse(str(method)) == method
    assert list(method.items()) == list(parts.items())
    assert len(method) == len(parts)


def test_a_key_is_the_text_that_records_have():
    """By hand."""
    text = "probe_set:jobs|estimator:contrast:log_odds|unit:cluster+cluster_2"
    method = Method.parse(text)
    assert dict(method) == {
        "probe_set": "jobs",
        "estimator": "contrast:log_odds",
        "unit": "cluster+cluster_2",
    }
    assert str(method) == text


def test_the_order_of_the_parts_is_part_of_a_key():
    """As it is of the text by which baselines are compared."""
    assert Method.parse("a:1|b:2") != Method.parse("b:2|a:1")
    assert len({Method.parse("a:1|b:2"), Method.parse("a:1|b:2")}) == 1


@pytest.mark.parametrize("text", ["", "a", "a:1|b", "|a:1"])
def test_a_text_without_names_and_values_is_refused(text):
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is not a method key"):
        Method.parse(text)


def test_a_part_that_is_not_there_is_not_there():
    """As in any mapping."""
    method = Method.parse("a:1")
    assert "b" not in method
    with pytest.raises(KeyError):
        method["b"]


def test_what_differs_is_named_with_both_values():
    """Those that one lacks too, in the order of the first and then of the second."""
    old, new = (
        Method.parse("torch:2.12|seed:1|terms:mean"),
        Method.parse("unit:pair|seed:2|torch:2.12"),
    )
    assert list(differences(old, new)) == [
        "seed: 1, then 2",
        "terms: mean, then none",
        "unit: none, then pair",
    ]
    assert not list(differences(old, old))
