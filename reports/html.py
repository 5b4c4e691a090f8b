"""A page as one HTML file that needs no network and runs no script."""

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from maskaudit.audit.judging import verdicts
from maskaudit.audit.recording.files import write_whole
from maskaudit.audit.recording.record import Record
from maskaudit.audit.texts.printable import inert
from maskaudit.reports import wording
from maskaudit.reports.blocks import Figure, Page
from maskaudit.reports.charts.draw import draw
from maskaudit.reports.page import page

FILE = "report.html"
_TEMPLATES = Path(__file__).parent / "templates"
_OPENING = re.compile(r"<svg ([^>]*)>")
# The spaces in "95 %", "0.62 nats", "p < .001", "r = 1.00" and "Table 11".
_KEPT_TOGETHER = re.compile(
    r"(?<=\d) (?=%|nats\b|points\b)|(?<=\b[pr]) (?=[<=])|(?<=[<=]) (?=[.\d])"
)
_SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')


def write_page(record: Record, path: Path | None = None) -> Path:
    """Write the page of a record atomically, beside its tables unless `path` is given.

    Verdicts stored beside the tables are included. Raises `InputError` where these verdicts are not
    ours, `CannotWriteError` where the disk is full or read-only, and `ValueError` where neither the
    record nor `path` names a folder.
    """
    if path is None:
        if record.path is None:
            raise ValueError("this record has no folder: give the path of the page to write")
        path = record.path / FILE
    judgement = None if record.path is None else verdicts.read(record.path)
    return write(page(record, judgement), path)


def write(page: Page, path: Path) -> Path:
    """Write a page atomically.

    Raises `CannotWriteError` where the disk is full or read-only.
    """
    return write_whole(path, render(page))


def render(page: Page) -> str:
    """A page as HTML: inline style sheet, its digest in the content security policy, no script."""
    style = (_TEMPLATES / "style.css").read_text("utf-8")
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        # A misspelt name in the template raises an error instead of leaving a gap on the page.
        undefined=StrictUndefined,
        finalize=_typeset,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["chart"] = _chart
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # The style sheet is ours. Escaping it would change the digest that browsers compute.
    html = environment.get_template("report.html.j2").render(
        page=page,
        style=Markup(style),  # noqa: S704
        # Foreign text is escaped already; the policy also keeps a browser from running or loading
        # anything should some slip through.
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
    )
    return html.strip() + "\n"


def _typeset(value: object) -> object:
    """Show what is unseen, and keep a number and its unit on one line; markup stays unchanged.

    Sections show foreign text by `wording.visible`; this is the door that none gets past.
    """
    # Markup is a subclass of str, so `isinstance` would change its tags as well.
    if type(value) is not str:
        return value
    return _KEPT_TOGETHER.sub("\u00a0", inert(value, wording.code_point))


def _chart(figure: Figure) -> Markup:
    """The SVG of a figure with title and description; vl-convert has escaped its strings."""
    title, description = f"{figure.name}-title", f"{figure.name}-description"
    drawing = draw(figure.chart)
    opening = _OPENING.match(drawing)
    size = _SIZE.search(opening[1]) if opening else None
    assert opening and size  # noqa: S101, PT018 - vl-convert's own first tag
    # A viewBox without width and height, so that the style sheet can scale the chart.
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" class="chart {}" '
        'role="graphics-document" aria-labelledby="{}" aria-describedby="{}">'
        '<title id="{}">{}</title><desc id="{}">{}</desc>'
    ).format(
        size[1], size[2], figure.width, title, description,
        title, figure.title, description, figure.description,
    )  # fmt: skip
    return head + Markup(drawing[opening.end() :])  # noqa: S704


__all__ = ["FILE", "render", "write", "write_page"]
