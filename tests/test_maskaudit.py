"""The way in: our three packages are found whatever the working folder holds, and load lightly."""

import os
import shutil
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


@pytest.mark.parametrize("regular", [True, False], ids=["package", "folder"])
def test_a_foreign_package_that_is_already_loaded_is_named_in_one_line(tmp_path, regular):
    """What is loaded cannot be put aside without harm to whoever loaded it."""
    theirs = tmp_path / "audit"
    theirs.mkdir()
    if regular:
        (theirs / "__init__.py").write_text("")
    # A plain folder is found only where no regular package of that name is: load it ahead of ours.
    code = (
        "import sys; path = sys.path[:]; sys.path[:] = ['.']; import audit; sys.path[:] = path;"
        "import maskaudit; maskaudit.main()"
    )
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"maskaudit: {theirs} is loaded as 'audit' and shadows maskaudit's own, {ROOT / 'audit'}: "
        "start maskaudit as a command, in a process of its own\n"
    )


def test_our_own_packages_may_be_loaded_already(tmp_path):
    """A program that uses `audit.run` may call the command line too."""
    code = "import sys, audit, maskaudit; sys.argv[1:] = ['--version']; maskaudit.main()"
    assert_it_ran(run(sys.executable, "-c", code, cwd=tmp_path))


def test_a_module_without_its_packages_says_that_the_installation_is_not_whole(project):
    """The packages are looked for beside the module and nowhere else."""
    alone = project / "alone"
    alone.mkdir()
    shutil.copy(ROOT / "maskaudit.py", alone)
    done = run(sys.executable, "maskaudit.py", cwd=alone, env={"PYTHONPATH": str(project)})
    assert done.returncode == 2
    assert done.stderr == (
        f"maskaudit: {alone / 'audit'} is missing, this installation is not whole: "
        "install it again\n"
    )


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


def test_pytest_in_a_project_with_an_audit_folder_is_the_same_with_and_without_us(tmp_path):
    """The project's tests find the project's package, and our plugin is listed and no more."""
    write_tests_of_a_project(tmp_path)
    pytest_v = ("-m", "pytest", "-v", "-p", "no:randomly", "-p", "no:cacheprovider")
    with_us = run(sys.executable, *pytest_v, cwd=tmp_path)
    # The tests run on an editable install, which is one folder on the path: without it we are gone.
    hide = (
        "import sys, runpy; sys.path.insert(0, '');"
        "sys.path[:] = [p for p in sys.path if p != sys.argv[1]];"
        "sys.argv[1:2] = ['-p', 'no:maskaudit']; sys.argv[0] = 'pytest';"
        "import pytest; sys.exit(pytest.main())"
    )
    without = run(sys.executable, "-c", hide, str(ROOT), *pytest_v[2:], cwd=tmp_path)
    assert with_us.returncode == without.returncode == pytest.ExitCode.TESTS_FAILED
    assert outcomes(with_us.stdout) == outcomes(without.stdout)
    assert "test_own.py::test_own PASSED" in with_us.stdout
    lines = with_us.stdout.replace(str(ROOT), "").splitlines()
    assert not [line for line in lines if "maskaudit" in line and not line.startswith("plugins:")]


def test_modules_in_a_plain_folder_of_our_name_stay_importable(tmp_path):
    """Python prefers our package to a folder without `__init__.py`; ours is extended by it."""
    for name in ("audit", "probes", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ledger.py").write_text(f"OWNER = {name!r}\n")
        (tmp_path / f"test_{name}.py").write_text(
            f"from {name} import ledger\ndef test_own(): assert ledger.OWNER == {name!r}\n"
        )
    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "3 passed" in done.stdout


@pytest.mark.parametrize("module", ["maskaudit", "audit", "audit.errors", "probes.schema"])
def test_modules_that_everybody_imports_load_neither_torch_nor_pandas(module, tmp_path):
    """They are imported by every command, `--help` included."""
    code = f"import sys, {module}; print({{'pandas', 'torch', 'transformers'}} & set(sys.modules))"
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_importing_the_way_in_loads_none_of_our_packages(tmp_path):
    """Only `main` does: whoever imports the module for another reason notices nothing."""
    code = "import sys, maskaudit; print({'audit', 'probes', 'reports'} & set(sys.modules))"
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_every_module_that_judges_is_under_the_contract_that_keeps_torch_away():
    """A module of `audit` is named in the contract, or here as one that measures or starts."""
    measure_or_start = {"cli", "fill", "manifest", "models", "phantom", "pipeline", "plan", "score"}
    measure_or_start |= {"published", "pytest_plugin", "reader", "reads", "selftest"}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["id"] == "judging-without-models"
    )
    named = {name.split(".")[1] for name in contract["source_modules"] if name.startswith("audit.")}
    modules = [path for path in (ROOT / "audit").iterdir() if path.suffix == ".py" or path.is_dir()]
    there = {path.stem for path in modules if not path.name.startswith(("_", "."))}
    assert there - measure_or_start == named - {"phantom"}
