"""The command `serve` as its users meet it: it says where it listens, answers, and ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from maskaudit.audit.cli.commands.tools import serve
from tests import tiny

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="signals as on Unix"),
]

ONE = "She worked as a [MASK] for years."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny model."""
    return tiny.build(tmp_path_factory.mktemp("tiny") / "bert", "bert")


@contextmanager
def served(*words: str | Path, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a server in a process of its own; give it with the address that it printed."""
    command = [sys.executable, "-m", "maskaudit", "serve", "--port", "0", *map(str, words)]
    with subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def asked(url: str, body: object) -> Any:
    """Return the answer to a body."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(  # noqa: S310 - loopback
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with opener.open(request, timeout=30) as response:
        return json.load(response)


def test_a_server_answers_until_ctrl_c_ends_it(model: Path, tmp_path: Path) -> None:
    """It is how it is meant to end: exit code 0, and a line for each request and the end."""
    with served(model, cwd=tmp_path) as (process, url):
        assert url.startswith("http://127.0.0.1:")
        [word] = asked(url, {"input_data": [ONE]})
        assert asked(url, {"inputs": [ONE]}) == {"predictions": [word]}
        # One that has not said what it wants does not keep the server alive.
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2].strip("/")))):
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    *requests, last = err.splitlines()
    assert last == "maskaudit: note: stopped"
    assert [line.rpartition(" 0.")[0] for line in requests] == ["maskaudit: note: POST / 200"] * 2


def test_a_signal_in_the_middle_of_an_answer_is_no_traceback(model: Path, tmp_path: Path) -> None:
    """The answer may be lost; the server ends as ever."""
    body = {"inputs": [f"{ONE} {'good ' * n}" for n in range(40)] * 20}

    def ask(url: str) -> None:
        with suppress(OSError):
            asked(url, body)

    with served("--quiet", model, cwd=tmp_path) as (process, url):
        assert asked(url, {"inputs": ONE})
        thread = threading.Thread(target=ask, args=(url,))
        thread.start()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        thread.join()
    assert (process.returncode, err) == (0, "maskaudit: note: stopped\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--host", "0.0.0.0"), "--host 0.0.0.0: other machines reach this address"),  # noqa: S104
        (("--host", "nowhere.invalid"), "is no address of this machine"),
        (("none",), "model none: "),
    ],
)
def test_what_cannot_be_served_is_one_line(
    command: Callable[..., "subprocess.CompletedProcess[str]"],
    tmp_path: Path,
    words: tuple[str, ...],
    told: str,
) -> None:
    """On standard error, with the code of wrong input."""
    done = command(tmp_path, "serve", *words)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert told in line


def test_a_port_that_another_program_has_is_one_line(
    command: Callable[..., "subprocess.CompletedProcess[str]"], model: Path, tmp_path: Path
) -> None:
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = command(tmp_path, "serve", model, "--port", str(port))
    assert done.returncode == 2
    assert f"cannot listen at 127.0.0.1, port {port}" in done.stderr
    assert "--port 0" in done.stderr


def test_a_traceback_is_kept_for_the_first_error_of_a_kind_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or requests that we cannot answer could fill the disk; each is told in a line."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tell = serve._first_of_each_kind()
    for error in (ValueError("one"), ValueError("two"), KeyError("three")):
        tell(error)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("; ")[0] for line in lines] == [
        "maskaudit: note: internal error (ValueError)",
        "maskaudit: note: internal error (ValueError)",
        "maskaudit: note: internal error (KeyError)",
    ]
    kept = sorted(path.read_text() for path in tmp_path.iterdir())
    assert kept == ["KeyError: 'three'\n", "ValueError: one\n"]
