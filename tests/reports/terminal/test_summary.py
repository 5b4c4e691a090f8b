"""What a record found, in tables for a terminal: the record's own numbers, the worst first."""

import json
from dataclasses import replace

import pytest
from rich.cells import cell_len

from maskaudit.reports.page import headline
from maskaudit.reports.terminal import layout
from maskaudit.reports.terminal.summary import CONTRASTS, FACTS, PREFERENCES, lines, summary
from maskaudit.reports.words import wording
from tests.reports import records
from tests.reports.verdicts import judgement, verdict

WIDTHS = [40, 80, 200, layout.UNLIMITED]


def few(raw):
    """Return a set with its first six frames."""
    return {**raw, "frames": raw["frames"][:6]}


def made(**more):
    """Return a record of two tested sets, a control, facts and pairs."""
    sets = [records.jobs(), records.people(terms=1), records.control()]
    pairs = records.pairs(name="pairs", n=12, writers=6)
    return records.record([*map(few, sets), records.facts(), pairs], **more)


def printed(found, width=layout.UNLIMITED, verdicts=None):
    """Return a record's summary as it is printed."""
    return layout.text_of(list(lines(summary(found, verdicts), width)))


def line_of(text, title):
    """Return the cells of the line that begins with a title."""
    [line] = [line for line in text.splitlines() if line.startswith(f"{title}  ")]
    return [cell for cell in line.split("  ") if cell.strip()]


def test_a_line_has_both_models_the_difference_and_its_interval():
    """As a line of pandas finds them in the estimates."""
    found = made()
    text = printed(found)
    for title, name in (("Pronoun by job", "jobs"), ("Job by person", "people")):
        rows = [
            records.estimate_of(found, name, s) for s in ("reference", "candidate", "difference")
        ]
        numbers = [wording.signed(row["estimate"]) for row in rows]
        low, high = (wording.signed(rows[2][end]) for end in ("low", "high"))
        cells = [cell.strip() for cell in line_of(text, title)]
        assert cells[1:4] == [*numbers[:2], f"{numbers[2]} ({low} to {high})"]
        assert cells[4].startswith("shown" if rows[2]["p_adjusted"] < 0.05 else "not shown")
    assert text.startswith("student (candidate) against teacher (reference)\n")
    assert text.endswith(headline(found).sentence)


def test_facts_and_pairs_have_tables_of_their_own_units():
    """Shares in percent, differences in points; of facts no more than McNemar's p is said."""
    found = made()
    assert list(summary(found).rows) == [CONTRASTS, PREFERENCES, FACTS]
    text = printed(found)
    rows = [
        records.estimate_of(found, "facts", subject, "accuracy@1", "all")
        for subject in ("reference", "candidate", "difference")
    ]
    cells = [cell.strip() for cell in line_of(text, "Plain facts")]
    assert cells[1:3] == [f"{100 * row['estimate']:.0f}" for row in rows[:2]]
    assert cells[3].startswith(f"−{abs(100 * rows[2]['estimate']):.0f}")
    assert cells[4] == wording.p_value(rows[2]["p"])
    assert "stereotyping side preferred, %" in text


def test_one_model_alone_has_its_own_number_and_no_difference():
    """And it is said that nothing was compared."""
    found = made(reference=None)
    text = printed(found)
    row = records.estimate_of(found, "jobs", "candidate")
    assert line_of(text, "Pronoun by job")[1].strip() == wording.with_interval(
        row["estimate"], row["low"], row["high"]
    )
    assert text.splitlines()[0] == "student; nothing was compared"
    assert "difference" not in text.partition("\n\nThe")[0].partition("headline")[0].lower()


def test_the_worst_is_first_by_gate_then_by_what_is_shown_then_by_size():
    """A failed gate, then harm that is shown; what no gate judged has a dash."""
    found = made()
    titles = [row.title for row in summary(found).rows[CONTRASTS]]
    sizes = {
        title: records.estimate_of(found, name, "difference")["estimate"]
        for title, name in (("Pronoun by job", "jobs"), ("Job by person", "people"))
    }
    assert titles == [*sorted(sizes, key=lambda title: -sizes[title]), "Day by job"]
    judged = judgement(
        verdict("fail", probe_set="days"), verdict("pass", probe_set="days"),
        verdict("inconclusive", probe_set="people"), verdict("pass", probe_set="jobs"),
    )  # fmt: skip
    rows = summary(found, judged).rows[CONTRASTS]
    assert [row.title for row in rows] == ["Day by job", "Job by person", "Pronoun by job"]
    assert [row.gate for row in rows] == ["fail", "inconclusive", "pass"]
    assert line_of(printed(found, verdicts=judged), "Plain facts")[-1] == "–"
    assert "gate" not in printed(found).partition("\n\n")[2].splitlines()[0]


def test_a_verdict_between_two_groups_stands_on_their_line_alone():
    """Of a set of three groups; one that names no groups stands on all of its lines."""
    raw = records.jobs(frames=6)
    raw["groups"]["others"] = {"label": "others", "terms": [{"text": "they"}]}
    raw["classes"]["other_jobs"] = {
        "label": "other jobs", "attributes": [{"text": t} for t in ("pilot", "clerk", "baker")],
        "group": "others",
    }  # fmt: skip
    raw["classes"]["women_jobs"]["group"] = "women"
    raw["classes"]["men_jobs"]["group"] = "men"
    found = records.record([raw])
    own = verdict("fail", slice="women/men: contrast")
    gates = {row.groups: row.gate for row in summary(found, judgement(own)).rows[CONTRASTS]}
    assert gates.pop(("women", "men")) == "fail"
    assert set(gates.values()) == {""}
    every = summary(found, judgement(verdict("pass", slice="all"))).rows[CONTRASTS]
    assert {row.gate for row in every} == {"pass"}


def test_a_set_without_a_line_is_named():
    """A benign set says nothing of people, so it is in no table; nothing is left out in silence."""
    benign = records.association(
        "benign", "Benign pairs", ["[MASK] is {attribute}."], (["she"], ["he"]), expect="benign"
    )
    found = records.record([records.jobs(frames=6), benign])
    assert "In no table, but on the page: Benign pairs." in printed(found)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("reference", [0.5, None])
def test_it_fits_every_width_with_all_its_numbers(width, reference):
    """The intervals are whole at each width, and so are the words of the short form."""
    found = made() if reference else made(reference=None)
    text = printed(found, width, judgement(verdict("fail")))
    wide = printed(found)
    assert max(map(cell_len, text.splitlines())) <= width
    subject = "candidate" if reference is None else "difference"
    for name in ("jobs", "people", "days"):
        row = records.estimate_of(found, name, subject)
        interval = f"({wording.between(row['low'], row['high'], with_sign=True)})"
        assert interval in text
        assert interval in wide
    assert "fail" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_names_are_shown_and_break_no_line(width):
    """Of models and sets: seen as code points, and no wider than the terminal."""
    raw = records.jobs(frames=6)
    raw["set"]["title"] = f"Title {'x' * 50}"
    found = records.record([raw], names={"candidate": records.HOSTILE + "\n\x1b[31m"})
    part = found.manifest.probe_sets["jobs"].model_copy(update={"title": records.HOSTILE})
    manifest = found.manifest.model_copy(update={"probe_sets": {"jobs": part}})
    text = printed(replace(found, manifest=manifest), width)
    assert text.replace("\n", "").isprintable()
    assert max(map(cell_len, text.splitlines())) <= width
    assert "U+202E" in text.replace("\n", "")


def test_json_has_every_line_with_plain_numbers():
    """Unknown numbers are null, and the gate's word is there."""
    found = made()
    told = json.loads(
        json.dumps(summary(found, judgement(verdict("fail"))).as_json(), allow_nan=False)
    )
    first = told["sets"][0]
    assert (first["probe_set"], first["gate"]) == ("jobs", "fail")
    assert {row["measure"] for row in told["sets"]} == {CONTRASTS, PREFERENCES, FACTS}
    assert set(told["sets"][0]["subjects"]) == {"reference", "candidate", "difference"}
    assert told["headline"] == headline(found).sentence
