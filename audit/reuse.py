"""Records that are kept: an earlier one instead of a new one, the whole ones of a stopped run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from maskaudit.audit.errors import CannotWriteError, InputError
from maskaudit.audit.measuring.pairs import Pair
from maskaudit.audit.recording import record
from maskaudit.audit.recording.extrinsic import Extrinsic
from maskaudit.audit.recording.places import Entry
from maskaudit.audit.recording.record import PAGE, Record


@dataclass
class Job:
    """A pair of models, the key of its record, its extrinsic scores, and the record once made."""

    pair: Pair
    key: str
    extrinsic: list[Extrinsic]
    record: Record | None = None


def finished(jobs: Sequence[Job]) -> list[Record]:
    """The records that exist by now, in the order of the jobs."""
    return [job.record for job in jobs if job.record is not None]


def jobs_of(
    pairs: Iterable[Pair], key: Callable[[Pair], str], extrinsic: Iterable[list[Extrinsic]]
) -> list[Job]:
    """A job for each pair, with its key and the scores of its candidate from elsewhere."""
    return [Job(pair, key(pair), scores) for pair, scores in zip(pairs, extrinsic, strict=True)]


def left_to_measure(
    jobs: Sequence[Job],
    earlier: Mapping[Path, Entry],
    note: Callable[[str], None],
    load: Callable[[Path], Record],
    *,
    skip_unchanged: bool,
) -> list[Job]:
    """Give each job the earlier record that may stand for its own; return the jobs without one."""
    for job in jobs:
        job.record = _reused(earlier, job, note, load, skip_unchanged=skip_unchanged)
    return [job for job in jobs if job.record is None]


def _reused(
    earlier: Mapping[Path, Entry],
    job: Job,
    note: Callable[[str], None],
    load: Callable[[Path], Record],
    *,
    skip_unchanged: bool,
) -> Record | None:
    """The earlier record to return instead of a new one, if there is one.

    That is the newest with the job's key and extrinsic scores which `load` does not refuse, if
    unchanged audits are skipped or it lacks its page. `note` receives why it is returned.
    """
    # A run that ended between its record and its page left this behind. It is finished even where
    # nobody asked to skip anything: what took long is done, and whole.
    without_page = [
        path for path in earlier if earlier[path].key == job.key and not (path / PAGE).is_file()
    ]
    if not (skip_unchanged or without_page):
        return None

    def with_its_scores(path: Path) -> Record:
        found = load(path)
        # They are no part of the key, for they decide no number; a record is never changed, so
        # another one has to hold them.
        if found.manifest.extrinsic != job.extrinsic:
            raise InputError(f"{path}: has other extrinsic scores than this audit")
        return found

    # Only now: `load` makes the estimates of a record again, which takes seconds.
    found = record.newest(earlier, job.key, note, with_its_scores)
    if found is None:
        return None
    if found.path in without_page:
        note(f"{found.name}: this record is whole, and only its page was missing; it is finished")
    elif skip_unchanged:
        note(f"{found.name}: reused; nothing that determines its numbers has changed")
    else:
        return None
    return found


@contextmanager
def naming_if_stopped(records: Sequence[Record]) -> Iterator[None]:
    """Say in a `CannotWriteError` which records are whole, and how to get their pages."""
    try:
        yield
    except CannotWriteError as error:
        # Without a record nothing was kept that could be named.
        if not records:
            raise
        pages = "; ".join(f"maskaudit report {sealed.path}" for sealed in records)
        whole = "the record is whole; its page" if len(records) == 1 else "whole records; pages"
        raise CannotWriteError(error.fault, f"{whole}: {pages}") from error
