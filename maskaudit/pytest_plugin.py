"""Entry point of the pytest plugin: gates.toml as test items, fixtures for a project's own tests.

pytest imports this module in every run in an environment with maskaudit installed. So it imports
only pytest, the standard library and two small modules of names; the rest is imported when a
gates.toml is found, a fixture is requested or an option is given.
"""

import argparse
import os
from collections.abc import Generator, Iterator
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
        # The ids of the items whose verdict was made and told.
        self.verdicts: set[str] = set()
        # A line for each gates.toml that is another tool's.
        self.left_alone: set[str] = set()
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Store the record and the notes of a gate's item, and that its verdict was made."""
        file = report.location[0]
        if file.endswith(GATES_FILE):
            properties = {name: str(value) for name, value in report.user_properties}
            if "audit_record" in properties:
                self.judged[file] = properties
            if _is_made(report, properties.get("verdict", "")):
                self.verdicts.add(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - a worker, to pytest-xdist
        """Take over what a worker of pytest-xdist left alone: the controller collects nothing."""
        # A worker that broke down has no output.
        self.left_alone |= set(getattr(node, "workeroutput", {}).get(_LEFT_ALONE, ()))


def _is_made(report: pytest.TestReport, verdict: str) -> bool:
    """Whether a report tells a verdict on something measured.

    A skip tells one only where the verdict is inconclusive and `--audit-inconclusive` says so;
    another skip, such as one by a conftest.py, hides it.
    """
    if verdict in {"", "not_measured"}:
        return False
    # Of an item's reports only that of its call has a verdict; a skip comes before it.
    return report.when == "call" or (report.skipped and verdict == "inconclusive")


_LEFT_ALONE = "maskaudit_left_alone"
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
        "--audit-trust",
        action="store_true",
        help="Take the record's numbers as they are; do not make them again from its scores.",
    )
    group.addoption(
        "--audit-inconclusive",
        choices=ON_INCONCLUSIVE,
        help="How the tests treat an inconclusive verdict. Default: fail.",
    )
    group.addoption(
        "--audit-require",
        type=_count,
        metavar="N",
        help="Fail the session unless at least N verdicts were made, on something measured.",
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
    """Collect a gates.toml unless it is another tool's; one that cannot be read is an error."""
    return _collected(file_path, parent) if _is_named(file_path) else None


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a folder named gates.toml as a gates.toml that cannot be read."""
    # But look into it where the command line names something in it.
    is_above = parent.session.isinitpath(path, with_parents=True)
    if not _is_named(path) or (is_above and not parent.session.isinitpath(path)):
        return None
    return _collected(path, parent)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Collect also what pytest passes over in a folder: a gates.toml that is a link to nothing."""
    report = yield
    if isinstance(collector, pytest.Directory) and report.passed:
        for path in _neither_file_nor_folder(collector.path):
            config = collector.config
            # Asked as pytest asks it of what it collects: what users ignore stays ignored.
            if not collector.ihook.pytest_ignore_collect(collection_path=path, config=config):
                report.result += filter(None, [_collected(path, collector)])
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session of too few verdicts; accept new baselines if requested.

    With new baselines the session fails too, as it was judged on the old ones.
    """
    config = session.config
    gate_report = config.stash[_GATE_REPORT]
    if hasattr(config, "workeroutput"):
        # A worker has only a part of the verdicts: the controller counts all, and accepts.
        config.workeroutput[_LEFT_ALONE] = sorted(gate_report.left_alone)
        return
    _require(session, gate_report)
    if config.getoption("audit_update_baseline"):
        # Of a session that broke off nobody knows what the other gates would have said.
        if session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
            from maskaudit.audit.running import pytest_plugin

            gate_report.lines += pytest_plugin.updated(config, gate_report.judged)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        else:
            gate_report.lines.append("no baseline was accepted: the tests did not run to the end")


def _require(session: pytest.Session, gate_report: _GateReport) -> None:
    """Fail a session that would end well, or without tests, if it made too few verdicts."""
    least, made = session.config.getoption("audit_require"), len(gate_report.verdicts)
    # With --collect-only no test runs, so that no verdict can be made.
    if least is None or made >= least or session.config.getoption("collectonly"):
        return
    gate_report.lines.append(
        f"--audit-require {least}: only {made} verdicts were made; gates may be missing, "
        "deselected, skipped or without a record"
    )
    # Any other status says more, such as that of an interruption, and stays.
    if session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: "pytest.TerminalReporter", config: pytest.Config
) -> None:
    """Print which record was judged, its notes, what was left alone and what became of options."""
    gate_report = config.stash[_GATE_REPORT]
    lines = [
        line
        for file, properties in gate_report.judged.items()
        for line in (
            f"{file}: judged on the record {properties['audit_record']}",
            *properties.get("audit_notes", "").splitlines(),
        )
    ]
    lines += [*sorted(gate_report.left_alone), *gate_report.lines]
    if lines:
        terminalreporter.section("maskaudit")
        for line in lines:
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


def _collected(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A gates.toml that is ours or was named on the command line; None for another tool's."""
    from maskaudit.audit.errors import InputError
    from maskaudit.audit.texts import gates_file

    try:
        is_ours = parent.session.isinitpath(path) or gates_file.is_ours(path)
    except InputError:  # told when it is collected
        is_ours = True
    if not is_ours:
        root = parent.config.rootpath
        shown = path.relative_to(root) if path.is_relative_to(root) else path
        left_alone = f"{shown}: {gates_file.LEFT_ALONE}"
        parent.config.stash[_GATE_REPORT].left_alone.add(left_alone)
        return None
    return GatesFile.from_parent(parent, path=path)


def _neither_file_nor_folder(folder: Path) -> list[Path]:
    """What is named gates.toml and pytest passes over, such as a link that leads nowhere."""
    try:
        with os.scandir(folder) as entries:
            names = [Path(entry.path) for entry in entries if _is_named(Path(entry.path))]
    except OSError:  # what pytest says of such a folder is enough
        return []
    return [path for path in names if not (path.is_file() or path.is_dir())]


def _is_named(path: Path) -> bool:
    # In any case of letters: Gates.toml is refused with a line, and not passed over.
    return path.name.casefold() == GATES_FILE


def _count(text: str) -> int:
    """A number of verdicts; raises `ArgumentTypeError` for what is no whole number above 0."""
    # `int` alone would take blanks, underscores and digits of other scripts.
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"is {text!r}; expected a whole number of at least 1")
    return int(text)
