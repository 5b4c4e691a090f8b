"""Several audits of one kind on one page: headline, contrasts and page link of each candidate."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from maskaudit.audit.judging import verdicts
from maskaudit.audit.recording.files import write_inside, write_whole
from maskaudit.audit.recording.record import PAGE, Record
from maskaudit.reports.blocks import (
    Bullets,
    Claim,
    Column,
    Figure,
    Forest,
    Mark,
    Page,
    Rows,
    Section,
    Table,
    Text,
)
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effects
from maskaudit.reports.html import render
from maskaudit.reports.over_models import Audit
from maskaudit.reports.over_models import sections as over_models
from maskaudit.reports.page import headline, names_of
from maskaudit.reports.sections.contrasts import Contrast, contrasts
from maskaudit.reports.words import sameness, wording
from maskaudit.reports.words import verdicts as gates

_LONGEST_NAME = 34
_READ = (
    "A stereotype contrast is in nats: 0 is no lean, 0.69 doubles the odds, and a positive one "
    "follows the stereotype. A 95 % interval says how far a number may be from the one that other "
    "words and other sentences of the same kind would give."
)
_READ_PAIRED = (
    "Each line is a candidate less the reference: right of zero it leans further with the "
    "stereotype than the reference. The candidates answer the same sentences, so two intervals "
    "that overlap do not say that two candidates are alike, nor two that do not that they differ: "
    "to compare two, audit one against the other."
)
_ADJUSTED = (
    "The p values allow for the number of tested sets of one audit, and not for the number of "
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
        return write_whole(path, render(overview(records, path.parent)))
    path = overview_path(records)
    # Beside records of others, where a link could lead anywhere.
    return write_inside(path, render(overview(records, path.parent)))


def overview(records: Sequence[Record], folder: Path) -> Page:
    """The page of several records, with links relative to `folder`; pure."""
    audits = _audits(records)
    reference = _reference(records)
    newest = max(str(record.manifest.created) for record in records)
    counted = wording.counted(len(records), "candidate")
    against = f" against {reference}" if reference else ""
    sections = [_section(audits, paired=bool(reference))] if _titles(audits) else []
    return Page(
        title=f"Bias audit: {counted}{against}",
        eyebrow=wording.date(newest),
        headline=Claim(
            f"{counted} were audited{against}",
            "each by itself, and no candidate was held against another."
            if reference
            else "each by itself, and nothing was compared.",
        ),
        banner="",
        warnings=(),
        findings=(
            Bullets(tuple(f"{audit.name}: {headline(audit.record).alone}." for audit in audits)),
            Text(_READ),
            *([Text(_READ_PAIRED)] if reference else []),
            Text(_ADJUSTED, "small"),
        ),
        sections=(*sections, *over_models(audits), _pages(audits, folder)),
        colophon="Written by maskaudit from sealed records, whose own pages say what they rest on.",
    )


def _audits(records: Sequence[Record]) -> list[Audit]:
    audits = []
    for record, name in zip(records, _names(records), strict=True):
        manifest = record.manifest
        all_contrasts = contrasts(
            manifest.probe_sets,
            Effects.of(record.estimates),
            names_of(manifest),
            manifest.settings.adjust,
        )
        audits.append(Audit(record, name, {contrast.title: contrast for contrast in all_contrasts}))
    return audits


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
    """The reference that all records share; empty where they differ or have none."""
    references = {
        names_of(record.manifest).reference if REFERENCE in record.manifest.models else ""
        for record in records
    }
    return references.pop() if len(references) == 1 else ""


def _titles(audits: Sequence[Audit]) -> list[str]:
    """The titles of all contrasts, in the order of the records."""
    return list(dict.fromkeys(title for audit in audits for title in audit.contrasts))


def _section(audits: Sequence[Audit], *, paired: bool) -> Section:
    quantity = "Candidate less reference" if paired else "Stereotype contrasts"
    by_set = [
        (title, [(a.name, a.contrasts[title]) for a in audits if title in a.contrasts])
        for title in _titles(audits)
    ]
    marks = [
        (title, tuple(_mark(name, contrast) for name, contrast in rows)) for title, rows in by_set
    ]
    figure = Figure(
        "contrasts-chart",
        f"{quantity}, with 95 % intervals",
        " ".join(
            f"{title}: {'; '.join(m.label for m in set_marks)}." for title, set_marks in marks
        ),
        Forest(tuple(marks), "stereotype contrast, nats (right of zero: with the stereotype)"),
    )
    heads = (
        "Candidate",
        "Contrast (95 % interval)",
        "p, adjusted",
        "Could have found",
        "At most (90 %)",
    )
    table = Table(
        "contrasts-table",
        f"{quantity} in numbers, nats",
        tuple(Column(head, is_number=number > 0) for number, head in enumerate(heads)),
        tuple(
            Rows(tuple(_cells(name, contrast) for name, contrast in rows), title)
            for title, rows in by_set
        ),
        note="Could have found: the smallest contrast that the tests of one audit, adjusted for "
        "their number, would have found four times in five; for a control that of a single test. "
        "At most: the smallest margin within which it is shown to be zero.",
    )
    return Section("contrasts", "The contrasts side by side", (figure, table), "Contrasts")


def _mark(name: str, contrast: Contrast) -> Mark:
    main = contrast.main
    value = wording.with_interval(main.estimate, main.low, main.high)
    return Mark(
        name, f"{name} {value}", contrast.subject, value, main.estimate, main.low, main.high
    )


def _cells(name: str, contrast: Contrast) -> tuple[str, ...]:
    main = contrast.main
    return (
        name,
        wording.with_interval(main.estimate, main.low, main.high),
        wording.p_number(main.p_adjusted),
        wording.plain(contrast.could_find(contrast.subject)),
        wording.at_most(sameness.most(main)),
    )


def _pages(audits: Sequence[Audit], folder: Path) -> Section:
    judged = [_judged(audit.record) for audit in audits]
    gate_heads = ("Gates",) if any(judged) else ()
    heads = ("Candidate", "Weights, SHA-256", *gate_heads, "Its own page")
    columns = tuple(Column(head, is_number=False) for head in heads)
    rows = tuple(
        (
            audit.name,
            wording.short_digest(audit.record.manifest.models[CANDIDATE].weights),
            *((heading or "not judged",) if gate_heads else ()),
            _link(audit.record, folder),
        )
        for audit, heading in zip(audits, judged, strict=True)
    )
    table = Table("pages-table", "Records and their pages", columns, (Rows(rows),))
    return Section("pages", "The audits", (table,))


def _judged(record: Record) -> str:
    """The gate results of a record in one line; empty where it was not judged."""
    judgement = None if record.path is None else verdicts.read(record.path)
    return "" if judgement is None else gates.heading(judgement)


def _link(record: Record, folder: Path) -> str:
    """A link to a record's page, relative to `folder`."""
    if record.path is None:
        return wording.UNKNOWN
    relative = os.path.relpath(record.path / PAGE, folder).replace(os.sep, "/")
    # A folder can have any name: `quote` makes it safe in a link, and `Markup.format` escapes it.
    name = wording.visible(record.path.name)
    return Markup('<a href="{}">{}</a>').format(quote(relative), name)
