"""What several sets ask in one masked sentence, so that it is read in one context for all."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from maskaudit.probes.expand import Expanded

_ASKED = ["context", "item", "target"]


def together(parts: Sequence[Expanded]) -> list[Expanded]:
    """Each set with the targets that the others ask in its masked sentences (`Expanded.beside`).

    The pieces around a slot may depend on the words that are tried there, and a record has one row
    for what two sets share: all sets have to choose one context, whichever of them comes first.
    """
    places = [part.contexts.loc[part.contexts["slot"].notna(), "context"] for part in parts]
    every = pd.concat(places)
    shared = set(every[every.duplicated()])
    if not shared:
        return list(parts)
    asked = pd.concat([_asked(part, shared) for part in parts])
    # Sorted, so that the order of the sets decides nothing.
    asked = asked.drop_duplicates("item").sort_values(_ASKED)
    return [replace(part, beside=_others(part, asked)) for part in parts]


def _asked(part: Expanded, contexts: set[str]) -> pd.DataFrame:
    """The items of a set in these contexts that have a target."""
    items = part.items
    return items.loc[items["context"].isin(contexts) & (items["target"] != ""), _ASKED]


def _others(part: Expanded, asked: pd.DataFrame) -> dict[str, dict[str, str]]:
    """The targets that a set does not ask itself in its contexts, by context and item."""
    in_part = asked["context"].isin(part.contexts["context"])
    rows = asked[in_part & ~asked["item"].isin(part.items["item"])]
    others: dict[str, dict[str, str]] = {}
    for context, item, target in zip(*(rows[name] for name in _ASKED), strict=True):
        others.setdefault(context, {})[item] = target
    return others
