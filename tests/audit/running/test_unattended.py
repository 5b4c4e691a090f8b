"""Runs that nobody watches: killed at any moment, on a full disk, two at once, on a wrong clock.

`make chaos` runs the same with many more kills.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

import maskaudit
from maskaudit.audit.cli.commands.tools.cache import cache_clear, cache_info
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.cached import cache
from maskaudit.audit.measuring.cached.cache import Cache
from maskaudit.audit.recording import files
from maskaudit.audit.recording.record import TABLES, load_record
from maskaudit.audit.recording.rows import tables
from tests.audit.attempts import PART

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes as on Unix"),
]

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("MASKAUDIT_KILLS", "4"))


class Attempts:
    """Audits that are started one after the other in a folder of their own."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder, self._process = folder, process

    def __call__(self, **said: object) -> dict:
        """Start one, end it as is said, and return how that went."""
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def records(self, runs: str = "runs") -> list[Path]:
        """Return all that lies in a folder of runs but its lock, hidden or not."""
        folder = self.folder / runs
        there = folder.iterdir() if folder.is_dir() else []
        return sorted(path for path in there if path.name not in {".lock", ".holder"})

    def clear(self) -> None:
        """Forget every record and every score."""
        for name in ("runs", "cache"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attempts]:
    """Give the process that starts audits; it loads its packages once."""
    folder = tmp_path_factory.mktemp("attempts")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.audit.attempts", str(folder)],
        cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert json.loads(process.stdout.readline()) == "ready"
        yield Attempts(folder, process)
        process.stdin.close()


@pytest.fixture(scope="module")
def plain(loaded: Attempts) -> tuple[dict[str, bytes], float]:
    """Return the tables of an audit that nothing happened to, as bytes, and its seconds."""
    done = loaded(out=str(loaded.folder / "plain"), cache=str(loaded.folder / "none"))
    assert (done["code"], done["told"]) == (0, "")
    [folder] = loaded.records("plain")
    return tables_of(folder), done["seconds"]


@pytest.fixture
def attempts(loaded: Attempts, plain: object) -> Attempts:  # noqa: ARG001 - the plain run is first
    """Give the process with neither records nor scores."""
    loaded.clear()
    return loaded


def tables_of(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each table of a record that is whole."""
    load_record(folder)
    return {name: (folder / f"{name}.parquet").read_bytes() for name in TABLES}


def check_whole(folder: Path) -> None:
    """Every item and measure stands once for each model: none is lost, none there twice."""
    found = load_record(folder)
    keys = found.scores[["item", "model", "measure"]]
    assert not keys.duplicated().any()
    assert keys.groupby("model")["item"].agg(set).map(len).tolist() == [
        found.items["item"].nunique()
    ] * len(found.manifest.models)
    assert (found.scores["status"] == "ok").all()


# --- Killed ---------------------------------------------------------------------------------------


def test_a_run_that_is_killed_and_resumed_makes_the_tables_of_one_that_is_not(attempts, plain):
    """SIGKILL, every second time between the first table and the page: one record, and its page.

    The others are at random moments and at random changes of files. All are others in each run; a
    failure shows their seed.
    """
    expected, seconds = plain
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    kills = 0
    while kills < KILLS:
        if kills % 2:
            said = {"event": chance.randrange(1, 16), "since": "contexts.parquet"}
        elif chance.random() < 0.5:
            said = {"delay": chance.uniform(0, 0.7 * seconds)}
        else:
            said = {"event": chance.randrange(1, 42)}
        done = attempts(**said)
        assert done["code"] in {0, -signal.SIGKILL}, (seed, done)
        kills += done["code"] != 0
        assert "damaged" not in done["told"], (seed, done)
        check_at_most_one(attempts, expected, seed)
        if done["code"] == 0:
            check_finished(attempts, seed)
            attempts.clear()
    done = attempts()
    assert done["code"] == 0, (seed, done)
    check_at_most_one(attempts, expected, seed)
    check_finished(attempts, seed)


def check_at_most_one(attempts: Attempts, expected: dict[str, bytes], seed: int) -> None:
    """Whatever was killed: there is no second record, and what is there has the expected tables."""
    whole = [path for path in attempts.records() if not path.name.startswith(".")]
    assert len(whole) <= 1, (seed, whole)
    for path in whole:
        assert tables_of(path) == expected, (seed, path)


def check_finished(attempts: Attempts, seed: int) -> None:
    """One record with its page, and nothing else."""
    [folder] = attempts.records()
    assert (folder / "report.html").read_text("utf-8").endswith("</html>\n"), seed
    check_whole(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_asked_to_end_leaves_nothing_and_goes_on_later(attempts, plain, number):
    """What was scored is kept; the next run takes it, says so, and finds the same.

    A record that is whole and has no page gets its page, and nothing is scored again.
    """
    expected, seconds = plain
    done = attempts(delay=0.5 * seconds, signal=number)
    while done["code"] == 0:  # it was quicker this time
        attempts.clear()
        done = attempts(delay=0.3 * seconds, signal=number)
    assert done["code"] == 130
    assert [path for path in attempts.records() if path.name.startswith(".")] == []
    before = cache.contents(attempts.folder / "cache").entries
    whole = attempts.records() != []  # it was asked between the record and its page
    done = attempts()
    assert done["code"] == 0
    assert ("only its page was missing" in done["told"]) == whole, done
    assert (f"{before} of " in done["told"]) == (before > 0 and not whole), done
    assert tables_of(attempts.records()[-1]) == expected


@pytest.mark.parametrize("skip_unchanged", [True, False])
@pytest.mark.parametrize(
    "moment", [".unfinished-report.html", "python"], ids=["writing", "drawing"]
)
def test_what_was_killed_before_its_page_gets_it_and_is_no_second_record(
    attempts, plain, skip_unchanged, moment
):
    """Asked to reuse records or not, the next run writes the page, and says what it did."""
    expected, _ = plain
    assert attempts(at=moment)["code"] == -signal.SIGKILL
    [folder] = attempts.records()
    assert not (folder / "report.html").exists()
    done = attempts(skip_unchanged=skip_unchanged)
    assert done["code"] == 0
    assert f"{folder.name}: this record is whole, and only its page was missing" in done["told"]
    check_finished(attempts, 0)
    assert tables_of(folder) == expected


def test_skip_unchanged_after_that_does_nothing_more(attempts):
    """And without it there is a second record, as ever."""
    assert attempts()["code"] == 0
    [folder] = attempts.records()
    assert attempts(skip_unchanged=True)["code"] == 0
    assert attempts.records() == [folder]
    assert attempts()["code"] == 0
    assert len(attempts.records()) == 2


def test_a_disk_with_no_room_for_the_page_keeps_one_record_however_often_it_is_tried(
    attempts, plain
):
    """The line says that the record is whole, and how to get its page; the next run makes it."""
    largest = max(map(len, plain[0].values()))
    page = (attempts.folder / "plain").glob("*/details.html")
    limit = (largest + next(page).stat().st_size) // 2
    for _ in range(3):
        done = attempts(limit=limit)
        assert done["code"] == 74, done
        [folder] = attempts.records()
        assert done["told"].splitlines()[-1] == (
            f"{folder / 'details.html'}: cannot write (File too large); the record is whole; its "
            f"page: maskaudit report {folder}"
        )
        assert tables_of(folder) == plain[0]
    assert attempts()["code"] == 0
    check_finished(attempts, 0)


def test_another_process_takes_what_was_kept_and_scores_the_same(attempts, plain, monkeypatch):
    """It has other hashes of text: neither a key nor the order of rows depends on them."""
    assert attempts()["code"] == 0
    monkeypatch.setenv("MASKAUDIT_CACHE", str(attempts.folder / "cache"))
    monkeypatch.setattr(scoring, "PART", PART)
    names = {"reference": "teacher", "candidate": "student", "probes": "small.toml"}
    said = {name: str(attempts.folder / file) for name, file in names.items()}
    notes: list[str] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for no_cache in (False, True):
            found = maskaudit.run(
                **{**said, "probes": [said["probes"]]}, out=attempts.folder / "runs",
                no_cache=no_cache, note=notes.append,
            )  # fmt: skip
            assert tables_of(found.path) == plain[0]
    finally:
        torch.set_num_threads(threads)
    [told] = notes
    taken, parts = re.match(r"(\d+) of (\d+) parts", told).groups()
    assert taken == parts


# --- Disks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [100, 12_000])
def test_a_full_disk_ends_a_run_with_one_line_and_the_next_is_as_ever(attempts, plain, limit):
    """Whatever was being written, a score or a table: nothing half-written stays."""
    done = attempts(limit=limit)
    *notes, line = done["told"].splitlines()
    assert done["code"] == 74
    assert line == f"{attempts.folder / 'runs'}: cannot write (File too large); nothing was saved"
    assert all("cannot be cached (File too large)" in note for note in notes)
    assert len(notes) <= 1
    assert attempts.records() == []
    assert not list((attempts.folder / "cache").glob(".*"))
    done = attempts()
    assert done["code"] == 0, done
    assert "damaged" not in done["told"]
    [folder] = attempts.records()
    assert tables_of(folder) == plain[0]


def mounted(folder: Path, options: str) -> tuple[str, ...]:
    """Return a command that runs another with a file system of its own at the folder."""
    mount = f"mount -t tmpfs -o {options} none {folder} && exec " + '"$@"'
    return ("unshare", "--mount", "sh", "-c", mount, "sh")


WRITE = (
    "import sys; from pathlib import Path; from tests.audit.recording import test_record as t\n"
    "try: t.sealed(Path(sys.argv[1]))\n"
    "except t.CannotWriteError as error: print(error.exit_code, error)\n"
    "print(sorted(p.name for p in Path(sys.argv[1]).iterdir() if p.name != '.lock'))\n"
)


@pytest.mark.parametrize(
    ("options", "reason"),
    [("size=8k", "No space left on device"), ("ro", "Read-only file system")],
    ids=["full", "read-only"],
)
def test_a_disk_that_is_really_full_or_read_only_is_one_line(tmp_path, options, reason):
    """A file system of its own, so that root is refused too."""
    start = mounted(tmp_path, options)
    if not shutil.which("unshare") or subprocess.run([*start, "true"], check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    done = subprocess.run(
        [*start, sys.executable, "-c", WRITE, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    line, left = done.stdout.splitlines()
    assert line == f"74 {tmp_path}: cannot write ({reason}); nothing was saved", done.stderr
    assert left == "[]"


def test_a_cache_that_cannot_be_written_does_not_stop_a_run(attempts, plain):
    """One line says that such a run cannot be resumed."""
    done = attempts(cache="/proc/no/such/place")
    assert done["code"] == 0
    [note] = done["told"].splitlines()
    assert note.startswith("/proc/no/such/place: scores cannot be cached")
    assert tables_of(attempts.records()[0]) == plain[0]


# --- Two at once ----------------------------------------------------------------------------------


def test_two_runs_at_once_on_one_folder_do_not_collide(attempts):
    """The second ends at once and says who holds the folder, and since when."""
    with files.held(attempts.folder / "runs"):
        done = attempts()
    assert done["code"] == 75
    assert f"held by process {os.getpid()} since 2" in done["told"]
    assert attempts.records() == []


# --- The command ----------------------------------------------------------------------------------


@pytest.fixture
def command():
    """Give a function that runs `maskaudit cache ...`."""
    app = typer.Typer()
    app.command("info")(cache_info)
    app.command("clear")(cache_clear)

    def run(*words: str) -> str:
        """Run one command that ends well, and return what it printed."""
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0
        return done.output

    return run


def test_the_cache_can_be_looked_at_and_cleared(command, tmp_path, monkeypatch):
    """Where it is, what it holds and may hold; the file of settings says how much."""
    monkeypatch.setenv("MASKAUDIT_CACHE", str(tmp_path / "scores"))
    monkeypatch.chdir(tmp_path)
    empty = {"folder": str(tmp_path / "scores"), "entries": 0, "bytes": 0, "most_bytes": 2 << 30}
    assert json.loads(command("info", "--json")) == empty
    kept = Cache(tmp_path / "scores", 1 << 20, pytest.fail)
    found = {name: tables.table(name, []) for name in cache.TABLES}
    for key in "ab":
        kept.write(key, found)
    (tmp_path / "AUDIT.toml").write_text("[run]\ncache_mib = 7\n")
    size = sum(path.stat().st_size for path in (tmp_path / "scores").iterdir())
    told = json.loads(command("info", "--json"))
    assert told == {**empty, "entries": 2, "bytes": size, "most_bytes": 7 << 20}
    assert "Entries: 2\n" in command("info")
    assert "of 7 MiB" in command("info")
    assert command("clear").startswith(f"{tmp_path / 'scores'}: 2 entries deleted")
    assert list((tmp_path / "scores").iterdir()) == []
