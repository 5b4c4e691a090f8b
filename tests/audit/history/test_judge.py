"""What is said of series: versions called worse, draws above a limit, and change points."""

import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.history import sequential_audits
from maskaudit.audit.history.judge import judge
from maskaudit.audit.history.read import Chosen, read
from maskaudit.audit.history.series import Audit, History, Point, Series
from maskaudit.audit.recording.record import load_record
from tests import manifests
from tests.audit.history.folders import START, drawn, one_series, versions, write

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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_change_point_rests_on_new_evidence_alone(tmp_path):
    """Repeats of one version would make its level look certain; it is no alarm."""
    estimates = [0.0, 0.02, 0.01, 0.03, 0.0, 0.0, -0.5, -0.52, -0.51, -0.5, -0.53, -0.52, -0.52]
    for n, estimate in enumerate(estimates):
        for again in range(2):
            write(tmp_path, 2 * n + again + 1, estimate=estimate, weights=f"w{n}")
    made = judge(read(tmp_path))
    found = one_series(made)
    assert [point.estimate for point in found.series.fresh] == estimates
    assert found.change.place == 6
    assert found.change.p < 0.05
    assert found.change.step == pytest.approx(-3.6 / 7 - 0.01)
    assert made.alarms == ()


@pytest.mark.slow
def test_eleven_versions_are_too_few_for_a_change_point(tmp_path):
    """However often each was audited."""
    for n in range(22):
        write(tmp_path, n + 1, estimate=float(n > 10), weights=f"w{n // 2}")
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
    texts = dict.fromkeys(names, "") | {
        "estimator": CONTRAST,
        "subject": "difference",
        "slice": "contrast",
    }
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


@pytest.mark.slow
def test_a_folder_in_which_nothing_is_worse_has_an_alarm_in_at_most_one_of_twenty():
    """Three sets, ten versions, and noise that versions share; nothing of it is independent."""
    rng = np.random.default_rng(11)
    repetitions = 1000
    found = np.mean([bool(judge(made_up(rng)).alarms) for _ in range(repetitions)])
    assert found <= 0.05 + 3.3 * math.sqrt(0.05 * 0.95 / repetitions)
