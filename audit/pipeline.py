"""One audit, from settings to a sealed record and its page: the whole program on one screen.

Probe sets become items, items are scored, estimates are computed from the scores, and all is sealed
in a record. If there are gates, the record is judged; then its page is written.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from maskaudit.audit import describe, reuse, settings
from maskaudit.audit.describe import Questions
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.registry.names import OF_ROBUSTNESS
from maskaudit.audit.judging import policy, verdicts
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.judging.rule_dates import rules_read
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.attributes import attribute_pieces
from maskaudit.audit.measuring.cached import cache
from maskaudit.audit.measuring.causal import causal_of, with_predictions
from maskaudit.audit.measuring.lexicons import by_model
from maskaudit.audit.measuring.pairs import Pair, load_pairs
from maskaudit.audit.measuring.scoring import Scored
from maskaudit.audit.recording import new_record, record
from maskaudit.audit.recording.files import held, unfinished
from maskaudit.audit.recording.new_record import RecordDetails
from maskaudit.audit.recording.record import PAGE, Record
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

    With `skip_unchanged`, an earlier valid record with the same key is returned instead of a new
    one; so is one that lacks only its page, because a run was interrupted there. With `trust`, its
    estimates are not computed again. `progress`, `stage` and `note` are told how far it is. Raises
    `InputError`, `LockedError` or `CannotWriteError`, which says which whole records are kept.
    """
    started, now = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    # All that a user wrote is read before a model is loaded: a fault ends the run at once.
    rules = policy.of(audit_settings)
    stage("reading the probe sets")
    questions = describe.questions(audit_settings, progress)
    extrinsic = audit_settings.extrinsic()
    pairs = load_pairs(audit_settings, stage, note)
    causal = causal_of(audit_settings)
    jobs = reuse.jobs_of(pairs, lambda pair: describe.key_of(pair, questions), extrinsic)
    # An earlier record may stand for a new one only where its numbers follow from its scores.
    load = reusable(note, questions.lexicon, trust=trust)
    with held(runs := audit_settings.runs), unfinished(runs) as folder:
        # Read under the lock, so that no other run takes the same number.
        earlier = record.manifests(runs)
        new = reuse.left_to_measure(jobs, earlier, note, load, skip_unchanged=skip_unchanged)
        # With nothing to score there is no cache to open, and none to complain about.
        with cache.opened(audit_settings.run.cache_mib if new else 0, note) as score_cache:
            models = [list(job.pair.values()) for job in new]
            each_scored = scoring.score_each(
                questions.parts, models, progress, score_cache, reading=questions.reading
            )
        notes = new_record.notes_on_time(earlier, note) if new else []
        first = new_record.next_number(earlier)
        for number, (job, scored) in enumerate(zip(new, each_scored, strict=True), first):
            stage("estimating")
            read = rules_read(rules, earlier.values(), job.key, now)
            details = RecordDetails(job.key, number, notes, started, read, job.extrinsic)
            scores = with_predictions(scored, questions.parts, causal)
            unsealed = _record(questions, job.pair, scores, details)
            # Named only now: the timestamp in the name is the time of sealing.
            final_path = runs / new_record.name_of(unsealed.manifest)
            with reuse.naming_if_stopped(reuse.finished(new)):
                job.record = record.seal(unsealed, folder / str(number), final_path)
            for lost in unsealed.manifest.unavailable:
                note(lost.sentence)
    records = reuse.finished(jobs)
    # Only when all are sealed: a failure to write a page must not lose a record.
    for sealed in records:
        stage("judging and writing the page" if rules else "writing the page")
        with reuse.naming_if_stopped([sealed]):
            _finish(sealed, rules)
    if len(records) > 1:
        write_overview(records)
    return records


def _record(questions: Questions, pair: Pair, scored: Scored, details: RecordDetails) -> Record:
    """Compute estimates from the scores, all subjects from the same cells, and build the record."""
    lexicons = by_model(questions.lexicon, pair)
    measured = (scored.scores, questions.designs, scored.fills, scored.paired, lexicons)
    attributes = attribute_pieces(questions.parts, pair)
    options = {"attributes": attributes, **questions.settings.as_json()}
    # What contrasts rest on is on the page, which is written next, and no part of a record.
    made = estimate(questions.items, *measured, resting=OF_ROBUSTNESS, **options)
    estimated = made.for_record
    manifest = describe.manifest(pair, questions, scored, estimated, details)
    tables = (scored.scores, scored.paired, scored.fills, estimated.estimates)
    parts = (manifest, scoring.contexts(questions.parts), questions.items, *tables)
    return Record(*parts, attributes=attributes, rests_on=made.rests_on)


def _finish(sealed: Record, rules: policy.Policy | None) -> None:
    """Write the verdicts if there are gates, and the page if it is missing or there are gates."""
    assert sealed.path is not None  # noqa: S101 - it was sealed or loaded
    if rules is not None:
        verdicts.write(judge(sealed, rules, today=datetime.now(UTC).date()), sealed.path)
    # A reused record has a page already, but it shows the verdicts of another day.
    if rules is not None or not (sealed.path / PAGE).is_file():
        write_page(sealed)
