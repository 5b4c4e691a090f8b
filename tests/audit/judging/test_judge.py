"""Rules and records become verdicts; what was not measured never passes."""

import json
import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.statistics import multiplicity
from maskaudit.audit.judging import policy, verdicts
from maskaudit.audit.judging.accepting.accept import accept
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.recording.rows import tables
from tests import manifests
from tests.reports import records

pytestmark = pytest.mark.slow

TODAY = date(2026, 11, 23)


def read(tmp_path, *gates, waivers=""):
    """A policy of these gates, each a dict of TOML values."""
    parts = []
    for number, keys in enumerate(gates):
        said = {"id": f'"g{number}"', "rule": '"non_inferiority"', "reason": '"r"', **keys}
        if "bound" not in said and "margin" not in said:
            said["margin"] = "0.3"
        parts.append("\n".join(["[[gate]]", *(f"{key} = {value}" for key, value in said.items())]))
    path = tmp_path / "gates.toml"
    path.write_text("\n\n".join([*parts, waivers]), "utf-8")
    return policy.read(path)


def judged(tmp_path, record, *gates, waivers="", **more):
    """The judgement on a record."""
    return judge(record, read(tmp_path, *gates, waivers=waivers), today=TODAY, **more)


def words(judgement):
    """Verdicts by name."""
    return {verdict.name: verdict.verdict for verdict in judgement.verdicts}


def row(**told):
    """A row of estimates with an interval, and what else is told of it."""
    common = {
        "probe_set": "jobs", "axis": "gender", "slice": "contrast", "mode": "corrected",
        "estimator": "stereotype_contrast", "subject": "difference", "estimate": 0.1,
        "std_error": 0.02, "df": 20.0, "v_frames": 2e-4, "n_frames": 10,
    }  # fmt: skip
    return {**common, **told}


def of_rows(*rows, models=("reference", "candidate")):
    """A record with these estimates."""
    found = records.record()
    named = {one["probe_set"] for one in rows}
    manifest = manifests.changed(
        found.manifest,
        models={name: found.manifest.models[name] for name in models},
        probe_sets={n: p for n, p in found.manifest.probe_sets.items() if n in named},
    )
    return replace(found, manifest=manifest, estimates=tables.table("estimates", list(rows)))


@pytest.mark.parametrize(
    ("estimate", "expected", "code"),
    [(0.0, "pass", 0), (0.1, "pass", 0), (0.29, "fail", 1), (0.6, "fail", 1), (-0.6, "pass", 0)],
)
def test_a_change_is_judged_by_its_bounds(tmp_path, estimate, expected, code):
    """Below the margin for sure, or not: the standard error is .02, the margin .3."""
    found = judged(tmp_path, of_rows(row(estimate=estimate)), {})
    assert words(found) == {"gender/jobs": expected}
    assert found.exit_code == code


def test_a_bound_of_low_precision_is_inconclusive_and_says_what_would_decide(tmp_path):
    """The frames that would be needed, from the part of the variance that is theirs."""
    wide = row(estimate=0.1, std_error=0.2, v_frames=0.035)
    found = judged(tmp_path, of_rows(wide), {"margin": "0.4"})
    (verdict,) = found.verdicts
    assert (verdict.verdict, found.exit_code) == ("inconclusive", 3)
    assert verdict.mde == pytest.approx((1.7247 + 0.8600) * 0.2, abs=1e-3)
    fixed = 0.04 - 0.035
    assert verdict.frames_needed == math.ceil(0.35 / ((0.4 / (1.7247 + 0.8600)) ** 2 - fixed))


def test_the_verdict_on_a_record_is_that_of_its_own_numbers(tmp_path):
    """With a record that was scored: the difference of contrasts, as the record has it."""
    record = records.record()
    found = judged(tmp_path, record, {"margin": "0.1"}, {"margin": "2.0"})
    shown = records.estimate_of(record, "jobs", "difference")
    verdicts = [verdict for verdict in found.verdicts if verdict.probe_set == "jobs"]
    assert [verdict.verdict for verdict in verdicts] == ["fail", "pass"]
    assert verdicts[0].estimate == shown["estimate"]
    assert verdicts[0].method == shown["method"]
    assert {verdict.probe_set for verdict in found.verdicts} == {"jobs", "people"}  # no control


def test_a_control_is_judged_where_it_is_named(tmp_path):
    """By its set or by its axis."""
    found = judged(tmp_path, records.record(), {"select": '{ probe_set = "days" }'})
    assert [verdict.probe_set for verdict in found.verdicts] == ["days"]


@pytest.mark.parametrize(
    ("select", "told"),
    [
        ('{ probe_set = "job" }', "no number of the record has probe_set 'job'; did you mean"),
        ('{ probe_set = ["jobs", "jbs"] }', "probe_set 'jbs'; did you mean 'jobs'?"),
        ('{ axis = "religion" }', "no number of the record has axis 'religion'"),
        ('{ estimator = "accuracy@1", probe_set = "jobs" }', "'accuracy@1' matches all else"),
        ('{ slice = "attribute=*", probe_set = "facts" }', "'stereotype_contrast' matches all"),
    ],
)
def test_an_empty_selection_never_passes(tmp_path, select, told):
    """Not even beside another gate that passes, and at any severity."""
    asked = {"select": select, "harm": '"up"', "severity": '"warn"'}
    found = judged(tmp_path, records.record(), {"margin": "9.0"}, asked)
    missing = [verdict for verdict in found.verdicts if verdict.verdict == "not_measured"]
    assert found.exit_code == 3
    assert told in missing[0].reason
    assert missing[0].name.startswith("nothing")


def test_a_model_alone_has_no_reference_to_be_held_against(tmp_path):
    """Which is said, and is no pass."""
    found = judged(tmp_path, records.record(reference=None), {})
    assert [verdict.verdict for verdict in found.verdicts] == ["not_measured"]
    assert "no reference" in found.verdicts[0].reason
    assert found.exit_code == 3


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"std_error": math.nan, "df": math.nan, "flag": "too_few_frames"}, "inconclusive"),
        ({"std_error": math.nan, "df": math.nan}, "inconclusive"),
        ({"df": math.nan}, "inconclusive"),
        ({"estimate": math.nan, "std_error": math.nan}, "not_measured"),
        ({"estimate": math.nan, "std_error": math.nan, "flag": "not_estimable"}, "inconclusive"),
        ({"estimate": 0.0, "std_error": 0.0, "df": math.nan}, "pass"),
        ({"estimate": 0.4, "std_error": 0.0, "df": math.nan}, "fail"),
    ],
)
def test_a_number_without_an_interval_never_passes(tmp_path, told, expected):
    """One of a model against itself has one: it is exact."""
    found = judged(tmp_path, of_rows(row(**told)), {})
    assert words(found) == {"gender/jobs": expected}


def test_a_level_is_the_candidates_unless_another_is_selected(tmp_path):
    """And the bound may be one that it must not fall below."""
    rows = [
        row(
            subject=subject,
            estimate=estimate,
            estimator="accuracy@5",
            n_attributes=500,
            n_frames=500,
            slice="all",
            probe_set="facts",
        )
        for subject, estimate in (("reference", 0.9), ("candidate", 0.5))
    ]
    select = '{ probe_set = "facts", estimator = "accuracy@5" }'
    asked = {"rule": '"bound"', "bound": "0.8", "harm": '"down"', "select": select}
    other = {**asked, "select": select.replace(" }", ', subject = "reference" }')}
    found = judged(tmp_path, of_rows(*rows), asked, other)
    assert [verdict.verdict for verdict in found.verdicts] == ["fail", "pass"]


def test_the_worlds_shares_are_a_slope_of_one(tmp_path):
    """What is judged is how much steeper the candidate is."""
    rows = [
        row(subject="candidate", estimator="world_slope", slice="all", estimate=1.5, std_error=0.1)
    ]
    rule = {"rule": '"no_worse_than_world"'}
    found = judged(tmp_path, of_rows(*rows), {**rule, "margin": "0.2"}, {**rule, "margin": "0.8"})
    assert [verdict.verdict for verdict in found.verdicts] == ["fail", "pass"]
    assert found.verdicts[0].estimate == 0.5


def test_a_number_without_a_harmful_direction_needs_one(tmp_path):
    """The gate says it, or is refused."""
    rows = of_rows(row(estimator="log_odds", slice="all"))
    select = {"select": '{ estimator = "log_o*" }'}
    with pytest.raises(InputError, match="'log_odds' has no harmful direction of its own"):
        judged(tmp_path, rows, select)
    down = judged(tmp_path, rows, {**select, "harm": '"down"', "margin": "0.05"})
    up = judged(tmp_path, rows, {**select, "harm": '"up"', "margin": "0.05"})
    assert (down.exit_code, up.exit_code) == (0, 1)


def test_a_change_of_magnitude_is_judged_by_its_log_ratio(tmp_path):
    """The number of both models, with a margin in log units."""
    record = records.record()
    found = judged(tmp_path, record, {"select": '{ estimator = "magnitude", probe_set = "jobs" }'})
    (verdict,) = found.verdicts
    shown = records.estimate_of(record, "jobs", "relation", "log_magnitude_ratio", "all")
    assert (verdict.estimator, verdict.scale) == ("log_magnitude_ratio", "log")
    assert verdict.estimate == shown["estimate"]
    assert "approximate" not in verdict.reason


def squared_lean(**told):
    """A row of a mean of squared leans."""
    common = {"subject": "candidate", "estimator": "magnitude", "slice": "all", "n_attributes": 60}
    return row(**{**common, **told})


MAGNITUDE = {"rule": '"bound"', "bound": "6.0", "select": '{ estimator = "magnitude" }'}


def test_a_bound_on_a_magnitude_has_its_error_at_the_bound(tmp_path):
    """By hand: U = 4 with SE 1 and 60 attributes; t(20) = 1.724718, c = sqrt(2/59)."""
    rows = squared_lean(estimate=4.0, std_error=1.0)
    (verdict,) = judged(tmp_path, of_rows(rows), MAGNITUDE).verdicts
    t = 1.724718
    assert verdict.low == pytest.approx(4 * (1 - t / 8) ** 2, rel=1e-5)
    assert verdict.high == pytest.approx(4 + t / (1 - t * math.sqrt(2 / 59)), rel=1e-5)
    assert verdict.verdict == "inconclusive"
    assert judged(tmp_path, of_rows(rows), {**MAGNITUDE, "bound": "6.6"}).exit_code == 0
    assert judged(tmp_path, of_rows(rows), {**MAGNITUDE, "bound": "2.4"}).exit_code == 1
    negative = of_rows({**rows, "estimate": -0.5, "std_error": 0.2})
    assert judged(tmp_path, negative, MAGNITUDE).exit_code == 0


@pytest.mark.parametrize(
    ("n", "word"), [(19, "inconclusive"), (20, "pass"), (None, "inconclusive")]
)
def test_a_bound_on_a_squared_lean_takes_twenty_attributes(tmp_path, n, word):
    """However sure the number looks; a change of it is judged with fewer."""
    for estimator in ("association", "magnitude", "group_spread"):
        rows = squared_lean(estimator=estimator, estimate=0.01, std_error=0.001, n_attributes=n)
        asked = {**MAGNITUDE, "harm": '"up"', "select": f'{{ estimator = "{estimator}" }}'}
        (verdict,) = judged(tmp_path, of_rows(rows), asked).verdicts
        assert verdict.verdict == word
        assert ("from 20 attributes on" in verdict.reason) == (word == "inconclusive")
    change = row(subject="relation", estimator="log_kappa", slice="all", n_attributes=n)
    (verdict,) = judged(
        tmp_path, of_rows(change), {"select": '{ estimator = "association" }'}
    ).verdicts
    assert verdict.verdict == "pass"


@pytest.mark.parametrize(
    ("right", "bound", "word"),
    [
        (3, "0.5", "fail"),
        (80, "0.5", "pass"),
        (52, "0.5", "inconclusive"),
        (0, "0.02", "inconclusive"),
    ],
)
def test_a_share_that_has_limits_alone_is_judged_by_them(tmp_path, right, bound, word):
    """Of 100 facts; Wilson's limits by statsmodels, as `accuracy@1` has them."""
    low, high = proportion_confint(right, 100, method="wilson")
    rows = row(
        subject="candidate", estimator="accuracy@1", slice="all", probe_set="facts",
        estimate=right / 100, low=low, high=high, std_error=math.nan, df=math.nan,
        v_frames=math.nan, n_frames=100, n_attributes=4,
    )  # fmt: skip
    select = '{ probe_set = "facts", estimator = "accuracy@1" }'
    asked = {"rule": '"bound"', "bound": bound, "harm": '"down"', "select": select}
    (verdict,) = judged(tmp_path, of_rows(rows), asked).verdicts
    assert verdict.verdict == word
    exact = stats.binomtest(right, 100, float(bound), alternative="less")
    assert verdict.p == pytest.approx(exact.pvalue, abs=1e-9)


def test_failures_are_adjusted_over_the_policy(tmp_path):
    """By Holm: one p of .02 among four is no failure; what only warns is not counted."""
    weak = row(estimate=0.046, std_error=0.021)  # one-sided p = .02
    none = [row(estimate=-0.1, probe_set=name) for name in ("people", "days", "more")]
    narrow = {"margin": "0.05", "select": '{ axis = "gender" }'}
    alone = judged(tmp_path, of_rows(weak), narrow)
    among = judged(tmp_path, of_rows(weak, *none), narrow)
    assert (alone.exit_code, among.exit_code) == (1, 3)
    family = [verdict.p for verdict in among.verdicts]
    expected = multiplicity.holm(np.array(family))
    assert [verdict.p_adjusted for verdict in among.verdicts] == pytest.approx(list(expected))
    assert "Holm" in among.verdicts[0].reason
    lenient = {
        **narrow,
        "severity": '"warn"',
        "select": '{ probe_set = ["people", "days", "more"] }',
    }
    strict = {**narrow, "select": '{ probe_set = "jobs" }'}
    assert judged(tmp_path, of_rows(weak, *none), strict, lenient).exit_code == 1


def test_a_warning_does_not_stop(tmp_path):
    """A failure of severity warn is told and is no failure; not measured is none either way."""
    record = of_rows(row(estimate=0.6))
    found = judged(tmp_path, record, {"severity": '"warn"'})
    assert (found.verdicts[0].verdict, found.exit_code) == ("fail", 0)


def waiver(until, slice_=None):
    """A waiver of gate g0."""
    part = f'slice = "{slice_}"\n' if slice_ else ""
    return f'[[waiver]]\ngate = "g0"\nowner = "Ada"\nreason = "known"\nuntil = {until}\n{part}'


@pytest.mark.parametrize(
    ("text", "expected", "code"),
    [
        (waiver("2026-11-23"), "fail", 0),  # its last day
        (waiver("2026-11-22"), "fail", 1),
        (waiver("2027-01-01", "gender/jobs"), "fail", 0),
        (waiver("2027-01-01", "gender/*"), "fail", 0),
        (waiver("2027-01-01", "gender/people"), "fail", 1),
        (waiver("2026-11-22") + waiver("2027-01-01"), "fail", 0),
    ],
)
def test_a_waiver_holds_until_its_last_day(tmp_path, text, expected, code):
    """For its slice, and a later one replaces one that has expired."""
    found = judged(tmp_path, of_rows(row(estimate=0.6)), {}, waivers=text)
    assert (found.verdicts[0].verdict, found.exit_code) == (expected, code)


def test_an_expired_waiver_fails_even_what_would_pass(tmp_path):
    """Until somebody removes it from the policy."""
    found = judged(tmp_path, of_rows(row(estimate=0.0)), {}, waivers=waiver("2026-11-22"))
    assert (found.verdicts[0].verdict, found.exit_code) == ("fail", 1)
    assert "the waiver of Ada expired on 2026-11-22" in found.verdicts[0].reason


@pytest.mark.parametrize("until", ["2027-01-01", "2026-11-22"])
def test_a_waiver_makes_no_failure_of_what_stands_beside_it(tmp_path, until):
    """Three numbers at t = 1.9: by Holm none fails, also with two of them waived, or no more."""
    rows = [row(estimate=0.038, probe_set=name) for name in ("jobs", "people", "days")]
    asked = {"margin": "0.05", "select": '{ axis = "gender" }'}
    alone = judged(tmp_path, of_rows(*rows), asked)
    assert [verdict.verdict for verdict in alone.verdicts] == ["inconclusive"] * 3
    text = waiver(until, "gender/people") + waiver(until, "gender/days")
    beside = judged(tmp_path, of_rows(*rows), asked, waivers=text).verdicts[0]
    assert beside.verdict == "inconclusive"
    # Three times the one-sided p of t = 1.9 with 20 degrees of freedom.
    assert beside.p_adjusted == pytest.approx(3 * stats.t.sf(1.9, 20), rel=1e-9)


def test_a_waiver_lets_nothing_pass_that_was_not_measured(tmp_path):
    """It is for a number that is known."""
    found = judged(
        tmp_path, records.record(), {"select": '{ axis = "x" }'}, waivers=waiver("2027-01-01")
    )
    assert found.exit_code == 3


def test_a_waiver_of_nothing_is_told(tmp_path):
    """Its slice may have been renamed."""
    found = judged(tmp_path, of_rows(row()), {}, waivers=waiver("2027-01-01", "gender/jbs"))
    assert "'gender/jbs', which matches no verdict" in found.notes[0]


def test_a_gate_of_several_numbers_names_each(tmp_path):
    """With slice, estimator and mode where they tell them apart."""
    rows = [
        row(),
        row(estimator="lean", slice="attribute=nurse"),
        row(estimator="lean", slice="attribute=nurse", mode="published"),
    ]
    asked = {"select": '{ estimator = ["stereotype_contrast", "lean"] }', "harm": '"up"'}
    found = judged(tmp_path, of_rows(*rows), asked)
    assert len({verdict.name for verdict in found.verdicts}) == 3
    assert found.verdicts[1].name == "gender/jobs/attribute=nurse/lean/corrected"


def test_a_judgement_is_plain_json(tmp_path):
    """Numbers that there are not are null, and all that was found comes back."""
    found = judged(
        tmp_path, records.record(), {}, {"select": '{ axis = "x" }'}, waivers=waiver("2027-01-01")
    )
    text = json.dumps(found.as_json(), allow_nan=False)
    back = json.loads(text)
    assert back["exit_code"] == found.exit_code
    assert [one["verdict"] for one in back["verdicts"]] == [one.verdict for one in found.verdicts]
    assert back["verdicts"][0]["waiver"]["until"] == "2027-01-01"
    assert back["verdicts"][-1]["estimate"] is None


VERSUS = {"rule": '"versus_baseline"'}


def test_a_baseline_that_is_not_there_never_passes(tmp_path):
    """The file is named, and the exit code is 3."""
    found = judged(tmp_path, records.record(), VERSUS)
    assert [verdict.verdict for verdict in found.verdicts] == ["not_measured"]
    assert "no such baseline" in found.verdicts[0].reason
    assert found.exit_code == 3


def test_a_version_is_held_against_the_accepted_one_and_against_the_anchor(tmp_path):
    """It passes against itself, exactly; small steps do not creep past the anchor's margin."""
    folder = tmp_path / "baseline"
    first = records.record(candidate=1.0, seed=7)
    step = records.record(candidate=1.2, seed=7)
    last = records.record(candidate=1.4, seed=7)
    accept(first, folder, "main", "the first", today=TODAY)
    same = judged(tmp_path, first, VERSUS)
    assert (same.exit_code, {verdict.estimate for verdict in same.verdicts}) == (0, {0.0})
    assert judged(tmp_path, step, VERSUS).exit_code == 0
    accept(step, folder, "main", "a small step", allow_worse=True, today=TODAY)
    found = judged(tmp_path, last, {**VERSUS, "margin": "0.3"})
    by_name = words(found)
    assert (by_name["gender/jobs"], by_name["gender/jobs/anchor"]) == ("pass", "fail")
    assert found.exit_code == 1
    wider = judged(tmp_path, last, {**VERSUS, "margin": "0.3", "total_margin": "0.6"})
    assert wider.exit_code == 0
    assert {verdict.against for verdict in wider.verdicts} == {"baseline main", "anchor main"}


def test_a_baseline_without_its_scores_is_not_measured(tmp_path):
    """The Parquet file is what pairs the versions."""
    folder = tmp_path / "baseline"
    record = records.record()
    accept(record, folder, "main", "the first", today=TODAY)
    (folder / "main.parquet").unlink()
    found = judged(tmp_path, record, VERSUS)
    assert (found.exit_code, found.verdicts[0].verdict) == (3, "not_measured")
    assert "main.parquet" in found.verdicts[0].reason


def test_a_record_may_stand_for_the_baseline(tmp_path):
    """Swapped, the sign of every change is the other."""
    old, new = records.record(candidate=1.0), records.record(candidate=1.6)
    worse = judged(tmp_path, new, VERSUS, baseline=old)
    better = judged(tmp_path, old, VERSUS, baseline=new)
    assert (worse.exit_code, better.exit_code) == (1, 0)
    for up, down in zip(worse.verdicts, better.verdicts, strict=True):
        assert up.estimate == pytest.approx(-down.estimate, rel=1e-12)


@pytest.mark.parametrize("select", ["{}", '{ probe_set = "jobs" }', '{ axis = "gender" }'])
def test_a_probe_set_that_changed_or_is_gone_is_not_measured(tmp_path, select):
    """It is named with what differs; the others are judged."""
    old = records.record([records.jobs(), records.people()])
    changed = records.record([records.jobs(attribute="weaver"), records.people()])
    gone = records.record([records.people()])
    for new, told in ((changed, "items: "), (gone, "only in the older audit")):
        found = judged(tmp_path, new, {**VERSUS, "select": select}, baseline=old)
        by_name = {verdict.name: verdict for verdict in found.verdicts}
        lacking = next(one for one in found.verdicts if one.verdict == "not_measured")
        assert told in lacking.reason
        assert found.exit_code == 3
        assert ("gender/people" in by_name) == (select != '{ probe_set = "jobs" }')


def test_verdicts_that_are_written_come_back_the_same(tmp_path):
    """Beside the record, with numbers that there are not, waivers and the day."""
    found = judged(
        tmp_path, records.record(), {}, {"select": '{ axis = "x" }'}, waivers=waiver("2027-01-01")
    )
    assert verdicts.read(tmp_path) is None
    verdicts.write(found, tmp_path)
    back = verdicts.read(tmp_path)
    assert back.as_json() == found.as_json()
    assert back.verdicts[0] == found.verdicts[0]
    assert (back.judged, back.exit_code) == (TODAY, found.exit_code)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"record": 1, "policy": 1, "judged": null}'])
def test_verdicts_of_another_kind_are_refused(tmp_path, text):
    """By name, and with what to do."""
    (tmp_path / verdicts.FILE).write_text(text, "utf-8")
    with pytest.raises(InputError, match=r"cannot be read as verdicts .* judge again"):
        verdicts.read(tmp_path)


def test_what_could_not_be_scored_is_told(tmp_path):
    """A candidate that loses its worst sentences does not pass unseen."""
    whole, lost = records.record(), records.record(lost=9)
    assert not any("left out" in note for note in judged(tmp_path, whole, {}).notes)
    found = judged(tmp_path, lost, {}, VERSUS, baseline=whole)
    told = [note for note in found.notes if "are left out" in note]
    cells = sum(cell.probe_set == "jobs" for cell in lost.manifest.left_out)
    assert cells > 0
    assert any(note.startswith(f"jobs against reference: {cells} cells") for note in told)
    assert sum(note.startswith("jobs against") for note in told) == 2  # and the baseline


def lost_of(found, subject, probe_set, share):
    """The record with so many of a model's scores of a set lost, those that lean the most first."""
    items = found.items.loc[found.items["probe_set"] == probe_set, "item"].unique()
    gone = items[: int(len(items) * share)]
    rows = found.scores["item"].isin(gone) & (found.scores["model"] == subject)
    scores = found.scores.assign(
        value=found.scores["value"].where(~rows),
        status=found.scores["status"].where(~rows, "target_too_long"),
    )
    return replace(found, scores=scores)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, "pass"), (0.04, "pass"), (0.3, "inconclusive")]
)
def test_what_is_lost_does_not_pass(tmp_path, share, expected):
    """Against the reference and against an older version; a failure stays one."""
    whole = records.record()
    lost = lost_of(whole, "candidate", "jobs", share)
    gates = ({"margin": "9.0", "select": '{ probe_set = "jobs" }'},
             {**VERSUS, "margin": "9.0", "select": '{ probe_set = "jobs" }'})  # fmt: skip
    found = judged(tmp_path, lost, *gates, baseline=whole)
    assert [verdict.verdict for verdict in found.verdicts] == [expected] * 2
    strict = judged(tmp_path, lost, {"margin": "0.01", "select": '{ probe_set = "jobs" }'})
    assert strict.exit_code == 1


@pytest.mark.parametrize(
    "select",
    [
        '{ probe_set = ["jobs", "facts"] }',
        '{ probe_set = ["jobs", "people"], estimator = "lean", slice = ["attribute=nurse"] }',
        '{ probe_set = "jobs", slice = ["attribute=nurse", "attribute=nun"], estimator = "lean" }',
    ],
)
def test_a_set_that_is_named_has_every_number_that_is_named_beside_it(tmp_path, select):
    """Or is not measured: a slice of one of two sets does not speak for the other."""
    record = records.record()
    own = record.estimates
    gone = (own["probe_set"] == "people") & (own["slice"] == "attribute=nurse")
    lacking = replace(record, estimates=own[~gone].reset_index(drop=True))
    found = judged(tmp_path, lacking, {"select": select, "harm": '"up"', "margin": "99.0"})
    assert found.exit_code == 3
    assert {verdict.verdict for verdict in found.verdicts} == {"pass", "not_measured"}


@pytest.mark.parametrize("change", [{"axis": "sex"}, {"expect": "none"}])
@pytest.mark.parametrize("select", ["{}", '{ axis = "gender" }'])
def test_a_set_does_not_leave_a_gate_by_another_label(tmp_path, change, select):
    """What the older version says of it counts as well."""
    old = records.record()
    sets = old.manifest.probe_sets
    relabelled = {**sets, "people": {**manifests.plain(sets["people"]), **change}}
    new = replace(old, manifest=manifests.changed(old.manifest, probe_sets=relabelled))
    found = judged(tmp_path, new, {**VERSUS, "select": select}, baseline=old)
    lacking = [verdict for verdict in found.verdicts if verdict.verdict == "not_measured"]
    assert found.exit_code == 3
    assert [name in lacking[0].reason for name in change] == [True]


@pytest.mark.parametrize("estimate", [-0.001, 0.0, 1e-5, 1.1e-5, 0.01])
def test_a_magnitude_that_is_not_credibly_there_is_within_a_wide_bound(tmp_path, estimate):
    """Its logarithm would say nothing, and either way is up."""
    for harm in ("up", "either"):
        rows = squared_lean(estimator="association", estimate=estimate, std_error=0.01)
        asked = {"rule": '"bound"', "bound": "0.5", "select": '{ estimator = "association" }'}
        found = judged(tmp_path, of_rows(rows), {**asked, "harm": f'"{harm}"'})
        assert found.exit_code == 0


def test_an_infinite_number_is_no_number(tmp_path):
    """Neither as an estimate nor as its error."""
    for told in ({"estimate": -math.inf}, {"std_error": math.inf}):
        assert judged(tmp_path, of_rows(row(**told)), {}).exit_code == 3
