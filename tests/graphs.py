"""Checkpoints exported for other libraries, as their users do it, and run by these plainly."""

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForMaskedLM

OPSET = 17


class _Logits(torch.nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits of every piece."""
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def settings_of(source: Path, target: Path) -> Path:
    """Copy a checkpoint without its weights."""
    return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.safetensors")))


def exported(source: Path, target: Path, file: str = "model.onnx", **changes: Any) -> Path:
    """Export a checkpoint to ONNX, into a folder with its config and tokenizer."""
    folder = settings_of(source, target)
    (folder / file).parent.mkdir(exist_ok=True)
    ids = torch.ones(2, 7, dtype=torch.long)
    axes = {0: "batch", 1: "sequence"}
    named = {
        "input_names": ["input_ids", "attention_mask"],
        "output_names": ["logits"],
        "dynamic_axes": {"input_ids": axes, "attention_mask": axes, "logits": axes},
    }
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Logits(plain(source)),
            (ids, torch.ones_like(ids)),
            str(folder / file),
            dynamo=False,
            opset_version=OPSET,
            **(named | changes),
        )
    return folder


def plain(source: Path) -> Any:
    """A checkpoint as transformers loads it, in float32."""
    return AutoModelForMaskedLM.from_pretrained(source, dtype=torch.float32).eval()


def by_torch(source: Path, sentences: Sequence[Sequence[int]], mask: int) -> Any:
    """Log p at the mask of each sentence by transformers, a sentence at a time."""
    model = plain(source)
    with torch.inference_mode():
        rows = [
            model(input_ids=torch.tensor([ids])).logits[0, ids.index(mask)] for ids in sentences
        ]
    return torch.log_softmax(torch.stack(rows).double(), -1).numpy()


def by_onnxruntime(file: Path, sentences: Sequence[Sequence[int]], mask: int) -> Any:
    """Log p at the mask of each sentence by ONNX Runtime as it comes, a sentence at a time."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    rows = []
    for ids in sentences:
        array = np.array([ids], dtype=np.int64)
        feeds = {"input_ids": array, "attention_mask": np.ones_like(array)}
        [logits] = session.run(None, feeds)
        rows.append(logits[0, list(ids).index(mask)].astype(np.float64))
    return np.stack([row - np.logaddexp.reduce(row) for row in rows])
