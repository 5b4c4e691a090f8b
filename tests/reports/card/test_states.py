"""The state of a candidate before its change: no sentence claims what its test does not carry."""

import math
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from maskaudit.reports.blocks import Claim
from maskaudit.reports.card.states import nothing_shown, summary, worst
from maskaudit.reports.effects import Effects, Names
from maskaudit.reports.sections.contrasts.tested import contrasts
from maskaudit.reports.words.markdown import named
from tests.reports import records

TITLES = {"jobs": "Pronoun by job", "people": "Job by person"}
SUBJECTS = ("reference", "candidate", "difference")
NUMBER = st.floats(-3, 3).filter(lambda x: abs(x) > 1e-3)


@cache
def base():
    """Return the sets, contrasts and names of a record of two tested sets and a control."""
    found = records.record([records.jobs(frames=6), records.people(), records.control()])
    rows = found.estimates[found.estimates["estimator"] == "stereotype_contrast"]
    parts = {
        name: part.model_copy(update={"title": TITLES.get(name, part.title)})
        for name, part in found.manifest.probe_sets.items()
    }
    return parts, Effects.of(rows).all, Names(named("student"), named("teacher"), by_name=True)


def told(cells, *, alone=False):
    """Return claim and evidence with other numbers by set and subject, and the tested sets."""
    parts, rows, names = base()
    if alone:
        rows = [row for row in rows if row.subject == "candidate"]
        names = replace(names, reference="")
    changed = [
        replace(row, effect=replace(row.effect, **cells.get((row.probe_set, row.subject), {})))
        for row in rows
    ]
    found = contrasts(parts, Effects(changed), names)
    made = summary(found, names)
    claim, evidence = (re.sub("[\ue000\ue001]", "", text) for text in (made.claim, made.evidence))
    return Claim(claim, evidence), [one for one in found if not one.is_control]


def cells_of(jobs, people):
    """Return the cells of both sets: reference, candidate, p of either, p of their difference."""
    cells = {}
    for name, (reference, candidate, p, p_change) in (("jobs", jobs), ("people", people)):
        numbers = (reference, p), (candidate, p), (candidate - reference, p_change)
        for subject, (estimate, chance) in zip(SUBJECTS, numbers, strict=True):
            cells[name, subject] = {
                "estimate": estimate, "p": chance, "p_adjusted": chance, "std_error": 0.05,
                "low": estimate - 0.1, "high": estimate + 0.1,
            }  # fmt: skip
    return cells


def said_of(text):
    """Return what a text says of each set by regular expressions: states and changes in order.

    “There” is the set, or are the sets, of the sentence before.
    """
    told_of = {title: [] for title in TITLES.values()}
    last = []
    for sentence in re.split(r"(?<=\.)\s+(?=[A-Z]|student|teacher)", text):
        titles = re.findall(r"“([^”]+)”", sentence) or (last if "there" in sentence else [])
        last = titles or last
        for title in titles:
            if title in told_of:
                told_of[title].append(sentence)
    return told_of


CASE = st.tuples(NUMBER, NUMBER, st.sampled_from([0.001, 0.2]), st.sampled_from([0.001, 0.2]))


def rank_of(reference, candidate, p, p_change):
    """Return how much is shown against the candidate: 0 for the most, by hand."""
    is_worse = p_change < 0.05 and candidate > reference
    if p < 0.05:
        return 0 if candidate > 0 else 1 if is_worse else 2
    return 1 if is_worse else 3


@given(jobs=CASE, people=CASE)
def test_each_sentence_says_what_its_test_shows_and_no_change_comes_before_its_state(jobs, people):
    """With numbers drawn at will, each is held against p and sign by hand."""
    made, found = told(cells_of(jobs, people))
    if jobs[2] == people[2] == 0.2:
        assert made.claim.startswith("No lean of student could be shown on any of the 2 tested")
        return
    ranks = {"jobs": rank_of(*jobs), "people": rank_of(*people)}
    assert ranks[worst(found).probe_set] == min(ranks.values())
    by_title = said_of(f"{made.claim} {made.evidence}")
    for title, case in zip(TITLES.values(), (jobs, people), strict=True):
        reference, candidate, p, p_change = case
        sentences = by_title[title]
        of_set = " ".join(sentences)
        way = "with" if candidate > 0 else "against"
        assert (f"leans {way} the stereotype on" in of_set) == (p < 0.05)
        assert ("No lean of student could be shown" in of_set) == (p >= 0.05)
        no_change = "No difference could be shown between student and teacher" in of_set
        assert no_change == (p_change >= 0.05)
        if "leans less far than teacher" in of_set:
            assert p_change < 0.05
            assert abs(candidate) <= reference + 1e-9
        if "leans further than teacher" in of_set:
            assert candidate > reference
        states = [
            i for i, one in enumerate(sentences) if re.search("the stereotype on|No lean of", one)
        ]
        better = [i for i, one in enumerate(sentences) if "leans less" in one]
        assert all(states[0] < place for place in better)


def test_the_numbers_are_factors_with_their_intervals_and_never_nats():
    """The exponentials of the estimates and of their limits."""
    cells = cells_of((0.5, 1.2, 0.001, 0.001), (0.1, 0.2, 0.3, 0.3))
    made, _ = told(cells)
    for value in (0.5, 1.2, 0.7):
        assert f"{math.exp(value):.2f} times" in made.evidence
    assert "nats" not in f"{made.claim} {made.evidence}"
    assert "A factor of 1 would be no lean." in made.evidence
    assert "allow for the choice of this set from 2" in made.evidence
    [of_student] = re.findall(r"as high .*?\((\S+) % interval (\S+) to (\S+?)\)", made.evidence)
    # One of two is shown: the level is 1 - .05 / 2, and so the interval is wider than of 95 %.
    level, low, high = of_student
    assert level == "97.5"
    assert float(low) < math.exp(1.1) < math.exp(1.2) < math.exp(1.3) < float(high)


def test_a_control_that_leans_is_told_with_every_finding():
    """It stands in the same paragraph, whatever the finding is."""
    cells = cells_of((1, 0.5, 0.001, 0.001), (1, 1, 0.2, 0.2))
    assert "Day by job" not in told(cells)[0].evidence
    cells["days", "candidate"] = {"low": 0.01, "high": 0.5}
    assert "“Day by job” shows a lean where none is expected: read" in told(cells)[0].evidence


def test_one_model_alone_has_a_state_and_no_change():
    """Nothing was compared, and nothing of a teacher is said."""
    made, _ = told(cells_of((1, 0.5, 0.001, 0.001), (1, 0.8, 0.001, 0.2)), alone=True)
    assert "leans with the stereotype" in made.claim
    assert "teacher" not in f"{made.claim} {made.evidence}"


def test_what_is_not_shown_has_its_limit_as_a_factor():
    """By the end of its 90 % interval, rounded up, so that it stays true."""
    made, found = told(cells_of((0.0, 0.11, 0.4, 0.4), (0.0, -0.02, 0.9, 0.9)))
    assert nothing_shown(found)
    [factor] = re.findall(r"at most a factor of (\S+) from no lean", made.claim)
    df = {one.probe_set: one.alone.main.df for one in found}
    most = max(abs(e) + 0.05 * t.ppf(0.95, df[n]) for n, e in (("jobs", 0.11), ("people", -0.02)))
    assert float(factor) == pytest.approx(np.ceil(math.exp(most) * 100) / 100)
