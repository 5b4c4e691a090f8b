"""The site of a folder of records: verified and whole; only what is new is made again."""

import json
import math
import os
import re
import shutil
import sys

import pytest

from maskaudit.audit.cli import main
from maskaudit.audit.errors import InputError
from maskaudit.audit.judging import verdicts
from maskaudit.audit.recording import record
from maskaudit.reports.site import build, places
from maskaudit.reports.site.build import Asked, write_site
from tests.audit.history.folders import reseal
from tests.reports import records
from tests.reports.site import audits
from tests.reports.site.audits import NAMES, read
from tests.reports.verdicts import judgement, verdict

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """Give a folder of three records of one small set; the second was judged."""
    return audits.sealed(tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def runs(sealed, tmp_path):
    """Give a copy of the records that a test may change."""
    return shutil.copytree(sealed, tmp_path / "runs")


@pytest.fixture(scope="module")
def whole(sealed, tmp_path_factory):
    """Give the site of all three, and what was said of it."""
    site = tmp_path_factory.mktemp("site") / "of-all"
    return site, write_site(sealed, site, Asked())


@pytest.fixture
def site(whole, tmp_path):
    """Give a copy of the site that a test may change, with the times of its files."""
    return shutil.copytree(whole[0], tmp_path / "site")


def files_of(folder):
    """Return the content of each file below a folder, by its path."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def listed(site):
    """Return what records.json says."""
    return json.loads((site / "records.json").read_text("utf-8"))


def test_every_record_has_a_page_that_the_index_links_to(whole):
    """With its own headline and verdict; JSON says the same, and every link leads somewhere."""
    site, written = whole
    assert (written.drawn, written.audits, written.failed, written.others) == (3, 3, (), ())
    told = listed(site)
    assert [one["name"] for one in told["records"]] == NAMES[::-1]
    index = (site / "index.html").read_text("utf-8")
    for one in told["records"]:
        page = (site / one["page"]).read_text("utf-8")
        assert f'href="{one["page"]}"' in index
        assert one["headline"] in re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)[1]
        assert one["strip"]["status"] in page
    assert [one["strip"]["status"] for one in told["records"]] == [
        "NO RULE SET", "FAIL", "NO RULE SET"
    ]  # fmt: skip
    for path in site.rglob("*.html"):
        for tag, attributes in read(path.read_text("utf-8")).tags:
            address = attributes.get("href", "")
            if tag in {"a", "link"} and not address.startswith(("data:", "#")):
                assert (path.parent / address.partition("#")[0]).is_file()


def test_the_numbers_of_the_json_are_those_of_the_record(whole, sealed):
    """As the tables have them, in nats."""
    for one in listed(whole[0])["records"]:
        stored = record.load_record(sealed / one["name"])
        [asked] = one["sets"]
        for subject in ("candidate", "reference"):
            row = records.estimate_of(stored, "jobs", subject)
            found = [asked[subject][name] for name in ("estimate", "low", "high")]
            expected = [row["estimate"], row["low"], row["high"]]
            # Of so few frames there is no interval; null is NaN.
            known = [math.nan if value is None else value for value in found]
            assert known == pytest.approx(expected, nan_ok=True)


def test_the_same_records_make_the_same_site(whole, sealed, tmp_path):
    """Byte for byte, wherever it lies, and by several processes as by one."""
    again = tmp_path / "elsewhere"
    write_site(sealed, again, Asked(trust=False, processes=1))
    assert files_of(again) == files_of(whole[0])


def test_processes_draw_what_one_draws(whole, sealed, tmp_path, monkeypatch):
    """For so few records none would be started by itself."""
    monkeypatch.setattr(build, "_LEAST_EACH", 1)
    again = tmp_path / "again"
    write_site(sealed, again, Asked(processes=2))
    assert files_of(again) == files_of(whole[0])


def test_what_is_there_is_not_drawn_again(site, runs, monkeypatch):
    """Nothing is verified, and no page is touched."""
    before = {path: path.stat().st_mtime_ns for path in (site / "runs").rglob("*")}
    files = files_of(site)
    monkeypatch.setattr(build, "_draw", None)
    assert write_site(runs, site, Asked()).drawn == 0
    assert write_site(runs, site, Asked(trust=True)).drawn == 0
    assert {path: path.stat().st_mtime_ns for path in (site / "runs").rglob("*")} == before
    assert files_of(site) == files


def test_new_verdicts_a_changed_page_and_a_new_record_are_drawn(site, runs):
    """These alone."""
    verdicts.write(judgement(verdict("pass")), runs / NAMES[0])
    (site / "runs" / NAMES[2] / "report.html").write_text("<p>something else</p>")
    written = write_site(runs, site, Asked())
    assert written.drawn == 2
    assert listed(site)["records"][2]["strip"]["status"] == "PASS"
    assert "<h1" in (site / "runs" / NAMES[2] / "report.html").read_text("utf-8")
    (runs / NAMES[1]).rename(runs / "renamed")
    assert write_site(runs, site, Asked()).drawn == 1


def test_pages_that_were_trusted_are_drawn_again_without_trust(runs, tmp_path):
    """The index says how many were."""
    site = tmp_path / "trusting"
    assert write_site(runs, site, Asked(trust=True)).drawn == 3
    assert "the numbers of 3 were taken as they are" in (site / "index.html").read_text("utf-8")
    assert write_site(runs, site, Asked()).drawn == 3
    assert "made again from its scores" in (site / "index.html").read_text("utf-8")


def test_details_are_drawn_when_they_are_asked_for_and_then_stay(runs, tmp_path):
    """The page links to them; a later run without the option leaves them there."""
    site = tmp_path / "with"
    shutil.rmtree(runs / NAMES[0])
    shutil.rmtree(runs / NAMES[1])
    write_site(runs, site, Asked(with_details=True, trust=True))
    folder = site / "runs" / NAMES[2]
    assert "<table" in (folder / "details.html").read_text("utf-8")
    assert 'href="details.html' in (folder / "report.html").read_text("utf-8")
    assert listed(site)["records"][0]["details"] == f"runs/{NAMES[2]}/details.html"
    assert write_site(runs, site, Asked(trust=True)).drawn == 0


def test_the_pages_of_a_record_that_is_gone_are_removed_and_nothing_else(site, runs):
    """What others put into the folder stays."""
    (site / "CNAME").write_text("example.org")
    (site / "runs" / "mine").mkdir()
    (site / "runs" / "mine" / "notes.txt").write_text("mine")
    (site / "runs" / NAMES[2] / "notes.txt").write_text("mine")
    (site / f".unfinished-{build.INDEX}.1").write_text("half")
    shutil.rmtree(runs / NAMES[0])
    shutil.rmtree(runs / NAMES[2])
    write_site(runs, site, Asked())
    found = files_of(site)
    assert {path for path in found if path.endswith("notes.txt")} == {
        "runs/mine/notes.txt", f"runs/{NAMES[2]}/notes.txt"
    }  # fmt: skip
    assert sum(path.endswith("report.html") for path in found) == 1
    assert "CNAME" in found
    assert not [path for path in found if "unfinished" in path]
    assert not (site / "runs" / NAMES[0]).exists()


def test_what_cannot_be_shown_is_listed_with_the_reason(site, runs):
    """Damaged, forged, of verdicts that are none, a link, no record: each by itself."""
    tables = {name: runs / name / "estimates.parquet" for name in NAMES}
    tables[NAMES[0]].write_bytes(tables[NAMES[0]].read_bytes() + b"x")
    # Another record's numbers, sealed again as a forger would.
    tables[NAMES[1]].write_bytes(tables[NAMES[2]].read_bytes())
    (runs / NAMES[1] / verdicts.FILE).unlink()
    reseal(runs / NAMES[1])
    (runs / NAMES[2] / verdicts.FILE).write_text("{}")
    (runs / "notes").mkdir()
    (runs / "latest").symlink_to(runs / NAMES[2])
    written = write_site(runs, site, Asked())
    reasons = {one.name: one.reason for one in written.failed}
    assert sorted(reasons) == sorted(NAMES)
    assert "changed since it was sealed" in reasons[NAMES[0]]
    assert "does not hold (estimates" in reasons[NAMES[1]]
    assert verdicts.FILE in reasons[NAMES[2]]
    assert {one.name for one in written.others} == {"notes", "latest"}
    html = (site / "index.html").read_text("utf-8")
    told = listed(site)
    assert told["records"] == []
    for one in (*told["failed"], *told["others"]):
        assert str(runs) not in one["reason"]
    assert "changed since it was sealed" in html
    assert not list(site.glob("runs/*/report.html"))
    # Without a version there is none to put beside another.
    assert not (site / "versions.html").exists()


def refused(runs, site):
    """Return why a site is refused; it stays as it was."""
    before = files_of(site) if site.is_dir() else None
    with pytest.raises(InputError) as told:
        write_site(runs, site, Asked(trust=True))
    assert "\n" not in str(told.value)
    if before is not None:
        assert files_of(site) == before
    return str(told.value)


def test_a_folder_that_is_not_a_site_of_ours_is_refused(runs, tmp_path):
    """One line that says what to do, and nothing is written."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    assert "holds files that are not of a site (thesis.tex)" in refused(runs, folder)
    assert "is no folder" in refused(runs, folder / "thesis.tex")
    assert "lies among the records" in refused(runs, runs / "site")
    assert "lies among the records" in refused(runs, runs)
    assert "lies among the records" in refused(runs, tmp_path)
    (folder / "thesis.tex").unlink()
    (folder / places.MARKER).write_text('{"format": 99, "feed": ""}')
    assert "format 99" in refused(runs, folder)
    (folder / places.MARKER).write_text("{")
    assert "cannot be read as the mark of a site" in refused(runs, folder)


def test_nothing_is_written_through_a_link(site, runs, tmp_path):
    """Of folders they are refused; a file that is one is replaced."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "index.html").write_text("mine")
    (site / "index.html").unlink()
    (site / "index.html").symlink_to(outside / "index.html")
    write_site(runs, site, Asked())
    assert not (site / "index.html").is_symlink()
    shutil.rmtree(site / "runs" / NAMES[0])
    (site / "runs" / NAMES[0]).symlink_to(outside)
    assert "nothing is written through one" in refused(runs, site)
    shutil.rmtree(site / "runs")
    (site / "runs").symlink_to(outside)
    assert "nothing is written through one" in refused(runs, site)
    assert files_of(outside) == {"index.html": b"mine"}


def test_a_folder_with_hidden_files_alone_counts_as_empty(tmp_path):
    """A work tree of git is one, and a site that a killed run began is ours."""
    (tmp_path / "runs").mkdir()
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / ".git").write_text("gitdir: elsewhere")
    written = write_site(tmp_path / "runs", folder, Asked())
    assert written.audits == 0
    assert "maskaudit run" in written.index.read_text("utf-8")
    assert (folder / ".git").read_text() == "gitdir: elsewhere"


def test_the_command_prints_the_index_and_ends_with_1_where_a_record_failed(
    site, runs, monkeypatch, capsys
):
    """Notes go to standard error; a wrong address is refused before anything is read."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["maskaudit", "site", *map(str, arguments)])
        capsys.readouterr()
        return (main._exit_code(), *capsys.readouterr())

    code, out, err = run(runs, "-o", site, "--url", "https://example.org/audits", "--processes", 1)
    assert (code, out) == (0, f"{site / 'index.html'}\n")
    assert "0 of 3 pages were drawn" in err
    assert 'href="https://example.org/audits/feed.xml"' in (site / "feed.xml").read_text("utf-8")
    (runs / NAMES[0] / "items.parquet").unlink()
    code, out, err = run(runs, "-o", site)
    assert (code, out) == (1, f"{site / 'index.html'}\n")
    assert f"{NAMES[0]}: items.parquet is missing" in err
    for address in ("example.org", "javascript:alert(1)", "https://", "https://a b/", "file:///x"):
        code, _, err = run(runs, "-o", site, "--url", address)
        assert (code, len(err.splitlines())) == (2, 1)
    assert run(runs / "nowhere", "-o", site)[0] == 2
    assert os.path.exists(site / "index.html")  # noqa: PTH110 - a path
