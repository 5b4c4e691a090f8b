"""Several audits of one kind on one page: verdict and finding of each candidate, set by set."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from maskaudit.audit.judging import verdicts
from maskaudit.audit.recording.files import write_inside, write_whole
from maskaudit.audit.recording.record import PAGE, Record
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, REFERENCE, Effects
from maskaudit.reports.html import render_overview
from maskaudit.reports.over_models import Audit, Where, elsewhere
from maskaudit.reports.page import headline, names_of
from maskaudit.reports.reader import opening
from maskaudit.reports.reader.parts import Audited, Key, Line, Mark, Plot, Several
from maskaudit.reports.reader.scales import Scale, odds_scale
from maskaudit.reports.reader.state import Found, of_record, tested
from maskaudit.reports.words import wording

_LONGEST_NAME = 34
_BESIDE = (
    "The candidates answer the same sentences, so two bars that overlap do not say that two "
    "candidates are alike, nor two that do not that they differ: to compare two, audit one against "
    "the other."
)
_ADJUSTED = (
    "The tests of one audit allow for the number of its sets, and not for the number of "
    "candidates: the more there are, the more of them stand out by chance."
)


def overview_path(records: Sequence[Record]) -> Path:
    """The default path of the overview page: beside the records, named by the newest one's time."""
    folders = [record.path for record in records if record.path is not None]
    # A record's folder is named by its time first, so the newest sorts last.
    newest = max(folders, key=lambda folder: folder.name)
    return newest.parent / f"overview-{newest.name.partition('-')[0]}.html"


def write_overview(records: Sequence[Record], path: Path | None = None) -> Path:
    """Write the page of several records, in the given order, atomically.

    It is written beside the records unless `path` is given. Raises `CannotWriteError` where the
    disk is full or read-only.
    """
    if path is not None:
        return write_whole(path, render_overview(overview(records, path.parent)))
    path = overview_path(records)
    # Beside records of others, where a link could lead anywhere.
    return write_inside(path, render_overview(overview(records, path.parent)))


def overview(records: Sequence[Record], folder: Path) -> Several:
    """The page of several records, with links relative to `folder`; pure."""
    audits = [
        Audit(record, name, _found(record))
        for record, name in zip(records, _names(records), strict=True)
    ]
    reference = _reference(records)
    counted = wording.counted(len(records), "candidate")
    against = f" against {reference}" if reference else ""
    newest = max(str(record.manifest.created) for record in records)
    paired = [audit for audit in audits if REFERENCE in audit.record.manifest.models]
    return Several(
        title=f"Bias audit: {counted}{against}",
        eyebrow=wording.date(newest),
        headline=_headline(audits, reference),
        lead=_lead(audits, paired, reference),
        candidates=tuple(_candidate(audit, folder) for audit in audits),
        plots=tuple(_plot(where, audits, reference) for where in _order(audits)),
        cautions=(*([_BESIDE] if paired else []), _ADJUSTED),
        elsewhere=elsewhere(audits),
        colophon="Written by maskaudit from sealed records, whose own pages say what they rest on.",
    )


def _found(record: Record) -> dict[Where, Found]:
    manifest = record.manifest
    found = of_record(manifest, Effects.of(record.estimates), names_of(manifest))
    return {(one.paired.probe_set, one.paired.between): one for one in found}


def _names(records: Sequence[Record]) -> list[str]:
    """The display names of the candidates: the shortest form that keeps them distinct."""
    models = [record.manifest.models[CANDIDATE] for record in records]
    full = [model.name for model in models]
    # A hub id without its owner, or a folder without its path.
    short = [name.rstrip("/").rsplit("/", 1)[-1] or name for name in full]
    digests = [wording.short_digest(model.weights) for model in models]
    marked = [f"{name} {digest}" for name, digest in zip(short, digests, strict=True)]
    distinct = (names for names in (short, full, marked) if len(set(names)) == len(names))
    # One model audited twice has the same name and weights; its number tells them apart.
    numbered = [f"{name} ({number})" for number, name in enumerate(short, start=1)]
    return [wording.visible(name, _LONGEST_NAME) for name in next(distinct, numbered)]


def _reference(records: Sequence[Record]) -> str:
    """The name of the reference that all records share; empty where they differ or have none.

    Whether it is one model is asked of its weights and tokenizer: its name is shown in more or
    fewer parts, by the candidate that stands beside it.
    """
    models = [record.manifest.models.get(REFERENCE) for record in records]
    shared = {(model.weights, model.tokenizer) if model else None for model in models}
    if len(shared) > 1 or None in shared:
        return ""
    names = {names_of(record.manifest).reference for record in records}
    # The longest is distinct from every candidate's.
    return max(names, key=lambda name: (len(name), name))


def _order(audits: Sequence[Audit]) -> list[Where]:
    """Every set and pair of groups, by the worst that any candidate shows; controls last."""

    def worst(where: Where) -> tuple[bool, float]:
        found = [audit.found[where] for audit in audits if where in audit.found]
        return found[0].is_control, -max(one.alone.credible for one in found)

    return sorted(dict.fromkeys(where for audit in audits for where in audit.found), key=worst)


def _headline(audits: Sequence[Audit], reference: str) -> str:
    counted = wording.counted(len(audits), "candidate")
    leaning = [audit for audit in audits if any(one.lean == "with" for one in _asked(audit))]
    if not leaning:
        said = f"No lean with a stereotype is shown of {counted}"
    elif len(leaning) == 1:
        said = f"{leaning[0].name} leans with a stereotype, of {counted}"
    else:
        said = f"{_of_all(leaning, audits, counted)} lean with a stereotype"
    if not reference:
        return said
    further = [audit for audit in audits if any(one.change == "further" for one in _asked(audit))]
    if not further:
        return f"{said}; none is shown to lean further than {reference}"
    if len(further) == 1:
        return f"{said}; {further[0].name} further than {reference}"
    return f"{said}; {_of_all(further, audits)} further than {reference}"


def _of_all(some: Sequence[Audit], every: Sequence[Audit], counted: str = "") -> str:
    """How many of several, at the start of a sentence (`counted` are all of them) or within it."""
    if len(some) < len(every):
        return f"{len(some)} of {counted}" if counted else f"{len(some)}"
    said = wording.every(len(every))
    return wording.opened(f"{said} candidates") if counted else said


def _asked(audit: Audit) -> list[Found]:
    return tested(list(audit.found.values()))


def _lead(audits: Sequence[Audit], paired: Sequence[Audit], reference: str) -> str:
    if reference:
        return f"Each was audited against {reference}, and no candidate against another."
    if len(paired) == len(audits):
        return "Each was audited against a reference of its own, and no candidate against another."
    if paired:
        return "Some were audited against a reference, and no candidate against another."
    return "Each was audited by itself, and nothing was compared."


def _candidate(audit: Audit, folder: Path) -> Audited:
    record = audit.record
    names = names_of(record.manifest)
    judgement = None if record.path is None else verdicts.read(record.path)
    said = opening.headline(list(audit.found.values()), names) or headline(record).claim
    return Audited(
        audit.name,
        _link(record, folder),
        wording.short_digest(record.manifest.models[CANDIDATE].weights),
        opening.strip(judgement, record.manifest, names, list(audit.found.values())),
        said,
    )


def _plot(where: Where, audits: Sequence[Audit], reference: str) -> Plot:
    shown = [(audit, audit.found[where]) for audit in audits if where in audit.found]
    first = shown[0][1]
    effects = [
        effect
        for _, one in shown
        for subject, effect in one.paired.subjects.items()
        if subject != DIFFERENCE
    ]
    scale, ticks = odds_scale(v for e in effects for v in e.numbers)
    known = [Key(REFERENCE, reference or "its reference")] if _is_paired(shown) else []
    leaning = sum(one.lean == "with" for _, one in shown)
    title = f"{first.paired.title}: {leaning} of {len(shown)} lean with the stereotype"
    if first.is_control:
        moved = sum(one.moved for _, one in shown)
        title = f"{first.paired.title}, a control: {moved} of {len(shown)} moved"
    return Plot(
        f"set-{'-'.join((where[0], *where[1]))}",
        title,
        "Odds, as a factor; 1 is no lean. The bar is a 95 % interval.",
        ("candidate", f"than {reference or 'its reference'}" if known else "", "odds"),
        (*known, Key(CANDIDATE, "candidate")),
        ticks,
        tuple(_line(audit.name, one, scale) for audit, one in shown),
    )


def _is_paired(shown: Sequence[tuple[Audit, Found]]) -> bool:
    return any(REFERENCE in one.paired.subjects for _, one in shown)


def _line(name: str, one: Found, scale: Scale) -> Line:
    marks: list[Mark] = []
    before = one.paired.subjects.get(REFERENCE)
    if before is not None:
        marks.append(scale.mark(REFERENCE, before, bare=True))
    is_faint = one.lean not in {"with", "against"}
    marks.append(scale.mark(CANDIDATE, one.candidate, is_faint=is_faint))
    return Line(
        name,
        tuple(marks),
        wording.times(one.candidate.estimate),
        opening.state_of(one),
        one.tone,
        change=opening.change_of(one),
        change_tone=opening.change_tone(one),
    )


def _link(record: Record, folder: Path) -> str:
    """The address of a record's page relative to `folder`; empty for a record in no folder."""
    if record.path is None:
        return ""
    # A folder can have any name: `quote` makes it safe in a link, and the template escapes it.
    return quote(os.path.relpath(record.path / PAGE, folder).replace(os.sep, "/"))
