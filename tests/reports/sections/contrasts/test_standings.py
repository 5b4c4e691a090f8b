"""The word on a line is that of the sentence on the page: both follow from one test."""

from dataclasses import replace

import pytest

from maskaudit.reports.effects import Effects
from maskaudit.reports.page import names_of
from maskaudit.reports.sections.contrasts.claims import finding
from maskaudit.reports.sections.contrasts.standings import standing
from maskaudit.reports.sections.contrasts.tested import contrasts
from tests.reports import records

MARGIN = {"margins": {"contrast": {"nats": 0.9, "reason": "a reason of the test"}}}
# What of the difference is another number, and what word and what sentence follow from it.
CASES = {
    "shown, harmful": ({"p_adjusted": 0.001, "estimate": 0.6}, "shown", 0, "leans further than"),
    "shown, harmless": ({"p_adjusted": 0.049, "estimate": -0.6}, "shown", 5, "leans less far than"),
    "at the level": ({"p_adjusted": 0.05}, "not shown", 3, "No difference could be shown"),
    "unknown chance": ({"p": float("nan")}, "refused", 2, "Nothing can be said"),
    "few frames": ({"n_frames": 3}, "refused", 2, "Nothing can be said"),
    "a copy": (
        {"estimate": 0.0, "std_error": 0.0, "p": 1.0, "p_adjusted": 1.0}, "the same", 4,
        "No difference at all",
    ),
}  # fmt: skip


def contrasts_of(found):
    """Return the contrasts of a record, and the names of its models."""
    names = names_of(found.manifest)
    return contrasts(found.manifest.probe_sets, Effects.of(found.estimates), names), names


@pytest.mark.parametrize("case", CASES)
def test_the_word_is_that_of_the_sentence(case):
    """Each way that a claim can go, made by hand from one record."""
    cells, word, rank, claim = CASES[case]
    found = records.changed(records.record([records.jobs(frames=6)]), **cells)
    [contrast], names = contrasts_of(found)
    made = standing(contrast)
    assert (made.word, made.rank) == (word, rank)
    assert claim in finding(contrast, names).claim
    assert (made.is_harmful, made.is_open) == (rank == 0, rank in {1, 2})


def test_within_a_declared_margin_the_word_is_the_same():
    """Not shown to differ, and shown to be inside; the limit is that of the page's brief."""
    cells = {"p_adjusted": 0.5, "estimate": 0.1, "std_error": 0.05, "df": 20.0}
    declared = {**records.jobs(frames=6), **MARGIN}
    for raw, word, part in (
        (declared, "the same", "the same within 0.90 nats"),
        (records.jobs(frames=6), "not shown", "not shown: at most 0.19 nats apart"),
    ):
        found = records.changed(records.record([raw]), **cells)
        [contrast], names = contrasts_of(found)
        made = standing(contrast)
        assert made.word == word
        assert part in made.words
        assert finding(contrast, names).same in made.words


@pytest.mark.parametrize(
    ("candidate", "word", "claim"),
    [(1.2, "shown", "leans with the stereotype"), (-1.2, "shown", "leans against the stereotype")],
)
def test_of_one_model_the_word_is_on_its_own_lean(candidate, word, claim):
    """With the stereotype is the harmful way."""
    found = records.record([records.jobs(frames=6)], reference=None, candidate=candidate)
    [contrast], names = contrasts_of(found)
    made = standing(contrast)
    assert (made.word, made.is_harmful) == (word, candidate > 0)
    assert made.words == f"{word}: {claim}"
    assert claim in finding(contrast, names).claim


@pytest.mark.parametrize(("low", "word"), [(-0.2, "control"), (0.01, "control leans")])
def test_a_control_leans_where_an_interval_leaves_zero_out(low, word):
    """It is never tested, so its plain intervals decide, as in its sentence."""
    found = records.record([records.control()])
    wide = replace(found, estimates=found.estimates.assign(low=-0.3, high=0.3))
    made = records.changed(wide, low=low)
    [contrast], names = contrasts_of(made)
    assert standing(contrast).word == word
    leans = "shows a lean where none is expected" in finding(contrast, names).claim
    assert leans == (word == "control leans")
