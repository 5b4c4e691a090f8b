"""The process of a command: closed standard streams, early signals, and memory that runs out."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maskaudit.audit.cli import main, process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="signals and streams as on Unix"),
]

COMMAND = (sys.executable, "-m", "maskaudit")


def with_closed(closed: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose shell has closed some of its standard streams."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_command_does_its_work_with_closed_streams(closed):
    """As cron and daemons start them: it ends with 0, and nothing is said of it."""
    done = with_closed(closed, "probes", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (">&-" not in closed.replace("2>&-", ""))


@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-"])
def test_errors_never_go_to_standard_output(closed, tmp_path):
    """Where JSON is read, for instance."""
    done = with_closed(closed, "gate", str(tmp_path / "none"), "--json")
    assert (done.returncode, done.stdout) == (2, "")


def test_a_closed_standard_input_is_an_empty_one():
    """What reads from it says what it expected."""
    done = with_closed("<&-", "fill", "--input", "-")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("maskaudit: standard input: is empty; expected JSON")


def test_the_number_of_a_closed_stream_is_taken_before_a_file_takes_it(tmp_path):
    """Otherwise what a library prints to it would go into that file."""
    code = (
        "import os, sys; from maskaudit.audit.cli import process; process.begin()\n"
        f"file = open({str(tmp_path / 'table')!r}, 'w'); print(file.fileno() > 2, file=file)\n"
        "os.write(2, b'noise'); sys.stderr.write('noise'); file.close()\n"
    )
    subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&- 2>&-', "sh", sys.executable, "-c", code], check=True
    )
    assert (tmp_path / "table").read_text() == "True\n"


# Sends a signal when a module is about to be imported, as a user does who changes his mind at once.
EARLY = """
import os, sys, maskaudit
class Sender:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Sender())
sys.argv[1:] = ["probes", "list"]
maskaudit.main()
"""
ENDS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
ENDS += [(signal.SIGHUP, 129, "hung up")] if hasattr(signal, "SIGHUP") else []


@pytest.mark.parametrize(
    "module", ["typer", "maskaudit.audit.cli.commands.measuring.run", "maskaudit.probes.loading"]
)
@pytest.mark.parametrize(("number", "code", "word"), ENDS)
def test_a_signal_during_the_imports_is_one_line(module, number, code, word):
    """Be it before the command line is there, or while a command imports what it needs."""
    done = subprocess.run(
        [sys.executable, "-c", EARLY.format(module=module, number=int(number))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    [line] = done.stderr.splitlines()
    assert line.startswith(f"maskaudit: {word}; nothing ")
    assert done.returncode == code


def test_a_hang_up_that_is_ignored_stays_ignored():
    """As under `nohup`: the command does its work."""
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    sending = EARLY.format(module="typer", number=int(signal.SIGHUP))
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{sending}"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "gender-occupation" in done.stdout


def in_this_process(monkeypatch, capsys, error: BaseException) -> tuple[int, str]:
    """Run a command that fails with an error; return its exit code and line."""

    def fails(*_said: object) -> None:
        raise error

    monkeypatch.setattr("maskaudit.audit.authoring.listed_sets.listed_sets", fails)
    monkeypatch.setattr(sys, "argv", ["maskaudit", "probes", "list"])
    code = main._exit_code()
    [line] = capsys.readouterr().err.splitlines()
    return code, line


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        pytest.importorskip("pyarrow").ArrowMemoryError("malloc of size 64 failed"),
        OSError(12, "Cannot allocate memory"),
        ImportError("libtorch.so: failed to map segment from shared object", name="torch"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    ],
    ids=["Python", "pyarrow", "system", "loader", "torch"],
)
def test_memory_that_runs_out_is_one_line_and_no_internal_error(monkeypatch, capsys, error):
    """Whoever says it."""
    code, line = in_this_process(monkeypatch, capsys, error)
    assert (code, line.startswith("maskaudit: out of memory; ")) == (74, True)


@pytest.mark.parametrize(("number", "code", "word"), ENDS[1:])
def test_a_command_that_is_stopped_says_what_is_kept(monkeypatch, capsys, number, code, word):
    """By its signal."""
    stopped = process.Stopped(number)
    assert in_this_process(monkeypatch, capsys, stopped) == (
        code,
        f"maskaudit: {word}; {main.RESUMABLE}",
    )


@pytest.mark.parametrize("gibibytes", [1, 6])
def test_a_page_is_written_under_a_limit_on_address_space(tmp_path, gibibytes):
    """With tables in place of its charts, one note, and no stack of another language."""
    record = Path(__file__).resolve().parents[3] / "examples" / "versions" / "records" / "seed-1"
    page = tmp_path / "page.html"
    limit = f'ulimit -v {gibibytes << 20}; exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", limit, "sh", *COMMAND, "report", str(record), "-o", str(page)],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    [line] = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (0, f"{page}\n")
    assert line.startswith("maskaudit: note: the drawing engine cannot run here (it ended with ")
    text = (tmp_path / "page-details.html").read_text("utf-8")
    assert ("<svg" in text, "contrasts-chart-as-table" in text) == (False, True)
    # The page that people read needs no engine.
    assert "<svg" in page.read_text("utf-8")
