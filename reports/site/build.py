"""Write the site of a folder of records: only what is new is verified and drawn again."""

import hashlib
import multiprocessing
import os
import signal
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from maskaudit.audit import collector
from maskaudit.audit.errors import InputError, UndrawnWarning
from maskaudit.audit.history.listing import LINK, Listed, listing, reason
from maskaudit.audit.judging import verdicts
from maskaudit.audit.recording.files import write_inside
from maskaudit.audit.recording.record import DETAILS, PAGE, SUMS, read_manifest
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.printable import json_text
from maskaudit.audit.verifying.recomputed import OF_PAGE
from maskaudit.audit.verifying.verify import load_held
from maskaudit.reports.effects import tables_of
from maskaudit.reports.html import document, render, render_reader
from maskaudit.reports.page import page
from maskaudit.reports.reader.reader import fewer, numbers, reader
from maskaudit.reports.site import feed, places
from maskaudit.reports.site.index import index
from maskaudit.reports.site.names import folder_of
from maskaudit.reports.site.parts import Unread
from maskaudit.reports.site.places import Pages
from maskaudit.reports.site.shown import Shown, shown
from maskaudit.reports.site.trends import trends
from maskaudit.reports.words import wording

INDEX, VERSIONS, FEED, JSON = "index.html", "versions.html", "feed.xml", "records.json"
FORMAT = 1
# Of fewer records to draw, another process would take longer to start than it saves.
_LEAST_EACH = 6
_HOME = f"../../{INDEX}"
_STYLES = ("reader.css", "many.css")


@dataclass(frozen=True)
class Asked:
    """How a site is to be written.

    `url` is where it will lie, or "". `with_details` also draws the page with all numbers of each
    record. `trust` takes the records' numbers as they are. `processes` draw at the same time.
    """

    url: str = ""
    with_details: bool = False
    trust: bool = False
    processes: int = 1


@dataclass(frozen=True)
class Written:
    """A site that was written: its index, how many pages are new, and what people should know.

    `failed` are records that cannot be read or do not hold, `others` what is no record.
    """

    index: Path
    drawn: int
    audits: int
    failed: tuple[Unread, ...]
    others: tuple[Unread, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Task:
    """A record whose pages are to be drawn, and the digest of all that they are made of."""

    path: Path
    made_from: str
    trust: bool
    with_details: bool


@dataclass(frozen=True)
class _Drawn:
    """What came of a task: its pages, or why there are none."""

    task: _Task
    pages: Pages | None
    fault: str
    notes: tuple[str, ...]


def write_site(runs: Path, site: Path, asked: Asked) -> Written:
    """Write the site of a folder of records, file by file, each whole or not at all.

    Of each record the numbers that the site shows are made again, and all else is verified; of
    those whose pages are there already and made from the same files, the sums. Raises `InputError`
    where `runs` is no folder of records or `site` is not ours (`places.opened`), `CannotWriteError`
    where it cannot be written.
    """
    found = listing(runs)
    own = places.opened(site, runs)
    audits: dict[Path, Shown] = {}
    failed = {one.path: one.fault for one in found.records if one.fault and one.fault != LINK}
    tasks = []
    for one in found.records:
        if one.fault:
            continue
        task = _task(one, asked, failed)
        if task is None:
            continue
        kept = places.kept(
            site, one.path.name, task.made_from, with_details=asked.with_details, trust=asked.trust
        )
        if kept:
            audits[one.path] = kept
        else:
            tasks.append(task)
    # Before the first page: a run that is killed leaves a folder that the next one knows.
    if not own:
        places.mark(site, "")
    notes = []
    for drawn in _drawn(tasks, asked.processes):
        if drawn.pages is None:
            failed[drawn.task.path] = drawn.fault
            continue
        places.write_pages(site, drawn.task.made_from, drawn.pages)
        audits[drawn.task.path] = drawn.pages.shown
        notes += [f"{drawn.task.path.name}: {note}" for note in drawn.notes]
    in_order = [audits[one.path] for one in found.records if one.path in audits]
    links = [one for one in found.records if one.fault == LINK]
    written = Written(
        site / INDEX,
        len(tasks) - sum(task.path in failed for task in tasks),
        len(in_order),
        tuple(
            Unread(one.path.name, failed[one.path]) for one in found.records if one.path in failed
        ),
        tuple(Unread(one.path.name, one.fault) for one in (*links, *found.others)),
        tuple(notes),
    )
    _write_whole_site(site, own, in_order, written, asked.url)
    places.tidy(site, [audit.name for audit in in_order])
    return written


def _task(one: Listed, asked: Asked, failed: dict[Path, str]) -> _Task | None:
    """What is to be drawn of a record; None where its files are not as they were sealed."""
    try:
        read_manifest(one.path)
        return _Task(one.path, _made_from(one.path), asked.trust, asked.with_details)
    except InputError as error:
        # Told on the site and not raised: the other records are drawn all the same.
        failed[one.path] = reason(error, one.path)
    except OSError as error:
        failed[one.path] = f"cannot be read ({error.strerror or error})"
    return None


def _made_from(folder: Path) -> str:
    """The digest of all that decides a record's pages: its name, files and verdicts, and us."""
    sums = bounded.content(folder / SUMS, bounded.SUMS)
    judged = folder / verdicts.FILE
    told = bounded.content(judged, bounded.SETTINGS) if judged.exists() else b""
    parts = (os.fsencode(folder.name), sums, told, _program().encode())
    digests = [hashlib.sha256(part).hexdigest() for part in parts]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


@cache
def _program() -> str:
    """The digest of what draws pages, and the program's version."""
    digest = hashlib.sha256(version("maskaudit").encode())
    for content in _contents(files("maskaudit.reports")):
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _contents(folder: Traversable) -> Iterator[bytes]:
    """Yield the content of every file below a folder, but for what Python compiles."""
    # Sorted: the digest must not depend on the order in which a system lists files.
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _contents(entry)
        elif entry.is_file():
            yield entry.read_bytes()


def _drawn(tasks: Sequence[_Task], processes: int) -> Iterator[_Drawn]:
    """Yield the pages of every task, as they are done, in the order of the tasks."""
    processes = min(processes, len(tasks) // _LEAST_EACH)
    if processes < 2:  # noqa: PLR2004 - this process alone
        yield from map(_draw, tasks)
        return
    # Not forked: threads of pyarrow are running, and a lock that one holds would stay locked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_begin) as pool:
        try:
            yield from pool.map(_draw, tasks)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin() -> None:
    """Let the first process answer an interrupt, which a terminal sends to all of them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A process of ours, which draws and ends.
    collector.begin()


def _draw(task: _Task) -> _Drawn:
    """Verify a record and draw its pages."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            # Whatever filters a user has set: the site says what could not be drawn.
            warnings.simplefilter("always", UndrawnWarning)
            pages, notes = _pages(task)
    except InputError as error:
        return _Drawn(task, None, reason(error, task.path), ())
    except OSError as error:
        return _Drawn(task, None, f"cannot be read ({error.strerror or error})", ())
    undrawn = [str(one.message) for one in caught if issubclass(one.category, UndrawnWarning)]
    return _Drawn(task, pages, "", (*notes, *undrawn))


def _pages(task: _Task) -> tuple[Pages, list[str]]:
    if task.with_details:
        held, notes = load_held(task.path, lambda _: OF_PAGE, trust=task.trust)
    else:
        held, notes = load_held(task.path, numbers, fewer, trust=task.trust)
    judgement = verdicts.read(task.path)
    tables = tables_of(held) if task.with_details else None
    address = DETAILS if task.with_details else ""
    drawn = replace(reader(held, judgement, address, tables), home=_HOME)
    pages = Pages(
        shown(held, judgement, drawn, is_trusted=task.trust),
        render_reader(drawn),
        render(page(held, judgement, tables)) if task.with_details else "",
    )
    # What was trusted is said once, of all.
    return pages, [] if task.trust else notes


def _write_whole_site(
    site: Path, own: str, audits: Sequence[Shown], written: Written, url: str
) -> None:
    """Write what is about all audits."""
    told = _colophon(audits)
    identity = own or feed.identity(audits)
    places.mark(site, identity)
    base = f"{url.rstrip('/')}/" if url else ""
    made = index(audits, written.failed, written.others, told)
    # The index last: it never links to what is not there.
    if not made.has_trends:
        places.removed(site / VERSIONS)
    else:
        over_time = document("versions.html.j2", _STYLES, trends(audits, told))
        write_inside(site / VERSIONS, over_time)
    write_inside(site / FEED, feed.feed(audits, identity, base))
    write_inside(site / JSON, _as_json(audits, written))
    write_inside(
        site / INDEX, document("site.html.j2", _STYLES, made, scripts=["rows.js", "site.js"])
    )


def _colophon(audits: Sequence[Shown]) -> str:
    trusted = sum(audit.is_trusted for audit in audits)
    how = "each number that it shows was made again from its scores"
    if trusted:
        how = f"the numbers of {wording.number(trusted)} were taken as they are"
    return (
        f"Written by maskaudit {version('maskaudit')} from "
        f"{wording.counted(len(audits), 'sealed record')}; {how}."
    )


def _as_json(audits: Sequence[Shown], written: Written) -> str:
    """What the index says, for programs."""
    return (
        json_text(
            {
                "format": FORMAT,
                "maskaudit": version("maskaudit"),
                "records": [{**audit.as_json(), **_addresses(audit)} for audit in audits],
                "failed": [vars(one) for one in written.failed],
                "others": [vars(one) for one in written.others],
            }
        )
        + "\n"
    )


def _addresses(audit: Shown) -> dict[str, str | None]:
    """Where the pages of a record lie, relative to the site."""
    folder = f"{places.RUNS}/{folder_of(audit.name)}"
    return {
        "page": f"{folder}/{PAGE}",
        "details": f"{folder}/{DETAILS}" if audit.has_details else None,
    }
