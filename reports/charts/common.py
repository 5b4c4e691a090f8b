"""The parts that all charts share: scales, axes, frame, lines, labels, and their specification."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, REFERENCE

FONT = "system-ui, sans-serif"
# vl-convert names a version of Vega-Lite by two numbers: 6.4 for the v6.4.1 of altair.
VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
SHAPES: Mapping[str, str] = {REFERENCE: "circle", CANDIDATE: "square", DIFFERENCE: "diamond"}
INK, SOFT, LINE = "var(--ink)", "var(--soft)", "var(--line)"


def line(ends: list[dict[str, float]], ticks: Sequence[float], y: alt.Y, colour: str) -> Any:  # noqa: ANN401
    """A reference line for the marks; carries no data, so screen readers skip it."""
    return (
        over(pd.DataFrame(ends))
        .mark_rule(strokeWidth=1, strokeDash=[4, 3], aria=False)
        .encode(
            x=alt.X("x:Q", scale=scale(ticks)),
            x2=alt.X2("x2:Q"),
            y=y,
            y2=alt.Y2("y2:Q"),
            stroke=alt.StrokeValue(colour),
        )
    )


def text(  # noqa: PLR0913 - each sets one property of a label
    data: pd.DataFrame,
    field: str,
    *,
    x: float,
    align: Literal["left", "right"],
    y: alt.Y,
    weight: Literal["normal", "bold"] = "normal",
) -> Any:  # noqa: ANN401
    """Labels beside the plot; each is also its own text for screen readers."""
    return (
        over(data)
        .mark_text(align=align, baseline="middle", fontSize=13, fontWeight=weight, limit=0)
        .encode(
            x=alt.XValue(x),  # type: ignore[no-untyped-call]  # altair leaves it untyped
            y=y, text=alt.Text(f"{field}:N"), fill=alt.FillValue(INK),
            description=alt.Description(f"{field}:N"),
        )
    )  # fmt: skip


def scale(ticks: Sequence[float]) -> alt.Scale:
    """A scale from the first tick to the last."""
    # Vega would otherwise widen the domain, and our ticks would no longer be its ends.
    return alt.Scale(domain=[ticks[0], ticks[-1]], nice=False, zero=False)


def axis(ticks: Sequence[float], title: str, label: str = "", extent: int = 24) -> alt.Axis:
    """An axis with these ticks; `label` is a Vega expression for them, `extent` is in pixels."""
    return alt.Axis(
        labelExpr=label or alt.Undefined,
        values=list(ticks),
        tickCount=len(ticks),  # otherwise Vega drops every second tick of many
        title=title,
        grid=True,
        format=".1f" if ticks[1] - ticks[0] < 1 else "d",
        # Left to Vega, labels would be dropped and the axis sized by the width of their text, which
        # differs between machines.
        labelOverlap=False,
        labelFlush=False,
        titlePadding=10,
        minExtent=extent,
        maxExtent=extent,
    )


def ticks_around(values: Sequence[float]) -> list[float]:
    """Round ticks that span all finite values, of which there must be at least one.

    There are about five steps of 1, 2 or 5 times a power of ten, and at least 0.1.
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    # All values may be equal, and a span of 0 has no logarithm.
    span = max(high - low, 0.4)
    power = 10.0 ** math.floor(math.log10(span / 5))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= 6)  # noqa: PLR2004
    step = max(step, 0.1)
    first, last = math.floor(low / step), math.ceil(high / step)
    # `axis` needs two ticks to tell their distance.
    last += last == first
    # Rounded because 3 * 0.1 is 0.30000000000000004 in floating point.
    return [round(step * i, 10) for i in range(first, last + 1)]


def framed(
    chart: alt.LayerChart | alt.FacetChart, size: tuple[float, float], padding: dict[str, float]
) -> Any:  # noqa: ANN401 - a chart of altair, whose methods are typed loosely
    """A chart of this size, with the fonts and colours shared by all charts."""
    axes = alt.AxisConfig(
        labelColor=SOFT, titleColor=SOFT, tickColor=LINE, domainColor=LINE,
        gridColor=LINE, labelFontSize=12, titleFontSize=12, titleFontWeight="normal",
    )  # fmt: skip
    # In one call, since each call copies the whole chart.
    return chart.properties(
        width=size[0],
        height=size[1],
        padding=padding,
        # Vega would otherwise fit the plot to the measured width of its text.
        autosize=alt.AutoSizeParams(type="none"),
        config=alt.Config(
            font=FONT, background="transparent", view=alt.ViewConfig(stroke=None), axis=axes
        ),
    )


def over(data: pd.DataFrame) -> alt.Chart:
    """A chart of these rows as plain values: every channel states its own type."""
    rows = [
        # JSON has neither NaN nor infinity.
        {name: None if _is_unknown(value) else value for name, value in row.items()}
        for row in data.to_dict("records")
    ]
    return alt.Chart({"values": rows})


def _is_unknown(value: object) -> bool:
    """Whether a value is a NaN or infinite number, which has no position on an axis."""
    return isinstance(value, float) and not math.isfinite(value)


def specification(chart: Any) -> dict[str, Any]:  # noqa: ANN401
    """What the drawing engine reads of an Altair chart."""
    # Validation takes longer than drawing, so a test checks the charts against the schema instead.
    plain: dict[str, Any] = chart.to_dict(validate=False)
    return plain
