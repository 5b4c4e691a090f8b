"""The reference of the command line is what the commands say of themselves."""

import re
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from maskaudit.audit.cli.main import app
from tests import reference

TEXT = reference.PAGE.read_text("utf-8")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def helped(*words: str) -> str:
    """Return what a command prints for --help, on a terminal so wide that no line breaks."""
    found = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "400"})
    assert found.exit_code == 0, found.output
    return found.stdout


def typed(*group: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command, as they are listed by the help of its group."""
    _, _, listed = helped(*group).partition("\nCommands:\n")
    for name in re.findall(r"^  ([a-z-]+) ", listed.partition("\n\n")[0], re.MULTILINE):
        words = (*group, name)
        if "\nCommands:\n" in helped(*words):
            yield from typed(*words)
        else:
            yield words


COMMANDS = list(typed())


def test_the_page_has_what_make_reference_writes() -> None:
    """An option that is added or reworded is in the document with the same commit."""
    assert reference.reference() in TEXT


def test_the_page_has_every_command_that_the_program_lists_and_no_other() -> None:
    """In the order of the program's own help."""
    sections = re.findall(r"^### (.*)$", TEXT, re.MULTILINE)
    assert sections == [" ".join(("maskaudit", *words)) for words in COMMANDS]
    assert len(sections) > 20


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_section_has_every_option_that_the_help_of_its_command_shows(
    words: tuple[str, ...],
) -> None:
    """Those that --help prints, but for --help."""
    _, _, rest = TEXT.partition(f"\n### maskaudit {' '.join(words)}\n")
    section = rest.partition("\n### ")[0].partition("<!--")[0]
    assert set(OPTION.findall(section)) == set(OPTION.findall(helped(*words))) - {"--help"}


def test_a_link_of_the_table_leads_to_a_section() -> None:
    """A heading's address is its words in small letters with hyphens."""
    links = re.findall(r"^\| \[`[^`]+`\]\(#([^)]+)\)", TEXT, re.MULTILINE)
    headings = re.findall(r"^### (.*)$", TEXT, re.MULTILINE)
    assert links == [heading.replace(" ", "-") for heading in headings]
