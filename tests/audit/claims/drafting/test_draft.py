"""A first file of claims: what is seen in cards, that it can be read, and that it is the same."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskaudit.audit.claims.card import plain
from maskaudit.audit.claims.claims_file import read_claims
from maskaudit.audit.claims.drafting.draft import draft
from tests.audit.claims import cards

EXAMPLE = Path(__file__).resolve().parents[4] / "examples/claims/student.md"
# What cards say, in their words, and the kind and keys of the claim.
SAYINGS = {
    "This model is uncased.": ("casing", {"casing": "uncased"}),
    "It does not make a difference between english and English.": ("casing", {"casing": "uncased"}),
    "It makes a difference between english and English.": ("casing", {"casing": "cased"}),
    "The texts are not lowercased.": ("casing", {"casing": "cased"}),
    "It is not case-sensitive.": ("casing", {"casing": "uncased"}),
    "It has a vocabulary size of 30,000.": ("vocabulary", {"size": 30000}),
    "It has a vocabulary of about 50000 pieces.": ("vocabulary", {"size": 50000, "about": True}),
    "Inputs have fewer than 512 tokens.": ("length", {"tokens": 512, "below": True}),
    "It takes a maximum length of 512 tokens.": ("length", {"tokens": 512}),
    "The objective is next-sentence prediction.": ("heads", {"present": ["next_sentence"]}),
    "There is no next sentence prediction.": ("heads", {"absent": ["next_sentence"]}),
    "The token is replaced by `<mask>`.": ("inputs", {"mask_token": "<mask>"}),
    "It has 66 million parameters.": ("parameters", {"number": "66 million"}),
    "It has 40% fewer parameters.": ("parameters", {"fewer_than_reference": "40%"}),
    "The size of the model is smaller by 40%.": ("parameters", {"fewer_than_reference": "40%"}),
    "The student inherits biases.": ("inheritance", {"outcome": "inherited"}),
}  # fmt: skip


def drafted(folder: Path, text: str) -> list[dict[str, object]]:
    """Return the claims that are seen in a card, without names."""
    found = tomllib.loads(draft(cards.card(folder, text)))
    return [{k: v for k, v in claim.items() if k != "id"} for claim in found.get("claim", [])]


@pytest.mark.parametrize("sentence", SAYINGS)
def test_a_saying_is_seen_as_what_it_says(tmp_path: Path, sentence: str) -> None:
    """With the sentence as its quotation, and nothing beside it."""
    kind, says = SAYINGS[sentence]
    found = drafted(tmp_path, f"Some words before it. {sentence} And some behind it.")
    assert found == [{"kind": kind, "quote": sentence, **says}]


def test_the_id_of_a_model_says_nothing_of_its_casing(tmp_path: Path) -> None:
    """Nor does a percentage of something else speak of parameters."""
    text = "It is a student of google-bert/bert-base-cased. It is faster by 60%."
    assert drafted(tmp_path, text) == []


def test_a_card_of_the_hub_is_seen_with_its_metadata_table_and_sample(tmp_path: Path) -> None:
    """By hand: each claim of the card, and the models that it names."""
    card = cards.card(tmp_path, cards.HUB)
    found = tomllib.loads(draft(card))
    assert found["card"] == {"model": "some-lab/small-model", "reference": "some-lab/large-model"}
    said = {claim["id"]: {k: v for k, v in claim.items() if k not in {"id", "kind", "quote"}}
            for claim in found["claim"]}  # fmt: skip
    assert said == {
        "licence": {"licence": "mit"},
        "languages": {"languages": ["en"]},
        "casing": {"casing": "cased"},
        "parameters": {"number": "12 million"},
        "parameters-2": {"fewer_than_reference": "40%"},
        "vocabulary": {"size": 3000, "about": True},
        "length": {"tokens": 128},
        "heads": {"present": ["masked_lm"]},
        "heads-2": {"absent": ["next_sentence"]},
        "inheritance": {"outcome": "inherited"},
        "benchmark": {"benchmark": "GLUE", "scores": {"MNLI": 70.1, "QQP": 71.2, "QNLI": 72.3}},
        "sample": {
            "sentence": "The sky is [MASK].",
            "fills": [{"token": "blue", "p": "0.25"}, {"token": "grey", "p": "0.000095"}],
        },
    }


BERT = """\
| Model | MNLI-(m/mm) | QQP | QNLI | Average |
|:--|:--:|:--:|:--:|:--:|
| Small_Model | 84.6/83.4 | 71.2 | 90.5 | 82.4 |
| its teacher | 90.0/90.0 | 90.0 | 90.0 | 90.0 |
"""


def test_a_table_of_several_models_has_the_row_of_the_cards_own(tmp_path: Path) -> None:
    """Two numbers of one task are two; the mean is kept as it is printed."""
    [found] = drafted(tmp_path, f'See `from_pretrained("o/small-model")`.\n\n{BERT}')
    assert found["scores"] == {"MNLI": 84.6, "MNLI-mm": 83.4, "QQP": 71.2, "QNLI": 90.5}
    assert (found["mean"], found["quote"]) == ("82.4", "84.6/83.4 | 71.2 | 90.5 | 82.4")
    assert drafted(tmp_path, BERT) == []


def test_the_form_of_an_input_is_seen_in_a_block_of_code(tmp_path: Path) -> None:
    """Where cards of the Hub have it."""
    text = "An input is of the form\n\n```\n[CLS] Sentence A [SEP]  Sentence B [SEP]\n```\n"
    [found] = drafted(tmp_path, text)
    assert (found["kind"], found["segments"]) == ("inputs", 2)


def test_the_example_is_what_its_card_is_drafted_to() -> None:
    """But for the reference, which the card does not name by its id."""
    card = cards.read_card(EXAMPLE)
    written = EXAMPLE.with_name("student.claims.toml").read_text("utf-8")
    found = tomllib.loads(written)
    assert found["card"].pop("reference") == "teacher"
    assert tomllib.loads(draft(card)) == found


def test_a_long_sentence_is_quoted_around_what_was_seen(tmp_path: Path) -> None:
    """From word to word, so that the quotation is short and stands in the card."""
    text = f"{'many words before ' * 30}a vocabulary size of 30,000 {'and words behind ' * 30}"
    [found] = drafted(tmp_path, text)
    assert "a vocabulary size of 30,000" in str(found["quote"])
    assert len(str(found["quote"])) <= 240
    assert str(found["quote"]) in text


@given(
    st.lists(
        st.sampled_from([*SAYINGS, cards.HUB, EXAMPLE.read_text("utf-8")])
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        max_size=5,
    )
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_drafted_can_be_read_and_is_the_same_twice(
    tmp_path: Path, parts: list[str]
) -> None:
    """Of any card whose metadata can be read; each quotation stands in it."""
    card = cards.card(tmp_path, "# A card\n\n" + "\n\n".join(parts))
    text = draft(card)
    assert draft(card) == text
    found = tomllib.loads(text)
    path = tmp_path / "any.claims.toml"
    path.write_text(text, "utf-8", newline="")
    if "claim" in found:
        assert len(read_claims(path, card).claims) == len(found["claim"])
        assert all(plain(claim["quote"]) in plain(card.text) for claim in found["claim"])
