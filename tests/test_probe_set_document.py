"""The pages on probe sets: the table has every key, and the way to a set is as it is told."""

import re
import shlex
import sys
from io import StringIO
from pathlib import Path

import pytest

from maskaudit.audit.authoring.schema import keys, schema
from maskaudit.audit.cli import main

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "probe_sets.md").read_text("utf-8")
HOW_TO = (DOCS / "how_to" / "write_a_probe_set.md").read_text("utf-8")


def blocks(language):
    """The code of one language on the page that writes a set."""
    return re.findall(rf"```{language}\n(.*?)```", HOW_TO, re.DOTALL)


def test_the_table_has_every_key_of_the_schema_with_its_meaning():
    """Each once, in the order of the file, marked where it must be there."""
    table = PAGE[PAGE.index("## Every key") :]
    cells = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in table.splitlines()
        if line.startswith("| `")
    ]
    expected = [
        [f"`{where}`", f"`{key}`", "yes" if is_needed else "", meaning]
        for where, key, meaning, is_needed in keys()
    ]
    assert cells == expected


def test_the_table_has_each_property_of_the_schema():
    """Counted in the schema itself, in which a table may have a short form."""
    found = schema()
    tables = [found, *((part.get("anyOf") or [part])[0] for part in found["$defs"].values())]
    assert len(list(keys())) == sum(len(table["properties"]) for table in tables)


@pytest.fixture
def maskaudit(tmp_path, monkeypatch, capsys):
    """Give a function that runs a command in an empty folder, and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(words):
        monkeypatch.setattr(sys, "argv", words)
        capsys.readouterr()
        assert main._exit_code() == 0
        return capsys.readouterr().out

    return run


def test_a_set_written_as_told_still_passes_with_the_words_that_take_others_place(
    maskaudit, tmp_path
):
    """It is written as typed there, and the check prints the same."""
    [command, *_] = blocks("sh")
    printed = maskaudit(shlex.split(command.replace("\\\n", "")))
    [output, *_] = blocks("text")
    # What the document does not show stands for any lines.
    assert printed.startswith(output.partition("  …")[0])
    path = tmp_path / "seaside.toml"
    mended = path.read_text("utf-8").replace("villager", "farmer").replace("rancher", "hunter")
    path.write_text(mended, "utf-8")
    # The check is all but the sentences to read aloud.
    checked = maskaudit(["maskaudit", "probes", "check", "seaside.toml"])
    assert checked == output.partition("Read these aloud.")[0]


def test_the_example_of_the_message_is_a_set_with_nothing_to_look_at(
    maskaudit, monkeypatch, capsys
):
    """Who types `probes new` alone in a script is told a command that works as it stands."""
    monkeypatch.setattr(sys, "argv", ["maskaudit", "probes", "new", "diet.toml"])
    monkeypatch.setattr(sys, "stdin", StringIO())
    assert main._exit_code() == 2
    command = capsys.readouterr().err.partition("as in: ")[2]
    printed = maskaudit(shlex.split(command))
    assert "can be tested" in printed
    assert "note:" not in printed


def test_the_vocabulary_does_what_the_page_says(shared, maskaudit):
    """Each line of its excerpt is printed; the words that are recommended are written whole."""
    vocabulary = shared / "data" / "vocab" / "bert-base-uncased.tokenizer.json"
    if not vocabulary.is_file():
        pytest.skip("there is no vocabulary beside the project")
    maskaudit(shlex.split(blocks("sh")[0].replace("\\\n", "")))
    check = ["maskaudit", "probes", "check", "seaside.toml", "--tokenizer", str(vocabulary)]
    printed = maskaudit(check)
    for line in blocks("text")[1].splitlines():
        assert line.removesuffix(" …") in printed
    path = Path("seaside.toml")
    text = path.read_text("utf-8").replace("villager", "farmer").replace("rancher", "hunter")
    path.write_text(text, "utf-8")
    assert "note:" not in maskaudit(check)


@pytest.mark.parametrize("command", ["new", "check", "show", "preview", "schema", "import", "list"])
def test_each_command_for_sets_is_on_the_page(command):
    """By its whole name."""
    assert f"maskaudit probes {command}" in PAGE
