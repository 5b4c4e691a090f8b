"""An endpoint's answer is read whole, or refused in one line that says what came."""

import json
from typing import Any

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.payloads.answered import Served, agreement, fills_of, is_word, words_of
from maskaudit.audit.payloads.asking import hugging_face
from maskaudit.audit.payloads.reading import request_of

FILL = {"score": 0.25, "token": 7, "token_str": "she", "sequence": "she is here."}


def served(word: str, sequence: str) -> Served:
    """Return a fill with its sentence."""
    return Served(0.5, word, 1, sequence)


@pytest.mark.parametrize("texts", [["a [MASK]"], ["a [MASK]", "b [MASK]"]])
@pytest.mark.parametrize("targets", [(), (" she", "he")])
def test_what_is_written_is_read_back_as_it_was_meant(
    texts: list[str], targets: tuple[str, ...]
) -> None:
    """The reader of bodies finds the sentences, the number of fills and the words."""
    request = request_of(json.loads(json.dumps(hugging_face(texts, 3, targets))), "body")
    assert (list(request.texts), request.top_k, request.targets) == (texts, 3, targets)
    assert request.shape == "fills"


@pytest.mark.parametrize(
    ("value", "masks", "expected"),
    [
        ([FILL], [1], [((7,),)]),
        ([[FILL], [FILL, FILL | {"token": 8}]], [2], [((7,), (7, 8))]),
        ([[FILL], [FILL]], [1, 1], [((7,),), ((7,),)]),
        ([[[FILL], [FILL]], [FILL]], [2, 1], [((7,), (7,)), ((7,),)]),
    ],
)
def test_each_shape_is_read(value: Any, masks: list[int], expected: Any) -> None:
    """Of one sentence and several, of one mask and several."""
    found = fills_of(value, masks, "here")
    tokens = [tuple(tuple(f.token for f in mask) for mask in sentence) for sentence in found]
    assert tokens == expected


@pytest.mark.parametrize(
    ("value", "n"),
    [
        (["capital", " good"], 2),
        ([{"0": "capital"}, {"0": "good"}], 2),
        ({"predictions": ["capital", "good"]}, 2),
        ([[FILL | {"token_str": "capital"}], [FILL | {"token_str": " good"}]], 2),
        ([FILL | {"score": 0.1}, FILL | {"token_str": "capital"}], 1),
    ],
)
def test_the_first_word_is_read_of_each_service(value: Any, n: int) -> None:
    """Of Azure ML's two forms, of MLflow's, and of fills the likeliest."""
    assert words_of(value, n, "here") == ["capital", "good"][:n]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (["capital"], "a list of 1; expected a list for 2 sentences"),
        ({"predictions": ["capital"]}, "a list of 1"),
        ([["capital"], ["good"]], "a list of 1 for a mask"),
        ({"predictions": "capital"}, "'capital'"),
        ("<html>", "'<html>'"),
    ],
)
def test_half_a_list_of_words_is_refused(value: Any, told: str) -> None:
    """And what is no list of words."""
    with pytest.raises(InputError) as error:
        words_of(value, 2, "endpoint x")
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("value", "masks", "told"),
    [
        ([[FILL]], [1, 1], "a list of 1; expected a list for 2 sentences"),
        ({"error": "x"}, [1, 1], "an object with 'error'"),
        ([[FILL]], [2], "a list of 1; expected a list for 2 masks"),
        ([], [1], "a list of 0 for a mask"),
        ({"predictions": ["she"]}, [1], "an object with 'predictions' for a mask"),
        (["she"], [1], "a list of 1 for a mask"),
        ([FILL | {"score": 1.5}], [1], "the score 1.5; expected a probability"),
        ([FILL | {"score": -0.1}], [1], "the score -0.1"),
        ([FILL | {"score": float("nan")}], [1], "the score nan"),
        ([FILL | {"score": True}], [1], "the score True"),
        ([FILL | {"score": "0.5"}], [1], "the score '0.5'"),
        ([FILL | {"score": 0.6}, FILL | {"score": 0.6}], [1], "add up to 1.2; expected at most 1"),
        ([FILL | {"token_str": None}], [1], "the token_str None"),
    ],
)
def test_anything_else_is_refused_in_one_line(value: Any, masks: list[int], told: str) -> None:
    """Each says what came, and where."""
    with pytest.raises(InputError) as error:
        fills_of(value, masks, "endpoint x")
    assert str(error.value).startswith("endpoint x: answered ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "slot", "fill", "expected"),
    [
        ("[MASK] is here.", 0, served("She", "she is here."), "same"),
        ("[MASK] is here.", 0, served("She", ""), "same"),
        ("Was [MASK] a [MASK]?", 1, served("cook", "[CLS] was [MASK] a cook? [SEP]"), "same"),
        ("Was <x> [MASK] é?", 0, served(" he", "Was <x> he e ?"), "same"),
        ("A \N{SNOWMAN} saw [MASK].", 0, served("her", "a saw her."), "shorter"),
        ("Zoë saw [MASK].", 0, served("her", "[UNK] saw her."), "shorter"),
        ("[MASK] is here.", 0, served("she", "she is there."), "other"),
        ("[MASK] is here.", 0, served("she", "it is cold."), "other"),
    ],
)
def test_the_repeated_sentence_is_held_against_the_one_asked(
    text: str, slot: int, fill: Served, expected: str
) -> None:
    """Case, accents, spaces and special pieces do not count; words do."""
    assert agreement(text, slot, fill) == expected


def test_a_first_piece_is_no_word() -> None:
    """A service may answer a word of several pieces with the first of them."""
    assert is_word("Nurse", served(" nurse", ""))
    assert is_word("crétin", served("cretin", ""))
    assert not is_word("farmer", served("farm", ""))
    assert not is_word("", served("", ""))


@pytest.mark.parametrize(
    "part",
    [
        {"token_str": "a" * 201},
        {"sequence": "a" * 50_001},
        {"token_str": "he" + "\u0301\u0316" * 20},
        {"sequence": "She" + "\u0301" * 40},
    ],
)
def test_a_text_that_takes_long_to_compare_is_refused_unread(part):
    """Longer than a word or a sentence is, or with a heap of accents on a letter."""
    fill = {"score": 0.5, "token": 1, "token_str": "she", "sequence": "she sat", **part}
    with pytest.raises(InputError, match="characters, or with more accents"):
        fills_of([fill], [1], "here")
