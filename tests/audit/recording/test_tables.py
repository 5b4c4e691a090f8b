"""The columns of every table: they are the same wherever a table crosses a border."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.estimating.statistics import inheritance
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.recording.rows.values import FLAGS, OUTCOMES

NAMES = list(tables.COLUMNS)
# The declared types, as a reader of the record sees them.
TEXT, NUMBER, COUNT = "str", "float64", "Int64"


@pytest.mark.parametrize("name", NAMES)
def test_a_table_without_rows_has_every_column(name):
    """Nothing measured is an empty table, not a missing one."""
    found = tables.table(name, [])
    assert len(found) == 0
    assert list(found.columns) == list(tables.COLUMNS[name])
    assert tables.check(name, found) is found


@pytest.mark.parametrize("name", NAMES)
def test_a_column_that_is_left_out_is_empty(name):
    """Text that does not apply is "", a number that is not known is missing, and never 0."""
    first = next(iter(tables.COLUMNS[name]))
    found = tables.table(name, [{first: "x"}])
    for column, dtype in tables.COLUMNS[name].items():
        assert str(found[column].dtype) == dtype
        if column != first:
            assert (found[column] == "").all() if dtype == TEXT else found[column].isna().all()


def test_columns_come_in_the_declared_order_whatever_their_own():
    """Two tables of one name can be put below each other."""
    row = {"status": "ok", "value": -1.5, "item": "a", "pieces": 1, "rank": None}
    found = tables.table("scores", [row])
    assert list(found.columns) == list(tables.COLUMNS["scores"])
    assert found.loc[0, "value"] == -1.5
    assert found["rank"].isna().all()


def test_missing_text_becomes_empty_text():
    """None and NaN both stand for "does not apply"."""
    found = tables.table("contexts", {"context": ["a", "b"], "text": [None, np.nan]})
    assert found["text"].tolist() == ["", ""]


def test_rows_are_numbered_anew():
    """A table that was filtered starts again at row 0."""
    whole = tables.table("contexts", {"context": ["a", "b"]})
    found = tables.conform("contexts", whole[whole["context"] == "b"])
    assert found.index.tolist() == [0]


def test_a_column_that_nobody_declared_is_our_own_mistake():
    """It would be lost in silence otherwise."""
    with pytest.raises(ValueError, match=r"table fills has no columns \['probabilty'\]"):
        tables.table("fills", [{"probabilty": 0.5}])


def test_a_table_with_another_type_is_refused():
    """Counts as floats would be written, and read again, as something else."""
    found = tables.table("fills", [{"rank": 1}])
    with pytest.raises(ValueError, match=r"table fills .*rank"):
        tables.check("fills", found.assign(rank=1.0))


@pytest.mark.parametrize("name", NAMES)
def test_a_table_that_lacks_a_column_is_refused(name):
    """The one that is missing is named."""
    column = next(iter(tables.COLUMNS[name]))
    with pytest.raises(ValueError, match=column):
        tables.check(name, tables.table(name, []).drop(columns=column))


@given(st.lists(st.tuples(st.text(), st.none() | st.floats(allow_nan=False), st.integers(0, 99))))
@pytest.mark.slow
def test_to_conform_twice_is_to_conform_once(rows):
    """A table in its columns is left as it is."""
    once = tables.table(
        "scores",
        {
            "item": [t for t, _, _ in rows],
            "value": [v for _, v, _ in rows],
            "rank": [n for _, _, n in rows],
        },
    )
    pd.testing.assert_frame_equal(once, tables.conform("scores", once))
    assert once["item"].tolist() == [t for t, _, _ in rows]
    assert [None if np.isnan(v) else v for v in once["value"]] == [v for _, v, _ in rows]


@pytest.mark.parametrize("words", [FLAGS, OUTCOMES])
def test_flags_and_outcomes_stand_once_and_the_first_is_that_a_number_speaks_for_itself(words):
    """A page has a sentence for each of them."""
    assert len(set(words)) == len(words)
    assert words[0] == ""


def test_no_flag_is_an_outcome_and_the_outcomes_are_the_classes_of_attributes():
    """So that older records, which had one column for both, can be told apart."""
    assert set(FLAGS) & set(OUTCOMES) == {""}
    assert set(inheritance.CLASSES) == set(OUTCOMES) - {""}


ROW = {
    "probe_set": "jobs", "slice": "all", "mode": "corrected", "subject": "candidate", "scope": "S1"
}  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("flag", "lost"),
        ("flag", "too few frames"),
        ("outcome", "exploratory"),
        ("subject", "teacher"),
        ("subject", ""),
        ("mode", "raw"),
        ("scope", "S4"),
        ("slice", "attribute"),
        ("slice", ""),
    ],
)
def test_a_table_with_a_value_that_its_column_may_not_hold_is_refused(column, value):
    """The value is named, so that whoever wrote it finds it."""
    tables.check("estimates", tables.table("estimates", [ROW]))
    with pytest.raises(ValueError, match=re.escape(repr(value))):
        tables.check("estimates", tables.table("estimates", [ROW, {**ROW, column: value}]))


def test_a_score_whose_status_nobody_knows_is_refused():
    """As another version may write it."""
    tables.check("scores", tables.table("scores", [{"status": "too_long"}]))
    with pytest.raises(ValueError, match=r"status: 'too_short'; expected one of .*'too_long'"):
        tables.check("scores", tables.table("scores", [{"status": "too_short"}]))


LATER = {"flag", "outcome", "written", "read", "joined", "words", "place"}
LATER |= {"style", "family", "frequency", "n_styles", "n_families"}


def test_the_design_names_the_same_columns():
    """The tables are those of the documentation that stands beside them, with what came later.

    `flag` and `outcome` say what a number alone cannot tell, `written` and `read` what was scored,
    `joined` which contexts two groups have, styles, families and frequencies what frames and
    attributes are a sample of, and `words` and `place` where in its text a mask stands.
    """
    shared = Path(__file__).resolve().parents[4] / "shared" / "DESIGN.md"
    if not shared.is_file():
        pytest.skip("the design is not beside the project")
    text = shared.read_text("utf-8")
    # The pieces of attributes came later too, as a table of their own.
    for name, columns in tables.COLUMNS.items():
        if name == "attributes":
            continue
        listed = text.partition(f"{name}: `")[2].partition("`")[0]
        own = [column for column in columns if column not in LATER]
        assert listed.split(", ") == own, name
