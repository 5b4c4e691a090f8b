"""A student has its teacher's layers, embeddings and head: with all layers it is the teacher."""

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from maskaudit.audit.errors import InputError
from maskaudit.audit.training.distilling.student import KINDS, every_other, student_of
from tests import tiny

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return a model of four layers of each kind, with some ids that it can read."""
    root = tmp_path_factory.mktemp("teachers")
    made = {}
    for kind in KINDS:
        depth = {KINDS[kind].depth: 4}
        folder = tiny.build(root / kind, kind, seed=3, **depth)
        model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
        ids = AutoTokenizer.from_pretrained(folder)("she is a doctor", return_tensors="pt")
        made[kind] = (model, ids["input_ids"])
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_student_with_all_layers_answers_as_its_teacher(models, kind):
    """A BERT's as well, whose student is a DistilBERT."""
    model, ids = models[kind]
    student = student_of(model, range(4), kind).eval()
    assert student.config.model_type == ("distilbert" if kind == "bert" else kind)
    with torch.no_grad():
        assert torch.allclose(model(ids).logits, student(ids).logits, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_student_is_its_teacher_without_every_other_layer(models, kind):
    """The layers 1 and 3 are taken out of the teacher itself, and put back."""
    model, ids = models[kind]
    assert every_other(model, kind) == (0, 2)
    student = student_of(model, (0, 2), kind).eval()
    layers = model.get_submodule(KINDS[kind].layers)
    whole = list(layers)
    del layers[3], layers[1]
    with torch.no_grad():
        expected = model(ids).logits
        found = student(ids).logits
    del layers[:]
    layers.extend(whole)
    assert torch.allclose(expected, found, atol=1e-5)
    assert not any(
        ours.data_ptr() == theirs.data_ptr()
        for ours in student.parameters()
        for theirs in model.parameters()
    )


def test_what_cannot_be_a_teacher_is_refused(tmp_path):
    """Another type, a single layer, and a BERT with another constant than a DistilBERT has."""
    folder = tiny.build(tmp_path / "electra", "electra", seed=1)
    other = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    with pytest.raises(InputError, match="type 'electra'; expected a teacher of one of bert, dis"):
        every_other(other, "it")
    folder = tiny.build(tmp_path / "one", "bert", seed=1, num_hidden_layers=1, layer_norm_eps=1e-5)
    one = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    with pytest.raises(InputError, match="has 1 layer; expected a teacher of at least 2"):
        every_other(one, "it")
    with pytest.raises(InputError, match="layer_norm_eps 1e-05; expected 1e-12"):
        student_of(one, (0,), "it")
