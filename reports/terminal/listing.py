"""The records of a folder as a table for a terminal."""

from collections.abc import Iterator
from datetime import datetime

from maskaudit.audit.history.listing import Listed, Listing
from maskaudit.audit.recording.named import shortest
from maskaudit.reports.page import names_of
from maskaudit.reports.terminal import layout
from maskaudit.reports.terminal.layout import Cell, Line, Span, Table
from maskaudit.reports.terminal.statuses import STYLES
from maskaudit.reports.words import verdicts, wording

NOT_JUDGED = "not judged"
_TITLES = ("record", "date", "models", "probe sets", "verdict")
# A shortened name still tells its day and time: 20261123T181500.
_TIME = 15


def lines(listing: Listing, width: float = layout.UNLIMITED) -> Iterator[Line]:
    """Yield the table of the records, and below it what else lies in their folder."""
    if listing.records:
        short = shortest([record.path.name for record in listing.records], _TIME)
        digits = max(len(_number(record)) for record in listing.records)
        rows = tuple(
            _row(record, name, digits) for record, name in zip(listing.records, short, strict=True)
        )
        [laid] = layout.lines([Table(_TITLES, rows)], width)
        yield from laid
    else:
        yield (Span("No records here; to make one: maskaudit run"),)
    if len(listing.records) < listing.total:
        text = f"The newest {len(listing.records)} of {listing.total} records; more with --last N."
        yield from layout.wrapped(text, width)
    faults = [record for record in listing.records if record.fault]
    for record in (*faults, *listing.others):
        name = wording.visible(record.path.name, None)
        fault = wording.visible(record.fault, None)
        yield from layout.wrapped(f"{name}: {fault}", width, style="open")


def _row(record: Listed, short: str, digits: int) -> tuple[Cell, ...]:
    name, short = (wording.visible(text, None) for text in (record.path.name, short))
    number = _number(record).rjust(digits)
    head = Cell(f"{number}  {name}", f"{number}  {short}")
    manifest = record.manifest
    if manifest is None:
        return (head, *[Cell(wording.UNKNOWN)] * 3, Cell("cannot be read", style="open"))
    names = names_of(manifest)
    models = f"{names.candidate} against {names.reference}" if names.paired else names.candidate
    made = datetime.fromisoformat(manifest.created)
    sets = [wording.visible(probe_set) for probe_set in manifest.probe_sets]
    tried = "" if manifest.limit is None else "trial of "
    return (
        head,
        Cell(f"{made:%Y-%m-%d %H:%M}", f"{made:%Y-%m-%d}"),
        Cell(models),
        Cell(f"{tried}{', '.join(sets)}", f"{tried}{wording.counted(len(sets), 'set')}"),
        _verdict(record),
    )


def _verdict(record: Listed) -> Cell:
    if record.judgement is None:
        if record.fault:
            return Cell("verdicts cannot be read", "cannot be read", "open")
        return Cell(NOT_JUDGED)
    worst = verdicts.worst(record.judgement.verdicts)
    return Cell(verdicts.counts(record.judgement), worst, STYLES.get(worst, "open"))


def _number(record: Listed) -> str:
    return str(record.number) if record.number else wording.UNKNOWN
