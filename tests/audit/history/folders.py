"""Folders of records for the tests of histories: versions, draws, and records changed by hand."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

from maskaudit.audit.recording import binding, files, record
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows import tables
from tests import manifests

METHOD = "probe_set:{set}|version:1|items:u|torch:{torch}|estimator:stereotype_contrast:log_odds"
MODEL = {"tokenizer": "t"}
START = datetime(2026, 1, 1, tzinfo=UTC)


def write(  # noqa: PLR0913 - one for each thing that may be otherwise
    runs,
    number,
    *,
    day=None,
    estimate=0.0,
    std_error=0.1,
    weights="w",
    reference="r",
    tokenizer="t",
    torch="2.13",
    draw="",
    sets=("jobs",),
    name="",
    candidate="student",
    numbered=True,
    expect="lean",
    v_frames=0.01,
):
    """Write the record of one audit, as an audit does, and return its folder."""
    created = START + timedelta(days=number if day is None else day)
    rows = [
        {
            "probe_set": probe_set,
            "axis": "gender",
            "slice": "contrast",
            "estimator": estimator,
            "mode": "corrected",
            "subject": subject,
            "estimate": estimate + shift,
            "low": estimate + shift - 0.2,
            "high": estimate + shift + 0.2,
            "std_error": std_error,
            "df": 12.0,
            "null_value": 0.0,
            "v_frames": v_frames,
            "n_frames": 20,
            "scope": "S2",
            "method": METHOD.format(set=probe_set, torch=torch),
        }
        for probe_set in sets
        for estimator in ("stereotype_contrast", "log_odds")
        for subject, shift in (("reference", 2.0), ("candidate", 2.0), ("difference", 0.0))
    ]
    manifest = {
        "format": record.FORMAT if numbered else 2,
        "created": created.isoformat(),
        "models": {
            "reference": {**MODEL, "name": "teacher", "weights": reference},
            "candidate": {"tokenizer": tokenizer, "name": candidate, "weights": weights},
        },
        "probe_sets": {
            probe_set: {
                "title": f"Title of {probe_set}",
                "expect": expect,
                "items_digest": draw or "fixed",
                **({"grammar": {"universe": "u"}} if draw else {}),
            }
            for probe_set in sets
        },
        **({"number": number} if numbered else {}),
    }
    others = ("contexts", "items", "scores", "paired", "fills")
    described = manifests.manifest(**manifest)
    parts = (described.models, described.probe_sets, described.method, described.settings)
    key = {"key": binding.key_of(*parts, described.code)} if numbered else {}
    whole = Record(
        described.model_copy(update=key),
        **{table: tables.table(table, []) for table in others},
        estimates=tables.table("estimates", rows),
    )
    final = runs / (name or f"{created:%Y%m%dT%H%M%S}Z-{number:04}")
    with files.unfinished(runs) as folder:
        record.seal(whole, folder / "0", final)
    return final


def versions(runs, estimates, **more):
    """Write one record for each version."""
    return [
        write(runs, n, estimate=estimate, weights=f"w{n}", **more)
        for n, estimate in enumerate(estimates, start=1)
    ]


def one_series(judgement, subject="difference"):
    """Return what was judged of one subject's only series."""
    [found] = [one for one in judgement.judged if one.series.subject == subject]
    return found


def reseal(folder):
    """Write the checksums of a record again, as somebody would who changed it on purpose."""
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(folder.iterdir())
        if path.name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")


def change_manifest(folder, **changed):
    """Change record.json and seal it again."""
    manifest = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(manifest | changed))
    reseal(folder)


def drawn(runs, estimates, **more):
    """Write one record for each draw of a grammar, all of one model."""
    return [
        write(runs, n, estimate=estimate, draw=f"draw {n}", **more)
        for n, estimate in enumerate(estimates, start=1)
    ]
