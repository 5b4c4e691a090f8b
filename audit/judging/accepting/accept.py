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
from maskaudit.audit.estimating.cells import CANDIDATE, DIFFERENCE
from maskaudit.audit.estimating.headline import headline
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.accepting.baseline import (
    ANCHOR,
    FORMAT,
    Accepted,
    Baseline,
    load,
    parquet,
    write,
)
from maskaudit.audit.judging.accepting.held import Held, hold, measured, not_compared
from maskaudit.audit.judging.comparing.versions import MOST_LOST
from maskaudit.audit.recording.manifest import ProbeSetKey
from maskaudit.audit.recording.record import Record

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_OF_GATE = {"id", "rule", "margin", "total_margin", "bound", "harm", "reason"}


def accept(  # noqa: PLR0913 - each is a decision of the person who accepts
    record: Record,
    folder: str | Path,
    name: str,
    reason: str,
    *,
    allow_worse: bool = False,
    new_anchor: bool = False,
    today: date | None = None,
) -> Baseline:
    """Accept the candidate of a record as the baseline `name`, the first time also as its anchor.

    `allow_worse` accepts a candidate that is worse or is missing scores. `new_anchor` starts a new
    series: it accepts one that was measured in another way, and replaces the anchor too.

    Raises `WorseError` if the candidate is credibly worse than the baseline or the anchor without
    `allow_worse`; `NotJudgedError` if it has no scores, if it is missing more than `MOST_LOST` of
    the older scores without either option, if it was measured in another way without `new_anchor`,
    or if a file of the baseline is missing; `InputError` for an unusable name or an empty reason.
    Leaves no partial file.
    """
    place = Path(folder)
    _check(name, reason)
    new = measured(record)
    held = None
    if _stands(place, name):
        held = hold(record, place, name)
        _may_follow(held, name, allow_worse=allow_worse, new_anchor=new_anchor)
    content = parquet(new.scores)
    # The first baseline of a name starts a series too, so its file says `new_anchor` as well.
    is_first = held is None or new_anchor
    about = Accepted(
        format=FORMAT,
        name=name,
        accepted=today or datetime.now(UTC).date(),
        reason=reason.strip(),
        allowed_worse=held is not None and bool(held.changes["worse"].any()),
        new_anchor=is_first,
        record=new.name,
        replaces="" if held is None else load(place, name).about.record,
        created=record.manifest.created,
        maskaudit=new.maskaudit,
        scores=hashlib.sha256(content).hexdigest(),
        numbers=_numbers(record),
        changes={} if held is None else _changes(held.changes),
        margins=list(_margins(place.parent / policy.DEFAULT_FILE)),
        not_compared={} if held is None else not_compared(held),
        method=dict(new.method),
        models=record.manifest.models,
        probe_sets={key: _key(part) for key, part in new.probe_sets.items()},
    )
    names = [f"{name}{ANCHOR}", name] if is_first else [name]
    write(place, {each: (content, about.model_copy(update={"name": each})) for each in names})
    return load(place, name)


def _check(name: str, reason: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"a baseline's name: is {name!r}; expected at most 64 letters, digits, - and _, "
            "beginning with a letter or a digit"
        )
    if not reason.strip():
        raise InputError("--reason: is empty; expected a sentence for those who review the change")


def _stands(folder: Path, name: str) -> bool:
    """Whether the baseline and its anchor exist. Raises `NotJudgedError` if only one of them does.

    Treating half a baseline as none would start a new series unnoticed.
    """
    files = [folder / f"{name}.toml", folder / f"{name}{ANCHOR}.toml"]
    there = [path for path in files if path.exists()]
    if len(there) == 1:
        (missing,) = set(files) - set(there)
        raise NotJudgedError(
            f"{missing}: is not there, and {there[0].name} is; restore it from git, or remove that "
            "one too to begin anew"
        )
    return bool(there)


def _may_follow(held: Held, name: str, *, allow_worse: bool, new_anchor: bool) -> None:
    """Raise if the record was measured differently, is missing many scores or is credibly worse."""
    unlike = [
        f"{who}: {probe_set}: {reason}"
        for who, refused in held.refused.items()
        for probe_set, reason in refused.items()
    ]
    if unlike and not new_anchor:
        told = (
            f"{name}: the record was not measured as the baseline was; --new-anchor starts a new "
            "series, and its file says so"
        )
        raise NotJudgedError("\n".join([told, *unlike]))
    # Losing the cells on which a model is worst would look like an improvement.
    lost = [
        f"{who}: {probe_set}: {share:.0%} of its scores are lost"
        for who, found in held.versions.items()
        for probe_set, share in found.lost_share.items()
        if share > MOST_LOST
    ]
    if lost and not (allow_worse or new_anchor):
        told = f"{name}: what is lost cannot be held against it; --allow-worse accepts it so"
        raise NotJudgedError("\n".join([told, *lost]))
    worse = held.changes[held.changes["worse"]]
    if len(worse) and not allow_worse:
        lines = [
            f"worse than the {row['against']}: {row['probe_set']}, {row['slice']}, "
            f"{row['estimator']} {row['estimate']:+.3f} (one-sided 95 % bounds {row['low']:+.3f} "
            f"and {row['high']:+.3f}; Holm-adjusted p = {row['p_adjusted']:.2g})"
            for row in worse.to_dict("records")
        ]
        told = f"{name}: the record is not accepted; --allow-worse accepts it, with the reason"
        raise WorseError("\n".join([told, *lines]))


def _numbers(record: Record) -> dict[str, dict[str, str]]:
    """The headline numbers of the candidate and of the difference, as text by probe set."""
    told: dict[str, dict[str, str]] = {}
    for subject in (CANDIDATE, DIFFERENCE):
        found = headline(record.estimates, subject)
        for row in found[found["estimate"].notna()].to_dict("records"):
            limits = "" if math.isnan(row["low"]) else f" ({row['low']:+.4f} to {row['high']:+.4f})"
            name = f"{row['subject']}: {row['estimator']}, {row['slice']}"
            told.setdefault(row["probe_set"], {})[name] = f"{row['estimate']:+.4f}{limits}"
    return told


def _changes(changes: pd.DataFrame) -> dict[str, dict[str, str]]:
    """The changes since the baseline and since the anchor, as text by probe set."""
    told: dict[str, dict[str, str]] = {}
    for row in changes.to_dict("records"):
        name = f"{row['against']}: {row['estimator']}, {row['slice']}"
        told.setdefault(row["probe_set"], {})[name] = (
            f"{row['estimate']:+.4f} (bounds {row['low']:+.4f} and {row['high']:+.4f}; "
            f"p = {row['p_adjusted']:.2g}){', worse' if row['worse'] else ''}"
        )
    return told


def _margins(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the margins and bounds of gates.toml with their reasons, if the file exists."""
    if file.is_file():
        for gate in policy.read(file).gates:
            yield gate.model_dump(include=_OF_GATE, exclude_none=True)


def _key(described: ProbeSetKey) -> ProbeSetKey:
    """The key of a record's probe set, without the fields that only its page needs."""
    return ProbeSetKey(**{name: getattr(described, name) for name in ProbeSetKey.model_fields})
