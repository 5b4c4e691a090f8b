"""The gates' verdicts stand first on the page, the worst first, in the words of everywhere else."""

from dataclasses import replace
from datetime import date

import pytest

from maskaudit.audit.judging import policy, verdicts
from maskaudit.audit.judging.judge import READ, judge
from maskaudit.audit.recording import files, record
from maskaudit.reports import html
from maskaudit.reports.page import page
from maskaudit.reports.words import verdicts as gates
from tests.reports import records

RULES = """
[[gate]]
id = "level"
rule = "bound"
bound = 9.0
reason = "a test"

[[gate]]
id = "change"
rule = "non_inferiority"
margin = 0.01
reason = "a test"

[[gate]]
id = "gone"
rule = "bound"
bound = 1.0
select = { axis = "religion" }
reason = "a test"
"""


@pytest.fixture(scope="module")
def judgement(tmp_path_factory):
    """A record with gates that pass, fail and measure nothing."""
    path = tmp_path_factory.mktemp("policy") / "gates.toml"
    path.write_text(RULES, "utf-8")
    return judge(records.record(), policy.read(path), today=date(2026, 11, 23))


@pytest.mark.slow
def test_a_page_without_verdicts_says_nothing_of_gates():
    """As before there were any."""
    assert "gates" not in [section.name for section in page(records.record()).sections]


@pytest.mark.slow
def test_verdicts_are_the_first_section(judgement):
    """With every verdict once, failures first, and what the exit code means."""
    section = page(records.record(), judgement).sections[0]
    assert section.name == "gates"
    text, table = section.blocks[:2]
    assert gates.heading(judgement) in text.text
    assert "Exit code 1" in text.text
    [group] = table.groups
    shown = [row[0].text for row in group.rows]
    assert sorted(shown) == sorted(gates.label(one) for one in judgement.verdicts)
    words = [row[1] for row in group.rows]
    assert words == sorted(words, key=gates.STATUSES.index)
    assert "23 November 2026" in table.caption


@pytest.mark.slow
def test_verdicts_beside_a_record_come_onto_its_page(tmp_path, judgement):
    """And are gone from it where the file is removed."""
    found = replace(records.record(), path=tmp_path)
    verdicts.write(judgement, tmp_path)
    assert "What the gates say" in html.write_page(found).with_name("details.html").read_text(
        "utf-8"
    )
    (tmp_path / verdicts.FILE).unlink()
    assert "What the gates say" not in html.write_page(found).with_name("details.html").read_text(
        "utf-8"
    )


@pytest.mark.slow
def test_a_table_that_is_not_wanted_is_empty_and_checked_all_the_same(tmp_path):
    """A verdict reads three of six."""
    with files.unfinished(tmp_path) as folder:
        sealed = record.seal(records.record(), folder, tmp_path / "sealed")
    found = record.load_record(sealed.path, READ)
    assert found.estimates.equals(sealed.estimates)
    assert (len(found.fills), list(found.fills)) == (0, list(sealed.fills))
    with (sealed.path / "fills.parquet").open("ab") as file:
        file.write(b"x")
    with pytest.raises(record.InputError, match="changed since it was sealed"):
        record.load_record(sealed.path, READ)
