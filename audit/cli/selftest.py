"""The command `selftest`: check the instrument, and print each check."""

from typing import Annotated

import typer

from maskaudit.audit.cli.options import AsJson, Quiet, print_json
from maskaudit.audit.errors import InputError


def selftest(
    *,
    published: Annotated[
        str | None,
        typer.Option(
            "--published",
            metavar="MODEL",
            help="Hold a published model's known fills against what is measured here.",
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Also plant leans exactly, test 200 untrained models, and change all that should "
            "not matter (some minutes).",
        ),
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Let the instrument prove itself on the bundled pair, whose truth is known."""
    from dataclasses import asdict

    from maskaudit.audit.proving import selftest as checks
    from maskaudit.audit.proving.published import published as known
    from maskaudit.audit.running import progress

    if full and published is not None:
        raise InputError("selftest: expected one of --full and --published MODEL")
    with progress.shown(quiet=quiet or as_json) as tell:
        if published is not None:
            found = list(known(published))
        else:
            found = checks.full(tell) if full else checks.selftest(tell)
    failed = [check for check in found if not check.passed]
    if as_json:
        print_json([asdict(check) for check in found])
    elif not quiet:
        for check in found:
            mark = "ok  " if check.passed else "FAIL"
            print(f"{mark}  {check.name}: {check.found} (expected {check.expected})")
        print(f"{len(found) - len(failed)} passed, {len(failed)} failed")
    if failed:
        raise typer.Exit(1)
