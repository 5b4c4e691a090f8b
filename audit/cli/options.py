"""Options that several commands share, and functions that print results."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from maskaudit.audit.errors import InputError, without_secrets
from maskaudit.audit.texts.characters import composed
from maskaudit.audit.texts.printable import inert, json_text, printable

if TYPE_CHECKING:
    from maskaudit.reports.terminal.layout import Line, Style

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust", help="Take the record's numbers as they are; do not make them again from scores."
    ),
]
MostItems = Annotated[
    int | None,
    typer.Option(
        "--most-items",
        metavar="N",
        min=1,
        help="Refuse a set that would make more items than this. [default: 2000000]",
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="ENGINE",
        help="What runs models: auto, torch, onnx or openvino; auto runs a checkpoint by torch, "
        "and an exported file by its own library. [default: auto]",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="Where models run: auto, cpu, cuda or mps; auto takes CUDA where it is there. "
        "[default: auto]",
    ),
]
Dtype = Annotated[
    str | None,
    typer.Option(
        "--dtype",
        metavar="DTYPE",
        help="The precision of a model's layers: float32 or bfloat16. [default: float32]",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads", metavar="N", min=1, help="The processor's threads. [default: all cores]"
    ),
]
Reference = Annotated[
    str | None,
    typer.Option(
        "--reference",
        "--teacher",
        metavar="MODEL[@REV]",
        help="The older or larger model: a folder, a hub id, or the address of an endpoint.",
    ),
]
Candidate = Annotated[
    str | None,
    typer.Option(
        "--candidate", "--student", metavar="MODEL[@REV]", help="The model that is judged."
    ),
]


_COLOURS: Mapping["Style", str] = {
    "": "", "title": "bold", "bad": "red", "good": "green", "open": "yellow"
}  # fmt: skip


def named_columns(given: Iterable[str], example: str) -> dict[str, str]:
    """The data's names of columns by ours, from `NAME=COLUMN` each, in NFC."""
    columns: dict[str, str] = {}
    for pair in given:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise InputError(f"--column {pair}: expected NAME=COLUMN, as {example}")
        if ours in columns:
            raise InputError(f"--column {pair}: {ours} is named twice; expected once")
        if composed(theirs) in columns.values():
            raise InputError(f"--column {pair}: {theirs} is taken for two columns; expected one")
        columns[ours] = composed(theirs)
    return columns


def say(result: Any, *, as_json: bool) -> None:  # noqa: ANN401 - anything that knows both forms
    """Print a result that has both `as_json` and `as_text`, as JSON or as text."""
    if as_json:
        print_json(result.as_json())
    else:
        print_text(result.as_text())


def print_text(text: str, file: TextIO | None = None) -> None:
    """Print text that may hold names and words of others, on standard output or in `file`."""
    print(inert(text), file=file)


def width() -> float:
    """The columns of the terminal, or those of COLUMNS; unlimited in a file or pipe without it."""
    from maskaudit.reports.terminal.layout import UNLIMITED

    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return UNLIMITED


def print_lines(lines: Iterable["Line"]) -> None:
    """Print laid-out lines, in colours on a terminal unless NO_COLOR is set."""
    from maskaudit.reports.terminal.layout import text_of

    laid = list(lines)
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        print_text(text_of(laid))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, force_terminal=True, highlight=False)
    for line in laid:
        spans = ((inert(span.text), _COLOURS[span.style]) for span in line)
        # They fit: rich would only break them elsewhere.
        console.print(Text.assemble(*spans), soft_wrap=True)


def print_path(path: str | Path) -> None:
    """Print a path on a line of its own."""
    print(printable(str(path)))


def note(sentence: str) -> None:
    """Print a note on standard error, so that it does not mix with the result."""
    # A closed stderr must not stop the command.
    with contextlib.suppress(OSError):
        print(f"maskaudit: note: {printable(without_secrets(sentence))}", file=sys.stderr)


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    print(json_text(value))
