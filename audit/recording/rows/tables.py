"""Columns and dtypes of every table, checked when a table is written or read."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas.api.types import union_categoricals

from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.audit.recording.rows.values import ALLOWED, OUTCOMES

# Strings are never missing (empty means "does not apply"); numbers are NaN or <NA> when unknown.
_TEXT, _FLOAT, _COUNT = "str", "float64", "Int64"
_CATEGORY = pa.dictionary(pa.int32(), pa.large_string())

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "contexts": {"context": _TEXT, "text": _TEXT, "slot": _COUNT, "partner": _TEXT},
    "items": {
        "probe_set": _TEXT,
        "kind": _TEXT,
        "axis": _TEXT,
        "frame": _TEXT,
        "style": _TEXT,
        "variant": _COUNT,
        "attribute": _TEXT,
        "class": _TEXT,
        "family": _TEXT,
        "share": _FLOAT,
        "frequency": _FLOAT,
        "words": _COUNT,
        "place": _FLOAT,
        "group": _TEXT,
        "term": _TEXT,
        "role": _TEXT,
        "label": _TEXT,
        "pair": _TEXT,
        "cluster": _TEXT,
        "cluster_2": _TEXT,
        "context": _TEXT,
        "target": _TEXT,
        "item": _TEXT,
    },
    "scores": {
        "item": _TEXT,
        "model": _TEXT,
        "measure": _TEXT,
        "value": _FLOAT,
        "rank": _COUNT,
        "pieces": _COUNT,
        "status": _TEXT,
        "written": _TEXT,
        "read": _TEXT,
    },
    "paired": {
        "context": _TEXT,
        "model": _TEXT,
        "other_context": _TEXT,
        "other_model": _TEXT,
        "joined": _TEXT,
        "measure": _TEXT,
        "value": _FLOAT,
    },
    "fills": {
        "context": _TEXT,
        "model": _TEXT,
        "rank": _COUNT,
        "token": _TEXT,
        "probability": _FLOAT,
    },
    "attributes": {
        "probe_set": _TEXT,
        "attribute": _TEXT,
        "model": _TEXT,
        "pieces": _FLOAT,
    },
    "estimates": {
        "probe_set": _TEXT,
        "axis": _TEXT,
        "slice": _TEXT,
        "estimator": _TEXT,
        "mode": _TEXT,
        "subject": _TEXT,
        "estimate": _FLOAT,
        "low": _FLOAT,
        "high": _FLOAT,
        "std_error": _FLOAT,
        "df": _FLOAT,
        "p": _FLOAT,
        "p_adjusted": _FLOAT,
        "null_value": _FLOAT,
        "v_frames": _FLOAT,
        "n_attributes": _COUNT,
        "n_frames": _COUNT,
        "n_terms": _COUNT,
        "n_styles": _COUNT,
        "n_families": _COUNT,
        "mde": _FLOAT,
        "scope": _TEXT,
        "flag": _TEXT,
        "outcome": _TEXT,
        "method": _TEXT,
    },
}

# The columns of what was measured that no two rows of a table share.
UNIQUE: Mapping[str, list[str]] = {
    "scores": ["item", "model", "measure"],
    "paired": ["context", "model", "other_context", "other_model", "joined", "measure"],
    "fills": ["context", "model", "rank"],
}

# Rows of each table for each row of items: two models, and more measures than there are.
_ROWS_AN_ITEM = {
    "contexts": 1,
    "scores": 32,
    "paired": 64,
    "fills": 200,
    "attributes": 2,
    "estimates": 200,
}
# What any table may have, so that a small one is never refused.
_FEW_ROWS = 1_000_000


def most_rows(name: str, items: int, kinds: Collection[str], most: int) -> int:
    """The most rows that a table may have beside `items` rows of items of these kinds of sets.

    Words are joined each with each. `most` is the limit of any table.
    """
    if name not in _ROWS_AN_ITEM:
        return most
    times = items if name == "paired" and "words" in kinds else _ROWS_AN_ITEM[name]
    return min(most, _FEW_ROWS + times * items)


def table(
    name: str,
    rows: Any,  # noqa: ANN401 - anything that pandas accepts
) -> pd.DataFrame:
    """Make the table `name`, with its columns and dtypes, from records or columns by name.

    A column that is left out is empty: "" for text, NaN or <NA> for numbers. Raises `ValueError`
    for an undeclared column.
    """
    return conform(name, pd.DataFrame(rows))


def conform(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the declared column order and dtypes, and missing columns empty.

    Raises `ValueError` for an undeclared column, which is a programming error.
    """
    columns = COLUMNS[name]
    unknown = [column for column in frame.columns if column not in columns]
    if unknown:
        message = f"table {name} has no columns {unknown}"
        raise ValueError(message)
    empty = {column: "" if dtype == _TEXT else None for column, dtype in columns.items()}
    missing = {column: empty[column] for column in columns if column not in frame}
    complete = frame.assign(**missing)[list(columns)]
    texts = [column for column, dtype in columns.items() if dtype == _TEXT]
    # pandas infers a numeric dtype for a text column that has only missing values.
    others = [name for name in texts if complete[name].dtype != _TEXT]
    lacking = [name for name in texts if name in others or complete[name].hasnans]
    filled = complete.astype(dict.fromkeys(others, "object")).fillna(dict.fromkeys(lacking, ""))
    return filled.astype(dict(columns)).reset_index(drop=True)


def are_in(texts: pd.Series, others: pd.Series) -> NDArray[np.bool_]:
    """Whether each text is one of the others: `Series.isin`, which walks them in Python."""
    return places(texts, pa.array(others.astype("str"), pa.large_string())) >= 0


def places(column: pd.Series, keys: pa.Array) -> NDArray[np.int64]:
    """The index of each text among the keys, of equal ones the first; -1 if it is none of them."""
    # By category: a column of many rows has few texts, and each is looked up once.
    if isinstance(column.dtype, pd.CategoricalDtype):
        return places(column.cat.categories.to_series(), keys)[column.cat.codes]
    found = pc.index_in(pa.array(column, pa.large_string()), value_set=keys)
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int64)


def compact(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with its texts as categories: far smaller where texts repeat, equal row by row.

    `check` takes a category for text, and a record is written with the texts themselves.
    """
    texts = [str(column) for column, dtype in frame.dtypes.items() if dtype == _TEXT]
    # As arrays, since columns would be matched by index.
    return frame.assign(**{column: _as_category(frame[column]).array for column in texts})


def joined(name: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Join tables of one name and empty the list, so that no column is in memory twice for long.

    Each column of the result is in one piece, since a slice or a choice of rows of a column in
    hundreds of pieces is slow.
    """
    columns = {column: [frame[column] for frame in frames] for column in COLUMNS[name]}
    frames.clear()
    whole = {}
    for column in COLUMNS[name]:
        whole[column] = _in_one_piece(columns.pop(column))
        # pyarrow would keep the memory of the pieces for itself.
        pa.default_memory_pool().release_unused()
    return pd.DataFrame(whole)


def _in_one_piece(parts: list[pd.Series]) -> pd.Series:
    if isinstance(parts[0].dtype, pd.CategoricalDtype):
        # Arrow's own joining holds five copies of the column at a time. A part without rows has
        # categories of no known kind, and nothing to join.
        return pd.Series(union_categoricals([part for part in parts if len(part)] or parts[:1]))
    whole = pd.concat(parts, ignore_index=True)
    if whole.dtype != _TEXT:
        return whole
    # pandas joins texts by reference; pyarrow can copy them into one piece.
    copied = pa.table({"": whole.array}).combine_chunks().to_pandas().astype(_TEXT)
    return pd.Series(copied[""].array)


def _as_category(texts: pd.Series) -> pd.Series:
    """Texts as one category, in order of appearance."""
    encoded = pa.array(texts).dictionary_encode()
    # Each piece numbers its texts anew, so that one number would mean several texts.
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    series: pd.Series = encoded.cast(_CATEGORY).to_pandas()
    return series


def check(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table unchanged if its columns, dtypes and values are those declared.

    Raises `ValueError` otherwise. `audit.recording.rows.values` lists the allowed values; in
    estimates, every slice has to parse.
    """
    # A column of categories is one of texts, each of which is held once.
    dtypes = {
        column: _TEXT if isinstance(dtype, pd.CategoricalDtype) else str(dtype)
        for column, dtype in frame.dtypes.items()
    }
    expected = dict(COLUMNS[name])
    if dtypes != expected:
        wrong = sorted(set(dtypes.items()) ^ set(expected.items()), key=str)
        message = f"table {name} has columns or dtypes that are not those declared: {wrong}"
        raise ValueError(message)
    for column, allowed in ALLOWED.get(name, {}).items():
        if unknown := set(frame[column].unique()) - allowed:
            message = (
                f"table {name}, column {column}: {', '.join(map(repr, sorted(unknown)))}; "
                f"expected one of {', '.join(map(repr, sorted(allowed)))}"
            )
            raise ValueError(message)
    if name == "estimates":
        for text in frame["slice"].unique():
            Slice.parse(text)
    return frame


def with_outcomes(estimates: pd.DataFrame) -> pd.DataFrame:
    """Convert estimates of formats 1 to 3: split `reading` into `flag` and `outcome`."""
    if "reading" not in estimates:  # format 1 has no such column
        return estimates
    reading = estimates["reading"]
    is_outcome = reading.isin([outcome for outcome in OUTCOMES if outcome])
    split = {"flag": reading.mask(is_outcome, ""), "outcome": reading.where(is_outcome, "")}
    return estimates.drop(columns="reading").assign(**split)
