"""The page of a history, read back: inert, true to the numbers, the newest first, with its band."""

import base64
import hashlib
import math
import re
from datetime import date

import pytest

from maskaudit.audit.errors import CannotWriteError
from maskaudit.audit.history.judge import judge
from maskaudit.audit.history.read import Chosen, read
from maskaudit.audit.judging import verdicts
from maskaudit.reports.html import render_over_time
from maskaudit.reports.over_time import page as pages
from maskaudit.reports.over_time.course import OPEN
from tests.audit.history.folders import drawn, versions, write
from tests.reports.site.audits import read as read_back
from tests.reports.verdicts import judgement, verdict

HOSTILE = "<script>alert(1)</script>\u202e\u001b[31m"
CHANGED = [0.0, 0.02, 0.01, 0.03, 0.0, 0.0, 0.5, 0.52, 0.51, 0.5, 0.53, 0.51]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a judged history with repeats, a change, hostile names and another method."""
    runs = tmp_path_factory.mktemp("runs")
    versions(runs, CHANGED, candidate=HOSTILE)
    write(runs, 13, estimate=0.53, weights="w10")
    write(runs, 14, estimate=float("nan"), weights="w11")
    write(runs, 15, torch="9", weights="w12", name="<img src=x onerror=alert(1)>")
    write(runs, 16, torch="9", weights="w13")
    (runs / "<b>").mkdir()
    return judge(read(runs))


@pytest.fixture(scope="module")
def html(made):
    """Return its page."""
    return render_over_time(pages.page(made))


def test_the_same_history_gives_the_same_bytes(made, html):
    """Marks and p values included."""
    assert render_over_time(pages.page(made)) == html


def test_the_page_is_well_formed_and_every_reference_leads_somewhere(html):
    """Every tag closed, every name once, every link to a part of the page."""
    found = read_back(html)
    ids = [a["id"] for _, a in found.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in found.tags:
        assert attributes.get("aria-labelledby", ids[0]) in ids
        if attributes.get("href"):
            assert attributes["href"].removeprefix("#") in ids


def test_nothing_runs_and_nothing_is_loaded(html):
    """Names of models and folders are text, whatever they hold."""
    found = read_back(html)
    for tag, attributes in found.tags:
        assert tag not in {"script", "img", "link", "iframe", "b"}
        assert not [
            name for name in attributes if name.startswith("on") or name in {"src", "style"}
        ]
    assert "\u202e" not in html
    assert "\u001b" not in html
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    [policy] = [a["content"] for _, a in found.tags if a.get("http-equiv")]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


def test_every_record_has_a_row_the_newest_first_and_every_known_number_a_mark(made, html):
    """In the plot as a factor on the odds, in the table below it in nats."""
    rows = [row for row in read_back(html).rows if row["text"].strip()]
    for one in made.judged:
        points = one.series.points[::-1]
        # An axis above the plot, and heads above the table.
        of_plot, rows = rows[1 : 1 + len(points)], rows[1 + len(points) :]
        of_table, rows = rows[1 : 1 + len(points)], rows[1 + len(points) :]
        for point, plotted, told in zip(points, of_plot, of_table, strict=True):
            known = not math.isnan(point.estimate)
            marks = [
                kind for kind, tag, _ in plotted["marks"] if (kind, tag) == ("candidate", "rect")
            ]
            assert len(marks) == known
            odds = math.exp(point.estimate)
            digits = 0 if odds >= 10 else 2
            assert (f" {odds:.{digits}f}" if known else "–") in plotted["text"]
            assert (f"{abs(point.estimate):.2f}" if known else "–") in told["text"]
    assert rows == []


def test_marks_stand_where_the_numbers_say(tmp_path):
    """From no lean, in proportion to the nats."""
    versions(tmp_path, [0.2, 0.4, 0.8])
    [course] = [
        course
        for number in pages.page(judge(read(tmp_path))).numbers
        for course in number.courses
        if "reference" in course.plot.title
    ]
    null = next(tick.at for tick in course.plot.ticks if tick.is_null)
    from_null = [line.marks[0].at - null for line in course.plot.lines]
    expected = [from_null[0], from_null[0] / 2, from_null[0] / 4]
    assert from_null == pytest.approx(expected, abs=2e-4)
    assert [line.label.split()[-1] for line in course.plot.lines] == ["w3", "w2", "w1"]
    assert "2.23 times the odds of its reference in student w3, after 1.49" in course.plot.title


def test_numbers_that_are_no_leans_stand_on_an_axis_of_their_own(tmp_path):
    """Which reaches 0, with round numbers beside it."""
    versions(tmp_path, [0.2, 0.4])
    alone = Chosen(estimators=("log_odds",), subjects=("candidate",))
    [number] = pages.page(judge(read(tmp_path, alone))).numbers
    [course] = number.courses
    places = {float(tick.label): tick.at for tick in course.plot.ticks}
    assert course.plot.lines[0].value == "2.40"
    per_unit = (places[2.0] - places[0.0]) / 2
    at = course.plot.lines[0].marks[0].at
    assert at == pytest.approx(places[0.0] + 2.4 * per_unit, abs=2e-4)


def test_the_band_is_what_the_newest_record_is_allowed(tmp_path):
    """From what it was compared with to that and the margin; without verdicts there is none."""
    folder = versions(tmp_path, [0.1, 0.5])[-1]
    history = judge(read(tmp_path))

    def bands(told):
        told = verdicts.Judgement(folder.name, "gates.toml", (told,), judged=date(2026, 1, 1))
        numbers = pages.page(history, told).numbers
        plots = [course.plot for number in numbers for course in number.courses]
        ends = []
        for plot in plots:
            null = next(tick.at for tick in plot.ticks if tick.is_null)
            at = plot.lines[0].marks[0].at
            value = 2.5 if plot is plots[0] else 0.5
            unit = (at - null) / value
            ends.append(plot.band and [(end - null) / unit for end in plot.band])
        return ends

    changed = verdict(rule="versus_baseline", estimate=0.3, margin=0.2)
    candidate, difference = bands(changed)
    assert candidate == pytest.approx([2.2, 2.4], abs=0.01)
    assert difference == pytest.approx([0.2, 0.4], abs=0.01)
    bound = verdict(rule="bound", subject="candidate", margin=2.0)
    candidate, difference = bands(bound)
    assert candidate[1] == pytest.approx(2.0, abs=0.01)
    assert difference is None
    assert bands(verdict(probe_set="others")) == [None, None]
    assert bands(verdict(margin=math.nan)) == [None, None]


def test_verdicts_are_those_beside_the_newest_record(tmp_path):
    """Where they cannot be read, a note says so and there is no band."""
    folder = versions(tmp_path / "runs", [0.1, 0.5])[-1]
    history = judge(read(tmp_path / "runs"))
    told = judgement(verdict(rule="versus_baseline", estimate=0.3))
    verdicts.write(verdicts.Judgement(folder.name, told.policy, told.verdicts), folder)
    path = pages.write(history, tmp_path / "history.html")
    assert 'class="band"' in path.read_text("utf-8")
    (folder / verdicts.FILE).write_text("{}")
    pages.write(history, path)
    assert 'class="band"' not in path.read_text("utf-8")
    assert f"{folder.name}: its verdicts cannot be read" in path.read_text("utf-8")


@pytest.mark.slow
def test_limits_of_draws_are_a_bar_behind_each_and_the_limit_ends_the_band(tmp_path):
    """The first draw that is above it says so."""
    drawn(tmp_path, [1.0] * 5)
    alone = Chosen(subjects=("difference",))
    [number] = pages.page(judge(read(tmp_path, alone))).numbers
    [course] = number.courses
    assert all(line.joined for line in course.plot.lines)
    assert course.plot.lines[-1].tone == "worse"
    assert "above the limit from here on" in course.plot.lines[-1].word
    assert course.plot.band[0] == 0.0


def test_older_records_are_there_on_demand(tmp_path):
    """All of them, in their order."""
    versions(tmp_path, [0.01 * n for n in range(OPEN + 2)])
    [number] = pages.page(judge(read(tmp_path, Chosen(subjects=("difference",))))).numbers
    [course] = number.courses
    assert (len(course.plot.lines), len(course.plot.more)) == (OPEN, 2)
    assert len(course.numbers.rows) == OPEN + 2


def test_every_table_says_its_scope_and_its_method(made):
    """A number never stands without what it rests on."""
    courses = [course for number in pages.page(made).numbers for course in number.courses]
    assert len(courses) == len(made.judged)
    for course in courses:
        scope, method = course.numbers.notes
        assert scope.startswith("Scope S2: speaks of")
        assert method.startswith("Method: probe_set:jobs|")


def test_a_page_that_cannot_be_written_leaves_nothing_behind(made, tmp_path):
    """Whole or not at all."""
    with pytest.raises(CannotWriteError):
        pages.write(made, tmp_path / "none" / "history.html")
    assert list(tmp_path.iterdir()) == []
    path = pages.write(made, tmp_path / "history.html")
    assert [p.name for p in tmp_path.iterdir()] == ["history.html"]
    assert path.read_text("utf-8").endswith("</html>\n")
