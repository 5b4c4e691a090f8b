"""Several audits on one page: each stands for itself, and each can be reached."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from scipy import optimize, stats

from maskaudit.audit.errors import CannotWriteError
from maskaudit.audit.judging import policy, verdicts
from maskaudit.audit.judging.judge import judge
from maskaudit.reports.blocks import Figure, Table
from maskaudit.reports.html import render
from maskaudit.reports.overview import overview, overview_path, write_overview
from maskaudit.reports.words import verdicts as gates
from tests import manifests
from tests.reports import records
from tests.reports.records import page

pytestmark = pytest.mark.slow


def named(name, *, weights="c" * 64, folder=None, **told):
    """Return a record of a candidate with this name, in a folder of runs."""
    found = records.record(names={"candidate": name, "reference": "some/teacher"}, **told)
    models = manifests.plain(found.manifest.models)
    models["candidate"]["weights"] = weights
    return replace(found, manifest=manifests.changed(found.manifest, models=models), path=folder)


@pytest.fixture
def two(tmp_path):
    """Return the audits of two candidates that lean further by different amounts."""
    return [
        named("org/one", folder=tmp_path / "20260102T030405000000Z-aaaaaaaa"),
        named("org/two", folder=tmp_path / "20260102T030406000000Z-bbbbbbbb", candidate=0.7),
    ]


def blocks(made, section):
    """Return the figure and the table of a section, those that there are."""
    [own] = [part for part in made.sections if part.name == section]
    return {type(block): block for block in own.blocks}


def test_each_candidate_has_its_own_headline(two, tmp_path):
    """The one of its own page, behind its name."""
    made = overview(two, tmp_path)
    assert made.title == "Bias audit: 2 candidates against teacher"
    claims = [page(one).headline.claim for one in two]
    assert made.findings[0].items == (f"one: {claims[0]}.", f"two: {claims[1]}.")
    assert claims[0] != claims[1]
    assert "no candidate was held against another" in made.headline.evidence


def test_the_contrasts_are_those_of_the_records(two, tmp_path):
    """Candidate less reference, with its interval, in the chart and in the table."""
    found = blocks(overview(two, tmp_path), "contrasts")
    groups = {group.title: group.rows for group in found[Table].groups}
    for record, row in zip(two, groups["Pronoun by job"], strict=True):
        expected = records.estimate_of(record, "jobs", "difference")
        numbers = re.findall(r"[+−]\d+\.\d+", row[1])
        assert [float(text.replace("−", "-")) for text in numbers] == pytest.approx(
            [expected["estimate"], expected["low"], expected["high"]], abs=0.005
        )
        # Of two tested sets: at .025, four times in five by the noncentral t.
        quantile, df = stats.t.ppf(1 - 0.0125, expected["df"]), expected["df"]
        power = optimize.brentq(lambda d, q=quantile, v=df: stats.nct.sf(q, v, d) - 0.8, 1, 9)
        assert float(row[3]) == pytest.approx(power * expected["std_error"], abs=0.006)
    marks = dict(found[Figure].chart.groups)["Pronoun by job"]
    assert [mark.estimate for mark in marks] == [
        records.estimate_of(record, "jobs", "difference")["estimate"] for record in two
    ]
    assert {mark.subject for mark in marks} == {"difference"}


def test_every_audit_s_own_page_is_linked_from_where_the_page_lies(two, tmp_path):
    """Beside the records, or elsewhere; a name with signs of markup does nothing."""
    for where, start in ((tmp_path, ""), (tmp_path / "a", "../")):
        html = render(overview(two, where))
        assert re.findall(r'<a href="([^"#]+)">', html) == [
            f"{start}{one.path.name}/report.html" for one in two
        ]
    strange = replace(two[0], path=tmp_path / 'x"><script>alert(1)<')
    html = render(overview([strange, two[1]], tmp_path))
    assert "<script" not in html


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("org/one", "org/two"), ["one", "two"]),
        (("a/model", "b/model"), ["a/model", "b/model"]),
        (("a/model", "a/model"), [f"model {'c' * 12}", f"model {'d' * 12}"]),
    ],
)
def test_candidates_are_told_apart_by_as_little_as_it_takes(tmp_path, names, expected):
    """The last part of the name, all of it, or the weights."""
    made = overview(
        [named(name, weights=digest * 64) for name, digest in zip(names, "cd", strict=True)],
        tmp_path,
    )
    assert [row[0] for row in blocks(made, "pages")[Table].groups[0].rows] == expected


def test_the_same_model_twice_is_numbered(tmp_path):
    """Two records of one model are two lines."""
    made = overview([named("a/model"), named("a/model")], tmp_path)
    rows = blocks(made, "pages")[Table].groups[0].rows
    assert [row[0] for row in rows] == ["model (1)", "model (2)"]
    assert [row[2] for row in rows] == ["–", "–"]


def test_models_that_were_audited_alone_are_not_said_to_be_compared(tmp_path):
    """Their own contrasts stand there, and nothing is said of a reference."""
    alone = [named(name, reference=None) for name in ("org/one", "org/two")]
    made = overview(alone, tmp_path)
    assert made.title == "Bias audit: 2 candidates"
    assert made.headline.evidence == "each by itself, and nothing was compared."
    found = blocks(made, "contrasts")
    assert found[Figure].title == "Stereotype contrasts, with 95 % intervals"
    text = " ".join(block.text for block in made.findings[1:])
    assert "less the reference" not in text


def test_sets_without_a_contrast_leave_the_list_of_pages(tmp_path):
    """There is nothing to draw."""
    made = overview([named(name, sets=[records.facts()]) for name in ("a", "b")], tmp_path)
    assert [section.name for section in made.sections] == ["pages"]
    assert render(made)


def test_the_page_lies_beside_the_records_whole_or_not_at_all(two, tmp_path):
    """Named by the time of the newest, so that the same records have the same page."""
    path = write_overview(two)
    assert path == overview_path(two[::-1]) == tmp_path / "overview-20260102T030406000000Z.html"
    first = path.read_bytes()
    assert write_overview(two) == path
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(CannotWriteError, match="cannot write"):
        write_overview(two, Path(tmp_path) / "none" / "page.html")


def test_verdicts_of_each_candidate_stand_beside_it(tmp_path):
    """In the words of everywhere else; without any there is no column for them."""
    found = [replace(records.record(candidate=c), path=tmp_path / str(c)) for c in (0.8, 1.1)]
    for one in found:
        one.path.mkdir()
    assert "Gates" not in str(overview(found, tmp_path).sections[-1])
    path = tmp_path / "gates.toml"
    path.write_text(
        '[[gate]]\nid = "a"\nrule = "bound"\nbound = 0.01\nreason = "a test"\n', "utf-8"
    )
    judgement = judge(found[0], policy.read(path), today=date(2026, 11, 23))
    verdicts.write(judgement, found[0].path)
    told = str(overview(found, tmp_path).sections[-1])
    assert gates.heading(judgement) in told
    assert "not judged" in told


# --- Beside what was measured elsewhere -----------------------------------------------------------

LEANS = (0.2, 0.9, 0.6, 1.3)


def scored(values, *, higher_is="worse", of_reference=3.0):
    """Return audits of candidates with these scores, whose leans are `LEANS`."""
    audits = []
    for place, (lean, value) in enumerate(zip(LEANS, values, strict=True)):
        made = named(f"org/{place}", weights=f"{place}" * 64, candidate=lean)
        scores = {"candidate": {"value": value}, "reference": {"value": of_reference}}
        told = {"name": "gap", "unit": "points", "higher_is": higher_is, "source": "Ada"}
        entry = told | {"scores": scores}
        audits.append(replace(made, manifest=manifests.changed(made.manifest, extrinsic=[entry])))
    return audits


def elsewhere(made):
    """Return the rows of the section on what was measured elsewhere, by contrast."""
    table = blocks(made, "extrinsic")[Table]
    return {row[1]: row[2:] for group in table.groups for row in group.rows}


@pytest.mark.parametrize("higher_is", ["worse", "better"])
def test_models_are_ordered_by_lean_and_by_score_once_each(tmp_path, higher_is):
    """Four candidates and the reference that they share: tau and p by scipy."""
    values = [1.0, 5.0, 2.0, 4.0]
    audits = scored(values, higher_is=higher_is)
    found = elsewhere(overview(audits, tmp_path))
    assert set(found) == {"Pronoun by job", "Job by person"}  # no control, no facts
    expected = {}
    for title, name in (("Pronoun by job", "jobs"), ("Job by person", "people")):
        leans = [records.estimate_of(audit, name, "candidate")["estimate"] for audit in audits]
        leans.append(records.estimate_of(audits[0], name, "reference")["estimate"])
        sign = 1 if higher_is == "worse" else -1
        both = [sign * value for value in (*values, 3.0)]
        expected[title] = stats.kendalltau(leans, both, method="exact")
    adjusted = stats.false_discovery_control([own.pvalue for own in expected.values()])
    for (title, own), p in zip(expected.items(), adjusted, strict=True):
        assert found[title][0] == "5"
        assert float(found[title][1].replace("−", "-")) == pytest.approx(own.statistic, abs=0.005)
        assert float(found[title][2]) == pytest.approx(p, abs=0.0006)


def test_fewer_than_five_models_show_no_order(tmp_path):
    """Whatever theirs is; one model audited twice is one."""
    few = scored([1.0, 5.0, 2.0, 4.0])
    for audits in (few[:3], [*few[:3], few[0]]):
        row = elsewhere(overview(audits, tmp_path))["Pronoun by job"]
        assert row == ("4", "not computed: fewer than 5 models have both", "–")


def test_without_scores_there_is_no_such_section(two, tmp_path):
    """Nor is anything else of the page other."""
    assert "extrinsic" not in [part.name for part in overview(two, tmp_path).sections]
