"""A forest plot: one row per estimate, in groups under titles."""

from typing import Any

import altair as alt
import pandas as pd

from maskaudit.reports.blocks import Forest, Mark
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

_ROW, _TITLE_ROW = 24, 34
_LEFT, _PLOT, _RIGHT = 232, 330, 178
_LONGEST_LABEL = 36


def forest_chart(forest: Forest) -> Any:  # noqa: ANN401
    """The marks of each group below its title, with their intervals, names and values."""
    rows, titles = _placed(forest)
    data = pd.DataFrame(rows)
    height = float(data["y"].max()) + _ROW
    # Zero stays in view, since every estimate is read against it.
    ticks = ticks_around(
        [0.0, *(value for row in rows for value in (row["estimate"], row["low"], row["high"]))]
    )
    x = alt.X("estimate:Q", scale=scale(ticks), axis=axis(ticks, forest.axis))
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, height], reverse=True, nice=False), axis=None)
    # What is unknown is NaN: its row keeps its texts, and gets no point or interval at a made-up 0.
    estimated = data.dropna(subset=["estimate"])
    with_interval = estimated.dropna(subset=["low", "high"])
    base, intervals = over(estimated), over(with_interval)
    stroke = alt.Stroke("colour:N", scale=None)
    fill = alt.Fill("colour:N", scale=None)
    label = alt.Description("label:N")
    return framed(
        alt.layer(
            line([{"x": 0, "x2": 0, "y": 0, "y2": height}], ticks, y, SOFT),
            intervals.mark_rule(strokeWidth=2).encode(
                x=alt.X("low:Q", scale=scale(ticks)), x2=alt.X2("high:Q"), y=y, stroke=stroke,
                description=label,
            ),
            base.mark_point(filled=True, size=72, opacity=1, strokeWidth=0).encode(
                x=x, y=y, fill=fill, description=label,
                shape=alt.Shape("shape:N", scale=None),
            ),
            text(data, "row", x=-12, align="right", y=y),
            text(data, "value", x=_PLOT + 14, align="left", y=y),
            text(titles, "title", x=-_LEFT + 4, align="left", y=y, weight="bold"),
        ),
        (_PLOT, height),
        {"left": _LEFT, "right": _RIGHT, "top": 4, "bottom": 52},
    )  # fmt: skip


def _placed(forest: Forest) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Every mark with its vertical position in the chart, and every group title with its own."""
    rows: list[dict[str, Any]] = []
    titles = []
    y = 0.0
    for title, marks in forest.groups:
        y += _TITLE_ROW
        titles.append({"title": title, "y": y})
        for mark in marks:
            y += _ROW
            rows.append(_row(mark, y))
    return rows, pd.DataFrame(titles)


def _row(mark: Mark, y: float) -> dict[str, Any]:
    row = mark.row
    # Cut the name only: the role in brackets after it tells the rows apart.
    if len(row) > _LONGEST_LABEL:
        name, _, tag = row.rpartition(" (")
        row = f"{name[: _LONGEST_LABEL - len(tag) - 3]}… ({tag}"
    return {
        "row": row,
        "label": mark.label,
        "value": mark.value,
        "estimate": mark.estimate,
        "low": mark.low,
        "high": mark.high,
        "colour": f"var(--{mark.subject})",
        "shape": SHAPES[mark.subject],
        "y": y,
    }
