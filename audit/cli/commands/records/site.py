"""The command `site`: a folder of records as a static site."""

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from maskaudit.audit.cli.options import note, print_path
from maskaudit.audit.cli.records import Runs, runs_folder
from maskaudit.audit.errors import InputError

# Each takes some 300 MB.
_MOST_PROCESSES = 8


def site(  # noqa: PLR0913 - the options of a command
    runs: Runs = None,
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="SITE", help="The folder of the site.")
    ] = Path("site"),
    url: Annotated[
        str,
        typer.Option(
            "--url",
            metavar="BASE",
            help="Where the site will lie: makes the feed's links absolute.",
        ),
    ] = "",
    details: Annotated[
        bool,
        typer.Option(
            "--details", help="Also write the page with all numbers of each record; takes longer."
        ),
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            metavar="N",
            min=1,
            help="How many records are drawn at once. [default: one a processor, 8 at most]",
        ),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Take the records' numbers as they are; do not make them again from scores.",
        ),
    ] = False,
) -> None:
    """Write a static site of all records: index, a page a record, versions, feed, JSON.

    Its pages open from the disk and on any server. Numbers that it shows are made again; records
    whose pages are there already are not drawn again. What cannot be read or does not hold is
    listed with the reason, and the exit code is then 1.
    """
    from maskaudit.reports.site.build import Asked, write_site

    if url and not _is_address(url):
        raise InputError(
            f"--url {url!r}: expected the address of the site, such as https://example.org/audits/"
        )
    asked = Asked(
        url=url,
        with_details=details,
        trust=trust,
        processes=processes or min(os.cpu_count() or 1, _MOST_PROCESSES),
    )
    written = write_site(runs_folder() if runs is None else runs, output, asked)
    if trust:
        note("trusted: the records' numbers were taken as they are, not made again")
    for sentence in written.notes:
        note(sentence)
    for one in (*written.failed, *written.others):
        note(f"{one.name}: {one.reason}")
    note(f"{written.drawn} of {written.audits} pages were drawn, the others were there already")
    print_path(written.index)
    if written.failed:
        raise typer.Exit(1)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    return plain and parts.scheme in {"http", "https"} and bool(parts.netloc) and not parts.query
