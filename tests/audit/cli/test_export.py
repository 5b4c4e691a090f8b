"""The command `export`: where it writes, what it judges by, and what it refuses."""

import csv
import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from maskaudit.audit.cli import main
from maskaudit.reports.exports import formats

VERSIONS = Path(__file__).resolve().parents[3] / "examples" / "versions"
WORSE = VERSIONS / "records" / "version-2"


@pytest.fixture
def maskaudit(tmp_path, monkeypatch, capsys):
    """Give a function that runs the command in an empty folder, and returns how it ended."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["maskaudit", "export", *map(str, arguments)])
        capsys.readouterr()
        return main._exit_code(), *capsys.readouterr()

    return run


@pytest.mark.slow
def test_numbers_are_made_again_unless_they_are_trusted(maskaudit):
    """The same numbers either way, for a record that holds; only one of the two says a word."""
    code, out, err = maskaudit("csv", WORSE)
    assert (code, err) == (0, "")
    code, trusted, err = maskaudit("csv", WORSE, "--trust")
    assert (code, trusted) == (0, out)
    assert err.startswith("maskaudit: note: trusted: ")


def test_a_file_has_what_standard_output_would_have_and_its_path_is_printed(maskaudit, tmp_path):
    """For a pipe, or for a name."""
    _, out, _ = maskaudit("prometheus", WORSE, "--trust")
    code, path, _ = maskaudit("prometheus", WORSE, "--trust", "-o", "maskaudit.prom")
    assert (code, path) == (0, "maskaudit.prom\n")
    assert (tmp_path / "maskaudit.prom").read_text("utf-8") == out


def test_what_is_beside_no_gates_is_not_judged_and_says_so(maskaudit):
    """On standard error, for standard output is the export."""
    code, out, err = maskaudit("json", WORSE, "--trust")
    assert code == 0
    assert json.loads(out)["judgement"] is None
    assert "maskaudit: note: no gates.toml: nothing was judged" in err


@pytest.mark.parametrize("beside", [True, False])
def test_gates_are_those_of_the_folder_or_those_that_are_named(maskaudit, tmp_path, beside):
    """A gate that fails does not make the export fail: what it says has still to be uploaded."""
    options = ()
    if beside:
        shutil.copy(VERSIONS / "gates.toml", tmp_path)
        shutil.copytree(VERSIONS / "baseline", tmp_path / "baseline")
    else:
        options = ("--gates", VERSIONS / "gates.toml")
    code, out, _ = maskaudit("sarif", WORSE, "--trust", *options)
    [run] = json.loads(out)["runs"]
    assert code == 0
    assert run["invocations"][0]["exitCode"] == 1
    failed = [result for result in run["results"] if result["level"] == "error"]
    assert [result["ruleId"] for result in failed] == ["gate/no-regression"]


@pytest.mark.slow
def test_another_record_may_stand_for_the_baseline(maskaudit):
    """As for `gate`: a version is not worse than itself."""
    gates = ("--gates", VERSIONS / "gates.toml", "--baseline", WORSE)
    code, out, _ = maskaudit("json", WORSE, "--trust", *gates)
    assert code == 0
    assert json.loads(out)["judgement"]["exit_code"] == 0


def test_a_csv_on_standard_output_is_one(maskaudit):
    """A head, and rows of as many cells."""
    _, out, _ = maskaudit("csv", WORSE, "--trust")
    head, *rows = csv.reader(io.StringIO(out))
    assert head[:2] == ["probe_set", "axis"]
    assert {len(row) for row in rows} == {len(head)}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("promethus", "nowhere"), 2, "did you mean 'prometheus'?"),
        (("nonsense", "nowhere"), 2, "no such format 'nonsense'; expected one of: csv, "),
        (("csv", "nowhere"), 2, "nowhere: no such record"),
        (("csv", WORSE, "--gates", VERSIONS / "gates.toml"), 2, "csv has no verdicts"),
        (("csv", WORSE, "--baseline", WORSE), 2, "csv has no verdicts"),
        (("json", WORSE, "--baseline", WORSE), 2, "gates.toml: cannot be read"),
        (("json", WORSE, "--gates", "none.toml"), 2, "none.toml: cannot be read"),
        (("csv", WORSE, "--trust", "-o", "."), 74, "cannot write"),
    ],
)
def test_what_cannot_be_done_is_one_line(maskaudit, tmp_path, arguments, code, told):
    """With its own exit code, and nothing is written."""
    ended, out, err = maskaudit(*arguments)
    assert (ended, out) == (code, "")
    [line] = [line for line in err.splitlines() if "note: " not in line]
    assert line.startswith("maskaudit: ")
    assert told in line
    assert not list(tmp_path.iterdir())


def test_mlflow_that_is_not_installed_is_one_line(maskaudit, monkeypatch):
    """With what to type."""
    monkeypatch.setitem(sys.modules, "mlflow", None)
    code, out, err = maskaudit("mlflow", WORSE, "--trust", "--gates", VERSIONS / "gates.toml")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].endswith("run  pip install mlflow")


def test_the_help_names_every_format(maskaudit):
    """It is told without loading them."""
    code, out, _ = maskaudit("--help")
    assert code == 0
    *others, last = formats.NAMES
    assert f"{', '.join(others)} or {last}." in " ".join(out.split())
