"""The pytest plugin as a user meets it: pytest on a project's folder.

A process of its own costs seconds of imports, so only the tests whose subject is what is imported,
or by whom, start one.
"""

import os
import re
import shutil
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.phantom import truth
from maskaudit.audit.recording.files import held, unfinished
from maskaudit.audit.recording.record import load_record, seal
from maskaudit.audit.running import pytest_plugin  # noqa: F401 - see `quick`
from maskaudit.probes.expand import Expanded
from tests.reports import records

pytestmark = pytest.mark.slow

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[3]
WORSE, SAME = "20260102T000000000000Z-worse", "20260101T000000000000Z-same"
HEAVY = {"numpy", "pandas", "scipy", "torch", "transformers", "pydantic", "audit", "reports"}
OPTIONS = ("-p", "no:randomly", "-p", "no:hypothesispytest", "-p", "no:anyio")
DAY = timedelta(days=1)
NO_REGRESSION = """
[[gate]]
id = "no-regression"
rule = "non_inferiority"
margin = {margin}
reason = "a margin for a test"
"""
ROLLING = """
[[gate]]
id = "rolling"
rule = "versus_baseline"
margin = 0.2
reason = "a margin for a test"
"""


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Give a folder with two records: a candidate that leans further, and one that does not."""
    folder = tmp_path_factory.mktemp("project") / "runs"
    for name, candidate in ((SAME, 0.52), (WORSE, 1.1)):
        found = records.record([records.jobs()], candidate=candidate)
        with held(folder), unfinished(folder) as place:
            seal(found, place, folder / name)
    return folder


@pytest.fixture
def project(pytester, runs, monkeypatch):
    """Give a project with both records; the worse one is the newest."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    shutil.copytree(runs, pytester.path / "runs")
    return pytester


def policy(project, *gates, folder="."):
    """Write a gates.toml."""
    file = project.path / folder / "gates.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(gates))
    return file


def run(project, *options):
    """Run pytest in the project's folder, within this process."""
    with warnings.catch_warnings():
        warnings.resetwarnings()  # those that these tests turn into errors are ours
        return project.runpytest_inprocess(*OPTIONS, *options)


def run_alone(project, *options):
    """Run pytest as a user does, in a process that has imported nothing before."""
    return project.runpytest_subprocess(*OPTIONS, *options)


def quick(project, *options):
    """Run pytest in this process, or where it has to start others, in one of its own."""
    if "-n" in options:
        return run(project, *options)
    # pytester forgets what is imported meanwhile; what cannot be imported twice is here before.
    return project.runpytest_inprocess(*OPTIONS, *options)


def printed(result):
    """Return all that pytest printed."""
    return result.stdout.str() + result.stderr.str()


def collected(result):
    """Return the node ids that were collected."""
    return [line for line in result.outlines if "::" in line]


# --- Verdicts are items ---------------------------------------------------------------------------


@pytest.fixture
def mixed(project):
    """Give a project with a gate of each kind: fails, passes, warns, is waived, has expired."""
    today = datetime.now(UTC).date()
    waivers = "".join(
        f'[[waiver]]\ngate = "{gate}"\nowner = "Ann"\nreason = "retrained soon"\n'
        f"until = {until.isoformat()}\n"
        for gate, until in (("waived", today + 9 * DAY), ("expired", today - 9 * DAY))
    )
    gates = [
        NO_REGRESSION.format(margin=margin).replace("no-regression", name)
        + ('severity = "warn"\n' if name == "warned" else "")
        for name, margin in (
            ("fails", 0.2), ("passes", 3), ("warned", 0.2), ("waived", 0.2), ("expired", 3),
        )
    ]  # fmt: skip
    policy(project, *gates, waivers)
    return project


def test_every_verdict_is_an_item_with_its_outcome_and_its_numbers(mixed):
    """Names, outcomes, words without a traceback, and properties in JUnit."""
    result = run(mixed, "-v", "-rx", "--junitxml=junit.xml")
    result.assert_outcomes(failed=2, passed=2, xfailed=1, warnings=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    for name, outcome in (
        ("fails", "FAILED"), ("passes", "PASSED"), ("warned", "PASSED"), ("waived", "XFAIL"),
        ("expired", "FAILED"),
    ):  # fmt: skip
        result.stdout.re_match_lines([rf"gates\.toml::{name}\[gender/jobs\] {outcome} .*"])
    text = printed(result)
    assert "Traceback" not in text
    assert "pytest_plugin.py" not in text
    assert re.search(
        r"\nfail: fails\[gender/jobs\]: \+0\.\d+ nats \(one-sided 95 % bounds \+0\.\d+ and "
        r"\+0\.\d+\), margin 0\.20 nats against reference\nWorse, credibly by more", text
    )  # fmt: skip
    assert "GateWarning: warning: warned[gender/jobs]" in text
    assert "Waived by Ann until" in text
    assert "The waiver of Ann expired on" in text
    assert f"gates.toml: judged on the record {WORSE}" in text
    estimates = load_record(mixed.path / "runs" / WORSE).estimates
    rows = estimates.set_index(["estimator", "subject"])
    row = rows.loc[("stereotype_contrast", "difference")]
    cases = ET.parse(mixed.path / "junit.xml").iter("testcase")  # noqa: S314 - our own
    for case in cases:
        told = {p.get("name"): p.get("value") for p in case.iter("property")}
        assert float(told["estimate"]) == row["estimate"]
        assert float(told["std_error"]) == row["std_error"]
        assert float(told["low"]) < row["estimate"] < float(told["high"])
        assert {"margin", "mde", "verdict", "reason", "audit_record"} <= set(told)


def test_the_outcomes_are_the_same_on_several_processes(mixed):
    """Each process judges for itself, and comes to the same items."""
    result = run(mixed, "-n", "2", "-v")
    result.assert_outcomes(failed=2, passed=2, xfailed=1, warnings=1)
    assert f"gates.toml: judged on the record {WORSE}" in printed(result)


def test_items_are_chosen_by_keyword_marker_node_id_and_last_failure(mixed):
    """What works with tests works with gates."""
    everything = {f"gates.toml::{n}[gender/jobs]" for n in (
        "fails", "passes", "warned", "waived", "expired",
    )}  # fmt: skip
    mixed.makepyfile("def test_own(): pass")
    for options, expected in (
        (("-k", "jobs and (fails or warned)"), {"fails", "warned"}),
        (("gates.toml::passes[gender/jobs]",), {"passes"}),
    ):
        result = run(mixed, "--collect-only", "-q", *options)
        assert set(collected(result)) == {f"gates.toml::{n}[gender/jobs]" for n in expected}
    assert set(collected(run(mixed, "--co", "-q", "-m", "audit", "--strict-markers"))) == everything
    run(mixed)
    run(mixed, "--lf").assert_outcomes(failed=2)


def test_a_warning_that_is_an_error_fails_in_one_paragraph(project):
    """Whoever makes errors of warnings gets the same words."""
    policy(project, NO_REGRESSION.format(margin=0.2), 'severity = "warn"\n')
    result = run(project, "-W", "error::maskaudit.pytest_plugin.GateWarning")
    result.assert_outcomes(failed=1)
    assert "warning: no-regression[gender/jobs]" in printed(result)
    assert "pytest_plugin.py" not in printed(result)


@pytest.mark.parametrize(
    ("ini", "option", "outcome"),
    [
        ("", (), "failed"),
        ("", ("--audit-inconclusive=xfail",), "xfailed"),
        ("skip", (), "skipped"),
        ("skip", ("--audit-inconclusive=fail",), "failed"),
    ],
)
def test_what_is_inconclusive_fails_unless_told_otherwise(project, ini, option, outcome):
    """The option stands before the file; whatever it is, the reason is said."""
    if ini:
        project.makeini(f"[pytest]\naudit_inconclusive = {ini}\n")
    # Just above the estimate: neither side of the margin can be shown, and no harm is above zero.
    policy(project, NO_REGRESSION.format(margin=0.005))
    result = run(project, "--audit-record", f"runs/{SAME}", "-ra", *option)
    result.assert_outcomes(**{outcome: 1})
    assert "inconclusive: no-regression[gender/jobs]" in printed(result)


def test_an_unknown_word_for_inconclusive_is_refused(pytester):
    """In the file as on the command line."""
    pytester.makeini("[pytest]\naudit_inconclusive = ignore\n")
    result = run(pytester)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "audit_inconclusive: is 'ignore'; expected fail, xfail, skip" in printed(result)


def test_a_record_stands_for_the_baseline(project):
    """The change since that record is judged, without an accepted baseline."""
    policy(project, ROLLING)
    old = ("--audit-baseline", f"runs/{SAME}")
    run(project, *old).assert_outcomes(failed=1)
    result = run(project, *old, "--audit-record", f"runs/{SAME}")
    result.assert_outcomes(passed=1)


def test_hostile_names_of_a_record_are_safe_in_ids(pytester, monkeypatch):
    """Marks of direction and markup come from probe sets; a terminal gets code points."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found, hostile = records.record([records.jobs()]), "nurse\u202e<b>\x1b[31m"
    items, attributes = (
        table.assign(attribute=table["attribute"].replace("nurse", hostile))
        for table in (found.items, found.attributes)
    )
    digest = Expanded(found.contexts, items).digest
    renamed = found.manifest.probe_sets["jobs"].model_copy(update={"items_digest": digest})
    manifest = found.manifest.model_copy(update={"probe_sets": {"jobs": renamed}})
    found = records.holding(replace(found, manifest=manifest, items=items, attributes=attributes))
    folder = pytester.path / "runs"
    with held(folder), unfinished(folder) as place:
        seal(found, place, folder / "one")
    every = 'select = { slice = "attribute=*", estimator = "lean" }\nharm = "either"\n'
    policy(pytester, NO_REGRESSION.format(margin=9), every)
    result = run_alone(pytester, "-v", "-n", "1", "--junitxml=junit.xml")
    assert result.ret == pytest.ExitCode.OK
    assert "attribute=nurse⟨U+202E⟩<b>⟨U+001B⟩[31m]" in printed(result)
    assert not {"\u202e", "\x1b"} & set(printed(result))
    ET.parse(pytester.path / "junit.xml")  # noqa: S314 - our own


# --- Nothing measured is no pass ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (lambda folder: shutil.rmtree(folder / "runs"), "no record here; make one with `maskaudit"),
        (lambda folder: (folder / "runs" / WORSE / "scores.parquet").write_bytes(b""), "changed"),
        (
            lambda folder: (folder / "runs" / WORSE / "record.json").write_text("{"),
            "cannot be read",
        ),
        (
            lambda folder: (folder / "AUDIT.toml").write_text(
                '[models]\ncandidates = [{ id = "one" }, { id = "two" }]\n'
            ),
            "names 2 candidates, each with its own record",
        ),
    ],
    ids=["no record", "a changed record", "a record that cannot be read", "several candidates"],
)
def test_without_a_record_every_gate_fails(project, before, told):
    """Never a pass, never an older record, and never no tests without a word."""
    policy(project, NO_REGRESSION.format(margin=3), ROLLING)
    before(project.path)
    result = run(project, "-v")
    result.assert_outcomes(failed=2)
    result.stdout.re_match_lines([r"gates\.toml::no-regression\[nothing\] FAILED.*"])
    assert told in printed(result)


def test_an_empty_selection_fails(project):
    """A gate that measured nothing did not pass."""
    policy(project, NO_REGRESSION.format(margin=3), 'select = { axis = "gendre" }\n')
    result = run(project)
    result.assert_outcomes(failed=1)
    assert "did you mean 'gender'?" in printed(result)


def test_faults_of_gates_toml_are_told_a_line_each(project):
    """Neither a traceback nor a session that goes on as if nothing were there."""
    policy(project, NO_REGRESSION.format(margin=-1), 'sevrity = "fail"\n')
    policy(project, "[[gate]]\nid = ", folder="broken")
    result = run(project)
    result.assert_outcomes(errors=2)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    text = printed(result)
    assert re.search(r"gates\.toml: line 5: gate\[1\] 'no-regression'\.margin: .*\n", text)
    assert re.search(r"sevrity: is not a known key; did you mean 'severity'\?\n", text)
    assert re.search(r"broken/gates\.toml: not valid TOML: .*\n", text)
    assert "Traceback" not in text


def test_another_tools_gates_toml_costs_no_imports(pytester):
    """It is recognised as another's without anything heavy."""
    (pytester.path / "gates.toml").write_text("[circuit]\ninputs = 2\n")
    pytester.makepyfile(
        f"import sys\ndef test_own(): assert not {HEAVY - {'numpy'}} & set(sys.modules)"
    )
    result = run_alone(pytester)
    result.assert_outcomes(passed=1)
    assert "gates.toml: not ours, left alone" in printed(result)


# --- At least so many verdicts --------------------------------------------------------------------


@pytest.fixture
def three(project):
    """Give a project whose three gates pass, beside a test that passes."""
    policy(
        project,
        *(
            NO_REGRESSION.format(margin=3).replace("no-regression", name)
            for name in ("first", "second", "third")
        ),
    )
    project.makepyfile("def test_ok(): pass")
    return project


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ((), 3),
        (("-n", "2"), 3),
        (("-k", "test_ok or first or third"), 2),
        (("-k", "test_ok"), 0),
        (("--deselect", "gates.toml::second[gender/jobs]", "-n", "1"), 2),
        (("test_three.py",), 0),
        (("--ignore=gates.toml",), 0),
        (("-m", "not audit"), 0),
    ],
    ids=["all", "two processes", "two", "none", "one deselected", "a file", "ignored", "marked"],
)
def test_a_session_of_too_few_verdicts_fails(three, options, made):
    """All that ran passed; what was not asked is no pass. As many as were made are enough."""
    (three.path / "test_three.py").write_text("def test_ok(): pass")
    if made:
        assert quick(three, *options, f"--audit-require={made}").ret == pytest.ExitCode.OK
    result = quick(three, *options, f"--audit-require={made + 1}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert f"--audit-require {made + 1}: only {made} verdicts were made" in printed(result)
    assert "failed" not in result.parseoutcomes()


def test_without_gates_or_tests_the_session_fails_too(project):
    """And not with 5, which some scripts take for a pass."""
    result = quick(project, "--audit-require=1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("record", ["runs", "nowhere", f"runs/{SAME}/record.json"])
def test_a_verdict_on_no_record_is_none(three, record):
    """What was not measured fails, and is not counted."""
    result = quick(three, f"--audit-record={record}", "--audit-require=1")
    result.assert_outcomes(failed=3, passed=1)
    assert "only 0 verdicts were made" in printed(result)


def test_a_skip_by_others_hides_a_verdict_and_one_that_was_asked_for_tells_it(three):
    """`--audit-inconclusive=skip` is the user's word for what is inconclusive."""
    policy(three, NO_REGRESSION.format(margin=0.005))
    chosen = ("--audit-record", f"runs/{SAME}", "--audit-require=1")
    result = quick(three, *chosen, "--audit-inconclusive=skip")
    result.assert_outcomes(passed=1, skipped=1)
    assert result.ret == pytest.ExitCode.OK
    policy(three, NO_REGRESSION.format(margin=3))
    three.makeconftest(
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        if item.get_closest_marker('audit'):\n"
        "            item.add_marker(pytest.mark.skip)\n"
    )
    hidden = quick(three, *chosen)
    hidden.assert_outcomes(passed=1, skipped=1)
    assert hidden.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "٣"])
def test_what_is_no_number_of_verdicts_is_refused(pytester, number):
    """And so is the option where the plugin is switched off, which makes it the surer way."""
    result = quick(pytester, f"--audit-require={number}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "expected a whole number of at least 1" in printed(result)


def test_listing_the_tests_makes_no_verdict_and_is_no_failure(three):
    """Editors do it all the time."""
    assert quick(three, "--collect-only", "--audit-require=9").ret == pytest.ExitCode.OK


def test_where_plugins_are_not_loaded_the_option_is_refused(project, monkeypatch):
    """Gates are skipped then by pytest's own rule, as docs/gates.md says."""
    policy(project, NO_REGRESSION.format(margin=-1))
    project.makepyfile("def test_ok(): pass")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    call = [sys.executable, "-m", "pytest"]
    assert project.run(*call).ret == pytest.ExitCode.OK
    assert project.run(*call, "--audit-require=1").ret == pytest.ExitCode.USAGE_ERROR


# --- AUDIT.toml and records that cannot be read ---------------------------------------------------


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (lambda folder: (folder / "AUDIT.toml").mkdir(), "AUDIT.toml: is a folder"),
        (lambda folder: (folder / "AUDIT.toml").symlink_to("no"), "AUDIT.toml: cannot be read"),
        (lambda folder: (folder / "Audit.toml").write_text("[run]\n"), "in capitals; rename it"),
        (
            lambda folder: (folder / "AUDIT.toml").write_bytes("[run]\n".encode("utf-16")),
            "AUDIT.toml: is UTF-16",
        ),
        (lambda folder: (folder / "runs" / f"2030{WORSE[4:]}").symlink_to("no"), "no record here"),
        (lambda folder: (folder / "runs" / f"2030{WORSE[4:]}").mkdir(), "no record here"),
    ],
    ids=["folder", "link", "other case", "UTF-16", "a record's link", "a record's folder"],
)
def test_what_cannot_be_read_is_not_passed_over(project, before, told):
    """Neither the defaults nor an older record stand in its place."""
    policy(project, NO_REGRESSION.format(margin=3))
    before(project.path)
    of_settings = "AUDIT" in told or "capitals" in told
    if of_settings:
        project.makepyfile("def test_model(masked_lm): pass")
    result = quick(project)
    result.assert_outcomes(failed=1, errors=int(of_settings))
    result.stdout.re_match_lines([rf".*{re.escape(told)}.*"] * (1 + of_settings))


# --- Baselines ------------------------------------------------------------------------------------


def test_a_baseline_is_accepted_after_the_session_which_does_not_pass(project):
    """The record is the baseline then, is held against itself, and a worse one is refused."""
    policy(project, ROLLING)
    chosen = ("--audit-record", f"runs/{SAME}")
    elsewhere = project.mkdir("elsewhere")  # a file outside the root has no path in its node id
    update = ("--audit-update-baseline", f"--rootdir={elsewhere}", "gates.toml")
    first = run(project, *chosen, *update, "-n", "2")
    first.assert_outcomes(failed=1)
    file = project.path / "baseline" / "main.toml"
    assert f"{file}: {SAME} is now the baseline" in printed(first)
    assert "Accepted by pytest --audit-update-baseline." in file.read_text()
    run(project, *chosen).assert_outcomes(passed=1)
    again = run(project, *chosen, "--audit-update-baseline")
    again.assert_outcomes(passed=1)
    assert again.ret == pytest.ExitCode.TESTS_FAILED
    before = file.read_bytes()
    worse = run(project, "--audit-update-baseline")
    worse.assert_outcomes(failed=1)
    assert "not accepted: main: the record is not accepted; --allow-worse" in printed(worse)
    assert file.read_bytes() == before


def test_a_baseline_is_not_accepted_in_ci(project, monkeypatch):
    """What the tests are held against changes by review alone."""
    policy(project, ROLLING)
    monkeypatch.setenv("CI", "true")
    result = run(project, "--audit-update-baseline")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--audit-update-baseline: refused where CI is set" in printed(result)
    assert not (project.path / "baseline").exists()


def test_where_nothing_was_judged_no_baseline_is_accepted(project):
    """It is said, and the session does not pass."""
    policy(project, NO_REGRESSION.format(margin=3))
    result = run(project, "--audit-update-baseline")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "no baseline was accepted: no gate that has one" in printed(result)
    policy(project, ROLLING)
    project.makepyfile("this is no Python")
    broken = run(project, "--audit-update-baseline")
    assert broken.ret == pytest.ExitCode.INTERRUPTED
    assert "no baseline was accepted: the tests did not run" in printed(broken)
    assert not (project.path / "baseline").exists()


# --- A new audit, and fixtures --------------------------------------------------------------------

SMALL_SET = """
[set]
name = "small"
version = "1.0"
kind = "association"
axis = "gender"
title = "Small"
question = "Who?"
how_to_read = "So."
limits = "Much."
licence = "Apache-2.0"
sources = ["Written for a test"]
expect = "lean"
contrast = ["w", "m"]
[groups.women]
label = "women"
terms = [{ text = "she" }]
[groups.men]
label = "men"
terms = [{ text = "he" }]
[classes.w]
label = "w"
attributes = [{ text = "nurse" }, { text = "librarian" }, { text = "secretary" }]
[classes.m]
label = "m"
attributes = [{ text = "miner" }, { text = "carpenter" }, { text = "plumber" }]
"""


def small_project(pytester):
    """Write an AUDIT.toml with one small set, for the bundled pair."""
    (pytester.path / "AUDIT.toml").write_text('[probes]\nsets = ["small.toml"]\n')
    frames = "".join(
        f'[[frames]]\nid = "f{i}"\ntext = "[MASK] was {{a attribute}} in {place}."\n'
        for i, place in enumerate(("town", "winter", "spring", "summer", "june", "may", "april"))
    )
    (pytester.path / "small.toml").write_text(SMALL_SET + frames)


def test_a_new_audit_is_made_once_for_all_processes(pytester, monkeypatch):
    """The controller makes it, and the workers judge the very record."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    small_project(pytester)
    policy(pytester, NO_REGRESSION.format(margin=9))
    result = run(pytester, "--audit-record", "run", "-n", "2", "-v")
    result.assert_outcomes(passed=1)
    (made,) = (pytester.path / "runs").glob("*/record.json")
    assert f"judged on the record {made.parent.name}" in printed(result)


def test_a_new_audit_without_settings_is_refused(project):
    """The bundled pair is nobody's model: its numbers must not pass for those of another."""
    policy(project, NO_REGRESSION.format(margin=9))
    result = run(project, "--audit-record", "run")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert re.search(
        r"--audit-record run: .*AUDIT\.toml does not exist; .* `maskaudit init`", printed(result)
    )


def test_fixtures_give_the_record_and_its_numbers(project):
    """For tests of one's own; the newest record unless another is named."""
    project.makepyfile(
        f"""
        def test_record(audit_record, audit_estimates):
            assert audit_record.path.name == "{WORSE}"
            assert audit_estimates is audit_record.estimates
            assert set(audit_estimates["probe_set"]) == {{"jobs"}}
        """
    )
    run(project).assert_outcomes(passed=1)


def test_the_model_is_loaded_for_tests_of_ones_own(pytester, monkeypatch):
    """The candidate of AUDIT.toml, as scoring sees it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # Here once, so that nothing of torch is imported by the pytest that this one starts.
    load(str(truth.STUDENT))
    (pytester.path / "AUDIT.toml").write_text(
        f'[models]\ncandidate = {{ id = "{truth.STUDENT}" }}\n'
    )
    pytester.makepyfile(
        """
        def test_model(masked_lm):
            (sentence,) = masked_lm.encode([f"the nurse is {masked_lm.mask_token} ."])
            assert masked_lm.mask_id in sentence.ids
        """
    )
    run(pytester).assert_outcomes(passed=1)


def test_without_what_runs_models_the_fixture_says_what_to_install(pytester, monkeypatch):
    """One line with the pip command; a skip would be no answer."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    pytester.makeconftest("import sys\nsys.modules['torch'] = None\n")
    pytester.makepyfile("def test_model(masked_lm): pass")
    result = run_alone(pytester)
    result.assert_outcomes(errors=1)
    assert 'pip install "maskaudit[models]"' in printed(result)
    assert "Traceback" not in printed(result)


# --- A guest in somebody's pytest -----------------------------------------------------------------


def test_unused_the_plugin_imports_nothing_heavy(pytester):
    """It is in every run of pytest in the environment."""
    pytester.makepyfile(
        f"""
        import sys
        def test_own():
            assert "maskaudit.pytest_plugin" in sys.modules
            assert not {HEAVY | {"maskaudit.audit.errors", "tomllib"}} & set(sys.modules)
        """
    )
    run_alone(pytester).assert_outcomes(passed=1)


def test_the_plugin_judges_without_torch(project):
    """Only `--audit-record run` and `masked_lm` reach the models."""
    policy(project, NO_REGRESSION.format(margin=3))
    project.makepyfile(
        "import sys\ndef test_own(): assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    run_alone(project).assert_outcomes(passed=2)


@pytest.mark.parametrize("is_loaded", [True, False], ids=["loaded first", "loaded later"])
def test_a_project_with_packages_of_our_folders_names_is_judged(project, is_loaded):
    """Its tests get its packages, our gates and fixtures get ours, in one process."""
    policy(project, NO_REGRESSION.format(margin=3))
    for name in ("audit", "probes", "reports"):
        project.makepyfile(**{f"{name}/__init__": "OWNER = 'theirs'"})
    project.makepyfile(
        "import audit, probes, reports\n"
        "def test_own():\n"
        "    assert {audit.OWNER, probes.OWNER, reports.OWNER} == {'theirs'}\n"
        "def test_fixture(audit_estimates):\n"
        "    assert len(audit_estimates)\n"
    )
    if is_loaded:
        project.makeconftest("import audit, probes, reports")
    result = run_alone(project)
    result.assert_outcomes(passed=3)


def test_a_project_with_a_plain_folder_of_our_name_is_judged(project):
    """A folder of reports is no package."""
    policy(project, NO_REGRESSION.format(margin=3))
    (project.path / "reports").mkdir()
    (project.path / "audit").mkdir()
    run_alone(project).assert_outcomes(passed=1)


def test_the_options_are_in_a_group_of_their_own(pytester):
    """`pytest --help` has them under our name, and `--markers` the marker."""
    text = printed(run(pytester, "--help"))
    _, _, after = text.partition("maskaudit: gates on audits of masked language models")
    group = after.split("\n\n")[0]
    for option in ("record", "baseline", "update-baseline", "inconclusive", "require"):
        assert f"--audit-{option}" in group
    assert "@pytest.mark.audit:" in printed(run(pytester, "--markers"))


def test_the_plugin_can_be_switched_off(project):
    """By the name that `pytest` shows."""
    policy(project, "[[gate]]\nid = ")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:maskaudit"],
        cwd=project.path, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
