"""Pruned checkpoints: the share of zeros is told, and masks that were left are multiplied."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.utils import prune

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.torch_model import load
from tests import derived, oracle, tiny

pytestmark = pytest.mark.usefixtures("one_thread")
SHARE = 0.5


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT."""
    return tiny.build(tmp_path_factory.mktemp("models") / "bert", "bert")


def pruned(source: Path) -> Any:
    """The model with half of the weights of each product in its layers pruned by magnitude."""
    model, _ = oracle.load(source)
    for module in model.bert.modules():
        if isinstance(module, nn.Linear):
            prune.l1_unstructured(module, "weight", SHARE)
    return model


def saved(source: Path, model: Any, folder: Path) -> Path:
    """Save a model with the tokenizer of another."""
    model.save_pretrained(folder)
    oracle.load(source)[1].save_pretrained(folder)
    return folder


def test_a_model_that_was_saved_with_its_masks_scores_as_torch_runs_it(
    bert: Path, tmp_path: Path
) -> None:
    """Each weight times its mask; its digest is its own."""
    model = pruned(bert)
    folder = saved(bert, model, tmp_path / "pruned")
    assert any(key.endswith(".weight_mask") for key in load_file(folder / tiny.WEIGHTS_FILE))
    found = load(folder)
    assert derived.largest_difference(found, model) <= derived.ALIKE
    assert derived.largest_difference(load(bert), model) > derived.ALIKE
    assert found.identity.weights != load(bert).identity.weights
    n_pruned = sum(isinstance(module, nn.Linear) for module in model.bert.modules())
    assert found.identity.derived == f"pruned: {n_pruned} weights with their masks"


def test_the_share_of_zeros_is_that_of_the_products(bert: Path, tmp_path: Path) -> None:
    """Counted one by one over linear modules; a model that was not pruned has none to tell."""
    model = pruned(bert)
    masked = load(saved(bert, model, tmp_path / "masked")).identity
    for module in model.bert.modules():
        if isinstance(module, nn.Linear):
            prune.remove(module, "weight")
    weights = {id(m.weight): m.weight for m in model.modules() if isinstance(m, nn.Linear)}
    numbers = torch.cat([weight.flatten() for weight in weights.values()]).tolist()
    expected = sum(number == 0 for number in numbers) / len(numbers)
    removed = load(saved(bert, model, tmp_path / "removed")).identity
    assert 0 < expected < SHARE  # the head was not pruned
    assert masked.zeros == removed.zeros == expected
    assert removed.derived == ""
    assert load(bert).identity.zeros is None
    assert not {"zeros", "derived"} & load(bert).identity.as_json().keys()


@pytest.mark.parametrize("spoilt", ["no mask", "another shape", "weight too"])
def test_a_mask_that_does_not_fit_is_one_line(bert: Path, tmp_path: Path, spoilt: str) -> None:
    """It names the weight, and says what to do."""
    folder = saved(bert, pruned(bert), tmp_path / "pruned")
    whole = "bert.encoder.layer.0.attention.self.query.weight_orig"
    mask = whole.replace("_orig", "_mask")

    def spoil(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        own = tensors.pop(mask)
        if spoilt == "another shape":
            tensors[mask] = own[:1]
        if spoilt == "weight too":
            tensors |= {mask: own, whole.removesuffix("_orig"): own.clone()}
        return tensors

    tiny._edit_weights(folder, spoil)
    with pytest.raises(InputError) as caught:
        load(folder)
    assert f"the weights hold {whole}" in str(caught.value)
    assert "prune.remove(module, 'weight')" in str(caught.value)
