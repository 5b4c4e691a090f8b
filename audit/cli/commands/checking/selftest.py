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
            help="Compare a published model's size and known fills with those measured here.",
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Also plant exact leans, test 200 untrained models, and vary everything that "
            "should not matter (takes some minutes).",
        ),
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Check the instrument on the bundled pair, whose true leans are known."""
    from dataclasses import asdict

    from maskaudit.audit.proving import selftest as checks
    from maskaudit.audit.proving.published import published as check_published
    from maskaudit.audit.running import progress

    if full and published is not None:
        raise InputError("selftest: expected one of --full and --published MODEL")
    with progress.shown(quiet=quiet or as_json) as tell:
        if published is not None:
            results = list(check_published(published))
        else:
            results = checks.full(tell) if full else checks.selftest(tell)
    failed = [check for check in results if not check.passed]
    if as_json:
        print_json([asdict(check) for check in results])
    elif not quiet:
        for check in results:
            mark = "ok  " if check.passed else "FAIL"
            print(f"{mark}  {check.name}: {check.found} (expected {check.expected})")
        print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    if failed:
        raise typer.Exit(1)
