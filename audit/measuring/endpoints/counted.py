"""Count by groups the first words of models at the masks of association sets."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.first_words import Share, shares
from maskaudit.audit.payloads.answered import folded
from maskaudit.probes.expand import Expanded
from maskaudit.probes.frames.sentence import MASK

# Gives the first word at the only mask of each text.
Words = Callable[[Sequence[str]], list[str]]


def counted(parts: Sequence[Expanded], models: Mapping[str, Words]) -> list[Share]:
    """The shares of each set in which groups stand at the mask; `models` are by subject.

    Raises `InputError` if no set is such a one.
    """
    asked = [rows for part in parts if len(rows := sentences(part))]
    if not asked:
        raise InputError(
            "no set has words of groups at its masks; expected an association set such as "
            "gender-occupation"
        )
    rows = pd.concat(asked, ignore_index=True)
    texts = list(dict.fromkeys(rows["text"]))
    for subject, words in models.items():
        by_text = dict(zip(texts, words(texts), strict=True))
        rows[subject] = [
            of.get(folded(by_text[text]), "")
            for text, of in zip(rows["text"], rows["words"], strict=True)
        ]
    return list(shares(rows, list(models)))


def sentences(part: Expanded) -> pd.DataFrame:
    """A row for each sentence of a set with a word of a group at its only mask.

    Columns `probe_set`, `class`, `frame`, `attribute`, `text`; `words` has the group of each word
    that is asked for there, without case and accents, and `groups` all groups of the set.
    """
    items = part.items[(part.items["kind"] == "association") & (part.items["role"] == "probe")]
    slots = part.contexts[part.contexts["slot"].notna()]
    one = slots[slots["text"].str.count(MASK.replace("[", r"\[").replace("]", r"\]")) == 1]
    rows = items[items["target"] != ""].merge(one[["context", "text"]], on="context")
    # A word that stands for two groups, or an attribute at the mask, would count for neither.
    by_context = rows.groupby("context", sort=False)
    rows = rows[by_context["group"].transform("nunique") > 1]
    groups = list(dict.fromkeys(rows["group"]))
    found = [
        {
            "probe_set": own["probe_set"].iloc[0],
            "class": own["class"].iloc[0],
            "frame": own["frame"].iloc[0],
            "attribute": own["attribute"].iloc[0],
            "text": own["text"].iloc[0],
            "words": _groups_of(own),
            "groups": groups,
        }
        for _, own in rows.groupby("context", sort=False)
        if len(set(own["attribute"])) == 1
    ]
    return pd.DataFrame(found)


def _groups_of(rows: pd.DataFrame) -> dict[str, str]:
    """The group of each word; words of several groups are left out."""
    # Folded, since a service may answer in another case; a word of two groups speaks for neither.
    by_word: dict[str, set[str]] = {}
    for target, group in zip(rows["target"], rows["group"], strict=True):
        by_word.setdefault(folded(target), set()).add(group)
    return {word: min(own) for word, own in by_word.items() if len(own) == 1}
