"""The card that this project was made from, against recorded facts of the model it is about."""

import tomllib
from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertForPreTraining,
    DistilBertConfig,
    DistilBertForMaskedLM,
    PreTrainedModel,
)

from maskaudit.audit.claims.card import read_card
from maskaudit.audit.claims.checking.check import check_claims
from maskaudit.audit.claims.checking.facts import Facts, Known
from maskaudit.audit.claims.claims_file import read_claims
from maskaudit.audit.claims.drafting.draft import draft
from maskaudit.audit.measuring.checkpoints.facts import counted, segments, stored_heads

RECORDED = tomllib.loads((Path(__file__).parents[1] / "real_models.toml").read_text("utf-8"))
STUDENT, TEACHER = "distilbert-base-cased", "bert-base-cased"


def facts(name: str) -> Facts:
    """Return the facts of a published model: its own tensors, made without their numbers."""
    recorded = RECORDED[name]
    with torch.device("meta"):
        model: PreTrainedModel = (
            DistilBertForMaskedLM(DistilBertConfig(**recorded["config"]))
            if name == STUDENT
            else BertForPreTraining(BertConfig(**recorded["config"]))
        )
    tensors = {
        key: list(tensor.shape)
        for key, tensor in model.state_dict().items()
        # A tied table is stored once, and places are no numbers that are trained.
        if tensor.is_floating_point() and not key.endswith(("projector.weight", "decoder.weight"))
    }
    return Facts(
        name,
        casing="uncased" if recorded["do_lower_case"] else "cased",
        vocabulary_size=recorded["config"]["vocab_size"],
        longest=recorded["config"]["max_position_embeddings"],
        heads=stored_heads(tensors),
        segments=segments(tensors),
        mask_token=recorded["mask_token"],
        parameters=counted(tensors),
    )


@pytest.fixture(scope="module")
def known() -> Known:
    """Give what is known of the student and its teacher."""
    return Known(facts(STUDENT), facts(TEACHER))


@pytest.mark.parametrize("name", [STUDENT, TEACHER])
def test_the_tensors_of_a_published_model_are_counted_as_they_are_known(name: str) -> None:
    """By its configuration alone, by hand: `real_models.toml`."""
    assert facts(name).parameters["without heads"] == RECORDED[name]["encoder"]


def test_the_student_has_no_segments_and_the_teacher_has_two(known: Known) -> None:
    """Nor has the student the teacher's next-sentence head."""
    assert known.model is not None
    assert known.reference is not None
    assert (known.model.segments, known.reference.segments) == (1, 2)
    assert known.model.heads == {"masked_lm"}
    assert known.reference.heads == {"masked_lm", "next_sentence"}


def test_what_the_card_says_wrongly_is_found(shared: Path, tmp_path: Path, known: Known) -> None:
    """Casing, vocabulary, another model's row of GLUE, sentence pairs and their objective."""
    card = read_card(shared / "cards" / "distilbert-base-cased.azureml.md")
    path = tmp_path / "card.claims.toml"
    path.write_text(draft(card), "utf-8")
    claims = read_claims(path, card)
    assert claims.about.model == STUDENT
    checked = check_claims(claims, card, known)
    wrong = {(one.kind, one.says): one.evidence for one in checked if one.verdict == "contradicted"}
    scores = (
        "MNLI 82.2, QQP 88.5, QNLI 89.2, SST-2 91.3, CoLA 51.3, STS-B 85.8, MRPC 87.5, RTE 59.9"
    )
    assert wrong.keys() == {
        ("casing", "it makes all letters small"),
        ("vocabulary", "its vocabulary has 30,000 pieces"),
        ("inputs", "it tells 2 kinds of segment apart"),
        ("heads", "it has a next-sentence head"),
        ("benchmark", f"on GLUE it has {scores}"),
    }
    evidence = " ".join(wrong.values())
    assert "the model has 28,996 pieces" in evidence
    assert "it is the row of distilbert-base-uncased" in evidence
    right = {one.kind for one in checked if one.verdict == "confirmed"}
    # Its title says "cased", and 512 pieces are one more than "less than 512".
    assert right == {"casing", "heads", "inputs", "length"}
    # Without the weights, a record or the files of the checkpoint these are open.
    unchecked = {one.kind for one in checked if one.verdict == "not_checkable"}
    assert unchecked == {"sample", "inheritance", "languages", "licence"}
