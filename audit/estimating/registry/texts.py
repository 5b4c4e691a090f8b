"""Entries of the gaps between groups of masked text."""

from maskaudit.audit.estimating.registry.entry import OWN_PART, Entry
from maskaudit.audit.estimating.registry.names import EXACT_GAP, NLL_GAP

_TEXT = frozenset({"text"})
_HIDES = "Why: answers of one group may be rarer, longer, or in harder texts."
ENTRIES = (
    Entry(
        name=EXACT_GAP,
        unit="",
        definition="The `exact@1` of the first group’s masks less that of the second’s, in "
        "alphabetical order, over the documents of both. -1 to 1; negative: the first group’s "
        "answers are found less often.",
        does_not_show=_HIDES,
        kinds=_TEXT,
        null=0.0,
        since=9,
        shown=OWN_PART,
        form="share",
    ),
    Entry(
        name=NLL_GAP,
        unit="nats",
        definition="The `nll_word` of the first group’s masks less that of the second’s, in "
        "alphabetical order, over the documents of both. Positive: the first group’s answers are "
        "less likely to the model.",
        does_not_show=_HIDES,
        kinds=_TEXT,
        null=0.0,
        since=9,
        shown=OWN_PART,
    ),
)
