"""Weekly audits with fresh frames: what joins the sequence, and what is refused or skipped."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.testing import assert_allclose

import maskaudit
from maskaudit.audit.errors import NotJudgedError
from maskaudit.audit.history import sequential
from maskaudit.audit.history.sequential_audits import weekly
from maskaudit.audit.recording.record import Record, load_record
from maskaudit.audit.recording.rows import tables
from tests import manifests, tiny

pytestmark = pytest.mark.slow

METHOD = "probe_set:drawn|version:1|items:u|torch:2.13|estimator:stereotype_contrast:log_odds"
GRAMMAR = tiny.small_set(name="drawn")
GRAMMAR += """\
[grammar]
frames = 8
texts = ["{when} [MASK] {did} as {a attribute} {where}.", "[MASK] {did} for {a attribute} {where}."]
[grammar.parts]
when = ["years went by and", "the city knows that", "in Paris", "we know", "in the world"]
did = ["worked", "was told", "went"]
where = ["in the garden", "at school", "in Paris", "for a year", "by the house"]
"""


def week(  # noqa: PLR0913, PLR0917 - one for each thing that may be otherwise
    number: int,
    estimate: float = 0.0,
    variance: float = 1.0,
    draw: str = "",
    method: str = METHOD,
    weights: str = "w",
    reference: str = "r",
) -> Record:
    """Return the record of one week, with a contrast for each subject."""
    rows = [
        {
            "probe_set": "drawn",
            "slice": "contrast",
            "estimator": "stereotype_contrast",
            "subject": subject,
            "estimate": estimate + shift,
            "std_error": 99.0,
            "v_frames": variance,
            "n_frames": 20,
            "method": method,
        }
        for subject, shift in (("candidate", 0), ("reference", 50), ("difference", 70))
    ]
    # Beside it, what must not be taken for it.
    others = [
        rows[0] | {"slice": "all", "estimator": "log_odds", "estimate": 1e6},
        rows[0] | {"estimator": "stereotype_contrast_lpbs", "estimate": 1e6},
        rows[0] | {"probe_set": "written", "estimate": 1e6},
    ]
    manifest = manifests.manifest(
        created=f"2026-01-{number:02}T00:00:00+00:00",
        models={"reference": {"weights": reference}, "candidate": {"weights": weights}},
        probe_sets={
            "drawn": {
                "items_digest": draw or f"draw {number}",
                "grammar": {"universe": "u", "seed": number},
            },
            "written": {"items_digest": "same"},
        },
    )
    none = ("contexts", "items", "scores", "paired", "fills")
    empty = {name: tables.table(name, []) for name in none}
    return Record(manifest, **empty, estimates=tables.table("estimates", [*others, *rows]))


def name_of(number: int) -> str:
    """Return what a record without a folder is called."""
    return f"2026-01-{number:02}T00:00:00+00:00"


def without_interval(record: Record) -> Record:
    """Return the record without the part of the variance that is the frames'."""
    return replace(record, estimates=record.estimates.assign(v_frames=np.nan))


# --- What joins -----------------------------------------------------------------------------------


def test_the_weeks_join_one_sequence_in_the_order_of_time():
    """Estimates and the variances over frames, as they stand in the records."""
    estimates, variances = [0.3, -0.1, 0.4], [0.5, 0.6, 0.7]
    records = [week(n + 1, estimates[n], variances[n]) for n in (2, 0, 1)]
    found = weekly(records, "drawn", null_value=0.1, alpha=0.1)
    assert found.records == (name_of(1), name_of(2), name_of(3))
    assert found.estimates.tolist() == estimates
    assert_allclose(found.std_errors**2, variances, rtol=1e-12)
    expected = sequential.confidence_sequence(np.array(estimates), np.array(variances), alpha=0.1)
    assert_allclose(found.sequence.low, expected.low, rtol=1e-12)
    assert_allclose(found.sequence.high, expected.high, rtol=1e-12)
    p = sequential.anytime_p(np.array(estimates), np.array(variances), 0.1, alpha=0.1)
    assert_allclose(found.p, p, rtol=1e-12)
    assert (found.alarm, found.skipped, found.null_value) == (None, (), 0.1)


def test_an_alarm_is_the_first_week_whose_limits_leave_out_the_null_value():
    """Here the mean stays at five standard errors."""
    records = [week(n, 5.0) for n in range(1, 20)]
    found = weekly(records, "drawn")
    outside = [
        n for n, low in enumerate(found.sequence.low) if low > 0 or found.sequence.high[n] < 0
    ]
    assert found.alarm == outside[0]
    assert found.p[found.alarm] <= 0.05
    assert weekly(records, "drawn", null_value=5.0).alarm is None


@pytest.mark.parametrize(
    ("subject", "mean"), [("candidate", 0), ("reference", 50), ("difference", 70)]
)
def test_each_subject_has_its_own_series(subject, mean):
    """The student by itself, the teacher, or what lies between them."""
    found = weekly([week(1), week(2)], "drawn", subject=subject)
    assert found.estimates.tolist() == [mean, mean]


@pytest.mark.parametrize(
    "since",
    [
        week(2),
        datetime(2026, 1, 2, tzinfo=UTC),
        datetime(2026, 1, 2, 12),  # noqa: DTZ001 - a user may leave the zone out: it is UTC
    ],
)
def test_a_baseline_starts_the_sequence_again(since):
    """It and what is older are left out, without a word."""
    found = weekly([week(n) for n in range(1, 5)], "drawn", since=since)
    assert found.records == (name_of(3), name_of(4))
    assert found.skipped == ()


# --- What is skipped ------------------------------------------------------------------------------


def test_a_draw_that_was_there_before_is_skipped_and_said_so():
    """The same frames a second time are no second week."""
    records = [week(1, 0.3), week(2, 0.4), week(3, 0.3, draw="draw 1")]
    found = weekly(records, "drawn")
    assert found.records == (name_of(1), name_of(2))
    assert found.skipped == (
        f"{name_of(3)}: drew the same frames as {name_of(1)}; use another seed",
    )


def test_a_record_without_the_set_or_its_interval_is_skipped_and_said_so():
    """The others stand."""
    other = week(2)
    sets = {"written": other.manifest.probe_sets["written"]}
    records = [
        week(1),
        replace(other, manifest=manifests.changed(other.manifest, probe_sets=sets)),
        without_interval(week(3)),
    ]
    found = weekly(records, "drawn")
    assert found.records == (name_of(1),)
    assert found.skipped == (
        f"{name_of(2)}: has no probe set 'drawn'",
        f"{name_of(3)}: has no number with an interval for 'contrast' of 'candidate'",
    )


# --- What is refused ------------------------------------------------------------------------------


def test_written_frames_are_refused():
    """The same frames every week say nothing new."""
    with pytest.raises(NotJudgedError, match="'written' has no grammar, and the same frames again"):
        weekly([week(1), week(2)], "written")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"method": METHOD.replace("torch:2.13", "torch:2.14")}, "torch: 2.13, then 2.14"),
        ({"method": METHOD.replace("items:u", "items:v")}, "items: u, then v"),
        ({"method": METHOD.replace("|torch:2.13", "")}, "torch: 2.13, then none"),
        ({"weights": "x"}, "weights of the candidate: w, then x"),
    ],
)
def test_weeks_that_are_not_of_one_model_and_method_are_refused(changed, told):
    """What differs is said, and what to do."""
    with pytest.raises(NotJudgedError) as caught:
        weekly([week(1), week(2), week(3, **changed)], "drawn")
    assert str(caught.value) == (
        f"drawn: {name_of(3)} cannot be combined with {name_of(1)} ({told}); start again with the "
        "first record after the change"
    )
    assert weekly([week(1), week(2), week(3, **changed)], "drawn", since=week(2)).alarm is None


def test_the_other_model_may_change_unless_the_two_are_compared():
    """A new teacher does not touch the student's own number."""
    records = [week(1), week(2, reference="s")]
    assert len(weekly(records, "drawn").records) == 2
    for subject in ("reference", "difference"):
        with pytest.raises(NotJudgedError, match="weights of the reference: r, then s"):
            weekly(records, "drawn", subject=subject)


def test_nothing_to_judge_is_not_a_pass():
    """No records, none after the baseline, none with an interval."""
    with pytest.raises(NotJudgedError, match="no record is newer than the baseline"):
        weekly([week(1)], "drawn", since=week(1))
    with pytest.raises(NotJudgedError, match="no record is newer than the baseline"):
        weekly([], "drawn")
    with pytest.raises(NotJudgedError, match="has no number with an interval for 'contrast'"):
        weekly([without_interval(week(1))], "drawn")


# --- Whole audits ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Give the records of three seeds, the first of them twice."""
    folder = tmp_path_factory.mktemp("weeks")
    candidate = tiny.build(folder / "student", "distilbert", seed=2)
    (folder / "drawn.toml").write_text(GRAMMAR)
    asked = {
        "candidate": str(candidate),
        "probes": [str(folder / "drawn.toml")],
        "out": folder / "runs",
    }
    return [maskaudit.run(**asked, seed=seed) for seed in (1, 2, 3, 1)]


def test_audits_of_three_seeds_are_three_weeks_and_a_seed_again_is_none(audited):
    """Their method keys are equal although no two drew the same frames."""
    found = weekly([load_record(record.path) for record in audited], "drawn")
    assert len(found.records) == 3
    assert len(found.skipped) == 1
    assert f"drew the same frames as {found.records[0]}" in found.skipped[0]
    contrasts = [
        record.estimates.query("estimator == 'stereotype_contrast' and slice == 'contrast'")
        for record in audited
    ]
    assert len({row["method"].iloc[0] for row in contrasts}) == 1
    assert found.estimates.tolist() == [row["estimate"].iloc[0] for row in contrasts[:3]]


def test_the_variance_of_a_week_is_that_of_the_contrast_over_frames(audited):
    """var_j(d_j)/J from the scores themselves."""
    found = weekly(audited, "drawn")
    for record, std_error in zip(audited[:3], found.std_errors, strict=True):
        items = record.items[record.items["role"] == "probe"]
        cells = items.merge(record.scores, on="item").pivot_table(
            index=["frame", "class", "attribute"], columns="group", values="value"
        )
        by_class = (cells["women"] - cells["men"]).groupby(["frame", "class"]).mean().unstack()
        difference = by_class["first"] - by_class["second"]
        assert len(difference) == 8
        assert_allclose(std_error**2, difference.var(ddof=1) / 8, rtol=1e-9)


def test_a_record_says_that_its_frames_were_drawn_and_from_what(audited):
    """The seed, how many frames, and of how many sentences; the digest of items is the draw's."""
    parts = [record.manifest.probe_sets["drawn"] for record in audited]
    assert [part.grammar.seed for part in parts] == [1, 2, 3, 1]
    assert {part.grammar.frames for part in parts} == {8}
    assert {part.grammar.sentences for part in parts} == {5 * 3 * 5 + 3 * 5}
    assert len({part.grammar.universe for part in parts}) == 1
    assert len({part.items_digest for part in parts}) == 3
    assert parts[0].items_digest == parts[3].items_digest
    assert {part.frames for part in parts} == {8}
    universe = parts[0].grammar.universe
    methods = {method for record in audited for method in record.estimates["method"]}
    assert all(f"|items:{universe[:12]}|" in method for method in methods)
