"""The packed pass gives what transformers' own forward pass gives, or is not taken.

Expected values are those of plain transformers, one sentence at a time.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM

from maskaudit.audit.measuring.backends import packed, products, torch_model
from maskaudit.audit.measuring.backends.products import Product, is_gelu
from maskaudit.audit.measuring.backends.runs import runs
from tests import architectures, oracle, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

# Of different lengths, two of one length apart from each other; read at no place, at one, at all.
SENTENCES = ((2, 50, 60, 4, 3), (2, 70, 3), (2, 4, 4, 51, 3), (2, 71, 3), (2, *range(50, 70), 3))
READS = ((4, 21), (0, 3), *((2, place) for place in range(5)), (4, 0), (3, 1), (0, 1))


# As those of a set: much the same, so that most embeddings are there several times.
ALIKE = tuple(
    (2, 50, 60 + word, *([4, 70] * (1 + more)), 3) for more in (0, 1) for word in range(6)
)
PLACES = tuple((row, 3) for row in range(len(ALIKE)))

Sentences = Sequence[tuple[int, ...]]
Reads = Sequence[tuple[int, int]]


def one_at_a_time(
    folder: Path, sentences: Sentences = SENTENCES, reads: Reads = READS
) -> torch.Tensor:
    """Return log p at each of the reads, each by a forward pass of its sentence alone."""
    model, _ = oracle.load(folder)
    with torch.inference_mode():
        logits = [
            model(input_ids=torch.tensor([sentences[row]])).logits[0, place] for row, place in reads
        ]
    return torch.log_softmax(torch.stack(logits).double(), -1)


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "roberta", "electra"])
def test_sentences_of_any_lengths_read_at_any_places_are_transformers_own(
    tmp_path: Path, architecture: str
) -> None:
    """Packed, in the order of the reads, to 1e-5 nats over the whole vocabulary."""
    folder = tiny.build(tmp_path, architecture)
    model = torch_model.load(folder)
    assert model.identity.encoder == "packed"
    found = torch.from_numpy(model.log_probs(SENTENCES, READS))
    torch.testing.assert_close(found, one_at_a_time(folder), atol=1e-5, rtol=0)


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "roberta", "electra"])
def test_what_sentences_share_is_multiplied_once_and_gives_the_same(
    tmp_path: Path, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first layer's products, and a vocabulary's a slice at a time, the last one shorter."""
    folder = tiny.build(tmp_path, architecture)
    monkeypatch.setattr(products, "_SLICE", 7)
    model = torch_model.load(folder)
    found = torch.from_numpy(model.log_probs(ALIKE, PLACES))
    expected = one_at_a_time(folder, ALIKE, PLACES)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_embeddings_are_shared_only_where_they_are_the_same() -> None:
    """A piece at a place is, as a rule: it is looked at, not believed."""
    batch = runs(ALIKE, [], torch.device("cpu"))
    keys = [(piece, place) for ids in ALIKE for place, piece in enumerate(ids)]
    states = torch.tensor([[piece, place, 1.0] for piece, place in keys])
    rows, number = packed._distinct(states, batch)
    assert len(rows) == len(set(keys))
    assert [keys[row] for row in rows[number].tolist()] == keys
    states[-1, 2] = 2.0
    assert packed._distinct(states, batch) is None


def test_other_architectures_read_several_lengths_at_once_too(tmp_path: Path) -> None:
    """By transformers' own forward pass, a length at a time."""
    folder = tiny.build(tmp_path, "albert")
    model = torch_model.load(folder)
    assert model.identity.encoder == "transformers"
    found = torch.from_numpy(model.log_probs(SENTENCES, READS))
    torch.testing.assert_close(found, one_at_a_time(folder), atol=1e-5, rtol=0)


def test_an_encoder_that_looks_alike_and_computes_something_else_is_not_taken(
    tmp_path: Path,
) -> None:
    """YOSO has the modules of BERT, and attends in another way: it is found by trying."""
    folder = architectures.build(tmp_path, "yoso")
    plain = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    assert packed.packed(plain) is not None
    assert torch_model.load(folder).identity.encoder == "transformers"


@pytest.mark.parametrize(
    "model_type",
    ["albert", "mpnet", "megatron-bert", "esm", "longformer", "fnet"],
    ids=[
        "layers that are shared",
        "positions beside the layers",
        "the norm before the attention",
        "a norm after the layers",
        "products for some pieces",
        "no attention",
    ],
)
def test_an_encoder_that_is_built_otherwise_is_not_tried(tmp_path: Path, model_type: str) -> None:
    """Each differs in the structure of its layers, or of what holds them."""
    folder = architectures.build(tmp_path, model_type)
    assert packed.packed(AutoModelForMaskedLM.from_pretrained(folder).eval()) is None


def changed(model: torch.nn.Module, fault: str) -> None:
    """Change one layer of a BERT."""
    attention = model.bert.encoder.layer[1].attention
    if fault == "no bias":
        attention.self.key.bias = None
    elif fault == "another weight":
        attention.scale = torch.nn.Parameter(torch.ones(1))
    elif fault == "another table":
        attention.register_buffer("distances", torch.zeros(3))
    elif fault == "another product":
        attention.output.adapter = torch.nn.Linear(32, 32)
    else:
        attention.self.key = torch.nn.Linear(32, 16)


@pytest.mark.parametrize(
    "fault", ["no bias", "another weight", "another table", "another product", "another width"]
)
def test_one_layer_with_more_or_less_in_it_is_enough(tmp_path: Path, fault: str) -> None:
    """What it does with it cannot be known."""
    plain = AutoModelForMaskedLM.from_pretrained(tiny.build(tmp_path, "bert")).eval()
    assert packed.packed(plain) is not None
    changed(plain, fault)
    assert packed.packed(plain) is None


def test_the_joined_weights_are_held_once(tmp_path: Path) -> None:
    """Those of queries, keys and values become views of their product's; the numbers stay."""
    folder = tiny.build(tmp_path, "bert")
    plain, other = (AutoModelForMaskedLM.from_pretrained(folder).eval() for _ in range(2))
    assert packed.packed(plain) is not None
    query, key = (getattr(plain.bert.encoder.layer[0].attention.self, n) for n in ("query", "key"))
    assert query.weight.untyped_storage().data_ptr() == key.weight.untyped_storage().data_ptr()
    assert all(map(torch.equal, plain.parameters(), other.parameters()))


def test_the_last_layer_and_the_head_work_at_the_reads_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many rows as reads; every layer before it sees each piece once."""
    model = torch_model.load(tiny.build(tmp_path, "bert"))
    ours, plain = model._packed, Product.__call__
    assert ours is not None
    rows: dict[int, int] = {}

    def counted(self: Product, states: torch.Tensor, **named: bool) -> torch.Tensor:
        rows[id(self)] = states.shape[:-1].numel()
        return plain(self, states, **named)

    monkeypatch.setattr(Product, "__call__", counted)
    head: list[int] = []
    model._model.cls.register_forward_pre_hook(lambda _, args: head.append(len(args[0])))
    model.log_probs(SENTENCES, READS)
    [first], last = ours._layers, ours._last.rest
    pieces = sum(map(len, SENTENCES))
    assert [rows[id(layer.outward)] for layer in (first, last)] == [pieces, len(READS)]
    assert head == [len(READS)]


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
def test_weights_that_are_laid_out_beforehand_give_the_same_products(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, activation: str
) -> None:
    """To 1e-5 nats, with GELU within the product where it is the exact one, and not elsewhere."""
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        pytest.skip("this torch has no products with weights laid out beforehand")
    monkeypatch.setattr(products, "_is_amd", lambda: True)
    folder = tiny.build(tmp_path, "bert", hidden_act=activation)
    model = torch_model.load(folder)
    assert model._packed is not None
    assert model._packed.is_laid_out
    assert not model._packed.plain().is_laid_out
    assert is_gelu(model._packed._layers[0].activation) == (activation == "gelu")
    found = torch.from_numpy(model.log_probs(SENTENCES, READS))
    torch.testing.assert_close(found, one_at_a_time(folder), atol=1e-5, rtol=0)


def test_layers_are_run_plainly_where_the_faster_kernel_rounds_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are then still our own."""
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        pytest.skip("this torch has no products with weights laid out beforehand")
    monkeypatch.setattr(products, "_is_amd", lambda: True)
    plain = Product.__call__

    def rough(self: Product, states: torch.Tensor, *, gelu: bool = False) -> torch.Tensor:
        return plain(self, states, gelu=gelu) * (1 + 1e-4 * self.is_fused)

    monkeypatch.setattr(Product, "__call__", rough)
    model = torch_model.load(tiny.build(tmp_path, "bert"))
    assert model._packed is not None
    assert not model._packed.is_laid_out


def _lengths(sentences: Sentences) -> list[tuple[int, int]]:
    return [(run.n, run.length) for run in runs(sentences, [], torch.device("cpu"))]


def test_a_run_ends_where_the_length_changes() -> None:
    """Sentences keep their order: a length that comes back begins another run."""
    assert _lengths(SENTENCES) == [(1, 5), (1, 3), (1, 5), (1, 3), (1, 22)]
    assert _lengths(sorted(SENTENCES, key=len)) == [(2, 3), (2, 5), (1, 22)]
