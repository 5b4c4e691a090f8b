"""The ids of masked sentences and of their items: hashes of their texts.

Apart from `expand`: whoever checks a record needs ids, and nothing of what writes sentences.
"""

import hashlib

import pandas as pd

_ID_LENGTH = 16


def context_id(text: str, slot: int | None, partner: str = "") -> str:
    """Return the id of a masked sentence, the slot read in it, and its partner sentence."""
    return _digest(text, "" if slot is None else str(slot), partner)


def context_ids(contexts: pd.DataFrame) -> list[str]:
    """The id of each row's `text`, `slot` and `partner`."""
    # None in a row becomes NaN in a column of numbers; both mean a whole sentence.
    slots = contexts["slot"].astype("Int64")
    # Filled: `tolist` gives pd.NA for a gap, which is not the None that a context is made with.
    numbers = slots.fillna(0).tolist()
    known = (
        number if is_known else None
        for number, is_known in zip(numbers, slots.notna().tolist(), strict=True)
    )
    rows = [*zip(contexts["text"].tolist(), known, contexts["partner"].tolist(), strict=True)]
    # A context has many targets, and hashing it for each would take longer than all else here.
    ids = {row: context_id(*row) for row in dict.fromkeys(rows)}
    return [ids[row] for row in rows]


def item_ids(items: pd.DataFrame) -> list[str]:
    """The id of each row's `context` and `target`."""
    return [*map(item_id, items["context"].tolist(), items["target"].tolist())]


def item_id(context: str, target: str) -> str:
    """Return the id of a target in a context."""
    return _digest(context, target)


def _digest(*parts: str) -> str:
    # The unit separator is in no text, so that different parts cannot join to the same text.
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:_ID_LENGTH]
