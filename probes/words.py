"""The texts of a probe set: lines, words and names, each with what it may hold."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from maskaudit.audit.texts.characters import composed, invisible
from maskaudit.audit.texts.toml_files import listed

_BRACKETS = frozenset("[]{}")
# Words that have none of the faults below; a set may have a million, so they are seen at a glance.
_FAULTLESS = re.compile(r"[A-Za-z0-9'-]+(?: [A-Za-z0-9'-]+)*")


def one_line(text: str) -> str:
    """The text in NFC. Raises `ValueError` for invisible characters and repeated spaces."""
    if found := invisible(text):
        message = f"must be one line without invisible characters; has {found}"
        raise ValueError(message)
    if "  " in text:
        message = "has two spaces in a row; expected one"
        raise ValueError(message)
    return composed(text)


def _plain(text: str) -> str:
    if not _BRACKETS.isdisjoint(text):
        message = "expected plain words, without brackets or braces"
        raise ValueError(message)
    return text


def _word(text: str) -> str:
    return text if _FAULTLESS.fullmatch(text) else _plain(one_line(text))


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", text):
        message = "expected lower-case letters and digits, with - or _ between them"
        raise ValueError(message)
    return text


def _form_name(text: str) -> str:
    if re.search(r"[\s\[\]{}|]", text):
        message = "expected one word, which stands in braces in the frames, as {der} does"
        raise ValueError(message)
    return text


Line = Annotated[
    str,
    StringConstraints(min_length=1, strip_whitespace=True),
    AfterValidator(one_line),
]
Lines = Annotated[list[Line], BeforeValidator(listed)]
Word = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60, strip_whitespace=True),
    AfterValidator(_word),
]
Name = Annotated[str, StringConstraints(max_length=60), AfterValidator(_name)]
FormName = Annotated[Line, StringConstraints(max_length=60), AfterValidator(_form_name)]
Piece = Annotated[Line, StringConstraints(max_length=200), AfterValidator(_plain)]
