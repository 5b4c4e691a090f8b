"""The argument RECORD of many commands: what may be typed, and which record it means."""

from pathlib import Path
from typing import Annotated

import typer

from maskaudit.audit.cli.options import note
from maskaudit.audit.errors import MaskauditError

LATEST = "latest"
FORMS = "a path, latest, latest~1, a number of `maskaudit list`, or how its name begins"


def completed(incomplete: str) -> list[str]:
    """The names of records that begin with what was typed, for a shell; never an error."""
    try:
        # By their names alone: a shell asks at each key, and what is no record is refused later.
        names = [path.name for path in runs_folder().iterdir() if path.is_dir()]
    except (MaskauditError, OSError):
        return []
    names = [name for name in sorted(names, reverse=True) if name[0] != "." and name.isprintable()]
    return [name for name in (LATEST, *names) if name.startswith(incomplete)]


Record = Annotated[
    str,
    typer.Argument(metavar="RECORD", help=f"A record: {FORMS}.", autocompletion=completed),
]
Runs = Annotated[
    Path | None,
    typer.Argument(
        metavar="[RUNS]", help="The folder of records. [default: that of AUDIT.toml, or runs]"
    ),
]


def record_of(text: str, *, tell: bool = True) -> Path:
    """The folder of the record that was typed. Raises `InputError` where it is not one.

    `tell` is for a command that prints no name of a record: another word than a path is then
    answered by a note.
    """
    from maskaudit.audit.recording.named import named

    folder = named(text, runs_folder)
    if tell and folder != Path(text):
        note(f"{text} is the record {folder}")
    return folder


def runs_folder() -> Path:
    """The folder of records where none is named: that of the AUDIT.toml here, otherwise `runs`.

    Raises `InputError` for an AUDIT.toml that cannot be read.
    """
    from maskaudit.audit.settings import read

    return read(None).runs
