"""The verdicts of gates.toml as test items, worded by `reports.words.verdicts`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from maskaudit.audit import audit_file, settings
from maskaudit.audit.errors import InputError, MaskauditError, MissingExtraError
from maskaudit.audit.judging import policy as policies
from maskaudit.audit.judging.accepting.accept import accept
from maskaudit.audit.judging.decision import NOT_MEASURED
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.judging.policy import Policy
from maskaudit.audit.judging.rules import RULES, of_numbers
from maskaudit.audit.judging.select import judged_numbers
from maskaudit.audit.judging.verdicts import NOTHING, Judgement, Verdict
from maskaudit.audit.recording.named import in_order
from maskaudit.audit.recording.record import Record, load_record
from maskaudit.audit.running.pytest_names import NEW, GateWarning
from maskaudit.audit.verifying.recomputed import EVERY, NONE
from maskaudit.audit.verifying.verify import load_held, require
from maskaudit.reports.ci.github import lines_of
from maskaudit.reports.words import verdicts as gates
from maskaudit.reports.words import wording

if TYPE_CHECKING:
    from maskaudit.audit.measuring.model import MaskedLM

# The time of sealing, with which `new_record.name_of` begins.
_RECORDS = pytest.StashKey[dict[Path, Record]]()
_NEW_RECORD = pytest.StashKey[Path]()
_REASON = "Accepted by pytest --audit-update-baseline."
_REVIEW = "review and commit its files, and run the tests again without --audit-update-baseline"


class GateError(Exception):
    """A verdict that is not a pass, in the words of `reports.words.verdicts`."""


class GateItem(pytest.Item):
    """A test item for one verdict; its numbers are user properties, for JUnit and other reports."""

    def __init__(
        self,
        *,
        verdict: Verdict,
        line: int,
        record_facts: list[tuple[str, str]],
        **pytest_arguments: Any,  # noqa: ANN401 - pytest's own arguments
    ) -> None:
        super().__init__(**pytest_arguments)
        self.verdict = verdict
        self._line = line
        self._status = gates.status(verdict)
        self.user_properties += [*gates.properties(verdict), *record_facts]
        # So that pytest -k selects by more than the item's name.
        words = (verdict.gate, verdict.name, verdict.rule, verdict.probe_set, verdict.axis)
        self.extra_keyword_matches.update(filter(None, words))
        self.add_marker(pytest.mark.audit)
        text = gates.as_text(verdict)
        treatment = "xfail" if self._status == gates.WAIVED else ""
        if self._status == gates.INCONCLUSIVE:
            treatment = _on_inconclusive(self.config)
        if treatment == "xfail":
            # Not strict: a waived gate that passes after all is no failure.
            self.add_marker(pytest.mark.xfail(reason=text, strict=False))
        elif treatment == "skip":
            self.add_marker(pytest.mark.skip(reason=text))

    def runtest(self) -> None:
        """Pass, warn or fail according to the verdict; a waived verdict is an expected failure."""
        text = gates.as_text(self.verdict)
        if self._status == gates.WARNING:
            self.warn(GateWarning(text))
        elif self._status != gates.PASS:
            raise GateError(text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *more: Any) -> Any:  # noqa: ANN401 - as pytest has it
        """Return the verdict as text, without a traceback."""
        if isinstance(excinfo.value, GateError | GateWarning):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *more)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file and the line of the gate, counted from 0."""
        return self.path, self._line - 1, self.name


def items(file: pytest.File) -> Iterator[GateItem]:
    """Yield an item for every verdict of a gates.toml on the record.

    If the record is missing or unreadable, no gate passes. Raises `pytest.UsageError` for a fault
    in gates.toml.
    """
    with _usage():
        policy = policies.read(file.path)
        judgement = _judgement(file.config, policy)
    lines = lines_of(file.path)
    record_facts = (
        [("audit_record", wording.visible(judgement.record, None))] if judgement.record else []
    )
    record_facts += [("audit_notes", "\n".join(gates.notes(judgement)))] if judgement.notes else []
    for verdict in judgement.verdicts:
        name = gates.label(verdict)
        yield GateItem.from_parent(
            file,
            name=name,
            # A plain string, which pytest parses as it parses the ids stored for --lf.
            nodeid=f"{file.nodeid}::{name}",
            verdict=verdict,
            line=lines.get(verdict.gate, 1),
            record_facts=record_facts,
        )


def audit_anew(config: pytest.Config) -> None:
    """Make the record of this session from the project's AUDIT.toml.

    Raises `pytest.UsageError` if there is no AUDIT.toml or it cannot be audited.
    """
    with _usage():
        home = _home(config)
        file = audit_file.find(home)
        if file is None:
            raise pytest.UsageError(
                f"--audit-record {NEW}: {home / settings.DEFAULT_FILE} does not exist; create it "
                "with `maskaudit init`"
            )
        from maskaudit.audit import pipeline

        audit_settings = settings.read(file)
        # Before the audit, which may take hours: of several records none would be the one to judge.
        audit_settings.check_one_candidate()
        [new] = pipeline.run_all(audit_settings)
    assert new.path is not None  # noqa: S101 - it was just sealed
    config.stash[_NEW_RECORD] = new.path


def record_path(config: pytest.Config) -> Path:
    """The folder of the record made for this session, also on a worker of pytest-xdist."""
    if hasattr(config, "workerinput"):
        return Path(config.workerinput["audit_record"])
    return config.stash[_NEW_RECORD]


def record(config: pytest.Config) -> Record:
    """The record for the project's own tests: the one that the options name, or the newest."""
    with _usage():
        return _record(config, _home(config))


def masked_lm(config: pytest.Config) -> "MaskedLM":
    """The candidate of the project's AUDIT.toml, or of the bundled pair if no model is named."""
    with _usage():
        audit_settings = settings.resolve(audit_file.find(_home(config)))
        # Here and not above: most sessions only judge, and need no torch.
        from maskaudit.audit.measuring.pairs import load_models

        return load_models(audit_settings)["candidate"]


def updated(config: pytest.Config, judged: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Accept the record of every judged gates.toml as the baseline of its gates.

    Returns a line for each accepted baseline, and for each reason why one was not accepted.
    """
    lines = []
    for file in judged:
        try:
            policy = policies.read((config.rootpath / file).resolve())
            judged_record = _record(config, policy.path.parent)
            # Every number and not only the judged ones: a baseline's file quotes any of them.
            require(judged_record, EVERY, trust=config.getoption("audit_trust"))
            numbers = of_numbers(policy.gates)
            names = {gate.baseline for gate in numbers if RULES[gate.rule].compares_versions}
            # Sorted, since the order of a set differs from process to process.
            for name in sorted(names):
                accepted = accept(judged_record, policy.baselines, name, _REASON)
                lines.append(
                    f"{accepted.path}: {accepted.about.record} is now the baseline; {_REVIEW}"
                )
        except MaskauditError as error:
            # One record that is not accepted must not hide what became of the others.
            lines += f"not accepted: {error}".splitlines()
    return lines or ["no baseline was accepted: no gate that has one was judged"]


def _judgement(config: pytest.Config, policy: Policy) -> Judgement:
    """The verdicts on the record; if it cannot be loaded, every gate is not measured."""
    try:
        judged_record = _record(config, policy.path.parent)
        numbers = judged_numbers(policy, judged_record.manifest)
        notes = require(judged_record, numbers, trust=config.getoption("audit_trust"))
    except MaskauditError as error:
        # A verdict for each gate and not one error: reports and --lf then name the gates that did
        # not pass, and other tests of the session still run.
        return _not_measured(policy, str(error))
    baseline = _baseline(config)
    judgement = judge(judged_record, policy, baseline=baseline, today=datetime.now(UTC).date())
    return replace(judgement, notes=(*judgement.notes, *notes))


def _baseline(config: pytest.Config) -> Record | None:
    """The record that replaces the accepted baselines; only its scores are used."""
    option = config.getoption("audit_baseline")
    if option is None:
        return None
    return load_held(config.invocation_params.dir / option, lambda _: NONE)[0]


def _not_measured(policy: Policy, why: str) -> Judgement:
    verdicts = (
        Verdict(gate.id, NOTHING, gate.rule, gate.severity, NOT_MEASURED, why)
        for gate in policy.gates
    )
    return Judgement("", str(policy.path), tuple(verdicts))


def _record(config: pytest.Config, folder: Path) -> Record:
    """The record that the options name, or the newest of the project in `folder`; loaded once."""
    option = config.getoption("audit_record")
    if option is None:
        path = _newest(folder)
    elif option == NEW:
        path = record_path(config)
    else:
        # As a shell would take it: from where pytest was started, not from the project.
        path = config.invocation_params.dir / option
    loaded = config.stash.setdefault(_RECORDS, {})
    if path not in loaded:
        loaded[path] = load_record(path)
    return loaded[path]


def _newest(folder: Path) -> Path:
    """The path of the newest record, even if that record cannot be read.

    An older record in its place would give verdicts on the wrong model. Raises `InputError` if
    there is no record, or the settings name several candidates.
    """
    file = audit_file.find(folder)
    audit_settings = settings.Settings(folder=folder) if file is None else settings.read(file)
    if len(audit_settings.candidates) > 1:
        raise InputError(
            f"{file}: names {len(audit_settings.candidates)} candidates, each with its own record: "
            "say which to judge with --audit-record PATH"
        )
    records = list(in_order(audit_settings.runs))
    if not records:
        raise InputError(
            f"{audit_settings.runs}: no record here; make one with `maskaudit run` or "
            f"--audit-record {NEW}, or name one: --audit-record PATH"
        )
    return records[-1]


def _home(config: pytest.Config) -> Path:
    """The folder of the project's AUDIT.toml: where pytest was started, else its root folder."""
    here = config.invocation_params.dir
    return config.rootpath if audit_file.find(here) is None else here


def _on_inconclusive(config: pytest.Config) -> str:
    return str(config.getoption("audit_inconclusive") or config.getini("audit_inconclusive"))


@contextmanager
def _usage() -> Iterator[None]:
    """Turn errors that the user can fix into `pytest.UsageError`, shown as a single line."""
    try:
        yield
    except MaskauditError as error:
        raise pytest.UsageError(str(error)) from error
    # Judging works without the extra `models`; measuring anew, or `masked_lm`, may meet its lack.
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise pytest.UsageError(str(MissingExtraError(missing))) from error
