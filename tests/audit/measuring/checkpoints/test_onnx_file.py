"""ONNX files of strangers: what could do harm is refused before ONNX Runtime opens the file."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.onnx_file import read_onnx
from tests import graphs, tiny

onnx = pytest.importorskip("onnx", reason="onnx is not installed: maskaudit[onnx]")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT, exported."""
    folder = tmp_path_factory.mktemp("models")
    return graphs.exported(tiny.build(folder / "bert", "bert"), folder / "exported") / "model.onnx"


def weights(model: Any) -> Any:
    """The largest tensor of a model."""
    return max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))


def outside(location: str, **more: str) -> Callable[[Any, Path], None]:
    """Take the weights from another file."""

    def spoil(model: Any, folder: Path) -> None:
        (folder.parent / "secret.bin").write_bytes(bytes(1 << 20))
        (folder / "beside.bin").write_bytes(bytes(1 << 20))
        (folder / "link.bin").symlink_to(folder.parent / "secret.bin")
        (folder / "within").mkdir()
        (folder / "within" / "beside.bin").write_bytes(bytes(1 << 20))
        tensor = weights(model)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in ({"location": location} | more).items():
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value.replace("FOLDER", str(folder.parent))

    return spoil


def operator(kind: str, domain: str = "") -> Callable[[Any, Path], None]:
    """Add an operator of this kind."""

    def spoil(model: Any, _folder: Path) -> None:
        node = onnx.helper.make_node(kind, ["input_ids"], ["more"], domain=domain)
        model.graph.node.append(node)

    return spoil


def within(kind: str) -> Callable[[Any, Path], None]:
    """Add an operator inside a branch of another one."""

    def spoil(model: Any, _folder: Path) -> None:
        node = onnx.helper.make_node(kind, ["input_ids"], ["inner"], domain="stranger")
        branch = onnx.helper.make_graph([node], "branch", [], [])
        model.graph.node.append(
            onnx.helper.make_node("If", ["input_ids"], ["more"], then_branch=branch)
        )

    return spoil


def of_any_size(kind: str) -> Callable[[Any, Path], None]:
    """Add an operator that makes a tensor of 8 exabytes."""

    def spoil(model: Any, _folder: Path) -> None:
        shape = onnx.numpy_helper.from_array(np.array([1 << 30, 1 << 31]), "shape")
        model.graph.initializer.append(shape)
        inputs = ["shape"] if kind == "ConstantOfShape" else ["input_ids", "shape"]
        model.graph.node.append(onnx.helper.make_node(kind, inputs, ["more"]))

    return spoil


def constant_of_any_size(model: Any, _folder: Path) -> None:
    """The same, by an operator that says the shape."""
    shape = onnx.helper.make_node(
        "Constant", [], ["shape"], value=onnx.numpy_helper.from_array(np.array([1 << 40]), "")
    )
    model.graph.node.extend([shape, onnx.helper.make_node("ConstantOfShape", ["shape"], ["more"])])


def whole_numbers_of_any_size(model: Any, _folder: Path) -> None:
    """The same, as a list of whole numbers in place of a tensor."""
    shape = onnx.helper.make_node("Constant", [], ["shape"], value_ints=[1 << 40])
    model.graph.node.extend([shape, onnx.helper.make_node("ConstantOfShape", ["shape"], ["more"])])


def named_twice(model: Any, folder: Path) -> None:
    """The same, with a small tensor of its name inside of another operator."""
    of_any_size("ConstantOfShape")(model, folder)
    small = onnx.numpy_helper.from_array(np.array([1, 1]), "shape")
    model.graph.node.append(onnx.helper.make_node("Constant", [], ["other"], value=small))


def lying(model: Any, _folder: Path) -> None:
    """A tensor that says it is larger than it is."""
    weights(model).dims[0] = 1 << 40


def third_input(model: Any, _folder: Path) -> None:
    """It asks for the places too."""
    model.graph.input.append(
        onnx.helper.make_tensor_value_info("position_ids", onnx.TensorProto.INT64, [1, None])
    )


def without_ids(model: Any, _folder: Path) -> None:
    """It is asked by embeddings."""
    model.graph.input[0].name = "attention_mask"


def of_one_length(model: Any, _folder: Path) -> None:
    """As it is exported without dynamic axes."""
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 128


def two_outputs(model: Any, _folder: Path) -> None:
    """States and a pooled state, as an encoder without a head has them."""
    model.graph.output[0].name = "last_hidden_state"
    model.graph.output.append(model.graph.output[0])


def for_training(model: Any, _folder: Path) -> None:
    """With how it is trained."""
    model.training_info.add()


def with_functions(model: Any, _folder: Path) -> None:
    """Each calls the next twice: so many of them are a graph of any size."""
    model.functions.append(
        onnx.helper.make_function(
            "own", "F", ["x"], ["y"], [onnx.helper.make_node("Identity", ["x"], ["y"])],
            [onnx.helper.make_opsetid("", 17)],
        )
    )  # fmt: skip


def of_many_sides(model: Any, _folder: Path) -> None:
    """Whose product would take minutes."""
    weights(model).dims.extend([1] * 100)


FAULTS = {
    "absolute": (outside("FOLDER/secret.bin"), "takes weights from '/"),
    "above": (outside("../secret.bin"), r"takes weights from '\.\./secret.bin'; expected a file"),
    "in a folder": (outside("within/beside.bin"), "takes weights from 'within/beside.bin'"),
    "link": (outside("link.bin"), "takes weights from 'link.bin'; expected .* no link"),
    "nowhere": (outside(""), "takes weights from ''"),
    "absent": (outside("absent.bin"), "'absent.bin', which is not there; put it beside"),
    "beyond the end": (outside("beside.bin", offset="9", length="1048576"), "up to 1,048,585"),
    "no number": (outside("beside.bin", offset="-1"), "from no place"),
    "too short": (outside("beside.bin", length="8"), "is said to have the shape"),
    "unknown": (operator("Steal", "stranger"), "operator 'stranger.Steal', which ONNX Runtime"),
    "extension": (operator("X", "ai.onnx.contrib"), "no library of operators is loaded"),
    "within": (within("Steal"), "operator 'stranger.Steal'"),
    "context": (operator("EPContext", "com.microsoft"), "loads a file of another device"),
    "loop": (operator("Loop"), "'Loop', which is a loop"),
    "shape": (of_any_size("ConstantOfShape"), r"of the shape \[1073741824, 2147483648\]"),
    "expand": (of_any_size("Expand"), "asks for a tensor of the shape"),
    "constant": (constant_of_any_size, r"of the shape \[1099511627776\]"),
    "whole numbers": (whole_numbers_of_any_size, r"of the shape \[1099511627776\]"),
    "named twice": (named_twice, r"of the shape \[1073741824, 2147483648\]"),
    "random": (operator("RandomNormalLike"), "is drawn at random"),
    "lying": (lying, "is said to have the shape"),
    "third input": (third_input, "has the input 'position_ids'; expected input_ids"),
    "no ids": (without_ids, "has no input_ids; expected"),
    "one length": (of_one_length, "fixed length.*dynamic axis"),
    "two outputs": (two_outputs, "2 outputs .* none is called 'logits'"),
    "training": (for_training, "is for training"),
    "search": (operator("GreedySearch", "com.microsoft"), "GreedySearch', which is a loop"),
    "functions": (with_functions, "has functions of its own"),
    "sides": (of_many_sides, "a tensor of 102 sides; expected at most 64"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_what_could_do_harm_is_one_line(sound: Path, tmp_path: Path, kind: str) -> None:
    """Before any library runs it."""
    spoil, said = FAULTS[kind]
    folder = tmp_path / "model"
    folder.mkdir()
    model = onnx.load(sound)
    spoil(model, folder)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=said) as caught:
        read_onnx(folder / "model.onnx", "m")
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_of_two_formats_is_run_as_what_was_looked_at() -> None:
    """ONNX Runtime's own format is told by four bytes, which may stand in a field of ONNX too."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed: maskaudit[onnx]")
    from maskaudit.audit.measuring.backends.exported.graphs import OnnxGraph

    ids = onnx.helper.make_tensor_value_info("input_ids", onnx.TensorProto.INT64, [1, 2])
    out = onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.INT64, [1, 2])
    node = onnx.helper.make_node("Identity", ["input_ids"], ["logits"])
    graph = onnx.helper.make_graph([node], "g", [ids], [out])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version, model.producer_name = 8, "ORTM"
    content = model.SerializeToString()
    assert content[4:8] == b"ORTM"
    OnnxGraph(content, "logits")


def test_parts_that_do_not_fit_each_other_are_one_line(sound: Path, tmp_path: Path) -> None:
    """Whatever a library says of them, and wherever."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed: maskaudit[onnx]")
    from maskaudit.audit.measuring.backends.exported import file

    folder = Path(shutil.copytree(sound.parent, tmp_path / "copy"))
    model = onnx.load(sound)
    model.graph.initializer.append(
        onnx.TensorProto(name="shape", data_type=onnx.TensorProto.INT64, dims=[2], raw_data=b"abc")
    )
    model.graph.node.append(onnx.helper.make_node("ConstantOfShape", ["shape"], ["more"]))
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError) as caught:
        file.load(folder)
    assert len(str(caught.value).splitlines()) == 1


def test_weights_beside_the_graph_are_read_and_are_part_of_the_digest(
    sound: Path, tmp_path: Path
) -> None:
    """As large models are stored."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed: maskaudit[onnx]")
    from maskaudit.audit.measuring.backends.exported import file

    whole = Path(shutil.copytree(sound.parent, tmp_path / "whole"))
    split = Path(shutil.copytree(sound.parent, tmp_path / "split"))
    onnx.save_model(
        onnx.load(sound), split / "model.onnx", save_as_external_data=True, location="w.bin",
        size_threshold=64,
    )  # fmt: skip
    one, two = file.load(whole), file.load(split)
    asked = [(2, 50, 4, 3)], [(0, 2)]
    np.testing.assert_allclose(one.log_probs(*asked), two.log_probs(*asked), atol=1e-6, rtol=0)
    assert {*two.identity.files} == {"model.onnx", "w.bin"}
    assert one.identity.parameters == two.identity.parameters
    data = bytearray((split / "w.bin").read_bytes())
    data[-2] ^= 1
    (split / "w.bin").write_bytes(data)
    assert file.load(split).identity.weights != two.identity.weights
