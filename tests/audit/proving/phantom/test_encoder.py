"""The network that is trained is the one that transformers loads, and reads a place as it does."""

import pytest
import torch
from transformers import BertForMaskedLM, DistilBertForMaskedLM

from maskaudit.audit.proving.phantom import build

WORDS = 40


@pytest.fixture(scope="module")
def pair():
    """An untrained teacher and its student."""
    torch.manual_seed(1)
    teacher = build.teacher(WORDS)
    return teacher, build.student(teacher)


@pytest.fixture(scope="module")
def batch():
    """Sentences of unequal lengths, padded, with a place to read in each."""
    rng = torch.Generator().manual_seed(2)
    ids = torch.randint(1, WORDS, (5, 9), generator=rng)
    for row, length in enumerate((9, 4, 6, 9, 2)):
        ids[row, length:] = 0
    return ids, torch.tensor([8, 0, 5, 3, 1])


def test_transformers_reads_what_the_network_reads(pair, batch):
    """In BERT for the teacher and in DistilBERT for the student: transformers' own forward pass."""
    ids, places = batch
    for network, of in zip(pair, (BertForMaskedLM, DistilBertForMaskedLM), strict=True):
        model = build.as_model(network).eval()
        assert isinstance(model, of)
        with torch.no_grad():
            whole = model(input_ids=ids, attention_mask=(ids != 0).long()).logits
            own = network.logits(network.states(ids, places))
        torch.testing.assert_close(own, whole[torch.arange(len(ids)), places])


def test_a_stored_teacher_is_the_same_network_again(pair):
    """Through BERT and back, tensor by tensor."""
    [teacher, _] = pair
    again = build.teacher_of(build.as_model(teacher)).state_dict()
    assert again.keys() == teacher.state_dict().keys()
    for name, value in teacher.state_dict().items():
        assert torch.equal(again[name], value)


def test_a_student_begins_with_every_second_layer_of_its_teacher(pair):
    """And with its embeddings and its head."""
    teacher, student = (model.state_dict() for model in pair)
    assert torch.equal(student["layers.1.up.weight"], teacher["layers.2.up.weight"])
    assert torch.equal(student["layers.0.query.bias"], teacher["layers.0.query.bias"])
    assert torch.equal(student["words.weight"], teacher["words.weight"])
    assert torch.equal(student["bias"], teacher["bias"])
