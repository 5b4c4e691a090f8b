"""Charts as static SVG: the same bytes for the same numbers, and a label on every mark.

Colours are names of the page's style sheet (`var(--name)`), so that a chart follows its theme.
All places are computed here and none from the width of a text, which depends on a machine's fonts.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd
import vl_convert

from maskaudit.reports.blocks import Dot, Forest, Mark, Scatter, Timeline, Yardsticks
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, REFERENCE

FONT = "system-ui, sans-serif"
_VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
_SHAPES: Mapping[str, str] = {REFERENCE: "circle", CANDIDATE: "square", DIFFERENCE: "diamond"}
_INK, _SOFT, _LINE = "var(--ink)", "var(--soft)", "var(--line)"
_ROW, _TITLE_ROW = 24, 34
_LEFT, _PLOT, _RIGHT = 232, 330, 178
_LONGEST_LABEL = 36
_SIDE = 250
# Shares that an axis may name.
_SHARES = (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)
_MARGIN = 0.3
_AS_PERCENT = "format(100 / (1 + exp(-datum.value)), '.4~r') + ' %'"


def draw(chart: Forest | Scatter | Yardsticks | Timeline) -> str:
    """The SVG of a chart."""
    if isinstance(chart, Timeline):
        from maskaudit.reports.charts import timeline  # which draws with what stands here

        return timeline.draw(chart)
    if isinstance(chart, Forest):
        return _svg(_forest(chart))
    return _svg(_scatter(chart) if isinstance(chart, Scatter) else _yardsticks(chart))


def _forest(forest: Forest) -> Any:  # noqa: ANN401
    rows, titles = _placed(forest)
    data = pd.DataFrame(rows)
    height = float(data["y"].max()) + _ROW
    ticks = _ticks(
        [0.0, *(value for row in rows for value in (row["estimate"], row["low"], row["high"]))]
    )
    x = alt.X("estimate:Q", scale=_scale(ticks), axis=_axis(ticks, forest.axis))
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, height], reverse=True, nice=False), axis=None)
    known = data.dropna(subset=["estimate"])
    certain = known.dropna(subset=["low", "high"])
    base, intervals = _over(known), _over(certain)
    stroke = alt.Stroke("colour:N", scale=None)
    fill = alt.Fill("colour:N", scale=None)
    label = alt.Description("label:N")
    return _framed(
        alt.layer(
            _line([{"x": 0, "x2": 0, "y": 0, "y2": height}], ticks, y, _SOFT),
            intervals.mark_rule(strokeWidth=2).encode(
                x=alt.X("low:Q", scale=_scale(ticks)), x2=alt.X2("high:Q"), y=y, stroke=stroke,
                description=label,
            ),
            base.mark_point(filled=True, size=72, opacity=1, strokeWidth=0).encode(
                x=x, y=y, fill=fill, description=label,
                shape=alt.Shape("shape:N", scale=None),
            ),
            _text(data, "row", x=-12, align="right", y=y),
            _text(data, "value", x=_PLOT + 14, align="left", y=y),
            _text(titles, "title", x=-_LEFT + 4, align="left", y=y, weight="bold"),
        ),
        (_PLOT, height),
        {"left": _LEFT, "right": _RIGHT, "top": 4, "bottom": 52},
    )  # fmt: skip


def _placed(forest: Forest) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Every mark with its height in the chart, and every group's title with its own."""
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
        "shape": _SHAPES[mark.subject],
        "y": y,
    }


def _scatter(scatter: Scatter) -> Any:  # noqa: ANN401
    data = _dots(scatter.dots)
    ticks = _ticks([*data["x"], *data["y"]])
    x = alt.X("x:Q", scale=_scale(ticks), axis=_axis(ticks, scatter.x_axis))
    y = alt.Y("y:Q", scale=_scale(ticks), axis=_axis(ticks, scatter.y_axis))
    ends = [{"x": ticks[0], "x2": ticks[-1], "y": ticks[0], "y2": ticks[-1]}]
    return _framed(
        alt.layer(
            _line(ends, ticks, alt.Y("y:Q", scale=_scale(ticks)), _SOFT),
            _marks(data, x, y),
        ),
        (_SIDE, _SIDE),
        {"left": 52, "right": 14, "top": 8, "bottom": 52},
    )


def _yardsticks(chart: Yardsticks) -> Any:  # noqa: ANN401
    """Shares on a scale of log-odds: the same in both directions, named in percent."""
    data = _dots(chart.dots)
    ends, ticks = _shares([*data["x"], *data["y"]])
    low, high = ends
    x = alt.X("x:Q", scale=_scale(ends), axis=_axis(ticks, chart.x_axis, _AS_PERCENT))
    y = alt.Y("y:Q", scale=_scale(ends), axis=_axis(ticks, chart.y_axis, _AS_PERCENT, 46))
    plain = alt.Y("y:Q", scale=_scale(ends))
    names = pd.DataFrame({"name": ["world", "parity"], "y": [high, 0.0]})
    return _framed(
        alt.layer(
            _line([{"x": low, "x2": high, "y": low, "y2": high}], ends, plain, _SOFT),
            _line([{"x": low, "x2": high, "y": 0.0, "y2": 0.0}], ends, plain, _SOFT),
            _marks(data, x, y),
            _text(names, "name", x=_SIDE + 6, align="left", y=plain),
        ),
        (_SIDE, _SIDE),
        {"left": 70, "right": 48, "top": 10, "bottom": 52},
    )


def _shares(values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Where an axis of log-odds begins and ends, and the round shares in between.

    One half, where the line of parity lies, is always inside with a tick on either side.
    """
    known = [value for value in values if math.isfinite(value)]
    named = [math.log(share / (1 - share)) for share in _SHARES]
    nearest = math.log(9)
    low, high = min([*known, -nearest]) - _MARGIN, max([*known, nearest]) + _MARGIN
    return [low, high], [tick for tick in named if low <= tick <= high]


def _dots(dots: Sequence[Dot]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": dot.x,
            "y": dot.y,
            "label": dot.label,
            "colour": f"var(--{dot.subject})",
            "shape": _SHAPES[dot.subject],
        }
        for dot in dots
    )


def _marks(data: pd.DataFrame, x: alt.X, y: alt.Y) -> Any:  # noqa: ANN401
    return (
        _over(data)
        .mark_point(filled=True, size=34, opacity=0.85, strokeWidth=0)
        .encode(
            x=x, y=y, fill=alt.Fill("colour:N", scale=None),
            shape=alt.Shape("shape:N", scale=None), description=alt.Description("label:N"),
        )
    )  # fmt: skip


def _line(ends: list[dict[str, float]], ticks: Sequence[float], y: alt.Y, colour: str) -> Any:  # noqa: ANN401
    """A line to read the marks against; no mark itself, so it is silent to a screen reader."""
    return (
        _over(pd.DataFrame(ends))
        .mark_rule(strokeWidth=1, strokeDash=[4, 3], aria=False)
        .encode(
            x=alt.X("x:Q", scale=_scale(ticks)),
            x2=alt.X2("x2:Q"),
            y=y,
            y2=alt.Y2("y2:Q"),
            stroke=alt.StrokeValue(colour),
        )
    )


def _text(  # noqa: PLR0913 - each a word of how a label is set
    data: pd.DataFrame,
    field: str,
    *,
    x: float,
    align: Literal["left", "right"],
    y: alt.Y,
    weight: Literal["normal", "bold"] = "normal",
) -> Any:  # noqa: ANN401
    """Labels beside the plot; each is its own label, too."""
    return (
        _over(data)
        .mark_text(align=align, baseline="middle", fontSize=13, fontWeight=weight, limit=0)
        .encode(
            x=alt.XValue(x),  # type: ignore[no-untyped-call]  # altair leaves it untyped
            y=y, text=alt.Text(f"{field}:N"), fill=alt.FillValue(_INK),
            description=alt.Description(f"{field}:N"),
        )
    )  # fmt: skip


def _scale(ticks: Sequence[float]) -> alt.Scale:
    return alt.Scale(domain=[ticks[0], ticks[-1]], nice=False, zero=False)


def _axis(ticks: Sequence[float], title: str, label: str = "", extent: int = 24) -> alt.Axis:
    return alt.Axis(
        labelExpr=label or alt.Undefined,
        values=list(ticks),
        tickCount=len(ticks),  # without it vega leaves out every second of many
        title=title,
        grid=True,
        format=".1f" if ticks[1] - ticks[0] < 1 else "d",
        labelOverlap=False,
        labelFlush=False,
        titlePadding=10,
        minExtent=extent,
        maxExtent=extent,
    )


def _ticks(values: Sequence[float]) -> list[float]:
    """Round numbers that reach around all values: some five steps of 1, 2 or 5."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known), max(known)
    span = max(high - low, 0.4)
    power = 10.0 ** math.floor(math.log10(span / 5))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= 6)  # noqa: PLR2004
    step = max(step, 0.1)
    first, last = math.floor(low / step), math.ceil(high / step)
    last += last == first
    return [round(step * i, 10) for i in range(first, last + 1)]


def _framed(
    chart: alt.LayerChart | alt.FacetChart, size: tuple[float, float], padding: dict[str, float]
) -> Any:  # noqa: ANN401 - a chart of altair, whose methods are typed loosely
    axes = alt.AxisConfig(
        labelColor=_SOFT, titleColor=_SOFT, tickColor=_LINE, domainColor=_LINE,
        gridColor=_LINE, labelFontSize=12, titleFontSize=12, titleFontWeight="normal",
    )  # fmt: skip
    # All at once: each call would copy the whole chart.
    return chart.properties(
        width=size[0],
        height=size[1],
        padding=padding,
        autosize=alt.AutoSizeParams(type="none"),
        config=alt.Config(
            font=FONT, background="transparent", view=alt.ViewConfig(stroke=None), axis=axes
        ),
    )


def _over(data: pd.DataFrame) -> alt.Chart:
    """A chart of these rows; plain ones, since every channel here says what type it is of."""
    rows = [
        {name: None if _is_unknown(value) else value for name, value in row.items()}
        for row in data.to_dict("records")
    ]
    return alt.Chart({"values": rows})


def _is_unknown(value: object) -> bool:
    """Whether a number has no place on an axis."""
    return isinstance(value, float) and not math.isfinite(value)


def _svg(chart: Any) -> str:  # noqa: ANN401
    # A test holds the charts against the schema, which takes longer than to draw them.
    spec = chart.to_dict(validate=False)
    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE)
    return svg
