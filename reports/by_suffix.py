"""A record in the form that the name of a file asks for: a page, a card's addendum, or numbers."""

from collections.abc import Callable, Mapping
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.judging import verdicts
from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.files import write_whole
from maskaudit.audit.recording.record import DETAILS, Record
from maskaudit.audit.texts.toml_files import closest
from maskaudit.reports import pdf
from maskaudit.reports.card.addendum import addendum
from maskaudit.reports.card.markdown import LAYOUTS, markdown
from maskaudit.reports.exports.tables import record_csv, record_json
from maskaudit.reports.html import render_reader, write_page
from maskaudit.reports.reader.reader import reader

HTML, PDF = ".html", ".pdf"


def _markdown(record: Record, judgement: Judgement | None) -> str:
    return markdown(addendum(record, judgement), LAYOUTS["huggingface"])


# What is a text, by the suffix of its file.
_TEXTS: Mapping[str, Callable[[Record, Judgement | None], str]] = {
    ".md": _markdown,
    ".json": record_json,
    ".csv": record_csv,
}
SUFFIXES = (HTML, *_TEXTS, PDF)


def check(path: Path) -> None:
    """Raise `InputError` for an unsupported suffix, or one that cannot be made on this machine."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"{path}: {f'no form is called {suffix!r}' if suffix else 'has no suffix'}; expected "
            f"a name that ends in one of: {', '.join(SUFFIXES)}{closest(suffix, SUFFIXES)}"
        )
    if suffix == PDF:
        pdf.browser()


def is_page(path: Path | None) -> bool:
    """Whether `write` writes the page with all numbers; None is the record's own page."""
    return path is None or path.suffix.lower() == HTML


def write(record: Record, path: Path | None = None) -> Path:
    """Write a record whole or not at all, in the form that the suffix of `path` asks for.

    Verdicts stored beside its tables are included. Without `path` the page is written, beside the
    tables. Raises the errors of `check` and `write_page`.
    """
    if path is None:
        return write_page(record)
    check(path)
    if path.suffix.lower() == HTML:
        return write_page(record, path)
    judgement = None if record.path is None else verdicts.read(record.path)
    if path.suffix.lower() == PDF:
        return pdf.write_pdf(render_reader(reader(record, judgement, DETAILS)), path)
    return write_whole(path, _TEXTS[path.suffix.lower()](record, judgement))
