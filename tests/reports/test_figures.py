"""Charts that another process draws, and the tables that stand in their place where it cannot."""

import json
import subprocess
from dataclasses import replace

import pytest
import vl_convert

from maskaudit.audit.errors import UndrawnWarning
from maskaudit.reports import html
from maskaudit.reports.blocks import (
    Dot,
    Figure,
    Folded,
    Row,
    Scatter,
    Yardsticks,
)
from maskaudit.reports.charts import draw
from maskaudit.reports.charts.common import VEGA_LITE, specification
from maskaudit.reports.charts.draw import CannotDrawError
from maskaudit.reports.figures import figures, with_tables
from maskaudit.reports.page import page
from tests.reports import records
from tests.reports.test_html import read

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _drawn_here():
    """Charts are drawn by a child, as everywhere but in other tests."""


DOTS = (Dot(0.1, -0.2, "reference", "nurse, teacher: 0.1"), Dot(1 / 3, 2, "candidate", "a: b: 2"))
MORE = (
    Row(
        (
            Figure("a-scatter", "A", "Dots.", Scatter(DOTS, "x", "y")),
            Figure("shares", "B", "Shares.", Yardsticks(DOTS, "x", "y")),
        )
    ),
    Folded("More", (Figure("again", "C", "Dots again.", Scatter(DOTS[::-1], "x", "y")),)),
)


@pytest.fixture(scope="module")
def further():
    """Return the page of a record of two models, with a chart of every other kind besides."""
    plain = page(records.record())
    return replace(plain, findings=(*plain.findings, *MORE))


def test_charts_of_the_child_are_those_of_this_process_to_the_byte(further):
    """All of a page in one child, in their order; each by itself is the same."""
    charts = [figure.chart for figure in figures(further)]
    specs = [specification(draw._described(chart)) for chart in charts]
    expected = [vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE) for spec in specs]
    assert len({type(chart) for chart in charts}) == 3
    assert draw.draw_all(charts) == expected
    assert draw.draw(charts[0]) == expected[0]
    assert draw.draw_all([]) == []


def test_one_child_is_started_for_a_page(further, monkeypatch):
    """Starting its engine takes most of the time."""
    started = []

    class Counted(subprocess.Popen):
        def __init__(self, *said, **more):
            started.append(said)
            super().__init__(*said, **more)

    monkeypatch.setattr(subprocess, "Popen", Counted)
    assert html.render(further).count("<svg") == len(list(figures(further)))
    assert len(started) == 1


PROGRAMS = {
    "it ended with SIGTRAP": "import os, signal; os.kill(os.getpid(), signal.SIGTRAP)",
    "it ended with SIGKILL": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "it ended with code 3": "raise SystemExit(3)",
    "it gave no answer in 1 seconds": "import time; time.sleep(60)",
}


@pytest.mark.parametrize("ending", PROGRAMS)
def test_a_child_that_dies_is_told_by_how_it_ended(further, monkeypatch, tmp_path, ending):
    """By the name of the signal, the code, or that it gave no answer."""
    (tmp_path / "engine.py").write_text(PROGRAMS[ending])
    monkeypatch.setattr(draw.engine, "__file__", str(tmp_path / "engine.py"))
    monkeypatch.setattr(draw, "_MOST_SECONDS", 1 if "no answer" in ending else 60)
    with pytest.raises(CannotDrawError) as told:
        draw.draw_all([figure.chart for figure in figures(further)])
    assert str(told.value) == ending


def test_a_child_that_cannot_be_started_is_told(further, monkeypatch):
    """As where no process may be added."""
    monkeypatch.setattr(draw.sys, "executable", "/no/such/python")
    with pytest.raises(CannotDrawError, match="it cannot be started: No such file or directory"):
        draw.draw_all([figure.chart for figure in figures(further)])


def test_a_page_without_charts_has_their_numbers_as_tables_and_says_so(further, monkeypatch):
    """Every mark by its label; ids stay unique, and one warning tells whoever writes the page."""

    def fails(_charts):
        raise CannotDrawError("it ended with SIGTRAP")

    monkeypatch.setattr(html, "draw_all", fails)
    with pytest.warns(UndrawnWarning, match=r"cannot run here \(it ended with SIGTRAP\)") as told:
        text = html.render(further)
    assert len(told) == 1
    assert "<svg" not in text
    assert text.count("The charts of this page could not be drawn where it was written") == 1
    back = read(text)
    assert len(set(back.ids)) == len(back.ids)
    for figure in figures(further):
        rows = back.tables[f"{figure.name}-as-table"]
        marks = json.dumps(rows, ensure_ascii=False)
        chart = figure.chart
        shown = [m for _, group in getattr(chart, "groups", ()) for m in group]
        shown += getattr(chart, "dots", ())
        assert shown
        for mark in shown:
            value = getattr(mark, "value", mark.label.rpartition(": ")[2])
            assert value.replace("\u00a0", " ") in marks.replace("\u00a0", " ")


def test_a_page_with_tables_has_no_figure_left_and_all_else(further):
    """Sections, findings and headline are the same."""
    plain = with_tables(further)
    assert list(figures(plain)) == []
    assert plain.headline == further.headline
    assert [s.name for s in plain.sections] == [s.name for s in further.sections]
