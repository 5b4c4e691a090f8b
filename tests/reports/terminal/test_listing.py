"""The list of records on a terminal: each with its number and name, at every width."""

import pytest
from rich.cells import cell_len

from maskaudit.audit.history.listing import listing
from maskaudit.audit.judging import verdicts
from maskaudit.reports.terminal import layout
from maskaudit.reports.terminal.listing import lines
from tests.audit.history.folders import write
from tests.reports.verdicts import every


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Give a folder with a judged record, another, a damaged one, and what is none."""
    folder = tmp_path_factory.mktemp("runs")
    verdicts.write(every(), write(folder, 1, sets=("jobs", "people", "days")))
    write(folder, 2, candidate="evil\x1b[31m\u202e" + "x" * 20)
    (write(folder, 3) / "SHA256SUMS").unlink()
    (folder / "notes\u202e\n").mkdir()
    return folder


def printed(runs, width, last=None):
    """Return the list as it is printed."""
    return layout.text_of(list(lines(listing(runs, last), width)))


@pytest.mark.parametrize("width", [40, 80, 200, layout.UNLIMITED])
def test_every_record_has_its_number_name_date_models_sets_and_verdict(runs, width):
    """In short where it is narrow, and never wider than the terminal."""
    text = printed(runs, width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert text.replace("\n", "").isprintable()
    for part in (
        "1  20260102T000000", "2  20260103T000000", "3  20260104T000000", "2026-01-02",
        "student against teacher", "3 sets" if width < 200 else "jobs, people, days",
        "fail" if width < 200 else "1 fail, 1 not measured, 1 inconclusive, 1 warning",
        "not judged", "SHA256SUMS",
    ):  # fmt: skip
        assert part in text
    assert text.index("3  2026") < text.index("2  2026") < text.index("1  2026")
    assert "notes⟨U+202E⟩⟨U+000A⟩" in text


def test_what_is_not_listed_is_counted(runs):
    """The newest of them, and how to see the others."""
    text = printed(runs, 80, last=1)
    assert "The newest 1 of 3 records; more with --last N." in text
    assert "1  2026" not in text


def test_an_empty_folder_says_how_to_make_a_record(tmp_path):
    """One line."""
    assert printed(tmp_path, 80) == "No records here; to make one: maskaudit run"
