"""A callback for transformers' `Trainer` that audits the model while it is trained."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from maskaudit.audit.errors import InputError
from maskaudit.audit.training.watch import Asked, Audited, Watch
from maskaudit.audit.vocabulary import Progress, silent

Paths = str | os.PathLike[str]
_FOLDER = "audits"


class AuditCallback(TrainerCallback):
    """Audit a masked LM while transformers' `Trainer` trains it, and stop or choose by gates.

    Every `every` steps, before the first and after the last, or with `every="save"` whenever the
    Trainer saves a checkpoint, the model in memory is audited as `maskaudit.run` would audit it:
    against `reference` where one is named, by the sets `probes` (small ones, since the training
    waits), with what the AUDIT.toml `file` says otherwise. Each audit is a record in `out`/runs,
    whose candidate is called `step-N`; `out`/training.html has the lean over the steps, and at the
    end since when it is credible. `out` is the folder `audits` in the Trainer's output folder
    unless it is named. With `gates` each record is judged: `stop` ends the training at the first
    step at which a gate fails, and `out`/best holds the checkpoint that is best by them, of those
    that pass every gate the one of least evaluation loss, or the last where no loss is known. The
    tokenizer is the Trainer's `processing_class` unless `tokenizer` is given. Audits change no
    random number of the training. Raises `InputError`, before the first step where it can, for
    what `maskaudit.run` refuses, and for a model that is spread over several processes.
    """

    def __init__(  # noqa: PLR0913 - those of `maskaudit.run`, and when
        self,
        *,
        every: int | Literal["save"],
        file: Paths | None = None,
        reference: Paths | None = None,
        probes: Sequence[Paths] = (),
        gates: Paths | None = None,
        out: Paths | None = None,
        stop: bool = False,
        tokenizer: Any = None,  # noqa: ANN401 - transformers' own type
        progress: Progress = silent,
        note: Callable[[str], None] = silent,
    ) -> None:
        # True is a number in Python, and would audit after each step.
        is_steps = isinstance(every, int) and not isinstance(every, bool) and every > 0
        if not is_steps and every != "save":
            raise InputError(
                f'every: is {every!r}; expected a number of steps of at least 1, or "save"'
            )
        # A text is a sequence too: each of its letters would be looked for as a set.
        if isinstance(probes, str | os.PathLike):
            raise InputError(f"probes: is {os.fspath(probes)!r}; expected a list of sets")
        self.every = every
        self.stop = stop
        self._file, self._out = (None if p is None else Path(p) for p in (file, out))
        self._reference = None if reference is None else os.fspath(reference)
        self._probes = tuple(os.fspath(name) for name in probes)
        self._gates = None if gates is None else Path(gates)
        self._tokenizer, self._progress, self._note = tokenizer, progress, note
        self._watch: Watch | None = None
        self._is_waiting = False

    @property
    def audits(self) -> list[Audited]:
        """The audits so far: of each the `step`, its `record`’s name, `exit_code` and `loss`."""
        return [] if self._watch is None else list(self._watch.audits)

    @property
    def best(self) -> Audited | None:
        """The audit of the checkpoint in `out`/best; None where no step passed every gate."""
        return None if self._watch is None else self._watch.best

    @property
    def page(self) -> Path | None:
        """The page of the lean over the steps; None before the training began."""
        return None if self._watch is None else self._watch.page

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,  # noqa: ANN401 - what the Trainer passes
    ) -> None:
        """Refuse what cannot be audited, and audit what the training begins with."""
        _check_whole(args, stop=self.stop)
        # All processes have the same weights here, and two would write to one folder.
        if not state.is_world_process_zero:
            return
        if self._tokenizer is None:
            self._tokenizer = kwargs.get("processing_class")
        if self._tokenizer is None:
            raise InputError(
                "AuditCallback: there is no tokenizer; give the Trainer processing_class=..., or "
                "AuditCallback(tokenizer=...)"
            )
        out = Path(args.output_dir or ".") / _FOLDER if self._out is None else self._out
        asked = Asked(out, self._file, self._reference, self._probes, self._gates)
        self._watch = Watch(asked, progress=self._progress, note=self._note)
        # Refused before the first step: the training would run to its end and look as if it passed.
        if self.stop and not self._watch.has_gates:
            raise InputError("stop: is true, and there are no gates to stop by; name them in gates")
        self._watch.begin(state.global_step)
        self._audit(state, control, **kwargs)

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002 - the Trainer's signature
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Audit after each `every` steps, or after the evaluation that follows."""
        if self.every == "save" or state.global_step % self.every:
            return
        # The loss of this step is not known before.
        self._is_waiting = control.should_evaluate
        if not self._is_waiting:
            self._audit(state, control, **kwargs)

    def on_evaluate(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Audit a step that waited for its evaluation."""
        if self._is_waiting:
            self._is_waiting = False
            self._audit(state, control, **kwargs)

    def on_save(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Audit the model of each checkpoint that is saved, if that is asked for."""
        if self.every == "save":
            self._audit(state, control, **kwargs)

    def on_train_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Audit what training ended with, and write since when the leans are credible."""
        self._audit(state, control, **kwargs)
        if self._watch is not None:
            self._watch.draw(since=True)

    def _audit(self, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:  # noqa: ANN401
        """Audit the model at this step, unless it was; ask for the end where a gate failed."""
        watch = self._watch
        if watch is None or any(one.step == state.global_step for one in watch.audits):
            return
        model, tokenizer = kwargs["model"], self._tokenizer

        def save(folder: Path) -> None:
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)

        audited = watch.audit(state.global_step, save, _loss(state))
        if self.stop and audited.exit_code == 1:
            control.should_training_stop = True


def _check_whole(args: TrainingArguments, *, stop: bool) -> None:
    """Raise `InputError` where no process has the whole model, or one could stop alone."""
    # Each process has a part of the weights, and a part is no model that could be audited.
    for name in ("deepspeed", "fsdp"):
        if getattr(args, name, None):
            raise InputError(
                f"AuditCallback: the model is spread over several processes ({name}); audit its "
                "saved checkpoints with maskaudit.run"
            )
    if stop and args.world_size > 1:
        raise InputError(
            f"stop: the training runs in {args.world_size} processes, and one of them cannot stop "
            "the others; leave stop out, and read `best`"
        )


def _loss(state: TrainerState) -> float | None:
    """The evaluation loss at this step, None where none was logged."""
    losses = [
        entry["eval_loss"]
        for entry in state.log_history
        if entry.get("step") == state.global_step and "eval_loss" in entry
    ]
    return float(losses[-1]) if losses else None
