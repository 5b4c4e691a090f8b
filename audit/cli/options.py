"""What the commands share: options that mean the same everywhere, and how an answer is printed."""

import contextlib
import json
import sys
from typing import Annotated, Any

import typer

from maskaudit.audit.printable import printable

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what was asked for.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reference = Annotated[
    str | None,
    typer.Option(
        "--reference",
        "--teacher",
        metavar="MODEL[@REV]",
        help="The older or larger model: a folder or a hub id.",
    ),
]
Candidate = Annotated[
    str | None,
    typer.Option(
        "--candidate", "--student", metavar="MODEL[@REV]", help="The model that is judged."
    ),
]


def say(lines: Any, *, as_json: bool) -> None:  # noqa: ANN401 - anything that knows both forms
    """Print an answer that knows both forms: as JSON, or as text."""
    if as_json:
        print_json(lines.as_json())
    else:
        print(lines.as_text())


def note(sentence: str) -> None:
    """Tell what somebody may want to know, where it does not disturb what was asked for."""
    with contextlib.suppress(OSError):
        print(f"maskaudit: note: {printable(sentence)}", file=sys.stderr)


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    # What a terminal would obey, or not show, is written as JSON may write any character.
    print(printable(text, _escaped, keep="\n"))


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]
