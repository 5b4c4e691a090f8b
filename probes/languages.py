"""The language of a probe set: its BCP 47 tag, and how its sentences begin."""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ENGLISH = "en"
# The tag of BCP 47 for a language that is not known.
UNDETERMINED = "und"
EXAMPLES = "such as 'de', 'pt-BR' or 'zh-Hant'"

# RFC 5646, section 2.1. Primary subtags of four letters are reserved and none of five to eight has
# ever been registered, so that "german" is a slip; the irregular tags of old (i-klingon) and tags
# of private use alone (x-...) say nothing that a reader could use.
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-[a-z]{3}){0,3}"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)
# Codes of three letters for languages that have one of two, which is then the only valid one; those
# of the languages that this program has rules for. ISO 639-2 and 639-3.
_TWO_LETTERS = {
    "eng": "en", "tur": "tr", "aze": "az", "tat": "tt", "kaz": "kk", "lit": "lt", "nld": "nl",
    "dut": "nl", "afr": "af", "deu": "de", "ger": "de", "ltz": "lb", "fra": "fr", "fre": "fr",
    "spa": "es", "cat": "ca", "por": "pt", "ita": "it", "ron": "ro", "rum": "ro", "swe": "sv",
    "dan": "da", "nob": "nb", "nno": "nn", "nor": "no", "isl": "is", "ice": "is", "fao": "fo",
    "fin": "fi", "est": "et", "lav": "lv", "hun": "hu", "pol": "pl", "ces": "cs", "cze": "cs",
    "slk": "sk", "slo": "sk", "slv": "sl", "hrv": "hr", "bos": "bs", "srp": "sr", "eus": "eu",
    "baq": "eu", "ell": "el", "gre": "el", "hye": "hy", "arm": "hy", "rus": "ru", "ukr": "uk",
}  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """How sentences of a language begin; `languages.toml` says what each field means."""

    letters: dict[str, str] = field(default_factory=dict)
    digraphs: dict[str, str] = field(default_factory=dict)
    drops_dot: bool = False
    clitics: tuple[str, ...] = ()
    ends: str = ""
    ordinal_digits: int = 0
    initials: bool = True
    abbreviations: tuple[str, ...] = ()


def canonical(tag: str) -> str:
    """Return a tag in the case that RFC 5646 recommends (section 2.1.1), such as `zh-Hant-TW`.

    Raises `ValueError`, with what to write instead, for a tag that is not well formed.
    """
    found = _TAG.fullmatch(tag)
    if found is None:
        # With an underscore it is the name of a locale, such as pt_BR.
        advice = f"; did you mean {tag.replace('_', '-')!r}?" if "_" in tag else ""
        message = f"expected a language as a BCP 47 tag, {EXAMPLES}{advice}"
        raise ValueError(message)
    if short := _TWO_LETTERS.get(found["language"].lower()):
        written = short + tag[found.end("language") :]
        message = f"expected a language as a BCP 47 tag; this one is written {written!r}"
        raise ValueError(message)
    subtags = tag.lower().split("-")
    for name, cased in (("script", str.title), ("region", str.upper)):
        if found[name]:
            place = tag[: found.start(name)].count("-")
            subtags[place] = cased(found[name])
    return "-".join(subtags)


def well_formed(tag: str) -> bool:
    """Whether a tag can be the language of a set."""
    try:
        return bool(canonical(tag))
    except ValueError:
        return False


def primary(tag: str) -> str:
    """Return the language of a tag without script and region: `pt` of `pt-BR`."""
    return tag.partition("-")[0].lower()


def is_english(tag: str) -> bool:
    """Whether a tag is of English, in whatever script or region."""
    return primary(tag) == ENGLISH


def marks(kind: str, more: str = "") -> str:
    """Return the pattern of one mark of a kind (`opening`, `closing`, ...), or one of `more`."""
    return f"[{re.escape(str(_table()['marks'][kind]) + more)}]"


@cache
def rules(tag: str) -> Rules:
    """Return how sentences begin in the language of a tag; the defaults where nothing is known."""
    said = _table().get(primary(tag), {})
    lists = {key: tuple(value) for key, value in said.items() if isinstance(value, list)}
    return Rules(**{**said, **lists})


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads((Path(__file__).parent / "languages.toml").read_text("utf-8"))
