"""Scatter plots: two numbers around the diagonal, and shares against two yardsticks."""

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from maskaudit.reports.blocks import Dot, Scatter, Yardsticks
from maskaudit.reports.charts.common import (
    SHAPES,
    SOFT,
    axis,
    framed,
    line,
    over,
    scale,
    text,
    ticks_around,
)

_SIDE = 250
# Shares that may be ticks.
_SHARES = (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)
_MARGIN = 0.3
# A Vega expression that turns the log-odds of a tick back into its share.
_AS_PERCENT = "format(100 / (1 + exp(-datum.value)), '.4~r') + ' %'"


def scatter_chart(scatter: Scatter) -> Any:  # noqa: ANN401
    """Points of two numbers on the same scale in both directions, with the diagonal."""
    data = _dots(scatter.dots)
    ticks = ticks_around([*data["x"], *data["y"]])
    x = alt.X("x:Q", scale=scale(ticks), axis=axis(ticks, scatter.x_axis))
    y = alt.Y("y:Q", scale=scale(ticks), axis=axis(ticks, scatter.y_axis))
    ends = [{"x": ticks[0], "x2": ticks[-1], "y": ticks[0], "y2": ticks[-1]}]
    return framed(
        alt.layer(
            line(ends, ticks, alt.Y("y:Q", scale=scale(ticks)), SOFT),
            _marks(data, x, y),
        ),
        (_SIDE, _SIDE),
        {"left": 52, "right": 14, "top": 8, "bottom": 52},
    )


def yardsticks_chart(chart: Yardsticks) -> Any:  # noqa: ANN401
    """Shares on the same log-odds scale in both directions, labelled in percent."""
    data = _dots(chart.dots)
    ends, ticks = _shares([*data["x"], *data["y"]])
    low, high = ends
    x = alt.X("x:Q", scale=scale(ends), axis=axis(ticks, chart.x_axis, _AS_PERCENT))
    y = alt.Y("y:Q", scale=scale(ends), axis=axis(ticks, chart.y_axis, _AS_PERCENT, 46))
    plain = alt.Y("y:Q", scale=scale(ends))
    names = pd.DataFrame({"name": ["world", "parity"], "y": [high, 0.0]})
    return framed(
        alt.layer(
            line([{"x": low, "x2": high, "y": low, "y2": high}], ends, plain, SOFT),
            line([{"x": low, "x2": high, "y": 0.0, "y2": 0.0}], ends, plain, SOFT),
            _marks(data, x, y),
            text(names, "name", x=_SIDE + 6, align="left", y=plain),
        ),
        (_SIDE, _SIDE),
        {"left": 70, "right": 48, "top": 10, "bottom": 52},
    )


def _shares(values: Sequence[float]) -> tuple[list[float], list[float]]:
    """The ends of a log-odds axis, and its ticks at round shares.

    One half, the line of parity, always lies inside, with a tick on either side.
    """
    finite = [value for value in values if math.isfinite(value)]
    positions = [math.log(share / (1 - share)) for share in _SHARES]
    # The log-odds of 0.9; those of 0.1 are the negative.
    nearest = math.log(9)
    low, high = min([*finite, -nearest]) - _MARGIN, max([*finite, nearest]) + _MARGIN
    return [low, high], [tick for tick in positions if low <= tick <= high]


def _dots(dots: Sequence[Dot]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": dot.x,
            "y": dot.y,
            "label": dot.label,
            "colour": f"var(--{dot.subject})",
            "shape": SHAPES[dot.subject],
        }
        for dot in dots
    )


def _marks(data: pd.DataFrame, x: alt.X, y: alt.Y) -> Any:  # noqa: ANN401
    return (
        over(data)
        .mark_point(filled=True, size=34, opacity=0.85, strokeWidth=0)
        .encode(
            x=x, y=y, fill=alt.Fill("colour:N", scale=None),
            shape=alt.Shape("shape:N", scale=None), description=alt.Description("label:N"),
        )
    )  # fmt: skip
