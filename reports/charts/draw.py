"""Charts as static SVG: the same bytes for the same numbers, and a label on every mark.

Colours are variables of the page's style sheet (`var(--name)`), so a chart follows its theme. All
positions are computed here; none depends on the width of a text, which varies with the fonts of a
machine.
"""

from maskaudit.reports.blocks import Forest, Scatter, Timeline, Yardsticks
from maskaudit.reports.charts import timeline
from maskaudit.reports.charts.common import svg
from maskaudit.reports.charts.forest import forest_chart
from maskaudit.reports.charts.scatter import scatter_chart, yardsticks_chart


def draw(chart: Forest | Scatter | Yardsticks | Timeline) -> str:
    """Render a chart as SVG."""
    if isinstance(chart, Timeline):
        return timeline.draw(chart)
    if isinstance(chart, Forest):
        return svg(forest_chart(chart))
    return svg(scatter_chart(chart) if isinstance(chart, Scatter) else yardsticks_chart(chart))
