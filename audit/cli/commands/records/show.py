"""The commands `list`, `show` and `open`: which records there are, and what one of them found."""

import os
import sys
import webbrowser
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.options import (
    AsJson,
    Trust,
    note,
    print_json,
    print_lines,
    print_path,
    width,
)
from maskaudit.audit.cli.records import LATEST, Record, Runs, record_of, runs_folder
from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.printable import printable

if TYPE_CHECKING:
    from maskaudit.audit.judging.verdicts import Judgement
    from maskaudit.audit.recording import record as stored


def list_records(
    runs: Runs = None,
    *,
    last: Annotated[
        int, typer.Option("--last", "-n", metavar="N", min=1, help="How many records to list.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List the records of a folder, the newest first; --json has all of them.

    A record's number, or how its name begins, names it in every other command.
    """
    from maskaudit.audit.history.listing import listing
    from maskaudit.reports.terminal import listing as terminal

    folder = runs_folder() if runs is None else runs
    if as_json:
        found = listing(folder)
        print_json([listed.as_json() for listed in (*found.records, *found.others)])
    else:
        print_lines(terminal.lines(listing(folder, last), width()))


def show(record: Record = LATEST, *, trust: Trust = False, as_json: AsJson = False) -> None:
    """Show what a record found: a line a set, the worst first, and what its gates say of each.

    Its numbers are made again from its scores first; a record whose numbers are others is refused.
    """
    from maskaudit.audit.judging import verdicts
    from maskaudit.audit.verifying.verify import load_held
    from maskaudit.reports.terminal import bounds, summary

    folder = record_of(record, tell=False)
    held, notes = load_held(folder, summary.numbers, trust=trust)
    for sentence in notes:
        note(sentence)
    judgement = verdicts.read(folder)
    if as_json:
        paths = {"record": str(folder), "page": str(page) if (page := _page(folder)) else None}
        ends = {"bounds": told} if (told := bounds.as_json(held)) else {}
        print_json({**paths, **summary.summary(held, judgement).as_json(), **ends})
        return
    print_summary(held, judgement)
    if judgement is not None:
        from maskaudit.reports.words.verdicts import heading

        print(f"Gates:  {heading(judgement)}")


def print_summary(record: "stored.Record", judgement: "Judgement | None") -> None:
    """Print the tables and the headline of a record, and where it and its page lie."""
    from maskaudit.reports.terminal import bounds, summary, texts

    assert record.path is not None  # noqa: S101 - it was read from a folder, or written to one
    found = summary.lines(summary.summary(record, judgement), width())
    print_lines(chain(found, texts.lines(record, width()), bounds.lines(record, width())))
    print(f"Record: {printable(str(record.path))}")
    page = _page(record.path) or f"none yet; to write it: maskaudit report {record.path}"
    print(f"Page:   {printable(str(page))}")


def open_page(
    record: Record = LATEST,
    *,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the page's path, and open nothing.")
    ] = False,
) -> None:
    """Open the page of a record in the browser, and print its path.

    Without a display the path alone is printed. The page is shown as it lies there; `maskaudit
    report` writes it again.
    """
    folder = record_of(record, tell=False)
    page = _page(folder)
    if page is None:
        raise InputError(f"{folder}: has no page; to write it: maskaudit report {folder}")
    # Printed first, so that whoever has no browser has at least the path.
    print_path(page)
    if only_print:
        return
    if not _has_display():
        note("there is no display here; open the page's path in a browser")
    elif not _opened(page.resolve().as_uri()):
        note("no browser could be started; open the page's path in one")


def _page(folder: Path) -> Path | None:
    """The page of a record, if it has one; a link is none, for it may lead anywhere."""
    from maskaudit.audit.recording.record import PAGE

    page = folder / PAGE
    return page if page.is_file() and not page.is_symlink() else None


def _has_display() -> bool:
    """Whether a browser has where to show itself; one that is named in BROWSER knows."""
    if sys.platform in {"darwin", "win32"}:
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _opened(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
