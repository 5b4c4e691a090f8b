"""What a page says, tested without HTML: every sentence against a record that is known."""

import math
import re
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from scipy import optimize, stats

from maskaudit.reports import page as pages
from maskaudit.reports.blocks import Figure, Rows, Scatter, Table
from maskaudit.reports.sections.association.leans import move
from tests import manifests
from tests.reports import records
from tests.reports.records import estimate_of, page


def strings(value):
    """Yield every string of a page, wherever it stands."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from strings(getattr(value, field.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from strings(each)


def said(made):
    """Return all that a page says, in one text."""
    return "\n".join(strings(made))


def parts(value, kind):
    """Yield every part of a page that is of this kind."""
    if isinstance(value, kind):
        yield value
    if is_dataclass(value):
        for field in fields(value):
            yield from parts(getattr(value, field.name), kind)
    elif isinstance(value, tuple):
        for each in value:
            yield from parts(each, kind)


def table(made, name):
    """Return the table of this name."""
    return next(found for found in parts(made, Table) if found.name == name)


@pytest.fixture(scope="module")
def further():
    """Return a record whose candidate leans further on two sets."""
    return records.record()


@pytest.fixture(scope="module")
def page_further(further):
    """Return its page."""
    return page(further)


@pytest.mark.slow
def test_a_student_that_leans_further_is_said_to_with_its_interval(further, page_further):
    """The claim and the numbers of the headline are those of the estimates."""
    made = page_further
    chosen = min(("jobs", "people"), key=lambda name: estimate_of(further, name, "difference")["p"])
    row = estimate_of(further, chosen, "difference")
    title = {"jobs": "Pronoun by job", "people": "Job by person"}[chosen]
    assert made.headline.claim == (
        f"The candidate (student) leans further than the reference (teacher) on “{title}”"
    )
    assert made.headline.evidence.startswith(
        f"its stereotype contrast is {row['estimate']:.2f} nats higher (95 % interval "
        f"{row['low']:.2f} to {row['high']:.2f}; p < .001, adjusted for 2 tested sets; "
        "14 attributes in 10 frames)."
    )


def test_odds_are_the_exponentials_of_the_contrasts(further, page_further):
    """The readable scale says the same as the nats."""
    text = said(page_further)
    factors = [
        f"{np.exp(estimate_of(further, 'jobs', subject)['estimate']):.2f}"
        for subject in ("candidate", "reference", "difference")
    ]
    assert (
        f"In the candidate, the odds of women over men are {factors[0]} times as high with words "
        "of “women’s jobs” as with words of “men’s jobs”; in the reference, "
        f"{factors[1]} times. That is {factors[2]} times as much."
    ) in text


@pytest.mark.slow
def test_a_student_that_leans_less_is_said_to():
    """A smaller contrast is reported as lower, its interval in the same words."""
    found = records.record([records.jobs()], reference=1.1, candidate=0.5)
    row = estimate_of(found, "jobs", "difference")
    headline = page(found).headline
    assert "leans less far than the reference (teacher)" in headline.claim
    assert (
        f"{-row['estimate']:.2f} nats lower (95 % interval {-row['high']:.2f} to "
        f"{-row['low']:.2f} lower; p < .001; 14 attributes"
    ) in headline.evidence


@pytest.mark.parametrize(
    ("reference", "candidate", "words"),
    [
        (-1.1, -0.5, "leans less against the stereotype than"),
        (-0.5, -1.1, "leans further against the stereotype than"),
        (-0.5, 0.6, "leans further than"),
        (0.6, -0.5, "leans less far than"),
    ],
)
@pytest.mark.slow
def test_a_lean_against_the_stereotype_is_named_as_one(reference, candidate, words):
    """The words follow the sign of both contrasts, not that of their difference alone."""
    found = records.record([records.jobs()], reference=reference, candidate=candidate)
    assert words in page(found).headline.claim


@pytest.mark.slow
def test_what_is_not_shown_is_said_with_what_could_have_been_found():
    """No difference shown is not reported as no difference."""
    found = records.record([records.jobs()], reference=0.8, candidate=0.9, noise=0.2)
    row = estimate_of(found, "jobs", "difference")
    assert row["low"] < 0 < row["high"]
    headline = page(found).headline
    assert headline.claim.startswith("No difference could be shown between the candidate (student)")
    assert "the interval includes zero" in headline.evidence
    assert f"could have been expected to find is {row['mde']:.2f} nats." in headline.evidence


def of_tested(jobs=None, **cells):
    """Return a record with other values in the tested contrasts of the difference.

    `jobs` are those of one of the two sets alone.
    """
    found = records.record()
    estimates = found.estimates.copy()
    rows = (estimates["estimator"] == "stereotype_contrast") & (
        estimates["subject"] == "difference"
    )
    tested = rows & estimates["p_adjusted"].notna()
    estimates.loc[tested, list(cells)] = list(cells.values())
    if jobs:
        estimates.loc[tested & (estimates["probe_set"] == "jobs"), list(jobs)] = list(jobs.values())
    return replace(found, estimates=estimates)


def limits_at(level, estimate, std_error, df):
    """Return the limits of an interval, by scipy's Student's t."""
    half = stats.t.ppf((1 + level) / 2, df) * std_error
    return f"{estimate - half:.2f} to {estimate + half:.2f}"


def test_a_headline_that_the_data_chose_pays_for_it():
    """One of two sets is shown: a level of 97.5 % in words, and a size moved towards zero."""
    weak = {"estimate": 0.1, "std_error": 0.2, "df": 30.0, "p": 0.62, "p_adjusted": 0.62}
    clear = {"estimate": 0.3, "std_error": 0.1, "p": 0.0054, "p_adjusted": 0.0108}
    found = of_tested(**weak, low=-0.31, high=0.51, jobs={**clear, "low": 0.1, "high": 0.5})
    made = page(found)

    # The share that is no noise: 1 less the mean share of noise, over a grid of shares.
    shares = np.linspace(1e-6, 1, 200_001)
    total = (3.0**2 + 0.5**2) * (1 - 2 / 30)
    weights = shares * np.exp(-shares * total / 2)
    likely = 0.3 * (1 - (shares * weights).sum() / weights.sum())
    assert made.headline.evidence.startswith(
        f"its stereotype contrast is 0.30 nats higher, likely nearer {likely:.2f} (97.5 % interval "
        f"{limits_at(0.975, 0.3, 0.1, 30)}, because it was chosen from 2 sets; p = .011, adjusted "
        "for 2 tested sets; 14 attributes in 10 frames)."
    )
    line = next(text for text in made.findings[0].items if "leans further" in text)
    assert "(+0.30 nats, 97.5 % interval +0.06 to +0.54, because it was chosen from 2 sets)" in line
    # What is listed whatever it shows has its plain interval, and so have the tables.
    other = next(text for text in made.findings[0].items if "Job by person" in text)
    assert "(+0.10 nats, 95 % interval −0.31 to +0.51; could have found" in other
    rows = table(made, "contrasts-table").groups[0].rows
    assert rows[-1][2] == "+0.10 to +0.50"
    assert "1 − .05 R/m" in said(made.findings)


def test_where_nothing_is_shown_the_clearest_set_was_still_chosen():
    """Its interval and its size are those of a choice, and what could have been found too."""
    weak = {"estimate": 0.1, "std_error": 0.2, "df": 30.0, "p": 0.62, "p_adjusted": 0.62}
    least = {"estimate": 0.19, "std_error": 0.1, "p": 0.067, "p_adjusted": 0.134}
    made = page(of_tested(**weak, low=-0.31, high=0.51, jobs={**least, "low": -0.01, "high": 0.39}))
    assert re.match(
        r"the clearest was on “Pronoun by job”, where the stereotype contrast of the candidate is "
        r"0\.19 nats higher, likely nearer 0\.\d\d, and the interval includes zero \(97\.5 % "
        r"interval −0\.05 to \+0\.43, because it was chosen from 2 sets; 14 attributes in 10 "
        r"frames\)\.",
        made.headline.evidence,
    )
    quantile = stats.t.ppf(1 - 0.0125, 30)
    power = optimize.brentq(lambda size: stats.nct.sf(quantile, 30, size) - 0.8, 1, 9)
    assert (
        f"could have been expected to find, with 2 tested sets, is {0.1 * power:.2f} nats."
    ) in made.headline.evidence
    # The largest end of both sets' 90 % intervals, rounded up; nothing was said to be the same.
    of_jobs, of_others = (
        abs(size) + stats.t.ppf(0.95, 30) * error for size, error in ((0.19, 0.1), (0.1, 0.2))
    )
    most = math.ceil(100 * max(of_jobs, of_others)) / 100
    assert made.headline.evidence.endswith(
        f" At most {most:.2f} nats apart on each, 90 % intervals."
    )
    assert made.headline.alone.endswith(f"(at most {most:.2f} nats apart on each, 90 % intervals)")
    rows = table(made, "contrasts-table").groups[0].rows
    assert rows[-1][5] == f"{0.1 * power:.2f}"


def test_no_smaller_lean_is_said_without_the_lean_that_is_left():
    """Less far than its reference is no absence of a lean; further says that it leans."""
    one = [records.jobs()]
    less = page(records.record(one, reference=1.0, candidate=0.5)).headline.claim
    assert less.endswith("; the candidate itself leans with the stereotype on it")
    both = page(records.record(reference=1.0, candidate=0.5)).headline.claim
    assert both.endswith("; the candidate itself leans with the stereotype on both")
    further = page(records.record(reference=0.5, candidate=1.0)).headline.claim
    assert "itself" not in further
    none = page(records.record(reference=1.0, candidate=0.0)).headline.claim
    assert "itself" not in none


def test_an_interval_without_zero_is_not_enough_when_many_sets_were_tested():
    """The adjusted p decides what is shown, and the page says why."""
    made = page(of_tested(estimate=0.2, low=0.01, high=0.39, std_error=0.1, p_adjusted=0.06))
    assert made.headline.claim == (
        "No difference between the candidate (student) and the reference (teacher) could be shown "
        "on any of the 2 tested sets; the candidate itself leans with the stereotype on both"
    )
    assert (
        "Taken alone its 95 % interval (+0.01 to +0.39) leaves zero out, but among 2 tested sets"
    ) in made.headline.evidence
    assert "p = .060" in made.headline.evidence


@pytest.mark.slow
def test_equal_models_are_said_to_be_equal():
    """A model against itself differs by nothing at all."""
    found = records.record([records.jobs()], reference=0.8, candidate=0.8, noise=0.0)
    headline = page(found).headline
    assert headline.claim.startswith("No difference at all between")
    assert "exactly the same scores" in headline.evidence


@pytest.mark.slow
def test_one_model_alone_is_not_compared():
    """The page says so in its headline, has no difference, and says why there is no distance."""
    found = records.record(reference=None)
    made = page(found)
    text = said(made)
    assert made.headline.claim.startswith("The model (student) leans with the stereotype on")
    assert made.headline.claim.endswith("nothing was compared")
    assert "Not measured. One model was audited alone." in text
    # Only the words that explain the method speak of two models.
    own = [part for part in made.sections if part.name != "method"]
    assert not re.search(r"\b(reference|teacher)\b", said((made.headline, made.findings, *own)))
    assert [column.title for column in table(made, "results-jobs").columns] == [
        "Measure",
        "student",
    ]


def test_a_lone_model_without_a_lean_could_not_be_shown_to_have_one():
    """One model alone has the same rule of what is shown."""
    found = records.record([records.jobs()], reference=None, candidate=0.0)
    headline = page(found).headline
    assert headline.claim.startswith("No lean of the model (student) could be shown")
    assert "That is not proof of no lean" in headline.evidence


@pytest.mark.slow
def test_too_few_frames_give_no_interval_and_no_claim():
    """With five frames the number is shown and nothing is claimed."""
    made = page(records.record([records.jobs(frames=5)]))
    assert made.headline.claim == "This audit could not test any lean"
    assert "it takes at least 6 frames" in said(made)
    row = table(made, "contrasts-table").groups[0].rows[-1]
    assert row[2] == "no interval: too few frames"
    assert row[4] == "not tested"


@pytest.mark.slow
def test_a_control_is_shown_as_one():
    """A control never makes the headline; whether it is quiet is said."""
    found = records.record([records.control()], seed=1)
    made = page(found)
    assert made.headline.claim == "This audit could not test any lean"
    assert "The control “Day by job” shows no lean, as it should" in said(made)
    loud = records.changed(found, estimate=0.3, low=0.1, high=0.5)
    assert "shows a lean where none is expected" in said(page(loud))
    assert "It is small" not in said(page(loud))


@pytest.mark.parametrize(("size", "times"), [(0.1, 6), (0.03, 20), (0.15, None)])
@pytest.mark.slow
def test_a_control_that_leans_a_little_is_held_against_the_largest_finding(further, size, times):
    """How many times as far from zero the largest finding is, and nothing below five times."""
    estimates = further.estimates.copy()
    rows = (estimates["estimator"] == "stereotype_contrast") & (
        estimates["subject"] == "difference"
    )
    days = rows & (estimates["probe_set"] == "days")
    estimates.loc[rows & ~days, "estimate"] = 0.6
    estimates.loc[days, ["estimate", "low", "high"]] = (-size, -size - 0.01, -size + 0.01)
    alone = (estimates["probe_set"] == "days") & (estimates["subject"] != "difference")
    estimates.loc[alone, ["low", "high"]] = (-1.0, 1.0)
    text = said(page(replace(further, estimates=estimates)))
    small = f"It is small: the largest finding here is about {times} times as far from zero."
    assert (small in text) == (times is not None)
    assert ("It is small" in text) == (times is not None)


def test_limits_of_a_distance_are_cut_at_what_is_possible(further):
    """No divergence is shown below zero and no share above one, and the table says so."""
    estimates = further.estimates.copy()
    for name, limits in (("kl", (-0.1, 1.6)), ("jsd", (-0.1, 1.2)), ("top1", (0.8, 1.04))):
        rows = (estimates["estimator"] == name) & (estimates["subject"] == "relation")
        assert rows.any()
        estimates.loc[rows, ["low", "high"]] = limits
    shown = table(page(replace(further, estimates=estimates)), "distances")
    text = " ".join(
        cell if isinstance(cell, str) else cell.text for cell in shown.groups[0].rows[0]
    )
    assert "(0.00 to 1.60)" in text
    assert "(0.00 to 1.00)" in text
    assert "(0.80 to 1.00)" in text
    assert "Limits are cut at what is possible." in shown.note


@pytest.mark.slow
def test_the_planted_contrasts_are_said_to_be_those_of_the_text(further):
    """They differ from the contrasts of the page, which use frames kept out as well."""
    shown = table(page(records.record(truth=records.truth_of(further))), "planted-recovered")
    assert shown.columns[4].title == "Contrast on the frames of the text, nats (90 % interval)"
    assert "The contrasts above also use frames kept out of that text, and so differ." in shown.note


def test_the_method_says_which_p_is_adjusted_for_what(page_further):
    """What is said with its own p, and what with one that allows for many attributes."""
    assert (
        "The amplification, the KL comparison and the slopes go by their own p, not adjusted; the "
        "classes of attributes by p adjusted for the number of attributes."
    ) in said(page_further)


@pytest.mark.slow
def test_a_set_without_a_contrast_still_has_its_averages():
    """Nothing is tested and nothing fails."""
    raw = records.jobs()
    del raw["set"]["contrast"]
    made = page(records.record([raw]))
    assert made.headline.claim == "This audit could not test any lean"
    assert any(
        row[0].text == "Average, women’s jobs" for row in table(made, "results-jobs").groups[0].rows
    )


@pytest.mark.slow
def test_three_groups_are_compared_two_by_two():
    """Every pair of groups has its own contrast, results and names."""
    raw = records.jobs()
    raw["groups"]["others"] = {"label": "others", "terms": [{"text": "they"}]}
    for name, group in (("women_jobs", "women"), ("men_jobs", "men")):
        raw["classes"][name]["group"] = group
    made = page(records.record([raw]))
    # Of the others no class says a stereotype: their contrasts are told, but claim nothing.
    assert "“Pronoun by job: women and men”" in made.headline.claim
    results = [found for found in parts(made, Table) if found.name.startswith("results-jobs")]
    assert ["no direction of harm" in found.note for found in results] == [False, True, True]
    names = [found.name for found in parts(made, Table)]
    assert len(names) == len(set(names))


@pytest.mark.slow
def test_nothing_lost_is_said_and_what_is_lost_is_counted():
    """Losses are given by model and group with their reason, and what they cost."""
    assert "Nothing was lost" in said(page(records.record()))
    text = said(page(records.record([records.jobs()], lost=3)))
    assert "Nothing was lost" not in text
    assert "the vocabulary cannot write the word" in text
    assert "its cell is left out for all of them" in text


def test_words_of_several_pieces_are_counted_as_scored(page_further):
    """A word that the vocabulary does not have is in the table, with its pieces."""
    rows = table(page_further, "pieces").groups[0].rows
    assert [row[0] for row in rows] == ["Job by person"] * 2
    assert all(row[3:] == ("1", "1", "midwife (2)") for row in rows)


@pytest.mark.slow
def test_different_tokenizers_leave_out_the_distance_and_say_so():
    """What needs one vocabulary is not measured, and the limits repeat it."""
    text = said(page(records.record([records.jobs()], one_tokenizer=False)))
    assert text.count("The two models have different tokenizers.") == 2


def test_facts_are_counted_and_compared_in_pairs(page_further):
    """Accuracy is told in facts, with Wilson's interval, and McNemar's p for the two."""
    text = said(page_further)
    assert "The reference (teacher) fills 9 of 10 plain facts with a right answer (90 %," in text
    assert "That is 3 sentences more for the reference (teacher) than for" in text
    assert "McNemar’s exact test" in text


def checked(found, **candidate):
    """Return the record with a check of competence that the candidate fails."""
    good = {"competent": True, "right": 9, "of": 10, "majority": 2, "p": 0.016}
    weak = {"competent": False, "right": 3, "of": 10, "majority": 2, "p": 1.0, **candidate}
    competence = {"reference": good, "candidate": weak}
    return replace(found, manifest=manifests.changed(found.manifest, competence=competence))


@pytest.mark.slow
def test_the_page_of_a_model_that_is_not_competent_opens_with_a_warning(further):
    """The warning is about that model alone, with the numbers of the check; the section has all."""
    made = page(checked(further))
    assert len(made.warnings) == 1
    assert made.warnings[0].startswith(
        "The candidate (student) is not shown to know plain facts: it fills 3 of 10 facts with a "
        "right answer, where always giving the commonest answer to that kind of question is right "
        "in 2 (McNemar’s exact test: p = 1)."
    )
    text = said(made.sections)
    assert "The reference (teacher) passes the check of competence" in text
    assert "The candidate (student) fails the check of competence" in text


@pytest.mark.slow
def test_the_page_says_how_many_facts_could_be_read_and_gives_no_verdict_on_few(further):
    """Seven of ten: no verdict; thirty of forty: one, on these thirty."""
    made = page(checked(further, competent=None, of=7, asked=10))
    few = "7 of 10 facts could be read, of which it fills 3 with a right answer, and a verdict"
    assert made.warnings[0].startswith(
        f"Whether the candidate (student) knows plain facts cannot be said: {few} takes at least 20"
    )
    text = said(made.sections)
    assert f"There is no verdict on the competence of the candidate (student): {few}" in text
    made = page(checked(further, of=30, asked=40))
    assert "fills 3 of 30 facts that could be read (10 could not) with" in made.warnings[0]


@pytest.mark.slow
def test_an_older_record_and_the_bundled_pair_have_no_warning(further, page_further):
    """The one was not checked; the other is exempt and says so."""
    assert page_further.warnings == ()
    assert "check of competence" not in said(page_further)
    phantom = records.record(truth=records.truth_of(further))
    made = page(checked(phantom))
    assert made.warnings == ()
    assert "exempt from the check of competence" in made.banner


@pytest.mark.slow
def test_a_record_without_facts_says_that_competence_was_not_asked():
    """What was not asked is a limit of the audit."""
    found = records.record([records.jobs()])
    assert "No set of plain facts was asked" in said(page(found))
    assert "No set of plain facts" not in said(page(records.record()))


@pytest.mark.slow
def test_a_limitation_is_counted_in_sentences_and_says_nothing_of_competence():
    """It is no set of plain facts, by which competence would be judged."""
    text = said(page(records.record([records.facts("limitations")])))
    assert "fills 9 of 10 sentences with a right answer" in text
    assert "fills 9 of 10 plain facts" not in text
    assert "No set of plain facts was asked" in text


@pytest.mark.slow
def test_the_bundled_pair_is_announced_as_a_phantom(further, page_further):
    """Its page has a banner, and shows planted against recovered."""
    made = page(records.record(truth=records.truth_of(further)))
    assert "a phantom" in made.banner
    assert "says nothing about any model in use" in made.banner
    chart = next(f for f in parts(made, Figure) if isinstance(f.chart, Scatter))
    assert len(chart.chart.dots) == 2 * 14
    assert "planted 2.20" in said(made)
    assert page_further.banner == ""


@pytest.mark.slow
def test_a_truth_that_was_not_recovered_is_not_said_to_be(further):
    """A pair that did not learn what was planted must not pass for one that did."""
    made = records.record(truth=records.truth_of(further), reference=0.1, candidate=0.1)
    text = said(page(made))
    assert "Not recovered" in text
    assert "All that was planted is recovered" not in text


def test_a_set_that_was_changed_has_no_planted_truth(further):
    """The truth is about the items that were planted, told by their digest."""
    truth = records.truth_of(further)
    other = truth.sets["jobs"].model_copy(update={"items": "0" * 64})
    truth = truth.model_copy(update={"sets": {"jobs": other}})
    text = said(page(records.record(truth=truth)))
    assert "None of the sets of this audit is one whose leans were planted" in text


def test_the_largest_leans_are_those_of_the_estimates(further, page_further):
    """Raw numbers with their intervals; those chosen for their size have the shrunken one too."""
    made = table(page_further, "attributes-jobs")
    assert [column.title for column in made.columns][3:5] == ["student (candidate)", "Change"]
    rows = {row[0]: row for row in made.groups[0].rows}
    found = further.estimates.query(
        "probe_set == 'jobs' and subject == 'candidate' and estimator == 'largest_lean'"
    )
    largest = {slice_.removeprefix("attribute=") for slice_ in found["slice"]}
    assert {name for name, row in rows.items() if "shrunken" in str(row[3])} == largest
    for _, value in found.iterrows():
        row = rows[value["slice"].removeprefix("attribute=")]
        cells = [(row[2], "reference"), (row[3].text, "candidate")]
        for cell, subject in cells:
            raw = estimate_of(further, "jobs", subject, "lean", value["slice"])
            shown = f"{raw['estimate']:+.2f} ({raw['low']:+.2f} to {raw['high']:+.2f})"
            assert cell == shown.replace("-", "−")
        own = f"shrunken {value['estimate']:+.2f}, {value['low']:+.2f} to {value['high']:+.2f}"
        assert row[3].beside == own.replace("-", "−")


def test_the_sentence_shown_is_the_one_nearest_to_the_average(further, page_further):
    """The example is chosen by its score, by hand: no other sentence is nearer."""
    group = table(page_further, "sentences-jobs").groups[0]
    own = further.items.query(
        "probe_set == 'jobs' and role == 'probe' and attribute == @group.title"
    )
    own_scores = further.scores.query("model == 'candidate' and measure == 'logp'")
    scores = own_scores.set_index("item")["value"]
    by_frame = own.assign(value=own["item"].map(scores)).pivot(
        index="context", columns="group", values="value"
    )
    score = by_frame["women"] - by_frame["men"]
    nearest = (score - score.mean()).abs().idxmin()
    text = further.contexts.set_index("context").loc[nearest, "text"]
    shown = group.sentences[0]
    assert f"{shown.before}[MASK]{shown.after}" == text
    p = np.exp(by_frame.loc[nearest, "women"])
    assert group.rows[1][1] == f"{100 * p:.1f} %"
    assert group.rows[1][3] == f"{np.exp(score[nearest]):.2f}"


def test_a_sentence_pair_differs_in_the_group_alone(page_further):
    """Where the attribute is hidden, both groups' sentences are shown, with parallel terms."""
    first, second = table(page_further, "sentences-people").groups[0].sentences
    swapped = first.before.replace("woman", "man").replace("girl", "boy")
    assert (swapped, first.after) == (second.before, second.after)


@pytest.mark.parametrize(
    ("reference", "candidate", "words"),
    [
        (0.2, 0.5, "leans further towards women"),
        (-0.2, -0.5, "leans further towards men"),
        (0.5, 0.2, "leans less towards women"),
        (-0.5, -0.2, "leans less towards men"),
        (-0.5, 0.2, "crosses from men to women"),
        (0.0, -0.2, "leans further towards men"),
    ],
)
def test_a_move_is_told_from_both_leans(reference, candidate, words):
    """The direction is that of the leans, not of their difference."""
    assert move(reference, candidate, ("women", "men")) == words


@pytest.mark.slow
def test_unseen_characters_are_named_and_markup_is_left_to_the_template():
    """A hostile word is all there, with a name for what has no shape."""
    found = records.record(
        [records.jobs()], tokens=(records.HOSTILE,), names={"candidate": f"x/{records.HOSTILE}"}
    )
    text = said(page(found))
    assert "<script>alert(1)" in text
    assert "⟨U+202E⟩⟨U+200B⟩" in text
    assert "\u202e" not in text
    assert "\u200b" not in text


def test_models_of_one_short_name_keep_their_long_ones():
    """Two models are never called the same."""
    made = page(
        records.record([records.jobs()], names={"reference": "old/model", "candidate": "new/model"})
    )
    assert made.title == "Bias audit: new/model against old/model"


def test_no_row_is_longer_or_shorter_than_its_table(page_further):
    """Each row has a cell for each column."""
    for found in parts(page_further, Table):
        for rows in found.groups:
            assert isinstance(rows, Rows)
            assert {len(row) for row in rows.rows} == {len(found.columns)}


def test_no_number_is_nan_on_the_page(page_further):
    """What is unknown is shown as a dash."""
    assert "nan" not in said(page_further).replace("nanny", "").lower().split()


@pytest.mark.slow
def test_a_page_is_the_same_for_the_same_record(further):
    """Nothing on a page comes from the clock or from an order that may change."""
    shuffled = replace(further, scores=further.scores.sample(frac=1, random_state=1))
    made = [pages.page(further), pages.page(further), pages.page(shuffled)]
    assert made[0] == made[1] == made[2]


def test_frames_that_were_drawn_are_said_to_be():
    """A set with a grammar says how many sentences its frames were drawn from, and how."""
    found = records.record([records.jobs()])
    jobs = manifests.plain(found.manifest.probe_sets["jobs"])
    jobs["grammar"] = {"seed": 3, "sentences": 4000}
    drawn = replace(found, manifest=manifests.changed(found.manifest, probe_sets={"jobs": jobs}))
    told = "The frames were drawn, with the seed 3, from a grammar of 4,000 sentences."
    assert told in said(page(drawn))
    assert "drawn, with the seed" not in said(page(found))


@pytest.mark.parametrize(("adjust", "name"), [("bh", "Hochberg 1995"), ("by", "Yekutieli 2001")])
@pytest.mark.slow
def test_the_method_names_how_p_values_were_adjusted(further, adjust, name):
    """As the run was told to; Benjamini and Hochberg where an older record says nothing."""
    settings = {"seed": 0, "adjust": adjust}
    manifest = manifests.changed(further.manifest, settings=settings)
    told = said(page(replace(further, manifest=manifest)))
    assert name in told
    assert ("Hochberg 1995" in told) == (adjust == "bh")
    if adjust == "bh":
        assert name in said(page(further))
