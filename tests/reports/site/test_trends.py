"""Versions side by side: one row a version, on one axis where they were asked alike."""

import re
from dataclasses import replace

import pytest

from maskaudit.reports.html import document
from maskaudit.reports.site.trends import OPEN, trends
from tests.reports.site.audits import asked, audit, number, read, released


def made(audits):
    """Return the trends of some audits."""
    return trends(audits, "Written by a test.")


def html_of(audits):
    """Return the page of the versions."""
    return document("versions.html.j2", ["reader.css", "many.css"], made(audits))


def rows_of(audits):
    """Return the rows of versions, read back from the page."""
    return [row for row in read(html_of(audits)).rows if row["links"]]


def test_a_row_a_version_the_newest_first_with_its_numbers():
    """Marks stand where the numbers say: from no lean, in proportion; the row says the same."""
    audits = [audit(n, asked(0.2 * n, 0.4)) for n in (3, 2, 1)]
    rows = rows_of(audits)
    assert [row["links"] for row in rows] == [[f"runs/{one.name}/report.html"] for one in audits]
    null = float(re.search(r'class="tick null" x1="([\d.]+)%"', html_of(audits))[1])

    def at(row, kind, tag):
        return next(p for k, t, p in row["marks"] if (k, t) == (kind, tag)) - null

    own = [at(row, "candidate", "rect") for row in rows]
    assert own == pytest.approx([own[0], own[0] * 2 / 3, own[0] / 3], abs=0.02)
    teacher = [at(row, "reference", "circle") for row in rows]
    assert teacher == pytest.approx([own[1]] * 3, abs=0.02)
    assert "1.82" in rows[0]["text"]  # exp(0.6)
    assert all("leans with it" in row["text"] and "further" in row["text"] for row in rows)


def test_several_audits_of_one_version_are_one_row():
    """The newest of them; another tokenizer makes another version."""
    first = audit(1)
    again = audit(2, candidate=first.candidate)
    other = audit(3, candidate=replace(first.candidate, tokenizer="u"))
    rows = rows_of([other, again, first])
    assert [row["links"][0] for row in rows] == [
        f"runs/{one.name}/report.html" for one in (other, again)
    ]
    assert made([other, again, first]).eyebrow == "2 versions in 3 audits"


def test_numbers_that_were_made_in_another_way_stand_apart():
    """On an axis of their own, folded, with what differs."""
    old = audit(1, asked(5.0, method="probe_set:jobs|version:0.9"))
    [trend] = made([audit(3), audit(2), old]).trends
    assert [len(plot.lines) for plot in trend.plots] == [2, 1]
    assert "version: 0.9, then 1.0" in trend.plots[1].note
    html = html_of([audit(3), audit(2), old])
    assert html.index("<details>") < html.index("version: 0.9, then 1.0")


def test_the_band_is_what_the_newest_release_rule_allows():
    """From the baseline's number to that and the margin; from the end of the axis for a bound."""
    for allowed, other in (((0.4, 0.8), 0.4), ((None, 0.8), None)):
        [trend] = made([audit(1, asked(1.2, 0.4, allowed=allowed))]).trends
        [plot] = trend.plots
        [mark] = [mark for mark in plot.lines[0].marks if mark.of == "reference"]
        low, high = plot.band
        assert low == (mark.at if other else 0.0)
        null = next(tick.at for tick in plot.ticks if tick.is_null)
        assert (high - null) / (mark.at - null) == pytest.approx(2.0, rel=1e-3)
        assert "band" in plot.unit.lower()
    assert made([audit(1)]).trends[0].plots[0].band is None


def test_older_versions_are_there_on_demand():
    """All of them, in their order."""
    audits = [audit(1, candidate=replace(audit(1).candidate, weights=str(n)), name=f"v{n}")
              for n in range(OPEN + 3)]  # fmt: skip
    [plot] = made(audits).trends[0].plots
    assert (len(plot.lines), len(plot.more), plot.more_title) == (OPEN, 3, "3 older versions")
    assert [row["links"][0] for row in rows_of(audits)] == [
        f"runs/v{n}/report.html" for n in range(OPEN + 3)
    ]


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (asked(), asked(), "leans where the version before it did: in 1 of 1 tests"),
        (asked(), asked(lean="not shown"), "where the version before it was not shown to"),
        (asked(lean="none"), asked(), "is no longer shown to lean on “Jobs”"),
        (released(asked(), "FAIL"), asked(), "fails its release rules on “Jobs”"),
        (asked(), asked(method="probe_set:jobs|version:2"), "is the only version"),
        (released(asked(), "FAIL"), asked(lean="none"), "; it leans on “Jobs”, where the version"),
        (asked(is_control=True), asked(is_control=True, lean="none"), "shown to lean in no test"),
        (asked(), asked(changed="same"), "leans further than its reference on “Jobs”, and the"),
    ],
)
def test_the_headline_says_what_is_new_with_the_newest_version(new, old, expected):
    """The rules that it fails first; a claim is only held against one that was made alike."""
    assert expected in made([audit(2, new), audit(1, old)]).headline


def test_what_is_better_does_not_stand_alone_where_a_lean_is_left():
    """One lean is gone and another is not: both are said."""
    other = asked(probe_set="people", title="People")
    told = made([audit(2, asked(lean="none"), other), audit(1, asked(), other)]).headline
    assert told.endswith("is no longer shown to lean on “Jobs”; it leans in 1 of 2 tests")


def test_a_model_beside_another_reference_is_no_version_of_this_one():
    """It stands on the same axis, and nothing is said of the two."""
    other = audit(1, asked(0.2, lean="none"), reference=replace(audit(1).reference, weights="q"))
    told = made([audit(2), other])
    assert "is the only version" in told.headline
    [plot] = told.trends[0].plots
    assert len(plot.lines) == 2
    assert "after" not in plot.title
    assert plot.heads[1] == "than its reference"
    assert "after" in made([audit(2), other, audit(1)]).trends[0].plots[0].title


def test_facts_stand_on_an_axis_of_shares():
    """In percent; of them nothing is claimed."""
    facts = asked(
        probe_set="facts", title="Facts", unit="share", lean=None, state="", changed=None,
        change="", candidate=number(0.75, 0.1),
    )  # fmt: skip
    assert facts.reference == number(0.5)
    [plot] = made([audit(1, facts)]).trends[0].plots
    [line] = plot.lines
    assert [mark.at for mark in line.marks] == [0.5, 0.75]
    assert line.value == "75 %"
