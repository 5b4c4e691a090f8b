"""A rule is told apart by what it asks, and its age by the records that had it before."""

import json
from dataclasses import replace
from datetime import date

import pytest

from maskaudit.audit.judging import policy, verdicts
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.judging.rule_dates import rules_read
from maskaudit.audit.recording.places import Entry
from maskaudit.audit.recording.places import entry as read_entry
from maskaudit.reports.words import verdicts as words
from tests import manifests
from tests.reports import records

RULE = '[[gate]]\nid = "one"\nrule = "non_inferiority"\nmargin = 0.5\nreason = "a reason"\n'
EARLY, LATER, NOW = (f"2026-{month}-01T00:00:00+00:00" for month in ("03", "06", "11"))


def read(tmp_path, text=RULE):
    """Return the policy of this text."""
    path = tmp_path / "gates.toml"
    path.write_text(text, "utf-8")
    return policy.read(path)


def digest(tmp_path, text=RULE):
    """Return the digest of the only rule of this text."""
    return read(tmp_path, text).gates[0].digest


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ('id = "one"', 'id = "two"', True),
        ('"a reason"', '"another"', True),
        ("margin = 0.5", 'severity = "fail"\nmargin = 0.50', True),  # the default, and one number
        ("margin = 0.5", "margin = 0.51", False),
        ("margin = 0.5", 'margin = 0.5\nseverity = "warn"', False),
        ("margin = 0.5", 'margin = 0.5\nharm = "up"', False),
        ("margin = 0.5", 'margin = 0.5\nselect = { axis = "age" }', False),
    ],
)
def test_a_rule_is_the_same_if_it_asks_the_same(tmp_path, old, new, is_same):
    """Whatever it is called, and in whatever words its reason is given."""
    assert (digest(tmp_path) == digest(tmp_path, RULE.replace(old, new))) == is_same


def entry(created, key, *rules):
    """Return an earlier record whose run read these rules at its time."""
    return Entry(key, 1, created, dict.fromkeys(rules, created))


def test_a_rule_is_as_old_as_the_first_record_that_had_it(tmp_path):
    """Also one of other numbers; a rule that none had is of now."""
    rules, mine = read(tmp_path), digest(tmp_path)
    (found,) = rules_read(rules, [entry(EARLY, "other", mine)], "mine", NOW).values()
    assert (found.first, found.before) == (EARLY, True)
    (found,) = rules_read(rules, [entry(EARLY, "other")], "mine", NOW).values()
    assert (found.first, found.before) == (NOW, True)
    assert rules_read(None, [entry(EARLY, "other", mine)], "mine", NOW) == {}


def test_a_rule_that_came_after_its_numbers_is_younger_in_every_later_record(tmp_path):
    """Who looks, writes a rule and audits the same again does not make it older."""
    rules, mine = read(tmp_path), digest(tmp_path)
    seen = entry(EARLY, "mine")
    (found,) = rules_read(rules, [seen], "mine", LATER).values()
    assert (found.first, found.before) == (LATER, False)
    again = [seen, entry(LATER, "mine", mine)]
    (found,) = rules_read(rules, again, "mine", NOW).values()
    assert (found.first, found.before) == (LATER, False)
    (found,) = rules_read(rules, again, "numbers of a new version", NOW).values()
    assert (found.first, found.before) == (LATER, True)


def judged(tmp_path, **said):
    """Return the verdict on a record whose manifest says this."""
    found = records.record()
    found = replace(found, manifest=manifests.changed(found.manifest, **said))
    return judge(found, read(tmp_path), today=date(2026, 11, 23))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "format_", "expected"),
    [
        (
            {"first": EARLY, "before": True},
            7,
            "Rules older than the record: one ({}, since 1 Ma",
        ),
        ({"first": LATER, "before": False}, 7, "Rules younger than the first record of these"),
        (None, 7, "Rules that the run did not read before it measured, and that may be younger: "),
        (None, 6, "Rules of which the record cannot say whether they are older than it: one ({})."),
    ],
)
def test_a_judgement_says_how_old_its_rules_are(tmp_path, rule, format_, expected):
    """In verdicts.json too, which reads back the same."""
    mine = digest(tmp_path)
    said = {} if rule is None else {"rules": {mine: rule}}
    found = judged(tmp_path, format=format_, **said)
    (line,) = words.rules(found)
    assert line.startswith(expected.format(mine[:12]))
    assert line in words.lines(found)
    verdicts.write(found, tmp_path)
    assert verdicts.read(tmp_path).verdicts == found.verdicts
    (plain, *_) = json.loads((tmp_path / verdicts.FILE).read_text("utf-8"))["verdicts"]
    assert plain["rule_digest"] == mine
    assert plain["rule_before"] == (rule["before"] if rule else {7: False, 6: None}[format_])


@pytest.mark.slow
def test_verdicts_that_were_written_before_rules_had_dates_are_read(tmp_path):
    """They say nothing of the age of a rule."""
    found = judged(tmp_path)
    path = verdicts.write(found, tmp_path)
    plain = json.loads(path.read_text("utf-8"))
    for one in plain["verdicts"]:
        for name in ("best_of", "rule_digest", "rule_first", "rule_before"):
            del one[name]
    path.write_text(json.dumps(plain), "utf-8")
    back = verdicts.read(tmp_path)
    assert [verdict.verdict for verdict in back.verdicts] == [v.verdict for v in found.verdicts]
    assert words.rules(back) == []


@pytest.mark.parametrize(
    "rules", [None, 3, ["a"], {"a": 3}, {"a": {"first": 3}}, {"a": {}}, {"a": {"first": "soon"}}]
)
def test_an_earlier_record_that_says_something_else_of_rules_has_none(tmp_path, rules):
    """It is read without being checked, and may be anything."""
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"key": "k", "number": 1, "created": EARLY, "rules": rules}))
    assert read_entry(path).rules == {}
