"""A record in the form that a file's name asks for, and no other name."""

import json
import shutil

import pytest

from maskaudit.audit.errors import CannotWriteError, InputError
from maskaudit.reports import pdf
from maskaudit.reports.by_suffix import SUFFIXES, check, write
from maskaudit.reports.exports.audited import Audited
from maskaudit.reports.exports.tables import estimates_csv, estimates_json
from tests.reports import records

# A browser that prints what it is asked to, one that fails, and one that prints something else.
FOR_EACH = 'for a; do case $a in --print-to-pdf=*) echo {} > "${{a#*=}}";; esac; done'
BROWSERS = {
    "prints": FOR_EACH.format("%PDF-1.7"),
    "fails": "echo one >&2; echo '[1:2:ERROR:x.cc(3)] no display' >&2; exit 1",
    "lies": FOR_EACH.format("no"),
}


@pytest.fixture(scope="module")
def found():
    """Give a small record."""
    return records.record([records.facts()])


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """Give a function that puts a browser on the path, and nothing else."""

    def put(kind):
        program = tmp_path / "bin" / pdf.BROWSERS[-1]
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{BROWSERS[kind]}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        monkeypatch.setattr(pdf, "BROWSERS", (pdf.BROWSERS[-1],))

    return put


def test_each_suffix_has_its_form(found, tmp_path):
    """A page, the section of a card, and numbers as `export` writes them."""
    made = {
        s: write(found, tmp_path / f"x{s}").read_text("utf-8") for s in (".md", ".json", ".csv")
    }
    assert made[".md"].startswith("## Bias, Risks, and Limitations\n")
    assert made[".json"] == estimates_json(Audited(found))
    assert json.loads(made[".json"])["judgement"] is None
    assert made[".csv"] == estimates_csv(Audited(found))
    assert write(found, tmp_path / "X.HTML").read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    "name", ["page.txt", "page", "page.htm", ".md", "page.md ", "page.nonsense"]
)
def test_any_other_name_is_refused_in_one_line(found, tmp_path, name):
    """With those that there are, and nothing is written."""
    with pytest.raises(InputError) as refused:
        write(found, tmp_path / name)
    assert ", ".join(SUFFIXES) in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_a_pdf_is_what_a_browser_printed(found, tmp_path, browser):
    """Whole, at the place that was named."""
    browser("prints")
    assert write(found, tmp_path / "x.pdf").read_bytes() == b"%PDF-1.7\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "x.pdf"]


@pytest.mark.parametrize(("kind", "told"), [("fails", "(no display)"), ("lies", "(no reason)")])
def test_a_browser_that_prints_nothing_is_told_in_one_line(found, tmp_path, browser, kind, told):
    """With what it said, and an earlier file stays."""
    browser(kind)
    (tmp_path / "x.pdf").write_text("earlier")
    with pytest.raises(CannotWriteError) as failed:
        write(found, tmp_path / "x.pdf")
    assert told in str(failed.value)
    assert "write the page as .html" in str(failed.value)
    assert (tmp_path / "x.pdf").read_text() == "earlier"


def test_without_a_browser_a_pdf_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    """None comes with the package."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="takes a browser to print it, and none is here"):
        check(tmp_path / "x.pdf")


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, pdf.BROWSERS)), reason="no browser is here")
def test_a_browser_that_is_here_prints_the_page(found, tmp_path):
    """Where it runs at all: as root most refuse to."""
    try:
        write(found, tmp_path / "x.pdf")
    except CannotWriteError as error:
        pytest.skip(str(error))
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF-")
