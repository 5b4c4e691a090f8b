"""The commands `claims`: what a model card says, checked; and a first file of it."""

from pathlib import Path
from typing import Annotated

import typer

from maskaudit.audit.cli.options import (
    AsJson,
    Quiet,
    Trust,
    note,
    print_json,
    print_path,
    print_text,
)
from maskaudit.audit.cli.records import completed, record_of
from maskaudit.audit.errors import InputError

CardPath = Annotated[Path, typer.Argument(metavar="CARD", help="The card, such as README.md.")]


def check(  # noqa: PLR0913 - the options of a command
    card: CardPath,
    *,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="MODEL[@REV]", help="The model: a folder or a hub id."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference", metavar="MODEL[@REV]", help="The model that the card compares it with."
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            "--record",
            metavar="RECORD",
            help="An audit of the model, for what the card says of its biases.",
            autocompletion=completed,
        ),
    ] = None,
    claims: Annotated[
        Path | None,
        typer.Option(
            "--claims", metavar="FILE", help="[default: CARD with .claims.toml in place of .md]"
        ),
    ] = None,
    other_model: Annotated[
        bool,
        typer.Option(
            "--other-model", help="Check what applies to a model that the card is not about."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write the verdicts as JSON, for a gate."
        ),
    ] = None,
    trust: Trust = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Check what a model card says: `maskaudit claims CARD` does the same.

    Each claim of the file beside the card is confirmed, contradicted or not checkable, with its
    evidence. Exit code 0: none is contradicted; 1: one is; 3: none could be checked.
    """
    from maskaudit.audit.card_claims import Named, checked
    from maskaudit.audit.claims.results import as_text
    from maskaudit.audit.recording.files import write_whole
    from maskaudit.reports.words.claims import lines

    named = Named(model, reference, None if record is None else record_of(record))
    found, notes = checked(card, named, claims, other=other_model, trust=trust)
    for sentence in notes:
        note(sentence)
    if output is not None:
        write_whole(output, as_text(found))
    if as_json:
        print_json(found.model_dump())
    elif not quiet:
        print_text("\n".join(lines(found)))
    raise typer.Exit(found.exit_code)


def draft(
    card: CardPath,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="[default: CARD with .claims.toml in place of .md]",
        ),
    ] = None,
) -> None:
    """Write a first file of a card's claims, with comments; never over one that is there."""
    from maskaudit.audit.claims.card import read_card
    from maskaudit.audit.claims.claims_file import beside
    from maskaudit.audit.claims.drafting.draft import draft as drafted
    from maskaudit.audit.recording.files import write_whole
    from maskaudit.audit.texts.names import is_there

    path = output or beside(card)
    text = drafted(read_card(card))
    if is_there(path):
        raise InputError(f"{path}: is there already and stays as it is; name another with -o FILE")
    print_path(write_whole(path, text))
