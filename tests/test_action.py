"""The GitHub Action and the hooks for pre-commit do what they promise to other projects."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "action.yml").read_text("utf-8")
ACTION: dict[str, Any] = yaml.safe_load(TEXT)
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"] if "name" in step}
INSTALL, AUDIT, COMMENT = "Install maskaudit", "Audit", "Comment on the pull request"
VERSIONS = ROOT / "examples" / "versions"
MARK = "<!-- maskaudit -->"
# It is installed beside Python, in an environment that need not be activated.
PROGRAMS = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
SHELLCHECK = shutil.which("shellcheck", path=PROGRAMS)
# A program that notes how it was called; it prints what stands in a file beside it.
STUB = """\
#!/bin/sh
echo "$(basename "$0") $*" >>"{log}"
[ ! -f "{folder}/prints" ] || cat "{folder}/prints"
{more}
"""


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Give a function that runs the script of a step, as GitHub does, in an empty workspace."""
    for name in ("workspace", "temp", "temp/maskaudit", "stubs"):
        (tmp_path / name).mkdir()

    def run(name: str, **more: str) -> "subprocess.CompletedProcess[str]":
        step = STEPS[name]
        assert step["shell"] == "bash"
        files = {
            "GITHUB_OUTPUT": "output",
            "GITHUB_STEP_SUMMARY": "summary.md",
            "GITHUB_PATH": "path",
        }
        environment = {
            # The programs of a test come first, then the command that is installed here.
            "PATH": f"{tmp_path / 'stubs'}:{PROGRAMS}",
            "HOME": str(tmp_path),
            "MASKAUDIT_CACHE": str(tmp_path / "cache"),
            "HF_HUB_OFFLINE": "1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_REPOSITORY": "somebody/project",
            "GITHUB_WORKSPACE": str(tmp_path / "workspace"),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            **{variable: str(tmp_path / file) for variable, file in files.items()},
            # An input that is not given is empty, or has its default.
            **{variable: _default(text) for variable, text in step["env"].items()},
            **more,
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],  # noqa: S607
            cwd=tmp_path / "workspace",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def _default(text: str) -> str:
    """Return what stands in the place of `${{ inputs.NAME }}` where a workflow gives nothing."""
    found = re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", text)
    return "" if found is None else str(ACTION["inputs"][found[1]]["default"])


def stub(tmp_path: Path, name: str, prints: str = "", more: str = "") -> Path:
    """Put a program in place of another, and return the file that notes how it is called."""
    folder, log = tmp_path / "stubs", tmp_path / "calls"
    program = folder / name
    program.write_text(STUB.format(log=log, folder=folder, more=more))
    program.chmod(0o755)
    if prints:
        (folder / "prints").write_text(prints)
    return log


def outputs(tmp_path: Path) -> dict[str, str]:
    """Return what a step wrote for later ones, read as GitHub reads it."""
    lines = iter((tmp_path / "output").read_text().splitlines())
    found: dict[str, str] = {}
    for line in lines:
        if "<<" in line:
            name, _, end = line.partition("<<")
            found[name] = "\n".join(iter(lambda: next(lines), end))
        else:
            name, _, found[name] = line.partition("=")
    return found


# --- The file ------------------------------------------------------------------------------------


def test_every_input_is_described_and_used_and_nothing_else_is_asked_for() -> None:
    """A name that no input has would be empty in silence."""
    inputs = ACTION["inputs"]
    assert set(re.findall(r"inputs\.([\w-]+)", TEXT)) == set(inputs)
    assert all(one["description"] and "default" in one for one in inputs.values())


def test_no_input_is_written_into_a_script() -> None:
    """They come by the environment, so that no title of a branch is read as a command."""
    scripts = [step["run"] for step in STEPS.values() if "run" in step]
    assert len(scripts) == 3
    assert not any("${{" in script for script in scripts)


def test_outputs_are_those_that_the_audit_writes() -> None:
    """Both names, which a later step asks for."""
    wanted = [one["value"] for one in ACTION["outputs"].values()]
    asked = re.findall(r"steps\.audit\.outputs\.([\w-]+)", " ".join(wanted))
    assert sorted(asked) == sorted(ACTION["outputs"]) == ["exit-code", "records"]


@pytest.mark.skipif(SHELLCHECK is None, reason="there is no shellcheck here")
@pytest.mark.parametrize("name", [INSTALL, AUDIT, COMMENT])
def test_shellcheck_finds_no_fault(name: str) -> None:
    """In the scripts as bash runs them."""
    program = [str(SHELLCHECK), "--shell=bash", "-"]
    subprocess.run(program, input=STEPS[name]["run"], text=True, check=True)


def test_hosted_ci_uses_the_action_as_others_do() -> None:
    """On a record and rules that are there, with inputs that it has."""
    text = (ROOT / ".github" / "workflows" / "action.yml").read_text("utf-8")
    [job] = yaml.safe_load(text)["jobs"].values()
    [step] = [step for step in job["steps"] if step["uses"] == "./"]
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert all((ROOT / path).exists() for path in step["with"].values())


# --- A record that is there ----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("version", "code"), [("seed-2", 0), ("version-2", 1)])
def test_a_stored_record_is_judged_told_and_stops_the_job(
    job: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path, version: str, code: int
) -> None:
    """The step ends with the code of the gates; summary and comment say the same."""
    project = tmp_path / "workspace" / "project"
    project.mkdir()
    shutil.copytree(VERSIONS / "records" / version, project / "record")
    shutil.copytree(VERSIONS / "baseline", project / "baseline")
    shutil.copy(VERSIONS / "gates.toml", project)
    done = job(AUDIT, SETTINGS="project/AUDIT.toml", RECORD="project/record")
    assert done.returncode == code, done.stderr
    assert outputs(tmp_path) == {"exit-code": str(code), "records": "project/record"}
    comment = (tmp_path / "temp" / "maskaudit" / "comment.md").read_text("utf-8")
    word = "**fail**" if code else "pass"
    assert comment.startswith(f"{MARK}\n")
    for told in (comment, (tmp_path / "summary.md").read_text("utf-8")):
        assert len([line for line in told.splitlines() if line.startswith(f"| {word} |")]) == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("::error ")]
    assert len(errors) == code
    assert all("file=project/gates.toml," in line for line in errors)


# --- An audit ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_step_finds_records_in_what_is_printed(
    job: Callable[..., "subprocess.CompletedProcess[str]"],
    command: Callable[..., "subprocess.CompletedProcess[str]"],
    tmp_path: Path,
) -> None:
    """By the lines that end what `run` and `show` say of each record."""
    record = shutil.copytree(VERSIONS / "records" / "seed-2", tmp_path / "workspace" / "r" / "one")
    said = command(record.parents[1], "show", "r/one").stdout
    stub(tmp_path, "maskaudit", said)
    assert job(AUDIT).returncode == 0
    assert outputs(tmp_path) == {"exit-code": "0", "records": "r/one"}


def test_each_of_several_candidates_is_in_the_comment_as_long_as_there_is_room(
    job: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    """GitHub refuses a comment of more than 65,536 characters."""
    (tmp_path / "workspace" / "gates.toml").touch()
    said = (
        "Record: runs/one\nPage:   runs/one/report.html\nRecord: runs/the second\nRecord: runs/3\n"
    )
    # Each writes 30,000 characters into the file after --comment.
    write = (
        'while [ $# -gt 0 ]; do [ "$1" != --comment ] || head -c 30000 /dev/zero >"$2"; shift; done'
    )
    log = stub(tmp_path, "maskaudit", said, write)
    assert job(AUDIT).returncode == 0
    assert outputs(tmp_path)["records"].splitlines() == ["runs/one", "runs/the second", "runs/3"]
    judged = [line for line in log.read_text().splitlines() if line.startswith("maskaudit gate")]
    assert [line.rpartition(" -- ")[2] for line in judged] == [
        "runs/one",
        "runs/the second",
        "runs/3",
    ]
    assert (tmp_path / "temp" / "maskaudit" / "comment.md").stat().st_size == 60_000


def test_without_rules_nothing_is_judged_and_settings_that_fail_stop_the_job(
    job: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    """No comment is written then; the code is that of the run."""
    log = stub(tmp_path, "maskaudit", "", "exit 2")
    assert job(AUDIT, SETTINGS="models/AUDIT.toml").returncode == 2
    assert log.read_text() == "maskaudit run -- models/AUDIT.toml\n"
    assert outputs(tmp_path) == {"exit-code": "2", "records": ""}
    assert not (tmp_path / "temp" / "maskaudit" / "comment.md").read_text()


# --- What is installed ---------------------------------------------------------------------------

INSTALLED = {
    "an audit": (
        {},
        [
            "--no-deps --require-hashes --requirement {root}/hashes.txt",
            "--no-deps --constraint {root}/constraints.txt --index-url {index} torch",
            "--constraint {root}/constraints.txt {root}[models]",
        ],
    ),
    "own pins": (
        {"CONSTRAINTS": "pins.txt", "TORCH_INDEX": ""},
        ["--constraint pins.txt {root}[models]"],
    ),
    "a record": ({"RECORD": "latest"}, ["--constraint {root}/constraints.txt {root}"]),
}


@pytest.mark.parametrize("case", INSTALLED)
def test_the_action_installs_its_own_checkout_with_pinned_versions(
    job: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path, case: str
) -> None:
    """Models' packages only where models are run; later steps find the command."""
    given, expected = INSTALLED[case]
    make = f'mkdir -p "$3/bin"; cp "{tmp_path}/stubs/python" "$3/bin/" 2>/dev/null || true'
    log = stub(tmp_path, "python", "", f'[ "$2" != venv ] || {{ {make}; }}')
    done = job(INSTALL, **given)
    assert done.returncode == 0, done.stderr
    first, *calls = log.read_text().splitlines()
    home = tmp_path / "temp" / "maskaudit"
    assert first == f"python -m venv {home}"
    index = ACTION["inputs"]["torch-index"]["default"]
    before = "python -m pip install --disable-pip-version-check "
    assert calls == [before + line.format(root=ROOT, index=index) for line in expected]
    [folder] = (tmp_path / "path").read_text().splitlines()
    assert (Path(folder) / "maskaudit").readlink() == Path("../bin/maskaudit")
    assert Path(folder).parent == home


# --- The comment ---------------------------------------------------------------------------------


@pytest.mark.parametrize("earlier", ["", "7\n12\n"])
def test_the_comment_replaces_the_one_of_an_earlier_run(
    job: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path, earlier: str
) -> None:
    """The last with our mark; where there is none a new one is written."""
    (tmp_path / "temp" / "maskaudit" / "comment.md").write_text(f"{MARK}\n### maskaudit: 1 pass\n")
    log = stub(tmp_path, "gh", earlier)
    assert job(COMMENT, NUMBER="5").returncode == 0
    asked, written = log.read_text().splitlines()
    assert "issues/5/comments" in asked
    assert MARK in asked
    project = "repos/somebody/project/issues"
    where = f"PATCH {project}/comments/12 " if earlier else f"POST {project}/5/comments "
    assert where in written
    assert f"-F body=@{tmp_path}/temp/maskaudit/comment.md" in written


def test_a_comment_that_may_not_be_written_is_a_warning(
    job: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    """A pull request from a fork has no right to it, and its gates decide all the same."""
    (tmp_path / "temp" / "maskaudit" / "comment.md").write_text(f"{MARK}\n")
    stub(tmp_path, "gh", "", "exit 1")
    done = job(COMMENT, NUMBER="5")
    assert done.returncode == 0
    assert done.stdout.startswith("::warning::no comment was written")


def test_the_comments_of_others_are_left_alone() -> None:
    """The mark is the one that the command writes, in the first line, and by a bot."""
    from maskaudit.reports.ci import markdown

    assert markdown.MARKER == MARK
    if not (jq := shutil.which("jq")):
        pytest.skip("there is no jq here")
    comments = [
        {"id": 1, "user": {"type": "Bot"}, "body": f"{MARK}\n### maskaudit: 1 pass"},
        {"id": 2, "user": {"type": "User"}, "body": f"{MARK}\nquoted by a person"},
        {"id": 3, "user": {"type": "Bot"}, "body": f"another bot on {MARK}"},
    ]
    [asked] = re.findall(r"mine='(.*)'", STEPS[COMMENT]["run"])
    given = json.dumps(comments)
    found = subprocess.run([jq, asked], input=given, text=True, stdout=subprocess.PIPE, check=True)
    assert found.stdout == "1\n"


# --- pre-commit ----------------------------------------------------------------------------------


def test_the_hook_checks_probe_sets_and_stops_a_faulty_one(
    command: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    """Several files at once, as pre-commit gives them; the fault is named."""
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook["types"] == ["toml"]
    sets = ["my_probes/a.toml", "probes/b.toml", "x/probes/c.toml"]
    others = ["AUDIT.toml", "gates.toml", "noprobes/d.toml"]
    assert [path for path in (*sets, *others) if re.search(hook["files"], path)] == sets
    name, *words = hook["entry"].split()
    assert name == "maskaudit"
    good = ROOT / "examples" / "languages" / "berufe.toml"
    faulty = tmp_path / "faulty.toml"
    faulty.write_text(good.read_text("utf-8").replace("[MASK]", "[MASKE]"), "utf-8")
    assert command(tmp_path, *words, good).returncode == 0
    done = command(tmp_path, *words, good, faulty)
    assert done.returncode == 2
    assert "faulty.toml" in done.stdout + done.stderr


# --- The documents -------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "how_to" / "gate_in_ci.md").read_text("utf-8")
SHOWN = [
    (path, block)
    for path in ("README.md", "docs/tutorial.md", "docs/how_to/gate_in_ci.md")
    for block in re.findall(r"```yaml\n(.*?)```", (ROOT / path).read_text("utf-8"), re.DOTALL)
    if "/maskaudit@" in block
]


def test_the_page_on_ci_has_a_row_for_every_input() -> None:
    """In the order of the file."""
    rows = re.findall(r"^\| `([\w-]+)` \|", PAGE, re.MULTILINE)
    assert rows == list(ACTION["inputs"])


@pytest.mark.parametrize(
    ("path", "block"), SHOWN, ids=[f"{n} {path}" for n, (path, _) in enumerate(SHOWN)]
)
def test_a_step_that_is_shown_gives_inputs_that_there_are(path: str, block: str) -> None:
    """In a workflow, or as the step alone."""
    found = yaml.safe_load(block)
    steps = found if isinstance(found, list) else found["jobs"]["audit"]["steps"]
    [step] = [step for step in steps if "/maskaudit@" in step["uses"]]
    assert set(step["with"]) <= set(ACTION["inputs"]), path
    if isinstance(found, dict) and step["with"].get("comment"):
        assert found["permissions"]["pull-requests"] == "write"


def test_the_page_on_sets_shows_the_hook_by_its_id() -> None:
    """As pre-commit reads it."""
    page = (ROOT / "docs" / "how_to" / "write_a_probe_set.md").read_text("utf-8")
    [block] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    [hook] = yaml.safe_load(block)["repos"][0]["hooks"]
    [ours] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook["id"] == ours["id"]
    assert re.search(hook["files"], "my_probes/clinic.toml")
