"""Parity and the world on the page: the words, the numbers and the chart."""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.reports.blocks import Figure, Part, Yardsticks
from maskaudit.reports.charts import scatter
from maskaudit.reports.charts.draw import draw
from tests.reports import records
from tests.reports.records import page
from tests.reports.test_page import parts, said, table

pytestmark = pytest.mark.slow

FRAMES = 20
TITLE = "Against two yardsticks"


def part(made):
    """Return the part about the yardsticks; None where a page has none."""
    return next((found for found in parts(made, Part) if found.title == TITLE), None)


def slope(found, subject="candidate", probe_set="jobs"):
    """Return the slope over the world's shares."""
    return records.estimate_of(found, probe_set, subject, "world_slope", "all")


@pytest.fixture(scope="module")
def found():
    """Return a record of a set with the world's shares."""
    return records.record(
        [records.with_shares(records.jobs(frames=FRAMES), neutral=True)], further=0.1
    )


@pytest.fixture(scope="module")
def made(found):
    """Return its page."""
    return page(found)


def test_both_yardsticks_are_named_with_whose_shares_they_are(found, made):
    """The slopes are tested against 1, and the choice is left open."""
    text = part(made).blocks[0].text
    assert text.startswith("Against parity every lean should be 0.")
    for subject, who in (("reference", "teacher"), ("candidate", "student")):
        value = slope(found, subject)
        assert (
            f"the {subject} ({who}) has {value['estimate']:.2f} (95 % interval {value['low']:.2f} "
            f"to {value['high']:.2f}; p < .001 against 1, not adjusted), which is less steep than "
            "the world’s"
        ) in text
    assert text.endswith("The shares are those of a census, 2020.")
    assert "a choice that this page does not make" in said(part(made))
    assert "Noise in the shares" in said(part(made))


def test_a_set_without_shares_or_an_older_record_has_no_world(found):
    """Nothing is said where nothing is known."""
    assert part(page(records.record([records.jobs()]))) is None
    assert part(page(records.older(found))) is None


def test_sources_that_name_no_shares_are_all_given():
    """Whose shares these are is never left out."""
    raw = records.with_shares(records.jobs(frames=FRAMES))
    raw["set"]["sources"] = ["A census", "Written for a test"]
    text = part(page(records.record([raw]))).blocks[0].text
    assert text.endswith("The shares are those of A census; Written for a test.")


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (
            {"estimate": 1.4, "low": 1.2, "high": 1.6, "p": 0.001},
            "which is steeper than the world’s",
        ),
        ({"estimate": -0.4, "low": -0.6, "high": -0.2, "p": 0.0}, "which runs against the world"),
        (
            # t(.95) of 20 degrees of freedom is 1.7247: .1 + .1725, rounded up.
            {
                "estimate": 0.9,
                "low": 0.7,
                "high": 1.1,
                "p": 0.3,
                "mde": 0.25,
                "std_error": 0.1,
                "df": 20.0,
            },
            "it is at most 0.28 from 1, 90 % interval). ",
        ),
        (
            {"estimate": 1.0, "low": 1.0, "high": 1.0, "p": 1.0, "mde": 0.0},
            "which is not shown to differ from the world’s. ",
        ),
        (
            {"estimate": 0.1, "low": -0.1, "high": 0.3, "p": 0.001},
            "which is less steep than the world’s and is not shown to follow the world at all. ",
        ),
    ],
)
def test_the_words_follow_the_interval(found, numbers, words):
    """Steeper, against, or not shown with what could have been."""
    estimates = found.estimates.copy()
    rows = (estimates["estimator"] == "world_slope") & (estimates["subject"] == "candidate")
    for column, value in numbers.items():
        estimates.loc[rows, column] = value
    assert words in part(page(replace(found, estimates=estimates))).blocks[0].text


def test_parity_and_the_world_stand_in_one_table(found, made):
    """The contrast, the slope, the intercept and what lies beyond, each with its interval."""
    groups = {group.title: group.rows for group in table(made, "yardsticks-jobs").groups}
    assert list(groups) == ["Parity", "The world’s shares"]
    titles = [row[0].text for row in groups["The world’s shares"]]
    assert titles[0] == "Slope over the shares (world: 1; parity, and a difference: 0)"
    assert titles[1:3] == [
        "Intercept, at an attribute with an even share, nats (world: 0)",
        "Model less world, all attributes, nats (world: 0)",
    ]
    assert [t for t in titles if "women’s jobs" in t]
    assert [t for t in titles if "men’s jobs" in t and "women" not in t]
    value = slope(found)
    cell = groups["The world’s shares"][0][2]
    shown = f"{value['estimate']:.2f} ({value['low']:.2f} to {value['high']:.2f})"
    assert (cell.text, cell.beside) == (shown, "p < .001")
    beyond = records.estimate_of(found, "jobs", "candidate", "beyond_world", "class=women_jobs")
    row = next(r for r in groups["The world’s shares"] if "women’s jobs" in r[0].text)
    text = row[2] if isinstance(row[2], str) else row[2].text
    assert text.startswith(f"{beyond['estimate']:+.2f} (".replace("-", "−"))
    assert row[0].beside == "7 attributes in 20 frames, S2"
    assert row[3] == "–"


def test_a_mark_stands_where_the_two_shares_are(found, made):
    """Each dot is an attribute's logit in the world over its log-odds in a model."""
    chart = next(f for f in parts(made, Figure) if isinstance(f.chart, Yardsticks)).chart
    shares = found.items.dropna(subset="share").drop_duplicates("attribute")
    shares = shares.set_index("attribute")["share"]
    assert len(chart.dots) == 2 * 14
    for dot in chart.dots:
        attribute = dot.label.partition(",")[0]
        share = shares[attribute]
        assert math.isclose(dot.x, math.log(share / (1 - share)))
        value = records.estimate_of(
            found, "jobs", dot.subject, "log_odds", f"attribute={attribute}"
        )
        assert dot.y == value["estimate"]
        model = 100 / (1 + math.exp(-dot.y))
        assert f"{model:.0f} % women, in the world {100 * share:.0f} %" in dot.label


def test_the_chart_names_its_lines_and_shares_and_labels_its_marks(made):
    """Percentages on both axes, both lines named, a label on every mark, no colour of its own."""
    figure = next(f for f in parts(made, Figure) if isinstance(f.chart, Yardsticks))
    svg = draw(figure.chart)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert {"world", "parity"} <= set(texts)
    assert texts.count("50 %") == 2
    assert texts.count("10 %") == 2
    marks = re.findall(r'<path[^>]*role="graphics-symbol"[^>]*>', svg)
    assert len(marks) == 2 * 14
    assert all(re.search(r'aria-label="[^"]+"', mark) for mark in marks)
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg)) - {"none", "transparent"}
    assert colours <= {f"var(--{n})" for n in ("ink", "soft", "line", "reference", "candidate")}
    assert draw(figure.chart) == svg


@given(st.lists(st.floats(-12, 12), min_size=1))
def test_an_axis_of_shares_holds_all_values_and_one_half(values):
    """Whatever the leans, both lines are in the chart and a tick on either side of one half."""
    (low, high), ticks = scatter._shares(values)
    assert low <= min(values)
    assert high >= max(values)
    assert low < 0 < high
    assert ticks == sorted(ticks)
    assert 0.0 in ticks
    assert ticks[0] < 0 < ticks[-1]


def test_every_attribute_stands_beside_the_world(found, made):
    """Its share in the models and in the world, and the difference in nats, as information."""
    shown = table(made, "attributes-jobs")
    titles = [column.title for column in shown.columns]
    assert titles[6:8] == ["World, share of women", "teacher, share of women"]
    assert "for information and not tested; above 0 is a larger share of women" in shown.note
    own = found.estimates.query("probe_set == 'jobs' and estimator == 'beyond_world'")
    attributes = own[own["slice"].str.startswith("attribute=")]["slice"].unique()
    shares = found.items.query("probe_set == 'jobs'").set_index("attribute")["share"]
    assert len(attributes) == len(shown.groups[0].rows)
    for row in shown.groups[0].rows:
        slice_ = f"attribute={row[0]}"
        assert row[6] == f"{100 * shares[row[0]].iloc[0]:.0f} %"
        for cell, subject in ((row[7], "reference"), (row[8], "candidate")):
            lean = records.estimate_of(found, "jobs", subject, "log_odds", slice_)["estimate"]
            beyond = records.estimate_of(found, "jobs", subject, "beyond_world", slice_)
            assert cell.text == f"{100 / (1 + math.exp(-lean)):.0f} %"
            assert cell.beside.startswith(f"{beyond['estimate']:+.2f} (".replace("-", "−"))


def test_where_the_attribute_is_hidden_only_the_slope_is_held_against_the_world():
    """A lean is no share of the groups there."""
    found = records.record([records.with_shares(records.people())])
    made = page(found)
    assert not [f for f in parts(made, Figure) if isinstance(f.chart, Yardsticks)]
    assert "only the slope can be held against the world" in said(part(made))
    titles = [row[0].text for row in table(made, "yardsticks-people").groups[1].rows]
    assert titles == ["Slope over the shares (world: 1; parity, and a difference: 0)"]


def test_one_model_alone_has_its_yardsticks():
    """No difference, and one mark an attribute."""
    made = page(records.record([records.with_shares(records.jobs(frames=FRAMES))], reference=None))
    chart = next(f for f in parts(made, Figure) if isinstance(f.chart, Yardsticks)).chart
    assert len(chart.dots) == 14
    assert len(table(made, "yardsticks-jobs").columns) == 2


def test_too_few_frames_give_no_slope_and_say_so():
    """A refusal has its reason, in the sentence and in the table."""
    made = page(records.record([records.with_shares(records.jobs(frames=5))]))
    assert "the slope of the candidate (student) was not computed (too few frames)" in (
        part(made).blocks[0].text
    )
    rows = table(made, "yardsticks-jobs").groups[1].rows
    assert rows[0][2].beside == "not computed: too few frames"


@pytest.mark.parametrize(
    ("reference", "candidate", "change", "words"),
    [
        (0.54, 0.69, (0.15, 0.12, 0.18), "0.15 steeper (0.12 to 0.18): nearer W, further from P."),
        (0.69, 0.54, (-0.15, -0.18, -0.12),
         "0.15 less steep (0.12 to 0.18): further from W, nearer P."),
        (1.2, 1.4, (0.2, 0.1, 0.3), "0.20 steeper (0.10 to 0.30): further from W, further from P."),
        (0.9, 1.2, (0.3, 0.2, 0.4), "0.30 steeper (0.20 to 0.40): further from P."),
        (-0.2, -0.4, (-0.2, -0.3, -0.1),
         "0.20 lower (0.10 to 0.30): further from W, further from P."),
        (-0.2, 1.4, (1.6, 1.5, 1.7), "1.60 higher (1.50 to 1.70)."),
    ],
)  # fmt: skip
def test_what_a_change_of_slope_brings_nearer_is_said_where_it_is_shown(
    found, reference, candidate, change, words
):
    """By slope alone, in the direction of the change, and nothing where no change is shown."""
    words = words.replace(": ", ": by slope ").replace("W", "the world’s").replace("P.", "parity.")
    estimates = found.estimates.copy()
    slopes = estimates["estimator"] == "world_slope"
    rows = {name: slopes & (estimates["subject"] == name) for name in estimates["subject"].unique()}
    estimates.loc[rows["reference"], "estimate"] = reference
    estimates.loc[rows["candidate"], "estimate"] = candidate
    estimates.loc[rows["difference"], ["estimate", "low", "high"]] = change
    for p in (0.001, 0.2):
        estimates.loc[rows["difference"], "p"] = p
        text = part(page(replace(found, estimates=estimates))).blocks[0].text
        assert (f"The candidate’s slope is {words}" in text) == (p < 0.05)
        assert ("The candidate’s slope is" in text) == (p < 0.05)
