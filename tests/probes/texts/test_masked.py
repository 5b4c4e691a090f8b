"""Rows of masked text: which masks are asked, and what is counted as lost, by reason."""

from collections import Counter

import pytest

from maskaudit.probes.texts.masked import LONGEST_TEXT, Losses, masked_text


def made(text, answers, groups=("",)):
    """Return the text as it is asked, and what was lost of it."""
    losses = Losses()
    return masked_text(7, "d", text, answers, groups, losses), losses


def test_masks_of_data_and_of_services_are_ours():
    """With an answer each, of two words too, and the group of the row."""
    found, losses = made("<mask> and [mask] saw <MASK>.", ["Ann", "Bob B", " it "], ["women"])
    assert found.text == "[MASK] and [MASK] saw [MASK]."
    assert found.answers == ("Ann", "Bob B", "it")
    assert found.groups == ("women",) * 3
    assert not losses.notes()


@pytest.mark.parametrize(
    ("text", "answers", "reason"),
    [
        (None, ["x"], "its text is missing, or is no text"),
        ("  ", ["x"], "its text is empty"),
        ("No mask.", [], "its text has no mask"),
        ("<mask> is <mask>.", ["one"], "masks and answers do not match in number"),
        ("<mask>.", ["one", "two"], "masks and answers do not match in number"),
        ("<mask>" + "a" * LONGEST_TEXT, ["x"], "its text has more than 20,000 characters"),
        ("a\u200bb <mask>", ["x"], "its text has an invisible character"),
        ("<mask> <mask>", [None, ""], "none of its masks can be asked"),
    ],
)
def test_a_row_that_cannot_be_asked_is_counted_by_its_reason(text, answers, reason):
    """Once, whatever else is wrong with it."""
    found, losses = made(text, answers)
    assert found is None
    assert losses.rows == Counter({reason: 1})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "its answer is empty"),
        (3, "its answer is no text"),
        ("x" * 101, "its answer has more than 100 characters"),
        ("a <mask>", "its answer holds a mask"),
        ("a\u200bb", "its answer has an invisible character"),
    ],
)
def test_a_mask_without_a_usable_answer_stays_a_mask(answer, reason):
    """The others of its text are asked, and see it as they would have."""
    found, losses = made("<mask> met <mask>.", ["Ann", answer])
    assert found.text == "[MASK] met [MASK]."
    assert found.answers == ("Ann", "")
    assert losses.masks == Counter({reason: 1})


@pytest.mark.parametrize("text", ["<mask>issière met <mask>.", "La<mask> met <mask>."])
def test_a_mask_inside_a_word_is_written_in(text):
    """No model's pieces could be told apart there; the other mask is asked beside the word."""
    found, losses = made(text, ["Cour", "Ann"])
    assert found.text == text.replace("<mask>", "Cour", 1).replace("<mask>", "[MASK]")
    assert found.answers == ("Ann",)
    assert list(losses.masks) == ["it is a part of a word, and was written in with its answer"]


def test_in_a_script_without_spaces_every_mask_is_asked():
    """Letters stand on both sides of every word there."""
    found, losses = made("我<mask>你。", ["爱"])
    assert found.text == "我[MASK]你。"
    assert not losses.notes()


def test_groups_may_be_named_for_each_mask():
    """As many as there are masks, or the row is lost."""
    found, _ = made("<mask> met <mask>.", ["Ann", "Bob"], ["women", "men"])
    assert found.groups == ("women", "men")
    _, losses = made("<mask> met <mask>.", ["Ann", "Bob"], ["women", "men", "men"])
    assert losses.rows == Counter({"masks and groups do not match in number": 1})


def test_losses_are_told_by_reason_the_commonest_first():
    """With the first row of each."""
    losses = Losses()
    for number in (5, 9):
        losses.row(number, "b")
    losses.row(2, "a")
    losses.mask(4, "c")
    assert losses.notes() == [
        "2 rows not asked: b (first: row 5)",
        "1 row not asked: a (first: row 2)",
        "1 mask not asked: c (first: row 4)",
    ]
