"""One audit, from settings to a sealed record and its page: the whole program on one screen.

Probe sets become items, items become scores, scores become estimates, and all of it one record;
a record becomes a page.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from audit import manifest, models, record, score, settings
from audit.estimate import design, estimate
from audit.phantom import truth
from audit.record import Record
from probes.expand import expand
from reports.html import write_page

Progress = Callable[[str, int, int], None]


def silent(_what: str, _done: int, _all: int) -> None:
    """Tell nothing of how far the scoring has come."""


def run(  # noqa: PLR0913 - each an everyday word of an audit
    file: str | Path | None = None,
    *,
    reference: str | None = None,
    candidate: str | None = None,
    probes: Sequence[str] = (),
    out: str | Path | None = None,
    seed: int | None = None,
    progress: Progress = silent,
) -> Record:
    """Audit a candidate, against a reference where one is named; write the record and its page.

    `file` is an AUDIT.toml; the other arguments stand instead of what it says. Without any model
    the bundled pair is audited. The record is in `path`, its page `report.html` in there.
    Raises `InputError` for a model, set or setting that cannot be used and `CannotWriteError` where
    the disk is full or read-only: then nothing is left behind.
    """
    started = time.perf_counter()
    wanted = asked(
        file, reference=reference, candidate=candidate, probes=probes, out=out, seed=seed
    )
    # Probe sets become items.
    sets = wanted.probe_sets()
    parts = [expand(probe_set) for probe_set in sets]
    items = pd.concat([part.items for part in parts], ignore_index=True)
    described = {
        probe_set.header.name: manifest.described(probe_set, part, wanted.run.seed)
        for probe_set, part in zip(sets, parts, strict=True)
    }
    lexicon = wanted.lexicon()
    pair = load_models(wanted)

    with record.held(wanted.runs), record.unfinished(wanted.runs) as folder:
        # Items become scores, those of both models in one pass.
        scored = score.score_all(parts, list(pair.values()), progress)

        # Scores become estimates, of all subjects from the same cells.
        method = {**models.engine(), "dtype": "float32", **manifest.lexicon_key(lexicon)}
        designs = [design(name, part, method) for name, part in described.items()]
        estimated = estimate(
            items,
            scored.scores,
            designs,
            scored.fills,
            scored.paired,
            lexicon,
            seed=wanted.run.seed,
            adjust=wanted.run.adjust,
        )

        # All of it becomes one record.
        contents = manifest.manifest(
            pair, described, items, scored.scores, estimated, wanted, method, started
        )
        tables = (score.contexts(parts), items, scored.scores, scored.paired, scored.fills)
        found = Record(contents, *tables, estimated.estimates)
        sealed = record.seal(found, folder, wanted.runs / manifest.name_of(contents))

    # A record becomes a page.
    write_page(sealed)
    return sealed


def asked(  # noqa: PLR0913 - each an everyday word of an audit
    file: str | Path | None = None,
    *,
    reference: str | None = None,
    candidate: str | None = None,
    probes: Sequence[str] = (),
    out: str | Path | None = None,
    seed: int | None = None,
) -> settings.Settings:
    """The settings of a file, with what the arguments say instead."""
    return settings.changed(
        settings.read(None if file is None else Path(file)),
        reference=reference,
        candidate=candidate,
        probes=probes,
        runs=None if out is None else str(out),
        seed=seed,
    )


def load_models(wanted: settings.Settings) -> dict[str, models.LoadedModel]:
    """The models by subject, the reference first; the bundled pair where none is named."""
    named = {
        subject: model.name
        for subject, model in (
            ("reference", wanted.models.reference),
            ("candidate", wanted.models.candidate),
        )
        if model is not None
    }
    if not named:
        named = {"reference": str(truth.TEACHER), "candidate": str(truth.STUDENT)}
    if "candidate" not in named:
        named = {"candidate": named["reference"]}
    return {subject: models.load(name) for subject, name in named.items()}
