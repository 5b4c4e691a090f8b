"""The folder of a site: whether it is ours, what is kept of an earlier one, and what is removed."""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.files import UNFINISHED, write_inside, writing
from maskaudit.audit.recording.record import DETAILS, PAGE
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.printable import json_text, printable
from maskaudit.reports.site.names import folder_of
from maskaudit.reports.site.shown import Shown, from_json

MARKER = "maskaudit-site.json"
RUNS = "runs"
AUDIT = "audit.json"
FORMAT = 1


@dataclass(frozen=True)
class Pages:
    """The pages of one record: what the site says of it, and its files as HTML.

    `details` is empty where the page with all numbers was not asked for.
    """

    shown: Shown
    page: str
    details: str


def opened(site: Path, runs: Path) -> str:
    """Make or recognise the folder of a site; returns its feed's identity, "" of a new one.

    Raises `InputError` for a folder that holds other things than a site of ours, for one that holds
    the records or lies among them, and for a site of a newer format; `CannotWriteError` where it
    cannot be made.
    """
    ours, records = site.resolve(), runs.resolve()
    if ours.is_relative_to(records) or records.is_relative_to(ours):
        raise InputError(
            f"{site}: lies among the records of {runs}, or holds them; name a folder of its own "
            "for the site (-o SITE)"
        )
    with writing(site):
        if not ours.exists():
            ours.mkdir(parents=True)
        if not ours.is_dir():
            raise InputError(f"{site}: is no folder; name a folder for the site (-o SITE)")
        # What is hidden is for others, such as the folder of git.
        found = sorted(path.name for path in ours.iterdir() if not path.name.startswith("."))
    if MARKER not in found:
        if found:
            raise InputError(
                f"{site}: holds files that are not of a site ({printable(found[0])}); name a new "
                "or an empty folder, or one that maskaudit site has written (-o SITE)"
            )
        return ""
    _folder(ours / RUNS)
    return _identity(site / MARKER)


def _identity(marker: Path) -> str:
    try:
        told = bounded.json_value(bounded.content(marker, bounded.SETTINGS))
        format_, feed = told["format"], told["feed"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"{marker}: cannot be read as the mark of a site; remove the folder, and write the "
            "site again"
        ) from error
    if format_ != FORMAT or not isinstance(feed, str):
        raise InputError(
            f"{marker}: is of a site of format {format_!r}, and this version of maskaudit writes "
            f"format {FORMAT}; write the site to a new folder"
        )
    return feed


def mark(site: Path, feed: str) -> None:
    """Mark a folder as a site of ours, before anything else is written into it."""
    told = {
        "about": "This folder is written by maskaudit site, which may replace its files.",
        "format": FORMAT,
        "feed": feed,
    }
    write_inside(site / MARKER, json_text(told) + "\n")


def kept(site: Path, name: str, made_from: str, *, with_details: bool, trust: bool) -> Shown | None:
    """What the site says of a record whose pages are there already and still right, else None."""
    folder = _folder(site / RUNS / folder_of(name))
    try:
        told = bounded.json_value(bounded.content(folder / AUDIT, bounded.SETTINGS))
        shown = from_json(json.dumps(told["audit"]).encode())
        digests: dict[str, str] = told["files"]
        is_right = (
            told["made_from"] == made_from
            and shown is not None
            and (trust or not shown.is_trusted)
            and (shown.has_details or not with_details)
            and set(digests) == {PAGE, *([DETAILS] if shown.has_details else [])}
            and all(
                _digest(bounded.content(folder / file, bounded.TEXT)) == digest
                for file, digest in digests.items()
            )
        )
    # Whatever is wrong with them, they are drawn again, and nothing is lost.
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return shown if is_right else None


def write_pages(site: Path, made_from: str, pages: Pages) -> None:
    """Write the pages of a record; what they were made from last, so that they count when whole."""
    folder = _folder(site / RUNS / folder_of(pages.shown.name))
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # First: while pages are exchanged, nothing may say that they belong together.
        (folder / AUDIT).unlink(missing_ok=True)
    texts = {PAGE: pages.page, **({DETAILS: pages.details} if pages.details else {})}
    for file, text in texts.items():
        write_inside(folder / file, text)
    told: dict[str, Any] = {
        "made_from": made_from,
        "files": {file: _digest(text.encode()) for file, text in texts.items()},
        "audit": pages.shown.as_json(),
    }
    write_inside(folder / AUDIT, json_text(told) + "\n")


def tidy(site: Path, names: Collection[str]) -> None:
    """Remove our pages of records other than these, and what a killed run left unfinished."""
    runs = _folder(site / RUNS)
    stay = {folder_of(name) for name in names}
    with writing(site):
        below = sorted(runs.iterdir()) if runs.is_dir() else []
        # No links: files are removed below, and a link may lead out of the site.
        folders = [path for path in below if path.is_dir() and not path.is_symlink()]
        for place in (site, *folders):
            for path in _unfinished(place):
                path.unlink(missing_ok=True)
        for folder in folders:
            if folder.name not in stay and (folder / AUDIT).is_file():
                for file in (PAGE, DETAILS, AUDIT):
                    (folder / file).unlink(missing_ok=True)
                # What others have put there is not ours to remove, and keeps its folder.
                if not any(folder.iterdir()):
                    folder.rmdir()


def removed(path: Path) -> None:
    """Remove a file of the site that has no place in it any more."""
    with writing(path):
        path.unlink(missing_ok=True)


def _unfinished(folder: Path) -> Iterator[Path]:
    """Yield the files that a killed run left in a folder."""
    for path in sorted(folder.glob(f"{UNFINISHED}*")):
        if path.is_symlink() or path.is_file():
            yield path


def _folder(path: Path) -> Path:
    """The path of a folder of the site. Raises `InputError` where it would lead elsewhere."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise InputError(
            f"{path}: is a link or no folder, and nothing is written through one; remove it"
        )
    return path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
