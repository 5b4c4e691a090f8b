"""Links in records, baselines and folders of runs: none is followed for writing."""

import os
from dataclasses import replace
from datetime import date

import pytest

from maskaudit.audit.errors import InputError, LockedError
from maskaudit.audit.judging import verdicts
from maskaudit.audit.judging.accepting import baseline
from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording import files
from maskaudit.audit.recording.record import load_record, newest, read_manifest, seal
from tests.reports import records

JUDGEMENT = Judgement("record", "gates.toml", (), (), date(2026, 1, 1))


@pytest.fixture
def victim(tmp_path):
    """Give a file of the user's, outside of everything that is written here."""
    file = tmp_path / "victim.txt"
    file.write_text("mine")
    return file


@pytest.fixture
def sealed(tmp_path):
    """Give a sealed record in a folder of runs."""
    (tmp_path / "runs").mkdir()
    return seal(records.record(), tmp_path / "runs" / ".unfinished", tmp_path / "runs" / "record")


@pytest.mark.parametrize("name", ["verdicts.json", "report.html", "scores.parquet", "notes.txt"])
@pytest.mark.parametrize("is_dangling", [False, True])
def test_a_record_that_holds_a_link_is_refused(sealed, victim, name, is_dangling):
    """Whatever the link is called, and whether or not there is anything behind it."""
    path = sealed.path / name
    if path.exists():
        path.rename(victim)
    if is_dangling:
        victim.unlink()
    path.symlink_to(victim)
    for read in (load_record, read_manifest):
        with pytest.raises(
            InputError, match=rf"{name}: is a link; a record holds its files itself"
        ):
            read(sealed.path)


def test_what_is_written_into_a_record_replaces_a_link(sealed, victim):
    """Verdicts and pages alike: the file behind the link stays as it was."""
    for name in ("verdicts.json", "report.html"):
        (sealed.path / name).symlink_to(victim)
    verdicts.write(JUDGEMENT, sealed.path)
    files.write_inside(sealed.path / "report.html", "a page")
    assert victim.read_text() == "mine"
    assert (sealed.path / "report.html").read_text() == "a page"
    assert not any(path.is_symlink() for path in sealed.path.iterdir())


def test_a_pipe_in_the_place_of_a_page_is_replaced_and_never_waited_for(tmp_path):
    """Writing into a pipe would hang until somebody reads."""
    os.mkfifo(tmp_path / "report.html")
    files.write_inside(tmp_path / "report.html", "a page")
    assert (tmp_path / "report.html").read_text() == "a page"


def test_a_place_that_the_user_names_may_be_a_link(tmp_path, victim):
    """As of `-o`: what it names is written, and the link stays."""
    (tmp_path / "page.html").symlink_to(victim)
    files.write_whole(tmp_path / "page.html", "a page")
    assert victim.read_text() == "a page"
    assert (tmp_path / "page.html").is_symlink()


def test_the_holder_of_a_folder_is_not_written_through_a_link(tmp_path, victim):
    """Nor is the link left where it was."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".holder").symlink_to(victim)
    with files.held(tmp_path / "runs"):
        assert not (tmp_path / "runs" / ".holder").is_symlink()
        assert str(os.getpid()) in (tmp_path / "runs" / ".holder").read_text()
    assert victim.read_text() == "mine"


def test_the_file_behind_the_holder_is_not_told_to_a_second_run(tmp_path, victim):
    """A secret would end up in the log of a CI."""
    with files.held(tmp_path / "runs"):
        (tmp_path / "runs" / ".holder").unlink()
        (tmp_path / "runs" / ".holder").symlink_to(victim)
        with (
            pytest.raises(LockedError, match="held by an unknown process"),
            files.held(tmp_path / "runs"),
        ):
            pass


def test_a_lock_that_is_a_link_is_refused(tmp_path, victim):
    """Locking would make, or empty, the file behind it."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".lock").symlink_to(victim)
    with pytest.raises(InputError, match=r"\.lock: is a link"), files.held(tmp_path / "runs"):
        pass
    assert victim.read_text() == "mine"


def test_what_killed_runs_left_is_deleted_behind_no_link(tmp_path):
    """Only what lies in the folder itself, or in a record of it."""
    elsewhere = tmp_path / "elsewhere"
    for folder in (elsewhere, tmp_path / "runs" / "record"):
        (folder / f"{files.UNFINISHED}folder").mkdir(parents=True)
        (folder / f"{files.UNFINISHED}file").write_text("half")
    (tmp_path / "runs" / "link").symlink_to(elsewhere)
    (tmp_path / "runs" / f"{files.UNFINISHED}link").symlink_to(elsewhere)
    with files.held(tmp_path / "runs"):
        assert len(list(elsewhere.iterdir())) == 2
        assert list((tmp_path / "runs" / "record").iterdir()) == []
        assert not (tmp_path / "runs" / f"{files.UNFINISHED}link").is_symlink()


def test_a_link_to_a_record_elsewhere_is_no_record_to_reuse(sealed, tmp_path):
    """Its page and verdicts would be written there."""
    link = sealed.path.with_name("z-link")
    sealed.path.rename(tmp_path / "elsewhere")
    link.symlink_to(tmp_path / "elsewhere")
    from maskaudit.audit.recording.record import manifests

    key = sealed.manifest.key
    assert newest(manifests(link.parent), key, pytest.fail) is None
    link.unlink()
    (tmp_path / "elsewhere").rename(sealed.path)
    assert newest(manifests(link.parent), key, pytest.fail).path == sealed.path


def test_a_baseline_is_not_written_through_links(tmp_path, victim):
    """Neither its settings nor its scores."""
    folder = tmp_path / "baseline"
    folder.mkdir()
    for name in ("main.toml", "main.parquet"):
        (folder / name).symlink_to(victim)
    scratch_free = {"main": (b"scores", None)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline, "_text", lambda _about: "settings")
        baseline.write(folder, scratch_free)
    assert victim.read_text() == "mine"
    assert [(folder / f"main.{end}").read_text() for end in ("toml", "parquet")] == [
        "settings",
        "scores",
    ]


def test_the_page_of_a_record_is_written_beside_it_and_not_through_a_link(
    sealed, victim, monkeypatch
):
    """A link that appears after the record was read is replaced too."""
    from maskaudit.reports import html

    for name in ("render", "render_reader"):
        monkeypatch.setattr(html, name, lambda _page: "a page")
    found = load_record(sealed.path)
    for name in ("report.html", "details.html"):
        (sealed.path / name).symlink_to(victim)
    html.write_page(replace(found, path=sealed.path))
    assert victim.read_text() == "mine"
    for name in ("report.html", "details.html"):
        assert (sealed.path / name).read_text() == "a page"
