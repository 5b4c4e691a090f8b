"""The history in words: what each sentence says, and the first ones of its page."""

import math
import re
import subprocess
import sys
from statistics import fmean

import pytest

from maskaudit.audit.history.judge import judge
from maskaudit.audit.history.read import Chosen, read
from maskaudit.reports.over_time import page as pages
from maskaudit.reports.terminal import history as words
from tests.audit.history.folders import drawn, versions, write

HOSTILE = "<script>alert(1)</script>\u202e\u001b[31m"
CHANGED = [0.0, 0.02, 0.01, 0.03, 0.0, 0.0, 0.5, 0.52, 0.51, 0.5, 0.53, 0.51]


def told(runs, subject="difference", chosen=None):
    """Return all sentences of one subject's series, in one text."""
    made = judge(read(runs, chosen))
    return " ".join(
        sentence
        for one in made.judged
        if one.series.subject == subject
        for sentence in words.sentences(one, made)
    )


# --- Sentences ------------------------------------------------------------------------------------


def test_versions_called_worse_are_counted_and_named(tmp_path):
    """How many of how many, which, since when, at which level, and how the newest stands."""
    folders = versions(tmp_path, [0.0, 0.9, 0.8, 0.1])
    found = told(tmp_path)
    assert "2 of 4 versions are called worse than the reference (versions 2 and 3; " in found
    assert f"first {folders[1].name}; all of them together at the level .05)" in found
    assert "The newest, version 4: p = .169." in found


def test_where_every_version_is_worse_the_text_says_so(tmp_path):
    """And one of one is said in the singular."""
    write(tmp_path, 1, estimate=0.9)
    assert "1 of 1 version is called worse than the reference (every one; " in told(tmp_path)


def test_no_version_called_worse_is_said_with_the_newest_p(tmp_path):
    """It is no proof, and the page says that."""
    versions(tmp_path, [0.0, 0.0])
    assert "None of 2 versions is called worse than the reference" in told(tmp_path)
    made = pages.page(judge(read(tmp_path)))
    assert made.headline == "No alarm in 2 records"
    assert "no proof" in made.lead


def headline(runs, estimates, **more):
    """Return the headline and the lead of the page of these versions."""
    for n, estimate in enumerate(estimates, start=1):
        write(runs, n, estimate=estimate, weights=f"w{n}", candidate=f"org/v{n}", **more)
    made = pages.page(judge(read(runs)))
    return made.headline, made.lead


def test_the_headline_tells_the_newest_version_from_earlier_ones(tmp_path):
    """What was worse and is not so now is no news of today; nor is what was so all along."""
    claim, lead = headline(tmp_path / "now", [0.0, 0.9], sets=("jobs", "people"))
    assert claim == (
        "v2, the newest version, is called worse than the reference on 2 of 2 numbers, and the "
        "version before it was not"
    )
    assert "2.46 times the odds of its reference in v2, after 1.00 in v1" in lead
    claim, _ = headline(tmp_path / "always", [0.9, 0.9])
    assert claim.endswith("on the one number that was judged, as the version before it was")
    claim, _ = headline(tmp_path / "first", [0.9])
    assert claim.endswith("on the one number that was judged")
    claim, _ = headline(tmp_path / "then", [0.9, 0.0])
    assert claim == "Earlier versions were called worse than the reference; the newest is not"


def test_no_calm_headline_stands_over_a_change_that_is_shown(tmp_path):
    """A step too small for any version to be called worse is named with the version it came in."""
    claim, lead = headline(tmp_path / "step", [0.0, 0.02, 0.01, 0.03] * 12 + [0.5, 0.52, 0.51] * 4)
    assert claim == "No alarm in 60 records, but a change with v49"
    odds = [math.exp(fmean(own)) for own in ([0.0, 0.02, 0.01, 0.03], [0.5, 0.52, 0.51])]
    assert "{:.2f} times the odds of its reference before, {:.2f} from v49 on".format(*odds) in lead
    claim, _ = headline(tmp_path / "none", [0.0, 0.02, 0.01, 0.03] * 15)
    assert claim == "No alarm in 60 records"


def test_a_history_in_which_nothing_is_judged_says_why(tmp_path):
    """Each reason has its sentence."""
    versions(tmp_path, [0.0, 0.0])
    alone = Chosen(subjects=("candidate",))
    made = pages.page(judge(read(tmp_path, alone)))
    assert made.headline == "2 records, and nothing in them that could be judged"
    assert made.lead.startswith("One model by itself")
    mean = Chosen(estimators=("log_odds",))
    assert "no harmful direction of its own" in told(tmp_path, chosen=mean)
    write(tmp_path, 3, reference="other")
    assert "the reference changed" in told(tmp_path)


@pytest.mark.slow
def test_a_change_point_is_told_with_its_place_and_p(tmp_path):
    """Between which two records, from which level to which."""
    folders = versions(tmp_path, CHANGED)
    found = told(tmp_path)
    where = f"between {folders[5].name} and {folders[6].name}, from +0.01 to +0.51"
    assert f"Change point: the level most likely changed {where} (p = " in found
    # The candidate's own series is searched as well as the difference.
    assert re.search(r"\(p = [\d.]+, at any look; searched in 2 series\)\.", found)
    alone = Chosen(subjects=("difference",))
    assert re.search(r"\(p = [\d.]+, at any look\)\.", told(tmp_path, chosen=alone))


@pytest.mark.slow
def test_a_change_point_that_is_not_shown_and_one_that_cannot_be(tmp_path):
    """Neither is silence."""
    versions(tmp_path / "twelve", [0.1, -0.1] * 6)
    assert "Change point: none shown; the likeliest would be between " in told(tmp_path / "twelve")
    versions(tmp_path / "three", [0.1] * 3)
    assert "Change point: too few versions to say (3; it takes 12)." in told(tmp_path / "three")


def test_repeats_are_told_and_whether_they_repeat(tmp_path):
    """Identical ones in half a sentence, others with their names."""
    for n, estimate in enumerate([0.1, 0.1, 0.3], start=1):
        name = write(tmp_path, n, estimate=estimate).name
    assert f"2 records are repeats, and 1 of them has another number ({name})" in told(tmp_path)
    for n in (1, 2):
        write(tmp_path / "two", n)
    assert "1 record is a repeat, with the same number as the first of its kind." in told(
        tmp_path / "two"
    )


def test_another_method_is_told_where_it_begins(tmp_path):
    """With what differs."""
    for n, torch in enumerate(["2.13", "2.14"], start=1):
        folder = write(tmp_path, n, torch=torch, weights=f"w{n}")
    assert (
        f"A new series from {folder.name} on, made in another way than the one before (torch: "
        "2.13, then 2.14): the two are not compared."
    ) in told(tmp_path)


@pytest.mark.slow
def test_draws_are_told_by_their_limits(tmp_path):
    """Above its limit since when, or not shown to be."""
    folders = drawn(tmp_path / "up", [1.0] * 5)
    assert re.search(
        r"In 5 draws of the newest model the mean is \+1.00 \(limits that hold at every draw at "
        rf"once: \+[\d.]+ to \+[\d.]+\): above 0.00 since {folders[0].name}",
        told(tmp_path / "up"),
    )
    drawn(tmp_path / "even", [0.0] * 5)
    assert "not shown to be above 0.00." in told(tmp_path / "even")


def test_notes_name_what_was_left_out_the_clock_and_several_candidates(tmp_path):
    """A line each."""
    first = write(tmp_path, 1, day=5, candidate="a")
    second = write(tmp_path, 2, day=2, candidate="b")
    (tmp_path / "other").mkdir()
    lines = words.notes(judge(read(tmp_path)))
    assert lines[0].startswith("other: left out: not a complete record")
    assert f"the clock went backwards: {second.name} was written after {first.name}" in lines[1]
    assert "the candidates have 2 names (a and b)" in lines[2]


# --- The terminal ---------------------------------------------------------------------------------


def test_the_table_has_a_line_a_record_in_columns(tmp_path):
    """Name, day, version, estimate with interval, flags; the last N of many."""
    folders = versions(tmp_path, [0.0, 0.9, -0.1])
    lines = words.text(judge(read(tmp_path, Chosen(subjects=("difference",)))), last=2).splitlines()
    assert lines[0] == "3 records, 2 January 2026 to 4 January 2026"
    assert lines[2] == "Title of jobs: stereotype contrast, difference"
    assert "the last 2 of 3 records" in lines[3]
    head, first, second = lines[4:7]
    assert first.split() == [
        folders[1].name, "2026-01-03", "2:", "w2", "+0.90", "+0.70", "to", "+1.10",
        "new", "version,", "worse", "than", "the", "reference",
    ]  # fmt: skip
    assert second.split()[:5] == [folders[2].name, "2026-01-04", "3:", "w3", "−0.10"]
    assert head.index("flags") == first.index("new version") == second.index("new version")


@pytest.mark.slow
def test_the_text_needs_no_drawing():
    """Altair and torch are for pages and models."""
    code = (
        "import sys, maskaudit.audit.history.judge, maskaudit.audit.history.read; "
        "import maskaudit.audit.history.plain, maskaudit.reports.over_time.page; "
        "print([m for m in ('altair', 'jinja2', 'torch', 'scipy.stats') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
