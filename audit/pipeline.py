"""One audit, from settings to a sealed record and its page: the whole program on one screen.

Probe sets become items, items become scores, scores become estimates, and all of it one record;
estimates become verdicts where there are gates, and a record becomes a page. Of several candidates
each has a record, and there is one page of them all.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from maskaudit.audit import describe, settings
from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.estimate import Design, design, estimate
from maskaudit.audit.judging import gate, policy, verdicts
from maskaudit.audit.measuring import cache, models, scoring
from maskaudit.audit.measuring.models import LoadedModel
from maskaudit.audit.measuring.scoring import Scored
from maskaudit.audit.phantom import truth
from maskaudit.audit.recording import record
from maskaudit.audit.recording.record import Record
from maskaudit.probes.expand import Expanded, expand
from maskaudit.reports.html import FILE, write_page
from maskaudit.reports.overview import write_overview

Progress = Callable[[str, int, int], None]
Pair = Mapping[str, LoadedModel]


def silent(*_told: object) -> None:
    """Tell nothing of how far the scoring has come, nor of what a user may want to know."""


def run_all(
    wanted: settings.Settings,
    *,
    skip_unchanged: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = silent,
) -> list[Record]:
    """Audit each candidate as if it were the only one; write the records and their pages.

    The reference is scored once for all candidates; of several there is one page more, beside the
    records (`reports.overview`). Where `skip_unchanged`, a whole record with the same key that is
    there already is returned instead of a new one. `progress` is told (what, sentences done,
    sentences in all), `note` a sentence that a user may want to know. Raises `InputError` for a
    model, set or setting that cannot be used, `LockedError` where another run is at work in the
    folder, and `CannotWriteError` where the disk is full or read-only: then nothing is left behind.
    """
    started = time.perf_counter()
    rules = None if wanted.gates is None else policy.read(wanted.gates)
    asked = _questions(wanted)
    pairs = load_pairs(wanted)
    keys = [describe.key_of(pair, asked.described, asked.method, wanted) for pair in pairs]

    with record.held(wanted.runs), record.unfinished(wanted.runs) as folder:
        there = record.manifests(wanted.runs)
        found = [record.newest(there, key, note) if skip_unchanged else None for key in keys]
        new = [number for number, one in enumerate(found) if one is None]
        for one in found:
            if one is not None and one.path is not None:
                note(f"{one.path.name}: the same was audited before, and nothing of it changed")
        each_scored = _scored(asked, [pairs[number] for number in new], wanted, progress, note)
        notes = describe.notes_on_time(there) if new else []
        for sentence in notes:
            note(sentence)
        for place, (number, scored) in enumerate(zip(new, each_scored, strict=True)):
            said = {
                "key": keys[number],
                "number": describe.next_number(there) + place,
                "notes": notes,
            }
            made = _record(asked, pairs[number], scored, wanted, started, said)
            final = wanted.runs / describe.name_of(made.manifest)
            found[number] = record.seal(made, folder / str(place), final)

    records = [one for one in found if one is not None]
    for one in records:
        _finish(one, rules)
    if len(records) > 1:
        write_overview(records)
    return records


@dataclass(frozen=True)
class _Questions:
    """What every pair of models is asked, and how its numbers are made."""

    parts: list[Expanded]
    items: pd.DataFrame
    described: dict[str, Any]
    method: dict[str, str]
    designs: list[Design]
    lexicon: frozenset[str] | None


def _questions(wanted: settings.Settings) -> _Questions:
    """Probe sets become items."""
    sets = wanted.probe_sets()
    parts = [expand(probe_set) for probe_set in sets]
    described = {
        probe_set.header.name: describe.described(probe_set, part, wanted.run.seed)
        for probe_set, part in zip(sets, parts, strict=True)
    }
    lexicon = wanted.lexicon()
    method = {**models.engine(), "dtype": "float32", **describe.lexicon_key(lexicon)}
    return _Questions(
        parts,
        pd.concat([part.items for part in parts], ignore_index=True),
        described,
        method,
        [design(name, part, method) for name, part in described.items()],
        lexicon,
    )


def _scored(
    asked: _Questions,
    pairs: Sequence[Pair],
    wanted: settings.Settings,
    progress: Progress,
    note: Callable[[str], None],
) -> list[Scored]:
    """Items become scores, those of all models in one pass."""
    kept = _cache(wanted, note) if pairs else None
    found = scoring.score_each(asked.parts, [list(p.values()) for p in pairs], progress, kept)
    if kept is not None and kept.taken:
        note(
            f"{kept.taken} of {kept.asked} parts were scored before and taken from the cache "
            "(maskaudit cache info)"
        )
    return found


def _record(  # noqa: PLR0913, PLR0917 - a record is where everything meets
    asked: _Questions,
    pair: Pair,
    scored: Scored,
    wanted: settings.Settings,
    started: float,
    said: Mapping[str, Any],
) -> Record:
    """Scores become estimates, of all subjects from the same cells; and all of it one record."""
    estimated = estimate(
        asked.items,
        scored.scores,
        asked.designs,
        scored.fills,
        scored.paired,
        asked.lexicon,
        seed=wanted.run.seed,
        adjust=wanted.run.adjust,
    )
    contents = describe.manifest(
        pair,
        asked.described,
        asked.items,
        scored.scores,
        estimated,
        wanted,
        asked.method,
        started,
        said,
    )
    tables = (scored.scores, scored.paired, scored.fills, estimated.estimates)
    return Record(contents, scoring.contexts(asked.parts), asked.items, *tables)


def _finish(one: Record, rules: policy.Policy | None) -> None:
    """Estimates become verdicts, where there are gates; and a record becomes a page."""
    assert one.path is not None  # noqa: S101 - it was sealed or loaded
    if rules is not None:
        today = datetime.now(UTC).date()
        verdicts.write(gate.judge(one, rules, today=today), one.path)
    if rules is not None or not (one.path / FILE).is_file():
        write_page(one)


def run(  # noqa: PLR0913 - each an everyday word of an audit
    file: str | Path | None = None,
    *,
    reference: str | None = None,
    candidate: str | None = None,
    probes: Sequence[str] = (),
    out: str | Path | None = None,
    seed: int | None = None,
    gates: str | Path | None = None,
    no_cache: bool = False,
    skip_unchanged: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = silent,
) -> Record:
    """Audit one candidate, against a reference where one is named; write the record and its page.

    `file` is an AUDIT.toml; the other arguments stand instead of what it says. Without any model
    the bundled pair is audited. The record is in `path`, its page `report.html` in there. The rest
    is as in `run_all`.
    """
    wanted = asked(
        file,
        reference=reference,
        candidate=candidate,
        probes=probes,
        out=out,
        seed=seed,
        gates=gates,
        no_cache=no_cache,
    )
    _check_one(wanted)
    [found] = run_all(wanted, skip_unchanged=skip_unchanged, progress=progress, note=note)
    return found


def asked(  # noqa: PLR0913 - each an everyday word of an audit
    file: str | Path | None = None,
    *,
    reference: str | None = None,
    candidate: str | None = None,
    candidates: Sequence[str] = (),
    probes: Sequence[str] = (),
    out: str | Path | None = None,
    seed: int | None = None,
    gates: str | Path | None = None,
    no_cache: bool = False,
) -> settings.Settings:
    """The settings of a file, with what the arguments say instead."""
    return settings.changed(
        settings.read(None if file is None else Path(file)),
        reference=reference,
        candidates=candidates if candidate is None else [candidate, *candidates],
        probes=probes,
        runs=None if out is None else str(out),
        seed=seed,
        cache_mib=0 if no_cache else None,
        gates=None if gates is None else Path(gates),
    )


def load_pairs(wanted: settings.Settings) -> list[dict[str, LoadedModel]]:
    """The models of each candidate's audit by subject, the reference first; each loaded once.

    The bundled pair where none is named.
    """
    reference = wanted.models.reference
    names = [model.name for model in wanted.candidates]
    if reference is None and not names:
        pair = {"reference": truth.TEACHER, "candidate": truth.STUDENT}
        return [{subject: models.load(str(path)) for subject, path in pair.items()}]
    if reference is None or not names:
        alone = names or [model.name for model in (reference,) if model is not None]
        return [{"candidate": models.load(name)} for name in alone]
    loaded = models.load(reference.name)
    return [{"reference": loaded, "candidate": models.load(name)} for name in names]


def load_models(wanted: settings.Settings) -> dict[str, LoadedModel]:
    """The models by subject where there is one candidate, as in `load_pairs`."""
    _check_one(wanted)
    return load_pairs(wanted)[0]


def _check_one(wanted: settings.Settings) -> None:
    if len(wanted.candidates) > 1:
        names = ", ".join(model.name for model in wanted.candidates)
        raise InputError(f"{len(wanted.candidates)} candidates are named ({names}); expected one")


def _cache(wanted: settings.Settings, note: Callable[[str], None]) -> cache.Cache | None:
    """Where scores are kept, if they are."""
    if wanted.run.cache_mib == 0:
        return None
    try:
        return cache.Cache(cache.place(), wanted.run.cache_mib * cache.MIB, note)
    except InputError as error:
        note(f"scores cannot be kept, so a run that is ended cannot be resumed: {error}")
        return None
