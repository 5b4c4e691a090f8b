"""Audits of a model while it is trained: a record each, the page of its lean over the steps.

It knows nothing of how the model is trained; `callback` and `distilling` call it.
"""

import contextlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
import torch

from maskaudit.audit import pipeline, settings
from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.estimating.crossed.cells import CANDIDATE, DIFFERENCE, REFERENCE
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.history import judge, onset, read
from maskaudit.audit.judging import policy, verdicts
from maskaudit.audit.recording import record as stored
from maskaudit.audit.recording.files import write_whole, writing
from maskaudit.audit.recording.record import Record
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.names import is_there
from maskaudit.audit.vocabulary import Progress, silent
from maskaudit.reports.over_time import page
from maskaudit.reports.over_time.curve import Training
from maskaudit.reports.terminal import onset as words

RUNS, PAGE, BEST, AUDITS = "runs", "training.html", "best", "training.json"
# What is audited lies here while it is, under the name of its step.
_CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class Audited:
    """One audit of a training: after which step, the name of its record, and what the gates said.

    `exit_code` is that of the verdicts: 0 all passed, 1 a gate failed, 3 something could not be
    judged; None without gates. `loss` is that of the evaluation at this step, in nats, None where
    none is known.
    """

    step: int
    record: str
    exit_code: int | None
    loss: float | None = None

    @property
    def passed(self) -> bool:
        """Whether every gate passed; a step without verdicts has passed nothing."""
        return self.exit_code == 0


@dataclass(frozen=True)
class Asked:
    """What is asked at each audit: the words of `maskaudit.run`, and the folder that it writes to.

    Records are written to `out`/runs, the page to `out`/training.html, and the checkpoint that is
    best by the gates to `out`/best.
    """

    out: Path
    file: Path | None = None
    reference: str | None = None
    probes: tuple[str, ...] = ()
    gates: Path | None = None
    seed: int | None = None

    def settings(self, candidate: Path) -> settings.Settings:
        """The settings of one audit, of the checkpoint in this folder."""
        return settings.resolve(
            self.file,
            reference=self.reference,
            candidate=str(candidate),
            probes=self.probes,
            out=self.out / RUNS,
            seed=self.seed,
            gates=self.gates,
        )


class Watch:
    """The audits of one training, in the order of its steps."""

    def __init__(
        self, asked: Asked, *, progress: Progress = silent, note: Callable[[str], None] = silent
    ) -> None:
        """Read what is asked: faults of settings, sets and gates raise `InputError` at once.

        So does a folder whose `best` or `checkpoint` is not of a training, since both are replaced.
        """
        self._asked, self._progress, self._note = asked, progress, note
        chosen = asked.settings(asked.out / _CHECKPOINT)
        # Read for their faults alone, before a model is saved or loaded for nothing.
        chosen.probe_sets()
        self.has_gates = policy.of(chosen) is not None
        for name in (BEST, _CHECKPOINT):
            # Both are deleted on the way; the file of audits shows that they are ours to delete.
            if is_there(asked.out / name) and not is_there(asked.out / AUDITS):
                raise InputError(
                    f"{asked.out / name}: is already there, and not of a training that was audited "
                    "here; name another folder"
                )
        self.audits = _read(asked.out / AUDITS)

    def begin(self, step: int) -> None:
        """Go on from this step: audits of later ones are of a training that was not kept."""
        self.audits = [one for one in self.audits if step and one.step <= step]
        with writing(self._asked.out):
            self._asked.out.mkdir(parents=True, exist_ok=True)
        self._write()

    @property
    def best(self) -> Audited | None:
        """The audit to keep: of those that pass every gate, the one of least loss, else the last.

        One without a loss is kept only where none of them has one. None where no step passed.
        """
        passed = [audited for audited in self.audits if audited.passed]
        known = [(audited.loss, audited) for audited in passed if audited.loss is not None]
        # By the loss alone: audits have no order, and of equal ones the first is kept already.
        if known:
            return min(known, key=itemgetter(0))[1]
        return passed[-1] if passed else None

    @property
    def runs(self) -> Path:
        """The folder of the records."""
        return self._asked.out / RUNS

    @property
    def page(self) -> Path:
        """Where the page of the lean over the steps is."""
        return self._asked.out / PAGE

    def audit(self, step: int, save: Callable[[Path], None], loss: float | None = None) -> Audited:
        """Audit the model after this step, which `save` writes to a folder; draw the page anew.

        The same weights are not audited twice: a training that goes on from a checkpoint finds its
        earlier records. Random numbers of the training are as they were. Raises as
        `pipeline.run_all` does.
        """
        place = self._asked.out / _CHECKPOINT
        folder = place / f"step-{step}"
        # What was stopped while it was written is no checkpoint.
        shutil.rmtree(place, ignore_errors=True)
        try:
            with _own_randomness():
                save(folder)
                [record] = pipeline.run_all(
                    self._asked.settings(folder),
                    skip_unchanged=True,
                    progress=self._progress,
                    note=self._note,
                )
            audited = Audited(step, record.name, _exit_code(record), loss)
            # A training that was resumed comes by the same step again.
            self.audits = [one for one in self.audits if one.step != step] + [audited]
            if self.best is audited:
                self._keep(folder)
            self._write()
        finally:
            shutil.rmtree(place, ignore_errors=True)
        self.draw()
        return audited

    def draw(self, *, since: bool = False) -> None:
        """Write the page of the lean over the steps; with `since` it says where leans came in."""
        # The same weights at two steps are one record, which belongs to the first of them.
        steps: dict[str, int] = {}
        for audited in sorted(self.audits, key=lambda one: one.step):
            steps.setdefault(audited.record, audited.step)
        subjects = (REFERENCE, CANDIDATE, DIFFERENCE)
        chosen = read.Chosen(records=tuple(steps), subjects=subjects)
        try:
            history = judge.judge(read.read(self.runs, chosen))
        except NotJudgedError as error:  # sets without a contrast have no lean to draw
            self._note(f"no page of the lean over the steps: {error}")
            return
        remarks, first = self._since() if since else ([], {})
        page.write(history, self.page, remarks=remarks, training=Training(steps, first))

    def since(self) -> list[str]:
        """A sentence a contrast: the first step in which it is credible, and what is unclear."""
        return self._since()[0]

    def _since(self) -> tuple[list[str], dict[tuple[str, ...], str]]:
        """These sentences, and by the line of a lean the record in which it is credible first."""
        records = [stored.load_record(self.runs / audited.record) for audited in self.audits]
        try:
            bisected = onset.bisect(records)
        except (InputError, NotJudgedError) as error:
            return [str(error)], {}
        told = [
            f"{words.title(found)}: {words.sentence(bisected, found)}".removesuffix(".")
            for found in bisected.onsets
        ]
        first: dict[tuple[str, ...], str] = {
            (found.probe_set, found.slice, CONTRAST, found.mode, CANDIDATE): bisected.versions[
                found.first
            ]
            for found in bisected.onsets
            if found.first is not None
        }
        return told, first

    def _write(self) -> None:
        entries = [asdict(audited) for audited in self.audits]
        write_whole(self._asked.out / AUDITS, json.dumps(entries, indent=1) + "\n")

    def _keep(self, folder: Path) -> None:
        """Put the checkpoint that is best now in the place of the one that was."""
        best = self._asked.out / BEST
        shutil.rmtree(best, ignore_errors=True)
        folder.rename(best)


def _exit_code(record: Record) -> int | None:
    assert record.path is not None  # noqa: S101 - the pipeline sealed it, or found it
    judgement = verdicts.read(record.path)
    return None if judgement is None else judgement.exit_code


def _read(path: Path) -> list[Audited]:
    """The audits of a training that was stopped; none without the file.

    Raises `InputError` for a file of another kind.
    """
    if not is_there(path):
        return []
    try:
        entries = bounded.json_value(bounded.content(path, bounded.SETTINGS))
        return [Audited(**entry) for entry in entries]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{path}: cannot be read as the audits of a training; delete it, or name another folder"
        ) from error


@contextlib.contextmanager
def _own_randomness() -> Iterator[None]:
    """Leave the random numbers of the training as they are: loading a model draws some."""
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - others' own
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002
