"""A card with an addendum in it: what was there stays, and a second time changes nothing."""

import codecs

import pytest
from huggingface_hub import ModelCard

from maskaudit.audit.errors import InputError
from maskaudit.reports.card import marks
from maskaudit.reports.card.applied import applied, layout, read
from maskaudit.reports.card.markdown import INSIDE, LAYOUTS
from tests.reports import records
from tests.reports.verdicts import judgement, verdict

HUB, AZURE = LAYOUTS["huggingface"], LAYOUTS["azure"]
CARD = """---
license: mit  # theirs
model-index:
- name: other
  results:
  - task: {type: text-classification}
    dataset: {type: glue, name: GLUE}
    metrics:
    - {type: accuracy, value: 0.9}
---
# Model

Words with trailing spaces  \nand a\ttab.

## Bias, Risks, and Limitations

Known ones.

## Uses

Last words"""


@pytest.fixture(scope="module")
def found():
    """Give a record of one set and facts."""
    return records.record([records.jobs(frames=6), records.facts()])


def parts_of(text):
    """Return what is above the addendum, the addendum, and what is below."""
    above, _, rest = text.partition(marks.BEGIN)
    own, _, below = rest.partition(marks.END)
    return above, own, below


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_card_keeps_its_bytes_around_the_addendum(found, newline, bom):
    """Ends of lines and the byte order mark too; and the Hub's reader has the numbers of all."""
    before = bom + CARD.replace("\n", newline)
    after = applied(before, found, None, HUB, "card")
    above, own, below = parts_of(after)
    metadata, body = before.split(f"---{newline}# Model")
    assert above.startswith(metadata)
    assert above.endswith(f"Known ones.{newline}{newline}")
    assert f"---{newline}# Model" + body == (
        above[above.index("---" + newline + "# Model") :] + below.lstrip("\r\n")
    )
    assert INSIDE in own
    if newline == "\r\n":
        assert "\n" not in after.replace("\r\n", "")
    results = ModelCard(after.removeprefix("\ufeff")).data.eval_results
    assert [one.metric_type for one in results] == [
        "accuracy", "stereotype_contrast", "stereotype_contrast_difference", "accuracy",
    ]  # fmt: skip
    assert applied(after, found, None, HUB, "card") == after


def test_other_verdicts_change_the_addendum_alone(found):
    """What a person wrote around it after the first time stays."""
    first = applied(CARD, found, None, HUB, "card")
    edited = first.replace("Last words", "Other last words").replace("Known ones.", "Known: none.")
    second = applied(edited, found, judgement(verdict()), HUB, "card")
    assert parts_of(second)[::2] == parts_of(edited)[::2]
    assert "FAIL" in parts_of(second)[1]
    assert "NO RULE SET" not in second
    assert applied(second, found, None, HUB, "card") == edited


def test_azure_has_its_headings_and_no_metadata(found):
    """Its descriptions begin with words."""
    before = "Words.\n\n# Evaluation Results\n\nGood.\n"
    after = applied(before, found, None, AZURE, "card")
    assert after.startswith(f"{before}\n{marks.BEGIN}\n")
    assert "\n# Limitations and Biases\n" in after
    assert "model-index" not in after
    card = f"{before}\n# Limitations and Biases\n\nSome.\n\n# Inference samples\n"
    inside = applied(card, found, None, AZURE, "card")
    assert inside.index("Some.") < inside.index(f"## {INSIDE}") < inside.index("# Inference")


def test_an_empty_card_becomes_one(found):
    """With metadata and the section alone."""
    after = applied("", found, None, HUB, "card")
    assert after.startswith("---\nmodel-index:\n- name: ")
    assert after.endswith(f"{marks.END}\n")
    assert applied(after, found, None, HUB, "card") == after


def test_marks_in_metadata_are_not_marks(found):
    """What stands in YAML is no text of the card."""
    before = f"---\nabout: |\n  x\n{marks.BEGIN.replace('<', '# <')}\n---\nWords.\n"
    after = applied(before, found, None, HUB, "card")
    assert applied(after, found, None, HUB, "card") == after


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"caf\xe9", "is not UTF-8 (byte 4); save it as UTF-8"),
        (codecs.BOM_UTF16_LE + "x".encode("utf-16-le"), "is not UTF-8"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, told):
    """In one line with its path."""
    path = tmp_path / "README.md"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert told in str(refused.value)
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)


def test_an_unknown_layout_is_refused_with_the_nearest():
    """And those that there are."""
    with pytest.raises(
        InputError, match="expected one of: huggingface, azure; did you mean 'azure'"
    ):
        layout("azur")
    assert layout("azure") is AZURE
