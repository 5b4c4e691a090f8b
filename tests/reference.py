"""The reference of the command line, as a document made from the help of every command.

Run as a program, it writes docs/commands.md below that page's mark.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from maskaudit.audit.cli.main import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
_BEGIN, _END = "<!-- commands: written by `make reference` -->", "<!-- commands: end -->"
# typer has a copy of click in some versions, and its classes have no name to annotate them by.
Command = Any
Context = Any


def commands() -> Iterator[tuple[str, Command, Context]]:
    """Yield each command that does something: what is typed, the command and its context."""
    top = typer.main.get_command(app)
    yield from _below(top, _context(top, "maskaudit", None))


def _below(group: Command, context: Context) -> Iterator[tuple[str, Command, Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inside = _context(command, name, context)
        if hasattr(command, "list_commands"):
            yield from _below(command, inside)
        else:
            yield inside.command_path, command, inside


def _context(command: Command, name: str, parent: Context) -> Context:
    return command.make_context(name, [], parent=parent, resilient_parsing=True)


def reference() -> str:
    """Return a table of the commands and a section for each, as Markdown."""
    found = list(commands())
    table = "".join(
        f"| [`{path}`](#{path.replace(' ', '-')}) | {_cell(_paragraphs(command)[0])} |\n"
        for path, command, _ in found
    )
    sections = "\n\n".join(_section(path, command, context) for path, command, context in found)
    return f"| command | what it does |\n|---|---|\n{table}\n{sections}"


def _section(path: str, command: Command, context: Context) -> str:
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    # Every command has --help, which the top of the page says once.
    rows = [
        f"| {_code(record[0])} | {_cell(record[1])} |"
        for parameter in command.params
        if (record := parameter.get_help_record(context)) is not None
    ]
    table = "\n".join(["", "", "| to type | meaning |", "|---|---|", *rows]) if rows else ""
    text = "\n\n".join(_paragraphs(command))
    return f"### {path}\n\n{text}\n\n```text\n{usage}\n```{table}"


def _paragraphs(command: Command) -> list[str]:
    """Return the help of a command, each paragraph on one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", command.help.strip())]


def _code(text: str) -> str:
    """Return what is typed as code: options apart from one another, no type after a name."""
    text = re.sub(r" <[^>]*>", "", text).replace("|", r"\|")
    return f"`{text}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def write() -> None:
    """Write the reference into the page, between its two marks."""
    text = PAGE.read_text("utf-8")
    before, after = text[: text.index(_BEGIN)], text[text.index(_END) :]
    PAGE.write_text(f"{before}{_BEGIN}\n\n{reference()}\n\n{after}", "utf-8")


if __name__ == "__main__":
    write()
