"""An ONNX file of a stranger, looked at before ONNX Runtime opens it.

It may name files beside it for its weights, operators that a library of its own would bring, and
shapes of any size. Nothing outside of its folder is read, no operator is taken that ONNX Runtime
does not have itself, and no loop, which could have any number of rounds.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.graph_file import (
    IDS,
    SHAPE,
    WEIGHTY,
    GraphFile,
    check_inputs,
    check_length,
    check_shape,
    check_sides,
    output_of,
)
from maskaudit.audit.measuring.checkpoints.located import first_line
from maskaudit.audit.texts import bounded

# A file of this format cannot be larger; weights beyond it stand in files beside it.
_MOST = 2 << 30
# The operators of ONNX, and those that ONNX Runtime has beside them.
_DOMAINS = {"", "ai.onnx", "com.microsoft"}
# Operators that load code or files, keep something from sentence to sentence, or go round.
_REFUSED = {
    "EPContext": "loads a file of another device",
    "PyOp": "runs code",
    "Loop": "is a loop",
    "Scan": "is a loop",
    "BeamSearch": "is a loop",
    "GreedySearch": "is a loop",
    "Sampling": "is a loop",
    "WhisperBeamSearch": "is a loop",
    "RandomNormal": "is drawn at random",
    "RandomUniform": "is drawn at random",
    "RandomNormalLike": "is drawn at random",
    "RandomUniformLike": "is drawn at random",
    "Multinomial": "is drawn at random",
    "Bernoulli": "is drawn at random",
}
# Operators that make as many numbers as one of their inputs says.
_GROWING = {"ConstantOfShape", "Expand", "Tile", "Range", "Pad", "Resize", "OneHot", "EyeLike"}
_WHOLE = (6, 7)  # whole numbers, as the format calls their types
# Operators by which the scale of activations is taken from all that is run together.
_DYNAMIC = {"DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM"}
# As safetensors calls the types of numbers that weights have.
_DTYPES = {
    "FLOAT": "F32", "DOUBLE": "F64", "FLOAT16": "F16", "BFLOAT16": "BF16", "INT8": "I8",
    "UINT8": "U8", "INT4": "I4", "UINT4": "U4", "INT32": "I32", "INT64": "I64", "BOOL": "BOOL",
}  # fmt: skip


def read_onnx(path: Path, name: str) -> GraphFile:
    """Read and check an ONNX file.

    Raises `InputError` for what is no masked LM by piece ids, and for what could do harm.
    """
    try:
        content = bounded.content(path, _MOST)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"model {name}: {path.name} cannot be read ({reason})") from error
    model = _parsed(content, path, name)
    initialised = {tensor.name for tensor in model.graph.initializer}
    inputs = {one.name: one for one in model.graph.input if one.name not in initialised}
    check_inputs(inputs, name)
    nodes = list(_nodes(model))
    _check_nodes(nodes, {(one.domain, one.name) for one in model.functions}, name)
    tensors = list(_tensors(model, nodes))
    beside = _beside(tensors, path.parent, name)
    _check_sizes(tensors, name)
    _check_shapes(nodes, tensors, name)
    sides = inputs[IDS].type.tensor_type.shape.dim
    check_length(len(sides) == 2 and not sides[1].HasField("dim_value"), name)  # noqa: PLR2004
    return GraphFile(
        content=content,
        files=(path, *beside),
        inputs=tuple(inputs),
        output=output_of([one.name for one in model.graph.output], name),
        numbers=sum(math.prod(tensor.dims) for tensor in tensors),
        dtypes=frozenset(_dtype(tensor) for tensor in tensors if math.prod(tensor.dims) > WEIGHTY),
        why_alone=_why_alone(nodes, is_single=sides[0].HasField("dim_value")),
    )


def _parsed(content: bytes, path: Path, name: str) -> Any:  # noqa: ANN401 - onnx's own type
    import onnx

    try:
        model = onnx.ModelProto.FromString(content)
    # Of any class: protobuf raises its own, and for what is nested too deeply others.
    except Exception as error:
        raise InputError(
            f"model {name}: {path.name} is no ONNX model ({first_line(error)})"
        ) from error
    if not model.graph.node or not model.graph.output:
        raise InputError(f"model {name}: {path.name} is no ONNX model (it has no graph)")
    if model.training_info:
        raise InputError(f"model {name}: {path.name} is for training; expected one for inference")
    # A function that calls another twice, and that one a third, is a graph of any size.
    if model.functions:
        raise InputError(
            f"model {name}: {path.name} has functions of its own; export it with operators alone"
        )
    return model


def _nodes(model: Any) -> Iterator[Any]:  # noqa: ANN401
    """Every operator of a model, in its functions and in graphs inside of operators too."""
    waiting = [*model.graph.node, *(node for own in model.functions for node in own.node)]
    while waiting:
        node = waiting.pop()
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                waiting += graph.node


def _tensors(model: Any, nodes: Iterable[Any]) -> Iterator[Any]:  # noqa: ANN401
    """Every tensor that a model holds."""
    yield from _of_graph(model.graph)
    attributes = [
        *(attribute for node in nodes for attribute in node.attribute),
        *(attribute for own in model.functions for attribute in own.attribute_proto),
    ]
    for attribute in attributes:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        own = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
        for sparse in (*own, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        for graph in (attribute.g, *attribute.graphs):
            yield from _of_graph(graph)


def _of_graph(graph: Any) -> Iterator[Any]:  # noqa: ANN401
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)


def _check_nodes(nodes: Iterable[Any], functions: set[tuple[str, str]], name: str) -> None:
    for node in nodes:
        own = f"{node.domain}.{node.op_type}".lstrip(".")[:60]
        if node.domain not in _DOMAINS and (node.domain, node.op_type) not in functions:
            raise InputError(
                f"model {name}: the graph has the operator {own!r}, which ONNX Runtime does not "
                "have itself; no library of operators is loaded here"
            )
        if node.op_type in _REFUSED:
            raise InputError(
                f"model {name}: the graph has the operator {own!r}, which "
                f"{_REFUSED[node.op_type]}; expected the graph of a masked LM without it"
            )


def _beside(tensors: Iterable[Any], folder: Path, name: str) -> list[Path]:
    """The files beside the graph that hold weights. Raises `InputError` for any other place."""
    found: dict[str, int] = {}
    for tensor in tensors:
        if not _is_outside(tensor):
            continue
        said = {entry.key: entry.value for entry in tensor.external_data}
        file = said.get("location", "")
        # A name with a folder in it could point anywhere on the disk, and so could a link.
        if not file or Path(file).name != file or "\\" in file or (folder / file).is_symlink():
            raise InputError(
                f"model {name}: the graph takes weights from {file[:100]!r}; expected a file "
                "beside it, which is no link"
            )
        numbers = [said.get(key, "0") for key in ("offset", "length")]
        if not all(number.isdecimal() and len(number) < 16 for number in numbers):  # noqa: PLR2004
            raise InputError(f"model {name}: the graph takes weights from no place in {file!r}")
        found[file] = max(found.get(file, 0), sum(map(int, numbers)))
    for file, end in found.items():
        path = folder / file
        if not path.is_file():
            raise InputError(
                f"model {name}: the graph takes weights from {file[:100]!r}, which is not there; "
                "put it beside the graph"
            )
        try:
            bounded.check_regular(path, bounded.WEIGHTS)
        except bounded.UnfitFileError as error:
            raise InputError(f"model {name}: {file[:100]} {error.strerror}") from error
        if path.stat().st_size < end:
            raise InputError(
                f"model {name}: {file[:100]} has {path.stat().st_size:,} bytes, and the graph "
                f"takes weights from it up to {end:,}; fetch it again"
            )
    return [folder / file for file in sorted(found)]


def _is_outside(tensor: Any) -> bool:  # noqa: ANN401
    # Either of the two is enough for a reader to open a file.
    return bool(tensor.external_data) or tensor.data_location == 1


def _check_sizes(tensors: Iterable[Any], name: str) -> None:
    """Raise `InputError` for a tensor that says it has more numbers than are there."""
    for tensor in tensors:
        check_sides(len(tensor.dims), name)
        numbers = math.prod(tensor.dims)
        there = max(
            [
                len(tensor.raw_data),
                *(len(getattr(tensor, f"{kind}_data")) for kind in _FIELDS),
                *(int(one.value) for one in tensor.external_data if one.key == "length"),
            ]
        )
        # Two numbers of four bits are one byte; a file without a length is held against the whole.
        is_known = not _is_outside(tensor) or there
        if any(side < 0 for side in tensor.dims) or (is_known and numbers > 2 * there):
            shape = list(tensor.dims)[:8]
            raise InputError(
                f"model {name}: its tensor {tensor.name[:60]!r} is said to have the shape {shape}, "
                f"and has {there:,} bytes; export the model again"
            )


_FIELDS = ("float", "int32", "int64", "uint64", "double", "string")


def _check_shapes(nodes: Iterable[Any], tensors: Iterable[Any], name: str) -> None:
    """Raise `InputError` for a constant shape that would fill memory."""
    from onnx import numpy_helper

    every = list(nodes)
    # All of one name: which of them a graph within another means is not followed here.
    constants: dict[str, list[Any]] = defaultdict(list)
    for tensor in tensors:
        constants[tensor.name].append(tensor)
    for node in every:
        if node.op_type == "Constant":
            for own in node.output:
                constants[own] += map(_constant, node.attribute)
    for node in every:
        for own in node.input if node.op_type in _GROWING else ():
            for tensor in constants[own]:
                if tensor.data_type not in _WHOLE or math.prod(tensor.dims) > SHAPE:
                    continue
                if _is_outside(tensor):
                    raise InputError(
                        f"model {name}: the graph takes a shape from another file; save it with "
                        "small tensors in the graph"
                    )
                check_shape(numpy_helper.to_array(tensor).ravel(), name)


def _constant(attribute: Any) -> Any:  # noqa: ANN401
    """What a Constant is, as a tensor: it may say whole numbers in three ways."""
    import onnx

    whole = attribute.ints or ([attribute.i] if attribute.HasField("i") else [])
    if attribute.HasField("t") or not whole:
        return attribute.t
    return onnx.numpy_helper.from_array(np.array(whole[: SHAPE + 1], dtype=np.int64))


def _why_alone(nodes: Iterable[Any], *, is_single: bool) -> str:
    if any(node.op_type in _DYNAMIC for node in nodes):
        return "its activations are quantised by what is run together"
    return "its graph takes one sentence" if is_single else ""


def _dtype(tensor: Any) -> str:  # noqa: ANN401
    import onnx

    kind = str(onnx.TensorProto.DataType.Name(tensor.data_type))
    return _DTYPES.get(kind, kind)
