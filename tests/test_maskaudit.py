"""The way in: our three packages are found whatever the working folder holds, and load lightly."""

import os
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = str(Path(sysconfig.get_path("scripts")) / "maskaudit")
TOPS = ("audit", "probes", "reports")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMMANDS = {"module": (sys.executable, "-m", "maskaudit"), "script": (SCRIPT,)}


def run(
    *command: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder as a user does, away from this test run's own settings."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        command, cwd=cwd, env={**mine, **(env or {})}, capture_output=True, text=True, check=False
    )


@pytest.fixture(params=COMMANDS)
def command(request):
    """Give both ways to start the program."""
    return COMMANDS[request.param]


@pytest.fixture
def project(tmp_path):
    """Give a project with packages of its own under our names, none of which may be run by us."""
    for name in ("audit", "probes", "reports"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text(f'raise SystemExit("the project\'s {name} was run")\n')
        (folder / "cli.py").write_text("")
    return tmp_path


def assert_it_ran(done: subprocess.CompletedProcess[str]) -> None:
    """Our own command line answered, and nothing was said about the rest."""
    assert (done.returncode, done.stderr) == (0, "")
    assert version("maskaudit") in done.stdout


def test_packages_of_the_project_with_our_names_are_not_mistaken_for_ours(command, project):
    """`python -m` finds the working folder first, the command does not: both run our code."""
    assert_it_ran(run(*command, "--version", cwd=project))


def test_packages_ahead_of_ours_on_the_path_are_not_mistaken_for_ours(command, project, tmp_path):
    """PYTHONPATH stands before the installed packages."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert_it_ran(run(*command, "--version", cwd=elsewhere, env={"PYTHONPATH": str(project)}))


def test_folders_without_an_init_file_are_not_mistaken_for_ours(command, project):
    """A plain folder is a package too, a namespace package."""
    for init in project.glob("*/__init__.py"):
        init.unlink()
    assert_it_ran(run(*command, "--version", cwd=project))


def test_modules_of_the_project_with_our_names_are_not_mistaken_for_ours(command, tmp_path):
    """A single file named like our package shadows it just as well."""
    for name in ("audit", "probes", "reports"):
        (tmp_path / f"{name}.py").write_text(f'raise SystemExit("the project\'s {name} was run")\n')
    assert_it_ran(run(*command, "--version", cwd=tmp_path))


def test_without_a_folder_of_our_name_the_program_runs(command, tmp_path):
    """The plain case."""
    assert_it_ran(run(*command, "--version", cwd=tmp_path))


def test_a_foreign_package_that_is_already_loaded_stays_loaded_beside_ours(project):
    """Theirs is `audit`, ours is `maskaudit.audit`: one process holds both."""
    (project / "audit" / "__init__.py").write_text("OWNER = 'the project'\n")
    code = (
        "import audit, maskaudit, maskaudit.audit, sys\n"
        "assert audit.OWNER == 'the project' and not hasattr(maskaudit.audit, 'OWNER')\n"
        "sys.argv[1:] = ['--version']; maskaudit.main()\n"
    )
    assert_it_ran(run(sys.executable, "-c", code, cwd=project))


@pytest.mark.slow
def test_our_own_packages_may_be_loaded_already(tmp_path):
    """A program that uses `maskaudit.run` may call the command line too."""
    code = (
        "import sys, maskaudit.audit.pipeline, maskaudit.reports\n"
        "sys.argv[1:] = ['--version']; maskaudit.main()"
    )
    assert_it_ran(run(sys.executable, "-c", code, cwd=tmp_path))


def test_the_installation_brings_one_name(tmp_path):
    """`audit`, `probes` and `reports` are common words, and stay free for others."""
    code = (
        "from importlib.util import find_spec\n"
        "print([name for name in ('maskaudit', 'audit', 'probes', 'reports') if find_spec(name)])"
    )
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("['maskaudit']\n", "")


def test_every_folder_with_modules_is_installed():
    """The packages of the wheel are listed by hand, and this is the list of the tree."""
    folders = {path.parent for top in TOPS for path in (ROOT / top).rglob("*.py")}
    names = {".".join(["maskaudit", *folder.relative_to(ROOT).parts]) for folder in folders}
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted({"maskaudit", *names})


def write_tests_of_a_project(folder: Path) -> None:
    """Write a project that has a package `audit`, and plain folders `probes` and `reports`."""
    for name in ("audit", "probes", "reports"):
        (folder / name).mkdir()
    (folder / "audit" / "__init__.py").write_text('OWNER = "the project"\n')
    (folder / "audit" / "cli.py").write_text('OWNER = "the project"\n')
    (folder / "test_own.py").write_text(
        "import audit.cli\n"
        "def test_own():\n"
        '    assert audit.OWNER == audit.cli.OWNER == "the project"\n'
    )
    (folder / "probes" / "test_plain_folder.py").write_text("def test_plain(): pass\n")
    (folder / "reports" / "test_failing.py").write_text("def test_failing(): assert False\n")


def outcomes(printed: str) -> list[str]:
    """Return the lines of pytest's output that say what was collected and how it ended."""
    return [line for line in printed.splitlines() if "::" in line]


@pytest.mark.slow
def test_pytest_in_a_project_with_an_audit_folder_is_the_same_with_and_without_us(tmp_path):
    """The project's tests find the project's package, and our plugin is listed and no more."""
    write_tests_of_a_project(tmp_path)
    pytest_v = ("-m", "pytest", "-v", "-p", "no:randomly", "-p", "no:cacheprovider")
    with_us = run(sys.executable, *pytest_v, cwd=tmp_path)
    without = run(sys.executable, *pytest_v, "-p", "no:maskaudit", cwd=tmp_path)
    assert with_us.returncode == without.returncode == pytest.ExitCode.TESTS_FAILED
    assert outcomes(with_us.stdout) == outcomes(without.stdout)
    assert "test_own.py::test_own PASSED" in with_us.stdout
    lines = with_us.stdout.replace(str(ROOT), "").splitlines()
    assert not [line for line in lines if "maskaudit" in line and not line.startswith("plugins:")]


def test_modules_in_a_plain_folder_of_our_name_stay_importable(tmp_path):
    """A folder without `__init__.py` is a namespace package; none of ours stands before it."""
    for name in ("audit", "probes", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ledger.py").write_text(f"OWNER = {name!r}\n")
        (tmp_path / f"test_{name}.py").write_text(
            f"from {name} import ledger\ndef test_own(): assert ledger.OWNER == {name!r}\n"
        )
    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "3 passed" in done.stdout


@pytest.mark.parametrize(
    "module", ["maskaudit", "maskaudit.audit", "maskaudit.audit.errors", "maskaudit.probes.schema"]
)
def test_modules_that_everybody_imports_load_neither_torch_nor_pandas(module, tmp_path):
    """They are imported by every command, `--help` included."""
    code = f"import sys, {module}; print({{'pandas', 'torch', 'transformers'}} & set(sys.modules))"
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_importing_the_public_names_loads_none_of_our_folders(tmp_path):
    """A name is imported when it is used: whoever imports us for another reason notices nothing."""
    code = "import sys, maskaudit; print([n for n in sys.modules if n.startswith('maskaudit.')])"
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_every_folder_that_judges_is_under_the_contract_that_keeps_torch_away():
    """A part of `audit` is named in the contract, or here as one that measures or starts."""
    measure_or_start = {
        *("authoring", "card_claims", "cli", "describe", "measuring", "pipeline", "preview"),
        *("proving", "reuse", "running", "serving", "training"),
    }
    contract = next(
        contract
        for contract in PROJECT["tool"]["importlinter"]["contracts"]
        if contract["id"] == "judging-without-models"
    )
    named = {name.split(".")[2] for name in contract["source_modules"] if ".audit." in name}
    there = {
        path.stem for path in (ROOT / "audit").iterdir() if not path.name.startswith(("_", "."))
    }
    assert there - measure_or_start == named - {"proving"}
