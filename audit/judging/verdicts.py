"""The result of gates on a record: a verdict on each number, and one exit code for all."""

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, get_args

from maskaudit.audit.errors import InputError
from maskaudit.audit.judging.decision import FAIL, INCONCLUSIVE, NOT_MEASURED, Word
from maskaudit.audit.judging.policy import Waiver
from maskaudit.audit.recording.files import write_inside
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.names import is_there

FILE = "verdicts.json"
# The name of the verdict of a gate that has nothing to judge.
NOTHING = "nothing"


@dataclass(frozen=True)
class Verdict:
    """The verdict of one gate on one number.

    `estimate`, `low` and `high` (one-sided bounds of 95 % each), `margin` and `mde` are in the unit
    that is judged: nats for a contrast; with `scale` "log" a log ratio. `p` is one-sided (two-sided
    for a change with `harm` "either"); `p_adjusted` is adjusted by Holm over the policy. Missing
    numbers are NaN, missing counts None. `frames_needed` is the number of frames that would decide
    the number. `best_of` is how many candidates the older version was picked from. Where the claim
    has to hold in `holds_in` of `n_styles` styles, the number is that of the style which is so many
    from the least harm; both are None elsewhere. `rule_digest` tells the rule apart from any other;
    `rule_first` is the day of the first record that had it, ISO 8601, empty if the judged record
    did not; `rule_before` says whether the rule was there before the record's numbers, None if the
    record cannot say.
    """

    gate: str
    name: str
    rule: str
    severity: str
    verdict: Word
    reason: str
    probe_set: str = ""
    axis: str = ""
    slice: str = ""
    estimator: str = ""
    mode: str = ""
    subject: str = ""
    against: str = ""
    harm: str = ""
    margin: float = math.nan
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    std_error: float = math.nan
    df: float = math.nan
    p: float = math.nan
    p_adjusted: float = math.nan
    mde: float = math.nan
    n_frames: int | None = None
    frames_needed: int | None = None
    scale: str = ""
    waiver: Waiver | None = None
    method: str = ""
    best_of: int = 1
    holds_in: int | None = None
    n_styles: int | None = None
    rule_digest: str = ""
    rule_first: str = ""
    rule_before: bool | None = None

    @property
    def counts(self) -> bool:
        """Whether FAIL or INCONCLUSIVE affects the exit code: not for a warning or a waiver."""
        return self.severity == FAIL and self.waiver is None

    @property
    def stops(self) -> bool:
        """Whether the verdict alone makes the exit code 1."""
        return self.verdict == FAIL and self.counts


@dataclass(frozen=True)
class Judgement:
    """All verdicts of a policy on a record, in the order of the policy, with notes for people.

    `judged` is the date that decided which waivers were in force.
    """

    record: str
    policy: str
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    judged: date | None = None

    @property
    def exit_code(self) -> int:
        """0 if all passed, 1 if a gate failed, else 3 if something could not be judged.

        NOT_MEASURED gives 3 whatever its severity or waiver, and so does a policy without verdicts.
        """
        if any(verdict.stops for verdict in self.verdicts):
            return 1
        # No waiver helps what was not measured: nobody can answer for a number that is not there.
        undecided = any(
            verdict.verdict == NOT_MEASURED or (verdict.verdict == INCONCLUSIVE and verdict.counts)
            for verdict in self.verdicts
        )
        # A policy that selects nothing has judged nothing, and that is no pass.
        return 3 if undecided or not self.verdicts else 0

    def as_json(self) -> dict[str, Any]:
        """The judgement as plain JSON values; missing and infinite numbers are null."""
        return {
            "record": self.record,
            "policy": self.policy,
            "judged": self.judged.isoformat() if self.judged else None,
            "exit_code": self.exit_code,
            "verdicts": [_plain(verdict) for verdict in self.verdicts],
            "notes": list(self.notes),
        }


def _plain(verdict: Verdict) -> dict[str, Any]:
    values = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in asdict(verdict).items()
    }
    # `asdict` leaves a pydantic value as it is.
    if verdict.waiver is not None:
        values["waiver"] = verdict.waiver.model_dump(mode="json")
    return values


def write(judgement: Judgement, folder: Path) -> Path:
    """Write the verdicts beside a record's tables, whole or not at all, replacing earlier ones.

    Returns the path. Raises `CannotWriteError` if the disk is full or read-only.
    """
    # JSON has no NaN. `_plain` has made null of it, so one that is left is a mistake of ours.
    text = json.dumps(judgement.as_json(), indent=1, ensure_ascii=False, allow_nan=False)
    return write_inside(folder / FILE, text + "\n")


def read(folder: Path) -> Judgement | None:
    """Read the verdicts beside a record's tables; None if the record was not judged.

    Raises `InputError` if the file cannot be read as verdicts.
    """
    path = folder / FILE
    if not is_there(path):
        return None
    try:
        content = bounded.json_value(bounded.content(path, bounded.SETTINGS))
        day = content["judged"]
        return Judgement(
            record=str(content["record"]),
            policy=str(content["policy"]),
            verdicts=tuple(_verdict(plain) for plain in content["verdicts"]),
            notes=tuple(map(str, content["notes"])),
            judged=None if day is None else date.fromisoformat(day),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path}: cannot be read as verdicts ({error}); remove it, or judge again: "
            "maskaudit gate"
        ) from error


def _verdict(plain: Mapping[str, Any]) -> Verdict:
    values = dict(plain)
    for part in fields(Verdict):
        # What was written before there was such a field says nothing of it.
        if part.name not in values and part.default is not MISSING:
            continue
        # The class itself and not its name, since annotations are not postponed in this module.
        if part.type is float:
            number = values[part.name]
            values[part.name] = math.nan if number is None else float(number)
        elif part.type is str and not isinstance(values[part.name], str):
            raise TypeError(f"{part.name}: expected a text, found {values[part.name]!r}")
    if values["verdict"] not in get_args(Word):
        raise ValueError(f"no verdict is called {values['verdict']!r}")
    waiver = values.pop("waiver")
    if waiver is not None:
        waiver = Waiver(**{**waiver, "until": date.fromisoformat(waiver["until"])})
    verdict = Verdict(**values, waiver=waiver)
    if verdict.rule_first:
        date.fromisoformat(verdict.rule_first)  # raises ValueError for what is no day
    return verdict
