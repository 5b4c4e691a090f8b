"""Pages as HTML files that need no network, with only a few scripts, all our own."""

import base64
import hashlib
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from maskaudit.audit.errors import UndrawnWarning
from maskaudit.audit.judging import verdicts
from maskaudit.audit.recording.files import write_inside, write_whole
from maskaudit.audit.recording.record import DETAILS, PAGE, Record
from maskaudit.audit.texts.printable import inert
from maskaudit.reports.addresses import Addresses, of_number, word
from maskaudit.reports.blocks import Figure, Page
from maskaudit.reports.charts.compact import compact
from maskaudit.reports.charts.draw import CannotDrawError, draw_all
from maskaudit.reports.effects import tables_of
from maskaudit.reports.figures import figures, with_tables
from maskaudit.reports.page import page
from maskaudit.reports.reader.parts import OverTime, Reader, Several
from maskaudit.reports.reader.reader import reader
from maskaudit.reports.words import wording
from maskaudit.reports.words.definitions import title_of

_TEMPLATES = Path(__file__).parent / "templates"
_OPENING = re.compile(r"<svg ([^>]*)>")
_UNDRAWN = (
    "The charts of this page could not be drawn where it was written, so tables stand in their "
    "place. Nothing else is missing. To draw them, write the page again on a machine without a "
    "limit on address space: maskaudit report RECORD."
)
_SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')


def write_page(record: Record, path: Path | None = None) -> Path:
    """Write the pages of a record atomically, beside its tables unless `path` is given.

    The reader's page is at `path`, which is returned, and the page with all numbers beside it: as
    `details.html` in the record's folder, else under the same name with `-details`. Verdicts stored
    beside the tables are included. `path` may be a link; beside the tables none is followed. Raises
    `InputError` where these verdicts are not ours, `CannotWriteError` where the disk is full or
    read-only, and `ValueError` where neither the record nor `path` names a folder. Warns as
    `render` does.
    """
    judgement = None if record.path is None else verdicts.read(record.path)
    if path is None and record.path is None:
        raise ValueError("this record has no folder: give the path of the page to write")
    tables = tables_of(record)
    details = render(page(record, judgement, tables))
    if path is not None:
        beside = path.with_name(f"{path.stem}-{DETAILS}")
        # The details first: a page never links to what is not there.
        write_whole(beside, details)
        return write_whole(
            path, render_reader(reader(record, judgement, quote(beside.name), tables))
        )
    assert record.path is not None  # noqa: S101 - see above
    write_inside(record.path / DETAILS, details)
    return write_inside(
        record.path / PAGE, render_reader(reader(record, judgement, DETAILS, tables))
    )


def render(page: Page) -> str:
    """A page as HTML: style sheet and script inline, their digests in the content security policy.

    The script only sorts, filters and shows addresses: without it nothing is missing.

    Where the drawing engine cannot run, tables stand in place of the charts, the page says so, and
    an `UndrawnWarning` is issued.
    """
    drawings: dict[str, str] = {}
    try:
        charts = {figure.name: figure.chart for figure in figures(page)}
        drawings = dict(zip(charts, draw_all(list(charts.values())), strict=True))
    except CannotDrawError as error:
        page = replace(with_tables(page), warnings=(*page.warnings, _UNDRAWN))
        message = (
            f"the drawing engine cannot run here ({error}), so the page has tables in place of its "
            "charts; it needs more address space than a limit such as `ulimit -v` leaves"
        )
        warnings.warn(message, UndrawnWarning, stacklevel=2)
    return document(
        "report.html.j2",
        ["style.css"],
        page,
        scripts=["rows.js", "details.js"],
        # A row's address is free once only, so each page has its own.
        helps={
            "drawn": partial(_chart, drawings),
            "address": Addresses().row,
            "of_number": of_number,
            "word": word,
            "defined_as": title_of,
        },
    )


def render_reader(reader: Reader) -> str:
    """The reader's page as HTML: like `render`, without a drawing engine."""
    return document("reader.html.j2", ["reader.css"], reader)


def render_overview(several: Several) -> str:
    """The page of several audits as HTML: like `render_reader`."""
    return document("overview.html.j2", ["reader.css", "many.css"], several)


def render_over_time(past: OverTime) -> str:
    """The page of many audits in a row as HTML: like `render_reader`."""
    return document("over_time.html.j2", ["reader.css", "many.css"], past)


def document(
    template: str,
    sheets: Sequence[str],
    page: object,
    *,
    scripts: Sequence[str] = (),
    helps: Mapping[str, Callable[..., str]] | None = None,
) -> str:
    """A page as HTML by a template, with style sheets and perhaps scripts inline; all are ours.

    The content security policy allows these alone, by their digests. `helps` are functions that the
    template calls.
    """
    style = "".join((_TEMPLATES / sheet).read_text("utf-8") for sheet in sheets)
    code = "".join((_TEMPLATES / script).read_text("utf-8") for script in scripts)
    allowed = f"script-src {_source(code)}; " if code else ""
    made = _environment().get_template(template)
    html = made.render(
        page=page,
        **(helps or {}),
        # Style sheets and scripts are ours. Escaping them would change the digests that browsers
        # compute.
        style=Markup(style),  # noqa: S704
        script=Markup(code),  # noqa: S704
        # Foreign text is escaped already; the policy also keeps a browser from running or loading
        # anything should some slip through.
        policy=f"default-src 'none'; style-src {_source(style)}; {allowed}img-src data:; "
        "base-uri 'none'; form-action 'none'",
    )
    return html.strip() + "\n"


@cache
def _environment() -> Environment:
    """What makes pages of templates; it keeps each, for reading one takes longer than using it."""
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        # A misspelt name in the template raises an error instead of leaving a gap on the page.
        undefined=StrictUndefined,
        finalize=_typeset,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(text: str) -> str:
    """What a content security policy calls this very text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _typeset(value: object) -> object:
    """Show what is unseen, and keep a number and its unit on one line; markup stays unchanged.

    Sections show foreign text by `wording.visible`; this is the door that none gets past.
    """
    # Markup is a subclass of str, whose tags stay as they are.
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return wording.kept_together(inert(value, wording.code_point))


def _chart(drawings: Mapping[str, str], figure: Figure) -> Markup:
    """The SVG of a figure with title and description, its strings escaped."""
    title, description = f"{figure.name}-title", f"{figure.name}-description"
    drawing = compact(drawings[figure.name], figure.name)
    opening = _OPENING.match(drawing)
    size = _SIZE.search(opening[1]) if opening else None
    assert opening and size  # noqa: S101, PT018 - vl-convert's own first tag
    # A viewBox without width and height, so that the style sheet can scale the chart.
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" class="chart {}" '
        'role="img" aria-labelledby="{}" aria-describedby="{}">'
        '<title id="{}">{}</title><desc id="{}">{}</desc>'
    ).format(
        size[1], size[2], figure.width, title, description,
        title, figure.title, description, figure.description,
    )  # fmt: skip
    return head + Markup(drawing[opening.end() :])  # noqa: S704


__all__ = [
    "document",
    "render",
    "render_over_time",
    "render_overview",
    "render_reader",
    "write_page",
]
