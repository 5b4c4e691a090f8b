"""What follows a sentence that nothing was shown, against scipy and by hand."""

import math
import re
from dataclasses import replace

import pytest
from scipy import stats

from maskaudit.audit.recording.margins import Margin
from maskaudit.reports.blocks import Part
from maskaudit.reports.sections.association.inherited import section as inherited
from maskaudit.reports.words import sameness, wording
from tests.reports import records
from tests.reports.records import page
from tests.reports.test_lint import effect
from tests.reports.test_page import parts, said, table

pytestmark = pytest.mark.slow
DECLARED = {
    "contrast": {"nats": 0.3, "reason": "a reason of the test"},
    "attribute": {"nats": 0.4, "reason": "another reason"},
}


def jobs(**margins):
    """Return a set with these margins."""
    return {**records.jobs(frames=20), **({"margins": margins} if margins else {})}


def made(leans=(0.8, 0.82), noise=0.3, **margins):
    """Return a record of two models that lean so, with the margins of its set."""
    reference, candidate = leans
    return records.record([jobs(**margins)], reference=reference, candidate=candidate, noise=noise)


def most_of(row):
    """Return the end farther from zero of the 90 % interval of a row of estimates."""
    half = stats.t.ppf(0.95, row["df"]) * row["std_error"]
    return abs(row["estimate"]) + half


def up(value):
    """Return two decimals, rounded up."""
    return f"{math.ceil(100 * value) / 100:.2f}"


@pytest.mark.parametrize("reference", [0.8, None])
def test_without_a_margin_the_smallest_is_said(reference):
    """After the sentence, and in the line."""
    leans = (0.8, 0.82) if reference else (None, 0.0)
    found = made(leans)
    subject = "difference" if reference else "candidate"
    row = records.estimate_of(found, "jobs", subject, "stereotype_contrast", "contrast")
    assert row["p_adjusted"] > 0.05
    what = f"at most {up(most_of(row))} nats {'apart' if reference else 'from no lean'}"
    own = page(found)
    assert f"{what} (90 % interval " in own.headline.evidence
    assert own.headline.evidence.index("not proof") < own.headline.evidence.index(what)
    assert f"; {what}, 90 % interval)." in own.findings[0].items[0]


def test_within_a_declared_margin_the_two_are_the_same():
    """Where the interval is inside it; the reason stands in the section of the set."""
    found = made(**DECLARED)
    row = records.estimate_of(found, "jobs", "difference", "stereotype_contrast", "contrast")
    assert most_of(row) < 0.3
    own = page(found)
    assert (
        "The two are the same within 0.30 nats, the margin declared for this set (90 % interv"
        in (own.headline.evidence)
    )
    assert own.headline.alone.endswith("(the same within 0.30 nats)")
    note = table(own, "results-jobs").note
    assert "within 0.30 nats count as the same: a reason of the test." in note


def test_a_margin_that_is_not_shown_is_said_not_to_be():
    """The smallest for which it would be stands there instead."""
    narrow = {"contrast": {"nats": 0.01, "reason": "x"}}
    found = made(**narrow)
    row = records.estimate_of(found, "jobs", "difference", "stereotype_contrast", "contrast")
    text = page(found).headline.evidence
    assert f"at most {up(most_of(row))} nats apart (90 % interval " in text
    assert text.endswith("; the margin of 0.01 is not shown).")


def test_what_is_shown_is_followed_by_nothing():
    """A difference is not called the same within a margin."""
    own = page(made((0.5, 1.5), **DECLARED))
    assert own.headline.same == ""
    assert own.headline.alone == own.headline.claim
    assert "90 % interval" not in own.headline.evidence


def test_classes_name_the_margin_of_attributes_and_its_reason():
    """Without one it is said what cannot be said; with one some are inherited."""
    without, within = made(noise=0.05), made(noise=0.05, **DECLARED)
    for found, margin in ((without, False), (within, True)):
        own = found.estimates[found.estimates["estimator"] == "inheritance"]
        assert ("inherited" in set(own["outcome"])) == margin
        [text] = [said(part) for part in parts(page(found), Part) if part.title == inherited.TITLE]
        assert ("The margin is 0.40 nats: another reason." in text) == margin
        assert ("none can be called lost or new" in text) != margin
        # Each change that is not shown, by its own interval.
        sizes = [most_of(row) for _, row in own.iterrows() if row["outcome"] in
                 {"undecided", "inherited"}]  # fmt: skip
        shown = re.search(r"changed by at most ([\d.]+)(?: to ([\d.]+))? nats", text)
        assert shown
        assert [shown[1], shown[2] or shown[1]] == [up(min(sizes)), up(max(sizes))]


@pytest.mark.parametrize(
    ("value", "shown"), [(0.17, "0.17"), (0.1701, "0.18"), (0.0, "0.00"), (0.001, "0.01"),
                         (1.0, "1.00"), (math.nan, wording.UNKNOWN)],
)  # fmt: skip
def test_a_size_that_is_at_most_something_is_rounded_up(value, shown):
    """Rounded to the nearest, the sentence would be false half the time."""
    assert wording.at_most(value) == shown


def test_what_is_unknown_is_the_same_within_nothing():
    """No interval, no sentence; a margin does not make one."""
    unknown = effect(estimate=0.01)
    margin = Margin(nats=5.0, reason="x")
    for paired in (True, False):
        assert sameness.sentence(unknown, margin, paired=paired) == ""
        assert sameness.brief(unknown, margin, paired=paired) == ""
    known = replace(unknown, std_error=0.01, df=20.0)
    assert sameness.of_all([known, unknown], paired=True) == ""
    assert sameness.of_all([], paired=True) == ""
    assert sameness.at_most(unknown) == ""
