"""A claim may have to hold in so many styles of sentence, each by itself."""

import json
import math
from dataclasses import replace
from datetime import date
from itertools import combinations

import numpy as np
import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.statistics.multiplicity import partial_conjunction
from maskaudit.audit.judging import decision, policy, verdicts
from maskaudit.audit.judging.deciding import in_styles
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.judging.policy import Gate
from maskaudit.audit.judging.select import judged_numbers
from maskaudit.audit.judging.verdicts import Verdict
from maskaudit.audit.recording.rows import tables
from maskaudit.reports.words import verdicts as worded
from tests import manifests, softened
from tests.reports import records

TODAY = date(2026, 11, 23)
FIVE = [(0.0, 0.05, 8.0), (0.05, 0.06, 9.0), (-0.1, 0.05, 8.0), (0.1, 0.04, 7.0), (0.6, 0.1, 9.0)]


def gate(**told):
    """A gate of this rule and count."""
    limit = "bound" if told.get("rule") == "bound" else "margin"
    return Gate.model_validate(
        {"id": "a", "rule": "versus_baseline", "reason": "r", limit: 0.3, **told}
    )


def of_styles(styles, margin=0.3, best_of=1, **told):
    """The decision on these styles."""
    harm = told.pop("harm", "up")
    number = Verdict("a", "n", "", "fail", "inconclusive", "", harm=harm, margin=margin)
    return in_styles.of_styles(replace(number, best_of=best_of), gate(harm=harm, **told), styles)


@pytest.mark.parametrize("least", [1, 2, 4, 5])
def test_the_p_of_a_partial_conjunction_is_the_largest_of_all_it_consists_of(least):
    """As it is defined: at least n - least + 1 nulls hold, whichever, each set by Simes' test."""
    rng = np.random.default_rng(least)
    for _ in range(50):
        p = rng.random(5) ** 3
        simes = [
            min(len(own) * value / rank for rank, value in enumerate(sorted(own), 1))
            for own in combinations(p.tolist(), 5 - least + 1)
        ]
        assert partial_conjunction(p, least) == pytest.approx(max(simes), rel=1e-12)


def test_a_p_that_is_unknown_shows_nothing():
    """It is counted as one of 1."""
    assert partial_conjunction(np.array([0.01, 0.02, np.nan]), 2) == pytest.approx(0.04)
    assert partial_conjunction(np.array([0.01, 0.02, np.nan]), 3) == 1


@pytest.mark.parametrize("harm", ["up", "down", "either"])
@pytest.mark.parametrize("best_of", [1, 5])
@pytest.mark.parametrize("number", [(0.1, 0.1, 9.0), (-0.2, 0.05, 9.0), (0.4, 0.1, 9.0)])
def test_one_style_of_one_is_judged_as_any_number(number, best_of, harm):
    """By the same words and p, and by the same bounds where harm has one direction."""
    found = of_styles([number], harm=harm, best_of=best_of, holds_in=1).decision
    alone = decision.change(*number, 0.3, harm, best_of)
    assert (found.word, found.p) == (alone.word, pytest.approx(alone.p))
    if harm != "either":
        # Of a change upwards the lower bound is the one that a failure rests on.
        assert (found.low, found.high) == pytest.approx((alone.low, alone.high))


@pytest.mark.parametrize("harm", ["up", "down", "either"])
def test_a_level_in_one_style_of_one_is_judged_as_any_level(harm):
    """Inside the bound, outside, and in doubt."""
    bound = -0.3 if harm == "down" else 0.3
    for estimate in (-0.7, -0.3, 0.0, 0.3, 0.7):
        number = (estimate, 0.1, 9.0)
        found = of_styles([number], bound, rule="bound", harm=harm, holds_in=1).decision
        alone = decision.level(*number, bound, harm)
        assert (found.word, found.p) == (alone.word, pytest.approx(alone.p))


@pytest.mark.parametrize("least", [1, 3, 4, 5])
@pytest.mark.parametrize("harm", ["up", "either"])
def test_the_bounds_are_where_verdicts_change(harm, least):
    """A margin just above the upper bound passes, one just below does not; a fail is above 0."""
    found = of_styles(FIVE, harm=harm, holds_in=least)
    high = found.decision.high
    for margin, word in ((high + 1e-6, "pass"), (high - 1e-6, "not")):
        again = of_styles(FIVE, margin, harm=harm, holds_in=least).decision.word
        assert (again == "pass") == (word == "pass")
    assert (found.decision.p < 0.05) == (found.decision.low > 0)
    assert found.decision.low <= found.estimate <= high


def test_moving_every_style_moves_the_lower_bound_as_far():
    """It is where the test of harm just rejects."""
    low = of_styles(FIVE, holds_in=3).decision.low
    moved = [(estimate - low, *rest) for estimate, *rest in FIVE]
    assert of_styles(moved, holds_in=3).decision.p == pytest.approx(0.05)


def test_the_direction_of_harm_and_the_order_of_styles_decide_nothing_else():
    """Of turned styles harm is down, with turned bounds."""
    found = of_styles(FIVE, holds_in=4)
    turned = of_styles([(-one, *rest) for one, *rest in FIVE[::-1]], harm="down", holds_in=4)
    assert turned.decision.word == found.decision.word
    assert turned.decision.p == pytest.approx(found.decision.p)
    assert turned.estimate == pytest.approx(-found.estimate)
    assert turned.decision.low == pytest.approx(-found.decision.high)
    assert turned.decision.high == pytest.approx(-found.decision.low)


@pytest.mark.parametrize(
    ("worse", "least", "word"),
    [
        (0, 4, "pass"),
        (1, 4, "pass"),
        (1, 5, "fail"),
        (2, 4, "fail"),
        (2, 3, "pass"),
        (5, 1, "fail"),
    ],
)
def test_it_holds_in_so_many_or_is_violated_in_more_than_the_others(worse, least, word):
    """Of five styles some are worse by far more than the margin, the others unchanged."""
    styles = [(1.0, 0.05, 9.0)] * worse + [(0.0, 0.05, 9.0)] * (5 - worse)
    assert of_styles(styles, holds_in=least).decision.word == word


def test_what_shows_neither_is_inconclusive():
    """A second style of five may be harmful or not."""
    styles = [(1.0, 0.05, 9.0), (0.1, 0.2, 9.0)] + [(0.0, 0.05, 9.0)] * 3
    assert of_styles(styles, holds_in=4).decision.word == "inconclusive"


def test_a_style_that_says_nothing_counts_for_neither():
    """Four of five can be shown by four, and five cannot; the unknown one is no harm."""
    styles = [(0.0, 0.02, 9.0)] * 4 + [(math.nan, math.nan, math.nan)]
    assert of_styles(styles, holds_in=4).decision.word == "pass"
    whole = of_styles(styles, holds_in=5)
    assert (whole.decision.word, whole.decision.high) == ("inconclusive", math.inf)


def test_equal_models_pass_in_every_style():
    """Without any error."""
    found = of_styles([(0.0, 0.0, math.nan)] * 5, holds_in=5).decision
    assert (found.word, found.low, found.high) == ("pass", 0, 0)


# --- On records -----------------------------------------------------------------------------------


def policy_of(tmp_path, more="", margin=0.3, rule="non_inferiority"):
    """A policy of one gate."""
    path = tmp_path / "gates.toml"
    path.write_text(
        f'[[gate]]\nid = "a"\nrule = "{rule}"\nmargin = {margin}\nreason = "r"\n{more}', "utf-8"
    )
    return policy.read(path)


def record_of(styles, **told):
    """A record with a contrast and, in styles of these names, with these changes."""
    common = {
        "probe_set": "jobs", "axis": "gender", "mode": "corrected", "subject": "difference",
        "std_error": 0.02, "df": 9.0, "v_frames": 2e-4, "n_frames": 40, "estimate": 0.0, **told,
    }  # fmt: skip
    rows = [{**common, "slice": "contrast", "estimator": "stereotype_contrast"}]
    rows += [
        {**common, "slice": f"style={name}", "estimator": "style_contrast", "estimate": change}
        for name, change in styles.items()
    ]
    found = records.record()
    sets = {"jobs": found.manifest.probe_sets["jobs"]}
    manifest = manifests.changed(found.manifest, probe_sets=sets)
    return replace(found, manifest=manifest, estimates=tables.table("estimates", rows))


def one(tmp_path, record, more="", **told):
    """The only verdict."""
    [verdict] = judge(record, policy_of(tmp_path, more, **told), today=TODAY).verdicts
    return verdict


@pytest.mark.slow
@pytest.mark.parametrize(
    ("worse", "word", "told"),
    [
        (1, "pass", "Credibly below the margin in at least 4 of 5 styles."),
        (2, "fail", "Worse, credibly by more than the margin in at least 2 of 5 styles."),
    ],
)
def test_a_record_is_judged_by_its_styles(tmp_path, worse, word, told):
    """Not by their average, which has no change; words and JSON say so."""
    record = record_of({name: 0.9 if i < worse else 0.0 for i, name in enumerate("abcde")})
    judgement = judge(record, policy_of(tmp_path, "holds_in = 4\n"), today=TODAY)
    [verdict] = judgement.verdicts
    assert (verdict.name, verdict.verdict) == ("gender/jobs", word)
    assert (verdict.holds_in, verdict.n_styles) == (4, 5)
    row = worded.row(verdict)
    assert row.reason == told
    assert row.margin == "margin 0.30 nats in 4 of 5 styles against reference"
    assert json.loads(json.dumps(judgement.as_json()))["verdicts"][0]["holds_in"] == 4
    verdicts.write(judgement, tmp_path)
    assert verdicts.read(tmp_path).verdicts[0].n_styles == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("styles", "told"),
    [
        ((), "its frames name no styles, so holds_in = 4 has nothing to count"),
        (("a", "b"), "its frames are of 2 styles, and holds_in = 4 takes as many"),
    ],
)
def test_a_set_without_so_many_styles_is_not_measured(tmp_path, styles, told):
    """It cannot pass in silence, and one line says why."""
    verdict = one(tmp_path, record_of(dict.fromkeys(styles, 0.0)), "holds_in = 4\n")
    assert verdict.verdict == "not_measured"
    assert verdict.reason.startswith(told)


@pytest.mark.slow
def test_the_styles_are_numbers_that_a_gate_rests_on(tmp_path):
    """So that they are made again before a record is judged; a gate of averages needs none."""
    manifest = record_of({}).manifest
    counted, plain = (
        judged_numbers(policy_of(tmp_path, more), manifest).names for more in ("holds_in = 4\n", "")
    )
    assert counted - plain == {"style_contrast"}


@pytest.mark.slow
@pytest.mark.parametrize(("tested", "word"), [(0.7, "inconclusive"), (0.4, "pass")])
def test_a_softer_student_has_to_hold_beyond_sharpness_in_as_many_styles(tmp_path, tested, word):
    """Only softened it does not pass; leaning less than that explains, it does."""
    factors = {softened.TESTED: tested, **dict.fromkeys(softened.BENIGN, 0.7)}
    record = softened.students(factors, styles=("a", "b", "c"))
    verdict = one(tmp_path, record, "holds_in = 2\n", margin=0.2)
    assert verdict.verdict == word
    assert "less sure of itself (benign associations 0.70 times as large)" in verdict.reason
    if word == "pass":
        # C_S / k - C_T in each style, by loops; the second of three from the least harm.
        value = record.scores.merge(record.items, on="item")
        value = value[(value["probe_set"] == softened.TESTED) & (value["role"] == "probe")]
        means = value.groupby(["style", "model", "class", "group"])["value"].mean()
        leans = means.xs("women", level="group") - means.xs("men", level="group")
        contrasts = leans.xs("first", level="class") - leans.xs("second", level="class")
        beyond = sorted(
            contrasts[name, "candidate"] / 0.7 - contrasts[name, "reference"] for name in "abc"
        )
        assert f"beyond sharpness, \u2212{-beyond[1]:.2f} (" in verdict.reason


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"holds_in": 0}, "holds_in"),
        ({"holds_in": 4, "select": {"estimator": "magnitude"}}, "no effect on 'magnitude'"),
        ({"holds_in": 4, "rule": "no_worse_than_world"}, "no effect in the rule"),
    ],
)
def test_a_fault_of_the_key_is_told(told, message):
    """A count of none, another number, and a rule about another number."""
    with pytest.raises(ValueError, match=message):
        gate(**told)


def test_a_file_with_a_fault_is_refused_in_one_line(tmp_path):
    """As of any other key."""
    with pytest.raises(InputError, match="holds_in"):
        policy_of(tmp_path, "holds_in = 'four'\n")
