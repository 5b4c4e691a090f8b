"""Checkpoints of a distillation: the student and what its optimiser knows, whole or not at all."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForMaskedLM, PreTrainedModel

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.files import unfinished, write_whole, writing
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.names import is_there

RECIPE, STUDENT, CHECKPOINTS = "recipe.json", "student", "checkpoints"
# What the optimiser knows of each weight, beside the weights of a checkpoint.
_MOMENTS = "optimiser.safetensors"
_STEP = re.compile(r"step-(\d+)")
_PARTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Reached:
    """How far a distillation is: the steps done, and the folder of the student then."""

    step: int
    folder: Path


def check_recipe(out: Path, recipe: Mapping[str, Any]) -> None:
    """Write what a student is made of, or hold it against what is written.

    Raises `InputError` if the folder's student is of another recipe, with the first that differs.
    """
    path = out / RECIPE
    if not is_there(path):
        # Written anew it would vouch for weights of which nobody knows the recipe.
        if is_there(out / CHECKPOINTS) or is_there(out / STUDENT):
            raise InputError(f"{out}: has no {RECIPE}, so nothing in it is gone on with")
        write_whole(path, json.dumps(recipe, indent=1) + "\n")
        return
    try:
        written = bounded.json_value(bounded.content(path, bounded.SETTINGS))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a recipe ({error})") from error
    if not isinstance(written, dict):
        raise InputError(f"{path}: cannot be read as a recipe (it is no JSON object)")
    # Keys of both: another version may know one that this one does not.
    for key in {**written, **recipe}:
        if written.get(key) != recipe.get(key):
            raise InputError(
                f"{out}: holds a student of another recipe ({key}: {written.get(key)!r}, now "
                f"{recipe.get(key)!r}); name another folder, or delete this one"
            )


def reached(out: Path) -> Reached | None:
    """The newest checkpoint that a distillation can go on from; None without one."""
    folder = out / CHECKPOINTS
    found = [
        Reached(int(match[1]), path)
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (match := _STEP.fullmatch(path.name)) and is_there(path / _MOMENTS)
    ]
    return max(found, key=lambda one: one.step, default=None)


def save(
    out: Path,
    step: int,
    student: PreTrainedModel,
    tokenizer: Any,  # noqa: ANN401 - transformers' own type
    optimiser: torch.optim.Optimizer,
) -> None:
    """Write the checkpoint of a step whole; older ones keep their weights alone."""
    older = reached(out)
    folder = out / CHECKPOINTS
    with unfinished(folder) as scratch, writing(folder):
        _save_model(scratch / "new", student, tokenizer)
        moments = {
            f"{name}.{part}": optimiser.state[weights][part].contiguous()
            for name, weights in student.named_parameters()
            for part in _PARTS
        }
        save_file(moments, scratch / "new" / _MOMENTS)
        (scratch / "new").rename(folder / f"step-{step}")
    # Only now: a kill in between leaves the older one to go on from.
    if older is not None and older.step != step:
        (older.folder / _MOMENTS).unlink()


def save_student(out: Path, student: PreTrainedModel, tokenizer: Any) -> Path:  # noqa: ANN401
    """Write the finished student whole, and return its folder."""
    with unfinished(out) as scratch, writing(out):
        _save_model(scratch / "new", student, tokenizer)
        # By one rename: a folder of this name says that the distillation came to its end.
        (scratch / "new").rename(out / STUDENT)
    return out / STUDENT


def save_plain(folder: Path, student: PreTrainedModel, tokenizer: Any) -> None:  # noqa: ANN401
    """Write a student to be audited, at a place that is not kept."""
    with writing(folder):
        _save_model(folder, student, tokenizer)


def load_student(folder: Path) -> PreTrainedModel:
    """The student of a checkpoint, with the very weights that it was saved with."""
    # In the precision of the training, whatever the files' config may name.
    student: PreTrainedModel = AutoModelForMaskedLM.from_pretrained(
        folder, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
    )
    for weights in student.parameters():
        weights.data = _own(weights.data)
    return student


def load_moments(
    folder: Path, step: int, student: PreTrainedModel, optimiser: torch.optim.Optimizer
) -> None:
    """Give the optimiser what it knew at this step, of the same weights."""
    moments = load_file(folder / _MOMENTS)
    for name, weights in student.named_parameters():
        known = {part: _own(moments[f"{name}.{part}"]) for part in _PARTS}
        optimiser.state[weights] = {"step": torch.tensor(float(step)), **known}


def _own(tensor: torch.Tensor) -> torch.Tensor:
    """A copy in memory of its own: kernels may round otherwise in a file that is mapped."""
    return tensor.clone(memory_format=torch.contiguous_format)


def _save_model(folder: Path, student: PreTrainedModel, tokenizer: Any) -> None:  # noqa: ANN401
    student.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
