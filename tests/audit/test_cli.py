"""The command line as its users meet it: what it prints, where, and the code it ends with."""

import errno
import html
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import pytest

from maskaudit import run
from maskaudit.audit import pipeline
from maskaudit.audit.cli import main
from maskaudit.audit.recording.files import held
from maskaudit.audit.recording.record import load_record
from maskaudit.probes.loading import shipped
from tests import tiny

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "maskaudit")
SET = tiny.small_set()
FRAMES = (
    "[MASK] worked as {a attribute}.",
    "In Paris [MASK] met {a attribute}.",
    "They like {a attribute}, [MASK] said.",
    "Years went by and [MASK] was {a attribute}.",
    "You know that [MASK] is {a attribute}.",
    "The city has {a attribute} and [MASK] thinks so.",
)
SET += "".join(f'[[frames]]\nid = "f{n}"\ntext = "{text}"\n' for n, text in enumerate(FRAMES))


WORDS = json.dumps(
    {"arts_2": ["farmer", "cook"], "science": ["lawyer", "doctor"],
     "male_terms_2": ["he", "his"], "female_terms_2": ["she", "her"]}
)  # fmt: skip


class Done(NamedTuple):
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Give a folder with a teacher, a student that shares its vocabulary, and one that does not."""
    folder = tmp_path_factory.mktemp("models")
    tiny.build(folder / "teacher", "bert", seed=1)
    tiny.build(folder / "student", "distilbert", seed=2)
    tiny.build(folder / "other", "roberta", seed=3)
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Give a working folder with a small probe set and nothing else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    (tmp_path / "small.toml").write_text(SET)
    return tmp_path


@pytest.fixture
def maskaudit(here, monkeypatch, capsys):  # noqa: ARG001 - every command runs in there
    """Give a function that runs a command in this process."""

    def run(*arguments: str | Path) -> Done:
        """Run one command, and return how it ended."""
        monkeypatch.setattr(sys, "argv", ["maskaudit", *map(str, arguments)])
        capsys.readouterr()
        code = main._exit_code()
        return Done(code, *capsys.readouterr())

    return run


@contextmanager
def started(*arguments: str | Path, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command in a process of its own, as a user does; it ends with the block."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def in_process(*arguments: str | Path, cwd: Path) -> Done:
    """Run a command in a process of its own to its end."""
    with started(*arguments, cwd=cwd) as process:
        out, err = process.communicate()
    return Done(process.returncode, out, err)


def records(folder: Path) -> list[Path]:
    """Return all that lies in the folder of runs, half-written records included."""
    runs = (folder / "runs").resolve()
    return [path for path in runs.iterdir() if path.name != ".lock"] if runs.is_dir() else []


def assert_one_line(done: Done, code: int, *parts: str) -> None:
    """One clear line on standard error, nothing on standard output, and the code."""
    assert (done.code, done.out) == (code, ""), done.err
    asides = ("sentences", "maskaudit: note: ")
    [line] = [line for line in done.err.splitlines() if not any(aside in line for aside in asides)]
    assert line.startswith("maskaudit: ")
    for part in parts:
        assert part in line


# --- A whole audit --------------------------------------------------------------------------------


def test_an_audit_prints_its_sets_its_claim_its_record_and_its_page(maskaudit, here, models):
    """The record is whole, and the page lies in it; `show` prints the same of it."""
    done = maskaudit(
        "run", "--teacher", models / "teacher", "--student", models / "student",
        "--probes", "small.toml",
    )  # fmt: skip
    assert done.code == 0, done.err
    [folder] = records(here)
    *tables, claim, record, page = done.out.splitlines()
    paths = [record, page]
    assert tables[0] == "student (candidate) against teacher (reference)"
    # Beside long words its title may take two lines.
    first, *_ = load_record(folder).manifest.probe_sets["small"].title.split()
    assert any(line.startswith(first) for line in tables)
    assert claim
    assert maskaudit("show").out == done.out
    shown = folder.relative_to(here)
    assert paths == [f"Record: {shown}", f"Page:   {shown / 'report.html'}"]
    found = load_record(folder)
    assert set(found.estimates["subject"]) == {
        "reference", "candidate", "difference", "relation",
    }  # fmt: skip
    assert found.manifest.models["reference"].architecture == "BertForMaskedLM"
    assert set(found.scores["status"]) == {"ok"}
    measures = {"kl", "jsd", "tv", "top1", "agreement@10", "entropy"}
    assert set(found.paired["measure"]) == measures
    assert "small: 48 of 48 sentences" in done.err.replace("96 of 96", "48 of 48")


def test_a_model_may_be_named_without_an_option(maskaudit, here, models):
    """It is the candidate; a file is settings, and so is what ends in .toml or has settings."""
    said = ("--probes", "small.toml", "--quiet")
    assert maskaudit("run", models / "student", *said).code == 0
    [folder] = records(here)
    assert list(load_record(folder).manifest.models) == ["candidate"]
    shutil.copytree(models / "student", here / "model")
    (here / "model" / "AUDIT.toml").touch()
    assert maskaudit("run", "model", *said).code == 0
    (here / "project").mkdir()
    (here / "project" / "AUDIT.toml").touch()
    assert_one_line(maskaudit("run", "project", *said), 2, "project: is a folder")
    assert_one_line(maskaudit("run", "none.toml", *said), 2, "none.toml")
    (here / "audit.txt").write_text("[models\n")
    assert_one_line(maskaudit("run", "audit.txt", *said), 2, "audit.txt")


def test_without_gates_it_is_said_once_that_nothing_was_judged(maskaudit, here, models):
    """Of two records together; another tool's file was left alone; or it is an error."""
    said = ["run", "--probes", "small.toml"]
    both = ["--student", models / "student", "--student", models / "teacher"]
    done = maskaudit(*said, *both)
    assert done.code == 0
    assert done.err.count("maskaudit: note: no gates.toml: nothing was judged\n") == 1
    (here / "gates.toml").write_text("[circuit]\n")
    alone = maskaudit(*said, *both[:2])
    assert "note: gates.toml: not ours, left alone; nothing was judged\n" in alone.err
    (here / "gates.toml").unlink()
    (here / "AUDIT.toml").write_text('[run]\ngates = "required"\n')
    before = records(here)
    for more in ([], ["--plan"], ["--skip-unchanged"]):
        refused = maskaudit(*said, *both[:2], *more)
        assert_one_line(refused, 2, 'run.gates is "required", and gates.toml is not there')
    assert records(here) == before
    (here / "AUDIT.toml").write_text('[run]\ngates = "requird"\n')
    assert_one_line(maskaudit("run"), 2, "line 2: run.gates: ")


def test_quiet_prints_the_page_and_nothing_else(maskaudit, here, models):
    """For a script that opens it."""
    done = maskaudit("run", "--student", models / "student", "--probes", "small.toml", "--quiet")
    [folder] = records(here)
    assert done == Done(0, f"{folder.relative_to(here) / 'report.html'}\n", "")


def test_word_sets_alone_are_an_audit_that_measured_something(maskaudit, here, models):
    """Their values are cosines and no scores of items: that is no failure."""
    words = ["nurse", "cook", "lawyer", "doctor", "good", "kind", "bad", "poor"]
    lists = {"instruments": words[:2], "weapons": words[2:4], "pleasant_5": words[4:6],
             "unpleasant_5a": words[6:]}  # fmt: skip
    (here / "WEAT.json").write_text(json.dumps(lists))
    assert maskaudit("probes", "import", "weat", "WEAT.json", "-o", "weat").code == 0
    done = maskaudit("run", "--student", models / "student", "--probes", "weat")
    assert (done.code, "nothing could" in done.err) == (0, False)
    record = load_record(records(here)[0])
    assert record.scores["value"].isna().all()
    assert record.is_measured
    assert record.estimates["estimate"].notna().all()


def test_json_is_all_there_is_on_standard_output(here, models):
    """In a process of its own, where every library may print what it likes."""
    done = in_process(
        "run", "--student", models / "student", "--probes", "small.toml", "--json", cwd=here
    )
    assert (done.code, done.err) == (0, "maskaudit: note: no gates.toml: nothing was judged\n")
    [folder] = records(here)
    found = json.loads(done.out)
    assert here / found["record"] == folder
    assert here / found["page"] == folder / "report.html"
    assert found["headline"]


def test_the_api_writes_the_same_record_as_the_command(maskaudit, here, models):
    """`maskaudit.run` is the command without its words; time and place are all that differ."""
    arguments = {"reference": str(models / "teacher"), "candidate": str(models / "student")}
    ours = run(probes=["small.toml"], **arguments)
    options = [part for name, value in arguments.items() for part in (f"--{name}", value)]
    assert maskaudit("run", *options, "--probes", "small.toml", "--quiet").code == 0
    [theirs] = [path for path in records(here) if path.name != ours.path.name]
    for name in ("items", "contexts", "scores", "paired", "fills", "estimates"):
        one, other = (path / f"{name}.parquet" for path in (ours.path, theirs))
        assert one.read_bytes() == other.read_bytes()


def test_different_vocabularies_are_allowed_and_what_needs_one_is_left_out(maskaudit, here, models):
    """The record and the page say so; everything else is there."""
    done = maskaudit(
        "run", "--teacher", models / "other", "--student", models / "student",
        "--probes", "small.toml",
    )  # fmt: skip
    assert done.code == 0, done.err
    [folder] = records(here)
    found = load_record(folder)
    assert found.paired.empty
    [told] = found.manifest.not_measured
    assert "need one vocabulary and are left out" in told
    assert told.rstrip(".") in visible_text(folder / "details.html")
    own = found.estimates[found.estimates["subject"] == "difference"]
    # What is unknown is so because the set is small, and says it.
    assert (own["estimate"].notna() | (own["flag"] != "")).all()
    assert own.loc[own["estimator"] == "stereotype_contrast", "estimate"].notna().all()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        """Keep the text between tags."""
        self.words.append(data)


def visible_text(page: Path) -> str:
    """Return the text of a page without its tags."""
    parser = _Words()
    parser.feed(page.read_text("utf-8"))
    return " ".join(" ".join(parser.words).split())


def test_a_record_tells_nothing_of_the_machine_and_its_user(maskaudit, here, models, monkeypatch):
    """No path, home or name of the user, in any file: records are published."""
    home = here / "home" / "alice-of-example"
    shutil.copytree(models / "student", home / "model")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", "alice-of-example")
    monkeypatch.setenv("HOSTNAME", "machine-of-example")
    (home / "AUDIT.toml").write_text(
        f'[models]\ncandidate = {{ id = "model" }}\n[probes]\nsets = ["{here}/small.toml"]\n'
    )
    done = maskaudit("run", home / "AUDIT.toml", "--out", here / "runs", "--quiet")
    assert done.code == 0, done.err
    [folder] = records(here)
    for path in folder.iterdir():
        if path.suffix == ".parquet":
            text = pq.read_table(path).to_pandas().to_csv() + repr(pq.read_metadata(path))
        else:
            text = path.read_text("utf-8")
        for secret in ("alice-of-example", "machine-of-example", str(here), os.uname().nodename):
            assert not re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", text), path.name


def test_a_page_can_be_written_again_and_elsewhere(maskaudit, here, models):
    """`report` needs the record alone: the models may be gone, and it gives the same bytes."""
    maskaudit("run", "--student", models / "student", "--probes", "small.toml", "--quiet")
    [folder] = records(here)
    first = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    assert maskaudit("report", folder) == Done(0, f"{folder / 'report.html'}\n", "")
    assert (folder / "report.html").read_bytes() == first
    assert maskaudit("report", folder, "-o", "page.html").code == 0
    # Only the address of the details is another.
    assert Path("page.html").read_bytes().replace(b"page-details", b"details") == first
    assert Path("page-details.html").read_bytes() == (folder / "details.html").read_bytes()
    assert_one_line(maskaudit("report", here), 2, "no record here")
    assert_one_line(maskaudit("report", folder, "-o", "none/page.html"), 74, "cannot write")


# --- Bad models -----------------------------------------------------------------------------------

BAD_MODELS = {
    "without weights": (tiny.without_weights, "found no weights; expected model.safetensors"),
    "random head": (tiny.without_head, "would be random"),
    "pickled weights": (tiny.with_pickle_only, "pytorch_model.bin, pickled weights"),
    "kernel": (tiny.with_kernel, "config.json names the kernel 'org/kernel'"),
    "remote code": (tiny.with_remote_code, "is never run"),
    "NaN": (tiny.with_nan, "not finite"),
    "no mask token": (tiny.without_mask_token, "no mask token"),
    "cut off": (tiny.with_truncated_weights, "cannot be"),
}


@pytest.mark.parametrize("fault", BAD_MODELS)
def test_a_model_that_cannot_be_used_is_one_line_and_no_record(maskaudit, here, models, fault):
    """What was found and what was expected, before anything is scored."""
    spoil, told = BAD_MODELS[fault]
    bad = spoil(models / "teacher", here / "bad-model")
    for command in ("run", "run --plan"):
        done = maskaudit(*command.split(), "--candidate", bad, "--probes", "small.toml")
        assert_one_line(done, 2, "bad-model", told)
    assert not list(here.rglob("EXECUTED"))
    assert records(here) == []


@pytest.mark.parametrize("name", ["no-such-org/no-such-model", "no-such-model", "a/b@v1", "./none"])
def test_a_model_that_cannot_be_reached_is_one_line_and_no_record(maskaudit, here, name):
    """Offline, as the tests are, and for a folder that is not there."""
    done = maskaudit("run", "--candidate", name, "--probes", "small.toml")
    assert_one_line(done, 2, f"model {name}: ")
    assert records(here) == []


def test_a_bad_reference_is_told_as_a_bad_candidate_is(maskaudit, here, models):
    """The other model is sound."""
    bad = tiny.with_nan(models / "teacher", here / "bad-model")
    done = maskaudit(
        "run", "--teacher", bad, "--student", models / "student", "--probes", "small.toml"
    )
    assert_one_line(done, 2, "bad-model", "not finite")
    assert records(here) == []


# --- Bad probe sets and settings ------------------------------------------------------------------


def spoilt(*changes: tuple[str, str]) -> str:
    """Return the small set with parts of it replaced."""
    text = SET
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


FIVE_FAULTS = spoilt(
    ('licence = "Apache-2.0"\n', ""),
    ('text = "he"', 'text = "he", verbs = "plural"'),
    ('{ text = "maid" }', '{ text = "nurse" }'),
    ("[MASK] worked", "She worked"),
    ('id = "f2"', 'id = "F 2"'),
)


def test_five_faults_of_a_probe_file_are_five_lines(maskaudit, here):
    """Each with its file and its place; `check` and `run` say the same."""
    (here / "bad.toml").write_text(FIVE_FAULTS)
    checked, ran = (
        maskaudit("probes", "check", "bad.toml"),
        maskaudit("run", "--probes", "bad.toml"),
    )
    for done, file in ((checked, "bad.toml"), (ran, str(here / "bad.toml"))):
        assert (done.code, done.out) == (2, "")
        lines = done.err.splitlines()
        assert len(lines) == 5
        assert all(line.startswith(f"maskaudit: {file}: ") for line in lines)
    for place in ("set.licence", "groups.men.terms[1].verbs", "'nurse'", "frames[1]", "frames[3]"):
        assert place in checked.err
    assert records(here) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (spoilt(("[MASK] worked as", "She worked as")), "must contain [MASK] exactly once"),
        (SET.partition("[[frames]]")[0], "frames: the set has 0; expected at least 1"),
        ("not toml", "not valid TOML"),
    ],
    ids=["no mask", "empty", "not toml"],
)
def test_a_set_that_cannot_be_used_is_one_line_and_no_record(maskaudit, here, text, told):
    """Found before a model is loaded."""
    (here / "bad.toml").write_text(text)
    for command in (("run", "--probes"), ("run", "--plan", "--probes"), ("probes", "check")):
        assert_one_line(maskaudit(*command, "bad.toml"), 2, "bad.toml: ", told)
    assert records(here) == []


def test_control_characters_of_a_file_do_not_reach_the_terminal(maskaudit, here):
    """A key may hold what turns the screen red, or hides the line before."""
    (here / "bad.toml").write_text(SET.replace("[set]", '[set]\n"\\u001b[31mred" = 1', 1))
    assert_one_line(maskaudit("probes", "check", "bad.toml"), 2, "<U+001B>[31mred")


def test_an_unknown_key_of_the_settings_is_one_line(maskaudit, here):
    """With the key that was probably meant."""
    (here / "AUDIT.toml").write_text('[probes]\nset = ["small.toml"]\n')
    told = "AUDIT.toml: line 2: probes.set: is not a known key; did you mean 'sets'?"
    assert_one_line(maskaudit("run"), 2, told)
    assert_one_line(maskaudit("run", "AUDIT.toml"), 2, told)
    assert records(here) == []


def test_a_set_or_settings_file_that_is_not_there_is_one_line(maskaudit, here):
    """And the shipped sets are named."""
    assert_one_line(maskaudit("run", "--probes", "gender"), 2, "'gender'", "shipped sets: core")
    assert_one_line(maskaudit("run", "none.toml"), 2, "none.toml: cannot be read")
    assert_one_line(maskaudit("probes", "show", "gender"), 2, "gender-occupation")
    assert_one_line(maskaudit("run", "--candidate", ""), 2, "--candidate: is empty")
    assert records(here) == []


@pytest.mark.parametrize(
    "words",
    [("--bogus",), ("run", "--bogus"), ("bogus",), ("fill", "x", "--top", "0"), ("init", "a", "b")],
    ids=" ".join,
)
def test_wrong_usage_says_how_it_is_used(maskaudit, words):
    """Exit code 2, on standard error, and the last line is what is wrong."""
    done = maskaudit(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: maskaudit")
    assert done.err.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize("words", [(), ("probes",)], ids=["maskaudit", "maskaudit probes"])
def test_a_command_that_is_none_shows_what_there_is(maskaudit, words):
    """Nothing was asked for, so that is wrong usage too."""
    done = maskaudit(*words)
    assert done.code == 2
    assert "Commands:" in done.err + done.out


# --- Disks ----------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_is_one_line(maskaudit, here):
    """A file stands in its way: before the models are loaded."""
    (here / "file").write_text("")
    done = maskaudit("run", "--probes", "small.toml", "--out", "file/runs")
    assert_one_line(done, 74, "file/runs: cannot write", "nothing was saved")


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_disk_that_fails_at_the_end_is_one_line_and_no_record(
    maskaudit, here, models, monkeypatch, number
):
    """Everything was measured, and nothing half-written is kept."""

    def fails(*_arguments, **_options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("maskaudit.audit.recording.record.pq.ParquetWriter", fails)
    done = maskaudit("run", "--student", models / "student", "--probes", "small.toml")
    assert_one_line(done, 74, "cannot write", os.strerror(number))
    assert records(here) == []


def test_a_folder_that_another_run_holds_is_one_line(maskaudit, here):
    """It says who holds it."""
    with held(here / "runs"):
        done = maskaudit("run", "--probes", "small.toml")
    assert_one_line(done, 75, f"held by process {os.getpid()} since")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_output_that_cannot_be_written_is_one_line(here):
    """`maskaudit ... > file` on a full disk."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "probes", "list"],
            cwd=here, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        74,
        f"maskaudit: cannot write ({os.strerror(errno.ENOSPC)})\n",
    )


def test_a_reader_that_has_seen_enough_is_no_fault(here):
    """`maskaudit probes show SET | head -1` says nothing of pipes."""
    with started("probes", "show", "gender-occupation", cwd=here) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 74


# --- Interrupted ----------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on Unix")
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_an_audit_that_is_stopped_while_scoring_leaves_nothing(here, models, number, code, said):
    """A real process and a real signal, after the first sentences were scored."""
    options = ("--teacher", models / "teacher", "--student", models / "student")
    with started("run", *options, "--probes", "gender-occupation", cwd=here) as process:
        assert "sentences" in process.stderr.readline(), process.stderr.read()
        half = [path.name for path in records(here) if path.is_dir()]
        process.send_signal(number)
        out, err = process.communicate()
    assert [name.startswith(".unfinished-") for name in half] == [True]
    done = Done(process.returncode, out, err)
    assert_one_line(done, code, f"maskaudit: {said}; nothing half-written was kept")
    assert records(here) == []


def test_an_audit_can_be_stopped_in_any_stage(maskaudit, here, models, monkeypatch):
    """Be it before the scores or after the estimates."""
    for stage in (
        "maskaudit.audit.measuring.scoring.score_each",
        "maskaudit.audit.pipeline.estimate",
        "maskaudit.audit.recording.record.seal",
    ):

        def stopped(*_arguments, **_options):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(stage, stopped)
            done = maskaudit("run", "--student", models / "student", "--probes", "small.toml")
        assert_one_line(done, 130, "interrupted; nothing half-written was kept")
        assert records(here) == []


# --- Our own mistakes -----------------------------------------------------------------------------


def test_an_internal_error_is_one_line_and_its_traceback_a_file(maskaudit, here, monkeypatch):
    """The user sees one line, and can send us the rest."""

    def broken(*_arguments, **_options):
        return 1 // 0

    monkeypatch.setattr(pipeline, "run_all", broken)
    done = maskaudit("run")
    assert_one_line(done, 70, "internal error (ZeroDivisionError); the traceback is in ")
    [file] = (here / "scratch").iterdir()
    assert done.err.endswith(f"{file}\n")
    text = file.read_text()
    assert text.startswith("Traceback (most recent call last):")
    assert "return 1 // 0" in text


def test_an_internal_error_with_nowhere_to_write_still_tells_everything(maskaudit, monkeypatch):
    """A full disk keeps no traceback: then it is printed."""

    def broken(*_arguments, **_options):
        raise RuntimeError("secret of the machine")

    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pipeline, "run_all", broken)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    done = maskaudit("run")
    assert (done.code, done.out) == (70, "")
    assert "RuntimeError: secret of the machine" in done.err
    assert done.err.endswith("maskaudit: internal error: RuntimeError\n")


@pytest.mark.parametrize("package", ["torch", "transformers", "safetensors", "tokenizers"])
def test_a_package_that_runs_models_and_is_not_there_is_named_with_what_to_type(
    maskaudit, monkeypatch, package
):
    """The core is installed without them."""

    def missing(*_arguments, **_options):
        raise ModuleNotFoundError(f"No module named '{package}.nn'", name=f"{package}.nn")

    monkeypatch.setattr(pipeline, "run_all", missing)
    told = f"the package {package!r} is not installed"
    assert_one_line(maskaudit("run"), 2, told, 'pip install "maskaudit[models]"')


def test_another_module_that_is_not_there_is_our_own_mistake(maskaudit, monkeypatch):
    """No advice that does not help."""

    def missing(*_arguments, **_options):
        raise ModuleNotFoundError("No module named 'audit.none'", name="audit.none")

    monkeypatch.setattr(pipeline, "run_all", missing)
    assert maskaudit("run").code == 70


# --- The plan -------------------------------------------------------------------------------------


def test_a_plan_counts_what_would_be_scored_and_writes_nothing(maskaudit, here, models):
    """48 sentences: 6 frames with 6 attributes, and 2 priors ("a" and "an") each."""
    before = sorted(here.rglob("*"))
    done = maskaudit(
        "run", "--plan", "--json", "--teacher", models / "teacher", "--student",
        models / "student", "--probes", "small.toml",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert [row["model"] for row in found["sets"]] == ["reference", "candidate"]
    for row in found["sets"]:
        assert (row["probe_set"], row["sentences"], row["items"]) == ("small", 48, 96)
    assert found["lost"] == []
    assert sorted(here.rglob("*")) == before


def test_a_plan_says_what_would_be_lost_in_each_group(maskaudit, here, models):
    """A term that the vocabulary cannot write is named before an hour of scoring."""
    (here / "lost.toml").write_text(SET.replace('"he"', f'"{tiny.UNWRITABLE}"'))
    done = maskaudit(
        "run", "--plan", "--json", "--student", models / "student", "--probes", "lost.toml"
    )
    assert json.loads(done.out)["lost"] == [
        {
            "probe_set": "small",
            "model": "candidate",
            "group": "men",
            "status": "target_unknown",
            "items": 48,
        }
    ]
    shown = maskaudit("run", "--plan", "--student", models / "student", "--probes", "lost.toml")
    assert re.search(r"small +candidate +men +target_unknown +48", shown.out)
    assert "minutes in all" in shown.out


# --- init -----------------------------------------------------------------------------------------


def test_init_writes_a_file_that_run_accepts(maskaudit, here, models):
    """As it is, and with a model in it."""
    assert maskaudit("init") == Done(0, "AUDIT.toml\ngates.toml\n", "")
    text = (here / "AUDIT.toml").read_text("utf-8")
    edited = text.replace('# candidate = { id = "distilbert/distilbert-base-uncased", revision = '
                          '"main" }', f'candidate = {{ id = "{models / "student"}" }}')  # fmt: skip
    assert edited != text
    (here / "AUDIT.toml").write_text(edited.replace('["core"]', '["small.toml"]'))
    done = maskaudit("run", "--quiet")
    # One model alone has no reference, which the gate asks for.
    assert done.code == 3, done.err
    assert len(records(here)) == 1
    (here / "gates.toml").unlink()
    assert maskaudit("run", "--quiet", "--skip-unchanged").code == 0
    assert len(records(here)) == 1


def test_init_does_not_write_over_a_file(maskaudit, here):
    """What a user has written is not ours."""
    (here / "mine.toml").write_text("mine")
    assert_one_line(maskaudit("init", "mine.toml"), 2, "mine.toml: already exists")
    assert (here / "mine.toml").read_text() == "mine"
    assert_one_line(maskaudit("init", "none/AUDIT.toml"), 74, "none/AUDIT.toml: cannot write")


# --- fill -----------------------------------------------------------------------------------------


@pytest.fixture
def pair(models):
    """Give the options that name both models."""
    return ("--teacher", models / "teacher", "--student", models / "student")


def test_fill_shows_both_models_side_by_side(maskaudit, pair):
    """A line a rank, the likeliest first."""
    done = maskaudit("fill", "He is a [MASK].", "--top", "3", *pair)
    assert (done.code, done.err) == (0, "")
    assert "He is a [MASK]." in done.out
    assert "reference" in done.out
    assert "candidate" in done.out
    ranks = re.findall(r"^\D*(\d+) .*?(0\.\d{4}).*?(0\.\d{4})", done.out, re.MULTILINE)
    assert [rank for rank, *_ in ranks] == ["1", "2", "3"]
    for column in (1, 2):
        values = [float(row[column]) for row in ranks]
        assert values == sorted(values, reverse=True)


def test_fill_gives_every_mask_as_json(maskaudit, pair):
    """A value a mask, model and rank."""
    done = maskaudit("fill", "[MASK] is a [MASK].", "--top", "2", "--json", *pair)
    found = json.loads(done.out)
    assert {(row["slot"], row["model"], row["rank"]) for row in found} == {
        (slot, model, rank)
        for slot in (0, 1)
        for model in ("reference", "candidate")
        for rank in (1, 2)
    }


@pytest.mark.parametrize("source", ["file", "standard input"])
def test_fill_answers_the_endpoint_form_with_a_list_of_tokens(
    maskaudit, here, pair, monkeypatch, source
):
    """The candidate's likeliest words, one answer a sentence, in their order, repeats included."""
    asked = ["He is a [MASK].", "They like [MASK].", "He is a [MASK].", "[MASK] is a [MASK]."]
    text = json.dumps({"input_data": asked})
    (here / "request.json").write_text(text)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    done = maskaudit("fill", "--input", "request.json" if source == "file" else "-", *pair)
    assert (done.code, done.err) == (0, "")
    answers = json.loads(done.out)
    alone = []
    for sentence in asked:
        found = json.loads(maskaudit("fill", sentence, "--top", "1", "--json", *pair).out)
        tokens = [row["token"] for row in found if row["model"] == "candidate"]
        alone.append(tokens if len(tokens) > 1 else tokens[0])
    assert answers == alone


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "{}", "null", '"[MASK]"', '{"input_data": []}', '{"input_data": [1]}',
        '{"input_data": ["no mask"]}', '{"instances": ["[MASK]"]}', b"\xff", "[" * 100_000,
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_read_is_one_line(maskaudit, here, pair, text):
    """With the file and what was expected."""
    (here / "request.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert_one_line(maskaudit("fill", "--input", "request.json", *pair), 2, "expected")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"inputs": ["A [MASK]."], "options": {}}, "request.json: has the key 'options'"),
        ({"input_data": {"data": []}}, "request.json: input_data: has 'data', but no 'columns'"),
        ({"input_data": ["A [MASK]."], "params": {"top_k": 2}}, "params.top_k: is 2, but this"),
        (["A [MASK]."], "request.json: is a list"),
        ({"input_data": ["A [mask]."]}, "expected at least one (write [MASK] for '[mask]')"),
    ],
)  # fmt: skip
def test_a_body_that_no_service_documents_is_named(maskaudit, here, pair, body, found):
    """By its keys, beside what is read; no key is without effect and without a word."""
    (here / "request.json").write_text(json.dumps(body))
    assert_one_line(maskaudit("fill", "--input", "request.json", *pair), 2, found)


def test_a_request_is_read_as_windows_and_other_services_write_it(maskaudit, here, pair):
    """With a mark before it, and in the other services' forms, each answered in its own."""
    asked = ["He is a [MASK]."]
    (here / "plain.json").write_text(json.dumps({"input_data": asked}))
    expected = maskaudit("fill", "--input", "plain.json", *pair).out
    (here / "mark.json").write_text(json.dumps({"input_data": asked}), "utf-8-sig")
    assert maskaudit("fill", "--input", "mark.json", *pair)[:3] == (0, expected, "")
    [word] = json.loads(expected)
    hugging = {"inputs": asked[0], "parameters": {"top_k": 1}}
    for body, answer in (
        ({"input_data": {"input_string": asked}}, [{"0": word}]),
        ({"dataframe_split": {"columns": ["x"], "data": [asked]}}, {"predictions": [word]}),
    ):
        (here / "other.json").write_text(json.dumps(body))
        assert json.loads(maskaudit("fill", "--input", "other.json", *pair).out) == answer
    (here / "other.json").write_text(json.dumps(hugging))
    [fill] = json.loads(maskaudit("fill", "--input", "other.json", *pair).out)
    assert (fill["token_str"], fill["sequence"]) == (word, f"he is a {word}.")


def test_a_request_in_another_encoding_says_which(maskaudit, here, pair):
    """What PowerShell's redirection writes is no JSON in UTF-8."""
    (here / "wide.json").write_text('{"input_data": ["A [MASK]."]}', "utf-16")
    assert_one_line(maskaudit("fill", "--input", "wide.json", *pair), 2, "wide.json: is UTF-16")


def test_a_closed_standard_input_is_told(maskaudit, pair, monkeypatch):
    """As daemons close it."""
    monkeypatch.setattr(sys, "stdin", None)
    assert_one_line(maskaudit("fill", "--input", "-", *pair), 2, "standard input: is closed")


def test_fill_asks_for_one_of_its_two_forms(maskaudit, pair):
    """Neither and both are wrong, and so is a file that is not there."""
    assert_one_line(maskaudit("fill", *pair), 2, "expected one of SENTENCE and --input")
    assert_one_line(maskaudit("fill", "[MASK]", "--input", "-", *pair), 2, "expected one of")
    assert_one_line(
        maskaudit("fill", "--input", "-", "--top", "3", *pair), 2, "--top has no effect"
    )
    assert_one_line(
        maskaudit("fill", "--input", "none.json", *pair), 2, "none.json: cannot be read"
    )
    assert_one_line(maskaudit("fill", "no mask here", *pair), 2, "no [MASK] in 'no mask here'")
    assert_one_line(maskaudit("fill", "[MASK] " * 99, *pair), 2, "pieces; the ", "at most")


# --- probes ---------------------------------------------------------------------------------------


def test_probes_list_names_every_shipped_set(maskaudit):
    """With its axis, size and title."""
    done = maskaudit("probes", "list")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()[1:-2]] == list(shipped())
    found = json.loads(maskaudit("probes", "list", "--json").out)
    assert [row["name"] for row in found] == list(shipped())
    columns = {"name", "version", "axis", "title", "styles", "frames", "sentences", "bundles"}
    assert all(set(row) == columns for row in found)


def test_probes_show_prints_every_sentence_with_its_targets(maskaudit):
    """Of a shipped set by name, or of a file."""
    done = maskaudit("probes", "show", "small.toml")
    assert (done.code, done.err) == (0, "")
    card, sentences = done.out.split("\n\n")
    assert card.startswith("Small (small, version 1)\n")
    lines = sentences.splitlines()
    assert len(lines) == 48
    assert "[MASK] worked as an engineer.  She, He" in lines
    found = json.loads(maskaudit("probes", "show", "small.toml", "--json").out)
    assert {"text": "In Paris [MASK] met a [MASK].", "slot": 0, "role": "prior",
            "targets": ["she", "he"]}.items() <= next(
        row for row in found if row["text"] == "In Paris [MASK] met a [MASK]."
    ).items()  # fmt: skip
    assert len(maskaudit("probes", "show", "facts").out.split("\n\n")[1].splitlines()) == 200
    assert maskaudit("probes", "show", "small.toml", "--card").out == f"{card}\n"


def test_probes_check_says_that_a_set_is_good(maskaudit, here):
    """With its size and what is tested; the faults of another are named in the same go."""
    good = (
        "small.toml: good, 48 sentences\n"
        "  tested: women and men: first less second, by their order; "
        "positive follows the stereotype\n"
        "  can be tested\n"
        "note: small: the set has 6 frames, and an interval from so few is wide; write 20 or more, "
        "or test with these and read the interval\n"
    )
    assert maskaudit("probes", "check", "small.toml") == Done(0, good, "")
    (here / "bad.toml").write_text("")
    done = maskaudit("probes", "check", "bad.toml", "small.toml", "none.toml")
    assert done.code == 2
    assert done.out == good
    assert "bad.toml: set: is missing" in done.err
    assert "probe set 'none.toml': no such shipped set or file" in done.err


def test_probes_show_and_check_read_what_a_run_reads(maskaudit, here):
    """Sets by name, patterns and the folders of imports."""
    (here / "words.json").write_text(WORDS)
    assert maskaudit("probes", "import", "weat", "words.json", "-o", "words").code == 0
    done = maskaudit("probes", "check", "facts", "sm*.toml", "words")
    names = [line.split(":")[0] for line in done.out.splitlines() if ": good, " in line]
    assert (done.code, names) == (0, ["facts", "small.toml", "words"])
    assert "This is lawyer." in maskaudit("probes", "show", "words").out
    shown = maskaudit("probes", "show", "sm*.toml")
    assert shown == maskaudit("probes", "show", "small.toml")
    assert maskaudit("probes", "show", "none*").code == 2


def test_what_a_set_cannot_be_given_is_said_before_and_after_a_run(maskaudit, here, models):
    """By the check, the plan, the terminal and the page, in the same words; never if quiet."""
    frames = SET.index('[[frames]]\nid = "f2"')
    contrast = 'contrast = ["first", "second"]\n'
    (here / "two.toml").write_text(SET[:frames].replace(contrast, ""))
    sentences = (
        "the set names no contrast; name two classes under [set]",
        "the set has 2 frames, and they take 6; write more independent frames",
    )
    words = ("run", "--candidate", models / "student", "--probes", "two.toml")
    check = maskaudit("probes", "check", "two.toml")
    plan, quiet = maskaudit(*words, "--plan"), maskaudit(*words, "--quiet")
    run = maskaudit(*words)
    page = (records(here)[-1] / "details.html").read_text()
    for sentence in sentences:
        assert all(sentence in text for text in (check.out, plan.out, run.err, page)), sentence
    assert check.code == run.code == 0
    assert quiet.err == ""
    before = json.loads(maskaudit(*words, "--plan", "--json").out)
    after = json.loads(maskaudit(*words, "--json").out)
    assert before["not_given"] == after["not_given"]
    assert len(after["not_given"]) == 2


def test_a_set_that_names_no_language_is_told_of_its_letters_wherever_it_is_used(
    maskaudit, here, models
):
    """By check, plan, terminal and page alike; a set that names its language never."""
    foreign = SET.replace("{a attribute}", "{attribute}").replace('"lawyer"', '"işçi"')
    assert "işçi" in foreign
    (here / "silent.toml").write_text(foreign)
    (here / "said.toml").write_text(foreign.replace("[set]\n", '[set]\nlanguage = "tr"\n'))
    told = "('ş'); its sentences begin by the rules of English; name the language under [set]"
    for file, is_told in (("silent.toml", True), ("said.toml", False)):
        words = ("run", "--candidate", models / "student", "--probes", file)
        texts = [
            maskaudit("probes", "check", file).out,
            maskaudit(*words, "--plan").out,
            maskaudit(*words).err,
            html.unescape(max(records(here)).joinpath("details.html").read_text()),
        ]
        assert [told in text for text in texts] == [is_told] * 4


def test_probes_show_and_check_draw_one_time_from_a_grammar(maskaudit):
    """The same sentences each time, and no more than a run would have."""
    weekly = Path(__file__).resolve().parents[2] / "examples" / "weekly" / "gender_occupation.toml"
    shown = maskaudit("probes", "show", weekly)
    assert maskaudit("probes", "show", weekly) == shown
    count = len(shown.out.split("\n\n")[1].splitlines())
    checked = maskaudit("probes", "check", weekly)
    assert (checked.code, checked.err) == (0, "")
    assert checked.out.splitlines()[0] == f"{weekly}: good, {count} sentences"


def test_the_seed_of_a_run_is_that_of_its_record(maskaudit, here, models):
    """Whatever the file says; a seed that is no number from 0 is wrong usage."""
    words = ("run", "--candidate", models / "student", "--probes", "small.toml", "--quiet")
    assert maskaudit(*words, "--seed", "7").code == 0
    [folder] = records(here)
    assert load_record(folder).manifest.settings.seed == 7
    assert maskaudit(*words, "--seed", "-1").code == 2


# --- Words ----------------------------------------------------------------------------------------


def test_version_is_that_of_the_installation(maskaudit):
    """And nothing else."""
    assert maskaudit("--version") == Done(0, f"{version('maskaudit')}\n", "")


@pytest.mark.parametrize("words", [(), ("run",), ("probes", "show")])
def test_help_is_told_without_the_heavy_packages(here, words):
    """Torch, transformers and pandas take seconds to load; help has no need of them."""
    code = (
        "import sys, maskaudit\n"
        "try: maskaudit.main()\n"
        "finally: print({'pandas', 'torch', 'transformers'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--help"],
        cwd=here, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: maskaudit")
    assert done.stdout.endswith("set()\n")


def test_help_names_every_exit_code(maskaudit):
    """A script that calls us finds them in one place."""
    text = maskaudit("--help").out
    for code in ("0", "1", "2", "3", "70", "74", "75", "130", "143"):
        assert re.search(rf"\b{code}\b", text)


# --- Gates ----------------------------------------------------------------------------------------

GATE = """
[[gate]]
id = "a"
rule = "bound"
bound = {bound}
reason = "a test"
select = {{ {select} }}
"""


def test_an_audit_is_judged_by_the_gates_beside_its_settings(maskaudit, here, monkeypatch):
    """The record has verdicts, its page shows them, and the exit code is theirs."""
    (here / "gates.toml").write_text(GATE.format(bound=99.0, select='axis = "religion"'))
    asked = ("run", "--probes", "religion-trait", "--skip-unchanged")
    done = maskaudit(*asked)
    assert (done.code, "1 pass" in done.out) == (0, True)
    [folder] = [path for path in records(here) if path.is_dir()]
    assert "What the gates say" in (folder / "details.html").read_text("utf-8")
    # The same record by other rules, and as GitHub's CI is told of it.
    (here / "strict.toml").write_text(GATE.format(bound=-99.0, select='axis = "religion"'))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "summary.md"))
    done = maskaudit(*asked, "--gates", "strict.toml", "--json")
    assert done.code == 1
    assert json.loads(done.out)["gates"]["exit_code"] == 1
    assert "::error title=" in done.err
    assert "1 fail" in (here / "summary.md").read_text("utf-8")
    assert "reused; nothing that determines its numbers has changed" in done.err
    assert [path for path in records(here) if path.is_dir()] == [folder]


@pytest.mark.parametrize(
    ("bound", "select", "code"),
    [(99.0, 'axis = "religion"', 0), (-99.0, 'axis = "religion"', 1), (99.0, 'axis = "age"', 3)],
)
def test_a_record_is_judged_again_without_models(maskaudit, here, bound, select, code):
    """With JUnit and JSON, by the same exit codes."""
    (here / "gates.toml").write_text(GATE.format(bound=bound, select=select))
    assert maskaudit("run", "--probes", "religion-trait", "--quiet").code == code
    [folder] = [path for path in records(here) if path.is_dir()]
    done = maskaudit("gate", folder, "--json", "--junit", "junit.xml", "--comment", "comment.md")
    assert done.code == code
    assert json.loads(done.out)["exit_code"] == code
    assert (here / "junit.xml").read_text("utf-8").startswith("<?xml")
    assert "<!-- maskaudit -->" in (here / "comment.md").read_text("utf-8")
    assert "Exit code" in done.err


def test_gates_that_cannot_be_read_stop_an_audit_before_it_scores(maskaudit, here):
    """Nobody waits for hours to hear of a misspelt word."""
    (here / "gates.toml").write_text('[[gate]]\nid = "a"\n')
    done = maskaudit("run", "--probes", "religion-trait")
    assert (done.code, done.out) == (2, "")
    assert "gate[1] 'a'.rule: is missing" in done.err
    assert records(here) == []
