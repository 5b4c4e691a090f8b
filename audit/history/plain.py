"""A judged history as plain JSON values."""

import math
from typing import Any

from maskaudit.audit.history.judge import Judged, Judgement
from maskaudit.audit.history.series import KEYS, NUMBERS, Point


def as_json(made: Judgement) -> dict[str, Any]:
    """Convert a judged history to plain JSON values; unknown numbers are null."""
    history = made.history
    return {
        "records": [
            {"record": a.name, "created": a.created.isoformat(), "number": a.number}
            for a in history.audits
        ],
        "skipped": [{"record": one.name, "reason": one.reason} for one in history.skipped],
        "clock_backwards": [{"written": a, "then": b} for a, b in history.clock],
        "alpha": made.alpha,
        "alpha_each": made.alpha_each,
        "series": [_series_as_json(one) for one in made.judged],
        "alarms": [
            {"series": alarm.series.name, "record": alarm.record, "kind": alarm.kind}
            for alarm in made.alarms
        ],
    }


def _series_as_json(one: Judged) -> dict[str, Any]:
    series, change, weekly = one.series, one.change, one.weekly
    points = zip(series.points, one.p, one.worse, strict=True)
    return {
        **{name: getattr(series, name) for name in KEYS},
        "differs": list(series.differs),
        "is_drawn": series.is_drawn,
        "unjudged": one.unjudged,
        "points": [_point_as_json(point, p, is_worse) for point, p, is_worse in points],
        "change": None
        if change is None
        else {
            "last_before": series.fresh[change.place - 1].audit.name,
            "first_after": series.fresh[change.place].audit.name,
            **{name: known(getattr(change, name)) for name in ("before", "after", "p")},
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
        **{name: known(getattr(point, name)) for name in NUMBERS},
        "repeats": point.same_as,
        "repeat": point.repeat,
        "p_worse": known(p),
        "worse": is_worse,
    }


def known(value: float | None) -> float | None:
    """The number for JSON; None (null) if it is not finite."""
    return value if value is not None and math.isfinite(value) else None
