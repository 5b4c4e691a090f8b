"""The first version in which a lean is credible: the chains of tests, and what is refused."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.history import onset
from maskaudit.audit.history.onset import Asked, bisect
from maskaudit.audit.judging.comparing.versions import versions
from maskaudit.reports.terminal import onset as words
from tests.reports import records

CONTRAST = "stereotype_contrast"


def version(name, lean, seed, *, reference=None, sets=None):
    """Return the record of a candidate of this name that leans so far, with weights of its own."""
    made = records.record(sets, reference=reference, candidate=lean, seed=seed, noise=0.3)
    models = {
        subject: model.model_copy(
            update={"name": f"models/{name}", "weights": f"weights of {name}"}
            if subject == "candidate"
            else {}
        )
        for subject, model in made.manifest.models.items()
    }
    manifest = made.manifest.model_copy(update={"models": models})
    return replace(made, manifest=manifest, path=Path(f"record-of-{name}"))


JOBS = [records.jobs()]
LEANS = {"v1": 0.0, "v2": 0.05, "v3": 0.12, "v4": 0.9, "v5": 1.0}


_SERIES = []


@pytest.fixture(scope="module")
def series():
    """Return five versions, of which the fourth leans far further than those before it."""
    _SERIES[:] = [version(name, lean, i, sets=JOBS) for i, (name, lean) in enumerate(LEANS.items())]
    return _SERIES


def rows(estimates, subject):
    """Return the only contrast of a subject."""
    [row] = estimates[
        (estimates["estimator"] == CONTRAST) & (estimates["subject"] == subject)
    ].to_dict("records")
    return row


def p_more(row):
    """Return the one-sided p value against 0, by scipy's distribution."""
    return stats.t.sf(row["estimate"] / row["std_error"], row["df"])


@cache
def difference(old, new):
    """Return the paired change from one of `LEANS` to another."""
    return rows(versions(_SERIES[old], _SERIES[new]).estimates, "difference")


def slowly(order, *, change):
    """Return the first version and how many are below it, by loops over every pair."""
    level = 0.05 / (2 * (len(order) - 1) if change else len(order))
    for k in range(1 if change else 0, len(order)):
        if change:
            row = difference(order[0], order[k])
            p, sign = min((p_more({**row, "estimate": s * row["estimate"]}), s) for s in (1, -1))
        else:
            p, sign = p_more(rows(_SERIES[order[k]].estimates, "candidate")), 1
        if p <= level:
            below = 0
            for i in range(k):
                row = difference(order[i], order[k])
                if p_more({**row, "estimate": sign * row["estimate"]}) > level:
                    break
                below += 1
            return k, below
    return None, 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "change"),
    [((0, 1, 2, 3), False), ((0, 2, 3), True), ((4, 0), True), ((1, 2), False)],
)
def test_the_answer_is_that_of_loops_over_all_pairs(series, order, change):
    """Levels by hand, p values by scipy's t distribution, differences by `versions`."""
    chosen = [series[i] for i in order]
    [found] = bisect(chosen, Asked(change=change)).onsets
    assert (found.first, found.before) == slowly(order, change=change)


@pytest.mark.slow
def test_the_words_name_the_versions_between_which_it_came_in(series):
    """The table has every version, and JSON the same answer by record."""
    names = ("v1", "v3", "v4")
    chosen = [series[list(LEANS).index(name)] for name in names]
    bisected = bisect(chosen, Asked(change=True))
    [found] = bisected.onsets
    assert (found.first, found.sign) == (2, 1)
    said = words.text(bisected)
    assert "First credibly changed in v4" in said
    assert "It came in between" in said
    plain = words.as_json(bisected)["contrasts"][0]
    assert plain["first"] == "record-of-v4"
    assert [number["record"] for number in plain["numbers"]] == [
        f"record-of-{name}" for name in names
    ]


def test_the_words_follow_from_what_is_shown_of_each_version():
    """Those between the last that is below and the first are unclear, and no others."""
    number = onset.Number(0.4, 0.2, 0.6, 0.0001)
    found = onset.Onset(
        "jobs", "contrast", "corrected", "Jobs", (number,) * 5, (False, False, False, True, False),
        first=3, before=1,
    )  # fmt: skip
    names = ("v1", "v2", "v3", "v4", "v5")
    bisected = onset.Bisected(Asked(), names, names, (found,), 0.01, (), ())
    # A lean may have been there before, and too small to be seen.
    assert words.sentence(bisected, found).endswith(
        "It is credibly larger in v4 than in v1: v2 and v3 are unclear."
    )
    changed = replace(bisected, asked=Asked(change=True))
    assert words.sentence(changed, found).endswith(
        "It came in between v1 and v4: v2 and v3 are unclear."
    )
    states = [n["state"] for n in words.as_json(bisected)["contrasts"][0]["numbers"]]
    assert states == ["credibly lower", "unclear", "unclear", "first credible", "not shown"]
    at_once = replace(found, before=0)
    assert "None of the 3 versions before it is shown" in words.sentence(bisected, at_once)
    assert "from the start" in words.sentence(bisected, replace(found, first=0, before=0))
    assert "does not show" in words.sentence(bisected, replace(found, first=None))


@pytest.mark.slow
def test_the_same_change_backwards_has_the_other_sign(series):
    """From the last to the first version the lean falls, at the same distance."""
    [found] = bisect([series[3], series[0]], Asked(change=True)).onsets
    [forwards] = bisect([series[0], series[3]], Asked(change=True)).onsets
    assert (found.sign, forwards.sign) == (-1, 1)
    assert found.numbers[1].estimate == pytest.approx(-forwards.numbers[1].estimate)
    assert found.numbers[1].p == pytest.approx(forwards.numbers[1].p)


@pytest.mark.slow
def test_a_limit_beyond_every_lean_names_no_version_and_a_repeat_is_left_out(series):
    """That nothing is shown is no proof, and the words say so."""
    again = version("v5", LEANS["v5"], 4, sets=JOBS)
    bisected = bisect([*series[3:], again], Asked(limit=50.0))
    assert not bisected.found
    assert len(bisected.repeats) == 1
    assert "does not show that none leans" in words.text(bisected)
    assert "the same model as" in words.notes(bisected)[0]


@pytest.mark.slow
def test_what_cannot_be_compared_is_refused_by_name(series):
    """One version alone, an unknown set, sentences of another kind, and another reference."""
    with pytest.raises(InputError, match="at least 2"):
        bisect(series[:1])
    with pytest.raises(InputError, match="'none': is in no record; expected one of jobs"):
        bisect(series, Asked(probe_sets=("none",)))
    other = version("v6", 0.1, 6, sets=[records.jobs(frames=5)])
    with pytest.raises(NotJudgedError, match="measured it in another way: items"):
        bisect([series[0], other])
    first = version("a", 0.1, 1, reference=0.5, sets=JOBS)
    second = version("b", 0.1, 2, reference=0.5, sets=JOBS)
    identities = dict(second.manifest.models)
    identities["reference"] = identities["reference"].model_copy(update={"weights": "others"})
    moved = replace(second, manifest=second.manifest.model_copy(update={"models": identities}))
    assert bisect([first, second], Asked("difference")).onsets
    with pytest.raises(NotJudgedError, match="the reference is not the same"):
        bisect([first, moved], Asked("difference"))


class _Drawn:
    """Versions that are drawn: each number has an error of its own and one that all share."""

    def __init__(self, truth, rng):
        self.values = truth + rng.normal(0, 0.3, len(truth)) + rng.normal(0, 1)

    def change(self, _line, old, new):
        """The paired difference, in which the shared error cancels."""
        return row(self.values[new] - self.values[old], 0.3 * np.sqrt(2))


def row(estimate, std_error):
    """Return what is read of a row of estimates."""
    ends = {"low": estimate - 1, "high": estimate + 1}
    return {"estimate": estimate, "std_error": std_error, "df": 1e9, **ends}


@pytest.mark.parametrize("change", [False, True])
def test_one_run_in_twenty_at_most_makes_any_false_statement(monkeypatch, change):
    """Two contrasts of five versions: three alike, then a step; drawn 1,000 times."""
    truth = np.array([0.0, 0.0, 0.0, 1.5, 1.5])
    rng = np.random.default_rng(1)
    plain = type("Plain", (), {"title": ""})
    probe_sets = {"set": plain}
    monkeypatch.setattr(onset, "_rows", lambda record, _asked: {("set", "", ""): record.row})
    wrong, right = 0, 0
    for _ in range(1000):
        is_wrong = False
        for _ in range(2):
            drawn = _Drawn(truth, rng)
            manifest = type("M", (), {"probe_sets": probe_sets})
            made = [
                type("R", (), {"row": row(v, np.hypot(1, 0.3)), "manifest": manifest})
                for v in drawn.values
            ]
            alpha_each = 0.05 / (2 * (8 if change else 5))
            found = onset._onset(("set", "", ""), made, drawn, Asked(change=change), alpha_each)
            is_wrong |= any(found.shown[:3]) or found.before > 3 or found.sign < 0
            right += found.first == 3 and found.before == 3
        wrong += is_wrong
    assert wrong / 1000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)
    assert right > 0
