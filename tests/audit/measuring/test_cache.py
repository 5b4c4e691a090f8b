"""Scores that are kept: given back as they were, or not at all, and never a reason to fail."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.cached import cache
from maskaudit.audit.measuring.cached.cache import MIB, Cache
from maskaudit.audit.recording.rows import tables
from tests import strategies

ROOT = Path(__file__).resolve().parents[3]


def found(size: int = 3, **scores: list) -> dict[str, pd.DataFrame]:
    """Return the three tables with a row or more in each, missing numbers among them."""
    text = [f"item {number}" for number in range(size)]
    rows = {"item": text, "value": [-1 / 3] * size, "rank": [None] * size, "status": ["ok"] * size}
    return {
        "scores": tables.table("scores", rows | scores),
        "paired": tables.table("paired", []),
        "fills": tables.table("fills", [{"token": '\x00"\n', "probability": 5e-324}]),
    }


def same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame] | None) -> bool:
    """Return whether both are the same tables, value for value and type for type."""
    assert other is not None
    for name in cache.TABLES:
        pd.testing.assert_frame_equal(one[name], other[name], check_exact=True)
    return True


class Kept:
    """A cache of a test, with what it told."""

    def __init__(self, folder: Path, most: int = MIB) -> None:
        self.notes: list[str] = []
        self.folder = folder
        self.cache = Cache(folder, most, self.notes.append)

    @property
    def files(self) -> list[Path]:
        """Return what lies in the folder, the least recently used first."""
        there = self.folder.iterdir() if self.folder.is_dir() else []
        return sorted(there, key=lambda path: path.stat().st_mtime_ns)


@pytest.fixture
def kept(tmp_path):
    """Give an empty cache."""
    return Kept(tmp_path / "a" / "scores")


# --- Written and read -----------------------------------------------------------------------------


def test_an_entry_is_read_as_it_was_written(kept):
    """By this process or a later one; another key has none."""
    assert kept.cache.read("one") is None
    kept.cache.write("one", found())
    assert same(found(), kept.cache.read("one"))
    assert same(found(), Kept(kept.folder).cache.read("one"))
    assert kept.cache.read("two") is None
    assert (kept.cache.lookups, kept.cache.hits) == (3, 1)
    assert kept.notes == []


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=strategies.SCORES)
@pytest.mark.slow
def test_any_scores_are_read_as_they_were_written(tmp_path_factory, rows):
    """Infinities, subnormals, any text; and none at all."""
    columns = {"item": [r[0] for r in rows], "value": [r[1] for r in rows]}
    more = {"rank": [r[2] for r in rows], "status": ["ok"] * len(rows)}
    tables_of = found() | {"scores": tables.table("scores", {**columns, **more})}
    one = Kept(tmp_path_factory.mktemp("cache")).cache
    one.write("key", tables_of)
    assert same(tables_of, one.read("key"))


def test_the_cache_is_its_owner_s_alone(kept):
    """The sentences of a user's own probe sets are nobody else's business."""
    kept.cache.write("one", found())
    assert kept.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in kept.files} == {0o600}


# --- Damaged --------------------------------------------------------------------------------------


def flipped(data: bytes, place: int) -> bytes:
    """Return the bytes with one bit of one of them changed."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGE = {
    "empty": lambda data: data[:0],
    "cut in its checksum": lambda data: data[:20],
    "cut at the end": lambda data: data[:-1],
    "half": lambda data: data[: len(data) // 2],
    "longer": lambda data: data + b" ",
    "checksum changed": lambda data: flipped(data, 0),
    "middle changed": lambda data: flipped(data, len(data) // 2),
    "last byte changed": lambda data: flipped(data, len(data) - 1),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.slow
def test_a_damaged_entry_is_deleted_told_and_never_read(kept, damage):
    """One bit is enough; the entry beside it is read, and the same key can be kept again."""
    kept.cache.write("one", found())
    kept.cache.write("two", found(5))
    [file] = kept.folder.glob("one*")
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    assert kept.cache.read("one") is None
    assert kept.notes == [f"{file}: this cache entry is damaged; its sentences are scored again"]
    assert not file.exists()
    assert same(found(5), kept.cache.read("two"))
    kept.cache.write("one", found())
    assert same(found(), kept.cache.read("one"))


def test_an_entry_with_other_columns_is_damaged_too(kept, monkeypatch):
    """Whole by its checksum, and yet not the tables of this version."""
    with monkeypatch.context() as patch:
        patch.setattr(tables, "check", lambda _name, frame: frame)
        kept.cache.write("one", found() | {"fills": pd.DataFrame({"word": ["a"]})})
    assert kept.cache.read("one") is None
    assert "damaged" in kept.notes[0]


# --- Room -----------------------------------------------------------------------------------------


def used_at(path: Path, moment: float) -> None:
    """Say when an entry was last used."""
    os.utime(path, (moment, moment))


@pytest.mark.slow
def test_what_was_not_used_for_longest_goes_first(tmp_path):
    """Reading counts as use; the cache never holds more than it may."""
    probe = Kept(tmp_path / "probe")
    probe.cache.write("x", found())
    size = probe.files[0].stat().st_size
    kept = Kept(tmp_path / "scores", most=3 * size + size // 2)
    for number, key in enumerate("abc"):
        kept.cache.write(key, found())
        used_at(kept.folder / f"{key}{cache.SUFFIX}", 1000.0 + number)
    assert same(found(), kept.cache.read("a"))
    kept.cache.write("d", found())
    assert {path.stem for path in kept.files} == {"a", "c", "d"}
    for number in range(20):
        kept.cache.write(f"e{number}", found())
        assert cache.contents(kept.folder).size <= 3 * size + size // 2
    assert same(found(), kept.cache.read("e19"))
    assert kept.notes == []


def test_an_entry_that_fits_nowhere_is_not_kept_and_drives_nothing_out(tmp_path):
    """It would be deleted before it is read."""
    probe = Kept(tmp_path / "probe")
    probe.cache.write("x", found())
    kept = Kept(tmp_path / "scores", most=2 * probe.files[0].stat().st_size)
    kept.cache.write("one", found())
    kept.cache.write("large", found(20_000, value=list(range(20_000))))
    assert [path.stem for path in kept.files] == ["one"]


def test_what_a_killed_run_left_half_written_goes_after_a_day(kept):
    """Another run may be writing the younger one at this moment."""
    kept.folder.mkdir(parents=True)
    old, young = (kept.folder / f"{cache.UNFINISHED}{name}" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half")
    used_at(old, time.time() - 25 * 3600)
    kept.cache.write("one", found())
    assert not old.exists()
    assert young.exists()
    assert cache.contents(kept.folder).entries == 1
    assert cache.clear(kept.folder).entries == 1
    assert kept.files == []


def test_clearing_leaves_what_is_not_ours(kept):
    """A folder that was named by mistake keeps its files."""
    kept.cache.write("one", found())
    (kept.folder / "thesis.tex").write_text("mine")
    before = cache.contents(kept.folder)
    assert cache.clear(kept.folder) == before
    assert before.entries == 1
    assert [path.name for path in kept.files] == ["thesis.tex"]
    assert cache.clear(kept.folder / "none").entries == 0


# --- Where nothing can be kept --------------------------------------------------------------------


def test_a_cache_that_cannot_be_written_is_one_note_and_no_error(tmp_path):
    """A file stands where its folder would be, whoever asks."""
    (tmp_path / "file").write_text("mine")
    kept = Kept(tmp_path / "file" / "scores")
    for key in "abc":
        assert kept.cache.read(key) is None
        kept.cache.write(key, found())
    [note] = kept.notes
    assert note.startswith(f"{kept.folder}: scores cannot be cached (Not a directory)")
    assert "cannot be resumed; set MASKAUDIT_CACHE to another folder" in note
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.slow
def test_a_full_disk_is_one_note_and_leaves_nothing_half_written(tmp_path):
    """A real limit, in a process of its own; what was kept before is still read."""
    before = Kept(tmp_path / "scores")
    before.cache.write("old", found())
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from tests.audit.measuring import test_cache as t\n"
        "kept = t.Kept(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "for key in 'ab': kept.cache.write(key, t.found(5000, value=list(range(5000))))\n"
        "print(len(kept.notes), 'File too large' in kept.notes[0])\n"
        "print(t.same(t.found(), kept.cache.read('old')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "scores")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("1 True\nTrue\n", "")
    assert [path.stem for path in before.files] == ["old"]


@pytest.mark.slow
def test_two_runs_that_keep_the_same_entries_leave_them_whole(tmp_path):
    """Real processes; each entry is there once, and can be read at any moment."""
    code = (
        "import sys; from pathlib import Path; from tests.audit.measuring import test_cache as t\n"
        "kept = t.Kept(Path(sys.argv[1]))\n"
        "for number in range(18):\n"
        "    kept.cache.write(f'{number % 6}', t.found(50))\n"
        "    assert t.same(t.found(50), kept.cache.read(f'{(number + 3) % 6}') or t.found(50))\n"
        "assert kept.notes == [], kept.notes\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "scores")]
    both = [
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [one.communicate()[1] for one in both] == ["", ""]
    kept = Kept(tmp_path / "scores")
    assert len(kept.files) == 6
    for number in range(6):
        assert same(found(50), kept.cache.read(str(number)))


# --- The place ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "caches", "home", "expected"),
    [
        ("/a/b", "/c", "/d", "/a/b"),
        ("", "/c", "/d", "/c/maskaudit/scores"),
        ("", "", "/d", "/d/.cache/maskaudit/scores"),
        ("", "not/absolute", "/d", "/d/.cache/maskaudit/scores"),
        ("~/x", "/c", "/d", "/d/x"),
    ],
)
def test_the_place_is_where_the_user_s_caches_are(monkeypatch, said, caches, home, expected):
    """As the XDG base directories say, unless a variable of our own says otherwise."""
    for name, value in (("MASKAUDIT_CACHE", said), ("XDG_CACHE_HOME", caches), ("HOME", home)):
        monkeypatch.setenv(name, value)
    assert cache.default_folder() == Path(expected)


def test_a_user_without_a_home_is_told_which_variable_to_set(monkeypatch):
    """As in a container whose user has no entry."""

    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("MASKAUDIT_CACHE")
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(InputError, match="no home folder for a cache; set MASKAUDIT_CACHE"):
        cache.default_folder()


def test_the_tests_never_touch_the_user_s_own_cache():
    """Whatever a test runs keeps its scores in a folder of the test."""
    assert not cache.default_folder().exists()
    assert not cache.default_folder().is_relative_to(Path.home() / ".cache")
