"""The commands `card`: what they print and write, what is stale, and what is refused."""

import sys
import xml.etree.ElementTree as ET

import pytest

from maskaudit.audit.cli import main
from maskaudit.audit.judging import verdicts
from maskaudit.audit.recording import record
from maskaudit.audit.recording.files import unfinished
from maskaudit.reports.card.markdown import LAYOUTS
from tests.reports import records
from tests.reports.verdicts import judgement, verdict

NAME = "20260101T000000Z-aa"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """Give a folder of one sealed record of a small set."""
    runs = tmp_path_factory.mktemp("here") / "runs"
    found = records.holding(records.record([records.jobs(frames=6)]))
    with unfinished(runs) as folder:
        record.seal(found, folder / "0", runs / NAME)
    return runs


@pytest.fixture
def maskaudit(sealed, monkeypatch, capsys):
    """Give a function that runs the command beside the record: its code, output and errors."""
    monkeypatch.chdir(sealed.parent)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["maskaudit", *map(str, arguments)])
        capsys.readouterr()
        return (main._exit_code(), *capsys.readouterr())

    return run


@pytest.mark.slow
def test_the_record_needs_no_command_before_it(maskaudit):
    """`card RECORD` is `card show RECORD`, and without a record it is the newest."""
    code, out, err = maskaudit("card", f"runs/{NAME}")
    assert (code, err) == (0, "")
    assert out.startswith("## Bias, Risks, and Limitations\n\n**`student` leans with")
    assert maskaudit("card", "show", f"runs/{NAME}")[1] == out
    code, newest, err = maskaudit("card")
    assert (code, newest) == (0, out)
    assert err == f"maskaudit: note: latest is the record runs/{NAME}\n"
    azure = maskaudit("card", "--template", "azure", "latest", "--trust")[1]
    assert azure.startswith("# Limitations and Biases\n")


@pytest.mark.slow
def test_a_card_is_stale_until_it_is_applied_and_when_verdicts_change(maskaudit, sealed, tmp_path):
    """Exit code 1 without a change of the file; 0 and no write where there is nothing to do."""
    card = tmp_path / "README.md"
    card.write_text("# Model\n")
    where = ("card", "apply", card, NAME)
    code, out, err = maskaudit(*where, "--check")
    assert (code, out, card.read_text()) == (1, "", "# Model\n")
    assert "does not say what the record does" in err
    assert maskaudit(*where)[:2] == (0, f"{card}\n")
    written = card.stat()
    assert maskaudit(*where, "--check")[0] == 0
    assert maskaudit(*where)[0] == 0
    assert card.stat().st_mtime_ns == written.st_mtime_ns
    path = verdicts.write(judgement(verdict()), sealed / NAME)
    try:
        assert maskaudit(*where, "--check")[0] == 1
    finally:
        path.unlink()
    assert [found.name for found in tmp_path.iterdir()] == ["README.md"]


def test_a_badge_is_printed_or_written(maskaudit, tmp_path):
    """As one drawing."""
    code, out, _ = maskaudit("card", "badge", NAME, "--trust")
    assert code == 0
    assert ET.fromstring(out).tag.endswith("svg")  # noqa: S314 - our own
    code, path, _ = maskaudit("card", "badge", NAME, "--trust", "-o", tmp_path / "b.svg")
    assert (code, path) == (0, f"{tmp_path / 'b.svg'}\n")
    assert (tmp_path / "b.svg").read_text() == out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none",), "none: no such record"),
        (("show", "none"), "none: no such record"),
        (("--template", "azur", NAME), "no such template 'azur'"),
        (("apply", "none.md", NAME), "none.md: cannot be read"),
        (("apply", "none.md", NAME, "--template", "x"), "no such template 'x'"),
        (("badge", "none"), "none: no such record"),
    ],
)
def test_what_cannot_be_done_is_one_line(maskaudit, arguments, told):
    """With exit code 2."""
    code, out, err = maskaudit("card", *arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith(f"maskaudit: {told}")


def test_the_help_names_every_template_and_command(maskaudit):
    """They are told without loading them."""
    out = " ".join(maskaudit("card", "--help")[1].split())
    assert all(f" {name} " in out for name in ("show", "apply", "badge"))
    out = " ".join(maskaudit("card", "show", "--help")[1].split())
    assert all(name in out for name in LAYOUTS)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("maskaudit card ", ["show", "apply", "badge", "latest", NAME]),
        ("maskaudit card 2", [NAME]),
        ("maskaudit card ap", ["apply"]),
        ("maskaudit card show la", ["latest"]),
        ("maskaudit card apply README.md 2", [NAME]),
        ("maskaudit card show --template a", ["azure"]),
    ],
)
def test_a_shell_completes_commands_and_records(maskaudit, monkeypatch, typed, offered):
    """Both where a record may stand alone."""
    words = typed.split(" ")
    for name, value in {
        "_MASKAUDIT_COMPLETE": "complete_bash", "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert maskaudit()[1].split() == offered
