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


_GROUPS = ["wolves", "bears", "hens", "cats", "owls"]
_TERMS = ["wolf", "bear", "hen", "cat", "owl", "pup", "cub", "chick", "kitten", "owlet"]
_ATTRIBUTES = [
    *("soft", "sly", "loyal", "loud", "eager", "brave", "early", "light", "shrill", "wet"),
    *("old", "calm", "grey", "quick", "warm", "bold", "tame", "lean", "dry", "wild"),
]
_OPENINGS = ["Here", "There", "Once", "Often", "Later", "Today", "Again", "Abroad", "Inside"]
_STYLES = ["told", "asked", "sung"]


@st.composite
def sets_of_groups(draw: Callable[..., Any]) -> dict[str, Any]:
    """An association set of two to five groups as its file says it, in any order of its parts.

    Two groups at least have a class that is stereotyped with them, or none has. Frames are of one
    style, of several, or of none; attributes may be of families.
    """
    groups = draw(st.permutations(_GROUPS))[: draw(st.integers(2, len(_GROUPS)))]
    terms, words = list(draw(st.permutations(_TERMS))), list(draw(st.permutations(_ATTRIBUTES)))
    directed = groups[: draw(st.integers(2, len(groups)))]
    says = draw(st.booleans())
    classes: dict[str, Any] = {f"of-{n}": {"group": n} if says else {} for n in directed}
    contrast = draw(st.permutations(list(classes)))[:2]
    if draw(st.booleans()):
        classes["of-none"] = {}
    n_families = draw(st.sampled_from([0, 2]))
    for class_ in classes.values():
        own = [{"text": words.pop()} for _ in range(draw(st.integers(2, 3)))]
        for place, attribute in enumerate(own if n_families else []):
            attribute["family"] = f"{own[0]['text']}{place % n_families}"
        class_["attributes"] = own
    n_styles = draw(st.integers(0, len(_STYLES)))
    frames = [
        {"id": opening.lower(), "text": f"{opening} {{a attribute}} [MASK] came by."}
        for opening in _OPENINGS[: draw(st.integers(6, len(_OPENINGS)))]
    ]
    for place, frame in enumerate(frames if n_styles else []):
        frame["style"] = _STYLES[place % n_styles]
    whole = {"name": "pets", "version": "1", "kind": "association", "axis": "pets", "title": "Pets",
             "question": "Which?", "how_to_read": "So.", "limits": "Small.",
             "licence": "Apache-2.0", "sources": ["None"]}  # fmt: skip
    return {
        "set": {**whole, "contrast": contrast},
        "groups": {
            name: {"terms": [{"text": terms.pop()} for _ in range(draw(st.integers(1, 2)))]}
            for name in groups
        },
        "classes": classes,
        "frames": frames,
    }


@st.composite
def reordered(draw: Callable[..., Any], whole: dict[str, Any]) -> dict[str, Any]:
    """The same set with its groups, terms, classes, attributes and frames in another order."""

    def mixed(part: Any) -> Any:
        if isinstance(part, list):
            return draw(st.permutations([mixed(one) for one in part]))
        if isinstance(part, dict):
            return {name: mixed(part[name]) for name in draw(st.permutations(list(part)))}
        return part

    return {"set": whole["set"], **{name: mixed(whole[name]) for name in whole if name != "set"}}
