"""Scores from elsewhere on the page, in the terminal and as JSON: as told, and as no evidence."""

import json
from dataclasses import replace

import pytest

from maskaudit.audit.recording.extrinsic import Extrinsic
from maskaudit.reports.effects import Effects
from maskaudit.reports.exports.audited import Audited
from maskaudit.reports.exports.tables import estimates_json
from maskaudit.reports.page import names_of
from maskaudit.reports.sections.method import limits
from maskaudit.reports.terminal import layout, robustness
from maskaudit.reports.terminal.summary import lines, summary
from tests.reports import records

GAP = {
    "name": "gap in recall", "unit": "points", "higher_is": "worse", "source": "by Ada, in May",
    "scores": {
        "reference": {"value": 12.1, "std_error": 0.9},
        "candidate": {"value": -14.0, "low": -16.5, "high": 0.000125},
    },
}  # fmt: skip
ACCURACY = {
    "name": "accuracy", "unit": "%", "higher_is": "better", "source": "the release notes",
    "scores": {"candidate": {"value": 91.0}},
}  # fmt: skip


def told(*entries, **more):
    """Return a small record in which these scores were told."""
    made = records.record([records.jobs(frames=4)], **more)
    scores = [Extrinsic.model_validate(entry) for entry in entries]
    return replace(made, manifest=made.manifest.model_copy(update={"extrinsic": scores}))


def section(made):
    """Return the bullets and the tables of what an audit cannot show."""
    manifest = made.manifest
    found = limits.cannot_show(manifest, Effects.of(made.estimates), names_of(manifest))
    bullets, *tables = found.blocks
    return bullets.items, tables


def test_the_page_has_them_where_it_says_what_it_cannot_show():
    """Each as it was told: its value, its error, which way is worse, and from where."""
    items, [table] = section(told(GAP, ACCURACY))
    assert [column.title for column in table.columns] == [
        "Score", "Reference", "Candidate", "Higher is", "Where and how",
    ]  # fmt: skip
    assert [row for rows in table.groups for row in rows.rows] == [
        ("gap in recall, points", "12.1 (SE 0.9)", "−14 (−16.5 to 0.000125)", "worse",
         "by Ada, in May"),
        ("accuracy, %", "–", "91", "better", "the release notes"),
    ]  # fmt: skip
    assert "no estimate, test or gate uses it" in table.note
    assert any("does not show that the one brings the other" in item for item in items)


def test_a_page_without_them_says_that_a_lean_is_no_evidence_of_harm():
    """Plainly, and where to tell them."""
    items, tables = section(told())
    assert tables == []
    [item] = [item for item in items if "[[run.extrinsic]] in AUDIT.toml" in item]
    assert "a lean measured here is not evidence of harm there" in item


def test_the_page_and_its_headline_are_otherwise_the_same():
    """They decide no finding, and no interval of theirs is counted among those of the audit."""
    plain, beside = (records.pages.page(made) for made in (told(), told(GAP)))
    assert (plain.headline, plain.findings) == (beside.headline, beside.findings)
    # By their texts: a number that is not known equals none.
    assert [repr(s) for s in plain.sections if s.name != "limits"] == [
        repr(s) for s in beside.sections if s.name != "limits"
    ]


def test_words_of_others_are_shown_and_do_nothing():
    """What cannot be seen is shown by its code point."""
    hostile = dict.fromkeys(("name", "unit", "source"), records.HOSTILE)
    _, [table] = section(told(GAP | hostile))
    [row] = table.groups[0].rows
    assert all("\u202e" not in cell for cell in row)
    assert "⟨U+202E⟩" in row[0]


@pytest.mark.slow
def test_robustness_ends_with_them_or_with_what_is_missing():
    """In its text and in its JSON, beside the questions."""
    made = told(GAP)
    *_, score, beside = robustness.as_text(made).splitlines()
    assert score == (
        "Measured elsewhere: gap in recall, points, higher is worse: teacher (reference) 12.1 "
        "(SE 0.9); student (candidate) −14 (−16.5 to 0.000125)"
    )
    assert "no estimate, test or gate" in beside
    assert robustness.as_text(told()).splitlines()[-1].endswith("not evidence of safety.")
    found = json.loads(json.dumps(robustness.as_json(made), allow_nan=False))
    assert [entry["scores"]["reference"]["value"] for entry in found["extrinsic"]] == [12.1]
    assert found["questions"] == robustness.as_json(told())["questions"] != []


@pytest.mark.parametrize("width", [40, layout.UNLIMITED])
def test_show_has_them_below_its_tables(width):
    """And nothing where nothing was told."""
    texts = [layout.text_of(list(lines(summary(made), width))) for made in (told(ACCURACY), told())]
    assert "Measured elsewhere: accuracy, %, higher is better" in " ".join(texts[0].split())
    assert "elsewhere" not in texts[1]
    assert summary(told()).as_json()["extrinsic"] == []
    [entry] = summary(told(ACCURACY)).as_json()["extrinsic"]
    assert entry == ACCURACY | {
        "scores": {"candidate": {"value": 91.0, "std_error": None, "low": None, "high": None}}
    }


def test_an_export_has_them_as_they_were_told():
    """With null for an error that nobody told."""
    [entry] = json.loads(estimates_json(Audited(told(ACCURACY))))["extrinsic"]
    assert Extrinsic.model_validate(entry) == Extrinsic.model_validate(ACCURACY)


def test_of_one_model_alone_there_is_one_column():
    """As everywhere on its page."""
    _, [table] = section(told(ACCURACY, reference=None))
    assert [column.title for column in table.columns][:2] == ["Score", "Model"]
    assert table.groups[0].rows[0][1] == "91"
