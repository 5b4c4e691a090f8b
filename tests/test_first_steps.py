"""The commands of the documents run as they are typed, in order, and print what is shown."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOW_TO = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/how_to/*.md"))
# In a clone; beside a clone; in a project that was audited.
IN_CLONE, BESIDE_CLONE, IN_PROJECT = "maskaudit", "", "project"
STARTS = {
    "README.md": IN_CLONE,
    "docs/tutorial.md": BESIDE_CLONE,
    "docs/how_to/gate_in_ci.md": "empty",
    **{page: IN_PROJECT for page in HOW_TO if page != "docs/how_to/gate_in_ci.md"},
}
FENCE = re.compile(r"```(\w*)")
NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
# A file to save begins with its name: `# my_probes/clinic.toml`.
SAVED = re.compile(r"# ([\w./-]+\.(?:toml|yml|yaml|md))")
CODE = re.compile(r"#.*exit code (\d+)")
# What a document shows in place of what differs from run to run.
ELISION = "…"
# Begins the line that says which block a command was of, and how it ended; no program prints it.
ENDED = "\x1e"
GATES = """\
[[gate]]
id = "no-worse-than-the-teacher"
rule = "non_inferiority"
margin = 2
reason = "no change of the bundled pair is so large"
"""


@dataclass(frozen=True)
class Block:
    """A fenced block of a document: its language, text, first line, and why it is not run."""

    language: str
    text: str
    line: int
    reason: str

    @property
    def commands(self) -> list[str]:
        """What is typed, a command each; a line that ends with a backslash goes on."""
        return [line for line in self.text.replace("\\\n", " ").splitlines() if line.strip()]


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a document, in order."""
    found: list[Block] = []
    lines = (ROOT / page).read_text("utf-8").splitlines()
    reason, opened, body = "", None, []
    for number, line in enumerate(lines, 1):
        fence = FENCE.match(line)
        if opened is not None:
            if line == "```":
                found.append(Block(opened[0], "\n".join(body), opened[1], reason))
                opened, body, reason = None, [], ""
            else:
                body.append(line)
        elif fence:
            opened = (fence[1], number)
        elif line.strip():
            mark = NOT_RUN.fullmatch(line.strip())
            reason = mark[1] if mark else ""
    return found


def shell(page: str) -> list[Block]:
    """Return the blocks of a document that are typed into a shell."""
    return [block for block in blocks(page) if block.language == "sh"]


LEFT_OUT = [(page, block) for page in STARTS for block in shell(page) if block.reason]
RUN = [page for page in STARTS if any(not block.reason for block in shell(page))]


@pytest.mark.parametrize(
    ("page", "block"), LEFT_OUT, ids=[f"{page}:{block.line}" for page, block in LEFT_OUT]
)
def test_a_block_that_is_not_run_says_why(page: str, block: Block) -> None:
    """The summary of the tests lists them all, each with its reason."""
    assert len(block.reason.split()) > 2
    pytest.skip(f"{page}, line {block.line}: {block.reason}")


def test_the_pages_that_users_follow_have_commands_that_are_run() -> None:
    """Otherwise the test below would hold nothing."""
    assert {"README.md", "docs/tutorial.md", "docs/how_to/gate_in_ci.md"} <= set(RUN)
    assert sum(not block.reason for page in RUN for block in shell(page)) > 25


# --- A place to type -----------------------------------------------------------------------------


def terminal(home: Path, *, activated: bool = False) -> dict[str, str]:
    """Return the environment of somebody who opens a terminal; the cache of scores is in `home`."""
    programs = str(Path(sys.prefix) / "bin")
    path = [part for part in os.environ["PATH"].split(os.pathsep) if part != programs]
    threads = {name: text for name, text in os.environ.items() if name.endswith("_THREADS")}
    return {
        "PATH": os.pathsep.join([programs, *path] if activated else path),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "HF_HUB_OFFLINE": "1",
        **threads,
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two records, the newer with its page, as audits leave it."""
    home = tmp_path_factory.mktemp("audited")
    records = ROOT / "examples" / "versions" / "records"
    for name in ("seed-1", "seed-2"):
        shutil.copytree(records / name, home / "runs" / name)
    subprocess.run(
        ["maskaudit", "report"],  # noqa: S607
        cwd=home,
        env=terminal(home, activated=True),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return home / "runs"


@pytest.fixture
def places(runs: Path, tmp_path: Path) -> Path:
    """Return a folder with a clone that make has set up, a project, both audited, and no project.

    The environment of the clone is the one of the tests, and nothing is newer than it, so that make
    sets up no other.
    """
    environment = Path(sys.prefix)
    if not (environment / "bin" / "activate").is_file() or not (environment / ".models").is_file():
        pytest.skip("the environment of the tests was not set up by make")
    clone = tmp_path / "maskaudit"
    shutil.copytree(ROOT / "examples", clone / "examples")
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "hashes.txt"):
        shutil.copy(ROOT / name, clone)
        os.utime(clone / name, (0, 0))
    (clone / ".venv").symlink_to(environment)
    (clone / "audit").symlink_to(ROOT / "audit")
    project = tmp_path / "project"
    for audited in (clone, project):
        shutil.copytree(runs, audited / "runs")
    (project / "AUDIT.toml").write_text('[probes]\nsets = ["occupation-person"]\n')
    (project / "gates.toml").write_text(GATES)
    (tmp_path / "empty").mkdir()
    return tmp_path


def script(page: str) -> Iterator[str]:
    """Yield a document as lines of bash that say after each command how it ended."""
    for block in blocks(page):
        if saved := SAVED.fullmatch(block.text.partition("\n")[0]):
            path = saved[1]
            yield f"mkdir -p $(dirname {path})\ncat >{path} <<'END'\n{block.text}\nEND"
        elif block.language == "sh" and not block.reason:
            for command in block.commands:
                yield command
                # `$?` is kept for the next command.
                yield f"code=$?; printf '{ENDED}%s %s\\n' {block.line} $code; (exit $code)"


def session(page: str, places: Path) -> Iterator[tuple[Block, str, list[int]]]:
    """Type a document into one shell; yield each block, what it printed, and its exit codes."""
    start = STARTS[page]
    file = places / "typed.sh"
    file.write_text("\n".join(script(page)) + "\n", "utf-8")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", file],  # noqa: S607
        cwd=places / start,
        env=terminal(places, activated=start not in {IN_CLONE, BESIDE_CLONE}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    printed: dict[int, str] = {}
    codes: dict[int, list[int]] = {}
    parts = re.split(rf"{ENDED}(\d+) (\d+)\n", done.stdout)
    for text, line, code in zip(parts[0::3], parts[1::3], parts[2::3], strict=False):
        printed[int(line)] = printed.get(int(line), "") + text
        codes.setdefault(int(line), []).append(int(code))
    for block in shell(page):
        if not block.reason:
            yield block, printed.get(block.line, ""), codes.get(block.line, [])


def shown(page: str, block: Block) -> list[str]:
    """Return the lines that a document shows as printed by a block: those of a text right after."""
    found = blocks(page)
    after = found[found.index(block) + 1 :]
    return after[0].text.splitlines() if after and after[0].language == "text" else []


def is_printed(line: str, printed: str) -> bool:
    """Return whether a line is among those printed, however wide its gaps are."""
    parts = [re.escape(" ".join(part.split())) for part in line.split(ELISION)]
    wanted = re.compile(r" ?.*? ?".join(parts))
    return any(wanted.fullmatch(" ".join(own.split())) for own in printed.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_a_document_can_be_typed_from_its_top_to_its_end(page: str, places: Path) -> None:
    """Each command ends with the code that is said beside it, and prints the lines shown below."""
    for block, printed, codes in session(page, places):
        where = f"{page}, line {block.line}:\n{block.text}\n\nprinted:\n{printed}"
        expected = [int(said[1]) if (said := CODE.search(line)) else 0 for line in block.commands]
        assert codes == expected, f"exit codes {codes}, expected {expected}: {where}"
        missing = [line for line in shown(page, block) if not is_printed(line, printed)]
        assert not missing, f"not printed: {missing}: {where}"


def test_what_is_shown_is_found_whatever_its_numbers_and_gaps() -> None:
    """The rule by which a line of a document is one that was printed."""
    printed = "a table  of   4\n  indented: +0.12 nats\n"
    assert is_printed("a table of …", printed)
    assert is_printed("indented: … nats", printed)
    assert not is_printed("a table of", printed)
    assert not is_printed("indented: … kg", printed)
