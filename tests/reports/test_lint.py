"""Every published number has its scope, its counts, its interval, and its mde or p; or a refusal.

A second reading of the page: the rules are read off the finished tables, and the estimates of the
record are looked for in them.
"""

import math
import re
from dataclasses import replace

import pytest

from maskaudit.audit.estimating import numbers
from maskaudit.audit.recording.rows.values import FLAGS, OUTCOMES
from maskaudit.reports.blocks import Cell, Table, Words
from maskaudit.reports.effects import Effect, Effects, Names
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.association.inherited import classes as inherited_classes
from maskaudit.reports.sections.association.rankings import rankings
from maskaudit.reports.words import caveats, definitions
from tests.reports import records
from tests.reports.records import page
from tests.reports.test_page import parts, said, table

pytestmark = pytest.mark.slow

# Tables about models, words and files: they publish no estimate.
NO_ESTIMATES = ("models-table", "lost-words", "pieces", "digests")
INTERVAL = re.compile(
    r"[\d.]+ %? ?to [+−]?[\d.]+|no interval|not computed|not estimable|every sentence alike"
)
COUNT = re.compile(r"\d+ (attribute|frame|pair|item|sentence|word|cluster)|Attributes|Sentences"
                   r"|Pairs|Items|Clusters|Facts|frames")  # fmt: skip
TEST = re.compile(r"\bp\b|mde|[Nn]ot tested|never tested|no(ne|thing) is tested|McNemar")


def rows_of(shown):
    """Yield every row of a table as one text."""
    for group in shown.groups:
        for row in group.rows:
            yield " | ".join(
                f"{cell.text} {cell.beside}" if isinstance(cell, Cell) else cell
                for cell in row
                if not isinstance(cell, Words)
            )


def faults(made):
    """Return what is wrong with the tables of a page, a line each."""
    found = []
    for shown in parts(made, Table):
        if shown.name.startswith(NO_ESTIMATES):
            continue
        beside = f"{shown.caption} {shown.basis} {shown.note} " + " ".join(
            column.title for column in shown.columns
        )
        whole = " ".join([beside, *rows_of(shown)])
        if not re.search(r"Scope S[0-3]: speaks of|scope S0: speaks of", shown.basis):
            found.append(f"{shown.name}: no scope in words")
        if not COUNT.search(whole) and "S0" not in shown.basis:
            found.append(f"{shown.name}: no counts")
        if not TEST.search(beside):
            found.append(f"{shown.name}: neither p nor mde nor a word that nothing is tested")
        said_without = re.search(r"no interval|without intervals|nothing is tested", beside)
        found += [
            f"{shown.name}: no interval in {row!r}"
            for row in rows_of(shown)
            if not INTERVAL.search(row) and not said_without
        ]
    return found


def sets():
    """Return one set of every kind that the page knows."""
    return [
        records.with_shares(records.jobs(frames=20), neutral=True),
        records.people(terms=5),
        records.control(),
        records.facts(),
        records.pairs(),
        records.triples(),
    ]


@pytest.fixture(scope="module")
def whole():
    """Return a record of every kind of set."""
    return records.record(sets(), further=0.1)


@pytest.fixture(scope="module")
def every(whole):
    """Return pages of two models, of one, of an older record, and of one that lost words."""
    return {
        "two": page(whole),
        "alone": page(records.record(sets(), reference=None)),
        "older": page(records.older(whole)),
        "few": page(
            records.record([records.with_shares(records.jobs(frames=5)), records.pairs(writers=3)])
        ),
        "lost": page(records.record([records.jobs()], lost=3)),
        "phantom": page(records.record(truth=records.truth_of(records.record()))),
    }


@pytest.mark.parametrize("name", ["two", "alone", "older", "few", "lost", "phantom"])
def test_every_table_says_what_its_numbers_rest_on(every, name):
    """Scope in words, counts, interval, p or mde; or a refusal that is said."""
    assert faults(every[name]) == []


def test_the_lint_finds_what_is_missing(every):
    """A page that leaves one of these out does not pass."""
    made = every["two"]
    results = table(made, "results-jobs")
    section = next(s for s in made.sections if s.name == "set-jobs")

    def with_table(**changes):
        blocks = tuple(replace(b, **changes) if b == results else b for b in section.blocks)
        whole = tuple(
            replace(s, blocks=blocks) if s.name == section.name else s for s in made.sections
        )
        return faults(replace(made, sections=whole))

    assert with_table(basis="") == ["results-jobs: no scope in words"]
    row = ("Average", "+0.20", "+0.30", "+0.10")
    group = replace(results.groups[0], rows=(row, *results.groups[0].rows))
    assert with_table(groups=(group,)) == [f"results-jobs: no interval in {' | '.join(row)!r}"]


def forms(value):
    """Return a number in all the ways that the page may write what could have been found."""
    found = {f"{value:.{digits}f}" for digits in (1, 2, 3)} | {f"{100 * value:.0f}"}
    found |= {f"{math.exp(value):.2f}", f"{1 + value:.2f}"}
    size = max(0, -math.floor(math.log10(value)))
    return found | {f"{value:.{size}f}", f"{value:.{size + 1}f}"}


def test_what_a_test_did_not_show_has_its_mde_beside_it():
    """Every number of a set that was tested and is not shown: its mde is in the set's section."""
    found = records.record(sets(), reference=0.8, candidate=0.82, noise=0.2, further=0.001)
    made = page(found)
    texts = {section.name: said(section) for section in made.sections}
    own = found.estimates
    chance = own["p_adjusted"].fillna(own["p"])
    placed = ~own["slice"].str.contains("attribute=") & (own["mde"] > 0) & (chance >= 0.05)
    assert placed.sum() > 20
    for _, row in own[placed].iterrows():
        text = texts[f"set-{row['probe_set']}"]
        assert any(form in text for form in forms(row["mde"])), row[["estimator", "slice"]]


def test_no_number_of_a_record_is_without_a_definition(whole):
    """Nothing on a page has to be called unknown, nor any name that a record may hold."""
    named = {entry.name for entry in numbers.every()}
    assert {"slope", "association", "world_slope", "fidelity_adjusted", "beyond_world"} <= named
    for name in (*named, *whole.estimates["estimator"].unique()):
        meaning = definitions.meaning(name)
        assert "no definition" not in meaning[0], name
        assert any(part.startswith("Does not show: ") for part in meaning), name
    assert "has no definition of this number" not in said(page(whole))


def test_a_scope_is_said_where_a_reader_needs_it(every):
    """Five terms a group speak of other words too; a pronoun alone does not, and says so."""
    made = every["two"]
    assert "S3: speaks of other attributes, other sentences and other words for the same" in (
        table(made, "results-people").basis
    )
    assert "with the same words for the groups" in table(made, "results-jobs").basis
    limits = said(next(s for s in made.sections if s.name == "limits"))
    assert "On “Job by person” they speak of other words for the same groups too (scope S3)" in (
        limits
    )
    assert re.search(
        r"On “Pronoun by job” \(“she” and “he”\) and “Day by job” .* they speak of no other words",
        limits,
    )
    assert "do not speak of other words for the same groups" not in limits


def test_without_names_no_set_is_said_to_speak_of_other_words():
    """The sentence follows the scopes of the record."""
    limits = next(s for s in page(records.record([records.jobs()])).sections if s.name == "limits")
    assert "scope S3" not in said(limits)
    assert "“she” and “he”" in said(limits)


def test_rankings_are_of_the_models_alone(whole, every):
    """G and Φ are copied with their intervals; a difference has no row."""
    shown = table(every["two"], "rankings-jobs")
    rows = shown.groups[0].rows
    assert [row[0] for row in rows] == ["teacher (reference)", "student (candidate)"]
    for row, subject in zip(rows, ("reference", "candidate"), strict=True):
        g = records.estimate_of(whole, "jobs", subject, "generalizability", "all")
        cell = f"{g['estimate']:.3f} ({g['low']:.3f} to {g['high']:.3f})"
        assert row[1] == cell
    assert "would be no fault" in said(every["two"])


@pytest.mark.parametrize(
    ("frames", "shown"),
    [
        (2.0, "2"),
        (1000.0, "1,000"),
        (310677.0, "more than 1,000"),
        (math.nan, "no number would do"),
    ],
)
def test_a_number_of_frames_beyond_use_is_only_said_to_be_one(frames, shown):
    """Nobody writes three hundred thousand frames."""
    assert caveats.needed(frames) == shown


def test_a_set_without_rankings_has_no_fold(whole):
    """An older record, or a set that is too small, has none."""
    between = Between("jobs", {}, (), ("women", "men"), ("women", "men"))
    older = records.older(whole).estimates
    own = older[older["probe_set"] == "jobs"]
    assert rankings(between, Effects.of(own), Names("student", "teacher")) == ()


def effect(**told):
    """Return an effect of which only these numbers matter."""
    nothing = dict.fromkeys(
        ("estimate", "low", "high", "std_error", "p", "p_adjusted", "mde", "null_value"), math.nan
    )
    return Effect(**{**nothing, "n_attributes": 1, "n_frames": 1, "scope": "S1", **told})


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_has_words(flag):
    """A refusal is said, and an unknown reason is still no interval."""
    refused = caveats.refusal(effect(estimate=0.1, flag=flag))
    if flag in {"", "exploratory"}:
        assert refused == "no interval"
    else:
        assert refused.startswith(("no interval: ", "not estimable"))
    missing = caveats.refusal(effect(flag=flag))
    assert missing.startswith(("not computed", "not estimable"))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_is_no_refusal(outcome):
    """What became of an attribute has words of its own."""
    assert caveats.refusal(effect(estimate=0.1, outcome=outcome)) == "no interval"
    assert caveats.refusal(effect(outcome=outcome)) == "not computed"
    assert (outcome in inherited_classes.MEANINGS) == (outcome != "")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"p": 0.3, "mde": 0.25}, "mde 0.25"),
        ({"p": 0.01, "mde": 0.25}, ""),
        ({"p": 0.01, "p_adjusted": 0.07, "mde": 0.25}, "mde 0.25"),
        ({"mde": 0.25}, ""),
        ({"p": 1.0, "mde": 0.0}, ""),
        ({"p": 0.3}, ""),
    ],
)
def test_what_could_have_been_found_is_said_where_nothing_was(told, shown):
    """The adjusted p decides where there is one; a model and its copy need no remark."""
    assert caveats.could_find(effect(estimate=0.1, low=-0.1, high=0.3, **told)) == shown


def test_a_set_whose_frames_belong_to_attributes_has_no_empty_table():
    """Winogender: several groups, each frame of one attribute; the numbers stand further down."""
    raw = records.jobs()
    raw["groups"]["others"] = {"label": "others", "terms": [{"text": "they"}]}
    found = records.record([raw])
    keep = found.estimates["subject"].isin(["reference", "candidate", "difference"])
    rows = found.estimates[
        keep & (found.estimates["slice"] == "women/men: all")
        & (found.estimates["estimator"] == "log_odds")
    ]  # fmt: skip
    nested = rows.assign(estimator="log_odds women/men", slice="all", scope="S1")
    made = page(replace(found, estimates=nested.reset_index(drop=True)))
    assert all(group.rows for shown in parts(made, Table) for group in shown.groups)
    assert "log_odds women/men" in [row[0] for row in table(made, "further-jobs").groups[0].rows]
    assert faults(made) == []
