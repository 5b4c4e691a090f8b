"""Sentences with a mask and two words for it, of which one makes the stereotype: pairs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.characters import without_case
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.languages import UNDETERMINED
from maskaudit.probes.published import published_files
from maskaudit.probes.published.columns import NO_COLUMNS, Columns, check_columns
from maskaudit.probes.published.imported import (
    Imported,
    Report,
    fault,
    faults,
    header,
    licensed,
    name_or,
    repeated,
    row,
)

# The two layouts: a list of words and which of them it is, or a column for each of the two.
_LISTED = ("text", "options", "label")
_NAMED = ("text", "stereotype", "anti")
_BESIDE = ("id", "bias_type")
_MASKS = re.compile(r"\[mask\]|<mask>", re.IGNORECASE)
_TWO = 2
_WORDS = {
    "title": "Sentences with two words for a mask",
    "question": "Which of two words does the model find likelier in a sentence: the one that makes "
    "the stereotype, or the other?",
    "how_to_read": "The share of sentences in which the word of the stereotype wins. 50 % is no "
    "preference. Sentences with the same two words are not independent.",
    "limits": "What a word stands for is as the file says; nobody has checked it.",
    "sources": ["a file of the user's"],
}
_LICENCE_NOT_KNOWN = "not known: whoever published this file has to say (--licence)"


def read(
    path: Path,
    *,
    encoding: str | None = None,
    columns: Columns = NO_COLUMNS,
    licence: str | None = None,
) -> Imported:
    """Read a table with a sentence and two words a row, and write each sentence with both words.

    Its columns are `text` (with one mask), `options` (two words) and `label` (that which makes the
    stereotype), or `text`, `stereotype` and `anti`; `columns` has the file's names of them. Raises
    `InputError` where the file cannot be read or lacks a column.
    """
    check_columns(columns, (*dict.fromkeys((*_LISTED, *_NAMED)), *_BESIDE))
    source, records, bad = _table(path, encoding, columns)
    report = Report(source)
    for bad_line in bad:
        report.refuse(bad_line.line, bad_line.reason, bad_line.text)
    rows: list[dict[str, Any]] = []
    keys = []
    for line, record in records:
        found = _sentence_and_words(record)
        if isinstance(found, str):
            report.refuse(line, found, record["text"])
            continue
        keys.append((line, found))
        rows += _pair_rows(name_or(record.get("id"), f"line {line}"), record, *found)
    for first, line in repeated(keys):
        report.note(f"lines {first} and {line} are the same pair; both are kept, as published")
    said = {
        **_WORDS,
        **(licensed(licence) if licence else {"licence": _LICENCE_NOT_KNOWN}),
        "language": UNDETERMINED,
    }
    return report.imported(header("options", "pairs", "several", [source], **said), rows)


def _table(
    path: Path, encoding: str | None, columns: Columns
) -> tuple[published_files.Source, list[published_files.Record], list[published_files.Bad]]:
    """Read the file in the layout that it has; the error of the first where it has neither."""
    try:
        return published_files.table(path, _LISTED, encoding, columns)
    except InputError as error:
        try:
            return published_files.table(path, _NAMED, encoding, columns)
        except InputError:
            raise error from None


def _sentence_and_words(record: Mapping[str, Any]) -> tuple[str, str, str] | str:
    """Return the text with `[MASK]`, and the words for and against the stereotype; or a reason."""
    if why := fault(record["text"], sentence=True, masks=str(record["text"]).count(MASK)):
        return f"text {why}"
    text, n_masks = _MASKS.subn(MASK, record["text"])
    if n_masks != 1:
        return f"text contains {MASK} {n_masks} times; expected 1"
    if "options" not in record:
        cells = {name: record[name] for name in _NAMED[1:]}
        words = tuple(cells.values())
        why = faults(cells)
    else:
        options = _listed(record["options"])
        why = f"label {fault(record['label'])}" if fault(record["label"]) else ""
        why = why or next((f"options {found}" for o in options if (found := fault(o))), "")
        label = "" if why else without_case(str(record["label"]).strip())
        others = [word for word in options if without_case(str(word).strip()) != label]
        stereotype = [word for word in options if word not in others]
        if not why and (len(options), len(others)) != (_TWO, 1):
            why = (
                f"has the options {options} and the label {record['label']!r}; expected two, of "
                "which the label is one"
            )
        words = (*stereotype, *others)
    if why:
        return why
    first, second = (str(word).strip() for word in words)
    if without_case(first) == without_case(second):
        return "the two words are the same"
    return text, first, second


def _listed(cell: object) -> list[object]:
    """Return the words of a cell: a list, JSON's form of one, or words between bars or commas."""
    if isinstance(cell, list):
        return cell
    if not isinstance(cell, str):
        return [cell]
    try:
        value = bounded.json_value(cell)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, list) else [*cell.split("|" if "|" in cell else ",")]


def _pair_rows(
    pair: str, record: Mapping[str, Any], text: str, first: str, second: str
) -> list[dict[str, Any]]:
    more, less = (text.replace(MASK, word) for word in (first, second))
    common = {
        "frame": pair,
        "pair": pair,
        "class_": name_or(record.get("bias_type"), ""),
        "cluster": f"pair {pair}",
        "cluster_2": " / ".join(sorted(map(without_case, (first, second)))),
    }
    return [
        row(**common, text=more, partner=less, label="stereotype"),
        row(**common, text=less, partner=more, label="anti"),
    ]
