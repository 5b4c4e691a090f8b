"""Histories: what is read of a folder, how numbers become series, and what is said of them."""

import hashlib
import json
import math
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import typer
from scipy import stats
from typer.testing import CliRunner

from maskaudit.audit.cli.history import history as command
from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.estimating.names import CONTRAST
from maskaudit.audit.history import sequential, sequential_audits
from maskaudit.audit.history.series import (
    Audit,
    Chosen,
    History,
    Point,
    Series,
    as_json,
    judge,
    read,
)
from maskaudit.audit.judging import compare
from maskaudit.audit.recording import files, record, tables
from maskaudit.audit.recording.record import Record, load_record
from tests import manifests

METHOD = "probe_set:{set}|version:1|items:u|torch:{torch}|estimator:stereotype_contrast:log_odds"
MODEL = {"tokenizer": "t"}
START = datetime(2026, 1, 1, tzinfo=UTC)


def write(  # noqa: PLR0913 - one for each thing that may be otherwise
    runs,
    number,
    *,
    day=None,
    estimate=0.0,
    std_error=0.1,
    weights="w",
    reference="r",
    torch="2.13",
    draw="",
    sets=("jobs",),
    name="",
    candidate="student",
    numbered=True,
    expect="lean",
    v_frames=0.01,
):
    """Write the record of one audit, as an audit does, and return its folder."""
    created = START + timedelta(days=number if day is None else day)
    rows = [
        {
            "probe_set": probe_set,
            "axis": "gender",
            "slice": "contrast",
            "estimator": estimator,
            "mode": "corrected",
            "subject": subject,
            "estimate": estimate + shift,
            "low": estimate + shift - 0.2,
            "high": estimate + shift + 0.2,
            "std_error": std_error,
            "df": 12.0,
            "null_value": 0.0,
            "v_frames": v_frames,
            "n_frames": 20,
            "scope": "S2",
            "method": METHOD.format(set=probe_set, torch=torch),
        }
        for probe_set in sets
        for estimator in ("stereotype_contrast", "log_odds")
        for subject, shift in (("reference", 2.0), ("candidate", 2.0), ("difference", 0.0))
    ]
    manifest = {
        "format": record.FORMAT if numbered else 2,
        "created": created.isoformat(),
        "models": {
            "reference": {**MODEL, "name": "teacher", "weights": reference},
            "candidate": {**MODEL, "name": candidate, "weights": weights},
        },
        "probe_sets": {
            probe_set: {
                "title": f"Title of {probe_set}",
                "expect": expect,
                "items_digest": draw or "fixed",
                **({"grammar": {"universe": "u"}} if draw else {}),
            }
            for probe_set in sets
        },
        **({"number": number} if numbered else {}),
    }
    others = ("contexts", "items", "scores", "paired", "fills")
    whole = Record(
        manifests.manifest(**manifest),
        **{table: tables.table(table, []) for table in others},
        estimates=tables.table("estimates", rows),
    )
    final = runs / (name or f"{created:%Y%m%dT%H%M%S}Z-{number:04}")
    with files.unfinished(runs) as folder:
        record.seal(whole, folder / "0", final)
    return final


def versions(runs, estimates, **more):
    """Write one record for each version."""
    return [
        write(runs, n, estimate=estimate, weights=f"w{n}", **more)
        for n, estimate in enumerate(estimates, start=1)
    ]


def one_series(judgement, subject="difference"):
    """Return what was judged of one subject's only series."""
    [found] = [one for one in judgement.judged if one.series.subject == subject]
    return found


def reseal(folder):
    """Write the checksums of a record again, as somebody would who changed it on purpose."""
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(folder.iterdir())
        if path.name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")


def change_manifest(folder, **changed):
    """Change record.json and seal it again."""
    manifest = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(manifest | changed))
    reseal(folder)


# --- Reading --------------------------------------------------------------------------------------


def flip(folder, name):
    """Change one byte in the middle of a file."""
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(bytes(content))


def truncate(folder, name):
    """Keep the first half of a file."""
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])


def cut_and_seal(folder):
    """Keep the first half of the estimates and seal that."""
    truncate(folder, "estimates.parquet")
    reseal(folder)


DAMAGE = {
    "a byte of the estimates": (lambda f: flip(f, "estimates.parquet"), "changed since it was"),
    "a byte of record.json": (lambda f: flip(f, "record.json"), "changed since|not readable"),
    "truncated estimates": (lambda f: truncate(f, "estimates.parquet"), "changed since it was"),
    "truncated, sealed": (cut_and_seal, "not readable as a record"),
    "truncated record.json": (lambda f: truncate(f, "record.json"), "not readable as a record"),
    "newer format": (lambda f: change_manifest(f, format=99), "record format 99; this version"),
    "format no number": (lambda f: change_manifest(f, format="x"), "record format 'x'"),
    "half-written": (lambda f: (f / "record.json").unlink(), "half of one: it has no record.json"),
    "no estimates": (lambda f: (f / "estimates.parquet").unlink(), "estimates.parquet is missing"),
    "no checksums": (lambda f: (f / "SHA256SUMS").unlink(), "SHA256SUMS: cannot be read"),
    "a foreign record.json": (lambda f: (f / "record.json").write_text("[1]"), "not readable as"),
    "no models": (lambda f: change_manifest(f, models={}), "which models were audited"),
    "no time": (lambda f: change_manifest(f, created="soon"), "not readable as a record"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_cannot_be_read_is_named_with_its_reason_and_the_rest_is_read(tmp_path, damage):
    """One record of three is damaged."""
    folders = versions(tmp_path, [0.0, 0.1, 0.2])
    do, reason = DAMAGE[damage]
    do(folders[1])
    found = read(tmp_path)
    assert [audit.name for audit in found.audits] == [folders[0].name, folders[2].name]
    [skipped] = found.skipped
    assert skipped.name == folders[1].name
    assert re.search(reason, skipped.reason), skipped.reason


@pytest.mark.parametrize(
    "damage", [name for name in DAMAGE if name not in {"no models", "no time"}]
)
def test_what_a_history_leaves_out_is_refused_as_a_record_too(tmp_path, damage):
    """The light reading is no more lenient than the whole one."""
    [folder] = versions(tmp_path, [0.0])
    load_record(folder)
    DAMAGE[damage][0](folder)
    with pytest.raises(InputError):
        load_record(folder)


@pytest.mark.parametrize("value", [None, [], {}, "x", 1, {"candidate": None}, {"jobs": {}}])
def test_whatever_a_sealed_manifest_says_the_rest_is_read(tmp_path, value):
    """Every key in turn says something else: the record is read or left out, and nothing breaks."""
    [first, second] = versions(tmp_path, [0.0, 0.1])
    whole = json.loads((second / "record.json").read_text())
    for key in whole:
        change_manifest(second, **whole | {key: value})
        found = read(tmp_path)
        assert first.name in [audit.name for audit in found.audits]
        assert len(found.audits) + len(found.skipped) == 2
        json.dumps(as_json(judge(found)), allow_nan=False)


def test_nothing_but_two_files_of_a_record_is_read(tmp_path):
    """The scores may be gone: a history rests on the estimates."""
    [folder] = versions(tmp_path, [0.3])
    for name in ("scores", "items", "contexts", "fills", "paired"):
        (folder / f"{name}.parquet").unlink()
    found = one_series(judge(read(tmp_path))).series
    assert found.points[0].estimate == 0.3


def test_unfinished_and_other_things_in_the_folder_are_no_records(tmp_path):
    """A hidden folder, a page, a lock; a plain folder of somebody else is named."""
    folders = versions(tmp_path, [0.0, 0.1])
    shutil.copytree(folders[0], tmp_path / ".unfinished-x")
    (tmp_path / "history.html").write_text("")
    (tmp_path / "notes").mkdir()
    found = read(tmp_path)
    assert len(found.audits) == 2
    assert [one.name for one in found.skipped] == ["notes"]


def test_a_folder_without_any_record_is_not_judged(tmp_path):
    """And says what was in it."""
    with pytest.raises(NotJudgedError, match="holds no record that can be read"):
        read(tmp_path)
    (tmp_path / "notes").mkdir()
    with pytest.raises(NotJudgedError, match="notes: no record"):
        read(tmp_path)


def test_what_is_no_folder_of_runs_is_wrong_input(tmp_path):
    """Nothing there, a file, or a record itself."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(InputError, match="no folder of runs"):
            read(path)
    [folder] = versions(tmp_path / "runs", [0.0])
    with pytest.raises(InputError, match="is a record; expected the folder that records lie in"):
        read(folder)


# --- Order ----------------------------------------------------------------------------------------


def test_records_stand_in_the_order_of_writing_where_the_clock_went_backwards(tmp_path):
    """By their numbers, and the line says between which two."""
    days = [1, 5, 2, 6]
    folders = [write(tmp_path, n, day=day) for n, day in enumerate(days, start=1)]
    found = read(tmp_path)
    assert [audit.name for audit in found.audits] == [folder.name for folder in folders]
    assert found.clock == ((folders[1].name, folders[2].name),)
    assert [audit.name for audit in found.audits] == [
        path.name for path in record.manifests(tmp_path)
    ]


def test_records_older_than_numbers_stand_first_by_their_time(tmp_path):
    """Their clock cannot be doubted."""
    old = [write(tmp_path, 9, day=day, numbered=False, name=f"old{day}") for day in (4, 2)]
    new = write(tmp_path, 1, day=1)
    found = read(tmp_path)
    assert [a.name for a in found.audits] == [old[1].name, old[0].name, new.name]
    assert found.clock == ()


# --- Series ---------------------------------------------------------------------------------------


def test_numbers_of_unequal_methods_never_stand_in_one_series(tmp_path):
    """Another torch begins a new series that says so; going back goes on with the first."""
    for n, torch in enumerate(["2.13", "2.13", "2.14", "2.13"], start=1):
        write(tmp_path, n, torch=torch, weights=f"w{n}")
    first, second = [s for s in read(tmp_path).series if s.subject == "difference"]
    assert [point.audit.number for point in first.points] == [1, 2, 4]
    assert [point.audit.number for point in second.points] == [3]
    assert first.differs == ()
    assert second.differs == ("torch: 2.13, then 2.14",)


def test_by_default_there_are_the_contrasts_of_tested_sets(tmp_path):
    """Of the candidate and of the difference; a control only where it is asked for."""
    write(tmp_path, 1, sets=("jobs", "people"))
    write(tmp_path, 2, sets=("days",), expect="none")
    found = read(tmp_path).series
    assert {(s.probe_set, s.subject) for s in found} == {
        (name, subject) for name in ("jobs", "people") for subject in ("candidate", "difference")
    }
    assert {s.estimator for s in found} == {CONTRAST}
    asked = read(tmp_path, Chosen(probe_sets=("days",))).series
    assert {s.probe_set for s in asked} == {"days"}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Chosen(subjects=("reference",)), {("stereotype_contrast", "reference")}),
        (Chosen(estimators=("log_odds",)), {("log_odds", s) for s in
                                            ("reference", "candidate", "difference")}),
        (Chosen(slices=("contrast",), subjects=("candidate",)),
         {("stereotype_contrast", "candidate"), ("log_odds", "candidate")}),
    ],
)  # fmt: skip
def test_a_selection_chooses_by_column(tmp_path, chosen, expected):
    """What is not named is not restricted, but for the default."""
    write(tmp_path, 1)
    assert {(s.estimator, s.subject) for s in read(tmp_path, chosen).series} == expected


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (Chosen(probe_sets=("nobody",)), r"no probe_set 'nobody' \(there are: jobs\)"),
        (Chosen(slices=("nurse",)), r"no slice 'nurse' \(there are: contrast\)"),
        (Chosen(candidates=("x",)), r"no candidate x \(there are: student\)"),
        (Chosen(since="2027-01-01"), "of 1 records those since 2027-01-01"),
    ],
)
def test_an_empty_selection_is_not_judged_and_says_what_there_is(tmp_path, chosen, told):
    """It never ends with 0."""
    write(tmp_path, 1)
    with pytest.raises(NotJudgedError, match=told):
        read(tmp_path, chosen)


def test_since_a_record_or_a_date_leaves_out_what_is_older(tmp_path):
    """The baseline itself is left out, too."""
    folders = versions(tmp_path, [0.0, 0.1, 0.2])
    for since in (folders[0].name, str(folders[0]), "2026-01-02", "2026-01-02T12:00+00:00"):
        found = read(tmp_path, Chosen(since=since)).audits
        assert [audit.name for audit in found] == [folders[1].name, folders[2].name]
    with pytest.raises(InputError, match=r"neither a record in .* nor a date"):
        read(tmp_path, Chosen(since="yesterday"))


def test_one_candidate_of_several_may_be_chosen(tmp_path):
    """Where one folder holds the records of several models."""
    for n, name in enumerate(["a", "b", "a"], start=1):
        write(tmp_path, n, candidate=name, weights=f"w{n}")
    found = read(tmp_path, Chosen(candidates=("a",)))
    assert [audit.number for audit in found.audits] == [1, 3]


# --- Repeats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimate", "word"),
    [
        (0.5, "identical"),
        (0.500001, "within tolerance"),
        (0.51, "changed"),
        (math.nan, "changed"),
    ],
)
def test_the_same_weights_and_sentences_are_a_repeat_and_no_evidence(tmp_path, estimate, word):
    """Told as identical or not, by the tolerance of `audit.judging.compare`."""
    write(tmp_path, 1, estimate=0.5)
    write(tmp_path, 2, estimate=estimate)
    found = one_series(judge(read(tmp_path)))
    assert [point.repeat for point in found.series.points] == ["", word]
    assert (abs(estimate - 0.5) <= compare.TOLERANCE) == (word != "changed")
    assert len(found.series.fresh) == 1
    assert math.isnan(found.p[1])


def test_an_earlier_version_that_comes_back_is_a_repeat(tmp_path):
    """Its number, and its version, are those of the first time."""
    for n, weights in enumerate("aba", start=1):
        write(tmp_path, n, weights=weights)
    points = one_series(judge(read(tmp_path))).series.points
    assert [point.version for point in points] == [1, 2, 1]
    assert points[2].same_as == points[0].audit.name


def test_another_tokenizer_makes_another_version(tmp_path):
    """The same weights read other pieces."""
    folders = [write(tmp_path, n) for n in (1, 2)]
    models = json.loads((folders[1] / "record.json").read_text())["models"]
    models["candidate"]["tokenizer"] = "other"
    change_manifest(folders[1], models=models)
    points = one_series(judge(read(tmp_path))).series.points
    assert [point.version for point in points] == [1, 2]


# --- Versions -------------------------------------------------------------------------------------


def spent(p, alpha):
    """Return which p values alpha spending calls, in a loop."""
    return [value <= alpha * 6 / (math.pi**2 * k**2) for k, value in enumerate(p, start=1)]


def test_the_p_of_a_version_is_one_sided_and_its_own(tmp_path):
    """Student's t above the null value, by scipy; spent over the versions as they come."""
    estimates = [0.05, 0.5, -0.3, 0.2, 0.45]
    versions(tmp_path, estimates)
    made = judge(read(tmp_path), alpha=0.1)
    found = one_series(made)
    expected = [stats.t.sf(estimate / 0.1, 12) for estimate in estimates]
    np.testing.assert_allclose(found.p, expected, rtol=1e-10)
    assert list(found.worse) == spent(expected, 0.1)
    assert [alarm.record for alarm in made.alarms] == [
        point.audit.name for point, worse in zip(found.series.points, found.worse, strict=True)
        if worse
    ]  # fmt: skip
    assert one_series(made, "candidate").unjudged == "no difference"


def test_the_level_is_shared_by_the_numbers_that_are_judged(tmp_path):
    """Two sets, so each at half of it; the candidate's own series have no part."""
    versions(tmp_path, [0.25, 0.3], sets=("jobs", "people"))
    made = judge(read(tmp_path))
    assert made.alpha_each == 0.025
    p = [stats.t.sf(estimate / 0.1, 12) for estimate in (0.25, 0.3)]
    for one in made.judged:
        if one.series.subject == "difference":
            assert list(one.worse) == spent(p, 0.025)


def test_another_method_goes_on_spending(tmp_path):
    """A third version is the third, whatever torch it is audited with."""
    estimates = [0.0, 0.0, 0.24]
    for n, (estimate, torch) in enumerate(zip(estimates, "112", strict=True), start=1):
        write(tmp_path, n, estimate=estimate, torch=torch, weights=f"w{n}")
    made = judge(read(tmp_path))
    p = stats.t.sf(2.4, 12)
    assert 0.05 * 6 / math.pi**2 / 9 < p < 0.05 * 6 / math.pi**2
    assert made.alarms == ()
    assert made.alpha_each == 0.05


def test_versions_are_held_against_one_reference_or_not_at_all(tmp_path):
    """With another teacher the differences are about something else."""
    for n, reference in enumerate("rrs", start=1):
        write(tmp_path, n, estimate=5.0, weights=f"w{n}", reference=reference)
    made = judge(read(tmp_path))
    assert one_series(made).unjudged == "other references"
    assert made.alarms == ()
    since = read(tmp_path).audits[1].name
    assert len(judge(read(tmp_path, Chosen(since=since))).alarms) == 1


def test_a_number_without_a_harmful_direction_calls_nothing_worse(tmp_path):
    """The mean log-odds may rise or fall."""
    versions(tmp_path, [5.0, 5.0])
    made = judge(read(tmp_path, Chosen(estimators=("log_odds",))))
    assert {one.unjudged for one in made.judged} == {"no direction"}
    assert made.alarms == ()


@pytest.mark.parametrize(("estimate", "p"), [(0.0, 1.0), (0.1, 0.0), (-0.1, 1.0)])
def test_without_any_variance_the_point_is_all_there_is(tmp_path, estimate, p):
    """A model against its copy leans no further; anything above that does."""
    write(tmp_path, 1, estimate=estimate, std_error=0.0)
    assert one_series(judge(read(tmp_path))).p == (p,)


def test_a_number_without_an_interval_is_not_judged(tmp_path):
    """Too few frames: there is nothing to stand on."""
    versions(tmp_path, [9.0, 9.0], std_error=None)
    made = judge(read(tmp_path))
    assert one_series(made).unjudged == "no interval"
    assert made.alarms == ()


# --- Draws ----------------------------------------------------------------------------------------


def drawn(runs, estimates, **more):
    """Write one record for each draw of a grammar, all of one model."""
    return [
        write(runs, n, estimate=estimate, draw=f"draw {n}", **more)
        for n, estimate in enumerate(estimates, start=1)
    ]


def test_draws_join_the_sequence_of_weekly_audits(tmp_path):
    """The same numbers as `audit.history.sequential_audits.weekly` from the whole records."""
    folders = drawn(tmp_path, [0.1, 0.2, 0.15, 0.3])
    found = one_series(judge(read(tmp_path)))
    whole = [load_record(folder) for folder in folders]
    expected = sequential_audits.weekly(whole, "jobs", subject="difference")
    assert found.weekly.records == expected.records
    for name in ("mean", "low", "high"):
        np.testing.assert_allclose(
            getattr(found.weekly.sequence, name), getattr(expected.sequence, name), rtol=1e-12
        )
    np.testing.assert_allclose(found.weekly.p, expected.p, rtol=1e-12)
    assert all(math.isnan(p) for p in found.p)


def test_the_newest_model_alone_is_watched_since_it_came(tmp_path):
    """Another model begins the sequence again; a draw that was there before brings nothing."""
    for n, (weights, draw) in enumerate(
        [("a", "1"), ("a", "2"), ("b", "3"), ("b", "4"), ("b", "4")], start=1
    ):
        write(tmp_path, n, weights=weights, draw=draw)
    found = one_series(judge(read(tmp_path)))
    assert len(found.weekly.records) == 2
    assert found.weekly.records == tuple(p.audit.name for p in found.series.points[2:4])
    assert found.series.points[4].repeat == "identical"


def test_an_alarm_is_a_sequence_above_its_limit_and_not_below(tmp_path):
    """The first draw whose lower limit is above it."""
    drawn(tmp_path / "up", [1.0] * 5)
    made = judge(read(tmp_path / "up"))
    found = one_series(made)
    assert found.weekly.alarm is not None
    assert [a.record for a in made.alarms] == [found.weekly.records[found.weekly.alarm]]
    drawn(tmp_path / "down", [-1.0] * 5)
    made = judge(read(tmp_path / "down"))
    assert one_series(made).weekly.alarm is not None
    assert made.alarms == ()
    alone = read(tmp_path / "up", Chosen(subjects=("difference",)))
    assert judge(alone, limit=2.0).alarms == ()


def test_one_models_own_lean_has_no_limit_unless_one_is_given(tmp_path):
    """Zero is no norm for a model by itself."""
    drawn(tmp_path, [1.0] * 5)
    chosen = read(tmp_path, Chosen(subjects=("candidate",)))
    assert one_series(judge(chosen), "candidate").unjudged == "no limit"
    assert len(judge(chosen, limit=2.5).alarms) == 1
    assert len(judge(chosen, limit=3.5).alarms) == 0


# --- Change points --------------------------------------------------------------------------------


def test_a_change_point_rests_on_new_evidence_alone(tmp_path):
    """Repeats of one version would make its level look certain; it is no alarm."""
    estimates = [0.0, 0.02, 0.01, 0.03, 0.0, -0.5, -0.52, -0.51, -0.5, -0.53]
    for n, estimate in enumerate(estimates):
        for again in range(2):
            write(tmp_path, 2 * n + again + 1, estimate=estimate, weights=f"w{n}")
    made = judge(read(tmp_path))
    found = one_series(made)
    assert [point.estimate for point in found.series.fresh] == estimates
    assert found.change.place == 5
    assert found.change.p < 0.05
    assert found.change.step == pytest.approx(-0.512 - 0.012)
    assert made.alarms == ()


def test_seven_versions_are_too_few_for_a_change_point(tmp_path):
    """However often each was audited."""
    for n in range(14):
        write(tmp_path, n + 1, estimate=float(n > 6), weights=f"w{n // 2}")
    assert one_series(judge(read(tmp_path))).change is None


# --- All of it at once ----------------------------------------------------------------------------


def made_up(rng, n_sets=3, n_versions=10):
    """Return a history of versions that lean no further; each set has its own noise for all."""
    audits = [
        Audit(
            f"record {k}",
            START + timedelta(days=k),
            k + 1,
            {
                "reference": manifests.identity(weights="r"),
                "candidate": manifests.identity(weights=f"w{k}"),
            },
            {},
        )
        for k in range(n_versions)
    ]
    names = ("axis", "slice", "estimator", "mode", "subject", "method", "scope", "title")
    texts = dict.fromkeys(names, "") | {"estimator": CONTRAST, "subject": "difference"}
    series = []
    for place in range(n_sets):
        # What the sentences do to all versions alike is most of the noise.
        values = 0.8 * rng.normal() + 0.6 * rng.normal(size=n_versions)
        points = tuple(
            Point(audit, value, 0, 0, 1.0, 1e6, 0.0, 0.0, 20, "draw", k + 1)
            for k, (audit, value) in enumerate(zip(audits, values, strict=True))
        )
        series.append(Series(f"set {place}", **texts, is_drawn=False, points=points))
    return History(Path("runs"), tuple(audits), (), (), tuple(series))


def test_a_folder_in_which_nothing_is_worse_has_an_alarm_in_at_most_one_of_twenty():
    """Three sets, ten versions, and noise that versions share; nothing of it is independent."""
    rng = np.random.default_rng(11)
    repetitions = 1000
    found = np.mean([bool(judge(made_up(rng)).alarms) for _ in range(repetitions)])
    assert found <= 0.05 + 3.3 * math.sqrt(0.05 * 0.95 / repetitions)


def test_the_plain_form_is_json_that_anybody_reads(tmp_path):
    """Unknown numbers are null; nothing is lost."""
    versions(tmp_path, [0.5] * 9, sets=("jobs", "people"))
    write(tmp_path, 10, estimate=math.nan, weights="x", sets=("jobs", "people"))
    (tmp_path / "notes").mkdir()
    made = judge(read(tmp_path))
    told = json.loads(json.dumps(as_json(made), allow_nan=False))
    assert len(told["records"]) == 10
    assert [one["record"] for one in told["skipped"]] == ["notes"]
    jobs = next(
        s for s in told["series"] if (s["probe_set"], s["subject"]) == ("jobs", "difference")
    )
    assert [point["estimate"] for point in jobs["points"]] == [0.5] * 9 + [None]
    assert [p["worse"] for p in jobs["points"]][:9] == [True] * 9
    assert jobs["change"]["p"] == 1.0
    assert len(told["alarms"]) == 18
    assert told["alpha_each"] == sequential.ALPHA / 2


# --- The command ----------------------------------------------------------------------------------


def run(*arguments):
    """Run the command as the command line does, and return what came of it."""
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_prints_a_table_and_names_on_standard_error_what_it_left_out(tmp_path):
    """Alarms stand there, too, and change nothing unless they are asked to."""
    folders = versions(tmp_path, [1.0, 1.1])
    (tmp_path / "notes").mkdir()
    found = run(tmp_path)
    assert found.exit_code == 0, found.exception
    assert all(folder.name in found.stdout for folder in folders)
    assert "notes: left out: no record" in found.stderr
    assert "alarm: Title of jobs" in found.stderr
    assert run(tmp_path, "--fail-on-alarm").exit_code == 1
    assert run(tmp_path, "--fail-on-alarm", "--subject", "candidate").exit_code == 0


def test_json_stands_alone_on_standard_output(tmp_path):
    """All that is for people is on standard error."""
    versions(tmp_path, [1.0, 1.1])
    found = run(tmp_path, "--json")
    assert json.loads(found.stdout)["series"]
    assert "alarm" in found.stderr


def test_the_page_is_written_and_its_path_printed(tmp_path):
    """Beside the JSON where both are asked for."""
    versions(tmp_path / "runs", [0.1] * 3)
    page = tmp_path / "history.html"
    assert run(tmp_path / "runs", "-o", page).stdout == f"{page}\n"
    assert page.read_text("utf-8").startswith("<!doctype html>")
    page.unlink()
    assert json.loads(run(tmp_path / "runs", "-o", page, "--json").stdout)
    assert page.is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["none"], 2, "no folder of runs"),
        (["empty"], 3, "holds no record"),
        (["runs", "--probe-set", "x"], 3, "nothing in its records"),
        (["runs", "--limit", "0.5"], 2, "name one --subject"),
        (["runs", "-o", "none/history.html"], 74, "cannot write"),
    ],
)
def test_what_the_command_cannot_do_has_its_own_exit_code(tmp_path, arguments, code, told):
    """2 for wrong input, 3 where there is nothing to judge, 74 where it cannot write."""
    (tmp_path / "empty").mkdir()
    versions(tmp_path / "runs", [0.1])
    places = [str(tmp_path / a) if a[0] in "ner" else a for a in arguments]
    found = run(*[tmp_path / "none/history.html" if "history" in a else a for a in places])
    assert getattr(found.exception, "exit_code", found.exit_code) == code
    assert told in str(found.exception)
