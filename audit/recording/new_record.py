"""What a new record gets besides its measurements: key, number, name, and notes on its making."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from maskaudit.audit.recording.extrinsic import Extrinsic
from maskaudit.audit.recording.manifest import Manifest, RuleRead
from maskaudit.audit.recording.places import Entry

_KEY_LENGTH = 8


@dataclass(frozen=True)
class RecordDetails:
    """A record's key, its number in the folder, and notes on how it was made.

    `started` is when its run began, in seconds of `time.perf_counter`. `rules` are the gates that
    were read before anything was measured, by digest; `extrinsic` scores that were measured
    elsewhere, by subject.
    """

    key: str
    number: int
    notes: list[str]
    started: float
    rules: dict[str, RuleRead]
    extrinsic: list[Extrinsic]


def name_of(contents: Manifest) -> str:
    """The name of a record's folder, `<timestamp>-<short key>`; the time is UTC."""
    # To the microsecond: one run may seal several records with one key, and the names of records
    # have to differ and to sort by time.
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{contents.key[:_KEY_LENGTH]}"


def next_number(earlier: Mapping[Path, Entry]) -> int:
    """The number of the next record: larger than the count and every number of earlier records."""
    # Not the count alone: after a record was deleted a number would come back. And not the numbers
    # alone: records of formats 1 and 2 have none.
    return 1 + max([len(earlier), *(entry.number for entry in earlier.values())])


def notes_on_time(earlier: Mapping[Path, Entry], note: Callable[[str], None]) -> list[str]:
    """A note if the clock is behind the creation time of an existing record, else no note.

    `note` receives it as well.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    newest = max(earlier, key=lambda path: earlier[path].created, default=None)
    # ISO times of one time zone and precision sort as text.
    if newest is None or earlier[newest].created <= now:
        return []
    sentence = (
        f"The clock read {now} when this audit ran, but {newest.name} already existed, with the "
        f"later time {earlier[newest].created}: one of the two is wrong. Records are numbered in "
        "the order in which they were made."
    )
    note(sentence)
    return [sentence]
