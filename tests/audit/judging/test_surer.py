"""A pass that a candidate owes to being less sure of itself is none."""

from dataclasses import replace
from datetime import date

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.judging import policy, surer
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.judging.select import judged_numbers
from maskaudit.audit.verifying.recomputed import recompute
from tests import softened
from tests.softened import BENIGN, TESTED

IGNORED = 'sharpness = "ignore"\nsharpness_reason = "only nats count here"\n'
GATE = """
[[gate]]
id = "a"
rule = "non_inferiority"
margin = {margin}
reason = "a test"
"""


def read(tmp_path, more="", margin=0.2):
    """A policy of one gate, with more lines of it."""
    path = tmp_path / "gates.toml"
    path.write_text(GATE.format(margin=margin) + more, "utf-8")
    return policy.read(path)


def judged(tmp_path, record, more="", margin=0.2):
    """The judgement by one gate."""
    return judge(record, read(tmp_path, more, margin), today=date(2026, 11, 23))


def one(tmp_path, record, more="", margin=0.2):
    """The only verdict."""
    [verdict] = judged(tmp_path, record, more, margin).verdicts
    return verdict


def all_times(factor, tested=None):
    """Every set's factor, and that of the tested set if it has its own."""
    return {TESTED: factor if tested is None else tested, **dict.fromkeys(BENIGN, factor)}


@pytest.mark.parametrize("margin", [0.01, 0.2, 2.0])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_a_student_that_was_only_softened_does_not_pass(tmp_path, margin, noise):
    """All its log-odds are .7 of its teacher's, exactly or nearly: no margin is wide enough."""
    record = softened.students(all_times(0.7), noise=noise)
    verdict = one(tmp_path, record, margin=margin)
    assert verdict.verdict == "inconclusive"
    # By its own number it would have passed, as the very same record without benign sets does.
    assert verdict.high < 0
    assert "less sure of itself (benign associations 0.70 times as large)" in verdict.reason
    assert verdict.p_adjusted > 0.5


@pytest.mark.parametrize("tested", [0.7, 0.4])
def test_a_student_that_leans_less_beyond_that_passes(tmp_path, tested):
    """As sure as its teacher, or less sure and leaning less than that explains."""
    benign = 1.0 if tested == 0.7 else 0.7
    verdict = one(tmp_path, softened.students(all_times(benign, tested)))
    assert verdict.verdict == "pass"
    own = "by its own number" in verdict.reason
    assert own == (benign == 1.0)
    assert ("which decided" in verdict.reason) != own


def test_the_number_that_decides_is_the_contrast_were_both_as_sure(tmp_path):
    """From the scores by loops: C_S / k - C_T, k the mean factor of the benign sets."""
    record = softened.students(all_times(0.7, 0.4))
    value = record.scores.merge(record.items[["item", "group", "class", "probe_set"]], on="item")
    value = value[value["probe_set"] == TESTED]
    means = value.groupby(["model", "class", "group"])["value"].mean()
    leans = means.xs("women", level="group") - means.xs("men", level="group")
    student, teacher = (
        leans[model, "first"] - leans[model, "second"] for model in ("candidate", "reference")
    )
    reason = one(tmp_path, record).reason
    assert f"beyond sharpness, \u2212{teacher - student / 0.7:.2f} (" in reason


def test_a_softer_student_that_leans_as_far_does_not_pass(tmp_path):
    """Beyond sharpness its leans are 1.3 times its teacher's, and .91 times in plain numbers."""
    verdict = one(tmp_path, softened.students(all_times(0.7, 0.91)))
    assert (verdict.verdict, verdict.high < 0.2) == ("inconclusive", True)
    assert "not shown to be" in verdict.reason


def test_a_surer_student_is_judged_by_both_numbers_too(tmp_path):
    """Its plain number fails; where that passes, nothing is taken from it."""
    assert one(tmp_path, softened.students(all_times(1.4))).verdict == "fail"
    calmer = one(tmp_path, softened.students(all_times(1.4, 1.0)))
    assert (calmer.verdict, "surer of itself" in calmer.reason) == ("pass", True)


def test_a_gate_may_ignore_sharpness_with_a_reason(tmp_path):
    """Then the plain number decides, and the verdict says so."""
    verdict = one(tmp_path, softened.students(all_times(0.7)), IGNORED)
    assert verdict.verdict == "pass"
    assert "the gate ignores sharpness" in verdict.reason


def test_the_reason_to_ignore_is_asked_for_and_no_part_of_the_rule(tmp_path):
    """It is words; that sharpness is ignored is another rule."""
    plain, ignored = (read(tmp_path, more).gates[0] for more in ("", IGNORED))
    other = read(tmp_path, IGNORED.replace("only", "just")).gates[0]
    assert other.digest == ignored.digest != plain.digest
    assert read(tmp_path, 'sharpness = "adjust"\n').gates[0].digest == plain.digest


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('sharpness = "ignore"\n', "sharpness_reason is missing"),
        ('sharpness_reason = "so"\n', "sharpness_reason has no effect without"),
        ('sharpness = "ignore"\nsharpness_reason = "-"\n', "sharpness_reason: has no letters"),
        ('sharpness = "ignored"\n', "expected 'adjust' or 'ignore'"),
    ],
)
def test_a_fault_of_these_keys_is_told(tmp_path, more, told):
    """As of any other key."""
    with pytest.raises(InputError, match=told):
        read(tmp_path, more)


@pytest.mark.parametrize(
    "rule", ['"versus_baseline"', '"bound"\nbound = 1.0', '"no_worse_than_world"']
)
def test_other_rules_do_not_have_these_keys(tmp_path, rule):
    """They compare no two models of one audit."""
    path = tmp_path / "gates.toml"
    text = GATE.format(margin=0.2).replace('"non_inferiority"', rule)
    if "bound = " in text:
        text = text.replace("margin = 0.2\n", "")
    path.write_text(text + IGNORED, "utf-8")
    with pytest.raises(InputError, match="sharpness has no effect in the rule"):
        policy.read(path)


@pytest.mark.parametrize("benign", [(), BENIGN[:1]])
def test_without_two_benign_sets_all_is_judged_as_before(tmp_path, benign):
    """But for a note; nothing else of the judgement changes."""
    record = softened.students({TESTED: 0.7, **dict.fromkeys(benign, 0.7)})
    found = judged(tmp_path, record)
    [verdict] = found.verdicts
    assert (verdict.verdict, verdict.reason) == ("pass", "credibly below the margin")
    assert found.notes == (surer.NOT_MEASURED,)
    ignored = judged(tmp_path, record, IGNORED)
    assert (ignored.verdicts[0].verdict, ignored.notes) == ("pass", ())


def test_a_rule_of_a_level_does_not_ask_for_sharpness(tmp_path):
    """And has no note on it."""
    path = tmp_path / "gates.toml"
    text = GATE.replace("non_inferiority", "bound").replace("margin = {margin}", "bound = 9.0")
    path.write_text(text, "utf-8")
    record = softened.students(all_times(0.7))
    found = judge(record, policy.read(path), today=date(2026, 11, 23))
    assert (found.exit_code, found.notes) == (0, ())


@pytest.mark.parametrize(
    ("factors", "opened", "told"),
    [
        ({TESTED: 0.7, "sea": 0.9, "weather": 0.4}, None, "the benign sets disagree"),
        (all_times(0.7), -0.4, "benign associations changed by more"),
        ({TESTED: 0.7, "sea": 0.0, "weather": 0.0}, None, "too small, or too weak"),
    ],
)
def test_where_sharpness_is_unknown_a_pass_is_inconclusive(tmp_path, factors, opened, told):
    """Sets that disagree, associations that were lost, and benign sets without associations."""
    record = softened.students(factors, opened=opened)
    verdict = one(tmp_path, record)
    assert verdict.verdict == "inconclusive"
    assert told in verdict.reason
    assert one(tmp_path, record, IGNORED).verdict == "pass"


def test_softness_that_opens_the_slots_is_taken_out(tmp_path):
    """The entropies say that it is softness; the student leans less beyond it."""
    record = softened.students(all_times(0.7, 0.4), opened=0.4)
    assert one(tmp_path, record).verdict == "pass"


def test_a_change_of_magnitude_is_held_against_sharpness_by_its_log_ratio(tmp_path):
    """Log kappa less that of the benign sets."""
    select = 'select = { probe_set = "one", estimator = "association" }\n'
    only = one(tmp_path, softened.students(all_times(0.7)), select)
    assert (only.verdict, only.estimator) == ("inconclusive", "log_kappa")
    assert "no improvement is shown" in only.reason
    assert one(tmp_path, softened.students(all_times(0.7, 0.4)), select).verdict == "pass"


def test_a_number_that_is_not_known_beyond_sharpness_does_not_pass(tmp_path):
    """Leans of a set have no such number, and neither has a record that lacks the row."""
    record = softened.students(all_times(0.7, 0.4))
    select = 'select = { probe_set = "one", estimator = "log_odds", slice = "class=first" }\n'
    verdict = one(tmp_path, record, select + 'harm = "up"\n')
    assert (verdict.verdict, verdict.high < 0) == ("inconclusive", True)
    assert "not known to be beyond sharpness" in verdict.reason
    rows = record.estimates["estimator"] != "contrast_beyond_sharpness"
    older = replace(record, estimates=record.estimates[rows].reset_index(drop=True))
    assert "not known to be beyond sharpness" in one(tmp_path, older).reason


def test_what_does_not_scale_with_the_logits_is_judged_as_it_is(tmp_path):
    """Entropies tell how sure a model is, and are not adjusted for it."""
    record = softened.students(all_times(0.7), opened=0.4)
    select = 'select = { probe_set = "one", estimator = "slot_entropy" }\nharm = "down"\n'
    assert one(tmp_path, record, select).reason == "credibly below the margin"


def test_a_pass_that_was_lost_is_told_by_what_is_lost(tmp_path):
    """Of two reasons not to pass, the scores that are missing come first."""
    record = softened.students(all_times(0.7))
    chosen = (record.scores["model"] == "candidate") & record.scores["item"].str.startswith(
        "one/1/"
    )
    gone = record.scores["value"].mask(chosen)
    broken = replace(record, scores=record.scores.assign(value=gone))
    assert "of the scores to compare with are missing" in one(tmp_path, broken).reason


def test_the_numbers_that_a_verdict_rests_on_are_made_again_with_it(tmp_path):
    """So that a forged sharpness is found; not where it is ignored."""
    record = softened.students(all_times(0.7))
    numbers = judged_numbers(read(tmp_path), record.manifest)
    again = numbers.of(recompute(record, numbers).estimates)
    names = {(row.probe_set, row.estimator) for row in again.itertuples()}
    assert {
        (TESTED, "contrast_beyond_sharpness"),
        *((name, "log_kappa") for name in BENIGN),
    } <= names
    ignored = judged_numbers(read(tmp_path, IGNORED), record.manifest)
    assert ignored.sets == {TESTED}
    assert ignored.names == {"stereotype_contrast"}
