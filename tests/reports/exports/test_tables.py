"""Estimates as CSV and JSON, read back by other readers: to the last digit, and harmless."""

import csv
import io
import json
import math
from dataclasses import replace

import pandas as pd
import pytest

from maskaudit.audit.texts.printable import inert
from maskaudit.reports.exports.audited import Audited
from maskaudit.reports.exports.tables import estimates_csv, estimates_json
from tests.reports import records
from tests.reports.verdicts import every, judged


def with_names(*names):
    """Return a record with as many estimates as names, each of the set with this name."""
    made = records.record()
    return replace(made, estimates=made.estimates.head(len(names)).assign(probe_set=list(names)))


def test_the_csv_is_the_table_of_estimates():
    """Row by row the same texts, numbers to the last digit, and nothing for an unknown number."""
    made = records.record()
    rows = list(csv.DictReader(io.StringIO(estimates_csv(Audited(made)))))
    for written, row in zip(rows, made.estimates.to_dict("records"), strict=True):
        assert list(written) == list(row)
        for name, value in row.items():
            if isinstance(value, str):
                assert written[name] == value
            elif pd.isna(value):
                assert written[name] == ""
            else:
                assert float(written[name]) == value


def test_a_spreadsheet_runs_nothing_of_a_csv_and_shows_everything():
    """What would be a formula is text, and what cannot be seen is shown by its code point."""
    names = ["=1+1", "+1", "-1", "@SUM(A1)", 'a,"b"\nc', "\u202eabc", "w" * 60, "plain"]
    text = estimates_csv(Audited(with_names(*names)))
    assert inert(text) == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["probe_set"] for row in rows] == [
        "'=1+1", "'+1", "'-1", "'@SUM(A1)", 'a,"b"⟨U+000A⟩c', "⟨U+202E⟩abc", "w" * 60, "plain",
    ]  # fmt: skip


def test_the_json_has_every_estimate_and_null_for_what_is_not_known():
    """As strict JSON; a count stays a whole number."""

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    made = records.record()
    found = json.loads(estimates_json(Audited(made)), parse_constant=refuse)
    assert len(found["estimates"]) == len(made.estimates)
    for plain, row in zip(found["estimates"], made.estimates.to_dict("records"), strict=True):
        assert list(plain) == list(row)
        for name, value in row.items():
            is_known = isinstance(value, str) or (not pd.isna(value) and math.isfinite(value))
            assert plain[name] == (value if is_known else None)
        assert isinstance(plain["n_frames"], int | None)


def test_the_json_says_which_record_and_models_and_what_was_lost():
    """So that a file that is found alone can be told from others."""
    made = records.record()
    found = json.loads(estimates_json(Audited(made)))
    assert found["created"] == made.manifest.created
    for model, identity in made.manifest.models.items():
        assert found["models"][model]["name"] == identity.name
        assert found["models"][model]["weights"] == identity.weights
    assert {(lost["probe_set"], lost["model"]) for lost in found["lost_items"]} == {
        (name, model) for name in made.manifest.probe_sets for model in made.manifest.models
    }


def test_the_json_has_verdicts_where_there_are_gates():
    """As `gate --json` has them; null where nothing was judged."""
    made = records.record()
    told = json.loads(estimates_json(Audited(made, judged(every()))))["judgement"]
    assert told["exit_code"] == 1
    assert len(told["verdicts"]) == 6
    assert json.loads(estimates_json(Audited(made)))["judgement"] is None


@pytest.mark.parametrize("text", ["\u202e\u200b\x1b[31m", 'a"\\\n', "می\u200cخواهم", "w" * 60])
def test_the_json_has_foreign_text_as_it_is_and_shows_a_terminal_none_of_it(text):
    """Letters of spelling that have no ink too: who joins tables by them must find them."""
    written = estimates_json(Audited(with_names(text)))
    assert inert(written) == written
    [row] = json.loads(written)["estimates"]
    assert row["probe_set"] == text
