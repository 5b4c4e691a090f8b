"""A gates.toml that cannot be read as ours fails in pytest, in `run` and in `gate`, alike."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from maskaudit.audit.cli import main
from maskaudit.audit.errors import InputError
from maskaudit.audit.judging import policy
from maskaudit.audit.texts import gates_file

pytest_plugins = ["pytester"]

GATE = 'id = "x"\nrule = "bound"\nbound = 1\nreason = "of a test"\n'
WAIVER = '[[waiver]]\ngate = "x"\nowner = "Ann"\nreason = "soon"\nuntil = 2027-01-01\n'
# Every way in which a gates.toml of ours was met that cannot be read as one.
FAULTY = {
    "misspelt keys": '[[gate]]\nid="x"\nrul="bound"\nmargn=0.01\nreason="r"\n',
    "only id and reason": '[[gate]]\nid = "x"\nreason = "r"\n',
    "a misspelt table": f"[[gates]]\n{GATE}",
    "one table and no list": f"[gate]\n{GATE}",
    "a swapped table": f"[[gaet]]\n{GATE}",
    "capitals": f"[[Gate]]\n{GATE}",
    "an empty list": "gate = []\n",
    "a number": "gate = 3\n",
    "only waivers": WAIVER,
    "only a policy": "[policy]\nlongest_waiver = 9\n",
    "no TOML": "not TOML [[gate]]\n",
    "half of a file": "[[gate]]\nid = ",
    "nested too deeply": f"x = {'[' * 9000}{']' * 9000}\n",
    "Latin-1": f"[[gate]]\n{GATE}# caf\xe9\n".encode("latin-1"),
    "UTF-16": f"[[gate]]\n{GATE}".encode("utf-16"),
    "UTF-16 without a mark": f"[[gate]]\n{GATE}".encode("utf-16-le"),
    "zero bytes": bytes(40),
}
NAMES = ["Gates.toml", "GATES.TOML", "gates.Toml"]
NO_FILES = {
    "a folder": lambda path: path.mkdir(),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a folder": lambda path: path.symlink_to("."),
}
CASES = [
    *(pytest.param("gates.toml", content, id=name) for name, content in FAULTY.items()),
    *(pytest.param(name, f"[[gate]]\n{GATE}", id=name) for name in NAMES),
    *(pytest.param("gates.toml", make, id=name) for name, make in NO_FILES.items()),
]
# Keys of a tool for circuits; none is one of ours but for two edits.
FOREIGN = {
    "a table": "[circuit]\ninputs = 2\noutputs = 1\n",
    "a list": "[[circuit]]\nkind = 'nand'\nx = 1\n",
    "nothing": "",
    "only comments": "# gate\n",
}


@pytest.fixture(scope="module", autouse=True)
def _imported():
    """Import what is used before pytester runs: it forgets imports, and numpy allows but one."""
    for name in ("audit.pipeline", "audit.preview", "audit.running.pytest_plugin"):
        import_module(f"maskaudit.{name}")


def lay(folder, name, content):
    """Put what a case is about into a folder."""
    path = Path(folder) / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def command(monkeypatch, tmp_path, capsys):
    """Give a function that runs a command in a folder, and returns its code and its lines."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["maskaudit", *map(str, arguments)])
        code = main._exit_code()
        out, err = capsys.readouterr()
        return code, out + err

    return run


def tried(pytester, *options):
    """Run pytest in its folder, beside a test that passes, in this process."""
    pytester.makepyfile("def test_ok(): pass")
    return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", *options)


def test_pytest_fails(pytester):
    """Beside a passing test, which ended the session with 0 before; in one session, to be quick."""
    files = []
    for number, case in enumerate(CASES):
        name, content = case.values
        files.append(lay(pytester.mkdir(f"case{number}"), name, content))
    result = tried(pytester)
    result.assert_outcomes(errors=len(CASES))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    text = result.stdout.str()
    for file in files:
        assert f"\n{file}: " in text
    assert "Traceback" not in text


@pytest.mark.parametrize(("name", "content"), CASES)
def test_run_and_gate_fail_before_anything_is_scored(command, tmp_path, name, content):
    """With one line a fault, exit code 2, and nothing written; `--plan` does not wait for it."""
    lay(tmp_path, name, content)
    before = sorted(tmp_path.iterdir())
    for arguments in (["run"], ["run", "--plan"], ["gate", "record"]):
        code, text = command(*arguments)
        assert code == 2
        assert all(line.startswith(f"maskaudit: {name}: ") for line in text.splitlines()), text
        assert text
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("name", "content"), CASES)
def test_one_function_finds_it_and_another_refuses_it(tmp_path, name, content):
    """These two are what the doors have in common."""
    path = lay(tmp_path, name, content)
    assert gates_file.find(tmp_path) == path
    with pytest.raises(InputError):
        policy.read(path)


def test_another_tools_file_is_left_alone_and_named(pytester):
    """The session goes on, and says so."""
    for number, content in enumerate(FOREIGN.values()):
        folder = pytester.mkdir(f"case{number}")
        lay(folder, "gates.toml", content)
        assert gates_file.find(folder) is None
    lay(pytester.path, "gates.toml", FOREIGN["a table"])
    result = tried(pytester)
    result.assert_outcomes(passed=1)
    folders = ["case0/", "case1/", "case2/", "case3/", ""]
    result.stdout.fnmatch_lines([f"{folder}gates.toml: not ours, left alone" for folder in folders])


@pytest.mark.slow
def test_the_processes_of_xdist_tell_what_they_left_alone(pytester):
    """The one that prints collects nothing itself."""
    lay(pytester.mkdir("inner"), "gates.toml", FOREIGN["a table"])
    pytester.makepyfile("def test_ok(): pass")
    result = pytester.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=1)
    assert result.stdout.str().count("inner/gates.toml: not ours, left alone") == 1


@pytest.mark.parametrize("beside", ["AUDIT.toml", "audit.toml", "baseline"])
def test_beside_what_is_ours_no_file_is_another_tools(pytester, beside):
    """A project that audits has no other tool's gates.toml."""
    lay(pytester.path, "gates.toml", FOREIGN["a table"])
    (pytester.path / beside).mkdir()
    tried(pytester).assert_outcomes(errors=1)
    assert gates_file.find(pytester.path) is not None


def test_what_is_named_on_the_command_line_is_collected(pytester):
    """Whoever names it means it."""
    lay(pytester.path, "gates.toml", FOREIGN["a table"])
    result = tried(pytester, "gates.toml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*gates.toml: line 1: circuit: is not a known key*"])


def test_what_pytest_is_told_to_ignore_is_ignored(pytester):
    """A link to nothing too, which pytest would not look at."""
    lay(pytester.path, "gates.toml", NO_FILES["a link to nothing"])
    tried(pytester, "--ignore=gates.toml").assert_outcomes(passed=1)


def test_a_test_in_a_folder_of_that_name_is_run_where_it_is_named(pytester):
    """The folder is an error, and no obstacle to what is in it."""
    folder = pytester.mkdir("gates.toml")
    (folder / "test_inner.py").write_text("def test_ok(): pass")
    tried(pytester).assert_outcomes(errors=1)
    tried(pytester, "gates.toml/test_inner.py").assert_outcomes(passed=1)


def test_every_key_of_a_policy_is_one_of_the_keys():
    """Kept by hand in a module that pytest may import; the models say what they have to be."""

    def keys(model):
        for name, field in model.model_fields.items():
            yield name
            for part in (policy.Gate, policy.Waiver, policy.Select, policy._Limits):
                if part.__name__ in repr(field.annotation):
                    yield from keys(part)

    assert set(keys(policy._File)) == gates_file.KEYS


@pytest.mark.parametrize("key", sorted(gates_file.KEYS - {"id"}))
def test_two_edits_do_not_make_a_key_another_tools(tmp_path, key):
    """Letters dropped, doubled, swapped or replaced; in a table of a table too."""
    for wrong in (
        key[1:], key[:-2], f"{key}xx", key[0] + key, key[1] + key[0] + key[2:], f"zz{key[2:]}",
        key.upper(), key,
    ):  # fmt: skip
        (tmp_path / "gates.toml").write_text(f"[[a1b2c3d4e5]]\nxxxxxxxxxxxx.{wrong} = 1\n")
        assert gates_file.find(tmp_path), wrong
    (tmp_path / "gates.toml").write_text(f"[a1b2c3d4e5]\nzzz{key}zz = 1\n")
    assert gates_file.find(tmp_path) is None
