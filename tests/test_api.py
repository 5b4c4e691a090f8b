"""The public interface: what it refuses, how a record shows itself, and its document."""

import inspect
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import maskaudit
from maskaudit.audit.recording import record as stored
from tests.audit.history.folders import reseal
from tests.audit.verifying import edits

ROOT = Path(__file__).resolve().parents[1]
RECORDS = ROOT / "examples" / "versions" / "records"
FUNCTIONS = ("compare", "evaluate", "export", "history", "judge", "load_record", "report", "run")
ERRORS = tuple(name for name in maskaudit.__all__ if name.endswith("Error"))
DOCUMENT = (ROOT / "docs" / "api.md").read_text("utf-8")


@pytest.fixture(scope="module")
def worse() -> maskaudit.Record:
    """Return the record of the version that leans further than its teacher."""
    return maskaudit.load_record(RECORDS / "version-2")


def words(text: str) -> str:
    """Return a text with its words one space apart, without marks for code."""
    return " ".join(text.replace("`", "").split())


def section(title: str) -> str:
    """Return what the document says below a heading."""
    parts = re.split(r"^#{2,4} ", DOCUMENT, flags=re.MULTILINE)
    [found] = [part for part in parts if part.splitlines()[0] == title]
    return words(found.partition("\n")[2])


def called(name: str) -> str:
    """Return how a function is called: its parameters, and the defaults that are plain values."""
    parameters = []
    star = False
    for parameter in inspect.signature(getattr(maskaudit, name)).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not star:
            parameters.append("*")
            star = True
        default = parameter.default
        shown = "..." if callable(default) else repr(default)
        is_required = default is inspect.Parameter.empty
        parameters.append(parameter.name if is_required else f"{parameter.name}={shown}")
    return f"`maskaudit.{name}({', '.join(parameters)})`"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_document_has_each_function_as_its_docstring_does(name):
    """The call in the heading, the docstring below it."""
    assert section(called(name)) == words(inspect.getdoc(getattr(maskaudit, name)))


def test_the_document_has_the_callback_with_what_it_shows():
    """The call in the heading, the docstring and the properties below it."""
    callback = maskaudit.AuditCallback
    text = section(called("AuditCallback"))
    assert text.startswith(words(inspect.getdoc(callback)))
    shown = [name for name, part in vars(callback).items() if isinstance(part, property)]
    assert shown
    for name in shown:
        assert f"- {name}: {words(inspect.getdoc(getattr(callback, name)))}" in text


@pytest.mark.parametrize("name", ["headline", "summary", "of"])
def test_the_document_has_what_a_record_shows(name):
    """Each public member of a record that is no field of it."""
    member = inspect.getattr_static(maskaudit.Record, name)
    text = inspect.getdoc(member.fget if isinstance(member, property) else member)
    assert words(text) in section("`maskaudit.Record`")


def test_the_document_has_the_record_and_every_error():
    """Errors with the exit code of the command."""
    assert section("`maskaudit.Record`").startswith(words(inspect.getdoc(maskaudit.Record)))
    for name in ERRORS:
        error = getattr(maskaudit, name)
        row = f"| `{name}` | {error.exit_code} |"
        assert row in DOCUMENT
        assert words(inspect.getdoc(error).splitlines()[0]) in words(DOCUMENT)


def test_every_public_name_is_in_the_document_and_can_be_had():
    """Also the command's own function, and nothing that is not there."""
    for name in maskaudit.__all__:
        assert getattr(maskaudit, name) is not None
        assert f"maskaudit.{name}" in DOCUMENT or f"`{name}`" in DOCUMENT
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = maskaudit.nothing
    assert set(dir(maskaudit)) == {*maskaudit.__all__, "__version__"}


# --- A record ------------------------------------------------------------------------------------


def test_a_record_shows_itself_in_three_lines(worse):
    """Which record, who was audited with what, and what was shown with its interval."""
    first, second, third = repr(worse).splitlines()
    assert first == "Record version-2"
    assert second == (
        "versions/version-2 against phantom/teacher: 1 probe set, "
        f"{len(worse.scores):,} scores, {(worse.scores['status'] != 'ok').sum():,} lost"
    )
    assert third == worse.headline
    row = worse.estimates.query("estimator == 'stereotype_contrast' and subject == 'difference'")
    for column in ("estimate", "low", "high"):
        assert f"{row[column].iloc[0]:.2f}" in third


def test_a_summary_is_the_contrasts_of_each_subject(worse):
    """The same rows as a query of the table finds."""
    found = worse.summary()
    contrasts = worse.estimates.query("estimator == 'stereotype_contrast'")
    expected = contrasts.set_index("subject")["estimate"]
    for subject in ("reference", "candidate", "difference"):
        [row] = found.query("estimator == 'stereotype_contrast' and subject == @subject").index
        assert found.loc[row, "estimate"] == expected[subject]


def test_a_notebook_shows_the_headline_and_the_table(worse):
    """What is foreign in it is escaped."""
    html = worse._repr_html_()
    assert html.startswith("<p><strong>The candidate (version-2) leans further")
    assert html.count("<tr") == len(worse.summary()) + 1  # and the head
    named = worse.manifest.models["candidate"].model_copy(update={"name": "<b>x</b>"})
    models = {**worse.manifest.models, "candidate": named}
    hostile = maskaudit.Record.of(worse)
    object.__setattr__(hostile, "manifest", worse.manifest.model_copy(update={"models": models}))
    assert "<b>" not in hostile._repr_html_()


def test_records_are_equal_by_content(worse, tmp_path):
    """Wherever they lie; another record, or another value in a table, is not equal."""
    copy = maskaudit.load_record(shutil.copytree(RECORDS / "version-2", tmp_path / "copy"))
    assert copy == worse
    assert hash(copy) == hash(worse)
    assert stored.load_record(RECORDS / "version-2") == worse
    assert maskaudit.load_record(RECORDS / "seed-2") != worse
    scores = worse.scores.copy()
    scores.loc[0, "value"] += 1e-12
    changed = maskaudit.Record.of(worse)
    object.__setattr__(changed, "scores", scores)
    assert changed != worse
    assert worse != "a record"


# --- Functions -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_verdicts_and_changes_take_paths_or_records(worse):
    """The version that leans further fails, as the command says."""
    gates = ROOT / "examples" / "versions" / "gates.toml"
    by_record = maskaudit.judge(worse, gates)
    assert by_record.exit_code == 1
    assert maskaudit.judge(RECORDS / "version-2", str(gates)) == by_record
    assert maskaudit.judge(RECORDS / "seed-2", gates).exit_code == 0
    change = maskaudit.compare(RECORDS / "seed-1", worse).estimates
    back = maskaudit.compare(worse, RECORDS / "seed-1").estimates
    of = "estimator == 'stereotype_contrast' and subject == 'difference'"
    assert change.query(of)["estimate"].iloc[0] == -back.query(of)["estimate"].iloc[0]


def test_a_history_has_every_record_of_its_folder():
    """In the order in which they were made."""
    names = [audit.name for audit in maskaudit.history(RECORDS).history.audits]
    assert sorted(names) == sorted(path.name for path in RECORDS.iterdir())


def test_a_page_is_written_where_it_is_asked_for(worse, tmp_path):
    """The sealed record stays as it was."""
    page = maskaudit.report(worse, tmp_path / "page.html")
    assert page.read_text("utf-8").startswith("<!doctype html>")


GATES = ROOT / "examples" / "versions" / "gates.toml"
LEVEL = '[[gate]]\nid = "level"\nrule = "bound"\nbound = 0.5\nreason = "a bound for a test"\n'


@pytest.fixture
def level(tmp_path) -> Path:
    """Return gates that judge the numbers of a record, and not its scores against others."""
    (tmp_path / "gates.toml").write_text(LEVEL)
    return tmp_path / "gates.toml"


@pytest.fixture
def forged(tmp_path) -> Path:
    """Return a record of the worse version whose contrasts were made small, and its sums anew."""
    folder = shutil.copytree(RECORDS / "version-2", tmp_path / "forged")
    estimates = stored.load_record(folder).estimates
    contrasts = estimates["estimator"] == "stereotype_contrast"
    estimates.loc[contrasts, ["estimate", "low", "high"]] = 0.0
    edits.write(folder, "estimates", estimates)
    reseal(folder)
    return folder


@pytest.mark.slow
def test_numbers_that_the_scores_do_not_give_are_neither_judged_nor_shown(forged, level, tmp_path):
    """Given as a path or as a record that was read; trusted, they are, and it is said."""
    for given in (forged, maskaudit.load_record(forged)):
        with pytest.raises(maskaudit.InputError, match=r"does not hold \(estimates: "):
            maskaudit.judge(given, level)
        with pytest.raises(maskaudit.InputError, match=r"does not hold \(estimates: "):
            maskaudit.report(given, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
    [said] = maskaudit.judge(forged, level, trust=True).notes
    assert said == "trusted: the record's numbers were taken as they are, not made again"
    notes = []
    maskaudit.report(forged, tmp_path / "page.html", trust=True, note=notes.append)
    assert notes == [said]


@pytest.mark.slow
def test_versions_are_compared_by_scores_of_records_that_hold(forged, worse):
    """Estimates play no part in it; rows of scores that are missing do."""
    assert maskaudit.compare(forged, worse).largest == 0
    edits.write(forged, "scores", worse.scores.iloc[1:])
    reseal(forged)
    for pair in ((forged, worse), (worse, forged)):
        with pytest.raises(maskaudit.InputError, match=r"does not hold \((scores|bound): "):
            maskaudit.compare(*pair)


def test_a_record_in_memory_alone_is_the_callers_word(worse, level):
    """There is nothing that it could be held against."""
    contrasts = worse.estimates["estimator"] == "stereotype_contrast"
    small = worse.estimates.assign(estimate=worse.estimates["estimate"].mask(contrasts, 0.0))
    with pytest.raises(maskaudit.InputError, match="does not hold"):
        maskaudit.judge(replace(worse, estimates=small), level)
    assert maskaudit.judge(worse, level).exit_code == 1
    assert maskaudit.judge(replace(worse, estimates=small, path=None), level).exit_code != 1


def test_an_export_is_the_text_that_the_command_writes(worse, level, tmp_path):
    """With verdicts where gates are named; a file where one is asked for."""
    file = tmp_path / "out.json"
    text = maskaudit.export(replace(worse, path=None), "json", file, gates=level)
    assert file.read_text("utf-8") == text
    found = json.loads(text)
    assert found["judgement"]["exit_code"] == 1
    assert len(found["estimates"]) == len(worse.estimates)
    assert json.loads(maskaudit.export(worse, "json", trust=True))["judgement"] is None


WRONG = {
    "no format": (lambda: maskaudit.export("r", "xml"), "no such format 'xml'; expected one of"),
    "no gates": (
        lambda: maskaudit.export("r", "json", baseline="r"),
        "baseline: is given without gates",
    ),
    "seed": (lambda: maskaudit.run(seed="1"), "seed: is '1'; expected a whole number"),
    "no list": (lambda: maskaudit.run(probes="facts"), "probes: is 'facts'; expected a list"),
    "no name": (lambda: maskaudit.run(candidate=3), "candidate: is 3; expected text or a path"),
    "no names": (lambda: maskaudit.run(candidates=[3]), r"candidates\[0\]: is 3; expected text"),
    "both": (
        lambda: maskaudit.run(candidate="a", candidates=["b"]),
        "candidate and candidates are both given; expected one of them",
    ),
    "nothing": (lambda: maskaudit.load_record(None), "path: is None; expected text or a path"),
    "no record": (lambda: maskaudit.judge(4, GATES), "record: is 4; expected text or a path"),
    "no folder": (lambda: maskaudit.history(1.5), "runs: is 1.5; expected text or a path"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_value_of_a_wrong_type_is_an_error_of_ours(case):
    """One line: what was found, and what was expected."""
    call, message = WRONG[case]
    with pytest.raises(maskaudit.InputError, match=message):
        call()


@pytest.mark.slow
def test_the_interface_loads_neither_torch_nor_what_runs_models():
    """Records are read, judged and compared without them."""
    code = (
        "import sys, maskaudit\n"
        f"maskaudit.judge({str(RECORDS / 'seed-2')!r}, "
        f"{str(ROOT / 'examples' / 'versions' / 'gates.toml')!r})\n"
        "print({'torch', 'transformers'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")
