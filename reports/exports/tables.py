"""Every estimate of a record as CSV, for people and spreadsheets, or as JSON, for programs."""

from maskaudit.audit.texts.printable import json_text
from maskaudit.reports.ci.json_values import as_json
from maskaudit.reports.exports.audited import Audited, lost_items
from maskaudit.reports.words.rows import as_csv, as_values


def estimates_csv(audited: Audited) -> str:
    """The table of estimates as CSV: a head, then a row for each number; unknown numbers are empty.

    Foreign text is as people should see it: what cannot be seen is shown by its code point, and
    what a spreadsheet would run begins with an apostrophe. JSON has the same text as it is.
    """
    return as_csv(audited.record.estimates)


def estimates_json(audited: Audited) -> str:
    """The estimates as JSON, with the models, the sets, what was lost, and verdicts if there are.

    Text is as the record has it, with escapes for what cannot be seen; unknown numbers are null.
    """
    record, judgement = audited.record, audited.judgement
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
        "estimates": as_values(record.estimates),
        "judgement": None if judgement is None else as_json(judgement),
    }
    return json_text(value) + "\n"
