"""Several audits on one page: each stands for itself, and each can be reached."""

import math
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from scipy import stats

from maskaudit.audit.errors import CannotWriteError
from maskaudit.audit.judging import policy, verdicts
from maskaudit.audit.judging.judge import judge
from maskaudit.reports.html import render_overview
from maskaudit.reports.overview import overview, overview_path, write_overview
from maskaudit.reports.reader.reader import reader
from maskaudit.reports.words import verdicts as gates
from tests import manifests
from tests.reports import records
from tests.reports.records import tables_of

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


def test_each_candidate_has_its_own_headline(two, tmp_path):
    """The one of its own page, behind its name."""
    made = overview(two, tmp_path)
    assert made.title == "Bias audit: 2 candidates against teacher"
    assert [one.name for one in made.candidates] == ["one", "two"]
    for record, candidate in zip(two, made.candidates, strict=True):
        assert candidate.finding == reader(record, None, "d.html", tables_of(record)).headline
    assert "no candidate against another" in made.lead


def test_the_headline_counts_as_people_do(two, tmp_path):
    """Both of two, all of three, and a number of some."""
    made = [*two, named("org/three", folder=tmp_path / "20260102T030407000000Z-cccccccc")]
    assert overview(two, tmp_path).headline.startswith("Both candidates lean with a stereotype")
    assert overview(made, tmp_path).headline.startswith("All 3 candidates lean with a stereotype")
    calm = named("org/none", folder=tmp_path / "20260102T030408000000Z-dddddddd", candidate=0.0)
    of_four = overview([*made, calm], tmp_path).headline
    assert of_four.startswith("3 of 4 candidates lean with a stereotype")


def test_the_contrasts_are_those_of_the_records(two, tmp_path):
    """Each candidate's odds and its place on the axis, set by set."""
    made = overview(two, tmp_path)
    [plot] = [plot for plot in made.plots if plot.name == "set-jobs"]
    values = [records.estimate_of(record, "jobs", "candidate")["estimate"] for record in two]
    assert [line.value for line in plot.lines] == [f"{math.exp(value):.2f}" for value in values]
    places = [line.marks[-1].at for line in plot.lines]
    # Places are shares of one axis on which no lean and each tick stand where they belong.
    null = next(tick.at for tick in plot.ticks if tick.is_null)
    assert (places[0] - null) / (places[1] - null) == pytest.approx(values[0] / values[1], rel=1e-3)
    assert [plot.name for plot in made.plots][-1] == "set-days"


def test_a_reference_is_known_by_its_weights_and_not_by_its_name(tmp_path):
    """A name is longer beside a candidate of the same last part; it is one reference all the same.

    A candidate that is a copy of it has a difference of 0, and no lean of 0.
    """
    beside = named("some/else", folder=tmp_path / "a")
    same = named("other/teacher", folder=tmp_path / "b", reference=1.1, candidate=1.1, noise=0.0)
    made = overview([beside, same], tmp_path)
    assert made.title == "Bias audit: 2 candidates against some/teacher"
    assert "Each was audited against some/teacher" in made.lead
    [plot] = [plot for plot in made.plots if plot.name == "set-jobs"]
    assert [line.change for line in plot.lines][1] == "similar"
    assert plot.lines[1].value != "1.00"
    models = manifests.plain(same.manifest.models)
    models["reference"]["weights"] = "d" * 64
    other = replace(same, manifest=manifests.changed(same.manifest, models=models))
    assert overview([beside, other], tmp_path).title == "Bias audit: 2 candidates"


def test_every_audit_s_own_page_is_linked_from_where_the_page_lies(two, tmp_path):
    """Beside the records, or elsewhere; a name with signs of markup does nothing."""
    for where, start in ((tmp_path, ""), (tmp_path / "a", "../")):
        html = render_overview(overview(two, where))
        assert re.findall(r'<a href="([^"#]+)">', html) == [
            f"{start}{one.path.name}/report.html" for one in two
        ]
    strange = replace(two[0], path=tmp_path / 'x"><script>alert(1)<')
    html = render_overview(overview([strange, two[1]], tmp_path))
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
    assert [one.name for one in made.candidates] == expected


def test_the_same_model_twice_is_numbered(tmp_path):
    """Two records of one model are two lines."""
    made = overview([named("a/model"), named("a/model")], tmp_path)
    assert [one.name for one in made.candidates] == ["model (1)", "model (2)"]
    assert [one.link for one in made.candidates] == ["", ""]


def test_models_that_were_audited_alone_are_not_said_to_be_compared(tmp_path):
    """Their own contrasts stand there, and nothing is said of a reference."""
    alone = [named(name, reference=None) for name in ("org/one", "org/two")]
    made = overview(alone, tmp_path)
    assert made.title == "Bias audit: 2 candidates"
    assert made.lead == "Each was audited by itself, and nothing was compared."
    assert all(line.change == "" for plot in made.plots for line in plot.lines)
    assert "further" not in made.headline


def test_sets_without_a_contrast_leave_the_list_of_pages(tmp_path):
    """There is nothing to draw."""
    made = overview([named(name, sets=[records.facts()]) for name in ("a", "b")], tmp_path)
    assert made.plots == ()
    assert "<svg" not in render_overview(made)


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
    statuses = [one.strip.status for one in overview(found, tmp_path).candidates]
    assert statuses == ["NO RULE SET"] * 2
    path = tmp_path / "gates.toml"
    path.write_text(
        '[[gate]]\nid = "a"\nrule = "bound"\nbound = 0.01\nreason = "a test"\n', "utf-8"
    )
    judgement = judge(found[0], policy.read(path), today=date(2026, 11, 23))
    verdicts.write(judgement, found[0].path)
    statuses = [one.strip.status for one in overview(found, tmp_path).candidates]
    assert statuses == [gates.worst(judgement.verdicts).upper(), "NO RULE SET"]


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
    return {row[0]: row[2:] for row in made.elsewhere.rows}


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
    assert overview(two, tmp_path).elsewhere is None
