"""What hypothesis draws for tests of more than one module."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pandas as pd
from hypothesis import strategies as st

# Rows of item, value and rank: any text, infinities and subnormals, and what is unknown.
SCORES = st.lists(
    st.tuples(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.integers(1, 2**31),
    ),
    max_size=8,
)

_TEXTS = ["", "x", "none", "a" * 3000, "a/" * 3000, "\u202e", "a\nb", "~nosuchuser/x", "all", "*"]
_NUMBERS = [0, -1, 1, 7, 2**31, 2**53 - 1, 0.5, -1e300, 1e-300]
_OTHERS = [None, True, False, [], {}, "", 0, ["x"], {"x": "y"}]
_COLUMN = [0.0, -1.0, 1e300, float("inf"), float("-inf"), float("nan")]


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value inside plain values, but not that of the whole."""
    keyed = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in keyed:
        yield (*before, key)
        if isinstance(part, dict | list):
            yield from places(part, (*before, key))


@st.composite
def edited(draw: Callable[..., Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Plain values with one to three of them changed, renamed, left out or repeated.

    Mostly a value becomes another of its type, so that what checks types alone lets it pass.
    """
    content = deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        every = list(places(content))
        if not every:
            return content
        *outer, last = draw(st.sampled_from(every))
        parent: Any = content
        for step in outer:
            parent = parent[step]
        _change(draw, parent, last)
    return content


def _change(draw: Callable[..., Any], parent: Any, last: Any) -> None:
    how = draw(st.sampled_from(["same type", "same type", "same type", "any", "drop", "rename"]))
    if how == "same type":
        # A copy: what is drawn may be changed by the next edit, and is drawn again.
        parent[last] = deepcopy(draw(_like(parent[last])))
    elif how == "any":
        parent[last] = deepcopy(draw(st.sampled_from(_OTHERS)))
    elif how == "drop":
        del parent[last]
    elif isinstance(parent, dict):
        parent[draw(st.sampled_from(["x", "all", "candidate", *parent]))] = parent.pop(last)
    else:
        parent.insert(0, deepcopy(parent[last]))


def _like(value: Any) -> st.SearchStrategy[Any]:
    """Values of the type of this one."""
    if isinstance(value, bool):
        return st.just(not value)
    if isinstance(value, int | float):
        numbers = [number for number in _NUMBERS if isinstance(number, type(value))]
        return st.sampled_from(numbers or _NUMBERS)
    if isinstance(value, str):
        return st.sampled_from(_TEXTS) | st.text(max_size=20)
    if isinstance(value, list):
        return st.sampled_from([[], value * 2, value[:1], value[::-1]])
    if isinstance(value, dict):
        return st.sampled_from(
            [{}, dict(list(value.items())[:1]), {f"x{k}": v for k, v in value.items()}]
        )
    return st.sampled_from(_OTHERS)


@st.composite
def edited_table(draw: Callable[..., Any], table: pd.DataFrame) -> pd.DataFrame:
    """A table with rows left out, or a column with other values of its type."""
    how = draw(st.sampled_from(["empty", "half", "repeat", "column", "column", "cell", "shuffle"]))
    if how == "empty":
        return table.iloc[:0]
    if how == "half":
        return table.iloc[:: draw(st.integers(2, 50))]
    if how == "repeat":
        return pd.concat([table, table.iloc[: draw(st.integers(1, 50))]])
    column = draw(st.sampled_from(list(table.columns)))
    kind = str(table[column].dtype)
    if how == "shuffle":
        other = table[column].sample(frac=1, random_state=0).reset_index(drop=True)
        return table.assign(**{column: other})
    if kind == "float64":
        value = draw(st.sampled_from(_COLUMN))
    elif kind == "Int64":
        value = draw(st.sampled_from([0, -1, 1, 2**40, pd.NA]))
    else:
        known = sorted(set(table[column]))[:5]
        value = draw(st.sampled_from([*known, "", "x", "class=x", "group=x", "all"]))
    if how == "column" or table.empty:
        return table.assign(**{column: pd.Series([value] * len(table), dtype=table[column].dtype)})
    changed = table.copy()
    changed.loc[draw(st.integers(0, len(table) - 1)), column] = value
    return changed
