"""A model that is a file for ONNX Runtime or OpenVINO, such as a quantised copy of a checkpoint.

It is another model than the checkpoint that it was made of, with an identity by its own digests.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.devices import check_installed
from maskaudit.audit.measuring.backends.exported.graphs import (
    Array,
    Graph,
    OnnxGraph,
    OpenVinoGraph,
    opened,
)
from maskaudit.audit.measuring.backends.lower_precision import trials
from maskaudit.audit.measuring.backends.proof import TOLERANCE
from maskaudit.audit.measuring.backends.runs import Run, in_order
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.checkpoints.checkpoint import recognise
from maskaudit.audit.measuring.checkpoints.config import load_config
from maskaudit.audit.measuring.checkpoints.exported import chosen, file_of
from maskaudit.audit.measuring.checkpoints.graph_file import ATTENTION, IDS, SEGMENTS, GraphFile
from maskaudit.audit.measuring.checkpoints.ir_file import read_ir
from maskaudit.audit.measuring.checkpoints.located import Located, first_line, locate
from maskaudit.audit.measuring.checkpoints.onnx_file import read_onnx
from maskaudit.audit.measuring.checkpoints.tokenizer import Tokenizer, check_rows, load_tokenizer
from maskaudit.audit.measuring.engine import EXACT, Engine, library_of
from maskaudit.audit.measuring.model import Need
from maskaudit.audit.vocabulary import silent


def load(
    model: str | Path, *, engine: Engine = EXACT, note: Callable[[str], None] = silent
) -> "ModelFile":
    """Load the file of a folder that also has config.json and a tokenizer.

    Its own library runs it, on the processor and in its own precision; `engine` may name it. Raises
    `InputError` if that is not installed, or if the file is no masked LM that can be scored.
    """
    located = locate(model)
    folder, name = located.folder, located.name
    recognise(folder, name)
    runs_it = chosen(str(model), name, engine.name)
    check_installed(runs_it)
    path = file_of(folder, name, runs_it)
    try:
        file = read_onnx(path, name) if runs_it == "onnx" else read_ir(path, name)
    except InputError:
        raise
    # Of any class: the file is a stranger's, and its parts may not fit each other anywhere.
    except Exception as error:
        raise InputError(
            f"model {name}: {path.name} is malformed ({first_line(error)}); export it again"
        ) from error
    # Whatever code the config names: the graph is what is run.
    config = load_config(folder, [], name, allow_native=True, stored=file.numbers)
    tokenizer = load_tokenizer(folder, name)
    check_rows(tokenizer.built, config.get_text_config().vocab_size, name)
    library = library_of(runs_it)
    graph: Graph
    if runs_it == "openvino":
        graph = opened(OpenVinoGraph, (file.content, file.weights, file.output), name, library)
    else:
        # By its path only where weights lie beside it: else what is run is what was looked at.
        source = file.content if len(file.files) == 1 else path
        graph = opened(OnnxGraph, (source, file.output), name, library)
    whole = _Whole(graph, file.inputs, config, is_alone=bool(file.why_alone))
    most = engine.batch_tokens
    try:
        return ModelFile(whole, file, tokenizer, located, batch_tokens=most, note=note)
    except InputError:
        raise
    # A graph that loads may still be unable to run: a table of fewer rows than the vocabulary has.
    except Exception as error:
        raise InputError(
            f"model {name}: {path.name} cannot read a sentence ({first_line(error)})"
        ) from error


class _Whole(nn.Module):
    """A graph in the place of transformers' model, of which no layer can be seen."""

    device = torch.device("cpu")

    def __init__(
        self,
        graph: Graph,
        inputs: Sequence[str],
        config: Any,  # noqa: ANN401 - transformers' own type
        *,
        is_alone: bool,
    ) -> None:
        super().__init__()
        # Of the file nothing else is held: it may have hundreds of megabytes.
        self.graph, self.inputs, self.config, self.is_alone = graph, inputs, config, is_alone

    @property
    def base_model(self) -> nn.Module:
        """What would have the layers."""
        return self

    def logits(self, ids: Array) -> Array:
        """Logits [sentences, length, vocabulary] of ids [sentences, length]."""
        feeds = {IDS: ids, ATTENTION: np.ones_like(ids), SEGMENTS: np.zeros_like(ids)}
        return self.graph.run({name: feeds[name] for name in self.inputs})

    def at_reads(self, run: Run) -> list[Array]:
        """Logits at the reads of sentences of one length, in parts, [n, vocabulary] in all."""
        ids, rows, places = (part.numpy() for part in (run.ids, run.rows, run.places))
        found, step = [], 1 if self.is_alone else run.n
        for start in range(0, run.n, step):
            # Its reads are in the order of its sentences.
            first, last = np.searchsorted(rows, [start, start + step])
            if first < last:
                whole = self.logits(ids[start : start + step])
                own = whole[rows[first:last] - start, places[first:last]]
                found.append(own.astype(np.float32, copy=False))
        return found


class ModelFile(LoadedModel):
    """A model in a file: log p alone, one sentence at a time where others would change it."""

    def __init__(  # noqa: PLR0913 - what is loaded, and how it is run
        self,
        whole: _Whole,
        file: GraphFile,
        tokenizer: Tokenizer,
        located: Located,
        *,
        batch_tokens: int | None = None,
        note: Callable[[str], None] = silent,
    ) -> None:
        self._library = library_of("openvino" if file.weights else "onnx")
        _check_width(whole, file.output, tokenizer, located.name, self._library)
        super().__init__(whole, tokenizer, [], located, Engine(batch_tokens=batch_tokens), note)
        found = {
            "architecture": f"{whole.config.model_type}, exported",
            "own_code": "",
            "weights": file.digest,
            "files": file.digests,
            "parameters": file.numbers,
            "stored_dtype": "+".join(sorted(file.dtypes)),
            "dtype": "stored",
            "attention": "",
            "head": "full",
            "encoder": self._library,
        }
        self.identity = self.identity.model_copy(update=found)
        why = file.why_alone
        if not why and not self._is_independent():
            whole.is_alone, why = True, "its log p depends on what is run together"
        if why:
            note(f"model {located.name}: {why}: its sentences are run one at a time")

    def lacks(self, need: Need) -> str:
        """Why the model cannot give its attention or its states; empty if it can."""
        return "" if need == "distributions" else f"{self._library} gives its log p alone"

    def _logits(self, batch: Sequence[Run]) -> torch.Tensor:
        """Logits at each read, [n, vocabulary]."""
        parts = [part for run in batch for part in self._model.at_reads(run)]
        return in_order([torch.from_numpy(np.concatenate(parts))], batch)

    def _is_independent(self) -> bool:
        """Whether sentences that are run together have the log p that each has alone."""
        sentences, _ = trials(self.encode, self.mask_token, self.mask_id)
        for ids in sentences:
            if self.mask_id not in ids or len(ids) > self.longest:
                continue
            both = [ids, (ids[0], *ids[-2:0:-1], ids[-1])]
            reads = [(row, own.index(self.mask_id)) for row, own in enumerate(both)]
            try:
                together = self.log_probs(both, reads)
            except Exception:  # noqa: BLE001 - a graph of one sentence may fail in any way at two
                return False
            alone = [self.log_probs([own], [(0, place)])
                     for own, (_, place) in zip(both, reads, strict=True)]  # fmt: skip
            if not np.abs(together - np.concatenate(alone)).max() <= TOLERANCE:
                return False
        return True


def _check_width(whole: _Whole, output: str, tokenizer: Tokenizer, name: str, library: str) -> None:
    """Raise `InputError` unless the graph gives the logits of the vocabulary at each piece."""
    [encoded] = tokenizer.encode([f"This is {tokenizer.built.mask_token} ."])
    ids = np.array([encoded.ids])
    try:
        found = list(whole.logits(ids).shape)
    except Exception as error:
        raise InputError(f"model {name}: {library} cannot run it ({first_line(error)})") from error
    expected = [*ids.shape, whole.config.get_text_config().vocab_size]
    if found != expected:
        raise InputError(
            f"model {name}: its output {output[:60]!r} has the shape {found}; expected "
            f"{expected}, the logits of the whole vocabulary at each of {ids.shape[1]} pieces"
        )
