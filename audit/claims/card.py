"""A model card as it is read: its text, its metadata, and whether a quotation stands in it."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.text_files import decoded

# The metadata of a card, as huggingface_hub and the Hub find it (`REGEX_YAML_BLOCK` there).
_BLOCK = re.compile(r"\s*---(?:\r\n|\r|\n)([\S\s]*?)(?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|\Z)")
# More is no metadata; and what reads it is slow.
_MOST = 1 << 20
STATED = re.compile(r"\blicen[sc]e ?: ?([\w.+-]*\w)", re.IGNORECASE)
# Ids that the Hub has for licences: a word behind "license:" in a text may be any other.
LICENCES = frozenset({
    *("apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "isc", "unlicense", "wtfpl"),
    *("gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "agpl-3.0", "mpl-2.0"),
    *("cc", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
    *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
    *("cc-by-nd-4.0", "cc-by-nc-nd-4.0", "openrail", "bigscience-openrail-m", "artistic-2.0"),
})  # fmt: skip


@dataclass(frozen=True)
class Card:
    """A card: `text` is all of it, `body` what follows its metadata, `digest` its SHA-256."""

    path: Path
    text: str
    digest: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""

    @cached_property
    def _plain(self) -> str:
        return plain(self.text)

    def has(self, quote: str) -> bool:
        """Whether a quotation stands in the card, white space and forms of characters aside."""
        return plain(quote) in self._plain

    @cached_property
    def licences(self) -> list[str]:
        """The licences that its metadata and tags name, in small letters, each once."""
        named = self.metadata.get("license")
        found = [licence_id(named)] if isinstance(named, str) and named else []
        stated = map(licence_id, STATED.findall(self.body))
        return list(dict.fromkeys([*found, *(name for name in stated if name in LICENCES)]))


def licence_id(name: str) -> str:
    """A licence as an id: `Apache 2.0` is `apache-2.0`."""
    return "-".join(name.casefold().split())


def plain(text: str) -> str:
    """A text in composed form (NFC), with one space for any white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def read_card(path: Path) -> Card:
    """Read a card. Raises `InputError` where there is no file of UTF-8, or its metadata is none."""
    try:
        content = bounded.content(path, bounded.CARD)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}); expected a model card"
        ) from error
    text = decoded(content, str(path))
    block = _BLOCK.match(text)
    metadata = {} if block is None else _metadata(block[1], path)
    body = text if block is None else text[block.end() :]
    return Card(path, text, hashlib.sha256(content).hexdigest(), metadata, body)


def _metadata(text: str, path: Path) -> Mapping[str, Any]:
    if len(text) > _MOST:
        raise InputError(f"{path}: has {len(text):,} characters of metadata; expected a page")
    try:
        # Of texts alone: otherwise the language `no` would be False.
        found = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes no objects
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: its metadata are not YAML ({reason}); mend that first"
        ) from error
    return found if isinstance(found, dict) else {}
