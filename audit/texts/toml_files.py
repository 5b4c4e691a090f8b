"""Validate TOML files that people write; report every fault of a file at once, with its line.

A fault is one line, `FILE: line N: place: what is wrong (found what)`; pydantic does the checks,
this module words the messages.
"""

import difflib
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded, toml_lines
from maskaudit.audit.texts.printable import printable
from maskaudit.audit.texts.text_files import read_text
from maskaudit.audit.texts.toml_lines import Place

_MOST_SHOWN = 60
# Messages name an entry of a list by its number and this key.
_NAME = "id"


class Part(BaseModel):
    """A table of such a file: values are not converted, and an unknown key is a fault.

    A string in place of the table is the value of its `obvious` key, if it has one.
    """

    # Strict, because a conversion would hide a mistake: pydantic reads "no" as False.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    obvious: ClassVar[str | None] = None

    @model_validator(mode="before")
    @classmethod
    def _text_is_a_table(cls, value: object) -> object:
        return {cls.obvious: value} if cls.obvious and isinstance(value, str) else value


def listed(value: object) -> object:
    """Wrap a string in a list, so that a list of one entry can be written as a string."""
    return [value] if isinstance(value, str) else value


# A list of strings, or a single string in its place.
Texts = Annotated[list[str], BeforeValidator(listed)]
AnyPart = TypeVar("AnyPart", bound=Part)


@dataclass(frozen=True)
class Document:
    """A parsed TOML file: its path, its text and its unchecked values."""

    where: str
    source: str
    raw: Mapping[str, Any] = field(default_factory=dict)

    def checked(self, model: type[AnyPart]) -> AnyPart:
        """The values as this model; raises `InputError` with a line for each fault."""
        try:
            return model.model_validate(self.raw)
        except ValidationError as error:
            raise InputError(*self.faults(error, model)) from error

    def faults(
        self, error: ValidationError, model: type[BaseModel], inside: Place = ()
    ) -> list[str]:
        """A line for each fault that pydantic found; `inside` is the place of the checked table."""
        return [
            self.line(place, message)
            for place, message in faults(error, self.raw, model, inside=inside)
        ]

    def line(self, place: Place, message: str) -> str:
        """A message after the file and the line of the place or of what encloses it, if known."""
        number = toml_lines.line_of(place, self._lines)
        return f"{self.where}: {'' if number is None else f'line {number}: '}{message}"

    @cached_property
    def _lines(self) -> Mapping[Place, int]:
        return toml_lines.lines(self.source)


def faults(
    error: ValidationError, raw: Mapping[str, Any], model: type[BaseModel], inside: Place = ()
) -> Iterator[tuple[Place, str]]:
    """The place of each fault that pydantic found in `raw`, and a message that names the place."""
    for detail in error.errors():
        place = (*inside, *detail["loc"])
        named = named_place(place, raw)
        message = _message(detail, model)
        yield place, f"{named}: {message}" if named else message


def document(
    path: str | Path, expected: str = "a TOML file", most: int = bounded.SETTINGS
) -> Document:
    """Read a file; raises `InputError` if it cannot be read (`read_text`) or is not TOML."""
    source = read_text(path, expected, most)
    try:
        raw = tomllib.loads(source)
        bounded.check_depth(raw)
        return Document(str(path), source, raw)
    except RecursionError as error:
        raise InputError(f"{path}: not valid TOML: brackets are nested too deeply") from error
    except ValueError as error:  # not TOML, or a number with thousands of digits
        raise InputError(f"{path}: not valid TOML: {error}") from error


def read(path: str | Path, model: type[AnyPart], expected: str = "a TOML file") -> AnyPart:
    """Read and validate a file; raises `InputError` with a line for each fault."""
    return document(path, expected).checked(model)


def dumps(value: Mapping[str, Any]) -> str:
    """The values as TOML; invisible characters are escaped, so that they deceive no reader."""
    # The long escape, since \u with its four digits does not reach every character.
    return printable(tomli_w.dumps(value), lambda c: f"\\U{ord(c):08x}", keep="\n")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'gender'?`, or a list of all known names if none is close."""
    names = list(dict.fromkeys(known))
    if not names:
        return ""
    return closest(name, names) or f"; expected one of: {', '.join(names)}"


def closest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'gender'?`, or an empty string if no known name is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def named_place(place: Place, raw: Mapping[str, Any]) -> str:
    """A place in the file, with ids of entries, such as `gate[2] 'no-regression'.margin`."""
    text, value = "", raw
    for step in place:
        try:
            value = value[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            # The path goes on where the file has nothing, as for a missing key.
            value = {}
        if isinstance(step, int):
            name = value.get(_NAME) if isinstance(value, Mapping) else None
            text += f"[{step + 1}]" + (f" {short(name)}" if isinstance(name, str) else "")
        else:
            text += f".{step}" if text else step
    return text


def short(value: object) -> str:
    """A value's repr, cut to at most 60 characters."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, place = detail["type"], detail["loc"]
    if kind == "extra_forbidden":
        keys = _fields(model, place[:-1])
        return f"is not a known key{did_you_mean(str(place[-1]), keys)}"
    if kind == "missing":
        is_list = _is_list_of_tables(_annotation(model, place))
        return "is missing" + (f"; expected at least one [[{place[-1]}]]" if is_list else "")
    if kind == "list_type" and isinstance(detail["input"], Mapping):
        return f"expected a list of tables: write [[{place[-1]}]] for each, not [{place[-1]}]"
    wording = _MESSAGES.get(kind)
    # pydantic puts "Value error, " before the messages of our own validators.
    message = wording(detail) if wording else detail["msg"].removeprefix("Value error, ")
    value = detail["input"]
    return (
        # A whole table is not shown: its place is named, and its beginning would tell nothing.
        message if isinstance(value, Mapping | BaseModel) else f"{message} (found {short(value)})"
    )


def _unquoted(detail: ErrorDetails) -> str:
    return ", without quotes" if isinstance(detail["input"], str) else ""


def _literal(detail: ErrorDetails) -> str:
    expected = str(detail["ctx"]["expected"])
    # pydantic gives the alternatives only as text, such as "'a', 'b' or 'c'".
    close = closest(
        str(detail["input"]), expected.replace("' or '", "', '").strip("'").split("', '")
    )
    return f"expected {expected}{close}"


def _too_short(detail: ErrorDetails) -> str:
    least, found = detail["ctx"]["min_length"], detail["ctx"]["actual_length"]
    return f"has {_entries(found)}; expected at least {least}"


def _too_long(detail: ErrorDetails) -> str:
    most, found = detail["ctx"]["max_length"], detail["ctx"]["actual_length"]
    return f"has {_entries(found)}; expected at most {most}"


def _entries(number: int) -> str:
    return f"{number} entr{'y' if number == 1 else 'ies'}"


# Messages for the author of a file, by pydantic's type of error.
_MESSAGES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "string_type": lambda _d: "expected text, in quotes",
    "string_too_short": lambda _d: "is empty; expected some text",
    "string_too_long": lambda d: (
        f"is too long; expected at most {d['ctx']['max_length']} characters"
    ),
    "model_type": lambda _d: "expected a table, { key = value }",
    "model_attributes_type": lambda _d: "expected a table, { key = value }",
    "dict_type": lambda _d: "expected a table, { key = value }",
    "list_type": lambda _d: "expected a list, [ ... ]",
    "int_type": lambda d: f"expected a whole number{_unquoted(d)}",
    "float_type": lambda d: f"expected a number{_unquoted(d)}",
    "bool_type": lambda d: f"expected true or false{_unquoted(d)}",
    "date_type": lambda d: f"expected a date such as 2027-01-31{_unquoted(d)}",
    "literal_error": _literal,
    "greater_than": lambda d: f"expected a number above {d['ctx']['gt']:g}",
    "greater_than_equal": lambda d: f"expected a number of at least {d['ctx']['ge']:g}",
    "less_than_equal": lambda d: f"expected a number of at most {d['ctx']['le']:g}",
    "too_short": _too_short,
    "too_long": _too_long,
}


def _annotation(model: type[BaseModel], place: Sequence[str | int]) -> Any:  # noqa: ANN401 - a type
    """The type of the value at this place; None if no model has a field there."""
    *outer, last = place
    table = model
    for step in outer:
        inner = _table(_field(table, step))
        table = inner or table
    return _field(table, last)


def _field(table: type[BaseModel], name: str | int) -> Any:  # noqa: ANN401 - a type
    """The type of the field with this name in the file; None if there is no such field."""
    for attribute, field_ in table.model_fields.items():
        # The name in the file is the alias if there is one; the attribute's name is then unknown.
        if name in {attribute, field_.alias} and name == (field_.alias or attribute):
            return field_.annotation
    return None


def _fields(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The keys that the table at this place may have, as written in the file."""
    table = model
    for step in place:
        table = _table(_field(table, step)) or table
    return [field_.alias or name for name, field_ in table.model_fields.items()]


def _table(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - an annotation
    """The model inside an annotation such as `list[Gate] | None` or `dict[str, Group]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {list, tuple, dict, Union, UnionType, Annotated}:
        return next((model for part in get_args(annotation) if (model := _table(part))), None)
    return None


def _is_list_of_tables(annotation: Any) -> bool:  # noqa: ANN401 - an annotation
    return get_origin(annotation) is list and _table(annotation) is not None
