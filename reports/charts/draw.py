"""Charts as static SVG: the same bytes for the same numbers, and a label on every mark.

Colours are variables of the page's style sheet (`var(--name)`), so a chart follows its theme. All
positions are computed here; none depends on the width of a text, which varies with the fonts of a
machine. The drawing itself is done by one child process for all charts of a page (`engine`).
"""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from maskaudit.reports.blocks import Chart, Forest, Scatter
from maskaudit.reports.charts import engine
from maskaudit.reports.charts.common import VEGA_LITE, specification
from maskaudit.reports.charts.forest import forest_chart
from maskaudit.reports.charts.scatter import scatter_chart, yardsticks_chart

# Seconds after which an engine that does not answer is given up; a page takes about one.
_MOST_SECONDS = 300


class CannotDrawError(Exception):
    """The drawing engine cannot run here; the message says how it ended."""


def draw(chart: Chart) -> str:
    """Render a chart as SVG. Raises `CannotDrawError`."""
    [drawing] = draw_all([chart])
    return drawing


def draw_all(charts: Sequence[Chart]) -> list[str]:
    """Render charts as SVG, in their order, in one child process. Raises `CannotDrawError`."""
    if not charts:
        return []
    try:
        # Without -P the folder of the program would come first where modules are looked for.
        child = subprocess.Popen(  # noqa: S603 - this Python, and a program of our own
            [sys.executable, "-P", str(Path(engine.__file__)), VEGA_LITE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise CannotDrawError(f"it cannot be started: {error.strerror}") from error
    with child:
        try:
            # Described while the child starts its engine.
            text = json.dumps([specification(_described(chart)) for chart in charts])
            answer, _ = child.communicate(text.encode(), timeout=_MOST_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise CannotDrawError(f"it gave no answer in {_MOST_SECONDS} seconds") from error
        finally:
            child.kill()
    if child.returncode:
        raise CannotDrawError(f"it ended with {_ending(child.returncode)}")
    drawings: list[str] = json.loads(answer)
    return drawings


def _described(chart: Chart) -> object:
    if isinstance(chart, Forest):
        return forest_chart(chart)
    return scatter_chart(chart) if isinstance(chart, Scatter) else yardsticks_chart(chart)


def _ending(code: int) -> str:
    """The end of a process in words: the name of its signal, or its exit code."""
    if code > 0:
        return f"code {code}"
    names = {number.value: number.name for number in signal.Signals}
    return names.get(-code, f"signal {-code}")
