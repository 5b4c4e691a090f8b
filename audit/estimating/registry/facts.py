"""Entries of the numbers from the likeliest fills of facts, and from choices among given words."""

from maskaudit.audit.estimating.registry.entry import FACTS, Entry
from maskaudit.audit.estimating.registry.names import (
    ACCURACY,
    CHOICE,
    CHOICE_DROP,
    DROP,
    NEGATED,
)

_FACTS = frozenset({"cloze"})
ENTRIES = (
    Entry(
        name=ACCURACY,
        unit="",
        definition="The share of facts that the likeliest fill answers right. An answer of several "
        "pieces is held against all fillings of as many masks. Of a sentence with several masks "
        "each is a fact, read with the others masked.",
        does_not_show="How sure the model is, or whether the right answer comes second.",
        kinds=_FACTS,
        shown=FACTS,
        form="share",
    ),
    Entry(
        name=DROP,
        unit="",
        definition="How much smaller the share of facts filled right is in one kind of sentence "
        "than in the plain kind of the set, over the facts that both ask; a fact that a kind asks "
        "several times counts by its mean. -1 to 1; positive: the kind costs the model facts.",
        does_not_show="What else changes with the kind, such as the length of the sentence; or "
        "facts that the model does not fill right in the plain kind either.",
        kinds=_FACTS,
        null=0.0,
        harm="up",
        since=8,
        shown=FACTS,
        form="share",
    ),
    Entry(
        name=CHOICE,
        unit="",
        definition="The share of facts with words to choose from for which the likeliest of these "
        "words is a right one, by log p; a tie with a wrong word is no hit. Its p is against the "
        "share that a choice by lot has right, the mean over facts of right words among the words. "
        "0 to 1.",
        does_not_show="Whether the model would write any of the words; or what a longer word loses "
        "by its length alone.",
        kinds=_FACTS,
        since=8,
        shown=FACTS,
        form="share",
    ),
    Entry(
        name=CHOICE_DROP,
        unit="",
        definition="How much smaller the share of facts with a right choice is in one kind of "
        "sentence than in the plain kind of the set, over the facts that both ask, as "
        "`accuracy_drop@1`. -1 to 1; positive: the kind costs the model right choices.",
        does_not_show="What else changes with the kind, such as the words to choose from.",
        kinds=_FACTS,
        null=0.0,
        harm="up",
        since=8,
        shown=FACTS,
        form="share",
    ),
    Entry(
        name=NEGATED,
        unit="",
        definition="The share of negated sentences whose likeliest word is the answer that is now "
        "wrong.",
        does_not_show="What a right answer to the negated sentence would be.",
        kinds=_FACTS,
        shown=FACTS,
        form="share",
    ),
)
