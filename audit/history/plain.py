"""A judged history as plain JSON values."""

import math
from typing import Any

from maskaudit.audit.history.judge import Judged, Judgement
from maskaudit.audit.history.series import KEYS, NUMBERS, Point


def as_json(judgement: Judgement) -> dict[str, Any]:
    """Convert a judged history to plain JSON values; unknown numbers are null."""
    history = judgement.history
    return {
        "records": [
            {"record": audit.name, "created": audit.created.isoformat(), "number": audit.number}
            for audit in history.audits
        ],
        "skipped": [{"record": item.name, "reason": item.reason} for item in history.skipped],
        "clock_backwards": [{"written": first, "then": second} for first, second in history.clock],
        "alpha": judgement.alpha,
        "alpha_each": judgement.alpha_each,
        "searched": judgement.searched,
        "series": [_series_as_json(item) for item in judgement.judged],
        "alarms": [
            {"series": alarm.series.name, "record": alarm.record, "kind": alarm.kind}
            for alarm in judgement.alarms
        ],
    }


def _series_as_json(judged: Judged) -> dict[str, Any]:
    series, change, weekly = judged.series, judged.change, judged.weekly
    points = zip(series.points, judged.p, judged.worse, strict=True)
    return {
        **{name: getattr(series, name) for name in KEYS},
        "differs": list(series.differs),
        "is_drawn": series.is_drawn,
        "unjudged": judged.unjudged,
        "points": [_point_as_json(point, p, is_worse) for point, p, is_worse in points],
        "change": None
        if change is None
        else {
            "last_before": series.fresh[change.place - 1].audit.name,
            "first_after": series.fresh[change.place].audit.name,
            **{name: finite_or_none(getattr(change, name)) for name in ("before", "after", "p")},
        },
        "weekly": None
        if weekly is None
        else {
            "records": list(weekly.records),
            **{name: getattr(weekly.sequence, name).tolist() for name in ("mean", "low", "high")},
            "p": weekly.p.tolist(),
            "null_value": weekly.null_value,
        },
    }


def _point_as_json(point: Point, p: float, is_worse: bool) -> dict[str, Any]:  # noqa: FBT001
    return {
        "record": point.audit.name,
        "version": point.version,
        **{name: finite_or_none(getattr(point, name)) for name in NUMBERS},
        "repeats": point.same_as,
        "repeat": point.repeat,
        "p_worse": finite_or_none(p),
        "worse": is_worse,
    }


def finite_or_none(value: float | None) -> float | None:
    """The number for JSON; None (null) if it is not finite."""
    return value if value is not None and math.isfinite(value) else None
