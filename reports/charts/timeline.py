"""A series of records as static SVG: estimates with intervals in order, and level changes.

As in the other charts, colours are named, positions computed, and every mark is labelled.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from maskaudit.reports.blocks import Level, Limits, Timeline
from maskaudit.reports.charts.common import (
    SHAPES,
    SOFT,
    axis,
    framed,
    over,
    scale,
    ticks_around,
)

WIDTH, HEIGHT = 640, 240
_MOST_DATES = 6
# From here on points of the usual size, 72 square pixels, would nearly touch: each has 640/60,
# about 11 pixels.
_CROWDED = 60
_ALARM = "var(--note-line)"


def timeline_chart(line: Timeline) -> Any:  # noqa: ANN401
    """The numbers of a timeline in their order, with levels, limits and dates."""
    data = _placed(line)
    nulls = [] if line.null is None else [line.null]
    bounds = [bound for limit in line.limits for bound in (limit.low, limit.high)]
    ticks = ticks_around([*nulls, *bounds, *data["estimate"], *data["low"], *data["high"]])
    x = _in_order(len(data))
    y = alt.Y("estimate:Q", scale=scale(ticks), axis=axis(ticks, line.axis, extent=34))
    # Each layer covers the ones before it, so the points come after all lines.
    layers = [
        *_across(nulls, len(data), x, ticks),
        *_limits(line.limits, x, ticks),
        _intervals(data, x, ticks),
        *_levels(line.levels, x, ticks),
        _points(data, x, y, line.subject),
        _dates(data),
    ]
    return framed(
        alt.layer(*layers),
        (WIDTH, HEIGHT),
        {"left": 62, "right": 40, "top": 10, "bottom": 34},
    )


def _in_order(n: int) -> alt.X:
    """Positions from left to right, with half a position free at either end."""
    return alt.X("x:Q", scale=alt.Scale(domain=[-0.5, n - 0.5], nice=False, zero=False), axis=None)


def _placed(line: Timeline) -> pd.DataFrame:
    ring = 1.5 if len(line.moments) > _CROWDED else 3.0
    return pd.DataFrame(
        {
            "x": i,
            "label": moment.label,
            "date": moment.date,
            "estimate": moment.estimate,
            "low": moment.low,
            "high": moment.high,
            "fill": "var(--paper)" if moment.state == "repeat" else f"var(--{line.subject})",
            "stroke": _ALARM if moment.state == "alarm" else f"var(--{line.subject})",
            "width": ring if moment.state == "alarm" else 1.0,
        }
        for i, moment in enumerate(line.moments)
    )


def _points(data: pd.DataFrame, x: alt.X, y: alt.Y, subject: str) -> Any:  # noqa: ANN401
    shown = data.dropna(subset=["estimate"])
    return (
        over(shown)
        .mark_point(
            filled=True, opacity=1, size=34 if len(data) > _CROWDED else 72, shape=SHAPES[subject]
        )
        .encode(
            x=x, y=y, fill=alt.Fill("fill:N", scale=None),
            stroke=alt.Stroke("stroke:N", scale=None),
            strokeWidth=alt.StrokeWidth("width:Q", scale=None),
            description=alt.Description("label:N"),
        )
    )  # fmt: skip


def _intervals(data: pd.DataFrame, x: alt.X, ticks: Sequence[float]) -> Any:  # noqa: ANN401
    """The interval of each number; silent to screen readers, since the point has the label."""
    return (
        over(data.dropna(subset=["low", "high"]))
        .mark_rule(strokeWidth=1 if len(data) > _CROWDED else 2, opacity=0.55, aria=False)
        .encode(
            x=x, y=alt.Y("low:Q", scale=scale(ticks)), y2=alt.Y2("high:Q"),
            stroke=alt.Stroke("stroke:N", scale=None),
        )
    )  # fmt: skip


def _across(values: Sequence[float], n: int, x: alt.X, ticks: Sequence[float]) -> list[Any]:
    return [
        _rules([{"x": -0.5, "x2": n - 0.5, "y": value}], x, ticks, SOFT, [4, 3]) for value in values
    ]


def _levels(levels: Sequence[Level], x: alt.X, ticks: Sequence[float]) -> list[Any]:
    rows = [{"x": level.first - 0.5, "x2": level.last + 0.5, "y": level.value} for level in levels]
    return [_rules(rows, x, ticks, "var(--ink)", [])] if rows else []


def _rules(
    rows: list[dict[str, float]],
    x: alt.X,
    ticks: Sequence[float],
    colour: str,
    dash: list[int],
) -> Any:  # noqa: ANN401
    """Horizontal reference lines for the marks; screen readers skip them."""
    return (
        over(pd.DataFrame(rows))
        .mark_rule(strokeWidth=1.5, strokeDash=dash, aria=False)
        .encode(
            x=x,
            x2=alt.X2("x2:Q"),
            y=alt.Y("y:Q", scale=scale(ticks)),
            stroke=alt.StrokeValue(colour),
        )
    )


def _limits(limits: Sequence[Limits], x: alt.X, ticks: Sequence[float]) -> list[Any]:
    """The two limits of a sequence, each as a step line."""
    return [
        over(pd.DataFrame({"x": limit.place, "y": getattr(limit, name)} for limit in limits))
        .mark_line(strokeWidth=1.5, interpolate="step-after", aria=False, fill=None)
        .encode(x=x, y=alt.Y("y:Q", scale=scale(ticks)), stroke=alt.StrokeValue(SOFT))
        for name in ("low", "high")
        if limits
    ]


def _dates(data: pd.DataFrame) -> Any:  # noqa: ANN401
    """At most six evenly spaced dates below the marks, starting with the first."""
    n = len(data)
    shown = range(0, n, -(-n // _MOST_DATES))
    return (
        over(data.iloc[list(shown)])
        .mark_text(baseline="top", fontSize=12, limit=0)
        .encode(
            x=_in_order(n),
            y=alt.YValue(HEIGHT + 12),  # type: ignore[no-untyped-call]  # altair leaves it untyped
            text=alt.Text("date:N"),
            fill=alt.FillValue(SOFT), description=alt.Description("date:N"),
        )
    )  # fmt: skip
