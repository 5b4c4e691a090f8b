"""Read sentences from the JSON request format of endpoints for fill-mask models."""

import sys
from collections.abc import Callable
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
        inputs = request["input_data"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{where}: expected JSON like {_FORM}") from error
    if unused := [key for key in request if key != "input_data"]:
        named = ", ".join(map(repr, unused))
        note(f"{where}: {named} has no effect; set options on the command line")
    # Azure's endpoints take a table of one column as well as a plain list.
    if isinstance(inputs, dict) and list(inputs) == ["input_string"]:
        column = inputs["input_string"]
        inputs = [column] if isinstance(column, str) else column
    if (
        not isinstance(inputs, list)
        or not all(isinstance(text, str) for text in inputs)
        or not inputs
    ):
        raise InputError(f"{where}: expected input_data to be a list of at least one sentence")
    return inputs


def _standard_input(where: str) -> str:
    if sys.stdin is None:  # closed by the parent process
        raise InputError(f"{where}: is closed; expected JSON like {_FORM}")
    try:
        return decoded(bounded.stream(sys.stdin.buffer, bounded.TEXT), where)
    except bounded.UnfitFileError as error:
        raise InputError(f"{where}: {error.strerror}; expected JSON like {_FORM}") from error
