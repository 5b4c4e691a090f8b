"""The index of the estimates finds what a look through the table finds."""

import math

import pandas as pd
import pytest

from maskaudit.audit.recording.rows.slices import ALL, Slice
from maskaudit.reports import page
from maskaudit.reports.effects import Effects
from tests.reports import records

COLUMNS = ("estimate", "low", "high", "std_error", "p", "p_adjusted", "mde", "null_value")
SUBJECTS = ("difference", "candidate", "reference", "relation")


@pytest.fixture(scope="module")
def table():
    """Return the estimates of a record with sets of all kinds, in two modes where there are two."""
    sets = [records.jobs(), records.people(), records.facts(), records.pairs()]
    return records.record(sets).estimates


def found_by_hand(rows, estimator, slice_, subject):
    """Return the last row that is about this, or None."""
    chosen = rows[
        (rows["estimator"] == estimator) & (rows["slice"] == slice_) & (rows["subject"] == subject)
    ]
    return None if chosen.empty else chosen.iloc[-1]


def assert_is(effect, row):
    """The effect has the numbers, counts and words of the row."""
    for name in COLUMNS:
        assert getattr(effect, name) == pytest.approx(row[name], nan_ok=True, rel=0, abs=0)
    for name in ("n_attributes", "n_frames"):
        assert getattr(effect, name) == (0 if pd.isna(row[name]) else row[name])
    assert (effect.scope, effect.flag, effect.outcome) == (
        row["scope"],
        row["flag"],
        row["outcome"],
    )


@pytest.mark.slow
def test_every_number_is_found_by_what_it_is_about(table):
    """In the order in which subjects are asked for; of two modes the last, as it stands there."""
    effects = Effects.of(table)
    keys = table[["probe_set", "estimator", "slice"]].drop_duplicates()
    assert len(keys) > 100
    for probe_set, estimator, slice_ in keys.itertuples(index=False):
        rows = table[table["probe_set"] == probe_set]
        found = effects.of_set(probe_set).at(estimator, Slice.parse(slice_), SUBJECTS)
        by_hand = {s: found_by_hand(rows, estimator, slice_, s) for s in SUBJECTS}
        assert list(found) == [s for s in SUBJECTS if by_hand[s] is not None]
        for subject, effect in found.items():
            assert_is(effect, by_hand[subject])


def test_what_is_not_there_is_not_found(table):
    """No number, and no other in its place."""
    effects = Effects.of(table)
    assert effects.at("nothing", ALL, SUBJECTS) == {}
    assert effects.at("stereotype_contrast", ALL, SUBJECTS) == {}
    assert not effects.of_set("nothing")
    assert Effects.of(table.iloc[:0]).modes == []


def test_modes_sets_and_estimators_are_those_of_the_rows(table):
    """The published mode stands first, and every row is in one of each."""
    effects = Effects.of(table)
    assert effects.modes == ["published", "corrected"]
    sizes = table["mode"].value_counts()
    assert {mode: len(effects.in_mode(mode).all) for mode in effects.modes} == dict(sizes)
    assert effects.estimators == list(dict.fromkeys(table["estimator"]))
    assert list(map(str, effects.slices)) == list(dict.fromkeys(table["slice"]))
    own = effects.of_set("jobs")
    assert own.main_mode().all == tuple(one for one in own.all if one.mode == "corrected")
    assert {one.probe_set for one in own.all} == {"jobs"}
    assert effects.scopes == set(table["scope"])


def test_attributes_are_found_by_name(table):
    """With the number that the table has for each."""
    rows = table[(table["probe_set"] == "jobs") & (table["estimator"] == "lean")]
    rows = rows[rows["subject"] == "candidate"]
    found = Effects.of(table).of_set("jobs").by_attribute("lean", (), "candidate")
    expected = {
        slice_.removeprefix("attribute="): estimate
        for slice_, estimate in zip(rows["slice"], rows["estimate"], strict=True)
    }
    assert {name: effect.estimate for name, effect in found.items()} == expected
    assert Effects.of(table).by_attribute("lean", ("women", "men"), "candidate") == {}


def test_an_effect_without_counts_rests_on_nothing(table):
    """0, and not an unknown number that no table could show."""
    [one] = Effects.of(table.iloc[:1].assign(n_frames=pd.NA, mde=math.nan)).all
    assert one.effect.n_frames == 0
    assert math.isnan(one.effect.mde)


@pytest.mark.slow
@pytest.mark.parametrize("reference", [0.5, None])
@pytest.mark.parametrize("kind", ["jobs", "facts", "pairs", "people"])
def test_the_headline_by_itself_is_that_of_the_page(kind, reference):
    """Whatever the page is about, and whether models are compared."""
    record = records.record([getattr(records, kind)()], reference=reference)
    assert page.headline(record) == page.page(record).headline
