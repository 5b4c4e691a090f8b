"""A checkpoint run by ONNX Runtime or OpenVINO: exported here, held against torch, and kept."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import transformers

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends import torch_model
from maskaudit.audit.measuring.backends.exported import traced
from maskaudit.audit.measuring.backends.exported.graphs import (
    Graph,
    OnnxGraph,
    OpenVinoGraph,
    opened,
)
from maskaudit.audit.measuring.backends.lower_precision import trials
from maskaudit.audit.measuring.backends.runs import Run, in_order
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.checkpoints.located import first_line
from maskaudit.audit.measuring.engine import Engine, library_of
from maskaudit.audit.measuring.model import Ids
from maskaudit.audit.vocabulary import silent

# The largest difference of log p from torch's, in nats, by which an engine is an exact one.
TOLERANCE = 1e-4
# Changes with what is exported, so that no graph of an earlier version is taken from the cache.
_FORM = 1
_LENGTH_BYTES = 8


class Kept(Protocol):
    """Where graphs are kept, as in the cache of scores: see there whom it believes."""

    def export(self, key: str) -> bytes | None:
        """The graph of this key; None if there is none that can be believed."""
        ...

    def keep_export(self, key: str, exported: bytes) -> None:
        """Keep a graph."""
        ...


def load(
    model: str | Path,
    *,
    engine: Engine,
    allow_native: bool = False,
    cache: Kept | None = None,
    note: Callable[[str], None] = silent,
) -> "Exported":
    """Load a checkpoint as `torch_model.load` does, to be run by the library that `engine` names.

    The graph is taken from `cache`, or made and kept there. `note` receives how far its log p is
    from torch's. Raises `InputError` if the checkpoint cannot be used or exported, or if an export
    in float32 differs by more than `TOLERANCE`.
    """
    exact = Engine(batch_tokens=engine.batch_tokens)
    loaded = torch_model.load(model, engine=exact, allow_native=allow_native, note=note)
    return Exported(loaded, engine, cache, note)


class Exported(LoadedModel):
    """A loaded checkpoint whose log p comes from a graph; attention and states are torch's."""

    def __init__(
        self,
        loaded: LoadedModel,
        engine: Engine,
        cache: Kept | None = None,
        note: Callable[[str], None] = silent,
    ) -> None:
        # All that is known of the loaded model; only who runs it is another.
        vars(self).update(vars(loaded))
        library = library_of(engine.name)
        name = self.identity.name
        sentences, reads = self._tried_on()
        expected = loaded.log_probs(sentences, reads)
        self._graph = self._opened(engine, cache)
        try:
            difference = float(np.abs(self.log_probs(sentences, reads) - expected).max())
        except Exception as error:
            raise InputError(
                f"model {name}: exported for {library} it does not read sentences of other lengths "
                f"({first_line(error)}); {_WITHOUT}"
            ) from error
        # Not `>`: of a NaN neither is true.
        if not difference <= TOLERANCE and engine.dtype == "float32":
            raise InputError(
                f"model {name}: exported for {library} its log p differs from torch's by "
                f"{difference:.3g} nats on trial sentences, more than {TOLERANCE:g}; {_WITHOUT}"
            )
        if not np.isfinite(difference):
            raise InputError(
                f"model {name}: its log probabilities are not finite in {engine.dtype} by "
                f"{library}: leave out --dtype"
            )
        precision = "" if engine.dtype == "float32" else f" in {engine.dtype}"
        note(
            f"model {name}: run by {library}{precision} log p of any piece is within "
            f"{difference:.3g} nats of torch's in float32 on trial sentences"
        )
        found = {"encoder": library, "dtype": engine.dtype, "from_float32": difference}
        self.identity = self.identity.model_copy(update=found)

    def _tried_on(self) -> tuple[list[Ids], list[tuple[int, int]]]:
        """The trial sentences, two of each length, and the longest sentence at several places."""
        found, _ = trials(self.encode, self.mask_token, self.mask_id)
        sentences = [ids for ids in found if self.mask_id in ids and len(ids) <= self.longest]
        # What was exported may be right for one sentence at a time, and for one length alone.
        pairs = [one for ids in sentences for one in (ids, (ids[0], *ids[-2:0:-1], ids[-1]))]
        reads = [(row, ids.index(self.mask_id)) for row, ids in enumerate(pairs)]
        longest = self._sentence_of(self.longest)
        places = sorted({0, len(longest) // 2, len(longest) - 1})
        return [*pairs, longest], [*reads, *((len(pairs), place) for place in places)]

    def _logits(self, batch: Sequence[Run]) -> torch.Tensor:
        """Logits at each read, [n, vocabulary]."""
        asked = [run for run in batch if len(run.numbers)]
        found = []
        for run in asked:
            logits = self._graph.run(
                {
                    traced.IDS: run.ids.numpy(),
                    traced.ROWS: run.rows.numpy(),
                    traced.PLACES: run.places.numpy(),
                }
            )
            found.append(torch.from_numpy(logits.astype(np.float32, copy=False)))
        return in_order(found, asked)

    def _opened(self, engine: Engine, cache: Kept | None) -> Graph:
        key = self._key(engine)
        content = None if cache is None else cache.export(key)
        if content is None:
            content = self._exported(engine)
            if cache is not None:
                cache.keep_export(key, content)
        name, library = self.identity.name, library_of(engine.name)
        graph: Graph
        if engine.name == "onnx":
            graph = opened(OnnxGraph, (content, traced.LOGITS), name, library)
        else:
            size = int.from_bytes(content[:_LENGTH_BYTES], "little")
            xml, weights = (
                content[_LENGTH_BYTES : _LENGTH_BYTES + size],
                content[_LENGTH_BYTES + size :],
            )
            parts = (xml, weights, traced.LOGITS, engine.dtype)
            graph = opened(OpenVinoGraph, parts, name, library)
        return graph

    def _exported(self, engine: Engine) -> bytes:
        """The graph as it is kept: an ONNX file, or both parts of an IR behind one length."""
        ids = torch.tensor([self._check_ids, self._check_ids])
        example = (ids, torch.tensor([0, 1, 1]), torch.tensor([1, 0, 2]))
        model = traced.AtReads(self._model, at_mask=self._at_mask)
        try:
            if engine.name == "onnx":
                return traced.as_onnx(model, example)
            xml, weights = traced.as_ir(model, example)
            return len(xml).to_bytes(_LENGTH_BYTES, "little") + xml + weights
        # Of any class: an exporter raises whatever it meets in what it does not know.
        except Exception as error:
            raise InputError(
                f"model {self.identity.name}: it cannot be exported for "
                f"{library_of(engine.name)} ({first_line(error)}); {_WITHOUT}"
            ) from error

    def _key(self, engine: Engine) -> str:
        """A digest of all that decides the graph; the precision is chosen when it is opened."""
        made_by: list[Any] = [engine.name, library_of(engine.name), _FORM]
        made_of = [self.identity.weights, self.identity.config, self.identity.architecture]
        software = [torch.__version__, transformers.__version__, self._at_mask]
        return hashlib.sha256(json.dumps([made_by, made_of, software]).encode()).hexdigest()


_WITHOUT = "leave out --engine, and torch runs it"
