"""The document says which bars hold, is complete, and is what `make validity` wrote."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from maskaudit.audit.proving.validity import __main__ as program
from maskaudit.audit.proving.validity.document import document, summary
from maskaudit.audit.proving.validity.table import Bar, Measured, Row, Table, average, repeat, share

DOCUMENT = Path(__file__).parents[4] / "docs" / "validity.md"


@pytest.fixture(scope="module")
def of_few():
    """Measure every table once, with as few repetitions as the command takes."""
    return program.measured(8, program.SEED)


def table(value, **settings):
    """Return a table of one row with a bar, and one that is information."""
    rows = (
        Row("held", Measured(value, 0.0022), Bar(0.94, 0.965), {"naive": Measured(0.42)}),
        Row("shown", Measured(-0.00004)),
    )
    return Table("Title", "Text.", rows, **settings)


@pytest.mark.parametrize(
    ("value", "holds"),
    [(0.94, True), (0.965, True), (0.9399, False), (0.9651, False), (np.nan, False)],
)
def test_a_bar_holds_at_its_ends_and_for_no_unknown_number(value, holds):
    """What was not measured did not hold."""
    assert Bar(0.94, 0.965).holds(value) == holds
    assert table(value)["held"].fails != holds


def test_a_row_without_a_bar_never_fails():
    """It is information."""
    assert not Row("shown", Measured(np.nan)).fails


def test_a_row_says_what_its_bar_is_what_was_measured_and_whether_it_holds():
    """And what other methods gave, where the row has them."""
    written = document([table(0.95)], "sizes")
    assert "| held | 94 to 96.5 % | 95.00 % | 0.22 % | yes | 42.00 % |" in written
    assert "| shown |  | 0.00 % | none |  |  |" in written
    assert "**All 1 bars hold.**" in written


def test_a_bar_that_does_not_hold_is_named_at_the_top_and_in_its_row():
    """It cannot be overlooked."""
    written = document([table(0.9)], "sizes")
    assert "**1 of 1 bars do NOT hold:**" in written
    assert "- Title: held: 90.00 %, bar 94 to 96.5 %" in written
    assert "| held | 94 to 96.5 % | 90.00 % | 0.22 % | **NO** | 42.00 % |" in written


def test_numbers_that_are_no_shares_are_written_as_they_are():
    """With a minus sign that is none of a hyphen, and no minus before a zero."""
    rows = (
        Row("low", Measured(-0.01234, 0.002), Bar(-0.01, 0.01)),
        Row("high", Measured(9.0, 0.0), Bar(high=10)),
        Row("zero", Measured(-0.000001, 0.5), Bar(low=0)),
    )
    written = document([Table("Title", "Text.", rows, is_share=False)], "sizes")
    assert "| low | −0.01 to 0.01 | −0.01234 | 0.002 | **NO** |" in written
    assert "| high | ≤ 10 | 9 | 0 | yes |" in written
    assert "| zero | ≥ 0 | 0 | 0.5 | **NO** |" in written


def test_the_first_line_says_what_wrote_the_document_and_how():
    """The target, the sizes, the seed and the versions."""
    first = document([table(0.95)], program.sizes(10_000, 7)).splitlines()[0]
    assert first.startswith("*Written by `make validity`")
    assert "10,000 repetitions (4,000 of styles" in first
    assert "2,500 of what the page calls shown, 20,000 headlines" in first
    assert "seed 7" in first
    assert re.search(r"maskaudit \S+, Python \S+, numpy \S+, scipy \S+, pandas \S+\.\*$", first)


@pytest.mark.parametrize(("value", "status"), [(0.95, 0), (0.9, 1)])
def test_the_exit_status_says_whether_all_bars_hold(value, status, monkeypatch, tmp_path, capsys):
    """The document is written either way, and the end of the output says where."""
    monkeypatch.setattr(program, "measured", lambda _repetitions, _seed: [table(value)])
    out = tmp_path / "found.md"
    assert program.main(["--repetitions", "100", "--out", str(out)]) == status
    assert "100 repetitions (40 of styles" in out.read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"{summary([table(value)])}\n{out}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--repetitions", "7"], "7 repetitions; expected at least 8"),
        (
            ["--out", "nowhere/found.md"],
            "nowhere is not a folder; give --out a file in an existing folder",
        ),
    ],
)
def test_a_mistake_is_one_clear_line(arguments, said, capsys):
    """Before anything is measured."""
    with pytest.raises(SystemExit) as left:
        program.main(arguments)
    assert left.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.slow
def test_the_document_that_is_there_has_the_rows_and_bars_of_the_code(of_few):
    """Whoever changes a world or a bar runs `make validity` again."""
    written = DOCUMENT.read_text(encoding="utf-8")
    expected = document(of_few, "sizes")
    assert skeleton(written)[: len(skeleton(expected))] == skeleton(expected)


def test_every_bar_of_the_document_that_is_there_holds():
    """One that does not is a fault of a method, and no reason to write the document by hand."""
    assert "**NO**" not in DOCUMENT.read_text(encoding="utf-8")
    assert re.search(r"\*\*All \d+ bars hold\.\*\*", DOCUMENT.read_text(encoding="utf-8"))
    assert re.search(r"\*\*All \d+ pass\.\*\*", DOCUMENT.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_what_models_gave_stands_in_the_document_and_a_check_that_failed_is_seen(
    tmp_path, capsys, monkeypatch, of_few
):
    """As the self-test printed it; the exit status is then 1 though every bar holds."""
    checks = [
        {"name": "a plant", "passed": True, "found": "1.0", "expected": "1"},
        {"name": "untrained", "passed": False, "found": "90 of 200", "expected": "at most 16"},
    ]
    measured = {(8, program.SEED): of_few}  # what the command has to ask for
    monkeypatch.setattr(program, "measured", lambda *asked: measured[asked])
    file = tmp_path / "checks.json"
    file.write_text(json.dumps(checks), "utf-8")
    out = tmp_path / "validity.md"
    arguments = ["--repetitions", "8", "--out", str(out), "--selftest", str(file)]
    assert program.main(arguments) == 1
    written = out.read_text("utf-8")
    assert "**1 of 2 checks do NOT pass.**" in written
    assert "| a plant | 1 | 1.0 | yes |" in written
    assert "| untrained | at most 16 | 90 of 200 | **NO** |" in written
    assert "does NOT pass with models: untrained" in capsys.readouterr().out


def test_a_file_that_is_no_self_test_is_named(tmp_path, capsys):
    """One line says what was expected."""
    file = tmp_path / "other.json"
    file.write_text('[{"a": 1}]', "utf-8")
    with pytest.raises(SystemExit) as stopped:
        program.main(["--out", str(tmp_path / "v.md"), "--selftest", str(file)])
    assert stopped.value.code == 2
    assert "expected the output of `maskaudit selftest --full --json`" in capsys.readouterr().err


def skeleton(written):
    """Return titles and texts, and of rows the names and bars; a bar that was measured is cut."""
    lines = written.splitlines()[1:]
    start = next(i for i, line in enumerate(lines) if line.startswith("## "))
    rows = [line.split(" | ")[:2] if line.startswith("| ") else [line] for line in lines[start:]]
    measured_bars = ("| association", "| magnitude", "| found:")
    return [row[:1] if row[0].startswith(measured_bars) else row for row in rows]


def test_random_numbers_follow_from_the_seed_and_the_name_alone():
    """A row stays what it is when others come and go; another name or seed is another row."""

    def draw(rng):
        return (rng.random(),)

    first = repeat(draw, 5, 1, "one")
    repeat(draw, 3, 1, "two")
    assert (repeat(draw, 5, 1, "one") == first).all()
    assert (repeat(draw, 5, 1, "two") != first).all()
    assert (repeat(draw, 5, 2, "one") != first).all()


def test_the_errors_are_the_spread_that_repeated_measurements_have():
    """Of a share and of a mean, each measured a thousand times from 400 draws."""
    rng = np.random.default_rng(11)
    hits = rng.random((1000, 400)) < 0.05
    values = rng.exponential(2.0, (1000, 400))
    for draws, measure in ((hits, share), (values, average)):
        found = [measure(row) for row in draws]
        spread = np.std([own.value for own in found])
        assert np.mean([own.error for own in found]) == pytest.approx(spread, rel=0.08)


def test_none_seen_is_not_none_for_certain():
    """The error of a share of 0 or 1 is not 0."""
    assert share([False] * 1000).error > 0
    assert share([True] * 1000).error > 0
