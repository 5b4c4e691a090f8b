"""One audit, from settings to a sealed record and its page: the whole program on one screen.

Probe sets are expanded into items, items are scored, estimates are computed from the scores, and
everything is sealed in a record. If there are gates, the record is judged; then its page is
written.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from maskaudit.audit import describe, settings
from maskaudit.audit import reuse as kept
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.judging import policy, verdicts
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.judging.rule_dates import rules_read
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.attributes import attribute_pieces
from maskaudit.audit.measuring.cached import cache
from maskaudit.audit.measuring.lexicons import by_model
from maskaudit.audit.measuring.pairs import Pair, load_pairs
from maskaudit.audit.measuring.scoring import Scored
from maskaudit.audit.recording import record
from maskaudit.audit.recording.files import held, unfinished
from maskaudit.audit.recording.record import PAGE, Record
from maskaudit.audit.reuse import Job
from maskaudit.audit.verifying.verify import reusable
from maskaudit.audit.vocabulary import Progress, Stage, silent
from maskaudit.reports.html import write_page
from maskaudit.reports.overview import write_overview


def run_all(  # noqa: PLR0913 - what a caller may choose, by keyword
    audit_settings: settings.Settings,
    *,
    skip_unchanged: bool = False,
    trust: bool = False,
    progress: Progress = silent,
    stage: Stage = silent,
    note: Callable[[str], None] = silent,
) -> list[Record]:
    """Audit each candidate as if it were the only one; write the records and their pages.

    The reference is scored once for all candidates; several candidates also get an overview page
    beside the records. An earlier record with the same key that holds is returned instead of a new
    one with `skip_unchanged`, or where only its page is missing, since a run was interrupted there;
    `trust` does not make its estimates again. `progress` receives (what, how much is done, the
    total), `stage` what is done where nothing is counted, and `note` sentences for the user. Raises
    `InputError` for unusable input, `LockedError` if another run holds the folder, and
    `CannotWriteError`, which says what is kept; no partial record is left behind.
    """
    started, now = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    # Everything that a user wrote is read before a model is loaded: a fault ends the run at once.
    rules = policy.of(audit_settings)
    stage("reading the probe sets")
    questions = describe.questions(audit_settings, progress)
    extrinsic = audit_settings.extrinsic()
    pairs = load_pairs(audit_settings, stage, note)
    jobs = [
        Job(pair, describe.key_of(pair, questions), scores)
        for pair, scores in zip(pairs, extrinsic, strict=True)
    ]

    runs = audit_settings.runs
    # An earlier record may stand for a new one only where its numbers follow from its scores.
    load = reusable(note, questions.lexicon, trust=trust)
    with held(runs), unfinished(runs) as folder:
        # Read under the lock, so that no other run takes the same number.
        earlier = record.manifests(runs)
        for job in jobs:
            job.record = kept.reused(earlier, job, note, load, skip_unchanged=skip_unchanged)
        new = [job for job in jobs if job.record is None]
        # With nothing to score there is no cache to open, and none to complain about.
        with cache.opened(audit_settings.run.cache_mib if new else 0, note) as score_cache:
            models = [list(job.pair.values()) for job in new]
            each_scored = scoring.score_each(
                questions.parts, models, progress, score_cache, reading=audit_settings.run.context
            )
        notes = describe.notes_on_time(earlier) if new else []
        for sentence in notes:
            note(sentence)
        first = describe.next_number(earlier)
        for number, (job, scored) in enumerate(zip(new, each_scored, strict=True), first):
            stage("estimating")
            read = rules_read(rules, earlier.values(), job.key, now)
            details = describe.RecordDetails(job.key, number, notes, started, read, job.extrinsic)
            unsealed = _record(questions, job.pair, scored, details)
            # Named only now: the timestamp in the name is the time of sealing.
            final_path = runs / describe.name_of(unsealed.manifest)
            with kept.named_if_stopped(kept.whole(new)):
                job.record = record.seal(unsealed, folder / str(number), final_path)
            for lost in unsealed.manifest.unavailable:
                note(lost.sentence)

    records = kept.whole(jobs)
    # Only when all are sealed: a page that cannot be written costs no record.
    for sealed in records:
        stage("judging and writing the page" if rules else "writing the page")
        with kept.named_if_stopped([sealed]):
            _finish(sealed, rules)
    if len(records) > 1:
        write_overview(records)
    return records


def _record(
    questions: describe.Questions, pair: Pair, scored: Scored, details: describe.RecordDetails
) -> Record:
    """Compute estimates from the scores, all subjects from the same cells, and build the record."""
    lexicons = by_model(questions.lexicon, pair)
    measured = (scored.scores, questions.designs, scored.fills, scored.paired, lexicons)
    attributes = attribute_pieces(questions.parts, pair)
    options = questions.settings.as_json()
    estimated = estimate(questions.items, *measured, attributes=attributes, **options)
    manifest = describe.manifest(pair, questions, scored, estimated, details)
    tables = (scored.scores, scored.paired, scored.fills, estimated.estimates)
    contexts = scoring.contexts(questions.parts)
    return Record(manifest, contexts, questions.items, *tables, attributes=attributes)


def _finish(sealed: Record, rules: policy.Policy | None) -> None:
    """Write the verdicts if there are gates, and the page if it is missing or there are gates."""
    assert sealed.path is not None  # noqa: S101 - it was sealed or loaded
    if rules is not None:
        verdicts.write(judge(sealed, rules, today=datetime.now(UTC).date()), sealed.path)
    # A reused record has a page already, but it shows the verdicts of another day.
    if rules is not None or not (sealed.path / PAGE).is_file():
        write_page(sealed)
