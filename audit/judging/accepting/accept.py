"""Accept a record as a baseline, unless it is worse or was measured in another way."""

import hashlib
import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from maskaudit.audit.errors import InputError, NotJudgedError, WorseError
from maskaudit.audit.estimating.crossed.cells import CANDIDATE, DIFFERENCE
from maskaudit.audit.estimating.headline import headline
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.accepting.baseline import (
    ANCHOR,
    FORMAT,
    MOST_CANDIDATES,
    Accepted,
    Baseline,
    load,
    parquet,
    write,
)
from maskaudit.audit.judging.accepting.comparison import (
    Comparison,
    compare_with_accepted,
    measured,
    not_compared,
)
from maskaudit.audit.judging.comparing.versions import MOST_LOST
from maskaudit.audit.recording.manifest import ProbeSetKey
from maskaudit.audit.recording.record import Record
from maskaudit.audit.texts import gates_file
from maskaudit.audit.texts.names import is_there

# No dot: a baseline named `main.anchor` would be taken for the anchor of `main`.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_GATE_FIELDS = {"id", "rule", "margin", "total_margin", "bound", "harm", "reason"}


def accept(  # noqa: PLR0913 - each is a decision of the person who accepts
    record: Record,
    folder: str | Path,
    name: str,
    reason: str,
    *,
    allow_worse: bool = False,
    new_anchor: bool = False,
    best_of: int = 1,
    today: date | None = None,
) -> Baseline:
    """Accept the candidate of a record as the baseline `name`, the first time also as its anchor.

    `allow_worse` accepts a candidate that is worse or is missing scores. `new_anchor` starts a new
    series: it accepts one that was measured in another way, and replaces the anchor too. `best_of`
    is how many candidates it was picked from by the numbers of such records: its own were lucky
    then, and a later version has to be the worse by more to fail (`decision.change`).

    Raises `WorseError` if the candidate is credibly worse than the baseline or the anchor without
    `allow_worse`; `NotJudgedError` if it has no scores, if it is missing more than `MOST_LOST` of
    the older scores without either option, if it was measured in another way without `new_anchor`,
    or if a file of the baseline is missing; `InputError` for an unusable name, number of candidates
    or reason, and for a trial.
    Leaves no partial file.
    """
    directory = Path(folder)
    _check(name, reason, best_of)
    if (limit := record.manifest.limit) is not None:
        raise InputError(
            f"{record.name}: is a trial of {limit} frames of each set (--limit), which is never a "
            "baseline; audit the whole sets and accept that record"
        )
    new = measured(record)
    comparison = None
    if _exists(directory, name):
        comparison = compare_with_accepted(record, directory, name)
        _check_acceptable(comparison, name, allow_worse=allow_worse, new_anchor=new_anchor)
    content = parquet(new.scores)
    # The first baseline of a name starts a series too, so its file says `new_anchor` as well.
    is_first = comparison is None or new_anchor
    about = Accepted(
        format=FORMAT,
        name=name,
        accepted=today or datetime.now(UTC).date(),
        reason=reason.strip(),
        # What was found, and not what was asked: --allow-worse may be given where nothing is worse.
        allowed_worse=comparison is not None and bool(comparison.changes["worse"].any()),
        new_anchor=is_first,
        best_of=best_of,
        record=new.name,
        replaces="" if comparison is None else load(directory, name).about.record,
        created=record.manifest.created,
        maskaudit=new.maskaudit,
        scores=hashlib.sha256(content).hexdigest(),
        # As text for reviewers: nobody computes with these, verdicts are made from the scores.
        numbers=_numbers(record),
        changes={} if comparison is None else _changes(comparison.changes),
        # One level up: baselines lie in a folder beside their gates.toml (`Policy.baselines`).
        margins=list(_margins(directory.parent)),
        not_compared={} if comparison is None else not_compared(comparison),
        method=dict(new.method),
        models=record.manifest.models,
        probe_sets={key: _key(part) for key, part in new.probe_sets.items()},
    )
    # Later ones leave the anchor alone: the change since it is what stops many small steps.
    names = [f"{name}{ANCHOR}", name] if is_first else [name]
    write(
        directory,
        {
            baseline_name: (content, about.model_copy(update={"name": baseline_name}))
            for baseline_name in names
        },
    )
    return load(directory, name)


def _check(name: str, reason: str, best_of: int) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"baseline name {name!r}: expected at most 64 letters, digits, - and _, "
            "starting with a letter or a digit"
        )
    if not reason.strip():
        raise InputError("--reason: is empty; expected a sentence for the reviewers of the change")
    if not 1 <= best_of <= MOST_CANDIDATES:
        raise InputError(
            f"--best-of: is {best_of}; expected from 1 (not picked) to {MOST_CANDIDATES:,}"
        )


def _exists(folder: Path, name: str) -> bool:
    """Whether the baseline and its anchor exist. Raises `NotJudgedError` if only one of them does.

    Treating half a baseline as none would start a new series unnoticed.
    """
    files = [folder / f"{name}.toml", folder / f"{name}{ANCHOR}.toml"]
    existing = [path for path in files if is_there(path)]
    if len(existing) == 1:
        (missing,) = set(files) - set(existing)
        raise NotJudgedError(
            f"{missing}: is missing, but {existing[0].name} exists; restore the missing file from "
            "git, or remove the other one too to start anew"
        )
    return bool(existing)


def _check_acceptable(
    comparison: Comparison, name: str, *, allow_worse: bool, new_anchor: bool
) -> None:
    """Raise if the record was measured differently, is missing many scores or is credibly worse."""
    # In this order: scores that were made in another way, or are not there, cannot show that the
    # rest is no worse.
    unlike = [
        f"{accepted_name}: {probe_set}: {reason}"
        for accepted_name, refused in comparison.refused.items()
        for probe_set, reason in refused.items()
    ]
    if unlike and not new_anchor:
        message = (
            f"{name}: the record was not measured in the same way as the baseline; --new-anchor "
            "starts a new series and says so in its file"
        )
        raise NotJudgedError("\n".join([message, *unlike]))
    # Losing the cells on which a model is worst would look like an improvement.
    lost = [
        f"{accepted_name}: {probe_set}: {share:.0%} of its scores are lost"
        for accepted_name, versions in comparison.versions.items()
        for probe_set, share in versions.lost_share.items()
        if share > MOST_LOST
    ]
    if lost and not (allow_worse or new_anchor):
        message = (
            f"{name}: too many scores are missing for a comparison; --allow-worse accepts it anyway"
        )
        raise NotJudgedError("\n".join([message, *lost]))
    worse = comparison.changes[comparison.changes["worse"]]
    if len(worse) and not allow_worse:
        lines = [
            f"worse than the {row['against']}: {row['probe_set']}, {row['slice']}, "
            f"{row['estimator']} {row['estimate']:+.3f} (one-sided 95 % bounds {row['low']:+.3f} "
            f"and {row['high']:+.3f}; Holm-adjusted p = {row['p_adjusted']:.2g})"
            for row in worse.to_dict("records")
        ]
        message = (
            f"{name}: the record is not accepted; --allow-worse accepts it anyway, with its reason"
        )
        raise WorseError("\n".join([message, *lines]))


def _numbers(record: Record) -> dict[str, dict[str, str]]:
    """The headline numbers of the candidate and of the difference, as text by probe set."""
    numbers: dict[str, dict[str, str]] = {}
    for subject in (CANDIDATE, DIFFERENCE):
        rows = headline(record.estimates, subject)
        for row in rows[rows["estimate"].notna()].to_dict("records"):
            limits = "" if math.isnan(row["low"]) else f" ({row['low']:+.4f} to {row['high']:+.4f})"
            name = f"{row['subject']}: {row['estimator']}, {row['slice']}"
            numbers.setdefault(row["probe_set"], {})[name] = f"{row['estimate']:+.4f}{limits}"
    return numbers


def _changes(changes: pd.DataFrame) -> dict[str, dict[str, str]]:
    """The changes since the baseline and since the anchor, as text by probe set."""
    texts: dict[str, dict[str, str]] = {}
    for row in changes.to_dict("records"):
        name = f"{row['against']}: {row['estimator']}, {row['slice']}"
        texts.setdefault(row["probe_set"], {})[name] = (
            f"{row['estimate']:+.4f} (bounds {row['low']:+.4f} and {row['high']:+.4f}; "
            f"p = {row['p_adjusted']:.2g}){', worse' if row['worse'] else ''}"
        )
    return texts


def _margins(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the margins and bounds of a folder's gates.toml with their reasons, if it has one."""
    file = gates_file.find(folder)
    for gate in () if file is None else policy.read(file).gates:
        yield gate.model_dump(include=_GATE_FIELDS, exclude_none=True)


def _key(described: ProbeSetKey) -> ProbeSetKey:
    """The key of a record's probe set, without the fields that only its page needs."""
    return ProbeSetKey(**{name: getattr(described, name) for name in ProbeSetKey.model_fields})
