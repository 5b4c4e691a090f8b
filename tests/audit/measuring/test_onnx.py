"""Models run by ONNX Runtime: checkpoints that are exported here, and files that others exported.

Expected values are those of plain transformers and of plain ONNX Runtime, a sentence at a time.
"""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import maskaudit
from maskaudit.audit import describe, settings
from maskaudit.audit.audit_file import Run
from maskaudit.audit.errors import InputError, MissingExtraError, NotJudgedError
from maskaudit.audit.measuring.backends import devices, torch_model
from maskaudit.audit.measuring.backends.exported import checkpoint, file, traced
from maskaudit.audit.measuring.backends.lower_precision import TRIALS
from maskaudit.audit.measuring.cached.cache import EXPORT, MIB, Cache
from maskaudit.audit.measuring.engine import Engine
from maskaudit.audit.measuring.model import Ids
from maskaudit.audit.verifying.verify import verify
from tests import architectures, graphs, tiny

pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed: maskaudit[onnx]")
pytest.importorskip("onnx", reason="onnx is not installed: maskaudit[onnx]")
pytestmark = pytest.mark.usefixtures("one_thread")
ONNX = Engine(name="onnx")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT."""
    return tiny.build(tmp_path_factory.mktemp("models"), "bert")


@pytest.fixture(scope="module")
def made(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, exported as its users do."""
    return graphs.exported(folder, tmp_path_factory.mktemp("exported") / "bert")


@pytest.fixture(scope="module")
def int8(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported file with weights of eight bits, and activations by what is run together."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target = graphs.settings_of(made, tmp_path_factory.mktemp("exported") / "int8")
    quantize_dynamic(made / "model.onnx", target / "model.onnx", weight_type=QuantType.QInt8)
    return target


def sentences_of(model: torch_model.LoadedModel) -> list[Ids]:
    """The trial sentences, whose lengths differ."""
    return [one.ids for one in model.encode([t.replace("[MASK]", "[MASK]") for t in TRIALS])]


def read(model: torch_model.LoadedModel, sentences: Sequence[Ids]) -> np.ndarray:
    """Log p at the mask of each, all asked at once, those of one length together."""
    ordered = sorted(range(len(sentences)), key=lambda row: len(sentences[row]))
    batch = [sentences[row] for row in ordered]
    found = model.log_probs(batch, [(n, ids.index(model.mask_id)) for n, ids in enumerate(batch)])
    return found[np.argsort(ordered)]


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "roberta", "albert", "electra"])
def test_an_exported_checkpoint_gives_what_transformers_gives(
    tmp_path: Path, architecture: str
) -> None:
    """To 1e-5 nats, whatever stands in a batch; how far it is, is told and kept."""
    source, told = tiny.build(tmp_path, architecture), []
    model = checkpoint.load(source, engine=ONNX, note=told.append)
    texts = [text.replace("[MASK]", model.mask_token) for text in TRIALS]
    sentences = [one.ids for one in model.encode(texts)] * 2
    np.testing.assert_allclose(
        read(model, sentences), graphs.by_torch(source, sentences, model.mask_id), atol=1e-5, rtol=0
    )
    kept = model.identity.from_float32
    assert kept is not None
    assert 0 < kept < 1e-5
    assert f"{kept:.3g}" in told[-1]
    assert model.identity.encoder.startswith("onnxruntime ")


def test_several_places_of_a_sentence_are_read_in_their_order(folder: Path) -> None:
    """As torch reads them, in a batch of two lengths."""
    model, exact = checkpoint.load(folder, engine=ONNX), torch_model.load(folder)
    sentences = [(2, 50, 4, 3), (2, 51, 4, 3), (2, 50, 60, 4, 4, 3)]
    reads = [(2, 4), (0, 2), (2, 1), (1, 0), (0, 1)]
    expected = exact.log_probs(sentences, reads)
    np.testing.assert_allclose(model.log_probs(sentences, reads), expected, atol=1e-5, rtol=0)
    np.testing.assert_array_equal(model.states(sentences[:2]), exact.states(sentences[:2]))


def test_a_graph_is_kept_by_the_digest_of_the_weights_and_believed_by_the_key(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second load exports nothing; what somebody changed is exported again."""
    cache = Cache(tmp_path / "cache", 64 * MIB, pytest.fail)
    first = checkpoint.load(folder, engine=ONNX, cache=cache)
    [kept] = (tmp_path / "cache").glob(f"*{EXPORT}")
    exports: list[int] = []
    as_onnx = traced.as_onnx
    monkeypatch.setattr(traced, "as_onnx", lambda *given: exports.append(1) or as_onnx(*given))
    again = checkpoint.load(folder, engine=ONNX, cache=cache)
    assert not exports
    assert again.identity == first.identity
    damaged = bytearray(kept.read_bytes())
    damaged[-1] ^= 1
    kept.write_bytes(damaged)
    checkpoint.load(folder, engine=ONNX, cache=cache)
    assert exports
    checkpoint.load(tiny.build(tmp_path / "other", "bert", seed=5), engine=ONNX, cache=cache)
    assert len(list((tmp_path / "cache").glob(f"*{EXPORT}"))) == 2


def test_an_export_that_differs_is_refused_as_an_exact_engine(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, with how far it is."""

    class Off(traced.AtReads):
        """Off by a thousandth."""

        def forward(self, *given: torch.Tensor) -> torch.Tensor:
            """Logits."""
            logits = super().forward(*given)
            return logits * 1.001

    monkeypatch.setattr(traced, "AtReads", Off)
    with pytest.raises(InputError, match=r"differs from torch's by 0\.0\d+ nats.*0\.0001; leave"):
        checkpoint.load(folder, engine=ONNX)


def test_a_model_that_cannot_be_exported_is_one_line_with_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the exporter raises."""

    def fails(*_given: object) -> bytes:
        message = "Unsupported operator\naten::hypot"
        raise RuntimeError(message)

    monkeypatch.setattr(traced, "as_onnx", fails)
    with pytest.raises(
        InputError, match=r"cannot be exported for onnxruntime .*aten::hypot.*torch"
    ):
        checkpoint.load(folder, engine=ONNX)


@pytest.mark.parametrize(
    ("kind", "said"),
    [("fnet", "cannot be exported .*fft_fftn"), ("funnel", "does not read sentences of other")],
)
def test_an_architecture_that_an_export_does_not_hold_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str, said: str
) -> None:
    """And nothing is printed beside it."""
    source = architectures.build(tmp_path / kind, kind)
    capfd.readouterr()
    with pytest.raises(InputError, match=said) as caught:
        checkpoint.load(source, engine=ONNX)
    assert len(str(caught.value).splitlines()) == 1
    assert "leave out --engine, and torch runs it" in str(caught.value)
    assert capfd.readouterr().out == ""


def test_an_engine_that_is_not_installed_is_told_with_what_to_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And a device or a precision that it does not have, with what to leave out."""
    for how, said in (
        ({"device": "cuda"}, "on the processor alone; leave out --device cuda"),
        ({"dtype": "bfloat16"}, "float32 alone"),
    ):
        with pytest.raises(InputError, match=said):
            devices.engine_of(Run.model_validate({"engine": "onnx"} | how))
    monkeypatch.setattr(devices, "find_spec", lambda _package: None)
    with pytest.raises(MissingExtraError, match=r'pip install "maskaudit\[onnx\]"'):
        devices.engine_of(Run(engine="onnx"))


def test_the_engine_is_in_the_method_key() -> None:
    """With its version; torch is in none, as before there was a choice."""
    method = devices.engine_of(Run(engine="onnx")).method
    assert method["engine"].startswith("onnxruntime ")
    for name in ("auto", "torch"):
        assert Engine(name=name).method == {"dtype": "float32"}


@pytest.mark.parametrize("place", ["model.onnx", "onnx/model.onnx", "model_quantized.onnx"])
def test_a_file_is_a_model_of_its_own(folder: Path, made: Path, tmp_path: Path, place: str) -> None:
    """With the digest of the file, and log p of plain ONNX Runtime."""
    copy = graphs.settings_of(folder, tmp_path / "copy")
    (copy / place).parent.mkdir(exist_ok=True)
    shutil.copy(made / "model.onnx", copy / place)
    model = file.load(copy)
    sentences = sentences_of(model) * 2
    expected = graphs.by_onnxruntime(copy / place, sentences, model.mask_id)
    np.testing.assert_allclose(read(model, sentences), expected, atol=1e-5, rtol=0)
    found = model.identity
    assert found.weights == found.files[Path(place).name]
    assert (found.dtype, found.stored_dtype, found.layers) == ("stored", "F32+I64", 2)
    assert found.tokenizer == torch_model.load(folder).identity.tokenizer
    assert (
        model.lacks("attention")
        == f"{found.encoder} gives its log p alone"
        == model.lacks("states")
    )


def test_int8_is_scored_as_its_own_library_does_sentence_by_sentence(int8: Path) -> None:
    """Its activations are quantised by all that is run together, so nothing is."""
    told: list[str] = []
    model = file.load(int8, note=told.append)
    sentences = sentences_of(model) * 2
    expected = graphs.by_onnxruntime(int8 / "model.onnx", sentences, model.mask_id)
    np.testing.assert_allclose(read(model, sentences), expected, atol=1e-4, rtol=0)
    assert "quantised by what is run together: its sentences are run one at a time" in told[0]
    assert "I8" in model.identity.stored_dtype
    # The point of it: run together, other numbers come out.
    model._model.is_alone = False
    assert np.abs(read(model, sentences) - expected).max() > 1e-4


def test_what_depends_on_other_sentences_is_found_by_trying(
    int8: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the operators of a graph do not tell it."""
    from maskaudit.audit.measuring.checkpoints import onnx_file

    monkeypatch.setattr(onnx_file, "_DYNAMIC", set())
    told: list[str] = []
    model = file.load(int8, note=told.append)
    assert model._model.is_alone
    assert "depends on what is run together" in told[0]


def test_the_method_key_names_each_library_that_runs_a_model(
    folder: Path, made: Path, tmp_path: Path
) -> None:
    """As it is found before any is loaded; and none where torch runs all."""
    for models, said in (
        ([folder, folder], None),
        ([folder, made], "onnxruntime 1.x and torch"),
        ([made, made], "onnxruntime 1.x"),
        ([folder, tmp_path / "hub" / "name"], None),
    ):
        reference, candidate = map(str, models)
        asked = settings.resolve(reference=reference, candidate=candidate)
        found = describe.engine_key(asked).get("engine")
        assert (None if found is None else re.sub(r"[\d.]+(?= |$)", "1.x", found)) == said
    asked = settings.resolve(reference=str(folder), candidate=str(made), engine="onnx")
    assert re.fullmatch(r"onnxruntime [\d.]+", describe.engine_key(asked)["engine"])


@pytest.mark.slow
def test_an_audit_of_an_int8_copy_against_its_parent_holds(
    folder: Path, int8: Path, tmp_path: Path
) -> None:
    """The record says what ran each, the page too, and it is no version of what torch ran alone."""
    audited = tmp_path / "set.toml"
    frame = '[[frames]]\nid = "{0}"\ntext = "[MASK] {1} {{a attribute}}."\n'
    verbs = ("was", "is", "met", "saw", "knows", "likes")
    audited.write_text(tiny.small_set() + "".join(frame.format(f"f{v}", v) for v in verbs), "utf-8")
    out = tmp_path / "runs"
    how = {"reference": folder, "probes": [audited], "out": out, "no_cache": True}
    record, plain = (maskaudit.run(candidate=one, **how) for one in (int8, folder))
    assert verify(record.path).holds
    assert record.manifest.method["engine"].startswith("onnxruntime ")
    assert record.manifest.models["reference"].encoder == "packed"
    assert record.manifest.models["candidate"].dtype == "stored"
    assert "run as stored by onnxruntime" in (record.path / "details.html").read_text("utf-8")
    with pytest.raises(NotJudgedError, match="engine: none, then onnxruntime"):
        maskaudit.compare(plain, record)


def without_config(folder: Path) -> None:
    """As a file that was copied alone."""
    (folder / "config.json").unlink()


def two_files(folder: Path) -> None:
    """Two that could both be meant."""
    for name in ("a.onnx", "b.onnx"):
        shutil.copy(folder / "model.onnx", folder / name)
    (folder / "model.onnx").unlink()


def cut(folder: Path) -> None:
    """As a download that was interrupted."""
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data[: len(data) // 2])


def empty(folder: Path) -> None:
    """A file of nothing."""
    (folder / "model.onnx").write_bytes(b"")


def pointer(folder: Path) -> None:
    """As git leaves it where its large files were not fetched."""
    (folder / "model.onnx").write_text("version https://git-lfs.github.com/spec/v1\n")


def other_tokenizer(folder: Path) -> None:
    """Of another model."""
    tiny.build(folder / "other", "bert", vocabulary=["he", "she"])
    shutil.copy(folder / "other" / "tokenizer.json", folder)
    shutil.rmtree(folder / "other")


def other_vocabulary(folder: Path) -> None:
    """A config that does not belong to the graph."""
    import json

    config = json.loads((folder / "config.json").read_text())
    config["vocab_size"] += 8
    (folder / "config.json").write_text(json.dumps(config))


FAULTS: dict[Callable[[Path], None], str] = {
    without_config: "config.json is missing",
    two_files: r"found 2 files for ONNX Runtime \(a.onnx, b.onnx\); put the one to audit into",
    cut: "model.onnx is no ONNX model",
    empty: "model.onnx is no ONNX model",
    pointer: "model.onnx is no ONNX model",
    other_tokenizer: "do not belong together",
    other_vocabulary: r"has the shape \[1, \d+, \d+\]; expected \[1, \d+, \d+\], the logits of the",
}


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda spoil: spoil.__name__)
def test_a_folder_that_cannot_be_scored_is_one_line(
    made: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """With what was found."""
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    spoil(copy)
    with pytest.raises(InputError, match=FAULTS[spoil]) as caught:
        file.load(copy)
    assert len(str(caught.value).splitlines()) == 1


def test_an_engine_that_does_not_run_the_file_is_refused(made: Path) -> None:
    """With the one that does."""
    for name in ("torch", "openvino"):
        with pytest.raises(
            InputError, match=f"--engine {name} runs; leave it out, or give --engine onnx"
        ):
            file.load(made, engine=Engine(name=name))
