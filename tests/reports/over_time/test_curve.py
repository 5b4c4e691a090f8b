"""The curve of a training: its marks, the reference's level, the band, and the first step."""

import math
from datetime import date

import pytest

from maskaudit.audit.history.judge import judge
from maskaudit.audit.history.read import Chosen, read
from maskaudit.audit.judging import verdicts
from maskaudit.reports.html import render_over_time
from maskaudit.reports.over_time import page as pages
from maskaudit.reports.over_time.curve import Training
from tests.audit.history.folders import versions, write
from tests.reports.verdicts import verdict

SUBJECTS = ("reference", "candidate", "difference")


def history(runs):
    """Return the judged history of a training's records, those of the reference included."""
    return judge(read(runs, Chosen(subjects=SUBJECTS)))


def courses(found, training, release=None):
    """Return the two courses of a page: of the candidate, and of the difference."""
    [number] = pages.page(found, release, (), training).numbers
    return number.courses


def test_marks_stand_at_their_steps_and_as_high_as_their_numbers(tmp_path):
    """In proportion to the steps, and to the nats; with the ends of each interval."""
    folders = versions(tmp_path, [0.2, 0.4, 0.8])
    steps = dict(zip([f.name for f in folders], (0, 100, 400), strict=True))
    candidate, difference = courses(history(tmp_path), Training(steps))
    marks = difference.curve.steps
    along = [mark.at - marks[0].at for mark in marks]
    assert along[2] == pytest.approx(4 * along[1], abs=4e-4)
    null = next(tick.at for tick in difference.curve.up if tick.is_null)
    per_nat = (marks[2].height - null) / 0.8
    assert [(m.height - null) / per_nat for m in marks] == pytest.approx([0.2, 0.4, 0.8], abs=2e-3)
    ends = [((m.low - null) / per_nat, (m.high - null) / per_nat) for m in marks]
    for (low, high), value in zip(ends, (0.2, 0.4, 0.8), strict=True):
        assert (low, high) == pytest.approx((value - 0.2, value + 0.2), abs=2e-3)
    places = {tick.label: tick.at for tick in difference.curve.across}
    assert places["100"] == pytest.approx(marks[1].at, abs=1e-4)
    # The reference has a level, that of the newest record, and no course of its own.
    null = next(tick.at for tick in candidate.curve.up if tick.is_null)
    per_nat = (candidate.curve.steps[0].height - null) / 2.2
    assert candidate.curve.level == pytest.approx(null + 2.8 * per_nat, abs=2e-3)
    assert difference.curve.level is None
    assert [key.label for key in candidate.curve.keys] == ["the version", "its reference"]


def test_the_first_credible_step_is_marked_where_it_is(tmp_path):
    """Of the series that it is known of, and of no other."""
    folders = versions(tmp_path, [0.0, 0.5, 0.6])
    steps = {folder.name: 1000 * n for n, folder in enumerate(folders)}
    found = history(tmp_path)
    [line] = {one.series.line for one in found.judged if one.series.subject == "candidate"}
    candidate, difference = courses(found, Training(steps, {line: folders[1].name}))
    assert candidate.curve.first == (candidate.curve.steps[1].at, "first credible: step 1,000")
    assert difference.curve.first is None


def test_the_band_is_that_of_the_rows(tmp_path):
    """What the newest record's rules allow, of whichever number they are."""
    folders = versions(tmp_path, [0.1, 0.5])
    steps = {folder.name: n for n, folder in enumerate(folders)}
    rule = verdict(rule="non_inferiority", estimate=0.5, margin=0.2)
    told = verdicts.Judgement(folders[-1].name, "gates.toml", (rule,), judged=date(2026, 1, 1))
    for course in courses(history(tmp_path), Training(steps), told):
        null = next(tick.at for tick in course.curve.up if tick.is_null)
        value = course.curve.steps[-1]
        unit = (value.high - value.low) / 0.4
        low, high = course.curve.band
        own = 2.5 if course.curve.level is not None else 0.5
        assert (low - null) / unit == pytest.approx(own - 0.5, abs=0.01)
        assert (high - null) / unit == pytest.approx(own - 0.3, abs=0.01)
        assert "The band is what the newest record is allowed." in course.curve.unit


def test_a_step_without_a_number_has_no_mark_and_one_alone_is_no_curve(tmp_path):
    """Then the rows are there as in any history."""
    versions(tmp_path, [0.1])
    write(tmp_path, 2, estimate=math.nan, weights="other")
    found = history(tmp_path)
    steps = {audit.name: n for n, audit in enumerate(found.history.audits)}
    assert [course.curve for course in courses(found, Training(steps))] == [None, None]
    assert 'class="curve"' not in render_over_time(pages.page(found, None, (), Training(steps)))


def test_steps_of_long_trainings_have_room_for_their_labels(tmp_path):
    """Thousands are told apart, and half of the labels are left out; halves of steps are none."""
    folders = versions(tmp_path, [0.1, 0.2, 0.3])
    found = history(tmp_path)
    for last, most in ((2, 3), (120, 7), (600_000, 4)):
        steps = {f.name: n * last // 2 for n, f in enumerate(folders)}
        labels = [tick.label for tick in courses(found, Training(steps))[0].curve.across]
        assert len(labels) <= most
        assert all(float(label.replace(",", "")).is_integer() for label in labels)
    assert labels[-1] == "600,000"


def test_the_page_draws_what_the_curve_says(tmp_path):
    """A square a step, a bar each, the reference's line, and the rows folded below."""
    folders = versions(tmp_path, [0.2, 0.4, 0.8])
    steps = {folder.name: 50 * n for n, folder in enumerate(folders)}
    html = render_over_time(pages.page(history(tmp_path), None, (), Training(steps)))
    candidate, difference = html.split('<div class="curve"')[1:]
    for part in (candidate, difference):
        area = part.split('class="area"')[1].split('class="across')[0]
        assert area.count('<rect class="candidate"') == 3
        assert area.count('class="range"') == 3
        assert area.count('class="way"') == 2
        assert part.index("<details>") < part.index('class="track"')
    assert 'class="level"' in candidate
    assert 'class="level"' not in difference.split("</div>")[0]
