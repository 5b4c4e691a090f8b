"""A repeated audit has the same scores."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskaudit.audit.judging.comparing.repeat import (
    CHANGED,
    IDENTICAL,
    NOTHING_COMPARED,
    TOLERANCE,
    WITHIN_TOLERANCE,
    repeated,
)
from maskaudit.audit.recording.record import Record, load_record
from maskaudit.audit.recording.rows import tables
from tests import manifests


def record(values: dict[tuple[str, str], float], **changed: object) -> Record:
    """Return a record of two sets whose scores are given by model and item; items i* are of `a`."""
    names = sorted({item for _, item in values})
    rows = [
        {
            "model": model,
            "item": item,
            "measure": "logp",
            "value": value,
            "status": "ok" if not math.isnan(value) else "too_long",
        }
        for (model, item), value in values.items()
    ]
    items = [{"probe_set": "a" if name.startswith("i") else "b", "item": name} for name in names]
    manifest = {
        "maskaudit": "1.0",
        "method": {"torch": "2.13", "dtype": "float32"},
        "models": {model: {} for model in sorted({model for model, _ in values})},
        "probe_sets": {name: {"items_digest": name * 8} for name in "ab"},
    }
    none = {name: tables.table(name, []) for name in ("contexts", "paired", "fills", "estimates")}
    return Record(
        manifests.manifest(**manifest | changed),
        items=tables.table("items", items),
        scores=tables.table("scores", rows),
        **none,
    )


VALUES = {
    (model, item): -1.0 - n
    for n, (model, item) in enumerate(
        (model, item) for model in ("reference", "candidate") for item in ("i1", "i2", "k1")
    )
}


def with_model(subject: str, **changed: str) -> dict[str, dict[str, str]]:
    """Return the models of a record, one of them with other properties."""
    models = manifests.plain(record(VALUES).manifest.models)
    return models | {subject: models[subject] | changed}


# --- The same -------------------------------------------------------------------------------------


def test_a_record_repeats_itself():
    """Nothing differs, and every score was looked at."""
    found = repeated(record(VALUES), record(VALUES))
    assert found.verdict == IDENTICAL
    assert (found.differences, found.compared, found.largest, found.where) == ((), 6, 0.0, {})


def test_the_order_of_rows_is_no_difference():
    """Scores are found by model, item and measure."""
    other = record(VALUES)
    assert repeated(record(VALUES), replace(other, scores=other.scores[::-1])).verdict == IDENTICAL


def test_what_neither_could_score_is_the_same():
    """For the same reason."""
    values = VALUES | {("candidate", "k1"): math.nan}
    assert repeated(record(values), record(values)).verdict == IDENTICAL


@settings(max_examples=15)
@given(
    shift=st.floats(-3e-5, 3e-5).filter(
        lambda x: abs(x) > 1e-12 and abs(abs(x) - TOLERANCE) > 1e-12
    ),
    item=st.sampled_from(sorted(VALUES)),
)
def test_the_largest_difference_is_named_and_judged(shift, item):
    """By its size alone: within 1e-5 nats it is the arithmetic, beyond it something changed."""
    new = record(VALUES | {item: VALUES[item] + shift})
    found = repeated(record(VALUES), new)
    exact = abs((VALUES[item] + shift) - VALUES[item])
    assert found.largest == exact
    assert found.where == {
        "probe_set": "b" if item[1] == "k1" else "a",
        "model": item[0],
        "item": item[1],
        "measure": "logp",
    }
    assert found.verdict == (WITHIN_TOLERANCE if abs(shift) < TOLERANCE else CHANGED)
    back = repeated(new, record(VALUES))
    assert (back.largest, back.verdict) == (found.largest, found.verdict)


@pytest.mark.parametrize("side", [0, 1])
def test_a_score_that_only_one_audit_has_is_beyond_any_tolerance(side):
    """Unknown is never taken for 0, whichever side lost it, and neither is a row that is gone."""
    lost = record(VALUES | {("candidate", "i2"): math.nan})
    gone = record({key: value for key, value in VALUES.items() if key != ("candidate", "i2")})
    for other in (lost, gone):
        pair = [record(VALUES), other]
        found = repeated(pair[side], pair[1 - side])
        assert (found.verdict, found.largest) == (CHANGED, math.inf)
        assert found.where["item"] == "i2"
        assert found.compared == 6


def test_a_score_lost_for_another_reason_is_a_change():
    """It was too long before, and is unknown now."""
    old = record(VALUES | {("candidate", "i2"): math.nan})
    scores = old.scores.assign(status=old.scores["status"].replace("too_long", "target_unknown"))
    assert repeated(old, replace(old, scores=scores)).verdict == CHANGED


def test_infinite_scores_are_compared_too():
    """Minus infinity is itself and nothing else."""
    old = record(VALUES | {("candidate", "i2"): -math.inf})
    assert repeated(old, old).verdict == IDENTICAL
    assert repeated(old, record(VALUES)).largest == math.inf


# --- What differs ---------------------------------------------------------------------------------


def test_another_model_is_told_and_the_other_model_still_compared():
    """The teacher stays what it was: its scores must."""
    new = record(
        VALUES | {("candidate", "i1"): 9.0, ("reference", "i2"): VALUES["reference", "i2"] + 1},
        models=with_model("candidate", weights="w2", tokenizer="t2"),
    )
    found = repeated(record(VALUES), new)
    assert found.differences == (
        "candidate: a different model version (its weights differ, its tokenizer differs)",
    )
    assert (found.compared, found.verdict, found.largest) == (3, CHANGED, 1.0)
    assert found.where["model"] == "reference"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("weights", "v", "candidate: a different model version (its weights differ)"),
        ("tokenizer", "v", "candidate: a different model version (its tokenizer differs)"),
        ("dtype", "float16", "candidate: different method (dtype: float32, then float16)"),
        ("device", "cuda", "candidate: different method (device: cpu, then cuda)"),
        ("attention", "eager", "candidate: different method (attention: sdpa, then eager)"),
    ],
)
def test_each_difference_of_a_model_is_told_in_its_own_words(name, value, told):
    """A model version and a way to run it are not the same thing."""
    new = record(VALUES, models=with_model("candidate", **{name: value}))
    assert repeated(record(VALUES), new).differences == (told,)


def test_other_probes_are_told_and_the_other_sets_still_compared():
    """One set was changed; the scores of the other must be what they were."""
    sets = {"a": {"items_digest": "new"}, "b": {"items_digest": "bbbbbbbb"}}
    found = repeated(record(VALUES), record(VALUES, probe_sets=sets))
    assert found.differences == ("a: different probes (its items differ)",)
    assert found.compared == 2


@pytest.mark.parametrize(
    ("universe", "told"),
    [
        ("u", "a: different probes (frames were drawn anew)"),
        ("v", "a: different probes (its items differ)"),
    ],
)
def test_frames_that_were_drawn_anew_are_told_as_that(universe, told):
    """From the same grammar: another one makes other probes."""
    sets = [
        {"a": {"items_digest": digest, "grammar": {"universe": of}}}
        for digest, of in (("one", "u"), ("two", universe))
    ]
    pair = [record(VALUES, probe_sets=part) for part in sets]
    assert repeated(*pair).differences == (told,)


def test_other_software_is_told_and_nothing_compared():
    """Another version may compute in another way, whatever the digests say."""
    method = {"torch": "2.14", "dtype": "float32", "lexicon": "abc"}
    found = repeated(record(VALUES), record(VALUES, method=method, maskaudit="1.1"))
    assert found.differences == (
        "different method (lexicon: none, then abc)",
        "different method (maskaudit: 1.0, then 1.1)",
        "different method (torch: 2.13, then 2.14)",
    )
    assert (found.compared, found.verdict) == (0, NOTHING_COMPARED)
    assert math.isnan(found.largest)


def test_a_model_or_set_that_only_one_audit_has_is_told():
    """Which of the two has it."""
    alone = {key: value for key, value in VALUES.items() if key[0] == "candidate"}
    old = record(VALUES)
    new = record(alone, probe_sets={"a": old.manifest.probe_sets["a"], "c": {}})
    assert repeated(old, new).differences == (
        "reference: only in the older audit",
        "b: only in the older audit",
        "c: only in the newer audit",
    )
    assert "reference: only in the newer audit" in repeated(new, old).differences


def test_an_item_of_two_sets_is_compared_where_one_of_them_is_the_same():
    """And is named by that set."""
    old = record(VALUES)
    shared = tables.table("items", [{"probe_set": "b", "item": "i1"}])
    both = replace(old, items=pd.concat([old.items, shared], ignore_index=True))
    sets = {"a": {"items_digest": "new"}, "b": old.manifest.probe_sets["b"]}
    new = record(VALUES | {("candidate", "i1"): 0.0}, probe_sets=sets)
    found = repeated(both, replace(new, items=both.items))
    assert found.compared == 4
    assert found.where["probe_set"] == "b"


# --- Whole audits ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_audit_twice_is_the_same_to_the_last_bit(audited):
    """In memory and read from the disk; the files of scores, too."""
    one, two, _ = audited
    for pair in ((one, two), (load_record(one.path), load_record(two.path))):
        found = repeated(*pair)
        assert (found.verdict, found.differences) == (IDENTICAL, ())
        assert found.compared == len(one.scores) > 0
    files = [(part.path / "scores.parquet").read_bytes() for part in (one, two)]
    assert files[0] == files[1]


@pytest.mark.slow
def test_another_student_is_another_version_and_the_teacher_the_same(audited):
    """No claim is made about the student's numbers here."""
    found = repeated(audited[0], audited[2])
    assert found.differences == ("candidate: a different model version (its weights differ)",)
    assert found.verdict == IDENTICAL
    assert found.compared == (audited[0].scores["model"] == "reference").sum()
