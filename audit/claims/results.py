"""The checked claims of a card as a file that gates read: what was checked, of which model."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from maskaudit.audit.claims.card import Card
from maskaudit.audit.claims.checking.checked import Checked, Verdict, exit_code
from maskaudit.audit.claims.checking.facts import Facts, Known
from maskaudit.audit.claims.claims_file import Claims
from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded, toml_files
from maskaudit.audit.texts.printable import json_text
from maskaudit.audit.texts.toml_files import Part

FORMAT: Literal[1] = 1


class Model(Part):
    """A model by its name and the SHA-256 of its weights and tokenizer."""

    name: str
    weights: str
    tokenizer: str


class File(Part):
    """A file by its name, without folders, and its SHA-256."""

    name: str
    sha256: str


class Claim(Part):
    """A claim that was checked (`checked.Checked`)."""

    id: str
    kind: str
    says: str
    quote: str
    verdict: Verdict
    evidence: str


class Results(Part):
    """All checked claims of a card: of which files, against which models.

    `other_model` says that the model is another than the card is about.
    """

    format: Literal[1]
    maskaudit: str
    card: File
    claims_file: File
    model: Model | None
    reference: Model | None
    record: str
    other_model: bool
    exit_code: int
    claims: list[Claim] = Field(min_length=1)


def results(card: Card, claims: Claims, known: Known, checked: Sequence[Checked]) -> Results:
    """What was checked, as it is printed as JSON and kept for gates."""
    return Results(
        format=FORMAT,
        maskaudit=version("maskaudit"),
        card=File(name=card.path.name, sha256=card.digest),
        claims_file=File(name=claims.path.name, sha256=claims.digest),
        model=_model(known.model),
        reference=_model(known.reference),
        record=known.record,
        other_model=known.is_other,
        exit_code=exit_code(checked),
        claims=[Claim(**asdict(claim)) for claim in checked],
    )


def as_text(found: Results) -> str:
    """The file of the results, as JSON."""
    return json_text(found.model_dump()) + "\n"


def read_results(path: Path) -> Results:
    """Read the results of `maskaudit claims -o`. Raises `InputError` for anything else."""
    again = "to write it: maskaudit claims CARD --model MODEL -o " + path.name
    try:
        raw: Any = bounded.json_value(bounded.content(path, bounded.SETTINGS))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read as checked claims ({reason}); {again}") from error
    try:
        return Results.model_validate(raw)
    except ValidationError as error:
        known = raw if isinstance(raw, dict) else {}
        first = next(message for _, message in toml_files.faults(error, known, Results))
        raise InputError(f"{path}: is no file of checked claims ({first}); {again}") from error


def stale(found: Results, folder: Path) -> str:
    """Why results no longer hold: a file of theirs that lies in the folder changed; else empty."""
    for file in (found.card, found.claims_file):
        # A name from a file leads nowhere but here.
        path = folder / Path(file.name).name
        if not path.is_file():
            continue
        try:
            digest = hashlib.sha256(bounded.content(path, bounded.TEXT)).hexdigest()
        except OSError as error:
            return f"{path.name} cannot be read ({error.strerror})"
        if digest != file.sha256:
            return f"{path.name} has changed since its claims were checked"
    return ""


def _model(known: Facts | None) -> Model | None:
    return (
        None
        if known is None
        else Model(name=known.name, weights=known.weights, tokenizer=known.tokenizer)
    )
