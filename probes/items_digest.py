"""The digest of a set's items, hashed in blocks of lines: a large set is never text in memory."""

import hashlib
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Columns that came later count only where a set fills them, so that all other sets keep their
# digests.
_LATER = ("style", "family", "frequency", "words", "place")
# Lines that are joined and hashed at once.
_LINES = 10_000
_Codes = NDArray[np.int32]


def items_digest(items: pd.DataFrame, tell: Callable[[int], None] = lambda _done: None) -> str:
    """SHA-256, in hex, of what is scored and how it is grouped.

    The digest is that of the rows as JSON, sorted, a line each, in which the smallest context of
    its frame stands for each frame. `tell` receives the number of rows that are done.
    """
    columns = []
    empty = [name for name in _LATER if name in items and _is_empty(items[name])]
    items = items.drop(columns=empty)
    for name in items.columns:
        values = _least_contexts(items) if name == "frame" else items[name]
        columns.append(_column(values, name, first=items.columns[0], last=items.columns[-1]))
        tell(0)
    columns = _folded(columns)
    # No text is the beginning of another, so rows in the order of their columns are sorted lines.
    varying = [codes for texts, codes in reversed(columns) if len(texts) > 1]
    # `lexsort` refuses an empty list of columns.
    order = np.lexsort(varying) if varying else np.arange(len(items))
    digest = hashlib.sha256()
    for start in range(0, len(items), _LINES):
        rows = order[start : start + _LINES]
        texts = ([texts[code] for code in codes[rows].tolist()] for texts, codes in columns)
        lines = "\n".join(map("".join, zip(*texts, strict=True)))
        # As all lines joined at once: how many are hashed together does not change the digest.
        digest.update(f"\n{lines}".encode() if start else lines.encode())
        tell(start + len(rows))
    return digest.hexdigest()


def _column(values: pd.Series, name: str, first: str, last: str) -> tuple[list[str], _Codes]:
    """The distinct pieces of JSON that a column puts into lines, sorted, and the rows' indices."""
    # A value that is not known is hashed like any other: no row is left out.
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    start, end = ("{" if name == first else ""), ("}" if name == last else ", ")
    # One encoder for all: `dumps` makes one for each value.
    values_as_json = map(json.JSONEncoder(default=str).encode, distinct.tolist())
    start += f"{json.dumps(name)}: "
    texts = [f"{start}{value}{end}" for value in values_as_json]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return [texts[index] for index in order], rank[codes]


def _is_empty(values: pd.Series) -> bool:
    return bool(values.isna().all() or (values == "").all())


def _folded(columns: list[tuple[list[str], _Codes]]) -> list[tuple[list[str], _Codes]]:
    """The columns without those of one text, which is put before the texts of the next that varies.

    A set fills few of the columns, and a line takes as long as it has pieces.
    """
    folded, constant = [], ""
    for texts, codes in columns[:-1]:
        if len(texts) == 1:
            constant += texts[0]
        else:
            folded.append(([constant + text for text in texts], codes))
            constant = ""
    # The last is kept even if it is constant: no column after it could take its text.
    texts, codes = columns[-1]
    return [*folded, ([constant + text for text in texts], codes)]


def _least_contexts(items: pd.DataFrame) -> pd.Series:
    """The smallest context of each row's frame."""
    pairs = items[["frame", "context"]].drop_duplicates()
    least = pairs.sort_values("context").drop_duplicates("frame").set_index("frame")["context"]
    frames, distinct = pd.factorize(items["frame"])
    return least.reindex(distinct).iloc[frames]
