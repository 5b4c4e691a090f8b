"""The rows that a value of JSON holds, in the shapes that programs write a table in."""

from collections.abc import Mapping
from typing import Any


def rows_of(content: object) -> list[Any] | None:
    """The rows of a table, or None where the value is none.

    A table is a list of objects, alone or in an object as in `{"data": [...]}`; the objects of the
    hub's viewer are in its `rows`; or what pandas writes: an object of columns, as lists or by
    number, of rows by number, or `columns` with the rows of `data`. One object is one row.
    """
    if isinstance(content, Mapping):
        content = _of_object(content)
    return [_of_viewer(value) for value in content] if isinstance(content, list) else None


def _of_object(content: Mapping[str, Any]) -> list[Any] | None:
    values = list(content.values())
    if _is_split(content):
        names = content["columns"]
        # A short row lacks its last cells, as an object may lack a key: the row is named later.
        return [dict(zip(names, row, strict=False)) for row in content["data"]]
    if values and all(isinstance(value, Mapping) and value for value in values):
        if all(map(_is_number, content)):
            return values
        if all(_is_number(key) for value in values for key in value):
            return _of_columns(content)
    if len(values) > 1 and all(map(_is_list_of_cells, values)) and len({*map(len, values)}) == 1:
        return _of_columns({key: dict(enumerate(value)) for key, value in content.items()})
    # The one object of a file of one line may hold lists of words.
    lists = [
        value
        for value in values
        if isinstance(value, list)
        and (len(content) == 1 or all(isinstance(part, dict) for part in value))
    ]
    if len(lists) == 1:
        return lists[0]
    return None if lists else [content]


def _of_columns(columns: Mapping[str, Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """The rows of columns; a row lacks the columns that have nothing under its number."""
    numbers = dict.fromkeys(number for cells in columns.values() for number in cells)
    return [
        {name: cells[number] for name, cells in columns.items() if number in cells}
        for number in numbers
    ]


def _is_split(content: Mapping[str, Any]) -> bool:
    names, data = content.get("columns"), content.get("data")
    return (
        isinstance(names, list)
        and all(isinstance(name, str) for name in names)
        and isinstance(data, list)
        and all(isinstance(row, list) for row in data)
    )


def _is_list_of_cells(value: object) -> bool:
    return isinstance(value, list) and not any(isinstance(part, Mapping) for part in value)


def _is_number(key: object) -> bool:
    return isinstance(key, str) and key.isdecimal()


def _of_viewer(value: object) -> object:
    return (
        value["row"] if isinstance(value, Mapping) and {"row", "row_idx"} <= set(value) else value
    )
