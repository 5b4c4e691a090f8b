"""The command `history`: its table, its JSON, its page and its exit codes."""

import json

import pytest
import typer
from typer.testing import CliRunner

from maskaudit.audit.cli.commands.judging.history import history as command
from tests.audit.history.folders import versions


def run(*arguments):
    """Run the command as the command line does, and return what came of it."""
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_prints_a_table_and_names_on_standard_error_what_it_left_out(tmp_path):
    """Alarms stand there, too, and change nothing unless they are asked to."""
    folders = versions(tmp_path, [1.0, 1.1])
    (tmp_path / "notes").mkdir()
    found = run(tmp_path)
    assert found.exit_code == 0, found.exception
    assert all(folder.name in found.stdout for folder in folders)
    assert "notes: left out: not a complete record" in found.stderr
    assert "alarm: Title of jobs" in found.stderr
    assert run(tmp_path, "--fail-on-alarm").exit_code == 1
    assert run(tmp_path, "--fail-on-alarm", "--subject", "candidate").exit_code == 0


def test_json_stands_alone_on_standard_output(tmp_path):
    """All that is for people is on standard error."""
    versions(tmp_path, [1.0, 1.1])
    found = run(tmp_path, "--json")
    assert json.loads(found.stdout)["series"]
    assert "alarm" in found.stderr


@pytest.mark.slow
def test_the_page_is_written_and_its_path_printed(tmp_path):
    """Beside the JSON where both are asked for."""
    versions(tmp_path / "runs", [0.1] * 3)
    page = tmp_path / "history.html"
    assert run(tmp_path / "runs", "-o", page).stdout == f"{page}\n"
    assert page.read_text("utf-8").startswith("<!doctype html>")
    page.unlink()
    assert json.loads(run(tmp_path / "runs", "-o", page, "--json").stdout)
    assert page.is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["none"], 2, "cannot be read as a folder of records"),
        (["empty"], 3, "holds no record"),
        (["runs", "--probe-set", "x"], 3, "no number in its records"),
        (["runs", "--limit", "0.5"], 2, "name exactly one --subject"),
        (["runs", "-o", "none/history.html"], 74, "cannot write"),
    ],
)
def test_what_the_command_cannot_do_has_its_own_exit_code(tmp_path, arguments, code, told):
    """2 for wrong input, 3 where there is nothing to judge, 74 where it cannot write."""
    (tmp_path / "empty").mkdir()
    versions(tmp_path / "runs", [0.1])
    places = [str(tmp_path / a) if a[0] in "ner" else a for a in arguments]
    found = run(*[tmp_path / "none/history.html" if "history" in a else a for a in places])
    assert getattr(found.exception, "exit_code", found.exit_code) == code
    assert told in str(found.exception)
