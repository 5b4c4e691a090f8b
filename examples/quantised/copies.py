"""Make copies of a masked LM, quantised, rounded and pruned, and audit each against it.

    python copies.py                       # of the bundled student, by the core sets
    python copies.py MODEL --probes SET    # of a model of yours

The copies are written to `copies/`, the records and a page of them all to `runs/`.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils import prune
from torchao.core.config import AOBaseConfig
from torchao.quantization import (
    Int8DynamicActivationInt8WeightConfig,
    Int8WeightOnlyConfig,
    IntxWeightOnlyConfig,
    PerGroup,
)
from transformers import AutoModelForMaskedLM, AutoTokenizer, PreTrainedModel, TorchAoConfig

import maskaudit
from maskaudit.audit.phantom.truth import STUDENT

PRUNED = 0.5
# So many weights of a row share a scale; the width of a layer has to be a multiple of it.
GROUP = 32


def quantised(how: AOBaseConfig) -> Callable[[str], PreTrainedModel]:
    """Return a function that loads a model and has torchao quantise its linear modules."""

    def load(model: str) -> PreTrainedModel:
        return AutoModelForMaskedLM.from_pretrained(
            model, dtype=torch.float32, quantization_config=TorchAoConfig(how)
        )

    return load


def bfloat16(model: str) -> PreTrainedModel:
    """Round every weight to the 8 bits of bfloat16."""
    return AutoModelForMaskedLM.from_pretrained(model, dtype=torch.bfloat16)


def pruned(model: str) -> PreTrainedModel:
    """Set the half of the weights of each product in the encoder to 0 that is nearest to 0."""
    loaded = AutoModelForMaskedLM.from_pretrained(model, dtype=torch.float32)
    for module in loaded.base_model.modules():
        if isinstance(module, nn.Linear):
            prune.l1_unstructured(module, "weight", PRUNED)
            prune.remove(module, "weight")
    return loaded


WAYS: dict[str, Callable[[str], PreTrainedModel]] = {
    "bfloat16": bfloat16,
    "int8": quantised(Int8WeightOnlyConfig()),
    "int8-dynamic": quantised(Int8DynamicActivationInt8WeightConfig()),
    "int4": quantised(IntxWeightOnlyConfig(torch.int4, PerGroup(GROUP))),
    "pruned": pruned,
}


def made(model: str, folder: Path) -> Iterator[Path]:
    """Write each copy of a model into a folder of its own, with its tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    for name, way in WAYS.items():
        way(model).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        yield folder / name


def main() -> None:
    """Make the copies of a model, audit them, and print the contrasts of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default=str(STUDENT), help="folder or hub id")
    parser.add_argument("--probes", action="append", default=[], help="as for maskaudit run")
    parser.add_argument("--copies", default="copies", type=Path, help="folder for the copies")
    parser.add_argument("--out", default="runs", help="folder for records")
    asked = parser.parse_args()
    folders = list(made(asked.model, asked.copies))
    records = maskaudit.run(
        reference=asked.model,
        candidates=[str(folder) for folder in folders],
        probes=asked.probes,
        out=asked.out,
    )
    columns = ["probe_set", "subject", "estimate", "low", "high"]
    for record in records:
        contrasts = record.estimates.query("estimator == 'stereotype_contrast'")
        print(f"\n{record.manifest.models['candidate'].name}")
        print(contrasts[columns].to_string(index=False))


if __name__ == "__main__":
    main()
