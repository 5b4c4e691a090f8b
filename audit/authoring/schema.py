"""The JSON Schema of a probe set for editors, made of the models that check it."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, BeforeValidator

from maskaudit.audit.recording.files import write_whole
from maskaudit.audit.texts.toml_files import Part, document, listed
from maskaudit.probes import schema as models
from maskaudit.probes.schema import ProbeSet

SCHEMA_FILE = "probe_set.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KEYS = Path(__file__).parent / "keys.toml"
# Sets of other kinds are imported and not written.
_WRITTEN_KINDS = ["association", "cloze"]


@cache
def described() -> Mapping[str, Mapping[str, str]]:
    """What each key means, by model and key; `where` is how the model's table is written."""
    return document(_KEYS).raw


def schema() -> dict[str, Any]:
    """The JSON Schema of a probe set's file.

    It is made of the models, so that an editor knows each key that the check knows, and allows what
    they allow: a string in the place of a table with one obvious key, or of a list of one.
    """
    whole = ProbeSet.model_json_schema(by_alias=True)
    tables = whole.pop("$defs")
    tables["Header"]["properties"]["kind"]["enum"] = _WRITTEN_KINDS
    properties = {"ProbeSet": whole, **tables}
    for name, table in properties.items():
        _complete(name, table)
    short = {name: _in_short(name, table) for name, table in tables.items()}
    return {"$schema": _DIALECT, **_without_null(whole), "$defs": _without_null(short)}


def write_schema(path: Path) -> None:
    """Write the schema to a file."""
    write_whole(path, f"{json.dumps(schema(), indent=1, ensure_ascii=False)}\n")


def keys() -> Iterator[tuple[str, str, str, bool]]:
    """Each key of a file: its table as it is written, the key, its meaning, whether it must be."""
    found = ProbeSet.model_json_schema(by_alias=True)
    for name in described():
        table = found if name == "ProbeSet" else found["$defs"][name]
        for key in table["properties"]:
            meaning = described()[name][key]
            yield described()[name]["where"], key, meaning, key in table.get("required", ())


def _complete(name: str, table: dict[str, Any]) -> None:
    """Describe each key of a table, and allow a string where a list may be one."""
    model = _model(name)
    table["title"] = described()[name]["where"]
    # It is the docstring of the model, which speaks to us and not to authors.
    table.pop("description", None)
    for key, value in table["properties"].items():
        value.pop("title", None)
        # A reference may have no keys beside it in older editors.
        if "$ref" in value:
            value["allOf"] = [{"$ref": value.pop("$ref")}]
        value["description"] = described()[name][key]
        if _may_be_one(model, key):
            one = {"type": "string", "minLength": 1}
            rest = {k: value.pop(k) for k in [*value] if k not in {"description", "default"}}
            value["anyOf"] = [rest, one]


def _in_short(name: str, table: dict[str, Any]) -> dict[str, Any]:
    """The table, or the text of its obvious key where it has one."""
    model = _model(name)
    if not (issubclass(model, Part) and model.obvious):
        return table
    text = {key: table["properties"][model.obvious][key] for key in ("type", "maxLength")}
    return {"anyOf": [table, {**text, "minLength": 1}]}


def _model(name: str) -> type[BaseModel]:
    model: type[BaseModel] = getattr(models, name, None) or _margins(name)
    return model


def _margins(name: str) -> type[BaseModel]:
    from maskaudit.audit.recording import margins

    found: type[BaseModel] = getattr(margins, name)
    return found


def _may_be_one(model: type[BaseModel], key: str) -> bool:
    """Whether a text may stand for a list with only it."""
    field = next(
        field for name, field in model.model_fields.items() if (field.alias or name) == key
    )
    return any(isinstance(part, BeforeValidator) and part.func is listed for part in field.metadata)


def _without_null(value: Any) -> Any:  # noqa: ANN401 - a part of a schema
    """Leave out null, which TOML does not have."""
    if isinstance(value, list):
        return [_without_null(part) for part in value if part != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    kept = {
        key: _without_null(part)
        for key, part in value.items()
        if not (key == "default" and part is None)
    }
    if len(only := kept.get("anyOf", ())) == 1:
        kept = {**{key: part for key, part in kept.items() if key != "anyOf"}, **only[0]}
    return kept
