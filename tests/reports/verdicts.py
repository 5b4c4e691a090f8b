"""Verdicts by hand for tests of what is said of them."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from maskaudit.audit.judging.decision import Word
from maskaudit.audit.judging.policy import Gate, Policy, Waiver
from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.reports.exports.audited import Judged

HOSTILE = 'a|b <script>`x`\x1b[31m\u202e\x00\ud800\n"&]]>'
WAIVER = Waiver(gate="no-regression", owner="Ann", reason="retrained soon", until=date(2030, 3, 1))


def verdict(word: Word = "fail", **told: Any) -> Verdict:
    """Return a verdict on a change, against a margin of 0.2 nats."""
    known: dict[str, Any] = {
        "gate": "no-regression", "name": "gender/jobs", "rule": "non_inferiority",
        "severity": "fail", "reason": "worse, credibly by more than the margin",
        "probe_set": "jobs", "axis": "gender", "slice": "contrast",
        "estimator": "stereotype_contrast", "mode": "corrected", "subject": "difference",
        "against": "reference", "harm": "up", "margin": 0.2, "estimate": 0.31, "low": 0.22,
        "high": 0.4, "std_error": 0.05, "df": 9.0, "p": 0.001, "p_adjusted": 0.002, "mde": 0.13,
        "n_frames": 12, "frames_needed": None, "method": "m",
    }  # fmt: skip
    return Verdict(verdict=word, **{**known, **told})


def judgement(*verdicts: Verdict, notes: Sequence[str] = ()) -> Judgement:
    """Return the verdicts on a record."""
    return Judgement("20260101T000000Z-abcd", "gates.toml", tuple(verdicts), tuple(notes))


def judged(told: Judgement, *, file: Path = Path("gates.toml"), reason: str = "a reason") -> Judged:
    """Return the verdicts with a gate of its own for each name, as if they were read from a file.

    No check is made, so that a gate may have any name and any reason.
    """
    severities = {verdict.gate: verdict.severity for verdict in told.verdicts}
    gates = tuple(
        Gate.model_construct(id=name, rule="non_inferiority", reason=reason, severity=severity)
        for name, severity in severities.items()
    )
    return Judged(told, Policy.model_construct(path=file, gates=gates, waivers=()))


def every() -> Judgement:
    """Return a judgement with a verdict of every status, the harmless ones first."""
    return judgement(
        verdict("pass", name="a/pass", estimate=0.01, low=-0.05, high=0.07, reason="fine"),
        verdict(name="b/waived", waiver=WAIVER),
        verdict(gate="careful", name="c/warned", severity="warn"),
        verdict("inconclusive", name="d/open", estimate=0.1, low=-0.2, high=0.4, frames_needed=36),
        verdict("not_measured", name="nothing/x", reason="no number has it",
                **dict.fromkeys(("estimate", "low", "high", "mde"), float("nan"))),
        verdict(name="e/failed"),
        notes=["a record stands for the baseline"],
    )  # fmt: skip
