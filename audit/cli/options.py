"""What the commands share: options that mean the same everywhere, and how an answer is printed."""

import json
from typing import Annotated

import typer

from maskaudit.audit.printable import printable

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what was asked for.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    # What a terminal would obey, or not show, is written as JSON may write any character.
    print(printable(text, _escaped, keep="\n"))


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]
