"""What is said of verdicts: every number shown on its side of the margin, the worst first."""

import math
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.judging.policy import Waiver
from maskaudit.reports.words import verdicts
from tests.reports.verdicts import HOSTILE, WAIVER, every, judgement, verdict

NUMBER = re.compile(r"[+−]?[\d,]+\.\d+")


def read(text):
    """Return a number as it was written for people."""
    return float(text.replace("−", "-").replace(",", ""))


def test_a_failure_is_told_in_two_lines():
    """The numbers, then why."""
    assert verdicts.as_text(verdict()) == (
        "fail: no-regression[gender/jobs]: +0.31 nats (one-sided 95 % bounds +0.22 and +0.40), "
        "margin 0.20 nats against reference\n"
        "Worse, credibly by more than the margin."
    )


def test_what_is_undecided_says_what_would_decide_it():
    """The smallest change that this test finds, the frames there were and those it takes."""
    told = verdicts.as_text(verdict("inconclusive", frames_needed=36, reason="shows neither"))
    assert told.splitlines()[1:] == [
        "Shows neither.",
        "The smallest change that this test finds four times in five: 0.13 nats.",
        "The change is at most 0.40 nats either way (90 % interval).",
        "Would be decided by 36 frames; there were 12.",
    ]
    many = verdicts.row(verdict("inconclusive", frames_needed=12_097_615_403)).more[-1]
    assert many == "Would be decided by more than 1,000 frames; there were 12."


def test_a_waiver_says_who_until_when_and_why():
    """Somebody answers for it by name."""
    assert verdicts.row(verdict(waiver=WAIVER)).more == (
        "Waived by Ann until 1 March 2030: retrained soon.",
    )
    needless = verdicts.row(verdict("pass", waiver=WAIVER))
    assert needless.status == "pass"
    assert needless.more[0].endswith("It is not needed: the gate passes.")


def test_a_waiver_of_what_was_not_measured_is_no_use():
    """A gate that measured nothing stops, whoever has waived it."""
    found = verdicts.row(verdict("not_measured", waiver=WAIVER))
    assert found.status == "not measured"
    assert found.more[0].endswith("It is of no use: nothing was measured.")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "fail"),
        ({"severity": "warn"}, "warning"),
        ({"waiver": WAIVER}, "waived"),
        ({"severity": "warn", "waiver": WAIVER}, "waived"),
        ({"word": "inconclusive"}, "inconclusive"),
        ({"word": "inconclusive", "severity": "warn"}, "warning"),
        ({"word": "not_measured", "severity": "warn"}, "not measured"),
        ({"word": "pass", "severity": "warn"}, "pass"),
    ],
)
def test_the_status_agrees_with_the_exit_code(told, expected):
    """What stops alone gives 1 or 3, and everything else gives 0."""
    one = verdict(**told)
    assert verdicts.status(one) == expected
    codes = {"fail": 1, "not measured": 3, "inconclusive": 3}
    assert judgement(one).exit_code == codes.get(expected, 0)


def test_the_worst_come_first_and_far_beyond_the_margin_before_near():
    """By status, then by how many margins beyond; what harm is decides which way is worse."""
    near = verdict(name="near", estimate=0.25)
    down = verdict(name="down", estimate=-0.9, harm="down")
    either = verdict(name="either", estimate=-0.5, harm="either")
    shown = verdicts.rows(judgement(verdict("pass", name="p"), near, either, down))
    assert [row.label for row in shown] == [
        f"no-regression[{name}]" for name in ("down", "either", "near", "p")
    ]
    assert [row.status for row in verdicts.rows(every())] == list(verdicts.STATUSES)


def test_the_lines_have_a_heading_every_verdict_and_the_exit_code():
    """A terminal shows all that there is to know."""
    lines = verdicts.lines(every())
    assert lines[0] == (
        "2 gates with 6 verdicts: 1 fail, 1 not measured, 1 inconclusive, 1 warning, 1 waived, "
        "1 pass"
    )
    assert lines[1] == "Record 20260101T000000Z-abcd, judged by gates.toml."
    assert lines[2].startswith("fail          no-regression[e/failed]: +0.31 nats")
    assert lines[-2:] == ["Note: a record stands for the baseline", "Exit code 1: a gate failed."]
    assert sum("[" in line for line in lines) == 6


@pytest.mark.parametrize(
    ("found", "heading", "meaning"),
    [
        ([verdict("pass")], "1 gate: 1 pass", "Exit code 0: every gate passed."),
        ([verdict(severity="warn")], "1 gate: 1 warning", "nothing stops"),
        ([verdict("inconclusive")], "1 gate: 1 inconclusive", "Exit code 3"),
        ([], "0 gates: nothing was judged", "Exit code 3"),
    ],
)
def test_the_heading_and_the_exit_code_never_call_anything_else_a_pass(found, heading, meaning):
    """A warning is no pass, and nothing judged is none either."""
    told = judgement(*found)
    assert verdicts.heading(told) == heading
    assert meaning in verdicts.meaning(told)


@given(
    margin=st.decimals("0.001", "3", places=3).map(float)
    | st.sampled_from([1e-6, 0.12345, 0.1 + 0.2]),
    estimate=st.floats(-3, 3),
    half=st.floats(0, 2),
)
def test_a_bound_is_shown_on_its_side_of_the_margin_and_of_zero(margin, estimate, half):
    """A reader who compares the shown numbers comes to the verdict's own answer."""
    one = verdict(estimate=estimate, low=estimate - half, high=estimate + half, margin=margin)
    row = verdicts.row(one)
    low, high = (read(text) for text in row.bounds.split(" and "))
    shown = read(NUMBER.search(row.margin)[0])
    assert abs(shown - margin) <= (5.01e-5 if margin == 0.12345 else 1e-9)
    for value, seen in ((one.low, low), (one.high, high)):
        assert abs(value - seen) <= 0.005 + 1e-12
        if abs(value - margin) > 1e-8:
            assert (value < margin) == (seen < shown)
        if abs(value) > 1e-8:
            assert (value < 0) == (seen < 0)


@pytest.mark.parametrize(
    ("told", "estimate", "margin"),
    [
        ({"estimator": "log_kappa", "scale": "log", "against": ""}, "+0.31 log units", "log units"),
        ({"estimator": "crows_nangia"}, "+0.31 points", "points against"),
        ({"estimator": "crows_nangia", "rule": "bound", "against": ""}, "0.31 %", "bound 0.20 %"),
        ({"estimator": "magnitude", "rule": "bound", "against": ""}, "0.31 nats²", "bound 0.20"),
        ({"estimator": "world_slope", "rule": "no_worse_than_world"}, "+0.31", "margin 0.20 "),
        ({"estimator": "accuracy@5"}, "+0.31", "margin 0.20 against"),
        ({"estimator": "no such number"}, "+0.31", "margin 0.20"),
    ],
)
def test_numbers_have_the_unit_of_what_is_judged(told, estimate, margin):
    """Points for a change of a percentage, log units for a log ratio."""
    row = verdicts.row(verdict(**told))
    assert row.estimate == estimate
    assert margin in row.margin


def test_without_numbers_there_is_only_the_reason():
    """No dash stands for a number that nobody looked for."""
    empty = dict.fromkeys(("estimate", "low", "high", "mde", "margin"), math.nan)
    told = verdicts.as_text(verdict("not_measured", reason="nothing there", **empty))
    assert told == "not measured: no-regression[gender/jobs]\nNothing there."


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("baseline/main.toml: no such baseline", "baseline/main.toml: no such baseline."),
        ("credibly within the bound", "Credibly within the bound."),
        ("is this so?", "Is this so?"),
    ],
)
def test_a_reason_becomes_a_sentence_and_a_file_keeps_its_name(reason, shown):
    """A path with a capital letter would be another path."""
    assert verdicts.row(verdict(reason=reason)).reason == shown


def test_foreign_text_is_seen_and_does_not_act():
    """Escapes, marks of direction and lone surrogates are named by their code points."""
    waiver = Waiver.model_construct(
        gate="g", slice="", owner=HOSTILE, reason=HOSTILE, until=date(2030, 1, 1)
    )
    one = verdict(gate="g", name=HOSTILE, reason=HOSTILE, against=HOSTILE, waiver=waiver)
    told = judgement(one, notes=[HOSTILE])
    for line in (*verdicts.lines(told), *map(str, dict(verdicts.properties(one)).values())):
        assert line.isprintable()
        line.encode()
    assert "⟨U+202E⟩" in verdicts.label(one)


def test_a_name_in_a_right_to_left_script_can_be_typed():
    """No mark that nobody sees is part of a test's name."""
    assert verdicts.label(verdict(name="גבר/x")) == "no-regression[גבר/x]"


def test_properties_are_plain_values_and_what_is_unknown_is_left_out():
    """NaN is no number to other programs."""
    one = verdict("inconclusive", p=math.nan, frames_needed=36, waiver=WAIVER)
    named = dict(verdicts.properties(one))
    assert {"p", "scale"} & set(named) == set()
    assert named["estimate"] == 0.31
    assert named["frames_needed"] == 36
    assert named["verdict"] == "inconclusive"
    assert named["waiver"] == "Ann, until 2030-03-01: retrained soon"
    assert all(isinstance(value, str | int | float) for value in named.values())
