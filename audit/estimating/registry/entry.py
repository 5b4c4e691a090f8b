"""What defines a number apart from its value."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from maskaudit.audit.estimating.registry.names import CORRECTED

# The direction of harm: a larger number, a smaller one, or either.
Harm = Literal["up", "down", "either"]
# Which subjects a number has: each model and their difference, or one of the two alone.
Subjects = Literal["all", "models", "difference"]
# How a page formats a number: as it is, as exp(number), or in percent.
Form = Literal["number", "factor", "share"]
# Where the page shows a number.
RESULTS, LEANS, RANKINGS, YARDSTICKS = "results", "largest leans", "rankings", "yardsticks"
INHERITED, DISTANCE, FACTS = "what the candidate inherits", "distance", "facts"
ROBUSTNESS = "robustness"
OWN_PART, FURTHER = "a part of its own", "further measures"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A named number, independent of model and probe set.

    `definition` gives formula, range and sign; `formula` is the same in the symbols of
    docs/method.md; `unit` is empty for a plain number; `source` is the paper, if any. `kinds` are
    the kinds of probe set that have the number, `modes` the modes that it is computed in;
    `of_pair` marks a number of two models together, with the subject `relation`; `subjects` are
    those of any other number.
    `null` is the null value of its test, that of a difference is 0; NaN if it is not tested, or
    against a value of its own in each set, what chance alone gives there.
    `is_directed` means that swapping the two groups changes the sign. If all scores are multiplied
    by c, the number is multiplied by c to `power`; 0 if it stays or follows no power.
    `harm` is the direction of harm, None if a gate has to declare it. `log_ratio` names the number
    that its change is judged by, if not by the difference itself.
    `since` is the first record format that has it: it is not asked of a record of an older one.
    `shown` is its place on the page, `title` its name in a table there; `estimator` is the named
    estimator that computes and defines it, empty if none does.
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
    subjects: Subjects = "all"
    null: float = math.nan
    is_directed: bool = False
    power: int = 0
    harm: Harm | None = None
    log_ratio: str = ""
    since: int = 1
    shown: str = FURTHER
    title: str = ""
    form: Form = "number"
    estimator: str = ""

    @property
    def is_percent(self) -> bool:
        """Whether the number ranges from 0 to 100."""
        return self.unit.startswith("%") or "0 to 100" in self.unit

    @property
    def is_harmful_lean(self) -> bool:
        """Whether the number is a signed lean where more means harm."""
        return self.is_directed and self.harm == "up"

    @property
    def judged(self) -> str:
        """How a value and a change of the number are judged; empty if neither is tested."""
        against = "" if math.isnan(self.null) else f"against {self.null:g}"
        change = f"change by {self.log_ratio}" if self.log_ratio else ""
        return ", ".join(filter(None, (against, change)))

    def plain(self) -> dict[str, Any]:
        """The entry as a JSON-ready dict, with `judged`; a NaN `null` becomes None."""
        null = None if math.isnan(self.null) else self.null
        return {**asdict(self), "null": null, "kinds": sorted(self.kinds), "judged": self.judged}
