"""Which record a word means, and the one line where it is none or several."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.named import named, shortest

NAMES = ("20260101T000000Z-aa11", "20260102T000000Z-bb22", "20260103T000000Z-cc33")


def write(runs, name, number, content=None):
    """Make what is read of a record to find it: its number, in its `record.json`."""
    folder = runs / name
    folder.mkdir(parents=True)
    told = {"key": "k", "number": number, "created": f"2026-01-0{number % 9 + 1}T00:00:00+00:00"}
    (folder / "record.json").write_text(json.dumps(told) if content is None else content)
    return folder


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Give a folder of three records, numbered 1 to 3, beside which commands are typed."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(NAMES, start=1):
        write(tmp_path / "runs", name, number)
    return tmp_path / "runs"


def found(text, runs):
    """Return the name of the record that a text means where records lie in `runs`."""
    return named(text, lambda: runs).name


def refusal(text, runs):
    """Return the line by which a text is refused."""
    with pytest.raises(InputError) as error:
        named(text, lambda: runs)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("latest", 2), ("latest~0", 2), ("latest~1", 1), ("latest~2", 0),
        ("1", 0), ("3", 2), ("20260102", 1), (NAMES[0], 0),
        ("runs/latest", 2), ("runs/2", 1), ("./runs/20260103", 2), (f"runs/{NAMES[1]}", 1),
    ],
)  # fmt: skip
def test_a_record_is_meant_by_place_number_and_beginning_of_its_name(runs, text, place):
    """In the folder that is named, or in that of the settings."""
    assert found(text, runs) == NAMES[place]


def test_a_path_is_itself_and_the_folder_of_records_is_not_asked_for(runs):
    """As before there were words; even for a record that is called as a word is."""
    for name in ("latest", "2", NAMES[0]):
        write(runs.parent, name, 9)
        assert named(name, lambda: pytest.fail("asked")) == type(runs)(name)
    assert named(str(runs / NAMES[2]), lambda: pytest.fail("asked")) == runs / NAMES[2]


def test_the_order_is_that_of_writing_and_not_of_names(runs):
    """A machine's clock may go backwards, and a record may be called anything."""
    write(runs, "0-named-by-hand", 4)
    assert found("latest", runs) == "0-named-by-hand"
    assert found("0", runs) == "0-named-by-hand"  # no record has the number 0


def test_a_number_comes_before_the_beginning_of_a_name(runs):
    """`2` is record 2, though all three names begin with it; without one it is their beginning."""
    assert found("2", runs) == NAMES[1]
    assert "3 records in" in refusal("20", runs)


def test_what_several_records_may_be_is_refused_with_their_names(runs):
    """At most five of them, so that it stays one line."""
    told = refusal("202601", runs)
    assert all(name in told for name in NAMES)
    for number in range(4, 9):
        write(runs, f"20260109T00000{number}Z-dd44", number)
    told = refusal("2026", runs)
    assert "8 records" in told
    assert "3 more" in told
    write(runs, "copy-of-3", 3)
    assert "2 records" in refusal("3", runs)


@pytest.mark.parametrize(
    "text", ["latest~3", "latest~999999999", "4", "none", "LATEST", "latest~x"]
)
def test_an_unknown_word_is_refused_with_what_there_is_and_what_to_type(runs, text):
    """The newest by name and number, and the command that lists them."""
    told = refusal(text, runs)
    assert told.startswith(f"{text}: no such record")
    for part in ("3 records", NAMES[2], "number 3", "maskaudit list"):
        assert part in told


def test_without_records_it_is_said_how_to_make_one(tmp_path, monkeypatch):
    """Whether the folder is empty or absent; what is no folder is told as such."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    for name in ("empty", "none"):
        assert "maskaudit run makes" in refusal("latest", tmp_path / name)
    for name in ("file", "lost"):
        assert "expected records" in refusal("latest", tmp_path / name)


def test_a_path_that_is_no_record_is_left_to_its_reader_which_says_so(runs, monkeypatch):
    """A folder without a record; but one of records is told what to type instead."""
    (runs.parent / "notes").mkdir()
    for text in (".", "notes", "runs/.."):
        assert named(text, lambda: runs) == type(runs)(text)
    # From a folder inside: above this one lie those of other tests, with their records.
    with monkeypatch.context() as inside:
        inside.chdir(runs.parent / "notes")
        assert named("..", lambda: runs) == type(runs)("..")
    assert "is a folder of records" in refusal("runs", runs)
    assert "runs/latest" in refusal("runs", runs)


def test_a_link_is_never_what_a_word_means(runs):
    """Verdicts and pages would be written where it leads; by its path it can still be used.

    Nor is the record before it the newest: that would answer for another model.
    """
    elsewhere = write(runs.parent / "elsewhere", "linked", 7)
    (runs / "linked").symlink_to(elsewhere)
    for text in ("latest", "7", "linked", "link"):
        assert "is a link in" in refusal(text, runs)
    assert found("latest~1", runs) == NAMES[2]
    assert named("runs/linked", lambda: runs) == type(runs)("runs/linked")


@pytest.mark.parametrize("how", ["broken", "empty"])
def test_the_newest_is_meant_even_if_it_cannot_be_read(runs, how):
    """Its reader refuses it; an older one in its place would answer for the wrong model."""
    folder = write(runs, "20260102T120000Z-dd44", 9, "{")
    if how == "empty":
        (folder / "record.json").unlink()
    assert found("latest", runs) == NAMES[2]
    assert found("latest~1", runs) == folder.name
    newest = folder.rename(runs / "20260104T000000Z-ee55")
    assert found("latest", runs) == newest.name


def test_what_is_not_finished_or_no_record_is_not_counted(runs):
    """A run that is under way, and a folder of something else."""
    write(runs, ".unfinished-x", 10)
    (runs / "notes").mkdir()
    assert found("latest", runs) == NAMES[2]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
@pytest.mark.parametrize("name", ["two\nlines", "\x1b[31mred", "a\u202eb", "\u200b"])
def test_hostile_names_are_told_in_one_line_that_a_terminal_does_not_obey(runs, name):
    """They begin alike, so that both are named."""
    for end in "xy":
        write(runs, f"h{name}{end}", 5)
    told = refusal("h", runs)
    assert told.isprintable()


@given(st.lists(st.text("ab", min_size=1, max_size=5), min_size=1, unique=True))
def test_the_shortest_beginning_is_one_that_no_other_name_has(names):
    """Found by trying every length; of a name that another begins with it is all of it."""
    expected = [
        next(
            (
                name[:n]
                for n in range(1, len(name) + 1)
                if not any(other.startswith(name[:n]) for other in names if other != name)
            ),
            name,
        )
        for name in names
    ]
    assert shortest(names) == expected
