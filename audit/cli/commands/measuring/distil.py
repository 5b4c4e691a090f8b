"""The command `distil`: a student of half its teacher's layers, audited while it is trained."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.options import Quiet, note, print_path, print_text
from maskaudit.audit.errors import InputError

if TYPE_CHECKING:
    from maskaudit.audit.training.distilling.distil import Told
    from maskaudit.audit.training.watch import Watch


def distil(  # noqa: PLR0913 - the options of a command
    *,
    teacher: Annotated[
        str,
        typer.Option(
            "--teacher", metavar="MODEL[@REV]", help="A BERT, DistilBERT or RoBERTa: folder or id."
        ),
    ],
    text: Annotated[
        Path,
        typer.Option("--text", metavar="FILE", help="UTF-8, a sentence or paragraph a line."),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", help="The student goes to FOLDER/student."),
    ],
    steps: Annotated[
        int, typer.Option("--steps", metavar="N", min=1, help="Batches to train on.")
    ] = 600,
    every: Annotated[
        int,
        typer.Option(
            "--every", metavar="N", min=1, help="Steps between checkpoints, and between audits."
        ),
    ] = 100,
    size: Annotated[int, typer.Option("--size", metavar="N", min=1, help="Rows of a batch.")] = 16,
    length: Annotated[
        int,
        typer.Option("--length", metavar="N", min=8, help="The most pieces of a row."),
    ] = 64,
    rate: Annotated[
        float, typer.Option("--rate", metavar="NUMBER", help="The highest learning rate.")
    ] = 5e-4,
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="N", min=0, help="Of order, masks and dropout."),
    ] = 0,
    audits: Annotated[
        list[str] | None,
        typer.Option(
            "--audit",
            metavar="SET",
            help="Audit the student against its teacher by this set, while it is trained; "
            "repeatable.",
        ),
    ] = None,
    gates: Annotated[
        Path | None,
        typer.Option("--gates", metavar="FILE", help="Judge each of these audits."),
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="End at the first audit at which a gate fails.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Distil a student of every other layer of a teacher, as DistilBERT was, and print its folder.

    Three losses: soft targets at temperature 2, masked words, hidden states. The same command again
    goes on from the last checkpoint after a kill. With --audit the lean over the steps is in
    FOLDER/audits/training.html.
    """
    from maskaudit.audit.training.distilling import distil as recipes

    if not audits and (gates is not None or stop):
        raise InputError("--gates, --stop: nothing is audited; name a set with --audit")
    recipe = recipes.Recipe(steps, every, size, length, rate, seed)
    watch = _watch(teacher, out, audits, gates) if audits else None
    if stop and watch is not None and not watch.has_gates:
        raise InputError("--stop: there are no gates to stop by; name them with --gates")
    student = recipes.distil(
        teacher, text, out, recipe, watch=watch, stop=stop, tell=_teller(quiet=quiet)
    )
    if watch is not None and not quiet:
        _tell_audits(watch)
    print_path(student)


def _watch(teacher: str, out: Path, audits: list[str], gates: Path | None) -> "Watch":
    from maskaudit.audit.training.watch import Asked, Watch

    asked = Asked(out / "audits", reference=teacher, probes=tuple(audits), gates=gates)
    return Watch(asked, note=note)


def _teller(*, quiet: bool) -> "Callable[[Told], None]":
    """What prints a line for each checkpoint, on standard error."""
    started = time.monotonic()

    def tell(told: "Told") -> None:
        losses = told.losses
        minutes = (time.monotonic() - started) / 60
        print_text(
            f"maskaudit: step {told.step} of {told.steps}, {minutes:.1f} min: soft targets "
            f"{float(losses.soft):.3f}, masked words {float(losses.masked):.3f}, hidden states "
            f"{float(losses.cosine):.3f}",
            sys.stderr,
        )

    return (lambda _told: None) if quiet else tell


def _tell_audits(watch: "Watch") -> None:
    """Print since when each lean is credible, whether a gate failed at last, and the page."""
    if not watch.audits:
        note("the student was finished before; audit its checkpoints with maskaudit run")
        return
    for sentence in watch.since():
        print_text(f"maskaudit: {sentence}.", sys.stderr)
    last = watch.audits[-1]
    if last.exit_code == 1:
        note(f"step {last.step}: a gate failed")
    print_text(f"maskaudit: the lean over the steps: {watch.page}", sys.stderr)
