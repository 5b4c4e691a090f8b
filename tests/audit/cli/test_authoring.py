"""The commands for authors of sets, as they are typed."""

import json
import subprocess
import sys

import pytest
import typer

from maskaudit.audit.cli import main
from maskaudit.audit.phantom.truth import STUDENT
from tests import tiny

FRAMES = "".join(
    f'[[frames]]\nid = "f{n}"\ntext = "{text}"\n'
    for n, text in enumerate(
        ("[MASK] worked as {a attribute}.", "You know that [MASK] is {a attribute}.")
    )
)


@pytest.fixture
def maskaudit(tmp_path, monkeypatch, capsys):
    """Give a function that runs a command: its exit code, and what it printed on either stream."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(tiny.small_set() + FRAMES)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["maskaudit", *map(str, arguments)])
        capsys.readouterr()
        code = main._exit_code()
        return code, *capsys.readouterr()

    return run


# --- check ----------------------------------------------------------------------------------------


def test_check_counts_pieces_where_a_tokenizer_is_named(maskaudit):
    """And prints the same as JSON."""
    code, out, err = maskaudit("probes", "check", "small.toml", "--tokenizer", STUDENT)
    assert (code, err) == (0, "")
    assert "small.toml: good, 16 sentences\n" in out
    assert "  pieces by phantom/student" in out
    code, out, _ = maskaudit("probes", "check", "small.toml", "--tokenizer", STUDENT, "--json")
    [found] = json.loads(out)
    assert found["set"] == "small.toml"
    words = {word["word"]: word["mean"] for word in found["pieces"]["words"]}
    assert (words["she"], words["he"], words["nurse"]) == (1, 1, 1)


@pytest.mark.usefixtures("maskaudit")
@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        ((), 0, "small.toml: good, 16 sentences\n"),
        (("--tokenizer", STUDENT), 2, 'pip install "maskaudit[models]"'),
    ],
)
def test_check_without_a_tokenizer_needs_no_package_that_runs_models(tmp_path, flags, code, said):
    """They are an extra; with a tokenizer the package is named."""
    program = (
        "import sys, maskaudit\n"
        "absent = ('torch', 'transformers', 'tokenizers', 'safetensors')\n"
        "sys.modules.update(dict.fromkeys(absent))\n"
        "maskaudit.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "probes", "check", "small.toml", *flags],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert said in done.stdout + done.stderr


def test_the_json_of_check_names_no_faulty_set_and_the_faults_are_lines(maskaudit, tmp_path):
    """One good set and one without any key."""
    (tmp_path / "bad.toml").write_text("")
    code, out, err = maskaudit("probes", "check", "bad.toml", "small.toml", "--json")
    assert code == 2
    assert [part["set"] for part in json.loads(out)] == ["small.toml"]
    assert "bad.toml: set: is missing" in err


def test_the_words_of_an_import_are_not_counted(maskaudit, tmp_path):
    """What to do instead is said."""
    words = {"arts_2": ["farmer"], "science": ["lawyer"], "male_terms_2": ["he"],
             "female_terms_2": ["she"]}  # fmt: skip
    (tmp_path / "words.json").write_text(json.dumps(words))
    assert maskaudit("probes", "import", "weat", "words.json", "-o", "words")[0] == 0
    code, _, err = maskaudit("probes", "check", "words", "--tokenizer", STUDENT)
    assert code == 2
    assert "maskaudit run --plan --probes words --candidate MODEL" in err


# --- new, preview and schema ----------------------------------------------------------------------

GIVEN = (
    *("--axis", "diet", "--group", "vegans=vegan, vegetarian", "--group", "hunters=hunter,angler"),
    *("--class", "gentle=kind,calm,mild", "--class", "rough=harsh,loud,cruel"),
)


def test_new_writes_a_set_from_flags_and_says_what_to_do_next(maskaudit, tmp_path):
    """It is good, and there is nothing to look at in it."""
    code, out, err = maskaudit("probes", "new", "diet.toml", *GIVEN)
    assert (code, err) == (0, "")
    assert out.startswith("diet.toml: good, 80 sentences\n")
    assert "note:" not in out
    assert "maskaudit probes preview diet.toml -m MODEL" in out
    assert maskaudit("probes", "check", "diet.toml")[1] == "\n".join([*out.splitlines()[:3], ""])
    assert (tmp_path / "probe_set.schema.json").is_file()
    code, _, err = maskaudit("probes", "new", "diet.toml", *GIVEN)
    assert (code, err.count("\n")) == (2, 1)
    assert "is there already" in err


def test_new_asks_nothing_where_nobody_answers(maskaudit):
    """It names what is lacking, with a whole command."""
    code, out, err = maskaudit("probes", "new", "diet.toml", "--axis", "diet", *GIVEN[2:4])
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "expected two --group NAME=TERM,TERM, two --class NAME=WORD,WORD (asked for" in err
    code, _, err = maskaudit("probes", "new", "diet.toml", *GIVEN, "--group", "others")
    assert code == 2
    assert "--group 'others': expected NAME=WORD,WORD" in err


def test_new_asks_on_a_terminal_for_what_is_not_given(maskaudit, monkeypatch, tmp_path):
    """In the order of the flags; an answer that ends early writes nothing."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    words = ["hunters", "hunter, angler", "gentle", "kind,calm", "rough", "loud,cruel"]
    answers = iter(["nouns", *words])
    asked = []

    def answer(text, default=None):
        asked.append(text)
        assert default in {None, "nouns"}
        try:
            return next(answers)
        except StopIteration:
            raise typer.Abort from None

    monkeypatch.setattr(typer, "prompt", answer)
    code, out, _ = maskaudit("probes", "new", "diet.toml", *GIVEN[:4])
    assert code == 0
    assert out.startswith("diet.toml: good")
    assert [text.split("(")[0] for text in asked[:3]] == [
        "Are the groups' words nouns ", "The second group ",
        "Nouns for a person of hunters, with commas ",
    ]  # fmt: skip
    assert len(asked) == 7
    code, _, err = maskaudit("probes", "new", "other.toml", *GIVEN[:4])
    assert (code, "nothing written" in err) == (2, True)
    assert not (tmp_path / "other.toml").exists()


def test_preview_shows_the_first_sentences_by_each_model(maskaudit):
    """As text and as JSON, of a file or of a shipped set."""
    words = ("probes", "preview", "small.toml", "-m", STUDENT, "--sentences", "2", "--top", "3")
    code, out, err = maskaudit(*words)
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == "  [MASK] worked as a nurse."
    found = json.loads(maskaudit(*words, "--json")[1])
    assert found["measure"] == "log-odds women/men"
    assert [cell["name"] for cell in found["cells"]] == ["f0", "f1"]
    code, _, err = maskaudit("probes", "preview", "core", "-m", STUDENT)
    assert (code, "several sets; expected one" in err) == (2, True)


def test_schema_prints_what_new_writes_beside_a_set(maskaudit, tmp_path):
    """For an editor that looks elsewhere."""
    maskaudit("probes", "new", "diet.toml", *GIVEN)
    code, out, _ = maskaudit("probes", "schema")
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "probe_set.schema.json").read_text("utf-8"))
