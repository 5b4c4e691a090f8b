"""The command `probes import`: its options reach the importer, or are refused by name."""

import pytest
import typer
from typer.testing import CliRunner

from maskaudit.audit.cli.commands.tools.probes import import_probes
from maskaudit.audit.errors import InputError
from maskaudit.probes.loading import load

TABLE = """plus,moins,stereo_antistereo,bias_type
Elle est née à Lyon.,Il est né à Lyon.,0,gender
"""
COLUMNS = ("--column", "sent_more=plus", "--column", "sent_less=moins")


def run(tmp_path, name, *arguments):
    """Import a table as the command line does, and return what came of it."""
    (tmp_path / "a.csv").write_text(TABLE, "utf-8")
    app = typer.Typer()
    app.command()(import_probes)
    path, out = str(tmp_path / "a.csv"), str(tmp_path / "set")
    return CliRunner().invoke(app, [name, path, "-o", out, *arguments])


def test_what_the_file_does_not_say_is_said_by_options(tmp_path):
    """Columns, the order of labels, language and licence: all of them are in the set."""
    said = ("--labels", "stereo, antistereo", "--language", "FR", "--licence", "CC0-1.0")
    done = run(tmp_path, "crows-pairs", *COLUMNS, *said)
    assert done.exit_code == 0, done.exception
    assert "Licence: CC0-1.0" in done.stdout
    assert "Language: fr" in done.stdout
    found = load(tmp_path / "set")
    assert (found.header.language, found.header.licence) == ("fr", "CC0-1.0")
    assert not found.header.share_alike
    assert [row["group"] for row in found.rows] == ["stereo", "stereo"]


def test_a_language_that_is_not_known_is_told_with_the_option(tmp_path):
    """Nothing is guessed from the words."""
    done = run(tmp_path, "crows-pairs", *COLUMNS, "--labels", "stereo,antistereo")
    assert "Language: not known; name it with --language" in done.stdout
    assert load(tmp_path / "set").header.language == "und"


LABELLED = (*COLUMNS, "--labels", "stereo,antistereo")


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("weat", ("--column", "a=b"), "--column: weat has no such option"),
        ("bec-pro", ("--labels", "a,b"), "--labels: bec-pro has no such option"),
        ("stereoset", ("--licence", "MIT"), "--licence: stereoset has no such option"),
        ("crows-pairs", ("--column", "plus"), "--column plus: expected NAME=COLUMN"),
        ("crows-pairs", (*COLUMNS, "--column", "sent_less=x"), "sent_less is named twice"),
        ("crows-pairs", (*COLUMNS, "--language", "french"), "--language french: expected a lang"),
        ("crows-pairs", ("--column", "sent_mor=x"), "no column of this set; did you mean 'sent_m"),
        ("stereoset", ("--column", "foo=bar"), "--column foo=bar: 'foo' is no column of this set"),
        (
            "crows-pairs",
            ("--column", "sent_more=x", "--column", "sent_less=x"),
            "x is taken for two columns; expected one",
        ),
        ("crows-pairs", (*COLUMNS, "--labels", ""), "expected the meaning of 0 and 1"),
        ("crows-pairs", (*LABELLED, "--licence", "CC0\u200b"), "set.licence: must be one line"),
        ("crows-pairs", (*LABELLED, "--licence", "  "), "set.licence: "),
        ("crows-pairs", (*COLUMNS, "--labels", "a,b"), "expected the meaning of 0 and 1"),
        ("crows-pairs", COLUMNS, "none of its rows can be used"),
        ("crows-pairs", (), "name yours with --column sent_more=NAME"),
    ],
)
def test_an_option_that_does_not_fit_is_refused_and_nothing_is_written(
    tmp_path, name, arguments, told
):
    """One line that says what was found and what to write."""
    done = run(tmp_path, name, *arguments)
    assert isinstance(done.exception, InputError)
    assert told in "\n".join(done.exception.faults)
    assert not (tmp_path / "set").exists()


ENGLISH = """sent_more,sent_less,stereo_antistereo,bias_type
She was late.,He was late.,stereo,gender
"""


def test_a_control_is_written_beside_the_set(tmp_path):
    """Both are sets of their own, and the control says of which it is one."""
    (tmp_path / "a.csv").write_text(ENGLISH, "utf-8")
    app = typer.Typer()
    app.command()(import_probes)
    said = [str(tmp_path / "a.csv"), "-o", str(tmp_path / "set"), "--language", "en"]
    control = tmp_path / "control"
    done = CliRunner().invoke(app, ["crows-pairs", *said, "--with-control", str(control)])
    assert done.exit_code == 0, done.exception
    found = load(control).header
    assert (found.name, found.control_of) == ("crows-pairs-control", "crows-pairs")
    assert load(tmp_path / "set").header.control_of is None


def test_where_no_control_can_be_made_nothing_is_written(tmp_path):
    """Its words are English, and the language of this table is not."""
    said = ("--labels", "stereo,antistereo", "--with-control", str(tmp_path / "control"))
    done = run(tmp_path, "crows-pairs", *COLUMNS, *said, "--language", "fr")
    assert isinstance(done.exception, InputError)
    assert not (tmp_path / "set").exists()
