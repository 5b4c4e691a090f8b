"""What is known of a number apart from its value."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from maskaudit.audit.estimating.names import CORRECTED

# Where harm lies: in more of a number, in less of it, or in both.
Harm = Literal["up", "down", "either"]
# How a page writes a number: as it is, e to its power, or in percent.
Form = Literal["number", "factor", "share"]
# Where the page shows a number.
RESULTS, LEANS, RANKINGS, YARDSTICKS = "results", "largest leans", "rankings", "yardsticks"
INHERITED, DISTANCE, FACTS = "what the candidate inherits", "distance", "facts"
OWN_PART, FURTHER = "a part of its own", "further measures"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A named number, whatever model and probe set it is of.

    `definition` gives formula, range and sign, `formula` the same in symbols where docs/method.md
    has introduced them, `unit` nothing for a plain number; `source` is the paper, if any; `kinds`
    are the kinds of probe set that make it, `modes` those in which it is made; `of_pair` says that
    it is of two models together, whose subject is `relation`.
    `null` is the value without an effect that it is tested against; NaN where it is not tested.
    That of a difference is 0.
    `is_directed` says that it is negated when the two groups change places; `power` is that of a
    factor on all scores by which it grows, 0 where it stays or follows no power.
    `harm` is where harm lies whoever reads it; None where a gate has to say it. `log_ratio` is the
    number by which its change is judged, where the difference itself is not.
    `shown` is where the page shows it, `title` what a table there calls it; `estimator` is the
    named estimator that makes it, and under which it is defined, empty where none does.
    """

    name: str
    unit: str
    definition: str
    does_not_show: str
    kinds: frozenset[str]
    source: str = ""
    formula: str = ""
    modes: tuple[str, ...] = (CORRECTED,)
    of_pair: bool = False
    null: float = math.nan
    is_directed: bool = False
    power: int = 0
    harm: Harm | None = None
    log_ratio: str = ""
    shown: str = FURTHER
    title: str = ""
    form: Form = "number"
    estimator: str = ""

    @property
    def is_percent(self) -> bool:
        """Whether the number goes from 0 to 100."""
        return self.unit.startswith("%") or "0 to 100" in self.unit

    @property
    def is_harmful_lean(self) -> bool:
        """Whether the number is a lean with a sign of which more is harm."""
        return self.is_directed and self.harm == "up"

    @property
    def judged(self) -> str:
        """How a value and a change of the number are judged; empty where neither is tested."""
        against = "" if math.isnan(self.null) else f"against {self.null:g}"
        change = f"change by {self.log_ratio}" if self.log_ratio else ""
        return ", ".join(filter(None, (against, change)))

    def plain(self) -> dict[str, Any]:
        """All of the entry as JSON can hold it, and how it is judged."""
        null = None if math.isnan(self.null) else self.null
        return {**asdict(self), "null": null, "kinds": sorted(self.kinds), "judged": self.judged}
