"""What the commands share: options that mean the same everywhere, and how an answer is printed."""

import json
from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what was asked for.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    # What a terminal would obey, or not show, is written as JSON may write any character.
    print("".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text))


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def printable(text: str) -> str:
    """A text as a terminal may see it: what cannot be printed is written as its code point."""
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text)
