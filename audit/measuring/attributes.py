"""How many pieces each model's tokenizer writes an attribute in, as it stands in a sentence."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.crossed.covariates import attributes_of
from maskaudit.audit.estimating.estimators.of_groups.pooling import group_at_mask
from maskaudit.audit.measuring.endpoints.endpoint import Endpoint
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.planning.target_pieces import Writer
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.expand import Expanded
from maskaudit.probes.frames.sentence import MASK

# Sentences of an attribute in which it is counted, and of each of its forms: more tell no more, and
# a set may have a million.
MOST_SENTENCES = 20
# Sentences that are written at once.
_BLOCK = 1000
_Asked = tuple[str, int, str]  # a sentence with the attribute masked, its slot, and the attribute


def attribute_pieces(
    parts: Sequence[Expanded], models: Mapping[str, MaskedLM | Endpoint]
) -> pd.DataFrame:
    """The table `attributes`: the mean number of pieces of each attribute of association sets.

    The mean over its sentences, `MOST_SENTENCES` at most, those with the first ids; of an attribute
    with forms by group, the mean over its forms. NaN where it stands in none of them as it is
    called, or never apart from its neighbours.
    """
    found = [tables.table("attributes", [])]
    for part in parts:
        names = attributes_of(part.items)
        if not len(names):
            continue
        asked = _asked(part)
        for name, model in models.items():
            counts = asked.assign(pieces=_counts(model, list(_sentences(asked))))
            # A mean of means: a form with more sentences must not count for more than another.
            by_form = counts.groupby(["probe_set", "attribute", "group"])["pieces"].mean()
            pieces = by_form.groupby(["probe_set", "attribute"]).mean().reindex(names)
            rows = pieces.reset_index().assign(model=name)
            found.append(tables.conform("attributes", rows))
    return tables.conform("attributes", pd.concat(found))


def _asked(part: Expanded) -> pd.DataFrame:
    """A row for each sentence in which an attribute is counted: its text, slot and the word.

    `group` tells the forms of an attribute apart; it is empty where the attribute has one for all.
    """
    items = part.items[part.items["role"].isin(["probe", "control"])]
    at_mask = group_at_mask(items)
    rows = items[["probe_set", "attribute", "group", "context", "target"]]
    # A sentence with the group at the mask serves all groups.
    rows = (rows.assign(group="", target="") if at_mask else rows).drop_duplicates()
    # By the ids, which are digests of the texts: no order of a file decides.
    chosen = rows.sort_values(["context", "target"]).groupby(["attribute", "group"])
    rows = chosen.head(MOST_SENTENCES).merge(part.contexts[["context", "text", "slot"]])
    return rows.sort_values(["attribute", "group", "context", "target"], ignore_index=True)


def _sentences(asked: pd.DataFrame) -> Iterator[_Asked | None]:
    """Yield each sentence with the attribute at its slot; None where the sentence does not have it.

    With the group at the mask the attribute is masked here.
    """
    columns = (asked[name] for name in ("text", "slot", "target", "attribute"))
    for text, slot, target, attribute in zip(*columns, strict=True):
        yield (text, int(slot), target) if target else masked(text, attribute)


def masked(text: str, word: str) -> _Asked | None:
    """The sentence with the first place of a word masked, that mask's number, and the word there.

    As a word of its own if it is one somewhere; in any case. None if the text does not have it.
    """
    parts = text.split(MASK)
    # Inside another word only where it is nowhere one itself: some scripts have no spaces.
    for pattern in (rf"(?<!\w){re.escape(word)}(?!\w)", re.escape(word)):
        for slot, part in enumerate(parts):
            if found := re.search(pattern, part, re.IGNORECASE):
                rest = f"{part[: found.start()]}{MASK}{part[found.end() :]}"
                return MASK.join([*parts[:slot], rest, *parts[slot + 1 :]]), slot, found[0]
    return None


def _counts(model: MaskedLM | Endpoint, asked: Sequence[_Asked | None]) -> list[Any]:
    """The pieces of each word in its sentence; NaN where they cannot be told."""
    if isinstance(model, Endpoint):  # it does not tell in how many pieces it writes a word
        return [math.nan] * len(asked)
    writer = Writer(model)
    counts: list[Any] = [float("nan")] * len(asked)
    there = [(place, one) for place, one in enumerate(asked) if one is not None]
    for start in range(0, len(there), _BLOCK):
        block = there[start : start + _BLOCK]
        written = writer.write([one for _, one in block])
        for (place, _), word in zip(block, written, strict=True):
            if word is not None and word.pieces:
                counts[place] = float(len(word.pieces))
    return counts
