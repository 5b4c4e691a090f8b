"""Read sentences from the JSON request format of endpoints for fill-mask models."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.text_files import decoded, read_text

STANDARD_INPUT = Path("-")
_FORM = '{"input_data": ["..."]}'


def sentences(source: Path, note: Callable[[str], None]) -> list[str]:
    """The sentences of a file or of standard input; `note` receives the keys without effect.

    Raises `InputError` if the input is not JSON of the expected form.
    """
    where = "standard input" if source == STANDARD_INPUT else str(source)
    text = _standard_input(where) if source == STANDARD_INPUT else read_text(source, "a JSON file")
    try:
        request = bounded.json_value(text)
    except ValueError as error:
        raise InputError(f"{where}: is not one JSON value; expected JSON like {_FORM}") from error
    if not isinstance(request, dict) or "input_data" not in request:
        found = f"the keys {_named(request)}" if isinstance(request, dict) else "no object"
        raise InputError(f"{where}: has {found}; expected JSON like {_FORM}")
    inputs = request["input_data"]
    if unused := [key for key in request if key != "input_data"]:
        note(f"{where}: {_named(unused)} has no effect; set options on the command line")
    # Azure's endpoints take a table of one column as well as a plain list.
    if isinstance(inputs, dict) and list(inputs) == ["input_string"]:
        column = inputs["input_string"]
        inputs = [column] if isinstance(column, str) else column
    if (
        not isinstance(inputs, list)
        or not all(isinstance(text, str) for text in inputs)
        or not inputs
    ):
        found = (
            f"an object with the keys {_named(inputs)}"
            if isinstance(inputs, dict)
            else "no such list"
        )
        raise InputError(
            f"{where}: input_data is {found}; expected input_data to be a list of at least one "
            "sentence"
        )
    return inputs


def _named(keys: Iterable[object]) -> str:
    return ", ".join(repr(str(key)) for key in keys) or "(none)"


def _standard_input(where: str) -> str:
    if sys.stdin is None:  # closed by the parent process
        raise InputError(f"{where}: is closed; expected JSON like {_FORM}")
    try:
        return decoded(bounded.stream(sys.stdin.buffer, bounded.TEXT), where)
    except bounded.UnfitFileError as error:
        raise InputError(f"{where}: {error.strerror}; expected JSON like {_FORM}") from error
