"""An answer has the shape that the service documents, whatever the number of its masks."""

import pytest

from maskaudit.audit.payloads.answers import Fill, answer
from maskaudit.audit.payloads.request import Request


def mask(*words: str) -> list[Fill]:
    """Return the fills of one mask: a word each, half as likely as the one before."""
    return [
        Fill(0.5 ** (n + 1), 7 + n, f" {word}", f"a {word}.", word) for n, word in enumerate(words)
    ]


ONE_MASK, TWO_MASKS = [mask("cook", "maid")], [mask("he", "she"), mask("nurse", "clerk")]
COOK = {"score": 0.5, "token": 7, "token_str": " cook", "sequence": "a cook."}
MAID = {"score": 0.25, "token": 8, "token_str": " maid", "sequence": "a maid."}


@pytest.mark.parametrize(
    ("shape", "filled", "expected"),
    [
        ("words", [ONE_MASK], ["cook"]),
        ("words", [ONE_MASK, ONE_MASK], ["cook", "cook"]),
        ("words", [TWO_MASKS, ONE_MASK], [["he", "nurse"], "cook"]),
        ("words", [TWO_MASKS], ["he,nurse"]),
        ("table", [ONE_MASK], [{"0": "cook"}]),
        ("table", [TWO_MASKS, ONE_MASK], [{"0": "he,nurse"}, {"0": "cook"}]),
        ("predictions", [ONE_MASK], {"predictions": ["cook"]}),
        ("predictions", [ONE_MASK, TWO_MASKS], {"predictions": ["cook", ["he", "nurse"]]}),
        ("predictions", [TWO_MASKS], {"predictions": ["he", "nurse"]}),
        ("fills", [ONE_MASK], [COOK, MAID]),
        ("fills", [ONE_MASK, ONE_MASK], [[COOK, MAID], [COOK, MAID]]),
    ],
)
def test_each_shape(shape, filled, expected):
    """Read off the services' own code by hand: see the module's docstring."""
    request = Request(("x",) * len(filled), shape)
    assert answer(request, filled) == expected


def test_fills_of_several_masks_are_a_list_for_each():
    """As transformers' pipeline has them, for a sentence alone and among others."""
    alone = answer(Request(("x",), "fills"), [TWO_MASKS])
    assert [[fill["token_str"] for fill in own] for own in alone] == [
        [" he", " she"],
        [" nurse", " clerk"],
    ]
    assert answer(Request(("x", "y"), "fills"), [TWO_MASKS, ONE_MASK]) == [alone, [COOK, MAID]]
