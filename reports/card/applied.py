"""A card with the addendum of a record in it: all else in the file stays as it is, to the byte."""

import re
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.record import Record
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.toml_files import closest
from maskaudit.reports.card import front_matter, marks, model_index
from maskaudit.reports.card.addendum import addendum
from maskaudit.reports.card.markdown import LAYOUTS, Layout, markdown

_BOM = "\ufeff"


def layout(name: str) -> Layout:
    """The layout of this name. Raises `InputError` for one that is none."""
    if name not in LAYOUTS:
        raise InputError(
            f"no such template {name!r}; expected one of: {', '.join(LAYOUTS)}"
            f"{closest(name, LAYOUTS)}"
        )
    return LAYOUTS[name]


def read(path: Path) -> str:
    """The text of a card, with its byte order mark and its ends of lines.

    Raises `InputError` where there is no file of text.
    """
    try:
        return bounded.content(path, bounded.TEXT).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: is not UTF-8 (byte {error.start + 1}); save it as UTF-8"
        ) from error
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); expected a card, as `maskaudit card "
            f"RECORD > {path.name}` writes the beginning of one"
        ) from error


def applied(
    text: str, record: Record, judgement: Judgement | None, chosen: Layout, name: str
) -> str:
    """The text of a card with the addendum between its marks, and the numbers in its metadata.

    Applied again it changes nothing. Raises `InputError`, which begins with the card's `name`, for
    marks or metadata that cannot be told.
    """
    # Before a byte order mark no rule of Markdown or of the Hub would find the metadata.
    bom, card = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    newline = found[0] if (found := re.search(r"\r\n|\n|\r", card)) else "\n"
    where = marks.place(card, chosen.title, name, front_matter.end(card))
    block = marks.marked(markdown(addendum(record, judgement), chosen, where.inside))
    card = marks.placed(card, where, block, newline)
    if chosen.has_metadata:
        card = front_matter.updated(card, model_index.entry(record), newline, name)
        front_matter.check(card, name)
    return bom + card
