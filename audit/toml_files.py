"""Files that people write in TOML, as checked values: every fault of a file at once."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from maskaudit.audit.errors import InputError


class Part(BaseModel):
    """A table of such a file: nothing is converted, and a key that nobody knows is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Whole = TypeVar("Whole", bound=Part)


def read(path: Path, whole: type[Whole]) -> Whole:
    """The file as a checked value; an `InputError` has a line for each of its faults."""
    try:
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); expected a TOML file"
        ) from error
    except RecursionError as error:
        raise InputError(f"{path}: not valid TOML: too many brackets inside brackets") from error
    except ValueError as error:  # neither TOML nor UTF-8, or a number of thousands of digits
        raise InputError(f"{path}: not valid TOML: {error}") from error
    try:
        return whole.model_validate(raw)
    except ValidationError as error:
        raise InputError(*(f"{path}: {fault}" for fault in faults(error, raw, whole))) from error


def faults(error: ValidationError, raw: Mapping[str, Any], whole: type[BaseModel]) -> list[str]:
    """Each fault that pydantic found in `raw` as a line: where it is, and what was expected."""
    return [_told(detail, raw, whole) for detail in error.errors()]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'gender'?`, or all that are known where none is close."""
    names = list(dict.fromkeys(known))
    if not names:
        return ""
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are: {', '.join(names)}"


def _told(detail: Any, raw: Mapping[str, Any], whole: type[BaseModel]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    place = _place(detail["loc"], raw)
    if detail["type"] == "extra_forbidden":
        known = _keys(whole, detail["loc"][:-1])
        return f"{place}: is not a known key{did_you_mean(str(detail['loc'][-1]), known)}"
    if detail["type"] == "missing":
        return f"{place}: is missing"
    message = detail["msg"].removeprefix("Value error, ")
    found = detail["input"]
    shown = "" if isinstance(found, dict | BaseModel) else f" (found {_short(found)})"
    return f"{place}: {message}{shown}" if place else message


def _place(loc: Iterable[str | int], raw: Mapping[str, Any]) -> str:
    """`gate[2] 'no-regression'.margin`: where in the file, with an entry's id where it has one."""
    text, value = "", raw
    for step in loc:
        try:
            value = value[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            value = {}
        if isinstance(step, int):
            name = value.get("id") if isinstance(value, Mapping) else None
            text += f"[{step + 1}]" + (f" {_short(name)}" if isinstance(name, str) else "")
        else:
            text += f".{step}" if text else step
    return text


def _keys(whole: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    """The keys that the table at this place may have."""
    for step in loc:
        if isinstance(step, str) and step in whole.model_fields:
            inner = _table(whole.model_fields[step].annotation)
            whole = inner or whole
    return list(whole.model_fields)


def _table(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - an annotation
    """The model inside an annotation such as `list[Gate] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {list, tuple, dict, Union, UnionType, Annotated}:
        return next((found for part in get_args(annotation) if (found := _table(part))), None)
    return None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line's worth
