"""Graphs as ONNX Runtime and OpenVINO run them: on the processor, by torch's number of threads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.located import first_line

Array = NDArray[Any]
# Nothing but what is fatal is printed by a library: errors come as exceptions, and are told once.
_FATAL = 4


class Graph(Protocol):
    """A graph that a library holds ready."""

    def run(self, feeds: Mapping[str, Array]) -> Array:
        """The logits for these inputs by their names, as the library gives them."""
        ...


class OnnxGraph:
    """A graph in ONNX Runtime; `model` is its bytes, or its file where weights lie beside it."""

    def __init__(self, model: bytes | Path, output: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        options.use_deterministic_compute = True
        # A thread that waits would otherwise go round, and take the processor from others.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Bytes may be a file of ONNX Runtime's own format too: another graph than was looked at.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        self._session = onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._output = output
        self._types = {
            one.name: np.int32 if one.type == "tensor(int32)" else np.int64
            for one in self._session.get_inputs()
        }

    def run(self, feeds: Mapping[str, Array]) -> Array:
        """See `Graph`."""
        given = {name: array.astype(self._types[name], copy=False) for name, array in feeds.items()}
        [found] = self._session.run([self._output], given)
        return np.asarray(found)


class OpenVinoGraph:
    """A graph in OpenVINO, from the two parts of an IR; `dtype` is float32 or bfloat16."""

    def __init__(self, graph: bytes, weights: bytes, output: str, dtype: str = "float32") -> None:
        import openvino

        core = openvino.Core()
        if dtype == "bfloat16" and "BF16" not in core.get_property(
            "CPU", "OPTIMIZATION_CAPABILITIES"
        ):
            raise InputError(
                "this processor has no instructions for bfloat16, which OpenVINO needs for it: "
                "leave out --dtype"
            )
        model = core.read_model(model=graph, weights=weights)
        exact = dtype == "float32"
        # By itself OpenVINO takes bfloat16 where the processor has it, and quantises what is
        # multiplied with compressed weights.
        asked: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32" if exact else "bf16",
            "EXECUTION_MODE_HINT": "ACCURACY" if exact else "PERFORMANCE",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "NUM_STREAMS": 1,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
        }
        self._compiled = core.compile_model(model, "CPU", asked)
        self._request = self._compiled.create_infer_request()
        self._output = self._compiled.output(output)
        self._types = {
            one.get_any_name(): one.get_element_type().to_dtype() for one in self._compiled.inputs
        }

    def run(self, feeds: Mapping[str, Array]) -> Array:
        """See `Graph`."""
        given = {name: array.astype(self._types[name], copy=False) for name, array in feeds.items()}
        found = self._request.infer(given, share_inputs=True)
        # Copied: the next run writes over it.
        return np.array(found[self._output])


def opened(make: type[Any], parts: Sequence[Any], name: str, library: str) -> Any:  # noqa: ANN401
    """A graph that a library opens. Raises `InputError` where it does not."""
    try:
        return make(*parts)
    except InputError as error:
        raise InputError(f"model {name}: {error}") from error
    # Of any class: a library raises whatever its own code meets.
    except Exception as error:
        raise InputError(f"model {name}: {library} cannot run it ({first_line(error)})") from error
