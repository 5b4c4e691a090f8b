"""Audits of one model with frames drawn anew each time: what all of them show together.

Each draw of a grammar is fresh evidence; the same frames again are not (`judging.comparing`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from maskaudit.audit.errors import NotJudgedError
from maskaudit.audit.estimating.names import CONTRAST
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.history.sequential import (
    ALPHA,
    ConfidenceSequence,
    anytime_p,
    confidence_sequence,
    first_alarm,
)
from maskaudit.audit.recording.methods import Method, differences
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.slices import CONTRAST as CONTRAST_SLICE


@dataclass(frozen=True)
class Weekly:
    """What a series of audits shows of one model (scope S1: these attributes, new frames).

    An entry a record that was used, in the order of time: its name, its estimate and standard
    error in nats, the limits that hold at every week at once, and a p value against `null_value`
    that may be looked at every week. `alarm` is the first entry whose limits leave out the null
    value. `skipped` says of each other record why it brings nothing.
    """

    records: tuple[str, ...]
    estimates: Cells
    std_errors: Cells
    sequence: ConfidenceSequence
    p: Cells
    null_value: float
    alarm: int | None
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class Week:
    """What one record brings: the estimate, its variance over frames, and how both were made.

    `draw` tells its frames from those of another draw; `made` names the method and the models.
    """

    name: str
    draw: str
    estimate: float
    variance: float
    made: Mapping[str, str]


def weekly(  # noqa: PLR0913 - what is watched, against what, since when
    records: Sequence[Record],
    probe_set: str,
    *,
    subject: str = "candidate",
    slice_: str = str(CONTRAST_SLICE),
    null_value: float = 0.0,
    since: Record | datetime | None = None,
    alpha: float = ALPHA,
) -> Weekly:
    """The stereotype contrast of one model over audits whose frames were drawn anew each time.

    Every estimate joins one confidence sequence, with the part of its variance that comes of the
    frames. `null_value` is fixed beforehand: 0 or a gate's margin, never another audit's estimate.
    `since` is the baseline accepted last; it and what is older are left out, since a sequence that
    runs on takes the longer to notice a change the longer it has run. A draw that was there before
    is skipped. Raises `NotJudgedError` for a set without a grammar, for records that are not of one
    model and one method, and where none is left.
    """
    weeks = []
    skipped = []
    for record in sorted(records, key=lambda record: (_created(record), record.name)):
        if since is not None and _created(record) <= _moment(since):
            continue
        week = _week(record, probe_set, subject, slice_)
        if isinstance(week, str):
            skipped.append(f"{record.name}: {week}")
        else:
            weeks.append(week)
    return joined(probe_set, weeks, skipped=skipped, null_value=null_value, alpha=alpha)


def joined(
    probe_set: str,
    weeks: Sequence[Week],
    *,
    skipped: Sequence[str] = (),
    null_value: float = 0.0,
    alpha: float = ALPHA,
) -> Weekly:
    """The sequence of weeks that stand in the order of time; see `weekly`.

    `skipped` says of other records why they bring nothing. A draw that was there before joins them.
    Raises `NotJudgedError` for weeks that are not of one model and one method, and for none.
    """
    fresh: dict[str, Week] = {}
    left = list(skipped)
    for week in weeks:
        if week.draw in fresh:
            before = fresh[week.draw].name
            left.append(f"{week.name}: drew the frames of {before} again; give another seed")
        else:
            fresh[week.draw] = week
    used = list(fresh.values())
    _check(probe_set, used, left)
    estimates = np.array([week.estimate for week in used])
    variances = np.array([week.variance for week in used])
    sequence = confidence_sequence(estimates, variances, alpha=alpha)
    return Weekly(
        records=tuple(week.name for week in used),
        estimates=estimates,
        std_errors=np.sqrt(variances),
        sequence=sequence,
        p=anytime_p(estimates, variances, null_value, alpha=alpha),
        null_value=null_value,
        alarm=first_alarm(sequence, null_value),
        skipped=tuple(left),
    )


def _week(record: Record, probe_set: str, subject: str, slice_: str) -> Week | str:
    """What a record says of the set, or why it says nothing."""
    part = record.manifest.probe_sets.get(probe_set)
    if part is None:
        return f"has no probe set {probe_set!r}"
    if part.grammar is None:
        raise NotJudgedError(
            f"{record.name}: the probe set {probe_set!r} has no grammar: the same frames again "
            "are no fresh evidence"
        )
    wanted = {
        "probe_set": probe_set,
        "subject": subject,
        "slice": slice_,
        "estimator": CONTRAST,
    }
    rows = record.estimates
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    rows = rows[rows["v_frames"].notna()]
    if rows.empty:
        return f"has no {slice_!r} with an interval for {subject!r}"
    models = record.manifest.models
    own = {name: models[name].weights for name in models if subject in {name, "difference"}}
    made = Method.parse(rows["method"].iloc[0])
    return Week(
        name=record.name,
        draw=part.items_digest,
        estimate=float(rows["estimate"].iloc[0]),
        variance=float(rows["v_frames"].iloc[0]),
        made={**made, **{f"weights of the {name}": digest for name, digest in own.items()}},
    )


def _check(probe_set: str, weeks: Sequence[Week], skipped: Sequence[str]) -> None:
    """Refuse to judge nothing, and weeks that are not of one model measured in one way."""
    if not weeks:
        why = "; ".join(skipped) or "no record is newer than the baseline"
        raise NotJudgedError(f"{probe_set}: there is nothing to judge ({why})")
    for week in weeks[1:]:
        if differ := list(differences(weeks[0].made, week.made)):
            raise NotJudgedError(
                f"{probe_set}: {week.name} does not repeat {weeks[0].name} ({', '.join(differ)}); "
                "start again with the first record after the change"
            )


def _created(record: Record) -> datetime:
    return datetime.fromisoformat(record.manifest.created)


def _moment(since: Record | datetime) -> datetime:
    if isinstance(since, Record):
        return _created(since)
    return since if since.tzinfo else since.replace(tzinfo=UTC)
