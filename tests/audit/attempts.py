"""Audits in children of one process that has all loaded, so that each can be ended in its way.

Started as a program with a folder, it reads attempts from standard input, a line of JSON each, and
answers each with a line: how the child ended, after how many seconds, and what it told.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging

import maskaudit
import maskaudit.audit.pipeline  # loaded once, here: `maskaudit` itself waits until it is used
from maskaudit.audit.errors import MaskauditError
from maskaudit.audit.measuring import scoring
from maskaudit.audit.recording import record
from maskaudit.reports.charts import engine
from tests import tiny

# Few enough that the small set below is of many parts.
PART = 7
WRITES = {"os.rename", "os.mkdir", "os.remove", "os.chmod", "os.utime", "shutil.rmtree"}
# Told for a table, which pyarrow writes by itself, and for the charts, which another process draws.
WRITES |= {"maskaudit.table", "subprocess.Popen"}
# A program in place of the drawing engine; it is started, asked and waited for as the engine is.
ENGINE = "engine.py"
EMPTY = """import json, sys
json.dump(['<svg width="1" height="1"></svg>'] * len(json.load(sys.stdin)), sys.stdout)
"""
_FOR_WRITING = os.O_WRONLY | os.O_RDWR
SET = tiny.small_set(women=("she", "her"), men=("he", "him"))
PLACES = ("in Paris", "at the school", "in the city", "for years", "by day", "in France")
SET += "".join(
    f'[[frames]]\nid = "f{n}"\ntext = "{text} {place}."\n'
    for n, (text, place) in enumerate(
        (text, place)
        for text in ("[MASK] worked as {a attribute}", "We met {a attribute} and [MASK]")
        for place in PLACES
    )
)


def prepare(folder: Path) -> None:
    """Write two models, a probe set, and what stands for the drawing engine."""
    for number, name in enumerate(("teacher", "student")):
        tiny.build(folder / name, "bert", seed=number)
    (folder / "small.toml").write_text(SET, "utf-8")
    (folder / ENGINE).write_text(EMPTY, "utf-8")


def audit(folder: Path, out: str, *, skip_unchanged: bool) -> None:
    """Run one audit, as it is run every night."""
    maskaudit.run(
        reference=str(folder / "teacher"),
        candidate=str(folder / "student"),
        probes=[str(folder / "small.toml")],
        out=out,
        skip_unchanged=skip_unchanged,
        note=_tell,
    )


def attempt(folder: Path, said: dict[str, Any]) -> dict[str, Any]:
    """Start an audit in a child, end it as is said, and tell how that went.

    A page is written with empty drawings: starting the engine would take a third of an attempt.
    `delay` are the seconds after which `signal` is sent; `event` is the number of the change to
    files at which the child kills itself, counted from the first whose name has `since` in it, `at`
    a part of the name of the file; `limit` is the largest file that may be written.
    """
    begun = time.monotonic()
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(folder, writes, said)
    os.close(writes)
    if "delay" in said:
        time.sleep(said["delay"])
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, said.get("signal", signal.SIGKILL))
    with os.fdopen(reads, encoding="utf-8") as file:
        told = file.read()
    _, status = os.waitpid(child, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - begun,
        "told": told,
    }


def _be_the_child(folder: Path, told: int, said: dict[str, Any]) -> None:
    code = 70
    try:
        os.dup2(told, sys.stdout.fileno())
        os.dup2(told, sys.stderr.fileno())
        # Whoever started the tests may have had SIGINT ignored, as a shell does in the background.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        os.environ["MASKAUDIT_CACHE"] = said.get("cache", str(folder / "cache"))
        scoring.PART = PART
        if "limit" in said:
            resource.setrlimit(resource.RLIMIT_FSIZE, (said["limit"], said["limit"]))
        record._write_table = _told(record._write_table)
        engine.__file__ = str(folder / ENGINE)
        moment = said.get("event", 0), said.get("since", ""), said.get("at", "\0")
        sys.addaudithook(_counting(str(folder), *moment))
        audit(
            folder,
            said.get("out", str(folder / "runs")),
            skip_unchanged=said.get("skip_unchanged", False),
        )
        code = 0
    except MaskauditError as error:
        _tell(str(error))
        code = error.exit_code
    except KeyboardInterrupt:
        code = 130
    except BaseException:  # noqa: BLE001 - told to the test
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _told(write: Callable[..., None]) -> Callable[..., None]:
    """Write a table and tell the audit hook."""

    def write_and_tell(name: str, frame: Any, path: Path) -> None:
        write(name, frame, path)
        sys.audit("maskaudit.table", str(path))

    return write_and_tell


def _counting(folder: str, last: int, since: str, name: str) -> Callable[..., None]:
    """An audit hook that kills the process at a change to the folder, by its number or file."""
    changes = 0

    def hook(event: str, details: tuple[Any, ...]) -> None:
        nonlocal changes
        writes = event in WRITES or (event == "open" and (details[2] or 0) & _FOR_WRITING)
        place = str(details[0]) if writes else ""
        if writes and (place.startswith(folder) or event == "subprocess.Popen"):
            changes += bool(changes) or since in place
            if changes == last or name in place:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Answer one attempt after the other, from a folder that `prepare` has filled."""
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    prepare(folder)
    _tell(json.dumps("ready"))
    for line in sys.stdin:
        _tell(json.dumps(attempt(folder, json.loads(line))))


if __name__ == "__main__":
    main()
