"""The colour of each status of a verdict on a terminal; the word says it too."""

from collections.abc import Mapping

from maskaudit.reports.terminal.layout import Style
from maskaudit.reports.words import verdicts

STYLES: Mapping[str, Style] = {
    verdicts.FAIL: "bad",
    verdicts.NOT_MEASURED: "open",
    verdicts.INCONCLUSIVE: "open",
    verdicts.WARNING: "open",
    verdicts.WAIVED: "good",
    verdicts.PASS: "good",
}
