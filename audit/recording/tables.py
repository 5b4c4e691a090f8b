"""Columns and dtypes of every table, checked where a table crosses a border."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

# Strings are never missing (empty means "does not apply"); numbers are NaN or <NA> when unknown.
_TEXT, _FLOAT, _COUNT = "str", "float64", "Int64"

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "contexts": {"context": _TEXT, "text": _TEXT, "slot": _COUNT, "partner": _TEXT},
    "items": {
        "probe_set": _TEXT,
        "kind": _TEXT,
        "axis": _TEXT,
        "frame": _TEXT,
        "variant": _COUNT,
        "attribute": _TEXT,
        "class": _TEXT,
        "share": _FLOAT,
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
    },
    "paired": {
        "context": _TEXT,
        "model": _TEXT,
        "other_context": _TEXT,
        "other_model": _TEXT,
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
        "mde": _FLOAT,
        "scope": _TEXT,
        "reading": _TEXT,
        "method": _TEXT,
    },
}
# How an estimate may be read, where a number alone does not say: why there is no interval or no
# number, that a slope over few frames is exploratory, or what became of an attribute's lean.
READINGS = (
    "",
    "too_few_frames",
    "too_few_attributes",
    "too_few_clusters",
    "nothing_varied",
    "not_estimable",
    "exploratory",
    "inherited",
    "amplified",
    "attenuated",
    "lost",
    "new",
    "flipped",
    "undecided",
)


def table(
    name: str,
    rows: Any,  # noqa: ANN401 - all that pandas makes a table of
) -> pd.DataFrame:
    """Rows (records, or columns by name) as the table `name`, in its columns and dtypes.

    A column that is left out is empty: "" for text, NaN or <NA> for numbers.
    """
    return conform(name, pd.DataFrame(rows))


def conform(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The same table in the declared order and dtypes; a column nobody declared is our mistake."""
    columns = COLUMNS[name]
    unknown = [column for column in frame.columns if column not in columns]
    assert not unknown, f"table {name} has no columns {unknown}"  # noqa: S101 - ours, not the user's
    empty = {column: "" if dtype == _TEXT else None for column, dtype in columns.items()}
    missing = {column: empty[column] for column in columns if column not in frame}
    whole = frame.assign(**missing)[list(columns)]
    texts = [column for column, dtype in columns.items() if dtype == _TEXT]
    # A text column of nothing but missing values has the type of numbers until it is told.
    filled = whole.astype(dict.fromkeys(texts, "object")).fillna(dict.fromkeys(texts, ""))
    return filled.astype(dict(columns)).reset_index(drop=True)


def check(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The same table, refused when a column is missing or of another dtype."""
    found = {column: str(dtype) for column, dtype in frame.dtypes.items()}
    expected = dict(COLUMNS[name])
    if found != expected:
        wrong = sorted(set(found.items()) ^ set(expected.items()), key=str)
        message = f"table {name} does not have its columns: {wrong}"
        raise ValueError(message)
    return frame
