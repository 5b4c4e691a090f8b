"""Charts as static SVG: the same bytes for the same numbers, and a label on every mark.

Colours are names of the page's style sheet (`var(--name)`), so that a chart follows its theme.
All places are computed here and none from the width of a text, which depends on a machine's fonts.
"""

from maskaudit.reports.blocks import Forest, Scatter, Timeline, Yardsticks
from maskaudit.reports.charts import timeline
from maskaudit.reports.charts.common import svg
from maskaudit.reports.charts.forest import forest_chart
from maskaudit.reports.charts.scatter import scatter_chart, yardsticks_chart


def draw(chart: Forest | Scatter | Yardsticks | Timeline) -> str:
    """The SVG of a chart."""
    if isinstance(chart, Timeline):
        return timeline.draw(chart)
    if isinstance(chart, Forest):
        return svg(forest_chart(chart))
    return svg(scatter_chart(chart) if isinstance(chart, Scatter) else yardsticks_chart(chart))
