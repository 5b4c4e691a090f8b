"""Distil a student from a teacher as DistilBERT was: the smallest recipe that is honest."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.checkpoint import recognise, weight_files
from maskaudit.audit.measuring.checkpoints.config import load_config
from maskaudit.audit.measuring.checkpoints.digests import tensor_digest, tokenizer_digest
from maskaudit.audit.measuring.checkpoints.located import locate
from maskaudit.audit.measuring.checkpoints.tokenizer import load_tokenizer
from maskaudit.audit.measuring.loading.weights import loaded_weights
from maskaudit.audit.recording.files import held
from maskaudit.audit.training.distilling import checkpoints
from maskaudit.audit.training.distilling.losses import TEMPERATURE, WEIGHTS, Losses, losses
from maskaudit.audit.training.distilling.rows import Rows, read, seed_of_dropout
from maskaudit.audit.training.distilling.student import every_other, student_of
from maskaudit.audit.training.watch import Watch
from maskaudit.audit.vocabulary import silent

# Steps until the full rate, as a share of all; the largest norm of a gradient; Adam's constants
# (Sanh et al. 2019, in their published code).
WARM_UP, LARGEST_NORM = 0.05, 5.0
BETAS, EPSILON = (0.9, 0.98), 1e-6
_SHORTEST = 8


@dataclass(frozen=True)
class Recipe:
    """How a student is trained: batches of `size` rows of at most `length` pieces, so many `steps`.

    `rate` is the highest learning rate. A checkpoint is written each `every` steps.
    """

    steps: int = 600
    every: int = 100
    size: int = 16
    length: int = 64
    rate: float = 5e-4
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The rate of a step, from 0: it rises in the first twentieth, then falls to 0 evenly."""
        # At least one step each: short trainings would divide by 0.
        warm = max(1, round(WARM_UP * self.steps))
        share = min((step + 1) / warm, (self.steps - step) / max(1, self.steps - warm))
        return self.rate * min(1.0, share)


@dataclass(frozen=True)
class Teacher:
    """A teacher that was proved as any audited model is, with its tokenizer and its digests."""

    name: str
    model: PreTrainedModel
    tokenizer: Any
    weights: str
    pieces: str


@dataclass(frozen=True)
class Told:
    """How far a distillation is: the steps done and in all, and the losses of the last one."""

    step: int
    steps: int
    losses: Losses


def distil(  # noqa: PLR0913 - what a student is made of, and who is told
    teacher: str,
    text: Path,
    out: Path,
    recipe: Recipe,
    *,
    watch: Watch | None = None,
    stop: bool = False,
    tell: Callable[[Told], None] = silent,
) -> Path:
    """Train a student of a teacher on a text, and return its folder, `out`/student.

    It begins with every other layer of the teacher, and learns soft targets at temperature 2, the
    masked words, and the teacher's last hidden states, weighted 5, 2 and 1 (Sanh et al. 2019).
    What is masked is drawn anew at each step. Weights, order, masks and dropout follow from the
    recipe and the step alone, so that a training that was killed goes on from its last checkpoint
    to the same student. With `watch` the student is audited before the first step, at each
    checkpoint and after the last; with `stop` the training ends at the first at which a gate fails.
    Raises `InputError` for a teacher, text or folder that cannot be used, `LockedError` if another
    run holds the folder, and `CannotWriteError`.
    """
    _check(recipe)
    loaded = load_teacher(teacher)
    # Before the text is read: a teacher that cannot be used is told at once.
    layers = every_other(loaded.model, loaded.name)
    longest = int(loaded.model.config.max_position_embeddings)
    if recipe.length > longest - 2:
        raise InputError(
            f"--length {recipe.length}: the teacher reads {longest - 2} pieces at most"
        )
    rows = read(text, loaded.tokenizer, recipe.length)
    with held(out):
        checkpoints.check_recipe(out, _described(loaded, rows, layers, recipe))
        if (out / checkpoints.STUDENT).is_dir():
            return out / checkpoints.STUDENT
        begun = checkpoints.reached(out)
        student = (
            student_of(loaded.model, layers, loaded.name)
            if begun is None
            else checkpoints.load_student(begun.folder)
        )
        optimiser = torch.optim.AdamW(
            student.parameters(), recipe.rate, BETAS, EPSILON, weight_decay=0.0
        )
        step = 0
        if begun is not None:
            step = begun.step
            checkpoints.load_moments(begun.folder, step, student, optimiser)
        training = Training(loaded, rows, recipe, student, optimiser)
        training.run(step, out, watch, stop=stop, tell=tell)
        return checkpoints.save_student(out, student, loaded.tokenizer)


def load_teacher(name: str) -> Teacher:
    """Load a teacher, proved as a model is that is audited. Raises `InputError` as that does."""
    located = locate(name)
    recognise(located.folder, located.name)
    files = weight_files(located.folder, located.name)
    config = load_config(located.folder, files, located.name)
    tokenizer = load_tokenizer(located.folder, located.name).built
    model = loaded_weights(located.folder, files, located.name, config)
    model.eval().requires_grad_(requires_grad=False)
    pieces = tokenizer_digest(tokenizer)
    return Teacher(located.name, model, tokenizer, tensor_digest(files), pieces)


@dataclass
class Training:
    """A student, its teacher and its optimiser on the way through the steps of a recipe."""

    teacher: Teacher
    rows: Rows
    recipe: Recipe
    student: PreTrainedModel
    optimiser: torch.optim.Optimizer

    def run(
        self,
        step: int,
        out: Path,
        watch: Watch | None,
        *,
        stop: bool,
        tell: Callable[[Told], None],
    ) -> None:
        """Train from this step on, with a checkpoint and an audit each `every` steps."""
        if watch is not None:
            watch.begin(step)
            # A checkpoint may be there, and its audit not, where a run was killed in between.
            if self._failed(watch, step) and stop:
                return
        while step < self.recipe.steps:
            learnt = self._learn(step)
            step += 1
            if step % self.recipe.every and step != self.recipe.steps:
                continue
            tell(Told(step, self.recipe.steps, learnt))
            if step != self.recipe.steps:
                checkpoints.save(out, step, self.student, self.teacher.tokenizer, self.optimiser)
            if watch is not None and self._failed(watch, step) and stop:
                break
        if watch is not None:
            watch.draw(since=True)

    def _learn(self, step: int) -> Losses:
        recipe = self.recipe
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.rate_at(step)
        # Anew in each step: a training that goes on from a checkpoint drops out what it would have
        # dropped out without a stop.
        torch.manual_seed(seed_of_dropout(recipe.seed, step))
        # Here and not once: a student that is loaded from a checkpoint comes without dropout.
        self.student.train()
        found = losses(
            self.student, self.teacher.model, self.rows.batch(step, recipe.size, recipe.seed)
        )
        self.optimiser.zero_grad()
        found.total.backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), LARGEST_NORM)
        self.optimiser.step()
        return Losses(found.soft.detach(), found.masked.detach(), found.cosine.detach())

    def _failed(self, watch: Watch, step: int) -> bool:
        """Audit the student after this step, unless it was; whether a gate failed."""
        done = next((one for one in watch.audits if one.step == step), None)
        if done is None:
            done = watch.audit(
                step,
                lambda folder: checkpoints.save_plain(folder, self.student, self.teacher.tokenizer),
            )
        return done.exit_code == 1


def _described(
    teacher: Teacher, rows: Rows, layers: tuple[int, ...], recipe: Recipe
) -> dict[str, Any]:
    """What a student is made of: two trainings of the same have the same student."""
    return {
        "teacher": teacher.name,
        "teacher_weights": teacher.weights,
        "teacher_tokenizer": teacher.pieces,
        "layers": list(layers),
        "text": rows.digest,
        "rows": len(rows.rows),
        "loss_weights": list(WEIGHTS),
        "temperature": TEMPERATURE,
        **asdict(recipe),
    }


def _check(recipe: Recipe) -> None:
    for name in ("steps", "every", "size"):
        if getattr(recipe, name) < 1:
            raise InputError(f"--{name}: is {getattr(recipe, name)}; expected at least 1")
    if recipe.length < _SHORTEST:
        raise InputError(f"--length: is {recipe.length}; expected at least {_SHORTEST} pieces")
    if recipe.seed < 0:
        raise InputError(f"--seed: is {recipe.seed}; expected a whole number of at least 0")
    if not 0 < recipe.rate < 1:
        raise InputError(f"--rate: is {recipe.rate}; expected a number between 0 and 1")
