"""Read the body of a request to a fill-mask endpoint, in every form that a service documents.

Azure ML    {"input_data": ["..."]}, a text alone, or a table: {"input_string": ["..."]} or
            {"columns": ["input_string"], "index": [0], "data": [["..."]]}, each with "params";
            in earlier versions {"inputs": {"input_string": ["..."]}}
MLflow      {"inputs": ["..."]}, {"dataframe_split": {"columns": [...], "data": [["..."]]}},
            {"dataframe_records": [{"inputs": "..."}]}, each with "params"
Hugging Face  {"inputs": "...", "parameters": {"top_k": 5, "targets": ["..."]}}

Lines of JSON with one {"input_string": "..."} each are a table of Azure ML. A list of `inputs` is
MLflow's unless it has `parameters`: Hugging Face documents one text, though it reads a list too.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.payloads.request import MOST_FILLS, USUAL_FILLS, Request, Service
from maskaudit.audit.texts import bounded

_COLUMN = "input_string"
_EXPECTED = (
    'expected JSON with "input_data" (Azure ML), "inputs" (Hugging Face, MLflow), '
    '"dataframe_split" or "dataframe_records" (MLflow)'
)
_SHOWN = 60


@dataclass(frozen=True)
class Lines:
    """The values of JSON lines, by the number of their line."""

    values: Mapping[int, object]


def parsed(text: str, where: str) -> object:
    """The JSON value of a text, or `Lines`; `where` begins the message of the `InputError`."""
    try:
        return bounded.json_value(text)
    except ValueError as error:
        # Not `splitlines`: some characters at which it splits may stand inside a JSON text.
        lines = {n: line for n, line in enumerate(text.split("\n"), 1) if line.strip()}
        if len(lines) > 1 and _is_json(next(iter(lines.values()))):
            return Lines({number: _line(line, where, number) for number, line in lines.items()})
        raise InputError(f"{where}: {_why_no_json(text, error)}; {_EXPECTED}") from error


def request_of(body: object, where: str, service: Service | None = None) -> Request:
    """The request that a parsed body makes, by its keys; with `service`, of its forms alone.

    Raises `InputError`, whose message begins with `where`, for a body of no known form, a key that
    the form does not have, and a parameter that its answer cannot honour.
    """
    if isinstance(body, Lines):
        _check_service("Azure ML", service, where)
        texts = [_record(value, f"{where}: line {n}") for n, value in body.values.items()]
        return Request(tuple(texts), "table")
    if not isinstance(body, dict):
        raise InputError(f"{where}: is {_kind(body)}; {_EXPECTED}")
    # Not the first that fits: of two forms in one body nobody knows which is meant.
    found = [key for key in _READERS if key in body]
    if len(found) != 1:
        has = f"the keys {_named(body)}" if body else "no key"
        wanted = f"expected one of {_named(found)}" if found else _EXPECTED
        raise InputError(f"{where}: has {has}; {wanted}")
    return _READERS[found[0]](body, where, service)


# --- Azure ML -------------------------------------------------------------------------------------


def _azure(body: dict[str, Any], where: str, service: Service | None) -> Request:
    _check_service("Azure ML", service, where)
    _check_keys(body, ("input_data", "params"), where)
    _check_one_word(body.get("params"), f"{where}: params")
    data, where = body["input_data"], f"{where}: input_data"
    if not isinstance(data, dict):
        return Request(_texts(data, where), "words")
    if "columns" in data or "data" in data:
        column, texts = _split(data, where)
        if column != _COLUMN:
            raise InputError(
                f"{where}.columns: is {_shown(column)}; expected {_COLUMN!r}, the column that a "
                "fill-mask model of Azure ML reads"
            )
        return Request(texts, "table")
    if _COLUMN not in data:
        has = f"the keys {_named(data)}" if data else "no key"
        raise InputError(f"{where}: has {has}; expected {_COLUMN!r}, or 'columns' and 'data'")
    _check_keys(data, (_COLUMN, "parameters"), where)
    _check_one_word(data.get("parameters"), f"{where}.parameters")
    return Request(_texts(data[_COLUMN], f"{where}.{_COLUMN}"), "table")


def _azure_record(body: dict[str, Any], where: str, service: Service | None) -> Request:
    _check_service("Azure ML", service, where)
    return Request((_record(body, where),), "table")


def _record(value: object, where: str) -> str:
    if not isinstance(value, dict):
        raise InputError(f'{where}: is {_kind(value)}; expected {{"{_COLUMN}": "..."}}')
    _check_keys(value, (_COLUMN,), where)
    return _text(value.get(_COLUMN), f"{where}: {_COLUMN}")


# --- MLflow ---------------------------------------------------------------------------------------


def _mlflow_split(body: dict[str, Any], where: str, service: Service | None) -> Request:
    data = _mlflow(body, "dataframe_split", where, service)
    where = f"{where}: dataframe_split"
    if not isinstance(data, dict):
        raise InputError(f"{where}: is {_kind(data)}; expected an object with columns and data")
    _, texts = _split(data, where)
    return Request(texts, "predictions")


def _mlflow_records(body: dict[str, Any], where: str, service: Service | None) -> Request:
    records = _mlflow(body, "dataframe_records", where, service)
    where = f"{where}: dataframe_records"
    if not isinstance(records, list) or not records:
        raise InputError(f"{where}: is {_kind(records)}; expected a list of at least one object")
    texts, columns = [], set()
    for number, record in enumerate(records):
        at = f"{where}[{number}]"
        if not isinstance(record, dict) or len(record) != 1:
            has = f"has {_named(record)}" if isinstance(record, dict) else f"is {_kind(record)}"
            raise InputError(f'{at}: {has}; expected one column, as in {{"inputs": "..."}}')
        [(column, text)] = record.items()
        texts.append(_text(text, f"{at}: {column!r}"))
        columns.add(column)
    # A table of these would have a gap in every row.
    if len(columns) > 1:
        raise InputError(f"{where}: has the columns {_named(sorted(columns))}; expected one")
    return Request(tuple(texts), "predictions")


def _mlflow(body: dict[str, Any], key: str, where: str, service: Service | None) -> Any:  # noqa: ANN401
    _check_service("MLflow", service, where)
    _check_keys(body, (key, "params"), where)
    _check_one_word(body.get("params"), f"{where}: params")
    return body[key]


# --- `inputs`, which three services have ----------------------------------------------------------


def _inputs(body: dict[str, Any], where: str, service: Service | None) -> Request:
    inputs = body["inputs"]
    at = f"{where}: inputs"
    if isinstance(inputs, dict):
        _check_keys(inputs, (_COLUMN,), at)
        if _COLUMN not in inputs:
            raise InputError(f"{at}: has no key; expected {_COLUMN!r}")
        inputs, at = inputs[_COLUMN], f"{at}.{_COLUMN}"
        own: Service = "Azure ML"
    else:
        # Both forms may have a list under `inputs`, and `parameters` only one of them.
        own = "Hugging Face" if isinstance(inputs, str) or "parameters" in body else "MLflow"
    if service == "MLflow":
        own = "MLflow"
    _check_service(own, service, where)
    if own == "MLflow":
        _mlflow(body, "inputs", where, service)
        return Request(_texts(inputs, at), "predictions")
    _check_keys(body, ("inputs", "parameters"), where)
    top_k, targets = _parameters(body.get("parameters"), f"{where}: parameters")
    return Request(_texts(inputs, at), "fills", top_k, targets)


def _parameters(given: object, where: str) -> tuple[int, tuple[str, ...]]:
    """How many fills are asked for, and of which words; what is null is not given."""
    known = _object(given, where, ("top_k", "targets"))
    top_k, targets = known.get("top_k"), known.get("targets")
    if top_k is None:
        top_k = USUAL_FILLS
    if not _is_whole(top_k) or not 1 <= top_k <= MOST_FILLS:
        raise InputError(
            f"{where}.top_k: is {_shown(top_k)}; expected a whole number from 1 to {MOST_FILLS:,}"
        )
    if targets is None:
        return top_k, ()
    if not isinstance(targets, list) or not 1 <= len(targets) <= MOST_FILLS:
        found = f"{len(targets):,} words" if isinstance(targets, list) else _kind(targets)
        raise InputError(f"{where}.targets: is {found}; expected a list of 1 to {MOST_FILLS:,}")
    words = (_text(word, f"{where}.targets[{n}]") for n, word in enumerate(targets))
    return top_k, tuple(words)


_READERS: Mapping[str, Callable[[dict[str, Any], str, Service | None], Request]] = {
    "input_data": _azure,
    "inputs": _inputs,
    "dataframe_split": _mlflow_split,
    "dataframe_records": _mlflow_records,
    _COLUMN: _azure_record,
}


# --- Parts of a body ------------------------------------------------------------------------------


def _check_service(own: Service, asked: Service | None, where: str) -> None:
    if asked not in {None, own}:
        raise InputError(f"{where}: is a body of {own}; expected one of {asked} at this address")


def _check_keys(table: Mapping[str, object], known: Collection[str], where: str) -> None:
    if unknown := [key for key in table if key not in known]:
        raise InputError(f"{where}: has the key {_named(unknown)}; expected {_named(known)} alone")


def _check_one_word(params: object, where: str) -> None:
    """Refuse parameters to which an answer of one word a mask cannot do justice."""
    top_k = _object(params, where, ("top_k",)).get("top_k", 1)
    # `true` equals 1 in Python, and is no number of fills.
    if not _is_whole(top_k) or top_k != 1:
        raise InputError(
            f"{where}.top_k: is {_shown(top_k)}, but this service answers with the likeliest word "
            'alone; expected 1, or the form {"inputs": "...", "parameters": {"top_k": 5}}'
        )


def _object(given: object, where: str, known: Collection[str]) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InputError(f"{where}: is {_kind(given)}; expected an object")
    _check_keys(given, known, where)
    return given


def _split(table: Mapping[str, Any], where: str) -> tuple[object, tuple[str, ...]]:
    """The column and the texts of a table of one column, in the form of pandas' orient="split"."""
    if missing := [key for key in ("columns", "data") if key not in table]:
        raise InputError(f"{where}: has {_named(table)}, but no {_named(missing)}")
    _check_keys(table, ("columns", "index", "data"), where)
    columns, rows, index = table["columns"], table["data"], table.get("index")
    if not isinstance(columns, list) or len(columns) != 1 or not isinstance(columns[0], str):
        found = _named(columns) if isinstance(columns, list) else _kind(columns)
        raise InputError(f"{where}.columns: is {found}; expected a list of one name")
    if not isinstance(rows, list) or not rows:
        raise InputError(f"{where}.data: is {_kind(rows)}; expected a list of at least one row")
    if index is not None and (not isinstance(index, list) or len(index) != len(rows)):
        found = f"{len(index):,} numbers" if isinstance(index, list) else _kind(index)
        raise InputError(f"{where}.index: is {found}; expected one a row, {len(rows):,}")
    texts = []
    for number, row in enumerate(rows):
        at = f"{where}.data[{number}]"
        if not isinstance(row, list) or len(row) != 1:
            raise InputError(f'{at}: is {_kind(row)}; expected a row of one sentence, ["..."]')
        texts.append(_text(row[0], at))
    return columns[0], tuple(texts)


def _texts(value: object, where: str) -> tuple[str, ...]:
    """A text, or the texts of a list."""
    if isinstance(value, str):
        return (_text(value, where),)
    if not isinstance(value, list) or not value:
        raise InputError(f"{where}: is {_kind(value)}; expected a list of at least one sentence")
    return tuple(_text(text, f"{where}[{number}]") for number, text in enumerate(value))


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: is {_kind(value)}; expected a text")
    # JSON can escape half of a surrogate pair, which no tokenizer reads and no answer can have.
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where}: has half of a character in two parts, {_shown(value[error.start])}; "
            "expected both (a surrogate pair) or neither"
        ) from error
    return value


# --- Words for what was found ---------------------------------------------------------------------


def _is_json(text: str) -> bool:
    try:
        bounded.json_value(text)
    except ValueError:
        return False
    return True


def _line(line: str, where: str, number: int) -> object:
    try:
        return bounded.json_value(line)
    except ValueError as error:
        raise InputError(
            f"{where}: line {number}: {_why_no_json(line, error)}; "
            f'expected {{"{_COLUMN}": "..."}} in every line'
        ) from error


def _why_no_json(text: str, error: ValueError) -> str:
    if not text.strip():
        return "is empty"
    if text.lstrip().startswith("<"):
        return "is HTML or XML, not JSON"
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})"
    return f"is not JSON ({error})"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _kind(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, list | dict):
        many = "an empty" if not value else "a" if isinstance(value, list) else "an"
        return f"{many} {'list' if isinstance(value, list) else 'object'}"
    return "a text" if isinstance(value, str) else "a number"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _named(keys: Iterable[object]) -> str:
    return ", ".join(_shown(str(key)) for key in keys) or "(none)"
