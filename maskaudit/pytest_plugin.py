"""Entry point of the pytest plugin: gates.toml as test items, fixtures for a project's own tests.

pytest imports this module in every run in an environment with maskaudit installed. So it imports
only pytest, the standard library and two small modules of names; the rest is imported when a
gates.toml is found, a fixture is requested or an option is given.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from maskaudit.audit.running.pytest_names import NEW, GateWarning
from maskaudit.audit.vocabulary import GATES_FILE

if TYPE_CHECKING:
    import pandas as pd

    from maskaudit.audit.measuring.model import MaskedLM
    from maskaudit.audit.recording.record import Record

__all__ = ["GateWarning"]
ON_INCONCLUSIVE = ("fail", "xfail", "skip")


class GatesFile(pytest.File):
    """A gates.toml, with an item for every verdict on the record."""

    def collect(self) -> Iterator[pytest.Item]:
        """Judge the record and yield its verdicts; without a record no gate passes."""
        try:
            from maskaudit.audit.running import pytest_plugin

            yield from pytest_plugin.items(self)
        except pytest.UsageError as error:
            raise self.CollectError(str(error)) from error


class _GateReport:
    """What a session's test reports say about gates, including reports of other processes."""

    def __init__(self) -> None:
        # The record and the notes of each gates.toml, keyed by its path from the root folder.
        self.judged: dict[str, dict[str, str]] = {}
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Store the record and the notes of a gate's item."""
        file = report.location[0]
        if file.endswith(GATES_FILE):
            properties = {name: str(value) for name, value in report.user_properties}
            if "audit_record" in properties:
                self.judged[file] = properties


_GATE_REPORT = pytest.StashKey[_GateReport]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options in their own group."""
    group = parser.getgroup("maskaudit", "maskaudit: gates on audits of masked language models")
    group.addoption(
        "--audit-record",
        metavar="PATH|run",
        help="Judge this record, or make a new one first (run), as AUDIT.toml says. Default: the "
        "newest record of the AUDIT.toml beside gates.toml.",
    )
    group.addoption(
        "--audit-baseline",
        metavar="PATH",
        help="Compare with this record instead of the accepted baselines.",
    )
    group.addoption(
        "--audit-update-baseline",
        action="store_true",
        help="Accept the record as the baseline of its gates after the session, which is then "
        "reported as failed. Refused where CI is set.",
    )
    group.addoption(
        "--audit-inconclusive",
        choices=ON_INCONCLUSIVE,
        help="How the tests treat an inconclusive verdict. Default: fail.",
    )
    parser.addini(
        "audit_inconclusive",
        f"How the tests treat an inconclusive verdict: {', '.join(ON_INCONCLUSIVE)}.",
        default=ON_INCONCLUSIVE[0],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; raises `pytest.UsageError` for options that cannot be honoured."""
    config.addinivalue_line("markers", "audit: a verdict of maskaudit on a gate of gates.toml.")
    config.stash[_GATE_REPORT] = _GateReport()
    config.pluginmanager.register(config.stash[_GATE_REPORT], "maskaudit-gate-report")
    if config.getini("audit_inconclusive") not in ON_INCONCLUSIVE:
        expected = ", ".join(ON_INCONCLUSIVE)
        raise pytest.UsageError(
            f"audit_inconclusive: is {config.getini('audit_inconclusive')!r}; expected {expected}"
        )
    # In CI the model under test would accept itself, and no one would review it.
    if config.getoption("audit_update_baseline") and os.environ.get("CI"):
        raise pytest.UsageError(
            "--audit-update-baseline: refused where CI is set; accept the baseline on your own "
            "machine, and have the changed files reviewed"
        )


def pytest_sessionstart(session: pytest.Session) -> None:
    """Make the new record if one was requested, once and before any worker starts."""
    config = session.config
    # Workers of pytest-xdist are given the path of this record by `pytest_configure_node`.
    if config.getoption("audit_record") == NEW and not hasattr(config, "workerinput"):
        from maskaudit.audit.running import pytest_plugin

        pytest_plugin.audit_anew(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - a worker, to pytest-xdist alone
    """Pass the path of the new record to a worker."""
    if node.config.getoption("audit_record") == NEW:
        from maskaudit.audit.running import pytest_plugin

        node.workerinput["audit_record"] = str(pytest_plugin.record_path(node.config))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a gates.toml if it has maskaudit's gates."""
    if file_path.name != GATES_FILE or not _has_gates(file_path):
        return None
    return GatesFile.from_parent(parent, path=file_path)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Accept new baselines if requested; the session fails, as it was judged on the old ones."""
    config = session.config
    if config.getoption("audit_update_baseline") and not hasattr(config, "workerinput"):
        gate_report = config.stash[_GATE_REPORT]
        if session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
            from maskaudit.audit.running import pytest_plugin

            gate_report.lines += pytest_plugin.updated(config, gate_report.judged)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        else:
            gate_report.lines.append("no baseline was accepted: the tests did not run to the end")


def pytest_terminal_summary(
    terminalreporter: "pytest.TerminalReporter", config: pytest.Config
) -> None:
    """Print which record was judged, its notes, and which baselines were accepted."""
    gate_report = config.stash[_GATE_REPORT]
    lines = [
        line
        for file, properties in gate_report.judged.items()
        for line in (
            f"{file}: judged on the record {properties['audit_record']}",
            *properties.get("audit_notes", "").splitlines(),
        )
    ]
    if lines or gate_report.lines:
        terminalreporter.section("maskaudit")
        for line in [*lines, *gate_report.lines]:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def audit_record(pytestconfig: pytest.Config) -> "Record":
    """The record that is judged: its manifest and its tables (see `maskaudit.Record`)."""
    with _one_line():
        from maskaudit.audit.running import pytest_plugin

        return pytest_plugin.record(pytestconfig)


@pytest.fixture(scope="session")
def audit_estimates(audit_record: "Record") -> "pd.DataFrame":
    """All numbers of the record, a row each: estimate, low, high, p and where they are from."""
    return audit_record.estimates


@pytest.fixture(scope="session")
def masked_lm(pytestconfig: pytest.Config) -> "MaskedLM":
    """The candidate that AUDIT.toml names, loaded and ready to score."""
    with _one_line():
        from maskaudit.audit.running import pytest_plugin

        return pytest_plugin.masked_lm(pytestconfig)


@contextmanager
def _one_line() -> Iterator[None]:
    """Make a fixture fail with a one-line message, without a traceback."""
    message = ""
    try:
        yield
    except pytest.UsageError as error:
        message = str(error)
    if message:  # outside `except`, so that the failure is not chained to the error
        pytest.fail(message, pytrace=False)


def _has_gates(file: Path) -> bool:
    """Whether a gates.toml has maskaudit's `[[gate]]` tables; files of other tools are ignored."""
    import tomllib

    from maskaudit.audit.texts import bounded

    try:
        text = bounded.content(file, bounded.SETTINGS).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    try:
        gates = tomllib.loads(text).get("gate")
    except (ValueError, RecursionError):
        # Collect a broken file that looks like maskaudit's, so that its fault is reported.
        return re.search(r"^\s*\[\[\s*gate\s*\]\]", text, re.MULTILINE) is not None
    ours = {"rule", "margin", "bound"}
    return isinstance(gates, list) and any(
        isinstance(gate, dict) and ours & gate.keys() for gate in gates
    )
