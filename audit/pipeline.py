"""One audit, from settings to a sealed record and its page: the whole program on one screen.

Probe sets are expanded into items, items are scored, estimates are computed from the scores, and
everything is sealed in a record. If there are gates, the record is judged; then its page is
written.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from maskaudit.audit import describe, settings
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.judging import policy, verdicts
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.measuring import cache, scoring
from maskaudit.audit.measuring.pairs import Pair, load_pairs
from maskaudit.audit.measuring.scoring import Scored
from maskaudit.audit.recording import record
from maskaudit.audit.recording.files import held, unfinished
from maskaudit.audit.recording.record import Record
from maskaudit.audit.vocabulary import Progress
from maskaudit.reports.html import FILE, write_page
from maskaudit.reports.overview import write_overview


@dataclass
class Job:
    """A pair of models, the key of its record, and the record once it exists."""

    pair: Pair
    key: str
    record: Record | None = None


def silent(*_message: object) -> None:
    """Ignore a progress report or a note."""


def run_all(
    wanted: settings.Settings,
    *,
    skip_unchanged: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = silent,
) -> list[Record]:
    """Audit each candidate as if it were the only one; write the records and their pages.

    The reference is scored once for all candidates; several candidates also get an overview page
    beside the records. With `skip_unchanged` the newest complete record with the same key, if any,
    is returned instead of a new one. `progress` receives (what, sentences done, sentences in all),
    `note` receives sentences for the user. Raises `InputError` for unusable input, `LockedError` if
    another run holds the folder, and `CannotWriteError`; no partial record is left behind.
    """
    started = time.perf_counter()
    rules = None if wanted.gates is None else policy.read(wanted.gates)
    asked = describe.questions(wanted)
    jobs = [Job(pair, describe.key_of(pair, asked)) for pair in load_pairs(wanted)]

    with held(wanted.runs), unfinished(wanted.runs) as folder:
        earlier = record.manifests(wanted.runs)
        for job in jobs if skip_unchanged else ():
            job.record = record.newest(earlier, job.key, note)
            if job.record is not None:
                note(f"{job.record.name}: the same was audited before, and nothing of it changed")
        new = [job for job in jobs if job.record is None]
        with cache.opened(wanted.run.cache_mib if new else 0, note) as kept:
            pairs = [list(job.pair.values()) for job in new]
            each_scored = scoring.score_each(asked.parts, pairs, progress, kept)
        notes = describe.notes_on_time(earlier) if new else []
        for sentence in notes:
            note(sentence)
        numbered = enumerate(zip(new, each_scored, strict=True), describe.next_number(earlier))
        for number, (job, scored) in numbered:
            place = describe.Place(job.key, number, notes, started)
            made = _record(asked, job.pair, scored, place)
            final = wanted.runs / describe.name_of(made.manifest)
            job.record = record.seal(made, folder / str(number), final)

    records = [job.record for job in jobs if job.record is not None]
    for one in records:
        _finish(one, rules)
    if len(records) > 1:
        write_overview(records)
    return records


def _record(asked: describe.Questions, pair: Pair, scored: Scored, place: describe.Place) -> Record:
    """Compute estimates from the scores, all subjects from the same cells, and build the record."""
    measured = (scored.scores, asked.designs, scored.fills, scored.paired, asked.lexicon)
    estimated = estimate(asked.items, *measured, **asked.settings.as_json())
    whole = describe.manifest(pair, asked, scored.scores, estimated, place)
    tables = (scored.scores, scored.paired, scored.fills, estimated.estimates)
    return Record(whole, scoring.contexts(asked.parts), asked.items, *tables)


def _finish(made: Record, rules: policy.Policy | None) -> None:
    """Write the verdicts if there are gates, and the page if it is missing or there are gates."""
    assert made.path is not None  # noqa: S101 - it was sealed or loaded
    if rules is not None:
        verdicts.write(judge(made, rules, today=datetime.now(UTC).date()), made.path)
    if rules is not None or not (made.path / FILE).is_file():
        write_page(made)
