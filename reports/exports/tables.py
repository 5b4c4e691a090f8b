"""Every estimate of a record as CSV, for people and spreadsheets, or as JSON, for programs."""

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.record import Record
from maskaudit.audit.texts.printable import json_text
from maskaudit.reports.ci.json_values import as_json
from maskaudit.reports.exports.audited import Audited, lost_items
from maskaudit.reports.rows import as_csv, as_values
from maskaudit.reports.sections.method import extrinsic


def estimates_csv(audited: Audited) -> str:
    """The estimates of an audit as CSV; it has no place for verdicts."""
    return record_csv(audited.record, audited.judgement)


def record_csv(record: Record, _judgement: Judgement | None = None) -> str:
    """The table of estimates as CSV: a head, then a row for each number; unknown numbers are empty.

    Foreign text is as people should see it: what cannot be seen is shown by its code point, and
    what a spreadsheet would run begins with an apostrophe. JSON has the same text as it is.
    """
    return as_csv(record.estimates)


def estimates_json(audited: Audited) -> str:
    """The estimates of an audit as JSON, with its verdicts."""
    return record_json(audited.record, audited.judgement)


def record_json(record: Record, judgement: Judgement | None) -> str:
    """The estimates as JSON, with models, sets, what was lost, extrinsic scores and verdicts.

    Text is as the record has it, with escapes for what cannot be seen; unknown numbers are null.
    """
    manifest = record.manifest
    value = {
        "record": record.name,
        "created": manifest.created,
        "key": manifest.key,
        "maskaudit": manifest.maskaudit,
        "models": {
            model: identity.model_dump(include={"name", "revision", "weights"})
            for model, identity in manifest.models.items()
        },
        "probe_sets": {
            name: {"version": part.version, "axis": part.axis, "title": part.title}
            for name, part in manifest.probe_sets.items()
        },
        "lost_items": [
            {"probe_set": name, "model": model, "items": items}
            for (name, model), items in lost_items(record).items()
        ],
        "extrinsic": extrinsic.as_json(manifest),
        "estimates": as_values(record.estimates),
        "judgement": None if judgement is None else as_json(judgement),
    }
    return json_text(value) + "\n"
