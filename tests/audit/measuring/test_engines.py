"""Models run on other devices, in a lower precision and in other batches.

Expected values are those of plain transformers in float32, a sentence at a time.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from maskaudit.audit.audit_file import Run
from maskaudit.audit.errors import DeviceMemoryError, InputError
from maskaudit.audit.measuring.backends import devices, torch_model
from maskaudit.audit.measuring.backends.fitting import fitting
from maskaudit.audit.measuring.backends.lower_precision import TRIALS
from maskaudit.audit.measuring.backends.runs import runs
from maskaudit.audit.measuring.cached.keys import Keys, here
from maskaudit.audit.measuring.engine import Engine
from maskaudit.audit.measuring.model import Ids, Numbers
from maskaudit.audit.measuring.planning.read_plan import Plan
from maskaudit.audit.measuring.planning.reads import Read
from tests import oracle, tiny

pytestmark = pytest.mark.usefixtures("one_thread")
LOWER = Engine(dtype="bfloat16")
on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT."""
    return tiny.build(tmp_path_factory.mktemp("models"), "bert")


def plain(folder: Path, sentences: Sequence[Ids], mask: int) -> Numbers:
    """Log p at the mask of each sentence, by a forward pass in float32 of the sentence alone."""
    model, _ = oracle.load(folder)
    with torch.inference_mode():
        logits = [
            model(input_ids=torch.tensor([ids])).logits[0, ids.index(mask)] for ids in sentences
        ]
    found: Numbers = torch.log_softmax(torch.stack(logits).double(), -1).numpy()
    return found


def test_how_far_a_lower_precision_is_from_float32_is_told_and_kept(folder: Path) -> None:
    """It is the largest difference over the vocabulary on the trial sentences, and above 0."""
    told: list[str] = []
    lower = torch_model.load(folder, engine=LOWER, note=told.append)
    sentences = [
        one.ids for one in lower.encode([t.replace("[MASK]", lower.mask_token) for t in TRIALS])
    ]
    reads = [(row, ids.index(lower.mask_id)) for row, ids in enumerate(sentences)]
    found = np.concatenate(
        [
            lower.log_probs([ids], [(0, place)])
            for ids, (_, place) in zip(sentences, reads, strict=True)
        ]
    )
    largest = float(np.abs(found - plain(folder, sentences, lower.mask_id)).max())
    kept = lower.identity.from_float32
    assert kept is not None
    assert 0 < largest < 0.1
    assert kept == pytest.approx(largest, rel=0.5)  # other batches round otherwise
    assert f"{kept:.3g}" in told[0]
    assert lower.identity.as_json()["from_float32"] == kept


def test_log_p_of_a_lower_precision_is_still_that_of_a_distribution(folder: Path) -> None:
    """It sums to 1 in double precision: only the layers are rounded."""
    lower = torch_model.load(folder, engine=LOWER)
    log_p = lower.log_probs([(2, 50, 4, 3)], [(0, 2)])
    assert np.exp(log_p).sum() == pytest.approx(1, abs=1e-9)


def test_a_lower_precision_is_refused_where_our_pass_runs_no_layers(tmp_path: Path) -> None:
    """Rather than rounding what nobody proved."""
    folder = tiny.build(tmp_path, "albert")
    with pytest.raises(InputError, match="float32 alone; bfloat16 is for models built like BERT"):
        torch_model.load(folder, engine=LOWER)


def test_the_keys_of_float32_on_the_processor_are_what_they_were(folder: Path) -> None:
    """And every other engine has others: of the method, of a record, of the cache."""
    assert Engine().method == {"dtype": "float32"}
    assert Engine("cuda", "bfloat16").method == {"dtype": "bfloat16", "device": "cuda"}
    exact, lower = (torch_model.load(folder, engine=engine) for engine in (Engine(), LOWER))
    names = exact.identity.without_names()
    assert "from_float32" not in {*names, *exact.identity.as_json()}
    assert names != lower.identity.without_names()
    assert here() == here(None) != here(77)
    assert Keys([exact])._models[id(exact)] != Keys([lower])._models[id(lower)]


def test_a_batch_has_at_most_so_many_pieces() -> None:
    """All sentences are in one batch or another, once."""
    sentences = [tuple(range(n, n + 5)) for n in range(40)]
    plan = Plan(99, batch_tokens=12, contexts={str(ids): Read(ids, 0) for ids in sentences})
    batches = plan.batches()
    assert {len(batch) for batch in batches} == {2}
    assert sorted(ids for batch in batches for ids in batch) == sentences


class Small:
    """A device with memory for so many sentences; log p tells the sentence and the place."""

    def __init__(self, room: int) -> None:
        self.room, self.tried = room, []

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Fail as torch does where too many sentences are asked."""
        self.tried.append(len(sentences))
        if len(sentences) > self.room:
            message = "CUDA out of memory. Tried to allocate 20.00 MiB"
            raise torch.OutOfMemoryError(message)
        return np.array([[float(sentences[row][0]), float(place)] for row, place in reads])


def test_a_batch_that_does_not_fit_is_run_in_halves_once_and_that_is_told() -> None:
    """In the order of the reads, however they are strewn; what fits is run at once."""
    sentences = [(number, 0) for number in range(5)]
    reads = [(4, 1), (0, 0), (2, 1), (1, 0), (4, 0)]
    expected = Small(9).log_probs(sentences, reads)
    told: list[str] = []
    small = Small(3)
    found = fitting(small.log_probs, sentences, reads, "cpu", told.append)
    np.testing.assert_array_equal(found, expected)
    assert small.tried == [5, 2, 3]
    assert "10 pieces in 5 sentences, 5 places read" in told[0]


def test_halves_that_do_not_fit_end_with_70_and_the_numbers() -> None:
    """And with what can be done."""
    with pytest.raises(DeviceMemoryError, match=r"Tried to allocate.*--batch-tokens") as raised:
        fitting(Small(1).log_probs, [(1, 2)] * 4, [(0, 0)], "cuda", lambda _told: None)
    assert raised.value.exit_code == 70
    with pytest.raises(DeviceMemoryError, match="in 1 sentences"):
        fitting(Small(0).log_probs, [(1, 2)], [(0, 0)], "cpu", lambda _told: None)


@pytest.mark.parametrize(
    ("there", "asked", "taken"),
    [
        (["cpu"], "auto", "cpu"),
        (["cpu", "cuda"], "auto", "cuda"),
        (["cpu", "mps"], "auto", "cpu"),
        (["cpu", "mps"], "mps", "mps"),
        (["cpu", "cuda"], "cpu", "cpu"),
    ],
)
def test_auto_takes_cuda_alone_and_what_is_not_used_is_told(
    monkeypatch: pytest.MonkeyPatch, there: list[str], asked: str, taken: str
) -> None:
    """Each device but the processor, by the option that would take it."""
    monkeypatch.setattr(devices, "_there", lambda: there)
    monkeypatch.setattr(devices, "_NVIDIA", Path("/nowhere"))
    told: list[str] = []
    engine = devices.prepared(Run.model_validate({"device": asked}), told.append)
    assert engine.device == taken
    assert [text.split()[0] for text in told] == [d for d in there if d not in {"cpu", taken}]


def test_a_device_that_is_not_there_is_refused_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In one line."""
    monkeypatch.setattr(devices, "_there", lambda: ["cpu"])
    with pytest.raises(InputError, match=r"'cuda' is not there.*this machine has cpu: use one"):
        devices.engine_of(Run(device="cuda"))


def test_a_precision_that_saves_no_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how many times as long it takes."""
    told: list[str] = []
    for times in (0.4, 8.0):
        monkeypatch.setattr(devices, "slower", lambda times=times: times)
        devices.prepared(Run(device="cpu", dtype="bfloat16"), told.append)
    [sentence] = [text for text in told if "bfloat16" in text]
    assert "its products take 8.0 times as long as those of float32" in sentence


@on_cuda
def test_cuda_gives_what_the_processor_gives(folder: Path) -> None:
    """To 1e-4 nats in float32: TF32, with 10 bits, would be far outside."""
    engine = devices.prepared(Run(device="cuda"))
    model = torch_model.load(folder, engine=engine)
    sentences = [(2, 50, 4, 3), (2, 50, 60, 4, 3)]
    found = model.log_probs(sentences, [(0, 2), (1, 3)])
    np.testing.assert_allclose(found, plain(folder, sentences, 4), atol=1e-4, rtol=0)
    assert model.identity.device == "cuda"


@on_cuda
def test_nothing_waits_for_cuda_within_a_batch(folder: Path) -> None:
    """Torch raises an error wherever the processor would wait, until the numbers are taken."""
    model = torch_model.load(folder, engine=devices.prepared(Run(device="cuda")))
    batch = runs([(2, 50, 4, 3)], [(0, 2)], torch.device("cuda"))
    torch.cuda.set_sync_debug_mode("error")
    try:
        model._logits(batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
