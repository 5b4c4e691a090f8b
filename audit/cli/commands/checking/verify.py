"""The commands `verify` and `sign`: whether a record holds, and who vouches for it."""

from pathlib import Path
from typing import Annotated

import typer

from maskaudit.audit.cli.options import AsJson, Quiet, print_json
from maskaudit.audit.cli.records import LATEST, Record, record_of
from maskaudit.audit.texts.printable import printable


def verify(  # noqa: PLR0913 - the options of a command
    record: Record = LATEST,
    *,
    lexicon: Annotated[
        Path | None,
        typer.Option(
            "--lexicon", metavar="FILE", help="The hurtful words that the audit was made with."
        ),
    ] = None,
    signers: Annotated[
        Path | None,
        typer.Option(
            "--signers",
            metavar="FILE",
            help="Who may have signed RECORD.sig: the allowed signers of ssh-keygen.",
        ),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option("--identity", metavar="NAME", help="Require a signature by this signer."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail, too, if something cannot be shown.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Check that a record follows from its scores; needs neither torch nor the models.

    Its sums, digests, key and rows are checked, and its estimates are made again. Whether the
    scores are those of the models, only another run shows, or a signature. Exit code 0: it holds;
    1: it does not.
    """
    from maskaudit.audit.errors import InputError
    from maskaudit.audit.texts import lexicon as lexicons
    from maskaudit.audit.verifying import signature
    from maskaudit.audit.verifying.verify import verify as verify_record

    if identity is not None and signers is None:
        raise InputError("--identity: needs --signers, the file that has its key")
    words = None if lexicon is None else lexicons.read(lexicon)
    folder = record_of(record, tell=not quiet)
    verification = verify_record(folder, words)
    if signers is not None:
        verification = verification.and_also(signature.signed(folder, signers, identity))
    if as_json:
        print_json(verification.as_json())
    else:
        for check in verification.checks:
            if check.outcome != "verified" or not quiet:
                print(printable(str(check)))
    holds = verification.shows_all if strict else verification.holds
    raise typer.Exit(0 if holds else 1)


def sign(
    record: Record,
    *,
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="A private key of OpenSSH.")],
) -> None:
    """Sign the sums of a record that holds, with ssh-keygen; writes RECORD.sig beside it."""
    from maskaudit.audit.errors import InputError
    from maskaudit.audit.verifying import signature
    from maskaudit.audit.verifying.verify import verify as verify_record

    # A signature vouches for a record, so it is not given to one that contradicts itself.
    folder = record_of(record, tell=False)
    for check in verify_record(folder).checks:
        if check.differs:
            raise InputError(f"{folder}: does not hold, so it is not signed ({check})")
    print(signature.sign(folder, key))
