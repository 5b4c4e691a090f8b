"""Our own pass is taken where it is as exact as transformers' own, which float64 decides.

Expected values are those of a copy of the model that is in float64 as a whole.
"""

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForMaskedLM

from maskaudit.audit.measuring.backends import proof, torch_model
from maskaudit.audit.measuring.backends.lower_precision import TRIALS
from maskaudit.audit.measuring.backends.packed import packed
from maskaudit.audit.measuring.backends.runs import Run, runs
from tests import oracle, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

SENTENCES = ((2, 50, 4, 3), (2, 50, 60, 4, 70, 3), (2, *range(50, 70), 4, 3))
READS = ((0, 2), (1, 3), (2, 21), (2, 0))


def loud(folder: Path, architecture: str = "bert") -> Path:
    """Save a model whose log p spreads over hundreds of nats, so that float32 rounds by more."""
    folder = tiny.build(folder, architecture)
    file = folder / tiny.WEIGHTS_FILE
    weights = load_file(file)
    [name] = [key for key in weights if key.endswith("LayerNorm.weight") and "transform" in key]
    weights[name] *= 10
    save_file(weights, file, {"format": "pt"})
    return folder


def log_p(model: torch.nn.Module) -> torch.Tensor:
    """Return log p at each read, a sentence at a time."""
    with torch.inference_mode():
        logits = [
            model(input_ids=torch.tensor([SENTENCES[row]])).logits[0, place] for row, place in READS
        ]
    return torch.log_softmax(torch.stack(logits).double(), -1)


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "roberta", "electra"])
def test_a_module_at_a_time_gives_what_a_whole_copy_in_float64_gives(
    tmp_path: Path, architecture: str
) -> None:
    """To 1e-12, and the model is as it was: the same numbers in float32, and the same answers."""
    plain, _ = oracle.load(tiny.build(tmp_path, architecture))
    before = deepcopy(plain)
    with proof.in_float64(plain):
        found = log_p(plain)
    torch.testing.assert_close(found, log_p(deepcopy(plain).double()), atol=1e-12, rtol=0)
    assert all(map(torch.equal, plain.parameters(), before.parameters()))
    assert torch.equal(log_p(plain), log_p(before))


def test_a_model_that_float32_itself_rounds_by_more_is_run_by_our_pass(tmp_path: Path) -> None:
    """Which is then as near to float64 as transformers' own: no two passes agree to 1e-5."""
    folder = loud(tmp_path)
    model = torch_model.load(folder)
    plain, _ = oracle.load(folder)
    truth = log_p(deepcopy(plain).double())
    ours = torch.from_numpy(model.log_probs(SENTENCES, READS))
    own = float((log_p(plain) - truth).abs().max())
    assert own > proof.TOLERANCE
    assert model.identity.encoder == "packed"
    assert float((ours - truth).abs().max()) <= 3 * own


def test_layers_that_are_off_by_more_than_rounding_are_not_taken(tmp_path: Path) -> None:
    """By as little as one weight that is changed by a thousandth of a nat's worth."""
    folder = loud(tmp_path)
    plain = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    other = deepcopy(plain)
    layers = packed(plain)
    assert layers is not None
    batch = runs(SENTENCES, READS, torch.device("cpu"))

    def own(of: list[Run]) -> torch.Tensor:
        full = [other(input_ids=run.ids).logits[run.rows, run.places] for run in of]
        logits = torch.empty(len(READS), full[0].shape[-1], dtype=full[0].dtype)
        logits[torch.cat([run.numbers for run in of])] = torch.cat(full)
        return logits

    with torch.inference_mode():
        assert proof.is_as_exact(layers, own, other, batch, lambda: batch)
        distance = proof.difference(layers.logits, own(batch), batch)
        other.bert.encoder.layer[0].output.dense.bias.data[0] += 1e-5
        assert distance < proof.difference(layers.logits, own(batch), batch)
        assert not proof.is_as_exact(layers, own, other, batch, lambda: batch)


def test_what_is_not_finite_or_not_computed_is_infinitely_far() -> None:
    """Or not a number: neither is within a tolerance."""
    batch = runs(SENTENCES, READS, torch.device("cpu"))
    expected = torch.zeros(len(READS), 5)

    def fails(_batch: object) -> torch.Tensor:
        raise TypeError

    assert proof.difference(lambda _batch: expected, expected, batch) == 0
    assert proof.difference(lambda _batch: expected[:, :4], expected, batch) == float("inf")
    assert proof.difference(fails, expected, batch) == float("inf")
    assert not proof.difference(lambda _batch: expected * float("nan"), expected, batch) <= 1


@pytest.mark.parametrize("name", ["teacher", "student"])
def test_a_trained_model_is_run_by_our_pass_and_its_words_agree_to_1e_5(
    shared: Path, name: str
) -> None:
    """With transformers' own forward pass of each sentence alone, at the ten likeliest pieces."""
    folder = shared / "models" / "natural" / name
    model = torch_model.load(folder)
    assert model.identity.encoder == "packed"
    plain, _ = oracle.load(folder)
    encoded = model.encode([text.replace("[MASK]", model.mask_token) for text in TRIALS])
    sentences = sorted((one.ids for one in encoded), key=len)
    reads = [(row, ids.index(model.mask_id)) for row, ids in enumerate(sentences)]
    ours = torch.from_numpy(model.log_probs(sentences, reads))
    for found, (row, place) in zip(ours, reads, strict=True):
        with torch.inference_mode():
            logits = plain(input_ids=torch.tensor([sentences[row]])).logits[0, place]
        values, pieces = torch.log_softmax(logits.double(), -1).topk(10)
        torch.testing.assert_close(found[pieces], values, atol=1e-5, rtol=0)
