"""Whom the cache believes: a folder of the user's own, and entries made with the user's key."""

import os
import stat
from pathlib import Path

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.cached import cache, entries, trust
from maskaudit.audit.measuring.cached.cache import MIB, Cache
from maskaudit.audit.measuring.cached.entries import About, DamagedError, OtherKeyError
from tests.audit.measuring.test_cache import found, same

ABOUT = About("part", 2, "AVX2", "software")
KEY, OTHER = b"k" * 32, b"o" * 32

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="users and modes as on Unix")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give a cache of one entry, and a configuration folder without a key but this cache's."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MASKAUDIT_CACHE", str(tmp_path / "scores"))
    Cache(tmp_path / "scores", MIB, pytest.fail).write("one", found(), ABOUT)
    return tmp_path / "scores"


def other_user(monkeypatch, folder: Path) -> None:
    """Make a folder look like another user's; root, who runs some tests, could write to any."""
    real = trust._status

    def status(path: Path) -> os.stat_result | None:
        got = real(path)
        if got is None or path != folder:
            return got
        values = list(got[:10])
        values[stat.ST_UID] = os.getuid() + 1
        return os.stat_result(values)

    monkeypatch.setattr(trust, "_status", status)


# --- The folder -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720, 0o702, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused_with_what_to_type(folder, mode):
    """Group or world; nothing is read, and the command that is told mends it."""
    folder.chmod(mode)
    with pytest.raises(InputError) as told, cache.opened(1, pytest.fail):
        pass
    assert f"{folder}: others may write to this cache (mode {mode:04o})" in str(told.value)
    assert f"chmod go-w {folder}" in str(told.value)
    assert "\n" not in str(told.value)
    folder.chmod(mode & ~0o022)
    with cache.opened(1, lambda _told: None) as opened:
        assert same(found(), opened.read("one"))


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o500, 0o711])
def test_a_folder_that_others_may_at_most_read_is_not(folder, mode):
    """As ssh has it."""
    folder.chmod(mode)
    cache.check(folder)


def test_a_folder_that_is_not_there_yet_is_made_for_its_user_alone(tmp_path):
    """There is nothing to refuse."""
    cache.check(tmp_path / "none")
    Cache(tmp_path / "none", MIB, pytest.fail).write("one", found())
    assert (tmp_path / "none").stat().st_mode & 0o777 == 0o700


def test_another_user_s_folder_is_refused_unless_it_has_an_entry_of_our_key(folder, monkeypatch):
    """With a copy of its owner's key it is read, and never written to."""
    other_user(monkeypatch, folder)
    cache.check(folder)
    shared = Cache(folder, MIB, pytest.fail)
    shared.write("two", found())
    assert [path.name for path in folder.iterdir()] == [f"one{cache.SUFFIX}"]
    assert same(found(), shared.read("one"))
    trust.key_file().unlink()
    with pytest.raises(InputError, match="no entry was signed with your key"):
        cache.check(folder)


# --- The key --------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_for_its_user_alone(folder):
    """In the user's configuration folder; every later use reads the same."""
    file = trust.key_file()
    assert file == folder.parent / "config" / "maskaudit" / "cache.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(trust.user_key()) == 32
    assert trust.user_key() == trust.user_key()
    assert [path.name for path in file.parent.iterdir()] == ["cache.key"]
    file.unlink()
    assert trust.user_key() not in {KEY, OTHER}


@pytest.mark.parametrize(
    ("config", "home", "expected"),
    [("/c", "/d", "/c"), ("", "/d", "/d/.config"), ("not/absolute", "/d", "/d/.config")],
)
def test_the_key_is_where_the_user_s_configuration_is(monkeypatch, config, home, expected):
    """As the XDG base directories say."""
    monkeypatch.setenv("XDG_CONFIG_HOME", config)
    monkeypatch.setenv("HOME", home)
    assert trust.key_file() == Path(expected) / "maskaudit" / "cache.key"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604])
def test_a_key_that_others_may_use_is_refused_with_what_to_type(folder, mode):
    """Whoever can read it can make entries that are believed."""
    trust.key_file().chmod(mode)
    with pytest.raises(InputError, match=rf"mode {mode:04o}\); type  chmod 600"):
        Cache(folder, MIB, pytest.fail).read("one")


@pytest.mark.parametrize("text", ["", "abc", "0" * 62, "z" * 64, "0" * 64 + "\n0", "é" * 32])
def test_a_file_that_is_no_key_is_refused(folder, text):
    """It is not replaced: entries of the lost key would be lost in silence."""
    trust.key_file().write_text(text)
    with pytest.raises(InputError, match="is no key; expected 64 hexadecimal digits"):
        Cache(folder, MIB, pytest.fail).read("one")
    assert trust.key_file().read_text() == text


def test_a_place_where_no_key_can_be_made_is_one_note(tmp_path, monkeypatch):
    """The audit goes on without a cache, as where the folder cannot be written."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    notes: list[str] = []
    kept = Cache(tmp_path / "scores", MIB, notes.append)
    for key in "ab":
        kept.write(key, found())
    [note] = notes
    assert "scores cannot be cached (" in note


# --- Entries --------------------------------------------------------------------------------------


def test_an_entry_of_another_key_is_not_taken_and_stays(folder):
    """It may be somebody else's; the run says how many there were."""
    file = folder / f"one{cache.SUFFIX}"
    before = file.read_bytes()
    trust.key_file().unlink()
    notes: list[str] = []
    with cache.opened(1, notes.append) as opened:
        assert opened.read("one") is None
        assert opened.read("two") is None
    assert file.read_bytes() == before
    [note] = notes
    assert note.startswith("1 of 2 parts in the cache were made with another key than yours")


def test_a_copy_of_the_key_makes_a_folder_of_another_machine_good(folder, tmp_path, monkeypatch):
    """The text of the file is all that has to be copied."""
    text = trust.key_file().read_text()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    assert Cache(folder, MIB, pytest.fail).read("one") is None
    trust.key_file().write_text(text)
    assert same(found(), Cache(folder, MIB, pytest.fail).read("one"))


def test_no_byte_of_an_entry_can_be_changed_and_none_stands_for_another():
    """Neither its tables nor what it was made with, nor its name."""
    data = entries.packed("one", found(), ABOUT, KEY)
    assert same(found(), entries.unpacked("one", data, KEY))
    with pytest.raises(OtherKeyError):
        entries.unpacked("one", data, OTHER)
    with pytest.raises(DamagedError):
        entries.unpacked("two", data, KEY)
    for place in range(0, len(data), 97):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises((DamagedError, OtherKeyError)):
            entries.unpacked("one", changed, KEY)
    for length in range(0, len(data), 211):
        with pytest.raises(DamagedError):
            entries.unpacked("one", data[:length], KEY)


def test_what_an_entry_does_not_hold_as_asked_is_told_and_deleted(folder):
    """Whoever asks says what is wrong with it."""
    notes: list[str] = []
    kept = Cache(folder, MIB, notes.append)
    assert kept.read("one", lambda entry: "" if len(entry["scores"]) == 3 else "is short")
    assert kept.read("one", lambda _entry: "has a row twice") is None
    [note] = notes
    assert note.startswith(f"{folder / f'one{cache.SUFFIX}'}: this cache entry has a row twice; ")
    assert not list(folder.glob(f"*{cache.SUFFIX}"))


def test_the_folder_says_why_its_entries_would_not_be_taken(folder):
    """By threads, processor, versions and key; all that differs of one entry is one reason."""
    kept = Cache(folder, MIB, pytest.fail)
    kept.write("threads", found(), About("part", 4, "AVX2", "software"))
    kept.write("both", found(), About("part", 4, "AVX512", "software"))
    kept.write("old", found(), About("part", 2, "AVX2", "older"))
    kept.write("older", found(), About("other part", 2, "AVX2", "older"))
    foreign = entries.packed("key", found(), ABOUT, OTHER)
    (folder / f"key{cache.SUFFIX}").write_bytes(foreign)
    (folder / f"junk{cache.SUFFIX}").write_bytes(b"junk")
    assert dict(cache.not_taken(folder, ABOUT)) == {
        "4 threads (here 2)": 1,
        "4 threads (here 2) and a processor with AVX512 (here AVX2)": 1,
        "other versions of maskaudit or its libraries": 2,
        "another key than yours": 2,
    }
