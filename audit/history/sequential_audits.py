"""Audits of one model with newly drawn frames, combined into one confidence sequence.

Each draw of a grammar is new evidence; repeating the same frames is not (`judging.comparing`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from maskaudit.audit.errors import NotJudgedError
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.history.sequential import (
    ALPHA,
    ConfidenceSequence,
    anytime_p,
    confidence_sequence,
    first_alarm,
)
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.methods import Method, differences
from maskaudit.audit.recording.rows.slices import CONTRAST as CONTRAST_SLICE


@dataclass(frozen=True)
class Weekly:
    """The result of a series of audits of one model (scope S1: these attributes, new frames).

    Each record that was used has one entry, in order of time: its name, its estimate and standard
    error in nats, the limits that hold at all weeks at once, and an anytime-valid p value against
    `null_value`. `alarm` is the index of the first entry whose limits exclude the null value, or
    None. `skipped` has a line on each other record with the reason why it was not used.
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
    """The evidence of one record: the estimate and its variance over frames.

    `draw` identifies the frames drawn; `setup` gives the method and the models' weights.
    """

    name: str
    draw: str
    estimate: float
    variance: float
    setup: Mapping[str, str]


def weekly(  # noqa: PLR0913 - the number, its null value and its period
    records: Sequence[Record],
    probe_set: str,
    *,
    subject: str = "candidate",
    slice_: str = str(CONTRAST_SLICE),
    null_value: float = 0.0,
    since: Record | datetime | None = None,
    alpha: float = ALPHA,
) -> Weekly:
    """Combine the stereotype contrast of one model over audits with newly drawn frames.

    Every estimate joins one confidence sequence, with the frames' part of its variance.
    `null_value` must be fixed beforehand: 0 or a gate's margin, never another audit's estimate.
    `since` is the baseline accepted last; it and all older records are left out, since the longer a
    sequence has run, the longer it takes to detect a change. A draw that occurred before is
    skipped. Raises `NotJudgedError` for a set without a grammar, for records of different models or
    methods, and if no record is left.
    """
    weeks = []
    skipped = []
    # By name where two were made at once, so that the sequence does not depend on the folder.
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
    """Combine weeks, given in order of time, into one sequence; see `weekly`.

    `skipped` has a line on each record that was not used; a draw that occurred before is added to
    it. Raises `NotJudgedError` for weeks of different models or methods, and for no weeks.
    """
    # The same frames give the same number: counted again, they would narrow the limits without new
    # evidence.
    fresh: dict[str, Week] = {}
    left_out = list(skipped)
    for week in weeks:
        if week.draw in fresh:
            earlier = fresh[week.draw].name
            left_out.append(f"{week.name}: drew the same frames as {earlier}; use another seed")
        else:
            fresh[week.draw] = week
    used = list(fresh.values())
    _check(probe_set, used, left_out)
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
        skipped=tuple(left_out),
    )


def _week(record: Record, probe_set: str, subject: str, slice_: str) -> Week | str:
    """The evidence of a record on the set, or the reason why it has none.

    Raises `NotJudgedError` if the set has no grammar.
    """
    part = record.manifest.probe_sets.get(probe_set)
    if part is None:
        return f"has no probe set {probe_set!r}"
    if part.grammar is None:
        raise NotJudgedError(
            f"{record.name}: the probe set {probe_set!r} has no grammar, and the same frames again "
            "are no new evidence"
        )
    selection = {
        "probe_set": probe_set,
        "subject": subject,
        "slice": slice_,
        "estimator": CONTRAST,
    }
    rows = record.estimates
    for column, value in selection.items():
        rows = rows[rows[column] == value]
    # Only the frames are drawn anew each week. The attributes stay the same, so limits that spoke
    # of other attributes too (S2 instead of S1) would raise false alarms.
    rows = rows[rows["v_frames"].notna()]
    if rows.empty:
        return f"has no number with an interval for {slice_!r} of {subject!r}"
    models = record.manifest.models
    # A method key leaves the models out, and a sequence is about one model.
    weights = {name: models[name].weights for name in models if subject in {name, "difference"}}
    method = Method.parse(rows["method"].iloc[0])
    return Week(
        name=record.name,
        draw=part.items_digest,
        estimate=float(rows["estimate"].iloc[0]),
        variance=float(rows["v_frames"].iloc[0]),
        setup={**method, **{f"weights of the {name}": digest for name, digest in weights.items()}},
    )


def _check(probe_set: str, weeks: Sequence[Week], skipped: Sequence[str]) -> None:
    """Raise `NotJudgedError` if there are no weeks, or if their models or methods differ."""
    if not weeks:
        reason = "; ".join(skipped) or "no record is newer than the baseline"
        raise NotJudgedError(f"{probe_set}: there is nothing to judge ({reason})")
    for week in weeks[1:]:
        if changed := list(differences(weeks[0].setup, week.setup)):
            raise NotJudgedError(
                f"{probe_set}: {week.name} cannot be combined with {weeks[0].name} "
                f"({', '.join(changed)}); start again with the first record after the change"
            )


def _created(record: Record) -> datetime:
    return datetime.fromisoformat(record.manifest.created)


def _moment(since: Record | datetime) -> datetime:
    if isinstance(since, Record):
        return _created(since)
    # Times of records have a zone, and Python compares them with no time that has none.
    return since if since.tzinfo else since.replace(tzinfo=UTC)
