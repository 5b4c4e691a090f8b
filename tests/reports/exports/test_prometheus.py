"""Prometheus' text format, read back by a parser of its own: what a collector would take."""

import re
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.estimating.numbers import every as every_number
from maskaudit.audit.recording.rows.tables import table
from maskaudit.audit.texts.printable import inert
from maskaudit.reports.exports.audited import Audited
from maskaudit.reports.exports.prometheus import UNITS, _Gauge, prometheus
from maskaudit.reports.words import verdicts
from tests.reports import records
from tests.reports.verdicts import HOSTILE, every, judged, judgement, verdict

ENDS = ("", "_low", "_high")


def parsed(text):
    """Read the format letter by letter, as its description has it; return samples by metric.

    Refused is what a collector refuses: names that are none, an unknown escape, samples before
    their type or apart from one another, two samples of the same labels, a last line without end.
    """
    assert text.endswith("\n")
    found, helped, typed, last = {}, set(), set(), None
    for line in text[:-1].split("\n"):
        if line.startswith("# "):
            kind, name, told = line[2:].split(" ", 2)
            if kind == "HELP":
                assert name not in helped | typed
                assert told
                helped.add(name)
            else:
                assert (kind, told) == ("TYPE", "gauge")
                assert name in helped - typed
                typed.add(name)
            continue
        name, labels, value = sample(line)
        assert name in typed
        assert name == last or name not in found
        last = name
        samples = found.setdefault(name, {})
        assert labels not in samples
        samples[labels] = value
    assert typed == set(found)
    return found


def sample(line):
    """Read one sample: its name, its labels as a set of pairs, and its value."""
    name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line)[0]
    at = len(name)
    labels = {}
    assert line[at] == "{"
    while line[at] != "}":
        at += 1  # the brace or the comma
        label = re.match(r"[a-zA-Z_][a-zA-Z0-9_]*", line[at:])[0]
        at += len(label)
        assert line[at : at + 2] == '="'
        at += 2
        value = ""
        while line[at] != '"':
            if line[at] == "\\":
                at += 1
                value += {"\\": "\\", '"': '"', "n": "\n"}[line[at]]
            else:
                value += line[at]
            at += 1
        at += 1
        assert label not in labels
        labels[label] = value
    assert line[at : at + 2] == "} "
    return name, frozenset(labels.items()), float(line[at + 2 :])


def only(samples, **labels):
    """Return the value of the one sample with these labels."""
    [value] = [value for key, value in samples.items() if labels.items() <= dict(key).items()]
    return value


@pytest.fixture(scope="module")
def found():
    """Give the samples of a record of four sets that was judged."""
    return parsed(prometheus(Audited(records.record(), judged(every()))))


@pytest.mark.parametrize("probe_set", ["jobs", "people", "days"])
@pytest.mark.parametrize("subject", ["reference", "candidate", "difference"])
def test_a_contrast_is_exported_with_its_interval_to_the_last_digit(found, probe_set, subject):
    """The row of the table has the same numbers, and the labels say which row it is."""
    row = records.estimate_of(records.record(), probe_set, subject)
    for end, column in zip(ENDS, ("estimate", "low", "high"), strict=True):
        samples = found[f"maskaudit_estimate{end}_nats"]
        labels = {"probe_set": probe_set, "subject": subject, "slice": "contrast"}
        assert only(samples, estimator="stereotype_contrast", **labels) == row[column]


def test_a_number_has_the_name_of_its_model_and_what_is_of_both_the_candidates(found):
    """Each sample has the candidate, so that files of several candidates share no sample."""
    names = {k: v.name for k, v in records.record().manifest.models.items()}
    for samples in found.values():
        for key in samples:
            labels = dict(key)
            assert labels["candidate"] == names["candidate"]
            if "model" in labels:
                assert labels["model"] == names.get(labels["subject"], names["candidate"])


@pytest.mark.parametrize(
    ("estimator", "value", "unit", "exported"),
    [
        ("crows_nangia", 62.5, "_ratio", 0.625),
        ("icat", 40.0, "_ratio", 0.4),
        ("cbs", 0.5, "_nats_squared", 0.5),
        ("accuracy@1", 0.25, "_ratio", 0.25),
        ("world_slope", 1.5, "", 1.5),
        ("made_by_another_version", 7.0, "", 7.0),
    ],
)
def test_a_percentage_is_a_ratio_and_a_number_without_a_unit_keeps_its_size(
    estimator, value, unit, exported
):
    """Prometheus has no percent, so that one is divided by a hundred, with its interval."""
    made = records.record()
    row = {
        "probe_set": "other", "slice": "all", "mode": "corrected", "subject": "candidate",
        "scope": "S1", "estimator": estimator, "estimate": value, "low": value, "high": value,
    }  # fmt: skip
    found = parsed(prometheus(Audited(replace(made, estimates=table("estimates", [row])))))
    for end in ENDS:
        [(key, shown)] = found[f"maskaudit_estimate{end}{unit}"].items()
        assert shown == exported
        assert dict(key)["estimator"] == estimator


def test_every_unit_of_a_number_has_an_ending():
    """One that is new has to be given one, where it is no share."""
    units = {entry.unit for entry in every_number() if not entry.is_percent} - {"share"}
    assert not units - set(UNITS)


def test_names_end_in_their_unit_and_say_what_they_are(found):
    """No counter's ending, lower case, our own prefix."""
    for name in found:
        assert re.fullmatch(r"maskaudit_[a-z]+(_[a-z]+)*", name)
        assert not name.endswith(("_total", "_count", "_sum", "_bucket"))
    assert {name for name in found if name.startswith("maskaudit_estimate")} >= {
        f"maskaudit_estimate{end}_{unit}" for end in ENDS for unit in ("nats", "ratio")
    }


def test_a_number_without_an_interval_has_no_sample_of_its_ends():
    """Where nobody knows how sure a number is, its ends are absent, and neither 0 nor NaN."""
    made = records.record()
    nothing = made.estimates.assign(low=float("nan"), high=float("nan"))
    found = parsed(prometheus(Audited(replace(made, estimates=nothing))))
    assert len(found["maskaudit_estimate_nats"]) == 9  # three sets have a contrast
    for end in ("_low", "_high"):
        assert f"maskaudit_estimate{end}_nats" not in found


def test_the_time_is_that_of_the_audit(found):
    """In seconds, whatever the zone of the machine."""
    created = datetime.fromisoformat(records.record().manifest.created)
    [value] = found["maskaudit_audit_timestamp_seconds"].values()
    assert value == created.timestamp()
    assert list(found["maskaudit_audit_info"].values()) == [1]


def test_lost_items_are_counted_once_each_and_none_is_a_zero():
    """By hand: each item of the candidate with a status that is not ok."""
    whole = records.record()
    scores = whole.scores.copy()
    asked = whole.items.loc[whole.items["probe_set"] == "jobs", "item"].unique()[:5]
    of_five = scores["item"].isin(asked) & (scores["model"] == "candidate")
    scores.loc[of_five, "status"] = "target_unknown"
    made = replace(whole, scores=scores)
    found = parsed(prometheus(Audited(made)))["maskaudit_lost_items"]
    for name in ("jobs", "days"):
        own = set(made.items.loc[made.items["probe_set"] == name, "item"])
        for model in ("reference", "candidate"):
            lost = {
                row["item"]
                for row in made.scores.to_dict("records")
                if row["item"] in own and row["model"] == model and row["status"] != "ok"
            }
            assert only(found, probe_set=name, subject=model) == len(lost)
    assert only(found, probe_set="jobs", subject="candidate") == 5


def test_each_verdict_has_one_status_of_six(found):
    """A query for one status finds every verdict, with 1 or 0."""
    statuses = {
        "a/pass": "pass", "b/waived": "waived", "c/warned": "warning", "d/open": "inconclusive",
        "nothing/x": "not_measured", "e/failed": "fail",
    }  # fmt: skip
    samples = found["maskaudit_verdict"]
    assert len(samples) == 6 * 6
    for name, status in statuses.items():
        for other in statuses.values():
            assert only(samples, name=name, status=other) == (other == status)
    assert list(found["maskaudit_gates_exit_code"].values()) == [1]


def test_without_gates_there_is_no_verdict():
    """Neither a pass nor an exit code of 0."""
    found = parsed(prometheus(Audited(records.record())))
    assert not [name for name in found if "verdict" in name or "gates" in name]


def test_of_two_verdicts_of_one_name_the_worst_stays():
    """A collector would refuse the file with both."""
    told = judgement(verdict("pass", name="same"), verdict("fail", name="same"))
    found = parsed(prometheus(Audited(records.record(), judged(told))))["maskaudit_verdict"]
    assert only(found, status="fail") == 1


@given(text=st.text(max_size=20))
def test_any_text_is_a_label_and_nothing_else(text):
    """Quotes, ends of lines and backslashes, whatever they stand beside."""
    gauge = _Gauge("maskaudit_test", "A test.")
    gauge.add({"one": text, "two": "2"}, 0.1)
    assert parsed("".join(f"{line}\n" for line in gauge.lines())) == {
        "maskaudit_test": {frozenset({("one", text), ("two", "2")}): 0.1}
    }


@pytest.mark.parametrize("text", [HOSTILE, "a" * 60, '\\"\n\\n{}=,', "שלום", "\u2028", "\ud800"])
def test_a_foreign_name_is_seen_in_full_in_every_place(text):
    """Of models, sets and gates; what cannot be seen is shown by its code point."""
    made = records.record()
    models = dict(made.manifest.models)
    models["candidate"] = models["candidate"].model_copy(update={"name": text})
    sets = {text: made.manifest.probe_sets["jobs"]}
    manifest = made.manifest.model_copy(update={"models": models, "probe_sets": sets})
    # A table cannot hold half a pair of surrogates, as a manifest can.
    estimates = made.estimates.assign(probe_set=text.replace("\ud800", ""))
    named = replace(made, manifest=manifest, estimates=estimates)
    told = judged(judgement(verdict(gate=text, name=text, rule=text)))
    whole = prometheus(Audited(named, told))
    assert inert(whole) == whole
    whole.encode()
    found, shown = parsed(whole), verdicts.name(text)
    assert only(found["maskaudit_verdict"], gate=shown, status="fail") == 1
    assert only(found["maskaudit_gates_exit_code"], candidate=shown) == 1
    assert only(found["maskaudit_lost_items"], probe_set=shown, subject="candidate") == 0
