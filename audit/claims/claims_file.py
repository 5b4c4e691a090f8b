"""The file of a card's claims, `README.claims.toml` beside README.md, read and held to its card."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from maskaudit.audit.claims.card import Card
from maskaudit.audit.claims.kinds import KINDS, Claim, Row, Text
from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded, toml_files
from maskaudit.audit.texts.toml_files import Document, Part, did_you_mean, named_place, short

SUFFIX = ".claims.toml"
_KNOWN = Path(__file__).with_name("known_rows.toml")
# Safe in the names of tests and waivers.
_ID = re.compile(r"[\w .:/=-]+", re.ASCII)


class About(Part):
    """The model that the card is about, and the one that it compares it with, by their names."""

    model: Text
    reference: Text | None = None


class _Outer(Part):
    # The claims are checked one by one: each kind has keys of its own.
    card: About
    claim: list[dict[str, Any]] = Field(min_length=1)
    row: list[Row] = Field(default=[])


class _Rows(Part):
    row: list[Row] = Field(min_length=1)


@dataclass(frozen=True)
class Claims:
    """The claims of a card in the order of the file, and the rows of scores that are known.

    `digest` is the SHA-256 of the file.
    """

    path: Path
    digest: str
    about: About
    claims: tuple[Claim, ...]
    rows: tuple[Row, ...]


def beside(card: Path) -> Path:
    """Where the claims of a card are kept: README.claims.toml beside README.md."""
    return card.with_name(f"{card.stem}{SUFFIX}")


def read_claims(path: Path, card: Card) -> Claims:
    """Read the claims of a card.

    Raises `InputError` with a line for each fault: a key that is not known, a claim that says
    nothing, a quotation that does not stand in the card.
    """
    document = toml_files.document(
        path, f"the claims of {card.path.name}; to write them: maskaudit claims draft {card.path}"
    )
    outer = document.checked(_Outer)
    claims: list[Claim] = []
    faults: list[str] = []
    for index, raw in enumerate(outer.claim):
        try:
            claims.append(_kind_of(document, index, raw).model_validate(raw))
        except ValidationError as error:
            faults += document.faults(error, KINDS[raw["kind"]], ("claim", index))
        except InputError as error:
            faults += error.faults
    # Only of a whole list: the places of these faults are counted along it.
    faults += _unfit(document, claims, card) if not faults else []
    if faults:
        raise InputError(*faults)
    digest = hashlib.sha256(bounded.content(path, bounded.SETTINGS)).hexdigest()
    return Claims(path, digest, outer.card, tuple(claims), (*outer.row, *known_rows()))


@cache
def known_rows() -> tuple[Row, ...]:
    """The rows of scores that this package knows, with their sources."""
    return tuple(toml_files.read(_KNOWN, _Rows).row)


def _kind_of(document: Document, index: int, raw: Mapping[str, Any]) -> type[Claim]:
    kind = raw.get("kind")
    if isinstance(kind, str) and kind in KINDS:
        return KINDS[kind]
    place = ("claim", index, "kind")
    what = "is missing" if kind is None else f"is no kind of claim (found {short(kind)})"
    raise InputError(
        document.line(
            place,
            f"{named_place(place, document.raw)}: {what}{did_you_mean(str(kind or ''), KINDS)}",
        )
    )


def _unfit(document: Document, claims: list[Claim], card: Card) -> Iterator[str]:
    """Yield a fault for each name that is no name or is there twice, and each false quotation."""
    n_named = Counter(claim.id for claim in claims)
    for index, claim in enumerate(claims):

        def fault(key: str, what: str, at: int = index) -> str:
            place = ("claim", at, key)
            return document.line(place, f"{named_place(place, document.raw)}: {what}")

        if not _ID.fullmatch(claim.id) or claim.id.strip() != claim.id:
            yield fault("id", "expected letters, digits and . : / = _ - or spaces between them")
        elif n_named[claim.id] > 1:
            yield fault("id", "two claims have this name; rename one")
        if not card.has(claim.quote):
            yield fault(
                "quote",
                f"does not stand in {card.path.name} (found {short(claim.quote)}); copy the "
                "card's own words",
            )
