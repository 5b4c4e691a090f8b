"""The commands `list`, `show` and `open`, words for records in other commands, and completion."""

import json
import sys
import webbrowser
from pathlib import Path

import pytest

from maskaudit.audit.cli import main
from maskaudit.audit.cli.records import completed
from maskaudit.audit.judging import verdicts
from maskaudit.audit.recording import record
from maskaudit.audit.recording.files import unfinished
from tests.reports import records
from tests.reports.verdicts import judgement, verdict

NAMES = ("20260101T000000Z-aa", "20260102T000000Z-bb")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """Give a folder with two sealed records of one small set, of which no test changes a table."""
    runs = tmp_path_factory.mktemp("here") / "runs"
    found = records.holding(records.record([records.jobs(frames=4)]))
    for number, name in enumerate(NAMES, start=1):
        whole = found.manifest.model_copy(update={"number": number})
        with unfinished(runs) as folder:
            record.seal(
                type(found)(**{**vars(found), "manifest": whole}), folder / "0", runs / name
            )
    (runs / NAMES[0] / record.PAGE).write_text("<p>a page</p>")
    return runs


@pytest.fixture
def maskaudit(sealed, monkeypatch, capsys):
    """Give a function that runs a command beside the records: its code, output and errors."""
    monkeypatch.chdir(sealed.parent)
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["maskaudit", *map(str, arguments)])
        capsys.readouterr()
        return (main._exit_code(), *capsys.readouterr())

    return run


@pytest.fixture
def opened(monkeypatch):
    """Give the addresses that a browser was asked to open, which none does here."""
    addresses = []
    monkeypatch.setattr(webbrowser, "open", lambda address: not addresses.append(address))
    monkeypatch.setenv("DISPLAY", ":0")
    return addresses


def test_list_shows_records_and_json_has_them_all(maskaudit):
    """In a table, or one object for each."""
    code, out, err = maskaudit("list")
    assert (code, err) == (0, "")
    assert [line.split()[1] for line in out.splitlines()[1:]] == list(reversed(NAMES))
    code, out, _ = maskaudit("list", "--json", "--last", "1")
    assert [one["number"] for one in json.loads(out)] == [2, 1]
    assert "newest 1 of 2" in maskaudit("list", "runs", "-n", "1")[1]


def test_show_prints_tables_the_headline_and_the_paths(maskaudit):
    """Of the newest record where none is named."""
    code, out, err = maskaudit("show")
    assert (code, err) == (0, "")
    assert out.startswith("student (candidate) against teacher (reference)\n")
    assert "Pronoun by job" in out
    assert f"\nRecord: runs/{NAMES[1]}\n" in out
    assert out.endswith(f"Page:   none yet; to write it: maskaudit report runs/{NAMES[1]}\n")
    assert f"Page:   runs/{NAMES[0]}/report.html\n" in maskaudit("show", "1", "--trust")[1]


def test_show_has_the_verdicts_that_lie_beside_the_record(maskaudit, sealed):
    """In a column and in a line; and in JSON with the rest."""
    path = verdicts.write(judgement(verdict("fail")), sealed / NAMES[1])
    try:
        _, out, _ = maskaudit("show", "latest")
        assert out.endswith("Gates:  1 gate: 1 fail\n")
        assert " gate\n" in out
        told = json.loads(maskaudit("show", "--json")[1])
    finally:
        path.unlink()
    assert (told["sets"][0]["gate"], told["page"]) == ("fail", None)
    assert told["gates"]["exit_code"] == 1


def test_columns_says_how_wide_a_table_may_be(maskaudit, monkeypatch):
    """For a pipe, which has no width of its own."""
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = maskaudit("show", "--trust")
    tables = out.partition("\nRecord: ")[0]
    assert max(map(len, tables.splitlines())) <= 40


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True), (True, {"NO_COLOR": "1"}, False), (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False), (False, {}, False), (False, {"FORCE_COLOR": "1"}, False),
    ],
)  # fmt: skip
def test_colours_are_for_terminals_that_want_them(
    maskaudit, monkeypatch, terminal, environment, coloured
):
    """NO_COLOR turns them off where it is not empty; the words are the same."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    _, plain, _ = maskaudit("list")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    _, out, _ = maskaudit("list")
    assert ("\x1b[" in out) == coloured
    if not coloured:
        assert out == plain


def test_open_opens_the_page_and_prints_its_path(maskaudit, sealed, opened):
    """As an address of a file; --print prints alone."""
    page = f"runs/{NAMES[0]}/report.html\n"
    assert maskaudit("open", "1", "--print") == (0, page, "")
    assert opened == []
    assert maskaudit("open", "latest~1") == (0, page, "")
    assert opened == [(sealed / NAMES[0] / "report.html").as_uri()]


def test_open_without_a_display_or_browser_says_so_and_prints_the_path(
    maskaudit, monkeypatch, opened
):
    """On a server nothing is started, and the path is there all the same."""
    page = f"runs/{NAMES[0]}/report.html\n"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    code, out, err = maskaudit("open", "1")
    assert (code, out) == (0, page)
    assert "no browser could be started" in err
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    code, out, err = maskaudit("open", "1")
    assert (code, out, opened) == (0, page, [])
    assert "no display" in err


def test_open_refuses_a_record_without_a_page_of_its_own(maskaudit, sealed, opened):
    """Not written yet, or a link, which may lead anywhere."""
    link = sealed / NAMES[1] / record.PAGE
    assert "has no page; to write it: maskaudit report" in maskaudit("open")[2]
    link.symlink_to(sealed / NAMES[0] / record.PAGE)
    try:
        code, out, err = maskaudit("open")
    finally:
        link.unlink()
    assert (code, out, opened) == (2, "", [])
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "command", ["show", "open", "gate", "report", "verify", "robustness", "compare latest"]
)
def test_an_unknown_word_is_one_line_for_every_command(maskaudit, command):
    """With exit code 2; the folder is that of the settings."""
    Path("gates.toml").write_text(
        '[[gate]]\nid = "a"\nrule = "bound"\nbound = 1\nreason = "a reason"\n'
    )
    code, out, err = maskaudit(*command.split(), "none")
    assert (code, out) == (2, "")
    [line] = [line for line in err.splitlines() if "note: " not in line]
    assert line.startswith("maskaudit: none: no such record")


@pytest.mark.slow
def test_a_command_that_prints_no_name_says_which_record_was_meant(maskaudit):
    """In a note, for words alone; a path says it by itself."""
    path = f"runs/{NAMES[1]}"
    code, _, err = maskaudit("verify")
    assert (code, err) == (0, f"maskaudit: note: latest is the record {path}\n")
    assert maskaudit("verify", path)[2] == ""
    assert maskaudit("verify", "--quiet")[2] == ""


def test_the_folder_of_records_is_that_of_the_settings(maskaudit, sealed, tmp_path, monkeypatch):
    """`[run] runs` of the AUDIT.toml here, for words, for `list` and for `history`."""
    maskaudit("list")
    monkeypatch.chdir(tmp_path)
    Path("AUDIT.toml").write_text(f'[run]\nruns = "{sealed.as_posix()}"\n')
    assert NAMES[1] in maskaudit("list")[1]
    assert f"Record: {sealed / NAMES[1]}\n" in maskaudit("show", "2", "--trust")[1]
    assert NAMES[1] in maskaudit("history")[1]
    Path("AUDIT.toml").write_text("[run\n")
    code, _, err = maskaudit("list")
    assert code == 2
    assert "AUDIT.toml" in err


def test_a_shell_completes_the_names_of_records(maskaudit, monkeypatch):
    """By what was typed, the newest first; without a folder there is nothing to say."""
    maskaudit("list")
    assert completed("") == ["latest", *reversed(NAMES)]
    assert completed("20260101") == [NAMES[0]]
    for name, value in {
        "_MASKAUDIT_COMPLETE": "complete_bash", "COMP_WORDS": "maskaudit show 202601",
        "COMP_CWORD": "2",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    code, out, _ = maskaudit()
    assert (code, out.split()) == (0, list(reversed(NAMES)))


def test_completion_outside_of_any_project_is_empty(tmp_path, monkeypatch):
    """And never an error in the middle of a line that is being typed."""
    monkeypatch.chdir(tmp_path)
    assert completed("") == []
    (tmp_path / "AUDIT.toml").write_text("[run\n")
    assert completed("") == []
