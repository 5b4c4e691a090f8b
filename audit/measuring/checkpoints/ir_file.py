"""An OpenVINO IR of a stranger, looked at before OpenVINO opens it.

It is a graph in XML and its weights beside it. No operator is taken that OpenVINO does not have
itself, none that keeps something from sentence to sentence, and no loop.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

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

_OPSET = re.compile(r"opset\d{1,3}")
_REFUSED = {
    "Loop": "is a loop",
    "TensorIterator": "is a loop",
    "ReadValue": "keeps something from sentence to sentence",
    "Assign": "keeps something from sentence to sentence",
}
# A document type may define entities that fill memory, or name files.
_TYPED = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
# Operators that make as many numbers as one of their inputs says, and the types that says it in.
_GROWING = {"Broadcast", "Tile", "Range", "Pad", "OneHot", "Eye"}
_WHOLE = {"i32": "<i4", "i64": "<i8"}


def read_ir(path: Path, name: str) -> GraphFile:
    """Read and check an IR: `path` is its XML, and its weights have the same name with `.bin`.

    Raises `InputError` for what is no masked LM by piece ids, and for what could do harm.
    """
    beside = path.with_suffix(".bin")
    try:
        content = bounded.content(path, bounded.TEXT)
        if not beside.is_file():
            raise InputError(
                f"model {name}: {beside.name}, the weights of {path.name}, is not there; put it "
                "beside the graph"
            )
        weights = bounded.content(beside, bounded.WEIGHTS)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"model {name}: {path.name} cannot be read ({reason})") from error
    root = _parsed(content, path, name)
    _check_layers(root, name)
    held = [_held(constant, len(weights), name) for constant in root.iter("layer")
            if constant.get("type") == "Const"]  # fmt: skip
    _check_shapes(root, weights, name)
    inputs, outputs, sides = _ends(content, weights, path, name)
    check_inputs(inputs, name)
    check_length(not sides[1], name)
    return GraphFile(
        content=content,
        files=(path, beside),
        inputs=tuple(inputs),
        output=output_of(outputs, name),
        numbers=sum(count for count, _ in held),
        dtypes=frozenset(kind.upper() for count, kind in held if count > WEIGHTY),
        why_alone="its graph takes one sentence" if sides[0] else "",
        weights=weights,
    )


def _parsed(content: bytes, path: Path, name: str) -> ET.Element:
    fault = f"model {name}: {path.name} is no OpenVINO IR"
    # In one encoding alone, or the next line would not see what the parser does.
    if _TYPED.search(content) or b"\0" in content:
        raise InputError(f"{fault} (it declares a document type)")
    try:
        root = ET.fromstring(content.decode("utf-8"))  # noqa: S314 - see above
    except (ET.ParseError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError(f"{fault} ({first_line(error)})") from error
    # OpenVINO knows no namespaces: it would see layers that are not found by their names here.
    if b"xmlns" in content or root.tag != "net" or next(root.iter("layer"), None) is None:
        raise InputError(f"{fault} (it has no layers, or names of XML's namespaces)")
    return root


def _check_layers(root: ET.Element, name: str) -> None:
    for layer in root.iter("layer"):
        kind, opset = str(layer.get("type"))[:60], str(layer.get("version"))[:60]
        if not _OPSET.fullmatch(opset):
            raise InputError(
                f"model {name}: the graph has the operator {kind!r} of {opset!r}, which OpenVINO "
                "does not have itself; no library of operators is loaded here"
            )
        if kind in _REFUSED:
            raise InputError(
                f"model {name}: the graph has the operator {kind!r}, which {_REFUSED[kind]}; "
                "expected the graph of a masked LM without it"
            )


def _held(constant: ET.Element, size: int, name: str) -> tuple[int, str]:
    """How many numbers a constant has, and of which type; `size` is that of the weights."""
    shape, start, length, kind = _data(constant, name)
    numbers = math.prod(shape)
    # Two numbers of four bits are one byte, and eight of a bit.
    if start + length > size or numbers > 8 * max(length, 1):
        raise InputError(
            f"model {name}: the graph takes a tensor of the shape {list(shape)[:8]} from the bytes "
            f"{start:,} to {start + length:,} of weights that have {size:,}; fetch it again"
        )
    return numbers, kind


def _data(constant: ET.Element, name: str) -> tuple[tuple[int, ...], int, int, str]:
    """Shape, first byte, number of bytes and type of a constant."""
    data = constant.find("data")
    said = {} if data is None else data.attrib
    texts = [part.strip() for part in said.get("shape", "").split(",") if part.strip()]
    texts += [said.get("offset", ""), said.get("size", "")]
    if not all(text.isdecimal() and len(text) < 16 for text in texts):  # noqa: PLR2004
        raise InputError(f"model {name}: the graph has a constant without a place in the weights")
    *shape, start, length = map(int, texts)
    check_sides(len(shape), name)
    return tuple(shape), start, length, said.get("element_type", "")[:20]


def _check_shapes(root: ET.Element, weights: bytes, name: str) -> None:
    """Raise `InputError` for a constant shape that would fill memory."""
    for layers, edges in _graphs(root):
        # As numbers: "01" is the layer 1 to whoever reads it so. An edge of no layer is malformed.
        by_id = {int(layer.get("id", "")): layer for layer in layers}
        for edge in edges:
            source, target = (by_id[int(edge.get(own, ""))] for own in ("from-layer", "to-layer"))
            if source.get("type") != "Const":
                continue
            shape, start, _, kind = _data(source, name)
            if target.get("type") not in _GROWING or kind not in _WHOLE:
                continue
            # As many as the shape says, and not as many bytes as are named beside it.
            if (n := math.prod(shape)) <= SHAPE:
                check_shape(np.frombuffer(weights, _WHOLE[kind], n, start), name)


def _graphs(
    root: ET.Element,
) -> Iterator[tuple[list[ET.Element], list[ET.Element]]]:
    """The layers and edges of the graph and of every graph within it."""
    for part in root.iter():
        layers, edges = part.find("layers"), part.find("edges")
        if layers is not None:
            yield list(layers), [] if edges is None else list(edges)


def _ends(
    content: bytes, weights: bytes, path: Path, name: str
) -> tuple[list[str], list[str], tuple[bool, bool]]:
    """The names of inputs and outputs, and whether number and length of sentences are fixed."""
    import openvino

    try:
        model = openvino.Core().read_model(model=content, weights=weights)
        inputs = [one.get_any_name() for one in model.inputs]
        outputs = [min(one.get_names(), default="") for one in model.outputs]
        ids = model.inputs[inputs.index(IDS)] if IDS in inputs else model.inputs[0]
        sides = [side.is_static for side in ids.partial_shape]
    # Of any class: OpenVINO raises whatever its own code meets in the file of a stranger.
    except Exception as error:
        raise InputError(
            f"model {name}: OpenVINO cannot read {path.name} ({first_line(error)})"
        ) from error
    both = (sides[0], sides[1]) if len(sides) == 2 else (True, True)  # noqa: PLR2004
    return inputs, outputs, both
