"""Models run by OpenVINO: checkpoints that are exported here, and IRs that others exported.

Expected values are those of plain transformers and of plain OpenVINO, a sentence at a time.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends import torch_model
from maskaudit.audit.measuring.backends.exported import checkpoint, file
from maskaudit.audit.measuring.backends.lower_precision import TRIALS
from maskaudit.audit.measuring.cached.cache import MIB, Cache
from maskaudit.audit.measuring.checkpoints.ir_file import read_ir
from maskaudit.audit.measuring.engine import Engine
from tests import graphs, tiny

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed: maskaudit[openvino]")
pytestmark = pytest.mark.usefixtures("one_thread")
VINO = Engine(name="openvino")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny DistilBERT."""
    return tiny.build(tmp_path_factory.mktemp("models"), "distilbert")


@pytest.fixture(scope="module")
def made(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as an IR, by OpenVINO's own reading of an ONNX file."""
    pytest.importorskip("onnx", reason="onnx is not installed: maskaudit[onnx]")
    other = graphs.exported(folder, tmp_path_factory.mktemp("exported") / "onnx")
    target = graphs.settings_of(folder, tmp_path_factory.mktemp("exported") / "ir")
    model = openvino.Core().read_model(other / "model.onnx")
    openvino.save_model(model, target / "openvino_model.xml", compress_to_fp16=False)
    return target


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "roberta"])
def test_an_exported_checkpoint_gives_what_transformers_gives(
    tmp_path: Path, architecture: str
) -> None:
    """To 1e-5 nats, from the cache too, whatever stands in a batch."""
    source, told = tiny.build(tmp_path / "model", architecture), []
    cache = Cache(tmp_path / "cache", 64 * MIB, pytest.fail)
    first = checkpoint.load(source, engine=VINO, cache=cache, note=told.append)
    model = checkpoint.load(source, engine=VINO, cache=cache)
    texts = [text.replace("[MASK]", model.mask_token) for text in TRIALS]
    sentences = sorted((one.ids for one in model.encode(texts)), key=len)
    reads = [(row, ids.index(model.mask_id)) for row, ids in enumerate(sentences)]
    expected = graphs.by_torch(source, sentences, model.mask_id)
    np.testing.assert_allclose(model.log_probs(sentences, reads), expected, atol=1e-5, rtol=0)
    assert model.identity == first.identity
    assert model.identity.encoder.startswith("openvino ")
    assert f"{model.identity.from_float32:.3g}" in told[-1]


def test_bfloat16_is_told_with_how_far_it_is(folder: Path) -> None:
    """Where the processor has it; it is no exact engine, and says so by its precision."""
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(InputError, match="no instructions for bfloat16"):
            checkpoint.load(folder, engine=Engine(name="openvino", dtype="bfloat16"))
        return
    told: list[str] = []
    lower = Engine(name="openvino", dtype="bfloat16")
    model = checkpoint.load(folder, engine=lower, note=told.append)
    assert model.identity.dtype == "bfloat16"
    assert model.identity.from_float32 is not None
    assert model.identity.from_float32 > 1e-4
    assert "in bfloat16 log p of any piece is within" in told[-1]


def test_an_ir_is_a_model_of_its_own(folder: Path, made: Path) -> None:
    """With log p of plain OpenVINO in float32, and a digest of both of its files."""
    model = file.load(made)
    [*sentences] = [one.ids for one in model.encode(list(TRIALS))]
    sentences.sort(key=len)
    reads = [(row, ids.index(model.mask_id)) for row, ids in enumerate(sentences)]
    plain = openvino.compile_model(
        made / "openvino_model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    rows = []
    for ids in sentences:
        array = np.array([ids])
        rows.append(plain([array, np.ones_like(array)])[0][0, ids.index(model.mask_id)])
    wide = np.array(rows, dtype=np.float64)
    expected = wide - np.logaddexp.reduce(wide, axis=1, keepdims=True)
    np.testing.assert_allclose(model.log_probs(sentences, reads), expected, atol=1e-5, rtol=0)
    np.testing.assert_allclose(
        expected, graphs.by_torch(folder, sentences, model.mask_id), atol=1e-5, rtol=0
    )
    assert {*model.identity.files} == {"openvino_model.xml", "openvino_model.bin"}
    assert model.identity.weights not in model.identity.files.values()
    assert model.identity.stored_dtype.split("+")[0] == "F32"
    # Every number that is stored: what a checkpoint ties is there twice.
    assert model.identity.parameters > torch_model.load(folder).identity.parameters


def edited(change: Callable[[str], str]) -> Callable[[Path], None]:
    """Change the graph."""

    def spoil(folder: Path) -> None:
        graph = folder / "openvino_model.xml"
        text = graph.read_text("utf-8")
        assert change(text) != text
        graph.write_text(change(text), "utf-8")

    return spoil


def once(pattern: str, text: str) -> Callable[[Path], None]:
    """Replace what a pattern finds first."""
    return edited(lambda whole: re.sub(pattern, text, whole, count=1))


FAULTS = {
    "document type": (
        once(r"<net ", '<!DOCTYPE net [<!ENTITY a "b">]><net '),
        "declares a document type",
    ),
    "a namespace": (once(r"<layer ", '<layer xmlns="u" '), "names of XML's namespaces"),
    "no XML": (once(r"</net>", ""), "openvino_model.xml is no OpenVINO IR"),
    "another encoding": (
        lambda folder: (folder / "openvino_model.xml").write_text(
            (folder / "openvino_model.xml").read_text("utf-8"), "utf-16"
        ),
        "is no OpenVINO IR",
    ),
    "custom": (
        once(r'type="MatMul" version="opset1"', 'type="Steal" version="extension"'),
        "operator 'Steal' of 'extension', which OpenVINO does not have itself",
    ),
    "loop": (once(r'type="MatMul"', 'type="TensorIterator"'), "'TensorIterator', which is a loop"),
    "state": (once(r'type="MatMul"', 'type="ReadValue"'), "from sentence to sentence"),
    "beyond the end": (once(r'offset="0"', 'offset="99999999"'), "of weights that have"),
    "lying": (once(r'shape="[\d, ]+" offset', 'shape="99999999" offset'), "tensor of the shape"),
    "no place": (once(r'offset="0"', 'offset="-4"'), "without a place in the weights"),
    "no weights": (
        lambda folder: (folder / "openvino_model.bin").unlink(),
        "openvino_model.bin, the weights of openvino_model.xml, is not there",
    ),
    "third input": (edited(lambda text: text.replace("attention_mask", "position_ids")),
                    "has the input 'position_ids'"),
    "no operator": (once(r'type="MatMul"', 'type="Unheard"'), "OpenVINO cannot read"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_what_could_do_harm_is_one_line(made: Path, tmp_path: Path, kind: str) -> None:
    """Before OpenVINO runs it."""
    spoil, said = FAULTS[kind]
    folder = Path(shutil.copytree(made, tmp_path / "copy"))
    spoil(folder)
    with pytest.raises(InputError, match=said) as caught:
        file.load(folder)
    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_of_two_kinds_asks_which(made: Path, tmp_path: Path) -> None:
    """They may be different models."""
    folder = Path(shutil.copytree(made, tmp_path / "copy"))
    (folder / "model.onnx").write_bytes(b"")
    with pytest.raises(InputError, match="say which: --engine onnx or --engine openvino"):
        file.load(folder)
    assert file.load(folder, engine=VINO).identity.encoder.startswith("openvino ")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, r"of the shape \[1099511627776, 2\]"),
        # An id with a zero before it, and more bytes than the shape has.
        ({'from-layer="1"': 'from-layer="01"', 'size="16"': 'size="160"'}, r"\[1099511627776, 2\]"),
        ({'shape="2"': f'shape="{",".join("1" * 100)}"'}, "a tensor of 100 sides"),
    ],
)
def test_a_shape_is_seen_however_it_is_said(
    tmp_path: Path, said: dict[str, str], told: str
) -> None:
    """By the numbers that OpenVINO would read."""
    text = (
        '<net name="n" version="11"><layers>'
        '<layer id="1" name="c" type="Const" version="opset1">'
        '<data element_type="i64" shape="2" offset="0" size="16"/></layer>'
        '<layer id="2" name="b" type="Broadcast" version="opset3"/></layers>'
        '<edges><edge from-layer="1" from-port="0" to-layer="2" to-port="1"/></edges></net>'
    )
    for old, new in said.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "m.xml").write_text(text, "utf-8")
    (tmp_path / "m.bin").write_bytes(np.array([1 << 40, 2] + [1] * 18, "<i8").tobytes())
    with pytest.raises(InputError, match=told):
        read_ir(tmp_path / "m.xml", "m")
