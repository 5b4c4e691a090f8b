"""The index of all audits: complete without its script, its filters true, foreign text inert."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from maskaudit.reports.html import document
from maskaudit.reports.site.index import index
from maskaudit.reports.site.names import folder_of
from maskaudit.reports.site.parts import Unread
from tests.reports.site.audits import asked, audit, number, read

HOSTILE = '"><script>alert(1)</script>\u202e\x1b[31m&amp;{{ 7 * 7 }}'


def page_of(audits, failed=(), others=()):
    """Return the index of some audits as HTML."""
    made = index(audits, failed, others, "Written by a test.")
    return document(
        "site.html.j2", ["reader.css", "many.css"], made, scripts=["rows.js", "site.js"]
    )


def rows_of(html):
    """Return the rows of the table of audits."""
    return [row for row in read(html).rows if "data-status" in row]


@pytest.fixture(scope="module")
def audits():
    """Give four audits of three models, the newest first."""
    people = asked(0.7, probe_set="people", title="People")
    return [
        audit(4, asked(), people, status="FAIL", name="version-4"),
        audit(3, asked(0.3, lean="not shown", state="not shown"), status="PASS", model="other"),
        audit(2, people, status="PASS", model="other"),
        audit(1, asked(is_control=True, title="Days", probe_set="days")),
    ]


def test_a_row_for_each_audit_the_newest_first_with_a_link_to_its_page(audits):
    """Its model, its verdict and its finding stand in the row without any script."""
    rows = rows_of(page_of(audits))
    assert [row["links"] for row in rows] == [[f"runs/{one.name}/report.html"] for one in audits]
    for row, one in zip(rows, audits, strict=True):
        assert "hidden" not in row
        for text in (one.candidate.name, one.strip.status, one.headline, "beside teacher"):
            assert text in row["text"]


def test_the_newest_audit_s_verdict_and_finding_come_first(audits):
    """As on its own page."""
    found = read(page_of(audits))
    assert found.texts["title"] == "Bias audits"
    heads = [a for tag, a in found.tags if tag == "a" and a["href"].startswith("runs/")]
    assert heads[0]["href"] == "runs/version-4/report.html"
    html = page_of(audits)
    assert html.index("It does not meet its rule.") < html.index("<h1") < html.index("<table")


def test_each_entry_of_a_filter_has_the_rows_that_it_names(audits):
    """What the rows carry is what their audits are, by status, model and set."""
    html = page_of(audits)
    options = dict(re.findall(r'<option value="([\w-]+)">([^<]+)</option>', html))
    rows = rows_of(html)
    for row, one in zip(rows, audits, strict=True):
        assert options[row["data-status"]].startswith(f"{one.strip.status} (")
        titles = {options[value] for value in row["data-sets"].split()}
        assert titles == {part.title for part in one.sets}
    counts = {label: int(n) for label, n in re.findall(r">([A-Z ]+) \((\d+)\)</option>", html)}
    assert counts == {"FAIL": 1, "PASS": 2, "NO RULE SET": 1}
    models = re.search(r'name="model">(.*?)</select>', html)[1]
    of_model = dict(re.findall(r'value="(\d+)">(\w+)<', models))
    assert [of_model[row["data-model"]] for row in rows] == [one.candidate.name for one in audits]


def test_the_marks_of_a_row_are_the_worst_set_s_on_one_axis(audits):
    """Their distances from no lean are as the numbers; a control has none."""
    html = page_of(audits)
    marks = [row["marks"] for row in rows_of(html)]
    null = next(place for kind, _, place in marks[0] if kind == "tick") if marks[0] else None
    assert null is not None
    nulls = re.findall(r'class="tick null" x1="([\d.]+)%"', html)
    at = [
        next(place for kind, tag, place in of_row if (kind, tag) == ("candidate", "rect"))
        for of_row in marks[:3]
    ]
    from_null = [place - float(nulls[0]) for place in at]
    assert from_null[1] / from_null[0] == pytest.approx(0.3, rel=2e-3)
    assert from_null[2] / from_null[0] == pytest.approx(0.7, rel=2e-3)
    assert marks[3] == []


def test_the_only_script_is_ours_and_the_policy_names_its_digest(audits):
    """At most 10 KiB, no handler, no style and no address beyond the site."""
    html = page_of(audits)
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == 1
    assert len(scripts[0].encode()) <= 10 * 1024
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    found = read(html)
    policy = next(a["content"] for tag, a in found.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy
    for _, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            assert not re.match(r"\w+:|//", attributes.get(name) or "")


def test_hostile_names_are_shown_and_do_nothing():
    """Of records, models, sets, and of what could not be read."""
    one = audit(
        1, asked(title=HOSTILE, probe_set=HOSTILE), model=HOSTILE, name=HOSTILE, headline=HOSTILE
    )
    html = page_of([one], [Unread(HOSTILE, HOSTILE)], [Unread("\ud800", HOSTILE)])
    found = read(html)
    assert sum(tag == "script" for tag, _ in found.tags) == 1
    assert not {"\u202e", "\x1b", "\ud800"} & set(html)
    assert "{{ 7 * 7 }}" in html
    assert rows_of(html)[0]["links"] == [f"runs/{folder_of(HOSTILE)}/report.html"]
    html.encode("utf-8")


def test_what_could_not_be_read_is_said_before_the_table_and_listed_with_its_reason(audits):
    """And what is no record is listed too, without a warning."""
    html = page_of(
        audits, [Unread("broken", "changed since it was sealed")], [Unread("notes", "x")]
    )
    assert html.index("1 not shown") < html.index("<table")
    assert "changed since it was sealed" in html
    assert "not shown</strong>" not in page_of(audits, (), [Unread("notes", "no record")])
    assert "no record" in page_of(audits, (), [Unread("notes", "no record")])


def test_versions_of_one_name_are_told_apart_by_as_little_as_it_takes(audits):
    """By the revision, else by the weights; a model that was audited twice has one label."""
    first = audit(1)
    again = audit(2, candidate=first.candidate)
    labels = [row["text"].split()[0] for row in rows_of(page_of([again, first]))]
    assert labels == ["student", "student"]
    other = audit(3)
    texts = [row["text"] for row in rows_of(page_of([other, first]))]
    assert texts[0].split()[:2] == ["student", other.candidate.weights[:12]]
    assert texts[1].split()[:2] == ["student", first.candidate.weights[:12]]
    assert audits[0].candidate.weights != first.candidate.weights


def test_an_empty_index_says_how_to_fill_it():
    """There is no table and no filter."""
    html = page_of([])
    found = read(html)
    assert not found.rows
    assert "maskaudit run" in html
    assert not [tag for tag, _ in found.tags if tag in {"form", "svg"}]


def test_a_number_that_is_not_known_has_no_mark():
    """And a dash in place of the odds."""
    [row] = rows_of(page_of([audit(1, asked(None, None))]))
    assert row["marks"] == []
    assert row["text"].split()[-1] == "–"
    assert number(None).estimate is None


def test_the_course_of_the_worst_set_is_a_line_the_oldest_first():
    """Of versions that were asked alike beside one reference; its ends are said in odds."""
    lean = [0.2, 0.6, 0.4]  # the newest first
    other = audit(9, asked(3.0), reference=replace(audit(1).reference, weights="q"), name="other")
    old = audit(8, asked(3.0, method="probe_set:jobs|version:0.9"), name="old")
    made = [audit(4 - i, asked(value)) for i, value in enumerate(lean)]
    html = page_of([*made, other, old])
    line = re.search(r'<polyline class="course" points="([^"]+)"', html)[1]
    points = [tuple(map(float, point.split(","))) for point in line.split()]
    assert [x for x, _ in points] == [0, 50, 100]
    # Downwards on the screen is less: steps are in proportion to the log-odds.
    (_, first), (_, second), (_, third) = points
    assert (third - second) / (second - first) == pytest.approx(-0.4 / 0.2, rel=0.02)
    assert second < first
    for text in ("1.49", "1.22", "3 versions, the oldest first: from 1.22 to 1.82"):
        assert text in html[html.index("course-line") : html.index("</section>")]
    assert "polyline" not in page_of(made[:2]).split("</style>")[1]
