"""A checkpoint as a graph for another library: what torch does for an example, written down."""

import io
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers.utils import logging as transformers_logging

from maskaudit.audit.measuring.backends.runs import gathered

IDS, ROWS, PLACES, LOGITS = "input_ids", "rows", "places", "logits"
_OPSET = 17


class AtReads(nn.Module):
    """A masked LM that takes sentences of one length, and gives the logits at places in them.

    No mask of padding is given: nothing is padded. `at_mask` says that the head may be run at the
    places alone.
    """

    def __init__(self, model: Any, *, at_mask: bool) -> None:  # noqa: ANN401
        super().__init__()
        self._model, self._at_mask = model, at_mask
        # An exporter leaves a model in the mode in which it was given, dropout included.
        self.eval()

    def forward(
        self, input_ids: torch.Tensor, rows: torch.Tensor, places: torch.Tensor
    ) -> torch.Tensor:
        """Logits [n, vocabulary] of ids [sentences, length] at n places, given by row and place."""
        if not self._at_mask:
            full: torch.Tensor = self._model(input_ids=input_ids).logits
            return full[rows, places]
        with gathered(self._model.base_model, rows, places):
            found: torch.Tensor = self._model(input_ids=input_ids).logits
        return found


def as_onnx(model: nn.Module, example: tuple[torch.Tensor, ...]) -> bytes:
    """The model as the bytes of an ONNX file, for any number and length of sentences."""
    written = io.BytesIO()
    with _quiet():
        # The older of torch's two exporters, which follows what is run: the newer one, of programs,
        # writes down masks of padding too, and needs three more packages.
        torch.onnx.export(
            model,
            example,
            written,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=_OPSET,
            input_names=[IDS, ROWS, PLACES],
            output_names=[LOGITS],
            dynamic_axes={
                IDS: {0: "sentences", 1: "length"},
                ROWS: {0: "reads"},
                PLACES: {0: "reads"},
                LOGITS: {0: "reads"},
            },
        )
    return written.getvalue()


def as_ir(model: nn.Module, example: tuple[torch.Tensor, ...]) -> tuple[bytes, bytes]:
    """The model as the two parts of an OpenVINO IR: its graph and its weights."""
    import openvino
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with _quiet(), tempfile.TemporaryDirectory() as scratch:
        program = torch.jit.trace(model, example, strict=False, check_trace=False)
        # What `openvino.convert_model` does, without its reports of use to a server.
        front_end = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(program)  # held: the front end does not hold it
        found = front_end.convert(front_end.load(decoder))
        for one, name in zip(found.inputs, (IDS, ROWS, PLACES), strict=True):
            one.get_tensor().set_names({name})
        found.outputs[0].get_tensor().set_names({LOGITS})
        graph = Path(scratch) / "model.xml"
        openvino.save_model(found, graph, compress_to_fp16=False)
        return graph.read_bytes(), graph.with_suffix(".bin").read_bytes()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without gradients, and without warnings of what tracing cannot follow: that is proved."""
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    # Where it fails, torch's exporter writes the whole graph to standard output.
    log = getattr(torch._C, "_jit_onnx_log", None)  # noqa: SLF001 - nothing public turns it off
    setattr(torch._C, "_jit_onnx_log", lambda *_said: None)  # noqa: SLF001, B010 - see above
    try:
        with torch.inference_mode(mode=False), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        setattr(torch._C, "_jit_onnx_log", log)  # noqa: SLF001, B010 - see above
        transformers_logging.set_verbosity(verbosity)
