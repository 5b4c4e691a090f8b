"""The commands for authors of sets, as they are typed."""

import json
import sys

import pytest

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


def test_check_without_a_tokenizer_needs_no_package_that_runs_models(maskaudit, monkeypatch):
    """They are an extra; with a tokenizer the package is named."""
    for package in ("torch", "transformers", "tokenizers", "safetensors"):
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)
    ours = [name for name in sys.modules if name.startswith("maskaudit.audit.measuring")]
    for name in [*ours, "maskaudit.audit.authoring.pieces", "maskaudit.audit.authoring.checked"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    code, out, _ = maskaudit("probes", "check", "small.toml")
    assert (code, out.splitlines()[0]) == (0, "small.toml: good, 16 sentences")
    code, _, err = maskaudit("probes", "check", "small.toml", "--tokenizer", STUDENT)
    assert code == 2
    assert 'pip install "maskaudit[models]"' in err


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
