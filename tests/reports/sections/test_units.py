"""The page about published sets: pairs and triples, in both modes, beside their definitions."""

import math
import re
from dataclasses import replace

import pandas as pd
import pytest
from scipy import stats

from maskaudit.audit.estimating.estimators.catalogue import ALL
from maskaudit.reports.blocks import Figure, Folded, Table
from maskaudit.reports.html import render
from tests.reports import records
from tests.reports.records import page
from tests.reports.test_html import near, read
from tests.reports.test_page import parts, said, strings, table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found():
    """Return a record of pairs and triples alone, without any set of groups."""
    bound = {"share_alike": True, "cite": "A. Writer (2020), Pairs", "licence": "CC-BY-SA-4.0"}
    return records.record(
        [records.pairs(notes=["line 3 is line 2"], unusable=2, **bound), records.triples()]
    )


@pytest.fixture(scope="module")
def made(found):
    """Return its page."""
    return page(found)


def numbers(found, probe_set, estimator, mode, slice_="all"):
    """Return the estimates of one number by subject, found by a line of pandas."""
    places = ["probe_set", "estimator", "mode", "slice"]
    own = found.estimates.set_index(places).sort_index()
    return own.loc[(probe_set, estimator, mode, slice_)].set_index("subject")


def shown(row, digits=1, sign=""):
    """Return an estimate with its interval as a page writes it, computed here."""
    if math.isnan(row["low"]):
        return ""  # too few clusters: the number stands without an interval
    low, high = (f"{row[c]:{sign}.{digits}f}".replace("-", "−") for c in ("low", "high"))
    return f"{low} to {high}"


def text_of(cell):
    """Return what a cell shows on its first line."""
    return cell if isinstance(cell, str) else cell.text


def section(made, probe_set):
    """Return the section of a set."""
    return next(one for one in made.sections if one.name == f"set-{probe_set}")


def test_a_page_without_any_set_of_groups_has_a_headline_and_no_chart(made, found):
    """The headline is the candidate's surest preference in numbers, and never speaks of leaning."""
    own = numbers(found, "triples", "ss", "corrected")
    other = numbers(found, "pairs", "crows_nangia", "corrected")
    sure = [
        (one.loc["candidate", "estimate"] - 50) / one.loc["candidate", "std_error"]
        for one in (other, own)
    ]
    first, what = (other, "sentence") if sure[0] > sure[1] else (own, "word")
    share = first["estimate"]
    assert re.fullmatch(
        rf"On “.*”, the candidate \(student\) prefers the stereotyping {what} in "
        rf"{share['candidate']:.1f} % of (pairs|items), the reference \(teacher\) in "
        rf"{share['reference']:.1f} %",
        made.headline.claim,
    )
    # It was chosen from two sets: the interval is at 1 - .05/2, in words.
    change = first.loc["difference"]
    half = stats.t.ppf(1 - 0.0125, change["df"]) * change["std_error"]
    wider = {"low": change["estimate"] - half, "high": change["estimate"] + half}
    assert f"97.5 % interval {shown(wider, sign='+')};" in made.headline.evidence
    assert "because it was chosen from 2 sets; 50 is even" in made.headline.evidence
    own_section = section(made, "pairs" if first is other else "triples")
    assert f"95 % interval {shown(change, sign='+')};" in said(own_section)
    assert "not adjusted" in made.headline.evidence
    assert not list(parts(made, Figure))
    assert not re.search(r"\blean(s|ed)? (further|less|with|against)", said(made))


def test_no_set_on_which_nothing_is_shown_stands_before_one_that_is():
    """However far the models are apart on it: what the candidate itself prefers comes first."""
    many = records.pairs(n=200, writers=200)
    made = records.record([many, records.triples(n=200, terms=40)], reference=0.0, candidate=3.0)
    even = {(row.probe_set, row.estimator): row.estimate for row in made.estimates.itertuples()
            if row.subject == "candidate" and row.slice == "all"}  # fmt: skip
    assert even["pairs", "crows_nangia"] > 50
    # The same numbers with the shares of the pairs moved to even, and far from the reference's.
    pairs = (made.estimates["probe_set"] == "pairs") & (
        made.estimates["estimator"] == "crows_nangia"
    )
    moved = made.estimates.copy()
    down = even["pairs", "crows_nangia"] - 50
    for subject in ("candidate", "reference"):
        rows = pairs & (moved["subject"] == subject)
        moved.loc[rows, ["estimate", "low", "high"]] -= down
    claim = page(replace(made, estimates=moved)).headline.claim
    assert "On “Pairs" not in claim


def test_whether_a_preference_is_shown_follows_its_interval():
    """Even outside the interval of a model, or inside: both are said."""
    made = page(records.record([records.pairs(n=200, writers=200)], reference=0.0, candidate=3.0))
    assert re.search(
        r"No preference either way could be shown for the reference \(teacher\) \(\d+\.\d points "
        r"could have been expected to be found\), at most \d+\.\d points from even \(90 % "
        r"interval\): 50 is inside",
        made.headline.evidence,
    )
    both = page(records.record([records.pairs(n=200, writers=200)], reference=3.0, candidate=3.0))
    assert "Both leave 50 out." in both.headline.evidence
    assert "which is not proof that there is none" in both.headline.evidence
    assert re.search(r", at most \d+\.\d points apart \(90 % interval\)", both.headline.evidence)


def test_one_model_alone_prefers_and_nothing_is_compared():
    """No reference, no difference, one row a number."""
    made = page(records.record([records.pairs()], reference=None))
    assert made.headline.claim.endswith("nothing was compared")
    assert "reference" not in made.headline.claim + made.headline.evidence
    assert len(table(made, "crows_nangia-pairs").groups[0].rows) == 1


def test_equal_models_differ_by_nothing_at_all(found):
    """An exact zero is said as one."""
    estimates = found.estimates.copy()
    rows = (estimates["subject"] == "difference") & (estimates["slice"] == "all")
    estimates.loc[rows, ["estimate", "low", "high", "std_error"]] = 0.0
    made = page(replace(found, estimates=estimates))
    assert "There is no difference at all between the two." in made.headline.evidence


@pytest.mark.parametrize(
    ("probe_set", "estimator", "numbers_of"),
    [
        ("pairs", "crows_nangia", ["crows_nangia"]),
        ("pairs", "aula", ["aula"]),
        ("triples", "stereoset", ["lms", "ss", "icat"]),
    ],
)
def test_both_modes_stand_side_by_side_as_they_are_in_the_record(
    found, made, probe_set, estimator, numbers_of
):
    """Read back from the HTML, each cell is the estimate and interval of its mode and subject."""
    rows = read(render(made)).tables[f"{estimator}-{probe_set}"]
    assert rows[0] == ["Model", "Published mode", "p", "Corrected mode", "p"]
    as_trials = [i for i, row in enumerate(rows) if row[0].startswith("The same, each taken")]
    rows = [row for i, row in enumerate(rows) if not any(0 <= i - j <= 3 for j in as_trials)]
    body = [row for row in rows[1:] if len(row) > 1]
    for name, start in zip(numbers_of, range(0, len(body), 3), strict=False):
        for row, subject in zip(
            body[start : start + 3], ("reference", "candidate", "difference"), strict=True
        ):
            for mode, cell, p in (("published", *row[1:3]), ("corrected", *row[3:5])):
                value = numbers(found, probe_set, name, mode).loc[subject]
                texts = re.match(r"(\S+) \((\S+) to (\S+)\)", cell).groups()
                least = re.search(r"mde (\S+)$", cell)
                assert bool(least) == (value["p"] >= 0.05)
                assert least is None or near(least[1], value["mde"])
                for text, column in zip(texts, ("estimate", "low", "high"), strict=True):
                    assert near(text, value[column])
                assert p in {"–", "1", "< .001"} or near(f"0{p}", value["p"])
                assert (p == "–") == math.isnan(value["p"])


@pytest.mark.parametrize("probe_set", ["pairs", "triples"])
def test_every_number_leads_to_its_definition(found, made, probe_set):
    """Each estimator: definition, what it does not show and source, and how its modes differ."""
    own, kind = section(made, probe_set), found.manifest.probe_sets[probe_set].kind
    glossary = said(next(s for s in made.sections if s.name == "glossary"))
    used = [one for one in ALL if kind in one.kinds and not getattr(one, "of_pair", False)]
    titles = {block.title: block for block in own.blocks if getattr(block, "kind", "") == "part"}
    for estimator in used:
        assert titles[estimator.name].blocks[0].numbers == (estimator.name,)
        assert estimator.definition in glossary
        assert estimator.does_not_show[1:] in glossary
        assert estimator.source in glossary
        modes = "How the modes differ. Published mode " in said(titles[estimator.name])
        assert modes == (len(estimator.modes) > 1)


def test_ties_are_shown_where_there_are_any(found):
    """No ties: one sentence. Ties: a row of the table in corrected mode alone."""
    none = page(found)
    assert "No pair ties." in table(none, "crows_nangia-pairs").note
    assert len(table(none, "crows_nangia-pairs").groups) == 2
    estimates = found.estimates.copy()
    ties = (estimates["estimator"] == "crows_nangia_ties") & (estimates["slice"] == "all")
    estimates.loc[ties & (estimates["subject"] == "candidate"), "estimate"] = 2.5
    some = table(page(replace(found, estimates=estimates)), "crows_nangia-pairs")
    assert some.groups[2].title == "Ties, % of pairs"
    assert some.groups[2].rows[1][1] == "–"
    assert text_of(some.groups[2].rows[1][3]).startswith("2.50")
    assert "No pair ties" not in some.note


def test_shares_have_the_limits_of_independent_pairs_beside_them(found, made):
    """Wilson's, the exact ones, the exact p and McNemar's are those of the record, by mode."""
    group = table(made, "crows_nangia-pairs").groups[1]
    assert group.title == "The same, each taken to be independent of the others"
    for start, mode in ((1, "published"), (3, "corrected")):
        wilson = numbers(found, "pairs", "crows_nangia_wilson", mode)
        exact = numbers(found, "pairs", "crows_nangia_exact", mode)
        for row, subject in zip(group.rows[:2], ("reference", "candidate"), strict=True):
            one, other = wilson.loc[subject], exact.loc[subject]
            low, high = (f"{one[name]:.2f}" for name in ("low", "high"))
            assert row[start].text == f"{one['estimate']:.2f} ({low} to {high})"
            assert row[start].beside == f"exact {other['low']:.2f} to {other['high']:.2f}"
            assert row[start + 1] == "< .001" or near(f"0{row[start + 1]}", other["p"])
        assert group.rows[2][start].beside == "tested by McNemar, no interval"
        assert group.rows[2][start + 1] == "1" or near(
            f"0{group.rows[2][start + 1]}", exact.loc["difference", "p"]
        )
    note = table(made, "crows_nangia-pairs").note
    assert "Wilson’s interval" in note
    assert "McNemar’s exact test" in note
    assert "independent" not in table(made, "stereoset-triples").note


def test_pairs_in_two_kinds_of_clusters_say_so():
    """Writers and edited words cross; the scarcer kind is counted."""
    made = page(records.record([records.pairs(n=60, writers=8, edits=11)]))
    basis = table(made, "crows_nangia-pairs").basis
    assert basis.startswith(
        "Counted: 60 pairs in clusters of two kinds that cross, of the scarcer of which there are "
        "8."
    )
    assert "60 pairs in clusters of two kinds that cross" in made.headline.evidence
    assert "in 8 clusters (what hangs together" in said(section(made, "pairs"))
    assert "and, across these, in 11 others" in said(section(made, "pairs"))


def test_too_few_clusters_are_said_and_claim_nothing():
    """The share is shown, and that it has no interval is said with the reason."""
    made = page(records.record([records.pairs(writers=3)]))
    assert "How sure that is cannot be computed (no interval: fewer than six clusters)." in (
        made.headline.evidence
    )
    cell = table(made, "crows_nangia-pairs").groups[0].rows[0][1]
    assert cell.beside == "no interval: fewer than six clusters"
    assert "nan" not in said(made).lower().split()


def test_classes_have_a_compact_table_of_their_own(found, made):
    """A row a class, with its number of pairs, both modes, and the difference."""
    folded = [one for one in parts(section(made, "pairs"), Folded) if "By class" in one.summary]
    assert folded[0].summary == "By class: 2 classes"
    rows = table(made, "crows_nangia-classes-pairs").groups[0].rows
    assert [row[:3] for row in rows] == [("Age", "20", "4"), ("Race color", "20", "4")]
    for row, name in zip(rows, ("age", "race-color"), strict=True):
        published = numbers(found, "pairs", "crows_nangia", "published", f"class={name}")
        corrected = numbers(found, "pairs", "crows_nangia", "corrected", f"class={name}")
        assert near(text_of(row[3]), published.loc["reference", "estimate"])
        assert near(text_of(row[5]), published.loc["candidate", "estimate"])
        assert shown(corrected.loc["candidate"]) in row[6].text
        assert shown(corrected.loc["difference"], sign="+") in text_of(row[7])
    assert len(table(made, "stereoset-classes-triples").groups) == 3


def test_units_and_clusters_are_counted(made):
    """What was counted is said in the sentence and under the table."""
    assert table(made, "crows_nangia-pairs").basis.startswith("Counted: 40 pairs in 8 clusters.")
    assert "40 pairs in 8 clusters (what hangs together" in said(section(made, "pairs"))


def test_units_without_a_score_are_counted_apart(found):
    """A mode that has fewer units says so, and of how many."""
    estimates = found.estimates.copy()
    rows = (estimates["estimator"] == "crows_meade") & (estimates["mode"] == "corrected")
    estimates.loc[rows, "n_frames"] = 37
    note = table(page(replace(found, estimates=estimates)), "crows_meade-pairs").basis
    assert "Counted in corrected mode: 37 pairs in 8 clusters, of 40 in the set." in note
    assert "Counted in published mode: 40 pairs in 8 clusters." in note


def test_an_interval_beyond_the_possible_is_explained(found):
    """Three clusters may give an interval that no share can have; the page says what that means."""
    estimates = found.estimates.copy()
    rows = (estimates["estimator"] == "ss") & (estimates["slice"] == "all")
    estimates.loc[rows & (estimates["subject"] == "candidate"), "high"] = 116.0
    assert "above 100" in table(page(replace(found, estimates=estimates)), "stereoset-triples").note
    assert "above 100" not in table(page(found), "crows_nangia-pairs").note


def test_licence_and_citation_stand_with_the_set_and_near_the_top(made):
    """Share-alike is said in words; a set without conditions is not named at the top."""
    own = said(section(made, "pairs"))
    assert "Licence: CC-BY-SA-4.0. Share-alike: what is adapted from the data has to be" in own
    assert "Cite: A. Writer (2020), Pairs." in own
    assert "2 rows of the published file could not be used" in own
    assert "How the published file was read: 1 remark" in own
    top = said(made.findings)
    assert "derive from share-alike data: “Pairs of sentences” (CC-BY-SA-4.0)." in top
    assert "Words in a blank” (" not in top
    assert "non-commercial" not in said(made)
    free = said(page(records.record([records.pairs(non_commercial=True)])).findings)
    assert "derive from non-commercial data" in free


def test_pairs_beside_groups_leave_the_headline_to_the_contrast():
    """A tested contrast goes first; the pairs follow in a line of their own."""
    made = page(records.record([records.pairs(), records.jobs()]))
    assert "leans further than" in made.headline.claim
    assert "prefers the stereotyping sentence" in said(made.findings)
    names = [one.name for one in made.sections]
    assert names.index("set-jobs") < names.index("set-pairs")


def test_facts_alone_have_a_headline():
    """A record with nothing but facts says how many were filled rightly."""
    made = page(records.record([records.facts()]))
    assert made.headline.claim.startswith("The candidate (student) fills 6 of 10 plain facts")
    assert made.headline.evidence.startswith("The reference (teacher) fills 9 of 10")


def test_a_set_without_any_number_says_so(found):
    """Nothing could be computed: the section is there, with a warning."""
    none = found.estimates[found.estimates["probe_set"] != "pairs"]
    made = page(replace(found, estimates=none))
    assert "No number could be computed from this set" in said(section(made, "pairs"))


def test_numbers_of_groups_lead_to_their_definitions():
    """The lines of the table of results name their numbers, which the glossary defines once."""
    made = page(records.record([records.jobs()]))
    heads = [row[0].text for row in table(made, "results-jobs").groups[0].rows]
    assert {"stereotype_contrast", "log_odds", "prior", "lpbs"} <= {head.number for head in heads}
    for name in ("log_odds", "prior", "lpbs"):
        estimator = next(one for one in ALL if one.name == name)
        assert sum(text.startswith(estimator.definition) for text in strings(made)) == 1
    assert "The average log-odds of the class of attributes that a stereotype ties to" in said(made)


def test_further_measures_are_shown_whatever_they_are():
    """An estimator that the page does not know has a row, and says that it has no definition."""
    jobs = records.record([records.jobs(), records.facts()])
    rows = jobs.estimates.query("estimator == 'log_odds' and slice == 'all'")
    extra = rows.assign(estimator="unheard_of", estimate=0.125, low=0.1, high=0.15)
    made = page(replace(jobs, estimates=pd.concat([jobs.estimates, extra], ignore_index=True)))
    row = next(r for r in table(made, "further-jobs").groups[0].rows if r[0] == "unheard_of")
    assert row[1] == "0.125 (0.100 to 0.150)"
    assert row[3] == "+0.125 (+0.100 to +0.150)"
    assert "has no definition of this number" in said(made)
    facts = {r[0] for r in table(made, "further-facts").groups[0].rows}
    assert {"accuracy@5", "mrr", "nll", "brier", "ece"} <= facts


def test_distances_have_their_intervals_and_definitions():
    """They come from the estimates where these have them, else they are plain means."""
    jobs = records.record([records.jobs()])
    row = table(page(jobs), "distances").groups[0].rows[0]
    assert row[0] == "Pronoun by job"
    assert "0.25" in [text_of(cell) for cell in row]
    assert row[1:3] == ("140", "10")
    assert "KL divergence of the reference" in said(page(jobs).sections)
    older = jobs.estimates[jobs.estimates["subject"] != "relation"]
    assert "without intervals" in said(page(replace(jobs, estimates=older)))


def test_the_page_of_pairs_is_one_sound_file(found, made):
    """Names are there once, tables are whole, nothing is NaN, no order of rows matters."""
    html = render(made)
    reader = read(html)
    assert len(reader.ids) == len(set(reader.ids))
    for one in parts(made, Table):
        for group in one.groups:
            assert {len(row) for row in group.rows} == {len(one.columns)}
    assert "nan" not in said(made).lower().split()
    assert "(empty)" not in said(made)
    shuffled = replace(found, scores=found.scores.sample(frac=1, random_state=1))
    assert page(shuffled) == made


def test_a_hostile_note_or_class_is_inert():
    """Remarks, citations and classes come from files of others, and a record may be forged."""
    raw = records.pairs(notes=[records.HOSTILE])
    # No probe set may give such a citation: here it gets past what reads one.
    cited = raw.header.model_copy(update={"cite": records.HOSTILE})
    raw = raw.model_copy(update={"header": cited})
    for row in raw.rows:
        row["class"] = "<b onclick=x>"
    html = render(page(records.record([raw])))
    tags = [tag for tag, _ in read(html).tags]
    assert (tags.count("b"), tags.count("script")) == (0, 1)
    assert "\u202e" not in html


def test_a_control_is_quoted_below_the_set_and_makes_no_headline():
    """Its share and interval for both models, in the section of the set; its own is apart."""
    control = records.pairs(name="pairs-control", control_of="pairs", expect="none")
    record = records.record([records.pairs(), control])
    text = said(section(page(record), "pairs"))
    own = page(record).headline
    told = numbers(record, "pairs-control", *re.search(r"by (\S+) in (\w+) mode", text).groups())
    for model in ("reference", "candidate"):
        row = told.loc[model]
        assert f"{row['estimate']:.1f} % ({shown(row)})" in text
    assert "in the same sentences with unrelated words" in text
    assert "Control: " not in said(section(page(record), "pairs-control"))
    # Chosen from one set: its intervals need not pay for a choice.
    assert own.evidence.startswith("95 % intervals")
